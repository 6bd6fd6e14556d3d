//! A read model as it is after years: most tasks are done, some are far away, few are near.

use reminder_contract::names::APP_ID;
use reminder_domain::time::zone_database;
use tokio_postgres::Client;

/// Tasks per user, but for one user who has far more.
const TASKS_PER_USER: u64 = 20;
/// Of so many tasks, one is the busy user's.
const BUSY_USER_EVERY: u64 = 100;
/// Runs of a process that committed something.
pub(crate) const EPOCHS: u64 = 200;
/// The first of them; like real ones they have as many digits as each other.
pub(crate) const FIRST_EPOCH: u64 = 1_000_000_000_000_000_000;

/// The user with the most tasks.
pub(crate) const BUSY_USER: &str = "u0@example.org";

/// How many users have so many tasks.
pub(crate) fn users(rows: u64) -> u64 {
    (rows / TASKS_PER_USER).max(1)
}

/// Fills the tables of a migrated database, past their triggers.
///
/// Of 20 tasks 13 are completed, one is deleted and six are open. Most of these wake within a year;
/// one in 300 of all within the hour, one in 10,000 is overdue. One in 997 follows older preferences.
pub(crate) async fn fill(client: &Client, rows: u64) {
    let users = users(rows);
    let zone = zone_database();
    let sql = format!(
        "SET session_replication_role = replica;
         INSERT INTO user_index (app_id, user_id, version, preferences, updated_at, behind_at)
         SELECT '{APP_ID}', 'u' || n || '@example.org', 2 + n % 3, '{{}}', now(),
                now() - n % 10000 * interval '1 minute'
         FROM generate_series(0, {users} - 1) AS n;
         INSERT INTO task_index
         SELECT '{APP_ID}', 't' || n, 'u' || u || '@example.org',
                CASE WHEN n % 20 < 13 THEN 'completed' WHEN n % 20 = 13 THEN 'deleted'
                     WHEN n % 20 = 14 THEN 'in_progress' ELSE 'pending' END,
                CASE WHEN n % 20 < 14 THEN NULL
                     WHEN n % 10000 = 15 THEN now() - interval '1 minute'
                     WHEN n % 300 = 17 THEN now() + n % 3600 * interval '1 second'
                     ELSE now() + interval '1 hour'
                          + (n * 7919 % 31536000) * interval '1 second' END,
                ({FIRST_EPOCH} + n * {EPOCHS} / {rows})::text, n + 1, 1 + n % 9, 1, now(),
                2 + u % 3 - CASE WHEN n % 997 = 0 THEN 1 ELSE 0 END, '{zone}'
         FROM (SELECT n, CASE WHEN n % {BUSY_USER_EVERY} = 19 THEN 0
                              ELSE n * 7919 % {users} END AS u
               FROM generate_series(0::bigint, {rows} - 1) AS n) AS numbered;
         SET session_replication_role = origin;"
    );
    client.batch_execute(&sql).await.unwrap();
    client.batch_execute("VACUUM ANALYZE").await.unwrap();
}
