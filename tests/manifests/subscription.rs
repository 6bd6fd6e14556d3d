//! The subscription as a resource, and as the service says it itself: they must be the same, since Dapr
//! goes by one of them.

use reminder_contract::names;
use reminder_scheduler::dapr::inbound::subscriptions::declared;
use reminder_scheduler::ingest::settings::Settings;
use serde_json::{Value, json};

use crate::documents::document;

/// What the service says with the defaults of its settings.
fn said() -> Value {
    let settings = Settings { enabled: true, concurrency: 64, batch: 500 };
    let said: Value = serde_json::from_str(&declared(names::PUBSUB, settings)).unwrap();
    let mut of_topic = said.as_array().unwrap().iter();
    let found = of_topic.find(|one| one["topic"] == names::TASK_EVENTS);
    found.unwrap_or_else(|| panic!("no subscription to the topic: {said}")).clone()
}

#[test]
fn the_resource_says_what_the_service_says() {
    let said = said();
    for file in ["components/task-events.yaml", "k8s/base/task-events.yaml"] {
        let document = document(file);
        let spec = document.at("/spec");
        assert_eq!(spec["routes"], json!({ "default": said["route"] }), "{file}");
        for field in ["pubsubname", "topic", "deadLetterTopic", "metadata", "bulkSubscribe"] {
            assert_eq!(spec[field], said[field], "{file}: {field}");
        }
        assert_eq!(document.at("/scopes"), &json!([names::APP_ID]), "{file}");
    }
}
