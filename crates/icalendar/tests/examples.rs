//! Calendars of others: `data/*.ics`, each with what it must be read as in the JSON file beside it,
//! or with the beginning of the error.
//!
//! Those named after an RFC are its examples (of RFC 9074, which has events, the same alarms on a
//! task); the others are made in the manner of the program that they are named after.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use reminder_domain::command::RestoredAlarm;
use reminder_domain::task::TaskFields;
use reminder_domain::{ReminderId, Timestamp};
use reminder_icalendar::import;
use serde_json::Value;
use std::path::Path;

fn restored(json: &Value) -> RestoredAlarm {
    let time = |name: &str| json[name].as_str().map(|text| Timestamp::parse(text).unwrap());
    RestoredAlarm {
        reminder_id: ReminderId::parse(json["reminderId"].as_str().unwrap()).unwrap(),
        acknowledged: time("acknowledged"),
        snoozed_until: time("snoozedUntil"),
    }
}

#[test]
fn calendars_of_others_are_read_as_they_are_meant() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ics") {
            continue;
        }
        count += 1;
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = std::fs::read_to_string(path.with_extension("json")).unwrap();
        let expected: Value = serde_json::from_str(&expected).unwrap();
        let imported = import(&text);
        if let Some(error) = expected["error"].as_str() {
            let found = imported.unwrap_err().to_string();
            assert!(found.starts_with(error), "{name}: {found}");
            continue;
        }
        let imported = imported.unwrap_or_else(|error| panic!("{name}: {error}"));
        let task: TaskFields = serde_json::from_value(expected["task"].clone()).unwrap();
        assert_eq!(imported.task, task, "{name}");
        assert_eq!(imported.uid.as_deref(), expected["uid"].as_str(), "{name}");
        let alarms = expected["restored"].as_array().into_iter().flatten();
        assert_eq!(imported.restored, alarms.map(restored).collect::<Vec<_>>(), "{name}");
    }
    assert!(count >= 12, "there were {count} examples");
}
