//! The migration at start: patient, safe from many replicas at once, clear when refused.

use crate::support::{Database, TABLE, eventually, key, migrate, refused, unique, upsert, value};
use reminder_scheduler::read_model::{FENCED_SQLSTATE, MigrateError, migrate_within};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn eight_replicas_migrate_at_once() {
    const REPLICAS: usize = 8;
    let database = Database::with_table().await;
    let replicas: Vec<_> = (0..REPLICAS)
        .map(|_| {
            let url = database.url.clone();
            tokio::spawn(async move { migrate(&url).await })
        })
        .collect();
    let mut runs = 0;
    for replica in replicas {
        runs += usize::from(!replica.await.unwrap().unwrap().applied.is_empty());
    }
    assert_eq!(runs, 1, "one migrates, the others find it done");
    assert_eq!(database.count("SELECT count(*) FROM reminder_migrations").await, 17);
}

#[tokio::test]
async fn a_second_migration_changes_nothing() {
    let database = Database::with_table().await;
    let first = database.migrate().await.unwrap();
    let all = [
        "0001_fence_and_task_index",
        "0002_audit",
        "0003_users",
        "0004_operations",
        "0005_restore",
        "0006_canary",
        "0007_dead_letters",
        "0008_lists",
        "0009_topic_watch",
        "0010_pause",
        "0011_retention",
        "0012_erasure",
        "0013_erasure_search",
        "0014_audit_findings",
        "0015_user_births",
        "0016_erasure_request",
        "0017_skipped_pauses",
    ];
    assert_eq!(first.applied, all);
    assert_eq!(first.schema, "public");
    let catalog = "SELECT string_agg(xmin::text || oid::text, ' ' ORDER BY oid) FROM pg_trigger";
    let before: String = database.client.query_one(catalog, &[]).await.unwrap().get(0);
    assert!(database.migrate().await.unwrap().applied.is_empty());
    let after: String = database.client.query_one(catalog, &[]).await.unwrap().get(0);
    assert_eq!(before, after);
}

#[tokio::test]
async fn it_waits_for_the_table_that_dapr_creates() {
    let database = Database::empty().await;
    let told = Arc::new(Mutex::new(Vec::<String>::new()));
    let (url, tell) = (database.url.clone(), Arc::clone(&told));
    let migration = tokio::spawn(async move {
        let tell = |reason: &str| tell.lock().unwrap().push(reason.to_owned());
        migrate_within(&url, TABLE, crate::support::DEADLINE, &tell).await
    });
    eventually("it says what it waits for", async || !told.lock().unwrap().is_empty()).await;
    assert!(!migration.is_finished());
    database.create_table().await;
    migration.await.unwrap().unwrap();
    assert!(told.lock().unwrap()[0].contains("the table reminder_state"), "{told:?}");
    refused(&database.client, &key("a"), &value(2).bytes(), FENCED_SQLSTATE).await;
}

#[tokio::test]
async fn it_waits_for_a_long_transaction_without_blocking_writers_for_long() {
    let database = Database::with_table().await;
    let mut writer = database.connect().await;
    let transaction = writer.transaction().await.unwrap();
    let write = "INSERT INTO reminder_state (key, value) VALUES ('other', '')";
    transaction.execute(write, &[]).await.unwrap();
    let told = Arc::new(Mutex::new(Vec::<String>::new()));
    let (url, tell) = (database.url.clone(), Arc::clone(&told));
    let migration = tokio::spawn(async move {
        let tell = |reason: &str| tell.lock().unwrap().push(reason.to_owned());
        migrate_within(&url, TABLE, crate::support::DEADLINE, &tell).await
    });
    eventually("it gives the lock up", async || !told.lock().unwrap().is_empty()).await;
    transaction.commit().await.unwrap();
    migration.await.unwrap().unwrap();
    assert!(told.lock().unwrap()[0].starts_with("a lock"), "{told:?}");
}

