//! What a subscriber refuses for good, or cannot do, lies on the dead-letter topic as it was, and what
//! comes after it is delivered.

use crate::subscriber::{Delivery, Heard, Interest, Subscriber, Verdict};
use crate::suite::{EVENT_DEADLINE, Watch, test};
use reminder_contract::names::{REMINDERS, REMINDERS_DLQ};
use reminder_stack::events::Record;
use serde_json::{Value, json};

/// By the name of the task; a later event of the same task is fine.
fn judge(delivery: &Delivery) -> Verdict {
    match (delivery.kind.as_str(), delivery.task.split('-').next()) {
        ("reminder.scheduled", Some("dropped")) => Verdict::Drop,
        ("reminder.scheduled", Some("failing")) => Verdict::Fail,
        _ => Verdict::Success,
    }
}

/// The event as its publisher wrote it.
fn event(record: &Record) -> Value {
    let mut event = record.json().unwrap();
    // Where it was delivered, as the sidecar puts it.
    for added in ["topic", "pubsubname"] {
        event.as_object_mut().unwrap().remove(added);
    }
    event
}

async fn assert_same(watch: &mut Watch, task: &str) {
    let original = watch.first(REMINDERS, task).await;
    let dead = watch.first(REMINDERS_DLQ, task).await;
    assert_eq!(event(&dead), event(&original));
    let header = |name: &str| {
        let value = dead.headers.get(name).unwrap_or_else(|| panic!("no {name}: {dead:?}"));
        String::from_utf8(value.clone()).unwrap()
    };
    // Where it came from, as Dapr notes it.
    assert_eq!(header("__topic"), REMINDERS);
    assert_eq!(header("__partition"), original.partition.to_string());
    assert_eq!(header("__offset"), original.offset.to_string());
}

#[test]
fn what_is_dropped_or_fails_lies_on_the_dead_letter_topic_and_blocks_nothing() {
    test(async |suite| {
        let mut watch = suite.follow(&[REMINDERS, REMINDERS_DLQ]).await;
        let (heard, group) = (Heard::new(), suite.unique("dead-letters"));
        let interest = Interest {
            name: "refuses",
            group,
            topic: REMINDERS,
            dead_letters: Some(REMINDERS_DLQ),
        };
        let _subscriber = Subscriber::start(suite, interest, &heard, judge).await;
        for name in ["dropped", "failing"] {
            let task = suite.unique(name);
            let fields = json!({
                "title": name, "userId": "u@example.org", "dueDate": "2030-01-01T00:00:00Z",
            });
            suite.put(1, &task, fields).await;
            assert_same(&mut watch, &task).await;
            let answer = suite.call(2, &task, "delete", "{}").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let next = |all: &[Delivery]| {
                all.iter().any(|one| one.task == task && one.kind == "reminder.removed")
            };
            heard.until("the next event of the task", EVENT_DEADLINE, next).await;
        }
    });
}
