//! How things stand in the database, without changing anything: for `doctor`.

use super::connect::Server;
use super::error::Obstacle;
use super::index::QueryError;
use super::migrate::{CHECKSUM_OF_2, MIGRATIONS, TRIGGERS};
use super::state_table::StateTable;
use super::store::{PARKED, ReadModel, STOPPED};
use crate::clock::{Clock, SystemClock};
use reminder_contract::names::APP_ID;
use reminder_domain::Timestamp;
use std::future::Future;
use std::time::Duration;
use tokio_postgres::{Client, Row};

/// How long a question may take.
const QUESTION_DEADLINE: Duration = Duration::from_secs(5);
/// Overdue tasks that are counted at most.
pub const OVERDUE_MAX: i64 = 10_000;

/// Why the database cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InspectError(pub String);

impl From<Obstacle> for InspectError {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Passing(reason) => Self(reason),
            Obstacle::Final(error) => Self(error.to_string()),
        }
    }
}

impl From<tokio_postgres::Error> for InspectError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(QueryError::from(error).0)
    }
}

/// What a database is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// The server's version.
    pub version: String,
    /// How far its clock is ahead of ours, in ms.
    pub clock_ahead_ms: i64,
    /// How far that may be off, in ms: half the time that the question took.
    pub clock_error_ms: i64,
    /// The schema of the state table, if that is there.
    pub schema: Option<String>,
    /// The migrations of this binary that were not applied.
    pub missing: Vec<&'static str>,
    /// Those that were applied with other contents.
    pub changed: Vec<&'static str>,
    /// Those that were applied and that this binary does not know.
    pub newer: Vec<String>,
    /// The triggers that are not on the state table, or are switched off.
    pub triggers_gone: Vec<&'static str>,
}

impl DatabaseFacts {
    /// The last migration that this binary has.
    pub fn latest() -> &'static str {
        MIGRATIONS.last().map_or("none", |file| file.name)
    }
}

/// How the sweep and the audit stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFacts {
    /// The run of a process that has the lease.
    pub holder: String,
    /// How much longer it has it, in ms; below nothing: it has run out.
    pub held_for_ms: i64,
    /// Up to where every wake was registered.
    pub swept_until: Timestamp,
    /// The canary that was released last; 0: none yet.
    pub canary: u64,
    /// Runs of a process that were seen a short time ago.
    pub alive: i64,
}

/// Tasks that should have fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// How many, [`OVERDUE_MAX`] at most.
    pub tasks: i64,
    /// How long the one that has waited longest, in ms.
    pub oldest_ms: i64,
}

/// Looks at the database.
///
/// # Errors
/// Says what keeps it from answering.
pub async fn inspect(url: &str, table: &StateTable) -> Result<DatabaseFacts, InspectError> {
    let server = Server::parse(url).map_err(Obstacle::from)?;
    let client = server.connect().await?;
    let (version, clock_ahead_ms, clock_error_ms) = in_time(clock(&client)).await?;
    let found = in_time(find(&client, table)).await?;
    let mut facts = DatabaseFacts {
        version,
        clock_ahead_ms,
        clock_error_ms,
        schema: None,
        missing: MIGRATIONS.iter().map(|file| file.name).collect(),
        changed: Vec::new(),
        newer: Vec::new(),
        triggers_gone: TRIGGERS.to_vec(),
    };
    if let Some((oid, schema)) = found {
        let standing = in_time(triggers(&client, oid)).await?;
        facts.triggers_gone.retain(|name| !standing.iter().any(|found| found == name));
        in_time(migrations(&client, &schema, &mut facts)).await?;
        facts.schema = Some(schema);
    }
    Ok(facts)
}

async fn in_time<T>(
    question: impl Future<Output = Result<T, InspectError>>,
) -> Result<T, InspectError> {
    let late = |_| InspectError(format!("Postgres gave no answer within {QUESTION_DEADLINE:?}"));
    tokio::time::timeout(QUESTION_DEADLINE, question).await.map_err(late)?
}

