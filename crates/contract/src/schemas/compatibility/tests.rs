//! Made-up changes of each kind, and whom they break.

use super::{Effect, Writers, breaks};
use serde_json::{Value, json};

/// A schema with one of everything that ours have.
fn released() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.org/thing/v1.json",
        "title": "thing",
        "type": "object",
        "additionalProperties": true,
        "required": ["id", "type", "data"],
        "properties": {
            "id": { "type": "string", "minLength": 1 },
            "type": { "type": "string", "const": "thing" },
            "userid": { "type": ["string", "null"] },
            "data": { "$ref": "#/$defs/Thing" },
        },
        "$defs": {
            "Thing": {
                "$anchor": "data",
                "type": "object",
                "additionalProperties": true,
                "required": ["at", "count", "level", "state", "tags"],
                "properties": {
                    "at": { "type": "string", "format": "date-time" },
                    "count": { "type": "integer", "minimum": 1, "maximum": 1000 },
                    "share": { "type": "number" },
                    "level": { "type": "string", "enum": ["low", "high"] },
                    "state": { "oneOf": [
                        { "type": "string", "const": "open" },
                        { "type": "string", "const": "closed" },
                    ] },
                    "cause": {
                        "type": "string",
                        "anyOf": [{ "const": "a" }, { "description": "another word" }],
                        "examples": ["a"],
                    },
                    "tags": { "type": "array", "items": { "type": "string", "pattern": "^[a-z]+$" } },
                    "due": { "anyOf": [{ "$ref": "#/$defs/Due" }, { "type": "null" }] },
                    "extra": {},
                    "priority": { "type": "string", "default": "low" },
                },
                "oneOf": [{ "required": ["at"] }, { "required": ["due"] }],
            },
            "Due": { "oneOf": [
                { "type": "string", "format": "date-time" },
                { "type": "object", "required": ["local"], "properties": {
                    "local": { "type": "string" }, "zone": { "type": ["string", "null"] },
                } },
                { "type": "object", "required": ["date"], "properties": {
                    "date": { "type": "string", "format": "date" },
                } },
            ] },
        },
    })
}

const THING: &str = "/$defs/Thing";
const DATA: &str = "/$defs/Thing/properties";

/// Changes a released schema by setting a key, or by taking it away, and tells what breaks.
fn change(
    pointer: &str,
    key: &str,
    value: Option<Value>,
    writers: Writers,
) -> Vec<(String, Effect)> {
    let mut present = released();
    let object = present.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => object.insert(key.into(), value),
        None => object.remove(key),
    };
    assert_ne!(present, released(), "{pointer} {key}");
    let found = breaks(&released(), &present, writers);
    found.into_iter().map(|found| (found.at, found.effect)).collect()
}

/// A change that loosens: readers break, whoever writes.
#[track_caller]
fn breaks_readers(at: &str, pointer: &str, key: &str, value: Option<Value>) {
    let expected = vec![(at.to_owned(), Effect::Looser)];
    assert_eq!(change(pointer, key, value.clone(), Writers::Ours), expected);
    assert_eq!(change(pointer, key, value, Writers::Others), expected);
}

/// A change that tightens: other writers break.
#[track_caller]
fn breaks_writers(at: &str, pointer: &str, key: &str, value: Option<Value>) {
    assert_eq!(change(pointer, key, value.clone(), Writers::Ours), []);
    assert_eq!(change(pointer, key, value, Writers::Others), [(at.to_owned(), Effect::Tighter)]);
}

/// A change to something else: everybody breaks.
#[track_caller]
fn breaks_all(at: &str, pointer: &str, key: &str, value: Option<Value>) {
    assert_eq!(change(pointer, key, value, Writers::Ours), [(at.to_owned(), Effect::Other)]);
}

#[track_caller]
fn breaks_nobody(pointer: &str, key: &str, value: Option<Value>) {
    assert_eq!(change(pointer, key, value, Writers::Others), []);
}

#[test]
fn a_schema_is_compatible_with_itself() {
    assert_eq!(breaks(&released(), &released(), Writers::Others), []);
}

#[test]
fn what_only_adds_breaks_nobody() {
    breaks_nobody(DATA, "addedLater", Some(json!({ "type": "string" })));
    breaks_nobody("/properties", "addedlater", Some(json!({ "type": "string" })));
    breaks_nobody("", "description", Some(json!("A thing.")));
    breaks_nobody("", "title", None);
    breaks_nobody("", "examples", Some(json!([{}])));
    let words = json!([{ "const": "a" }, { "const": "b" }, { "description": "another word" }]);
    breaks_nobody(&format!("{DATA}/cause"), "anyOf", Some(words));
    breaks_nobody(&format!("{DATA}/cause"), "examples", Some(json!(["a", "b"])));
    breaks_nobody(&format!("{DATA}/count"), "default", Some(json!(1)));
    breaks_nobody("/$defs", "Unused", Some(json!({ "type": "string" })));
}

