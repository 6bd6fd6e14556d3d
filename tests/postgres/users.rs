//! The fence of users, `user_index`, and which tasks are found to be outdated.

use crate::support::{Database, Value, damage, eventually, key, refused, unique, upsert, value};
use reminder_contract::user_id::to_actor_id;
use reminder_domain::ids::Person;
use reminder_domain::preferences::Preferences;
use reminder_domain::user::UserState;
use reminder_domain::{TaskId, Timestamp, limits};
use reminder_scheduler::ports::{Progress, Users};
use reminder_scheduler::read_model::{
    Changed, Cursor, FENCED_SQLSTATE, ReadModel, TaskIndex, UNREADABLE_SQLSTATE, UserLookup,
};
use reminder_scheduler::users::record::encode;

/// Whose tasks [`value`] makes.
const USER: &str = "u@example.org";
const CHANGED_MS: i64 = 1_790_000_000_123;

fn person(user: &str) -> Person {
    Person::parse(user).unwrap()
}

fn user_key(user: &str) -> String {
    format!("reminder-scheduler||UserActor||{}||user", to_actor_id(&person(user)))
}

fn user(user: &str, version: u64, zone: &str) -> Vec<u8> {
    encode(&UserState {
        version,
        updated_at: Timestamp::from_millis(CHANGED_MS),
        user_id: person(user),
        preferences: preferences(zone),
        paused_since: None,
        skipped: Vec::new(),
        commands: Vec::new(),
    })
}