#[tokio::test]
async fn it_waits_for_a_server_and_gives_up_when_told_to() {
    // Bound and dropped: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://app:s3cr3t@127.0.0.1:{port}/reminders");
    let told = Mutex::new(Vec::new());
    let tell = |reason: &str| told.lock().unwrap().push(reason.to_owned());
    let error = migrate_within(&url, TABLE, SHORT, &tell).await.unwrap_err();
    assert!(matches!(error, MigrateError::GaveUp { .. }), "{error}");
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1, "once while the reason lasts: {told:?}");
    assert!(told[0].contains(&format!("Postgres at 127.0.0.1:{port}")), "{told:?}");
    assert!(told[0].contains("refused") && !told[0].contains("s3cr3t"), "{told:?}");
}

#[tokio::test]
async fn a_missing_right_is_named_with_the_grant_that_gives_it() {
    let database = Database::with_table().await;
    let role = unique("app");
    let sql = format!("CREATE ROLE {role} LOGIN PASSWORD 'p'");
    database.client.batch_execute(&sql).await.unwrap();
    let url = database.url_as(&role, "p");
    for right in ["CREATE ON SCHEMA public", "TRIGGER ON public.reminder_state"] {
        let error = migrate(&url).await.unwrap_err();
        assert!(matches!(error, MigrateError::MissingRight { .. }), "{error}");
        let text = error.to_string();
        let grant = format!("GRANT {right} TO {role}");
        assert!(text.contains(&format!("role {role} has no {right}")), "{text}");
        assert!(text.ends_with(&grant), "{text}");
        // The advice must be good.
        database.client.batch_execute(&grant).await.unwrap();
    }
    migrate(&url).await.unwrap();
    refused(&database.client, &key("a"), &value(2).bytes(), FENCED_SQLSTATE).await;
    upsert(&database.client, &key("a"), &value(1).bytes()).await.unwrap();
}