#[test]
fn what_readers_count_on_must_stay() {
    breaks_readers("data.at", DATA, "at", None);
    breaks_readers("data.count", THING, "required", Some(json!(["at", "level", "state", "tags"])));
    breaks_readers("type", "", "required", Some(json!(["id", "data"])));
    breaks_readers("data.at", &format!("{DATA}/at"), "type", Some(json!(["string", "null"])));
    breaks_readers("data.at", &format!("{DATA}/at"), "format", None);
    breaks_readers("data.count", &format!("{DATA}/count"), "maximum", Some(json!(2000)));
    breaks_readers("data.count", &format!("{DATA}/count"), "minimum", Some(json!(0)));
    breaks_readers("data.count", &format!("{DATA}/count"), "minimum", None);
    breaks_readers("id", "/properties/id", "minLength", None);
    breaks_readers("data.tags[]", &format!("{DATA}/tags/items"), "pattern", None);
    breaks_readers(
        "data.tags[]",
        &format!("{DATA}/tags"),
        "items",
        Some(json!({
        "type": ["string", "null"], "pattern": "^[a-z]+$" })),
    );
    breaks_readers("data.due.local", "/$defs/Due/oneOf/1", "required", Some(json!([])));
}

#[test]
fn closed_lists_take_no_new_words_and_open_ones_stay_open() {
    let levels = json!(["low", "high", "urgent"]);
    breaks_readers("data.level", &format!("{DATA}/level"), "enum", Some(levels));
    let states = json!([{ "const": "open" }, { "const": "closed" }, { "const": "gone" }]);
    breaks_readers("data.state", &format!("{DATA}/state"), "oneOf", Some(states));
    breaks_readers("data.level", DATA, "level", Some(json!({ "type": "string" })));
    breaks_writers("data.level", &format!("{DATA}/level"), "enum", Some(json!(["low"])));
    breaks_writers("data.cause", DATA, "cause", Some(json!({ "enum": ["a"] })));
    let closed = json!([{ "const": "a" }]);
    breaks_all("data.cause", &format!("{DATA}/cause"), "anyOf", Some(closed));
}

#[test]
fn what_writers_count_on_must_stay() {
    let all = json!(["at", "count", "level", "state", "tags", "share"]);
    breaks_writers("data.share", THING, "required", Some(all));
    breaks_writers("data.share", &format!("{DATA}/share"), "type", Some(json!("integer")));
    breaks_writers("data.count", &format!("{DATA}/count"), "maximum", Some(json!(10)));
    breaks_writers("data.cause", &format!("{DATA}/cause"), "maxLength", Some(json!(10)));
    breaks_writers("userid", "/properties/userid", "type", Some(json!("string")));
    breaks_writers("data", THING, "additionalProperties", Some(json!(false)));
    let forms = released().pointer("/$defs/Due/oneOf").unwrap().as_array().unwrap()[..2].to_vec();
    breaks_writers("data.due", "/$defs/Due", "oneOf", Some(json!(forms)));
    breaks_writers("data.extra", DATA, "extra", Some(json!({ "type": "string" })));
}

#[test]
fn nothing_becomes_something_else() {
    breaks_all("type", "/properties/type", "const", Some(json!("thing.2")));
    breaks_all("data.at", &format!("{DATA}/at"), "format", Some(json!("date")));
    let digits = Some(json!("^[0-9]+$"));
    breaks_all("data.tags[]", &format!("{DATA}/tags/items"), "pattern", digits);
    breaks_all("", "", "$id", Some(json!("https://example.org/thing/v2.json")));
    breaks_all("data.priority", &format!("{DATA}/priority"), "default", Some(json!("high")));
    breaks_all("data", THING, "oneOf", Some(json!([{ "required": ["at"] }])));
    breaks_all("data", THING, "$anchor", Some(json!("payload")));
    let both =
        vec![("data.count".to_owned(), Effect::Looser), ("data.count".to_owned(), Effect::Tighter)];
    let text = Some(json!({ "type": "string" }));
    assert_eq!(change(DATA, "count", text, Writers::Others), both);
}

#[test]
fn a_keyword_that_is_not_known_here_may_not_change_unseen() {
    let conditional = json!({ "properties": { "id": { "const": "x" } } });
    breaks_writers("", "", "if", Some(conditional));
    breaks_writers("data.count", &format!("{DATA}/count"), "multipleOf", Some(json!(2)));
}

#[test]
fn a_break_says_where_what_and_whom() {
    let mut present = released();
    present["$defs"]["Thing"]["properties"].as_object_mut().unwrap().remove("at");
    let found = breaks(&released(), &present, Writers::Ours);
    assert_eq!(
        found[0].to_string(),
        "data.at is not described any more, which breaks who reads it"
    );
}

#[test]
fn schemas_that_refer_to_themselves_come_to_an_end() {
    let tree = json!({ "type": "object", "properties": { "child": { "$ref": "#" } } });
    let found = breaks(&tree, &tree, Writers::Ours);
    assert!(found[0].what.contains("too deep"), "{found:?}");
}