fn preferences(zone: &str) -> Preferences {
    serde_json::from_str(&format!(r#"{{"zone":"{zone}"}}"#)).unwrap()
}

async fn put(database: &Database, who: &str, version: u64) {
    upsert(&database.client, &user_key(who), &user(who, version, "UTC")).await.unwrap();
}

async fn put_task(database: &Database, task: &str, value: Value) {
    upsert(&database.client, &key(task), &value.bytes()).await.unwrap();
}

/// Stores a task that has been there for long, at version 2: a new one has no older copy of preferences.
async fn put_old_task(database: &Database, task: &str, value: Value) {
    put_task(database, task, Value { status: "completed", ..value }.at(1)).await;
    put_task(database, task, value.at(2)).await;
}

async fn model() -> (Database, ReadModel) {
    let database = Database::migrated().await;
    let model = ReadModel::new(&database.url, "public".into()).unwrap();
    (database, model)
}

fn lookup(database: &Database) -> UserLookup {
    let lookup = UserLookup::default();
    lookup.open(&database.url, "public".into()).unwrap();
    lookup
}

async fn changed(model: &ReadModel, since_ms: i64) -> Vec<(String, u64)> {
    let since = Timestamp::from_millis(since_ms);
    let mut all: Vec<(String, u64)> = Vec::new();
    loop {
        let after = all.last().map(|(user, _)| person(user));
        let page = model.changed_users(since, after.as_ref(), 2).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page.into_iter().map(|one| (one.user.to_string(), one.version)));
    }
}

#[tokio::test]
async fn versions_of_a_user_follow_one_another() {
    let database = Database::migrated().await;
    let (client, key) = (&database.client, user_key(USER));
    let message = refused(client, &key, &user(USER, 2, "UTC"), FENCED_SQLSTATE).await;
    assert!(message.contains("user u_40example_2eorg is not stored"), "{message}");
    for version in [1, 1, 2, 2, 3] {
        upsert(client, &key, &user(USER, version, "UTC")).await.unwrap();
    }
    for version in [1, 2, 3, 5] {
        let offered = user(USER, version, "Asia/Tokyo");
        let message = refused(client, &key, &offered, FENCED_SQLSTATE).await;
        assert!(message.contains("is at version 3"), "{message}");
    }
    assert_eq!(database.count("SELECT version FROM user_index").await, 3);
}

#[tokio::test]
async fn of_concurrent_first_words_exactly_one_wins() {
    let database = Database::migrated().await;
    let mut writers = Vec::new();
    for zone in ["UTC", "Asia/Tokyo", "Europe/Berlin", "Asia/Seoul", "Africa/Cairo"] {
        let client = database.connect().await;
        let offered = user(USER, 1, zone);
        writers.push(tokio::spawn(async move { upsert(&client, &user_key(USER), &offered).await }));
    }
    let mut won = 0;
    for writer in writers {
        won += usize::from(writer.await.unwrap().is_ok());
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_value_that_is_no_user_is_refused() {
    let database = Database::migrated().await;
    put(&database, USER, 1).await;
    let long = format!(r#"{{"s":1,"v":2,"u":"u","p":{{"a":"{}"}},"t":1}}"#, "x".repeat(32_768));
    for line in [
        "",
        "{}\n{}",
        r#"{"s":1,"v":2,"u":"u","p":{},"t":1}"#,
        "{\"s\":0,\"v\":2,\"u\":\"u\",\"p\":{},\"t\":1}\n{}",
        "{\"s\":1,\"v\":2,\"p\":{},\"t\":1}\n{}",
        "{\"s\":1,\"v\":2,\"u\":\"u\",\"p\":[],\"t\":1}\n{}",
        "{\"s\":1,\"v\":2,\"u\":\"u\",\"t\":1}\n{}",
        "{\"s\":1,\"v\":2,\"u\":\"u\",\"p\":{}}\n{}",
        &format!("{long}\n{{}}"),
    ] {
        for who in [USER, "other"] {
            refused(&database.client, &user_key(who), line.as_bytes(), UNREADABLE_SQLSTATE).await;
        }
    }
    assert_eq!(database.count("SELECT sum(version)::int8 FROM user_index").await, 1);
}

#[tokio::test]
async fn a_damaged_user_is_mended_by_the_version_that_follows_the_index() {
    let database = Database::migrated().await;
    for version in 1..=3 {
        put(&database, USER, version).await;
    }
    let damage = "SET session_replication_role = replica;
                  UPDATE reminder_state SET value = 'damaged';
                  SET session_replication_role = origin";
    database.client.batch_execute(damage).await.unwrap();
    let key = user_key(USER);
    refused(&database.client, &key, &user(USER, 3, "UTC"), FENCED_SQLSTATE).await;
    put(&database, USER, 4).await;
}

#[tokio::test]
async fn the_index_of_users_follows_and_is_read_at_once() {
    let database = Database::migrated().await;
    let lookup = lookup(&database);
    let known = async || lookup.preferences(&person(USER)).await.unwrap();
    assert!(known().await.is_default(), "who never said anything has the defaults");
    for (version, zone) in [(1, "Asia/Tokyo"), (2, "Europe/Berlin")] {
        let offered = user(USER, version, zone);
        upsert(&database.client, &user_key(USER), &offered).await.unwrap();
        let known = known().await;
        assert_eq!((known.version, known.preferences), (version, preferences(zone)));
    }
    assert!(lookup.preferences(&person("other")).await.unwrap().is_default());
    database.client.execute("DELETE FROM reminder_state", &[]).await.unwrap();
    assert!(known().await.is_default());
}

#[tokio::test]
async fn the_longest_id_of_a_user_has_room() {
    let database = Database::migrated().await;
    let many = |text: &str| text.chars().cycle().take(limits::PERSON_MAX_CHARS).collect::<String>();
    // What compresses badly too: the state table's key is indexed.
    let varied: String =
        (0..).filter_map(|n| char::from_u32(0x2_0000 + n * 37)).take(256).collect();
    for id in [many("a"), many("\"\\%_"), many("日本語"), many("😀🦀"), varied] {
        put(&database, &id, 1).await;
        let known = lookup(&database).preferences(&person(&id)).await.unwrap();
        assert_eq!(known.version, 1, "{id}");
    }
}

#[tokio::test]
async fn many_turns_ask_at_the_same_time_and_again_after_a_lost_connection() {
    let database = Database::migrated().await;
    put(&database, USER, 1).await;
    let lookup = std::sync::Arc::new(lookup(&database));
    let ask_all = async || {
        let asked: Vec<_> = (0..200)
            .map(|n| {
                let lookup = std::sync::Arc::clone(&lookup);
                let who = if n % 2 == 0 { USER } else { "other" };
                tokio::spawn(async move { lookup.preferences(&person(who)).await })
            })
            .collect();
        let mut versions = 0;
        for one in asked {
            versions += one.await.unwrap().map_or(0, |known| known.version);
        }
        versions
    };
    assert_eq!(ask_all().await, 100);
    let others = "FROM pg_stat_activity WHERE datname = current_database()
                  AND pid <> pg_backend_pid()";
    assert_eq!(database.count(&format!("SELECT count(*) {others}")).await, 1, "one connection");
    database.count(&format!("SELECT count(pg_terminate_backend(pid)) {others}")).await;
    eventually("it connects anew", async || ask_all().await == 100).await;
}

#[tokio::test]
async fn before_the_database_is_ready_the_lookup_says_so() {
    let error = UserLookup::default().preferences(&person(USER)).await.unwrap_err();
    assert!(error.to_string().contains("not ready"), "{error}");
}

#[tokio::test]
async fn open_tasks_with_an_older_copy_are_outdated() {
    let (database, model) = model().await;
    let lookup = lookup(&database);
    let progress = async || lookup.progress(&person(USER)).await.unwrap();
    let at = |preferences, status| Value { status, preferences, ..value(1) };
    for (task, preferences, status) in [
        ("never", 0, "pending"),
        ("older", 1, "in_progress"),
        ("done", 1, "completed"),
        ("gone", 1, "deleted"),
        ("fresh", 2, "pending"),
    ] {
        put_old_task(&database, task, at(preferences, status)).await;
    }
    assert_eq!(changed(&model, 0).await, [], "nobody said anything");
    assert_eq!(progress().await, Progress { open: 3, outdated: 0 });
    put(&database, USER, 1).await;
    put(&database, "without tasks", 1).await;
    assert_eq!(changed(&model, 0).await, [(USER.to_owned(), 1)]);
    put(&database, USER, 2).await;
    assert_eq!(progress().await, Progress { open: 3, outdated: 2 });

    let of = Changed { user: person(USER), version: 2 };
    let outdated = async || {
        let mut found: Vec<Cursor<i64>> = Vec::new();
        loop {
            let after = found.last().cloned().unwrap_or_default();
            let page = model.outdated_of(&of, &after, 1).await.unwrap();
            let Some(next) = page.into_iter().next() else { break };
            found.push(next);
        }
        found.into_iter().map(|one| one.task).collect::<Vec<_>>()
    };
    assert_eq!(outdated().await, ["never", "older"]);
    // A turn that read the preferences before the change and commits after it.
    put_old_task(&database, "late", at(1, "pending")).await;
    assert_eq!(outdated().await, ["never", "late", "older"]);
    for task in ["never", "late", "older"] {
        put_task(&database, task, Value { preferences: 2, ..value(3) }).await;
    }
    assert_eq!(changed(&model, 0).await, []);
    // Reopened with its old copy.
    put_task(&database, "done", Value { preferences: 1, ..value(3) }).await;
    assert_eq!(outdated().await, ["done"]);
    put_task(&database, "done", Value { preferences: 2, ..value(4) }).await;
    assert_eq!(changed(&model, 0).await, []);
    assert_eq!(progress().await, Progress { open: 5, outdated: 0 });
}

#[tokio::test]
async fn a_user_is_noted_when_a_task_with_an_older_copy_comes_to_be_open() {
    let (database, model) = model().await;
    put(&database, USER, 1).await;
    put(&database, USER, 2).await;
    let old = |version, status| Value { preferences: 1, status, ..value(version) };
    let new = |version, status| Value { preferences: 2, status, ..value(version) };
    for (value, noted, why) in [
        (new(1, "pending"), false, "it is new"),
        (old(2, "pending"), false, "it was open before: no turn leads there"),
        (new(3, "pending"), false, "it follows"),
        (old(4, "completed"), false, "it is done"),
        (old(5, "in_progress"), true, "it is open again"),
        (new(6, "deleted"), false, "it is gone"),
        (new(7, "pending"), false, "it is new and follows"),
        (old(8, "deleted"), false, "it is gone"),
        (old(9, "pending"), true, "it is new again"),
    ] {
        database.client.execute("UPDATE user_index SET behind_at = 'epoch'", &[]).await.unwrap();
        put_task(&database, "a", value).await;
        assert_eq!(!changed(&model, 1).await.is_empty(), noted, "version {}: {why}", value.version);
    }
    // It changes hands, to somebody whose preferences it does not know.
    database.client.execute("UPDATE task_index SET preferences = 2", &[]).await.unwrap();
    put(&database, "heir", 1).await;
    database.client.execute("UPDATE user_index SET behind_at = 'epoch'", &[]).await.unwrap();
    let line = String::from_utf8(Value { preferences: 0, ..value(10) }.bytes()).unwrap();
    let line = line.replace(USER, "heir");
    upsert(&database.client, &key("a"), line.as_bytes()).await.unwrap();
    assert_eq!(changed(&model, 1).await, [("heir".to_owned(), 1)]);
}

#[tokio::test]
async fn a_task_begins_with_the_preferences_that_its_user_has() {
    let database = model().await.0;
    put(&database, USER, 1).await;
    put(&database, USER, 2).await;
    let first = |preferences, status| Value { status, preferences, ..value(1) }.bytes();
    for (task, preferences, status, accepted) in [
        ("older", 1, "pending", false),
        ("none", 0, "in_progress", false),
        // Of a user who was forgotten and began anew, for instance.
        ("newer", 3, "pending", false),
        ("same", 2, "pending", true),
        ("done", 1, "completed", true),
    ] {
        let written = upsert(&database.client, &key(task), &first(preferences, status)).await;
        let code = written.err().map(|(code, _)| code);
        assert_eq!(code.as_deref(), (!accepted).then_some("RS001"), "{task}");
    }
    // Later versions are judged by nobody: the audit brings them up to date.
    put(&database, USER, 3).await;
    let second = Value { preferences: 2, ..value(2) }.bytes();
    upsert(&database.client, &key("same"), &second).await.unwrap();
}

#[tokio::test]
async fn open_tasks_of_an_older_zone_database_are_outdated() {
    let (database, model) = model().await;
    for (task, zone_database, status) in [
        ("b", Some("2025b"), "pending"),
        ("a", Some("2024a"), "in_progress"),
        ("c", Some("2025b"), "pending"),
        ("new", Some("2026a"), "pending"),
        ("done", Some("2024a"), "completed"),
        ("instant", None, "pending"),
    ] {
        put_task(&database, task, Value { status, zone_database, ..value(1) }).await;
    }
    let found = async |current| {
        let mut found: Vec<Cursor<String>> = Vec::new();
        loop {
            let after = found.last().cloned().unwrap_or_default();
            let page = model.outdated_zones(current, &after, 2).await.unwrap();
            if page.is_empty() {
                break found.iter().map(|one| one.task.clone()).collect::<String>();
            }
            found.extend(page);
        }
    };
    assert_eq!(found("2026a").await, "abc");
    assert_eq!(found("2025b").await, "a");
    assert_eq!(found("2024a").await, "");
}

#[tokio::test]
async fn many_users_are_looked_at_in_pages_and_none_is_skipped() {
    let (database, model) = model().await;
    let mut expected = Vec::new();
    for n in 0..7 {
        let (who, task) = (format!("user {n}"), unique("t"));
        put(&database, &who, 1).await;
        put_task(&database, &task, Value { preferences: 0, ..value(1) }).await;
        let sql = "UPDATE task_index SET user_id = $1 WHERE task_id = $2";
        database.client.execute(sql, &[&who, &task]).await.unwrap();
        expected.push((who, 1));
    }
    assert_eq!(changed(&model, 0).await, expected);
}

#[tokio::test]
async fn what_is_outdated_is_found_by_its_indexes() {
    let database = Database::migrated().await;
    for n in 0..200_u64 {
        let task = format!("t{n}");
        let zone_database = Some(if n % 10 == 0 { "2024a" } else { "2025b" });
        let value = Value { preferences: n % 3, zone_database, ..value(1) };
        put_old_task(&database, &task, value).await;
    }
    put(&database, USER, 1).await;
    database
        .client
        .batch_execute("ANALYZE task_index; ANALYZE user_index; SET enable_seqscan = off")
        .await
        .unwrap();
    for (query, index) in [
        (
            "EXPLAIN SELECT preferences, task_id FROM task_index
             WHERE app_id = 'reminder-scheduler' AND user_id = 'u@example.org'
               AND status IN ('pending', 'in_progress') AND preferences < 3
               AND (preferences, task_id) > (0, '') ORDER BY preferences, task_id LIMIT 10",
            "task_index_preferences",
        ),
        (
            "EXPLAIN SELECT zone_database, task_id FROM task_index
             WHERE app_id = 'reminder-scheduler' AND status IN ('pending', 'in_progress')
               AND zone_database IS NOT NULL AND zone_database < '2025b'
               AND (zone_database, task_id) > ('', '') ORDER BY zone_database, task_id LIMIT 10",
            "task_index_zone_database",
        ),
    ] {
        let rows = database.client.query(query, &[]).await.unwrap();
        let plan: String = rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect();
        assert!(plan.contains(index) && !plan.contains("Sort"), "{plan}");
    }
}

#[tokio::test]
async fn whose_a_task_is_is_known_though_its_state_is_damaged() {
    let database = Database::migrated().await;
    put_task(&database, "mine", value(1)).await;
    damage(&database, "mine", b"damaged").await;
    let lookup = lookup(&database);
    let owner = async |task: &str| lookup.owner(&TaskId::parse(task).unwrap()).await.unwrap();
    assert_eq!(owner("mine").await, Some(person(USER)));
    assert_eq!(owner("absent").await, None);
}
