//! Events that a schema allows, made of nothing but the schema.

use proptest::prelude::*;
use proptest::strategy::Union;
use serde_json::{Map, Value, json};

/// What JSON numbers tell apart.
const INTEGER_MAX: u64 = 1 << 53;

/// Values that a schema allows. Texts with examples are among those: what a rule of recurrence or a zone
/// may be, no schema can say.
pub(crate) fn value(schema: &Value, document: &Value) -> BoxedStrategy<Value> {
    if let Some(target) = schema["$ref"].as_str() {
        let target = document.pointer(target.trim_start_matches('#')).unwrap();
        return value(target, document);
    }
    if let Some(value) = schema.get("const") {
        return Just(value.clone()).boxed();
    }
    if let Some(values) = schema["enum"].as_array() {
        return prop::sample::select(values.clone()).boxed();
    }
    match &schema["type"] {
        Value::String(name) => typed(name, schema, document),
        Value::Array(names) => {
            let names = names.iter().map(|name| name.as_str().unwrap());
            Union::new(names.map(|name| typed(name, schema, document))).boxed()
        }
        _ => {
            let variants = ["anyOf", "oneOf"].iter().find_map(|key| schema[*key].as_array());
            let variants = variants.unwrap_or_else(|| panic!("what is {schema}?"));
            Union::new(variants.iter().map(|variant| value(variant, document))).boxed()
        }
    }
}

fn typed(name: &str, schema: &Value, document: &Value) -> BoxedStrategy<Value> {
    match name {
        "null" => Just(Value::Null).boxed(),
        "string" => text(schema),
        "integer" => {
            let bound = |key: &str, other: u64| schema[key].as_u64().unwrap_or(other);
            (bound("minimum", 0)..=bound("maximum", INTEGER_MAX)).prop_map(|n| json!(n)).boxed()
        }
        "array" => prop::collection::vec(value(&schema["items"], document), 0..3)
            .prop_map(Value::Array)
            .boxed(),
        "object" => object(schema, document),
        _ => panic!("none of ours is a {name}"),
    }
}

fn text(schema: &Value) -> BoxedStrategy<Value> {
    let examples = || schema["examples"].as_array().cloned();
    let open = schema["anyOf"].is_array();
    if schema["format"] == "date-time" {
        let ms = 0..4_000_000_000_000_i64;
        let instant = ms.prop_map(|ms| json!(reminder_domain::Timestamp::from_millis(ms)));
        prop_oneof![4 => instant, 1 => Just(json!("2027-03-01T09:00:00+05:45"))].boxed()
    } else if let (Some(examples), true) = (examples(), open) {
        let other = "[a-z]{1,12}".prop_map(Value::String);
        prop_oneof![3 => prop::sample::select(examples), 1 => other].boxed()
    } else if let Some(examples) = examples() {
        prop::sample::select(examples).boxed()
    } else if let Some(pattern) = schema["pattern"].as_str() {
        prop::string::string_regex(pattern.trim_matches(['^', '$']))
            .unwrap()
            .prop_map(Value::String)
            .boxed()
    } else {
        "(?s).{0,20}".prop_map(Value::String).boxed()
    }
}

/// An object with what must be there, some of what may be, and something that was added later.
fn object(schema: &Value, document: &Value) -> BoxedStrategy<Value> {
    let required = names(&schema["required"]);
    let fields: Vec<BoxedStrategy<Option<(String, Value)>>> = schema["properties"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, field)| {
            let name = name.clone();
            let always = required.contains(&name);
            let field = value(field, document).prop_map(move |value| (name.clone(), value));
            if always { field.prop_map(Some).boxed() } else { prop::option::of(field).boxed() }
        })
        .collect();
    let ways: Vec<Value> = schema["oneOf"].as_array().cloned().unwrap_or_default();
    let all = (fields, any::<bool>(), way_fields(&ways, schema, document));
    all.prop_map(move |(fields, later, chosen)| {
        let mut object: Map<String, Value> = fields.into_iter().flatten().collect();
        if let Some((way, field)) = chosen {
            // Of the ways that exclude each other, one; and nothing that does not go with it.
            for name in ways.iter().flat_map(|way| names(&way["required"])) {
                object.remove(&name);
            }
            for name in names(&ways[way]["not"]["required"]) {
                object.remove(&name);
            }
            object.insert(field.0, field.1);
        }
        if later {
            object.insert("addedLater".into(), json!({ "any": ["thing"] }));
        }
        Value::Object(object)
    })
    .boxed()
}

/// One of the ways to say something, by its number, with the field that says it.
fn way_fields(
    ways: &[Value],
    schema: &Value,
    document: &Value,
) -> BoxedStrategy<Option<(usize, (String, Value))>> {
    if ways.is_empty() {
        return Just(None).boxed();
    }
    let one = |(number, way): (usize, &Value)| {
        let name = names(&way["required"]).remove(0);
        let field = value(&schema["properties"][&name], document);
        field.prop_map(move |value| Some((number, (name.clone(), value)))).boxed()
    };
    Union::new(ways.iter().enumerate().map(one)).boxed()
}

fn names(list: &Value) -> Vec<String> {
    let names = list.as_array().into_iter().flatten();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}
