//! What is known of the topics that the service consumes.

use crate::support::Database;
use reminder_scheduler::read_model::{ReadModel, Watched};
use std::time::Duration;

const TOPIC: &str = "task-events";
const AT_MOST: Duration = Duration::from_secs(100);

async fn model() -> (Database, ReadModel) {
    let database = Database::migrated().await;
    let model = ReadModel::new(&database.url, "public".into()).unwrap();
    (database, model)
}

async fn asks(model: &ReadModel) -> u32 {
    model.watched(TOPIC).await.unwrap().asks()
}

#[tokio::test]
async fn canaries_are_counted_until_something_is_heard() {
    let (database, model) = model().await;
    let Watched { silent_for, asked } = model.watched(TOPIC).await.unwrap();
    assert!(silent_for < Duration::from_secs(5) && asked.is_none(), "it begins now");
    let long_ago = "UPDATE topic_watch SET heard_at = now() - interval '1 hour'";
    database.client.batch_execute(long_ago).await.unwrap();
    assert!(model.watched(TOPIC).await.unwrap().silent_for >= Duration::from_secs(3600));

    model.note_asked(TOPIC, 0).await.unwrap();
    // Another replica, which saw the same and asked as well.
    model.note_asked(TOPIC, 0).await.unwrap();
    assert_eq!(asks(&model).await, 1);
    model.note_asked(TOPIC, 1).await.unwrap();
    assert_eq!(asks(&model).await, 2);
    model.note_unasked(TOPIC).await.unwrap();
    assert_eq!(asks(&model).await, 0, "with the broker away nobody can tell");
    model.note_asked(TOPIC, 0).await.unwrap();
    model.note_heard(TOPIC).await.unwrap();
    let Watched { silent_for, asked } = model.watched(TOPIC).await.unwrap();
    assert!(silent_for < Duration::from_secs(5) && asked.is_none());
}

#[tokio::test]
async fn one_replica_at_a_time_subscribes_anew_and_what_is_heard_ends_it() {
    let (database, model) = model().await;
    for topic in [TOPIC, "task-events-dlq"] {
        model.watched(topic).await.unwrap();
        for asks in 0..2 {
            model.note_asked(topic, asks).await.unwrap();
        }
    }
    assert!(model.begin_healing(TOPIC, 2, AT_MOST).await.unwrap());
    assert_eq!(asks(&model).await, 3, "it counts as an ask");
    for (topic, asks) in [(TOPIC, 2), (TOPIC, 3), ("task-events-dlq", 2)] {
        let begun = model.begin_healing(topic, asks, AT_MOST).await.unwrap();
        assert!(!begun, "{topic} {asks}: another replica is at it");
    }
    model.end_healing(TOPIC).await.unwrap();
    assert!(model.begin_healing("task-events-dlq", 2, AT_MOST).await.unwrap());
    // One that died in the middle holds up nobody for ever.
    let died = "UPDATE topic_watch SET healing_until = now() - interval '1 second'";
    database.client.batch_execute(died).await.unwrap();
    model.note_heard(TOPIC).await.unwrap();
    assert!(!model.begin_healing(TOPIC, 3, AT_MOST).await.unwrap(), "it is heard");
    model.note_asked(TOPIC, 0).await.unwrap();
    assert!(model.begin_healing(TOPIC, 1, AT_MOST).await.unwrap());
}
