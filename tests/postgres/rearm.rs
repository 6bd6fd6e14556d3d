//! The place of a `rearm`, which the next one goes on from.

use crate::support::{Database, Value, WAKE_MS, key, upsert, value};
use reminder_domain::{TaskId, Timestamp};
use reminder_scheduler::read_model::{ReadModel, RearmPlace, Waking};

fn waking(ms: i64, task: &str) -> Waking {
    Waking { at: Timestamp::from_millis(ms), task: TaskId::parse(task).unwrap() }
}

#[tokio::test]
async fn the_place_is_kept_until_the_end_and_what_is_left_is_counted() {
    let database = Database::migrated().await;
    let model = ReadModel::new(&database.url, "public".into()).unwrap();
    assert_eq!(model.rearm_place().await.unwrap(), None);
    for (task, wake) in [("a", WAKE_MS), ("b", WAKE_MS), ("c", WAKE_MS + 1)] {
        let one = Value { wake: Some(wake), ..value(1) };
        upsert(&database.client, &key(task), &one.bytes()).await.unwrap();
    }
    let left = async |after: &Waking, until| {
        model.count_waking(after, Timestamp::from_millis(until)).await.unwrap()
    };
    assert_eq!(left(&waking(0, "0"), WAKE_MS + 1).await, 3);
    assert_eq!(left(&waking(WAKE_MS, "a"), WAKE_MS + 1).await, 2);
    assert_eq!(left(&waking(WAKE_MS, "a"), WAKE_MS).await, 1);
    for (done, task) in [(1, "a"), (2, "b")] {
        let place = RearmPlace { after: waking(WAKE_MS, task), done };
        model.note_rearm(&place).await.unwrap();
        assert_eq!(model.rearm_place().await.unwrap(), Some(place));
    }
    model.forget_rearm().await.unwrap();
    assert_eq!(model.rearm_place().await.unwrap(), None);
}
