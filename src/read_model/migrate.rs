//! Installs the fence and the read model at start: safe from every replica at once, and patient.
//!
//! Our own few lines and not `refinery`: it reads what is applied without any lock, so replicas
//! that start together run a migration twice and one of them fails; it knows neither waiting for
//! somebody else's table nor naming a missing right nor noticing that a trigger went with the table
//! it was on; and it brings a dozen crates. What it does well, checksums, takes one line here.

use super::connect::Server;
use super::error::{MigrateError, Obstacle};
use super::state_table::StateTable;
use super::waiting::Waiting;
use super::{restored, retention};
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::Transaction;

/// A file of `migrations/`. Each may be run again.
pub(super) struct Migration {
    pub(super) number: i32,
    pub(super) name: &'static str,
    pub(super) template: &'static str,
}

/// Each by its number and its file.
macro_rules! migrations {
    ($($number:literal = $name:literal;)*) => {
        pub(super) const MIGRATIONS: &[Migration] = &[$(Migration {
            number: $number,
            name: $name,
            template: include_str!(concat!("../../migrations/", $name, ".sql")),
        },)*];
    };
}

migrations! {
    1 = "0001_fence_and_task_index";
    2 = "0002_audit";
    3 = "0003_users";
    4 = "0004_operations";
    5 = "0005_restore";
    6 = "0006_canary";
    7 = "0007_dead_letters";
    8 = "0008_lists";
    9 = "0009_topic_watch";
    10 = "0010_pause";
    11 = "0011_retention";
    12 = "0012_erasure";
    13 = "0013_erasure_search";
    14 = "0014_audit_findings";
    15 = "0015_user_births";
    16 = "0016_erasure_request";
    17 = "0017_skipped_pauses";
}

/// What must be on the state table for the fence to stand.
pub(super) const TRIGGERS: &[&str] = &[
    "task_fence_insert",
    "task_fence_update",
    "task_fence_delete",
    "user_fence_insert",
    "user_fence_update",
    "user_fence_delete",
];

/// Serialises the replicas' migrations; the letters "reminder".
const ADVISORY_LOCK: i64 = 0x7265_6d69_6e64_6572;
/// How long a statement waits for a lock. Short: while it waits for the state table's lock, every
/// write to the table waits behind it.
const LOCK_TIMEOUT_MS: u32 = 3_000;
/// How long a statement may take, waiting included.
const STATEMENT_TIMEOUT_MS: u32 = 60_000;
/// How long one attempt may take before the connection is taken for dead.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(90);
/// `CREATE OR REPLACE TRIGGER` came with Postgres 14.
const SERVER_VERSION_MIN: i32 = 140_000;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema of the state table and, beside it, of `task_index`.
    pub schema: String,
    /// The migrations that were run now; none when another replica or an earlier start did.
    pub applied: Vec<&'static str>,
    /// The incarnation that everything goes on in since a backup was last restored.
    pub incarnation: u32,
    /// The incarnation in which tasks are born since the last purge.
    pub births: u32,
}

/// Installs what is missing of the fence and the read model.
///
/// Waits as long as it takes for Postgres and for the table that Dapr's sidecar creates, and says
/// through `waiting_for` what for, whenever that changes; the text completes "waiting for …".
/// Dropping the future cancels it: nothing is left half done.
///
/// # Errors
/// [`MigrateError`] for what will not pass by waiting.
pub async fn migrate(
    database_url: &str,
    state_table: &str,
    waiting_for: &(dyn Fn(&str) + Sync),
) -> Result<Migrated, MigrateError> {
    migrate_within(database_url, state_table, Duration::MAX, waiting_for).await
}

