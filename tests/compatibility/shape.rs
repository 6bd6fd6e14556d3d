//! The shape of a stored value: which fields it has, of which type, and which words stand in them.

use serde_json::Value;
use std::collections::BTreeSet;

/// Fields whose text is one of a few words, each of which is a shape of its own.
const WORDS: [&str; 8] =
    ["is", "cause", "reason", "status", "st", "priority", "adjustment", "from"];
/// Fields whose keys are the caller's.
const MAPS: [&str; 1] = ["snoozePresets"];

/// The two lines of a stored value.
pub(crate) fn lines(bytes: &[u8]) -> (Value, Value) {
    let text = std::str::from_utf8(bytes).unwrap();
    let (line, document) = text.split_once('\n').expect("two lines");
    (serde_json::from_str(line).unwrap(), serde_json::from_str(document).unwrap())
}

/// One entry for each field, with its type or its word.
pub(crate) fn shape(kind: &str, bytes: &[u8]) -> BTreeSet<String> {
    let (line, document) = lines(bytes);
    let mut found = BTreeSet::new();
    walk(&format!("{kind} line"), &line, &mut found);
    walk(kind, &document, &mut found);
    found
}

fn walk(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    let last = path.rsplit('.').next().unwrap_or_default();
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = if MAPS.contains(&last) { "*" } else { key };
                walk(&format!("{path}.{key}"), value, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(&format!("{path}[]"), item, found);
            }
        }
        Value::String(word) if WORDS.contains(&last) => {
            found.insert(format!("{path} {word}"));
        }
        Value::String(_) => {
            found.insert(format!("{path} text"));
        }
        Value::Number(_) => {
            found.insert(format!("{path} number"));
        }
        Value::Bool(_) => {
            found.insert(format!("{path} bool"));
        }
        Value::Null => {
            found.insert(format!("{path} null"));
        }
    }
}

/// Every field of a document, as the way to it, which [`without`] takes.
pub(crate) fn fields(value: &Value) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    collect(value, &mut Vec::new(), &mut found);
    found
}

fn collect(value: &Value, way: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => return,
    };
    for (key, part) in parts {
        way.push(key);
        if value.is_object() {
            found.push(way.clone());
        }
        collect(part, way, found);
        way.pop();
    }
}

/// The document without one field.
pub(crate) fn without(document: &Value, way: &[String]) -> Value {
    let mut changed = document.clone();
    let (field, parents) = way.split_last().unwrap();
    let pointer = [&[String::new()], parents].concat().join("/");
    changed.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(field).unwrap();
    changed
}

/// The way to a field whatever the places in lists: what a rule about the field is named by.
pub(crate) fn general(document: &Value, way: &[String]) -> String {
    let mut path = String::new();
    let mut value = document;
    for part in way {
        if value.is_array() {
            path.push_str("[]");
        } else if MAPS.iter().any(|map| path.ends_with(map)) {
            path.push_str(".*");
        } else {
            path.push('.');
            path.push_str(part);
        }
        value = match value {
            Value::Array(items) => &items[part.parse::<usize>().unwrap()],
            value => &value[part],
        };
    }
    path
}