#[tokio::test]
async fn a_role_that_may_only_look_finds_a_migrated_database_ready() {
    let database = Database::migrated().await;
    let role = unique("reader");
    let sql = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'p';
         GRANT SELECT ON reminder_migrations, task_restore, retention TO {role}"
    );
    database.client.batch_execute(&sql).await.unwrap();
    assert!(migrate(&database.url_as(&role, "p")).await.unwrap().applied.is_empty());
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_refused_by_name() {
    let database = Database::with_table().await;
    let error = migrate(&database.url_as("nobody_at_all", "s3cr3t")).await.unwrap_err();
    assert!(matches!(error, MigrateError::Refused { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("nobody_at_all") && !text.contains("s3cr3t"), "{text}");
}

#[tokio::test]
async fn a_migration_changed_after_it_was_applied_is_noticed() {
    let database = Database::migrated().await;
    let sql = "UPDATE reminder_migrations SET checksum = 'of another file'";
    database.client.batch_execute(sql).await.unwrap();
    let error = database.migrate().await.unwrap_err();
    assert!(matches!(error, MigrateError::Changed { .. }), "{error}");
    assert!(error.to_string().contains("0001_fence_and_task_index"), "{error}");
}

#[tokio::test]
async fn a_fence_that_went_with_its_table_is_put_back() {
    let database = Database::migrated().await;
    upsert(&database.client, &key("a"), &value(1).bytes()).await.unwrap();
    for damage in [
        "DROP TABLE reminder_state",
        "ALTER TABLE reminder_state DISABLE TRIGGER task_fence_update",
        "DROP TRIGGER task_fence_insert ON reminder_state",
    ] {
        database.client.batch_execute(damage).await.unwrap();
        if damage.starts_with("DROP TABLE") {
            database.create_table().await;
        }
        assert_eq!(database.migrate().await.unwrap().applied.len(), 17, "{damage}");
        refused(&database.client, &key("b"), &value(2).bytes(), FENCED_SQLSTATE).await;
        upsert(&database.client, &key("a"), &value(1).bytes()).await.unwrap();
        let version = "SELECT version FROM task_index WHERE task_id = 'a'";
        assert_eq!(database.count(version).await, 1, "{damage}");
    }
    let sql = "UPDATE reminder_state SET value = convert_to('{}', 'UTF8')";
    assert!(database.client.batch_execute(sql).await.is_err(), "the update trigger is back on");
}

#[tokio::test]
async fn a_table_that_is_gone_is_put_back() {
    let database = Database::migrated().await;
    let sql = "SELECT tablename::text FROM pg_tables
               WHERE schemaname = 'public' AND tablename NOT IN ('reminder_state', 'reminder_migrations')";
    let tables = database.client.query(sql, &[]).await.unwrap();
    assert_eq!(tables.len(), 14);
    for table in tables.iter().map(|row| row.get::<_, String>(0)) {
        let drop = format!("DROP TABLE {table} CASCADE");
        database.client.batch_execute(&drop).await.unwrap();
        assert_eq!(database.migrate().await.unwrap().applied.len(), 17, "{table}");
        let there = format!("SELECT count(to_regclass('{table}'))");
        assert_eq!(database.count(&there).await, 1, "{table}");
    }
    assert!(database.migrate().await.unwrap().applied.is_empty());
}

/// By an upgrade, whose own file says nothing of the fence.
#[tokio::test]
async fn a_fence_that_is_gone_is_put_back_by_a_start_that_has_something_due_as_well() {
    let database = Database::migrated().await;
    let due = "DELETE FROM reminder_migrations WHERE number = 14";
    for damage in [
        "DROP TABLE reminder_state",
        "ALTER TABLE reminder_state DISABLE TRIGGER task_fence_update",
        "DROP TRIGGER user_fence_insert ON reminder_state",
    ] {
        database.client.batch_execute(&format!("{due}; {damage}")).await.unwrap();
        if damage.starts_with("DROP TABLE") {
            database.create_table().await;
        }
        assert_eq!(database.migrate().await.unwrap().applied.len(), 17, "{damage}");
        let missing = "SELECT 6 - count(*) FROM pg_trigger
                       WHERE tgrelid = 'reminder_state'::regclass AND tgname LIKE '%\\_fence\\_%'
                         AND tgenabled = 'O'";
        assert_eq!(database.count(missing).await, 0, "{damage}");
        refused(&database.client, &key("b"), &value(2).bytes(), FENCED_SQLSTATE).await;
    }
    // Where it stands, no more than what is due is run.
    database.client.batch_execute(due).await.unwrap();
    assert_eq!(database.migrate().await.unwrap().applied, ["0014_audit_findings"]);
}

#[tokio::test]
async fn the_table_may_be_in_a_schema_of_its_own() {
    let database = Database::with_table().await;
    let sql = "CREATE SCHEMA app; ALTER TABLE reminder_state SET SCHEMA app";
    database.client.batch_execute(sql).await.unwrap();
    let done = migrate_within(&database.url, "app.reminder_state", SHORT * 10, &|_| {}).await;
    assert_eq!(done.unwrap().schema, "app");
    database.client.batch_execute("SET search_path = app").await.unwrap();
    upsert(&database.client, &key("a"), &value(1).bytes()).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM app.task_index").await, 1);
}

#[tokio::test]
async fn a_version_that_was_rolled_back_leaves_the_newer_migrations_alone() {
    let database = Database::migrated().await;
    let newer =
        "INSERT INTO reminder_migrations (number, name, checksum) VALUES (99, 'newer', 'x')";
    database.client.batch_execute(newer).await.unwrap();
    assert_eq!(database.migrate().await.unwrap().applied, [""; 0]);
    let known = "SELECT count(*) FROM reminder_migrations WHERE number = 99";
    assert_eq!(database.count(known).await, 1);
    // The table is made anew: what the newer version had on it went as well, and it must know.
    database.client.batch_execute("DROP TABLE reminder_state").await.unwrap();
    database.create_table().await;
    assert!(!database.migrate().await.unwrap().applied.is_empty());
    assert_eq!(database.count(known).await, 0);
}
