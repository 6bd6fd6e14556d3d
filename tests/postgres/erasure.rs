//! What is kept of a user beside tasks goes, and the request last of all.

use crate::support::{Database, Value, key, refused, upsert, value};
use reminder_contract::names::APP_ID;
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use reminder_scheduler::ports::Users;
use reminder_scheduler::read_model::{
    ErasureTable, Erasures, FENCED_SQLSTATE, Finding, FindingKind, ReadModel, Search,
    TaskIndex as _, UnderWay, UserLookup,
};
use reminder_scheduler::turn::record::UnreadableState;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::types::ToSql;

/// Whose the tasks of [`value`] are.
const USER: &str = "u@example.org";

fn user() -> Person {
    Person::parse(USER).unwrap()
}

fn erasures(database: &Database) -> (Arc<ReadModel>, Erasures) {
    let model = Arc::new(ReadModel::new(&database.url, "public".into()).unwrap());
    (Arc::clone(&model), Erasures::new(model, "reminder_state"))
}

/// A dead letter about a task, with this value.
async fn letter(database: &Database, task: &str, value: &str) {
    let sql = "INSERT INTO dead_letter (app_id, topic, identity, headers, value, reason, task_id)
               VALUES ($1, 'reminders-dlq', $2, '{}', $3, 'failed', $4)";
    let identity = format!("{task}:{value}");
    let value = value.as_bytes();
    database.client.execute(sql, &[&APP_ID, &identity, &value, &task]).await.unwrap();
}

/// The actor of [`USER`].
const ACTOR: &str = "u_40example_2eorg";

fn user_key(actor: &str) -> String {
    format!("{APP_ID}||UserActor||{actor}||user")
}

/// What a user prefers, as the service stores it.
fn preferring(user: &str, version: u64) -> Vec<u8> {
    let rest = r#""p":{"zone":"Asia/Tokyo"},"t":1790000000123}"#;
    format!("{{\"s\":1,\"v\":{version},\"u\":\"{user}\",{rest}\n{{}}").into_bytes()
}

/// Says what a user prefers, for the first time.
async fn prefer(database: &Database, user: &str, actor: &str) {
    upsert(&database.client, &user_key(actor), &preferring(user, 1)).await.unwrap();
}

#[tokio::test]
async fn a_request_is_kept_once_and_tells_what_is_there() {
    let database = Database::migrated().await;
    let (model, table) = erasures(&database);
    for id in ["b", "a", "c"] {
        upsert(&database.client, &key(id), &value(1).bytes()).await.unwrap();
    }
    assert_eq!(model.erasure(&user()).await.unwrap().requested_ms, None);
    assert_eq!(table.under_way(9).await.unwrap(), UnderWay::default());
    for _ in 0..2 {
        model.request_erasure(&user()).await.unwrap();
    }
    let requests = table.under_way(9).await.unwrap().requests;
    assert_eq!(requests.iter().map(|one| &one.user).collect::<Vec<_>>(), [&user()]);
    let ago = "UPDATE erasure SET requested_at = now() - interval '1 hour'";
    database.client.execute(ago, &[]).await.unwrap();
    let oldest = table.under_way(9).await.unwrap().oldest.as_secs();
    assert!((3_600..3_660).contains(&oldest), "{oldest}");
    let page = table.tasks_of(&user(), "", 2).await.unwrap();
    let rest = table.tasks_of(&user(), page[1].as_str(), 2).await.unwrap();
    let ids: Vec<&str> = page.iter().chain(&rest).map(TaskId::as_str).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    table.erased(&user(), &page).await.unwrap();
    let progress = model.erasure(&user()).await.unwrap();
    assert!(progress.requested_ms.is_some());
    assert_eq!((progress.erased, progress.tasks), (2, 3), "the rows follow the states");
}