/// As [`migrate`], but waits no longer than `patience`.
///
/// # Errors
/// [`MigrateError`] for what will not pass by waiting, and when `patience` is over.
pub async fn migrate_within(
    database_url: &str,
    state_table: &str,
    patience: Duration,
    waiting_for: &(dyn Fn(&str) + Sync),
) -> Result<Migrated, MigrateError> {
    let state_table = StateTable::parse(state_table)?;
    let server = Server::parse(database_url)?;
    let deadline = Instant::now().checked_add(patience);
    let mut waiting = Waiting::new(waiting_for);
    loop {
        let attempt = tokio::time::timeout(ATTEMPT_DEADLINE, attempt(&server, &state_table));
        let reason = match attempt.await {
            Ok(Ok(done)) => {
                tracing::info!(schema = done.schema, applied = ?done.applied, "database is ready");
                return Ok(done);
            }
            Ok(Err(Obstacle::Final(error))) => return Err(*error),
            Ok(Err(Obstacle::Passing(reason))) => reason,
            Err(_) => "Postgres to answer the migration's statements".to_owned(),
        };
        let next = Instant::now() + waiting.note(reason);
        if deadline.is_some_and(|deadline| deadline <= next) {
            let waited = waiting.elapsed();
            return Err(MigrateError::GaveUp { waited, reason: waiting.into_reason() });
        }
        tokio::time::sleep_until(next).await;
    }
}

async fn attempt(server: &Server, state_table: &StateTable) -> Result<Migrated, Obstacle> {
    let mut client = server.connect().await?;
    let transaction = client.transaction().await?;
    // The lock is the transaction's, so that it also holds behind a pooler and cannot be left over.
    transaction
        .batch_execute(&format!(
            "SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}; \
             SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}; \
             SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"
        ))
        .await?;
    let target = Target::find(&transaction, state_table).await?;
    let mut applied = due(&transaction, &target).await?;
    if !applied.is_empty() {
        target.check_rights(&transaction).await?;
        run(&transaction, &target, &applied).await?;
    }
    // Only now: what was due may have made what was never there.
    if target.misses_triggers(&transaction).await? || target.misses_tables(&transaction).await? {
        target.check_rights(&transaction).await?;
        restore(&transaction, &target).await?;
        applied = MIGRATIONS.iter().collect();
    }
    let incarnation = restored::incarnation(&transaction, &target.schema).await?;
    let births = retention::births(&transaction, &target.schema).await?;
    transaction.commit().await?;
    let applied = applied.iter().map(|file| file.name).collect();
    Ok(Migrated { schema: target.schema, applied, incarnation, births })
}

/// The state table, found.
struct Target {
    oid: u32,
    /// Its schema, quoted for SQL.
    schema: String,
    /// Schema and table, quoted for SQL.
    table: String,
}

impl Target {
    async fn find(transaction: &Transaction<'_>, table: &StateTable) -> Result<Self, Obstacle> {
        let row = transaction
            .query_one(
                "SELECT current_setting('server_version_num')::int4, current_setting('server_version')",
                &[],
            )
            .await?;
        if row.get::<_, i32>(0) < SERVER_VERSION_MIN {
            return Err(MigrateError::ServerTooOld { found: row.get(1) }.into());
        }
        let row = transaction
            .query_opt(
                "SELECT c.oid, quote_ident(n.nspname), quote_ident(c.relname)
                 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.oid = to_regclass($1)",
                &[&table.as_str()],
            )
            .await?;
        let Some(row) = row else {
            return Err(Obstacle::Passing(format!(
                "the table {table}, which Dapr's sidecar creates when it loads the state store"
            )));
        };
        let (schema, name): (String, String) = (row.get(1), row.get(2));
        Ok(Self { oid: row.get(0), table: format!("{schema}.{name}"), schema })
    }

    /// Names a missing right before Postgres refuses some statement in the middle.
    async fn check_rights(&self, transaction: &Transaction<'_>) -> Result<(), Obstacle> {
        let row = transaction
            .query_one(
                "SELECT quote_ident(current_user),
                        has_schema_privilege(c.relnamespace, 'USAGE'),
                        has_schema_privilege(c.relnamespace, 'CREATE'),
                        has_table_privilege(c.oid, 'TRIGGER')
                 FROM pg_catalog.pg_class c WHERE c.oid = $1",
                &[&self.oid],
            )
            .await?;
        let role: String = row.get(0);
        let rights = [
            ("USAGE", format!("SCHEMA {}", self.schema)),
            ("CREATE", format!("SCHEMA {}", self.schema)),
            ("TRIGGER", self.table.clone()),
        ];
        for (index, (right, object)) in rights.into_iter().enumerate() {
            if !row.get::<_, bool>(index + 1) {
                let message = format!("role {role} has no {right} ON {object}");
                let grant = format!("GRANT {right} ON {object} TO {role}");
                return Err(MigrateError::MissingRight { message, grant }.into());
            }
        }
        Ok(())
    }

