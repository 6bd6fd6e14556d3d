//! The typed reader and the schemas agree: what a schema allows is read, what is read and written again
//! is allowed, and where the reader takes more than the schema allows, it is named here.

use crate::generate::value;
use crate::schemas::faults;
use proptest::prelude::*;
use reminder_contract::{CloudEvent, EventType, schemas};
use serde_json::{Value, json};

/// Attributes that the reader does not look into, and ids, which it takes as they are.
const TAKEN_AS_THEY_ARE: &[&str] = &[
    "specversion",
    "id",
    "source",
    "subject",
    "datacontenttype",
    "dataschema",
    "sequence",
    "taskId",
    "reminderId",
];

/// Fields that are always there in what we tell, and that the reader does not miss.
const NOT_MISSED: &[&str] = &["priority", "tags", "coalesced"];

/// What no schema can say: whether a rule of recurrence makes sense, and which zones there are.
const BEYOND_SCHEMAS: &[&str] = &["rule", "zone"];

/// Events of any type, made of the schemas.
fn event() -> impl Strategy<Value = (EventType, Value)> {
    prop::sample::select(EventType::ALL).prop_flat_map(|event_type| {
        let schema = schemas::schema(event_type);
        let event = value(&schema, &schema);
        event.prop_flat_map(move |event| {
            // Who tells an update decides in which way.
            let by_us = event["source"] == "/reminder-scheduler";
            let form = if by_us { schema.pointer("/then") } else { schema.pointer("/else") };
            let Some(form) = form else { return Just((event_type, event)).boxed() };
            let data = value(&form["properties"]["data"], &schema);
            let with = move |data: Value| {
                let mut event = event.clone();
                event["data"] = data;
                (event_type, event)
            };
            data.prop_map(with).boxed()
        })
    })
}

fn read(event: &Value) -> Result<CloudEvent<'static, impl serde::Serialize + use<>>, String> {
    CloudEvent::read(event.to_string().as_bytes()).map_err(|error| error.to_string())
}

/// Every place in a value, as a JSON pointer, but the whole.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    let mut inside = |key: String, part: &Value| {
        let pointer = format!("{here}/{key}");
        all.push(pointer.clone());
        places(part, &pointer, all);
    };
    match value {
        Value::Object(object) => {
            for (key, part) in object {
                // What was added later is nobody's business.
                if key != "addedLater" {
                    inside(key.clone(), part);
                }
            }
        }
        Value::Array(items) => {
            for (index, part) in items.iter().enumerate() {
                inside(index.to_string(), part);
            }
        }
        _ => {}
    }
}

/// Takes a place away, or puts something else there.
fn changed(event: &Value, place: &str, to: Option<&Value>) -> Value {
    let mut event = event.clone();
    if let Some(value) = to {
        *event.pointer_mut(place).unwrap() = value.clone();
        return event;
    }
    let (parent, key) = place.rsplit_once('/').unwrap();
    match event.pointer_mut(parent).unwrap() {
        Value::Object(object) => drop(object.remove(key)),
        Value::Array(items) => drop(items.remove(key.parse().unwrap())),
        _ => unreachable!("{place} is in something"),
    }
    event
}

/// Whether the reader means to take it although the schema does not allow it.
fn is_leniency(event_type: EventType, event: &Value, place: &str, to: Option<&Value>) -> bool {
    let field = place.rsplit('/').next().unwrap();
    let allowed =
        |to: Option<&Value>| faults(event_type.as_str(), &changed(event, place, to)).is_empty();
    match to {
        // Missing and null are the same to it.
        None => NOT_MISSED.contains(&field) || allowed(Some(&Value::Null)),
        Some(Value::Null) => allowed(None),
        Some(Value::String(_)) => TAKEN_AS_THEY_ARE.contains(&field),
        Some(_) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_a_schema_allows_is_read_and_what_is_written_again_is_allowed((event_type, event) in event()) {
        prop_assert_eq!(faults(event_type.as_str(), &event), Vec::<String>::new(), "{}", &event);
        let read = read(&event);
        prop_assert!(read.is_ok(), "{}: {:?}", &event, read.err());
        let again = serde_json::to_value(read.unwrap()).unwrap();
        prop_assert_eq!(faults(event_type.as_str(), &again), Vec::<String>::new(), "{}", &again);
    }

    #[test]
    fn what_is_amiss_is_amiss_to_both(
        (event_type, event) in event(),
        place in any::<prop::sample::Index>(),
        to in prop::option::weighted(0.8, prop::sample::select(vec![
            json!(null), json!(-1), json!("x"), json!(""), json!([]), json!({}), json!(true), json!([1]),
        ])),
    ) {
        let mut all = Vec::new();
        places(&event, "", &mut all);
        let place = place.get(&all);
        // Of another type, or of another source, it is another event.
        prop_assume!(place != "/type" && (place != "/source" || event_type.publisher().source().is_some()));
        let other = changed(&event, place, to.as_ref());
        let wrong = faults(event_type.as_str(), &other);
        match read(&other) {
            Err(error) => {
                prop_assume!(!BEYOND_SCHEMAS.contains(&place.rsplit('/').next().unwrap()));
                prop_assert!(!wrong.is_empty(), "{place} to {to:?}: {error}, yet the schema allows it");
            }
            Ok(_) if wrong.is_empty() => {}
            Ok(_) => prop_assert!(
                is_leniency(event_type, &event, place, to.as_ref()),
                "{place} to {to:?} is read, yet {wrong:?}"
            ),
        }
    }
}