#[tokio::test]
async fn everything_beside_tasks_goes_and_nothing_of_others() {
    let database = Database::migrated().await;
    let (model, table) = erasures(&database);
    prefer(&database, USER, ACTOR).await;
    prefer(&database, "v@example.org", "v_40example_2eorg").await;
    for (who, reason) in [(USER, "asked for silence"), ("v@example.org", "likewise")] {
        model.stop_firing(Some(&Person::parse(who).unwrap()), reason).await.unwrap();
    }
    letter(&database, "mine", "a title").await;
    letter(&database, "other", &format!(r#"{{"userId":"{USER}"}}"#)).await;
    letter(&database, "other", "of somebody else").await;
    let mine = TaskId::parse("mine").unwrap();
    let task = Value { preferences: 1, ..value(1) };
    upsert(&database.client, &key("mine"), &task.bytes()).await.unwrap();
    assert!(model.park(&mine, &UnreadableState::Damaged("a title".into())).await.unwrap());

    let finding =
        |task: &TaskId| Finding { kind: FindingKind::Settled, task: Some(task.clone()), tasks: 1 };
    let other = TaskId::parse("other").unwrap();
    model.note_findings(&[finding(&mine), finding(&other)]).await.unwrap();

    table.erased(&user(), &[mine]).await.unwrap();
    assert!(table.forget(&user()).await.unwrap());
    assert!(!table.forget(&user()).await.unwrap(), "nothing was left");
    for (table, left) in [
        ("user_index", 1),
        ("firing_stop", 1),
        ("dead_letter", 1),
        ("task_parked", 0),
        ("audit_finding", 1),
    ] {
        let count = database.count(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(count, left, "{table}");
    }
    let users = "SELECT count(*) FROM reminder_state WHERE key LIKE '%||UserActor||%'";
    assert_eq!(database.count(users).await, 1);
}

#[tokio::test]
async fn letters_that_name_the_user_go_and_none_that_only_look_so() {
    let database = Database::migrated().await;
    let (_, table) = erasures(&database);
    let sql = "INSERT INTO dead_letter (app_id, topic, identity, message_key, headers, value, reason, detail)
               VALUES ($1, 'reminders-dlq', $2, $3, ($4::text)::jsonb, $5, 'failed', $6)";
    let large = format!(r#"{{"text":"{}","by":"Zo\u00eb 42"}}"#, "x".repeat(3 * 1024 * 1024));
    let escaped = r#"{"userId":"Zo\u00eb 42"}"#;
    for (name, key, headers, value, detail) in [
        ("gone-1", None, "{}", escaped, None),
        ("gone-2", None, "{}", large.as_str(), None),
        ("gone-3", None, "{}", r#"{"userId":"Zoë 42"}"#, None),
        ("gone-4", Some("Zoë 42"), "{}", "", None),
        ("gone-5", None, r#"{"by":"Zoë 42"}"#, "", None),
        ("gone-6", None, "{}", "", Some("nothing of Zoë 42, sorry")),
        ("gone-7", None, "{}", "to Zoë 42: no JSON", None),
        (
            "kept-1",
            Some("xZoë 42"),
            r#"{"by":"Zoë 421"}"#,
            r#"{"title":"Zoë 42!"}"#,
            Some("Zoë 42nd"),
        ),
        ("kept-2", None, "{}", &large.replace("42", "43"), None),
        ("kept-3", None, "{}", r#"{"userId":"Zo\u00eb 4"}"#, None),
        ("kept-4", None, r#"{"failedby":"Zoë 42","reason":"Zoë 42"}"#, "", None),
    ] {
        let value = value.as_bytes();
        let parameters: [&(dyn ToSql + Sync); 6] =
            [&APP_ID, &name, &key, &headers, &value, &detail];
        database.client.execute(sql, &parameters).await.unwrap();
    }
    let user = Person::parse("Zoë 42").unwrap();
    assert!(table.forget(&user).await.unwrap());
    assert!(!table.forget(&user).await.unwrap(), "nothing was left");
    let kept = "SELECT identity FROM dead_letter ORDER BY id";
    let kept = database.client.query(kept, &[]).await.unwrap();
    let kept: Vec<&str> = kept.iter().map(|row| row.get(0)).collect();
    assert_eq!(kept, ["kept-1", "kept-2", "kept-3", "kept-4"]);
}

/// A process may remember the preferences of the earlier life by their version.
#[tokio::test]
async fn the_next_life_of_a_user_begins_above_every_version_that_was_given() {
    let database = Database::migrated().await;
    let (_, table) = erasures(&database);
    let lookup = UserLookup::default();
    lookup.open(&database.url, "public".into()).unwrap();
    let other = Person::parse("v@example.org").unwrap();
    let gone = async |user: &Person| lookup.gone(user).await.unwrap();
    assert_eq!((gone(&user()).await, gone(&other).await), (0, 0));
    let (client, key_of_user) = (&database.client, user_key(ACTOR));
    for version in 1..=3 {
        upsert(client, &key_of_user, &preferring(USER, version)).await.unwrap();
    }
    assert!(table.forget(&user()).await.unwrap());
    assert_eq!((gone(&user()).await, gone(&other).await), (3, 3), "whose it was is not kept");
    for version in [1, 3, 5] {
        let offered = preferring(USER, version);
        let message = refused(client, &key_of_user, &offered, FENCED_SQLSTATE).await;
        assert!(message.contains("the first version is 4"), "{message}");
    }
    upsert(client, &key_of_user, &preferring(USER, 4)).await.unwrap();
    let task = |preferences| Value { preferences, ..value(1) }.bytes();
    for remembered in [1, 3] {
        refused(client, &key("a"), &task(remembered), FENCED_SQLSTATE).await;
    }
    upsert(client, &key("a"), &task(4)).await.unwrap();

    // A version that was lower takes nothing back, and a row of the index that was left over counts as well.
    upsert(client, &user_key("v_40example_2eorg"), &preferring(other.as_str(), 4)).await.unwrap();
    let lost = "SET session_replication_role = replica;
                DELETE FROM reminder_state WHERE key LIKE '%||UserActor||v%';
                SET session_replication_role = origin;
                UPDATE user_index SET version = 9 WHERE user_id = 'v@example.org'";
    client.batch_execute(lost).await.unwrap();
    assert_eq!((gone(&user()).await, gone(&other).await), (4, 9));
    let sql = "DELETE FROM user_index WHERE user_id = 'v@example.org'";
    client.execute(sql, &[]).await.unwrap();
    assert!(table.forget(&user()).await.unwrap());
    assert_eq!(gone(&user()).await, 9);
}

#[tokio::test]
async fn a_request_goes_once_nothing_was_found_for_a_while() {
    let database = Database::migrated().await;
    let (model, table) = erasures(&database);
    let (user, long, none) = (user(), Duration::from_secs(60), Duration::ZERO);
    let lately = Duration::from_secs(5);
    model.request_erasure(&user).await.unwrap();
    assert!(!table.settled(&user, false, none, lately).await.unwrap(), "something was found");
    assert!(!table.settled(&user, true, long, lately).await.unwrap(), "just now");
    assert!(
        !table.settled(&user, false, none, lately).await.unwrap(),
        "and then something was found"
    );
    let clean = "SELECT count(*) FROM erasure WHERE clean_since IS NULL";
    assert_eq!(database.count(clean).await, 1, "so the time begins anew");
    // The look before was some time ago, which says nothing, unless looks take so long.
    let since = "UPDATE erasure SET clean_since = now() - interval '50 s', looked_at = now() - interval '20 s'";
    for (lately, kept) in [(lately, 0), (long, 1)] {
        database.client.batch_execute(since).await.unwrap();
        assert!(!table.settled(&user, true, long, lately).await.unwrap());
        let old = "SELECT count(*) FROM erasure WHERE clean_since < now() - interval '40 s'";
        assert_eq!(database.count(old).await, kept);
    }
    assert!(table.settled(&user, true, none, lately).await.unwrap());
    assert_eq!(database.count("SELECT count(*) FROM erasure").await, 0);
    assert!(!table.settled(&user, true, none, lately).await.unwrap(), "once");
}

/// A stored task with this text in its document.
async fn task_with(database: &Database, id: &str, document: &str) {
    let line = String::from_utf8(value(1).bytes()).unwrap().lines().next().unwrap().to_owned();
    let stored = format!("{line}\n{document}");
    upsert(&database.client, &key(id), stored.as_bytes()).await.unwrap();
}

/// Page by page, in whatever order the table's collation has.
#[tokio::test]
async fn tasks_that_name_a_user_are_found_and_no_others() {
    let database = Database::migrated().await;
    let (_, table) = erasures(&database);
    let named = [
        ("Assigned-1", r#"{"assignee":"a\"d\\é@example.org"}"#),
        ("asked_2", r#"{"createdBy":"a\"d\\é@example.org"}"#),
        ("pending3", r#"{"pending":[{"userId":"a\"d\\é@example.org"}]}"#),
    ];
    let others = [
        ("b-1", r#"{"assignee":"xa\"d\\é@example.org"}"#),
        ("b-2", r#"{"title":"\"assignee\":\"a\\\"d"}"#),
        ("b-3", r#"{"title":"a\"d\\é@example.org"}"#),
        ("b-4", "{}"),
    ];
    for (id, document) in named.iter().chain(&others) {
        task_with(&database, id, document).await;
    }
    // A user's row names the user, and is no task.
    prefer(&database, "someone@example.org", "someone_40example_2eorg").await;
    let user = Person::parse("a\"d\\é@example.org").unwrap();
    let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = table.naming(&user, &after, 3).await.unwrap();
        found.extend(page.tasks.iter().map(ToString::to_string));
        pages += 1;
        match page.last {
            Some(last) => after = last,
            None => break,
        }
    }
    assert!(pages >= 3, "{pages}");
    found.sort_unstable();
    assert_eq!(found, ["Assigned-1", "asked_2", "pending3"]);
}

#[tokio::test]
async fn how_far_a_search_is_outlives_whoever_searches_and_a_request_begins_it_anew() {
    let database = Database::migrated().await;
    let (model, table) = erasures(&database);
    let asked = async || {
        model.request_erasure(&user()).await.unwrap();
        table.under_way(9).await.unwrap().requests.remove(0)
    };
    let first = asked().await;
    assert_eq!(table.search(&user()).await.unwrap(), Search::default());
    let search = Search { after: "some key".into(), found: true, over: false };
    table.searched(&first, &search).await.unwrap();
    assert_eq!(erasures(&database).1.search(&user()).await.unwrap(), search);
    let over = Search { over: true, ..Search::default() };
    table.searched(&first, &over).await.unwrap();
    assert!(table.search(&user()).await.unwrap().over);
    let again = asked().await;
    assert!(again.number != first.number, "{again:?}");
    assert_eq!(table.search(&user()).await.unwrap(), Search::default());
    // Whoever searches has not heard of it yet, or its note was on its way.
    table.searched(&first, &over).await.unwrap();
    assert_eq!(table.search(&user()).await.unwrap(), Search::default());
    table.searched(&again, &over).await.unwrap();
    assert!(table.search(&user()).await.unwrap().over);
    // The row goes, and comes anew.
    assert!(table.settled(&user(), true, Duration::ZERO, Duration::from_secs(5)).await.unwrap());
    let later = asked().await;
    assert!(later.number != again.number && later.number != first.number, "{later:?}");
}
