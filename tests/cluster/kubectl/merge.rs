//! The patches that kubectl sends, as far as our objects need them.

use serde_json::{Map, Value};

/// What of a patch is about lists and no field.
const DIRECTIVES: &str = "$";

/// A merge patch (RFC 7396).
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    each(target, patch, merge);
}

/// A strategic merge patch: lists of named things are merged by their names.
pub(crate) fn strategic(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Array(items), Value::Array(patches)) if patches.iter().all(is_named) => {
            for patch in patches {
                let same = items.iter().position(|item| item["name"] == patch["name"]);
                match (same, patch.get("$patch")) {
                    (Some(at), Some(_)) => drop(items.remove(at)),
                    (Some(at), None) => strategic(&mut items[at], patch),
                    (None, _) => items.push(patch.clone()),
                }
            }
        }
        (target, patch) => each(target, patch, strategic),
    }
}

fn is_named(value: &Value) -> bool {
    value["name"].is_string()
}

/// Merges objects field by field; anything else takes the place of what was there.
fn each(target: &mut Value, patch: &Value, merge: fn(&mut Value, &Value)) {
    let Value::Object(patches) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (name, patch) in patches.iter().filter(|(name, _)| !name.starts_with(DIRECTIVES)) {
        if patch.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), patch);
        }
    }
}

/// A JSON patch (RFC 6902) that replaces. Answers whether there was nothing else in it.
pub(crate) fn replace(target: &mut Value, patch: &Value) -> bool {
    patch.as_array().is_some_and(|operations| {
        operations.iter().all(|operation| {
            let place = operation["path"].as_str().and_then(|path| target.pointer_mut(path));
            match place {
                Some(place) if operation["op"] == "replace" => {
                    *place = operation["value"].clone();
                    true
                }
                _ => false,
            }
        })
    })
}

/// Without what says nothing: kubectl writes fields that are empty, and manifests leave them out.
pub(crate) fn without_empty(value: &Value) -> Value {
    let says_something = |value: &Value| match value {
        Value::Null => false,
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), without_empty(value)));
            Value::Object(fields.filter(|(_, value)| says_something(value)).collect())
        }
        Value::Array(items) => items.iter().map(without_empty).collect(),
        other => other.clone(),
    }
}

#[test]
fn patches_do_what_the_api_server_does() {
    use serde_json::json;
    let mut object =
        json!({ "a": 1, "env": [{ "name": "A", "value": "1" }, { "name": "B" }], "c": { "d": 1 } });
    strategic(
        &mut object,
        &json!({ "a": null, "$setElementOrder/env": [], "env": [{ "name": "A", "value": "2" },
                 { "name": "B", "$patch": "delete" }, { "name": "C" }], "c": { "e": 2 } }),
    );
    let merged =
        json!({ "env": [{ "name": "A", "value": "2" }, { "name": "C" }], "c": { "d": 1, "e": 2 } });
    assert_eq!(object, merged);
    merge(&mut object, &json!({ "env": [], "c": { "d": null } }));
    assert_eq!(object, json!({ "env": [], "c": { "e": 2 } }));
    assert!(replace(&mut object, &json!([{ "op": "replace", "path": "/c/e", "value": 3 }])));
    assert!(!replace(&mut object, &json!([{ "op": "add", "path": "/x", "value": 3 }])));
    assert_eq!(without_empty(&object), json!({ "c": { "e": 3 } }));
}
