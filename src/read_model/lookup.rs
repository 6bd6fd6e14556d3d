//! What turns ask about users and about whose a task is, over one connection that they share.
//!
//! Many turns ask at the same time, each one thing by primary key; their queries follow one another
//! on the connection without waiting for each other's answers.

use super::connect::Server;
use super::error::MigrateError;
use super::index::QueryError;
use crate::ports::{CallError, Progress, Users};
use crate::users::record;
use async_trait::async_trait;
use reminder_contract::names::APP_ID;
use reminder_domain::ids::Person;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::time::zone_database;
use reminder_domain::{TaskId, Timestamp};
use std::future::Future;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_postgres::{Client, Row, Statement};

/// How long a question may take, a connection that has to be made included.
const LOOKUP_DEADLINE: Duration = Duration::from_secs(5);

/// Answers from `user_index` and `task_index`. Until [`UserLookup::open`] it answers errors.
#[derive(Default)]
pub struct UserLookup {
    database: OnceLock<Database>,
    connection: Mutex<Option<Arc<Connection>>>,
}

struct Database {
    server: Server,
    schema: String,
}

struct Connection {
    client: Client,
    preferences: Statement,
    gone: Statement,
    progress: Statement,
    open_tasks: Statement,
    owner: Statement,
}

impl UserLookup {
    /// Uses the database that [`super::migrate`] prepared; `schema` is what it answered.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn open(&self, database_url: &str, schema: String) -> Result<(), MigrateError> {
        let server = Server::parse(database_url)?;
        // A second call would say the same.
        let _ = self.database.set(Database { server, schema });
        Ok(())
    }

    /// The connection, made when there is none that holds. Those who ask meanwhile wait for it.
    async fn connection(&self) -> Result<Arc<Connection>, QueryError> {
        let mut slot = self.connection.lock().await;
        if let Some(connection) = slot.as_ref().filter(|known| !known.client.is_closed()) {
            return Ok(Arc::clone(connection));
        }
        let Some(database) = self.database.get() else {
            return Err(QueryError("the database is not ready yet".into()));
        };
        let connection = Arc::new(database.connect().await?);
        *slot = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// Asks within the deadline. A connection that did not answer in time is given up, for a dead
    /// one may not say so; whoever still waits on it gets an answer or meets the deadline as well.
    async fn ask<F>(
        &self,
        question: impl FnOnce(Arc<Connection>) -> F + Send,
    ) -> Result<Row, QueryError>
    where
        F: Future<Output = Result<Row, tokio_postgres::Error>> + Send,
    {
        let mut used = None;
        let asked = async {
            let connection = self.connection().await?;
            used = Some(Arc::downgrade(&connection));
            Ok(question(connection).await?)
        };
        if let Ok(answer) = tokio::time::timeout(LOOKUP_DEADLINE, asked).await {
            return answer;
        }
        if let (Some(used), Ok(mut slot)) = (used, self.connection.try_lock())
            && slot.as_ref().is_some_and(|known| used.as_ptr() == Arc::as_ptr(known))
        {
            *slot = None;
        }
        Err(QueryError("no answer in time".into()))
    }
}

