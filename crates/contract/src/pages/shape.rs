//! The fields of an object in a schema, as a table.

use super::{anchor, text_of};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The name of the part that describes the data of an event.
pub(super) fn data_name(schema: &Value) -> &str {
    let target = text_of(&schema["properties"]["data"], "$ref");
    target.rsplit('/').next().unwrap_or_default()
}

/// A link to the part of that name.
pub(super) fn link(name: &str) -> String {
    format!("[{name}](#{})", anchor(&heading(name)))
}

/// The heading of a part; never that of a type of event, `task.updated` for instance.
pub(super) fn heading(name: &str) -> String {
    format!("Shape {name}")
}

/// The fields of an object; of one of several forms, those of each.
pub(super) fn fields(shape: &Value) -> String {
    if shape["properties"].is_object() {
        return table(shape) + &words(shape);
    }
    let mut text = String::new();
    for form in forms(shape) {
        if form["properties"].is_object() {
            let names = required(form).map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let _ = write!(
                text,
                "An object with {}: {}\n\n{}",
                names.join(" and "),
                text_of(form, "description"),
                table(form)
            );
        } else {
            let about = text_of(form, "description");
            let _ = match form["$ref"].as_str() {
                Some(_) => write!(text, "{}: {about}\n\n", kind(form)),
                None => write!(text, "Text ({}): {about}\n\n", kind(form)),
            };
        }
    }
    text
}

fn forms(shape: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["anyOf", "oneOf"].iter().filter_map(|keyword| shape[*keyword].as_array());
    lists.flatten()
}

fn required(shape: &Value) -> impl Iterator<Item = &str> {
    shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// By name, in whatever order the map has them.
fn properties(shape: &Value) -> BTreeMap<&str, &Value> {
    let all = shape["properties"].as_object().into_iter().flatten();
    all.map(|(name, field)| (name.as_str(), field)).collect()
}

/// What is always there comes first, in the order of the schema.
fn table(shape: &Value) -> String {
    let optional = properties(shape).into_keys();
    let optional = optional.filter(|name| required(shape).all(|known| known != *name));
    let rows = required(shape).map(|name| (name, "yes")).chain(optional.map(|name| (name, "no")));
    let mut text = "| Field | Type | Always there | What |\n|---|---|---|---|\n".to_owned();
    for (name, always) in rows {
        let field = &shape["properties"][name];
        let mut about = text_of(field, "description").to_owned();
        if let Some(default) = field.get("default").filter(|_| always == "no") {
            let _ = write!(about, " `{default}` when it is missing.");
        }
        if let Some(example) = example(field) {
            let _ = write!(about, " Such as `{example}`.");
        }
        let _ = writeln!(text, "| `{name}` | {} | {always} | {about} |", kind(field));
    }
    text + "\n"
}

/// What a text may look like, where its words have no table.
fn example(field: &Value) -> Option<&str> {
    let has_words = forms(field).any(|form| form.get("const").is_some());
    let list = if field["items"].is_object() { &field["items"] } else { field };
    list["examples"][0].as_str().filter(|_| !has_words)
}

/// The words that a field may have, where they have meanings.
fn words(shape: &Value) -> String {
    let mut text = String::new();
    for (name, field) in properties(shape) {
        let known = || forms(field).filter(|form| form["const"].is_string());
        if known().count() == 0 {
            continue;
        }
        let more = if forms(field).any(|form| form.get("const").is_none()) {
            ", and others later"
        } else {
            ""
        };
        let _ = write!(text, "Words of `{name}`{more}:\n\n| Word | What |\n|---|---|\n");
        for word in known() {
            let _ = writeln!(
                text,
                "| `{}` | {} |",
                text_of(word, "const"),
                text_of(word, "description")
            );
        }
        text.push('\n');
    }
    text
}

/// The type of a field, in words.
fn kind(field: &Value) -> String {
    if let Some(target) = field["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap_or_default();
        return link(name);
    }
    if let Some(values) = field["enum"].as_array() {
        return values
            .iter()
            .map(|value| format!("`{}`", plain(value)))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(value) = field.get("const") {
        return format!("`{}`", plain(value));
    }
    match &field["type"] {
        Value::String(name) => named(name, field),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str).map(|name| named(name, field));
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => {
            let mut kinds: Vec<String> = forms(field).map(kind).collect();
            // A closed list of words has a table of its own.
            if kinds.len() > 2 && forms(field).all(|form| form.get("const").is_some()) {
                kinds = vec!["a word".to_owned()];
            }
            kinds.join(" or ")
        }
    }
}

fn named(name: &str, field: &Value) -> String {
    match (name, field["format"].as_str()) {
        ("string", Some("date-time")) => "instant".to_owned(),
        ("string", Some("date")) => "date".to_owned(),
        ("string", _) if forms(field).any(|form| form.get("const").is_some()) => {
            "a word".to_owned()
        }
        ("string", _) => "text".to_owned(),
        ("array", _) => format!("list of {}", kind(&field["items"])),
        (name, _) => name.to_owned(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
