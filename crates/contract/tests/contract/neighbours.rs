//! Events of the scheduler's neighbours: what holds for them.

use crate::examples::{encoded, told};
use crate::schemas::faults;
use reminder_contract::cloud_event::{EventData, Publisher};
use reminder_contract::{CloudEvent, EventType};
use serde_json::{Value, json};

#[test]
fn their_events_keep_to_their_schemas_and_are_read_back() {
    for (sequence, (event_type, data)) in (1..).zip(told()) {
        let event = encoded(event_type, sequence, data);
        assert_eq!(faults(event_type.as_str(), &event), Vec::<String>::new());
        let read = CloudEvent::read(event.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), event);
    }
}

#[test]
fn every_type_of_a_neighbour_has_an_example() {
    for event_type in EventType::ALL.iter().filter(|kind| kind.publisher() != Publisher::Scheduler)
    {
        assert!(told().iter().any(|(told, _)| told == event_type), "{event_type:?}");
    }
}

#[test]
fn who_tells_an_update_decides_how_it_is_read() {
    let [_, (event_type, data), ..] = <[_; 9]>::try_from(told()).unwrap();
    let mut event = encoded(event_type, 2, data);
    let read = |event: &Value| CloudEvent::read(event.to_string().as_bytes());
    assert!(matches!(read(&event).unwrap().data, EventData::Task(_)));
    event["source"] = json!("/reminder-scheduler");
    assert!(read(&event).is_err(), "the scheduler tells its own version, and why");
}