/// The server's version, and how far its clock is ahead, give or take.
async fn clock(client: &Client) -> Result<(String, i64, i64), InspectError> {
    let sql = "SELECT current_setting('server_version'),
                      (extract(epoch FROM clock_timestamp()) * 1000)::int8";
    // Prepared before, so that one way there and back is measured, and not two.
    let statement = client.prepare(sql).await?;
    let before = SystemClock.now().as_millis();
    let row = client.query_one(&statement, &[]).await?;
    let after = SystemClock.now().as_millis();
    let (version, theirs): (String, i64) = (row.get(0), row.get(1));
    Ok((version, theirs - i64::midpoint(before, after), (after - before) / 2))
}

async fn find(client: &Client, table: &StateTable) -> Result<Option<(u32, String)>, InspectError> {
    let sql = "SELECT c.oid, quote_ident(n.nspname)
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE c.oid = to_regclass($1)";
    let row = client.query_opt(sql, &[&table.as_str()]).await?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}

async fn triggers(client: &Client, table: u32) -> Result<Vec<String>, InspectError> {
    let sql = "SELECT tgname::text FROM pg_catalog.pg_trigger
               WHERE tgrelid = $1 AND tgenabled IN ('O', 'A')";
    let rows = client.query(sql, &[&table]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn migrations(
    client: &Client,
    schema: &str,
    facts: &mut DatabaseFacts,
) -> Result<(), InspectError> {
    let history = format!("{schema}.reminder_migrations");
    let there = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&history]).await?;
    if !there.get::<_, bool>(0) {
        return Ok(());
    }
    facts.missing.clear();
    let recorded = format!("SELECT checksum = {CHECKSUM_OF_2} FROM {history} WHERE number = $1");
    for file in MIGRATIONS {
        let row = client.query_opt(&recorded, &[&file.number, &file.template]).await?;
        match row.map(|row| row.get::<_, bool>(0)) {
            None => facts.missing.push(file.name),
            Some(true) => {}
            Some(false) => facts.changed.push(file.name),
        }
    }
    let known: Vec<i32> = MIGRATIONS.iter().map(|file| file.number).collect();
    let newer = format!("SELECT name FROM {history} WHERE number <> ALL ($1) ORDER BY number");
    let rows = client.query(&newer, &[&known]).await?;
    facts.newer = rows.iter().map(|row| row.get(0)).collect();
    Ok(())
}

impl ReadModel {
    /// How the sweep and the audit stand; `None`: no round was ever begun.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit_facts(
        &self,
        seen_within: Duration,
    ) -> Result<Option<AuditFacts>, QueryError> {
        let sql = "SELECT holder, (extract(epoch FROM held_until - now()) * 1000)::int8,
                          swept_until_ms, canary,
                          (SELECT count(*) FROM {schema}.task_epoch AS run
                           WHERE run.app_id = $1 AND run.seen_at > now() - $2 * interval '1 second')
                   FROM {schema}.task_audit WHERE app_id = $1";
        let rows = self.query(sql, &[&APP_ID, &seen_within.as_secs_f64()]).await?;
        Ok(rows.first().map(|row| AuditFacts {
            holder: row.get(0),
            held_for_ms: row.get(1),
            swept_until: Timestamp::from_millis(row.get(2)),
            canary: u64::try_from(row.get::<_, i64>(3)).unwrap_or(0),
            alive: row.get(4),
        }))
    }

    /// Tasks that are overdue by more than a grace, those left out that are parked or stopped; `None`
    /// when there are none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn overdue_facts(&self, grace_ms: i64) -> Result<Option<Overdue>, QueryError> {
        let sql = format!(
            "SELECT count(*), (extract(epoch FROM now() - min(next_wake)) * 1000)::int8 FROM (
                 SELECT idx.next_wake FROM {{schema}}.task_index AS idx
                 WHERE idx.app_id = $1
                   AND idx.next_wake < now() - $2 * interval '1 millisecond' {PARKED} {STOPPED}
                 ORDER BY idx.next_wake LIMIT $3) AS overdue"
        );
        #[expect(clippy::cast_precision_loss, reason = "a grace of less than centuries")]
        let grace = grace_ms as f64;
        let rows = self.query(&sql, &[&APP_ID, &grace, &OVERDUE_MAX]).await?;
        let overdue = |row: &Row| {
            let oldest_ms = row.get::<_, Option<i64>>(1)?;
            Some(Overdue { tasks: row.get(0), oldest_ms })
        };
        Ok(rows.first().and_then(overdue))
    }
}