    /// Whether a trigger of the fence is gone, as it is when the table was dropped and made anew.
    async fn misses_triggers(&self, transaction: &Transaction<'_>) -> Result<bool, Obstacle> {
        let standing = transaction
            .query_one(
                "SELECT count(*) FROM pg_catalog.pg_trigger
                 WHERE tgrelid = $1 AND tgname = ANY ($2) AND tgenabled IN ('O', 'A')",
                &[&self.oid, &TRIGGERS],
            )
            .await?;
        Ok(TRIGGERS.len() > usize::try_from(standing.get::<_, i64>(0)).unwrap_or(0))
    }

    /// Whether a table beside the state table is gone.
    async fn misses_tables(&self, transaction: &Transaction<'_>) -> Result<bool, Obstacle> {
        let tables: Vec<String> =
            tables().map(|table| format!("{}.{table}", self.schema)).collect();
        let sql = "SELECT bool_or(to_regclass(name) IS NULL) FROM unnest($1::text[]) AS name";
        Ok(transaction.query_one(sql, &[&tables]).await?.get(0))
    }
}

/// The tables that the migrations make.
fn tables() -> impl Iterator<Item = &'static str> {
    let made = |file: &'static Migration| {
        file.template.split("CREATE TABLE IF NOT EXISTS {{schema}}.").skip(1)
    };
    MIGRATIONS.iter().flat_map(made).filter_map(|rest| rest.split_whitespace().next())
}

/// Runs all files again, which puts back what has gone.
async fn restore(transaction: &Transaction<'_>, target: &Target) -> Result<(), Obstacle> {
    tracing::warn!(
        table = target.table,
        "a part of the fence or of the read model is gone; restoring it"
    );
    let all: Vec<&Migration> = MIGRATIONS.iter().collect();
    run(transaction, target, &all).await?;
    // Those of a newer version, which was rolled back, are lost too: it shall run them again.
    let last = MIGRATIONS.iter().map(|file| file.number).max();
    let forget = format!("DELETE FROM {}.reminder_migrations WHERE number > $1", target.schema);
    transaction.execute(&forget, &[&last]).await?;
    Ok(())
}

/// What has to be run: the files not yet recorded.
async fn due(
    transaction: &Transaction<'_>,
    target: &Target,
) -> Result<Vec<&'static Migration>, Obstacle> {
    let history = format!("{}.reminder_migrations", target.schema);
    let found = transaction.query_one("SELECT to_regclass($1) IS NOT NULL", &[&history]).await?;
    if !found.get::<_, bool>(0) {
        return Ok(MIGRATIONS.iter().collect());
    }
    let recorded = format!("SELECT checksum = {CHECKSUM_OF_2} FROM {history} WHERE number = $1");
    let mut due = Vec::new();
    for file in MIGRATIONS {
        let row = transaction.query_opt(&recorded, &[&file.number, &file.template]).await?;
        match row.map(|row| row.get::<_, bool>(0)) {
            None => due.push(file),
            Some(true) => {}
            Some(false) => return Err(MigrateError::Changed { name: file.name.into() }.into()),
        }
    }
    Ok(due)
}

/// SHA-256 of the second parameter, computed by the server to spare a crate.
pub(super) const CHECKSUM_OF_2: &str = "encode(sha256(convert_to($2::text, 'UTF8')), 'hex')";

async fn run(
    transaction: &Transaction<'_>,
    target: &Target,
    due: &[&'static Migration],
) -> Result<(), Obstacle> {
    let history = format!("{}.reminder_migrations", target.schema);
    transaction
        .batch_execute(&format!(
            "CREATE TABLE IF NOT EXISTS {history} (
                 number     int4 PRIMARY KEY,
                 name       text NOT NULL,
                 checksum   text NOT NULL,
                 applied_at timestamptz NOT NULL DEFAULT now()
             )"
        ))
        .await?;
    for file in due {
        let sql = file
            .template
            .replace("{{state_table}}", &target.table)
            .replace("{{schema}}", &target.schema);
        transaction.batch_execute(&sql).await?;
        transaction
            .execute(
                &format!(
                    "INSERT INTO {history} (number, name, checksum) VALUES ($1, $3, {CHECKSUM_OF_2})
                     ON CONFLICT (number) DO UPDATE SET applied_at = now()"
                ),
                &[&file.number, &file.template, &file.name],
            )
            .await?;
    }
    Ok(())
}