impl Database {
    async fn connect(&self) -> Result<Connection, QueryError> {
        let client = self.server.connect().await?;
        let sql = |text: &str| text.replace("{schema}", &self.schema);
        // One row in any case: a user who never said anything has no row of the index.
        let preferences = sql("SELECT coalesce(max(version), 0), max(preferences::text),
                                      (extract(epoch FROM max(paused_since)) * 1000)::int8,
                                      max(skipped::text)
                               FROM {schema}.user_index WHERE app_id = $1 AND user_id = $2");
        // A row of the index that has no state behind it is of somebody who is gone as well. One row in any case.
        let gone = sql("SELECT greatest(
                            (SELECT version FROM {schema}.user_births WHERE app_id = $1),
                            (SELECT version FROM {schema}.user_index
                             WHERE app_id = $1 AND user_id = $2), 0)");
        let progress = sql("SELECT count(*), count(*) FILTER (WHERE zone_database < $3
                                OR preferences < (SELECT u.version FROM {schema}.user_index AS u
                                                  WHERE u.app_id = $1 AND u.user_id = $2))
                            FROM {schema}.task_index
                            WHERE app_id = $1 AND user_id = $2
                              AND status IN ('pending', 'in_progress')");
        // No more rows are read than the quota has.
        let open_tasks = sql("SELECT count(*) FROM (
                                  SELECT FROM {schema}.task_index
                                  WHERE app_id = $1 AND user_id = $2
                                    AND status IN ('pending', 'in_progress')
                                  LIMIT $3) AS counted");
        // One row in any case, here as well.
        let owner = sql("SELECT max(user_id) FROM {schema}.task_index
                         WHERE app_id = $1 AND task_id = $2");
        let preferences = client.prepare(&preferences).await?;
        let gone = client.prepare(&gone).await?;
        let progress = client.prepare(&progress).await?;
        let open_tasks = client.prepare(&open_tasks).await?;
        let owner = client.prepare(&owner).await?;
        Ok(Connection { client, preferences, gone, progress, open_tasks, owner })
    }
}

#[async_trait]
impl Users for UserLookup {
    async fn preferences(&self, user: &Person) -> Result<KnownPreferences, CallError> {
        let asked = self.ask(|connection| async move {
            connection.client.query_one(&connection.preferences, &[&APP_ID, &user.as_str()]).await
        });
        let row = asked.await.map_err(|error| CallError(error.to_string()))?;
        let (version, Some(text)) = (row.get::<_, i64>(0), row.get::<_, Option<String>>(1)) else {
            return Ok(KnownPreferences::default());
        };
        let preferences = serde_json::from_str(&text).map_err(|error| {
            CallError(format!("the preferences that are stored cannot be read: {error}"))
        })?;
        let paused_since = row.get::<_, Option<i64>>(2).map(Timestamp::from_millis);
        let skipped = row.get::<_, Option<&str>>(3).map_or(Ok(Vec::new()), |written| {
            serde_json::from_str::<Vec<_>>(written).map(|written| record::skipped(&written))
        });
        let skipped = skipped.map_err(|error| {
            CallError(format!("the skipped pauses that are stored cannot be read: {error}"))
        })?;
        Ok(KnownPreferences { version: count(version), preferences, paused_since, skipped })
    }

    async fn gone(&self, user: &Person) -> Result<u64, CallError> {
        let asked = self.ask(|connection| async move {
            connection.client.query_one(&connection.gone, &[&APP_ID, &user.as_str()]).await
        });
        let row = asked.await.map_err(|error| CallError(error.to_string()))?;
        Ok(count(row.get(0)))
    }

    async fn progress(&self, user: &Person) -> Result<Progress, CallError> {
        let asked = self.ask(|connection| async move {
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
                [&APP_ID, &user.as_str(), &zone_database()];
            connection.client.query_one(&connection.progress, &parameters).await
        });
        let row = asked.await.map_err(|error| CallError(error.to_string()))?;
        Ok(Progress { open: count(row.get(0)), outdated: count(row.get(1)) })
    }

    async fn open_tasks(&self, user: &Person, at_most: NonZeroU32) -> Result<u32, CallError> {
        let limit = i64::from(at_most.get());
        let asked = self.ask(|connection| async move {
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
                [&APP_ID, &user.as_str(), &limit];
            connection.client.query_one(&connection.open_tasks, &parameters).await
        });
        let row = asked.await.map_err(|error| CallError(error.to_string()))?;
        Ok(u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX))
    }

    async fn owner(&self, task: &TaskId) -> Result<Option<Person>, CallError> {
        let asked = self.ask(|connection| async move {
            connection.client.query_one(&connection.owner, &[&APP_ID, &task.as_str()]).await
        });
        let row = asked.await.map_err(|error| CallError(error.to_string()))?;
        Ok(row.get::<_, Option<String>>(0).and_then(|user| Person::parse(user).ok()))
    }
}

/// A number that the database never lets become negative.
fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
