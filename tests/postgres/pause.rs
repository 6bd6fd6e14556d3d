//! What the fence keeps of pauses and what turns read of them; and how many open tasks there are.

use crate::support::{Database, Value, key, upsert, value};
use reminder_contract::user_id::to_actor_id;
use reminder_domain::Timestamp;
use reminder_domain::ids::Person;
use reminder_domain::pause::SkippedPause;
use reminder_domain::preferences::Preferences;
use reminder_domain::user::UserState;
use reminder_scheduler::ports::Users;
use reminder_scheduler::read_model::{Listing, UserLookup};
use reminder_scheduler::users::record::encode;
use std::num::NonZeroU32;

/// Whose tasks [`value`] makes.
const USER: &str = "u@example.org";
const SINCE_MS: i64 = 1_790_000_000_123;

fn user() -> Person {
    Person::parse(USER).unwrap()
}

fn lookup(database: &Database) -> UserLookup {
    let lookup = UserLookup::default();
    lookup.open(&database.url, "public".into()).unwrap();
    lookup
}

/// A value whose index line says that it is paused.
fn paused(version: u64) -> Vec<u8> {
    let bytes = Value { wake: None, ..value(version) }.bytes();
    let text = String::from_utf8(bytes).unwrap();
    text.replacen("}\n", ",\"h\":true}\n", 1).into_bytes()
}

#[tokio::test]
async fn a_list_shows_which_tasks_are_paused() {
    let database = Database::migrated().await;
    let listing = Listing::default();
    listing.open(&database.url, "public".into()).unwrap();
    let shown = async || {
        let page = listing.tasks(None, &["pending"], "", "", 10).await.unwrap();
        page.rows.into_iter().map(|row| (row.task, row.paused)).collect::<Vec<_>>()
    };
    upsert(&database.client, &key("a"), &value(1).bytes()).await.unwrap();
    upsert(&database.client, &key("b"), &paused(1)).await.unwrap();
    assert_eq!(shown().await, [("a".into(), false), ("b".into(), true)]);
    upsert(&database.client, &key("a"), &paused(2)).await.unwrap();
    upsert(&database.client, &key("b"), &value(2).bytes()).await.unwrap();
    assert_eq!(shown().await, [("a".into(), true), ("b".into(), false)]);
}

#[tokio::test]
async fn turns_read_whether_a_user_is_paused_as_of_the_last_commit() {
    let database = Database::migrated().await;
    let lookup = lookup(&database);
    let key = format!("reminder-scheduler||UserActor||{}||user", to_actor_id(&user()));
    let at = |ms| Some(Timestamp::from_millis(ms));
    let pause = |from| SkippedPause {
        from: Timestamp::from_millis(SINCE_MS + from),
        until: Timestamp::from_millis(SINCE_MS + from + 1),
    };
    for (version, paused_since, skipped) in [
        (1, at(SINCE_MS), vec![]),
        (2, None, vec![pause(0)]),
        (3, at(SINCE_MS + 2), vec![pause(0)]),
        (4, None, vec![pause(0), pause(2)]),
        (5, None, vec![]),
    ] {
        let state = UserState {
            version,
            updated_at: Timestamp::from_millis(SINCE_MS),
            user_id: user(),
            preferences: Preferences::default(),
            paused_since,
            skipped,
            commands: Vec::new(),
        };
        upsert(&database.client, &key, &encode(&state)).await.unwrap();
        assert_eq!(lookup.preferences(&user()).await.unwrap(), state.known());
    }
    // A replica of the release before this one knows the end of the last one only.
    let line = format!(r#"{{"s":1,"v":6,"u":"{USER}","p":{{}},"t":{SINCE_MS},"k":{SINCE_MS}}}"#);
    upsert(&database.client, &key, format!("{line}\n{{}}").as_bytes()).await.unwrap();
    let known = lookup.preferences(&user()).await.unwrap();
    let until = Timestamp::from_millis(SINCE_MS);
    assert_eq!(known.skipped, [SkippedPause { from: Timestamp::from_millis(0), until }]);
}

#[tokio::test]
async fn open_tasks_are_counted_up_to_the_quota() {
    let database = Database::migrated().await;
    let lookup = lookup(&database);
    let open =
        async |most| lookup.open_tasks(&user(), NonZeroU32::new(most).unwrap()).await.unwrap();
    assert_eq!(open(3).await, 0);
    for (task, status) in [
        ("a", "pending"),
        ("b", "in_progress"),
        ("c", "completed"),
        ("d", "deleted"),
        ("e", "pending"),
    ] {
        let value = Value { status, ..value(1) };
        upsert(&database.client, &key(task), &value.bytes()).await.unwrap();
    }
    assert_eq!((open(2).await, open(3).await, open(9).await), (2, 3, 3));
    let other = Person::parse("other").unwrap();
    assert_eq!(lookup.open_tasks(&other, NonZeroU32::MIN).await.unwrap(), 0);
}
