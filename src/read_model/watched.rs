//! What is known of the topics that the service consumes: when a record last came, what was asked.

use super::index::QueryError;
use super::store::ReadModel;
use reminder_contract::names::APP_ID;
use std::time::Duration;
use tokio_postgres::Row;

/// What is known of a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// How long no record of it has come to any replica.
    pub silent_for: Duration,
    /// The canary that nothing was heard since.
    pub asked: Option<Asked>,
}

/// A canary that is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Since when.
    pub ago: Duration,
    /// The how many-th since something was heard.
    pub times: u32,
}

impl Watched {
    /// How many canaries were published since something was heard.
    pub fn asks(&self) -> u32 {
        self.asked.map_or(0, |asked| asked.times)
    }
}

impl ReadModel {
    /// What is known of a topic; a topic that is new begins now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn watched(&self, topic: &str) -> Result<Watched, QueryError> {
        let begin = "INSERT INTO {schema}.topic_watch (app_id, topic) VALUES ($1, $2)
                     ON CONFLICT DO NOTHING";
        self.query(begin, &[&APP_ID, &topic]).await?;
        let sql = "SELECT extract(epoch FROM now() - heard_at)::float8,
                          extract(epoch FROM now() - asked_at)::float8, asks
                   FROM {schema}.topic_watch WHERE app_id = $1 AND topic = $2";
        let rows = self.query(sql, &[&APP_ID, &topic]).await?;
        Ok(rows.first().map(watched).unwrap_or_default())
    }

    /// Notes that a record has come.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_heard(&self, topic: &str) -> Result<(), QueryError> {
        let sql = "INSERT INTO {schema}.topic_watch (app_id, topic) VALUES ($1, $2)
                   ON CONFLICT (app_id, topic) DO UPDATE
                       SET heard_at = now(), asked_at = NULL, asks = 0";
        self.query(sql, &[&APP_ID, &topic]).await?;
        Ok(())
    }

    /// Notes that a canary was published, the next after `asks` of them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_asked(&self, topic: &str, asks: u32) -> Result<(), QueryError> {
        let sql = "UPDATE {schema}.topic_watch SET asked_at = now(), asks = $3 + 1
                   WHERE app_id = $1 AND topic = $2 AND asks = $3";
        self.query(sql, &[&APP_ID, &topic, &number(asks)]).await?;
        Ok(())
    }

    /// Forgets what was asked: the broker takes no canary, so it cannot be told why none comes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_unasked(&self, topic: &str) -> Result<(), QueryError> {
        let sql = "UPDATE {schema}.topic_watch SET asked_at = NULL, asks = 0
                   WHERE app_id = $1 AND topic = $2";
        self.query(sql, &[&APP_ID, &topic]).await?;
        Ok(())
    }

    /// Whether this replica shall subscribe anew, for at most that long: one at a time, and not if
    /// something was heard meanwhile. It counts as another ask.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin_healing(
        &self,
        topic: &str,
        asks: u32,
        at_most: Duration,
    ) -> Result<bool, QueryError> {
        let sql = "UPDATE {schema}.topic_watch
                   SET asked_at = now(), asks = $3 + 1,
                       healing_until = now() + $4 * interval '1 second'
                   WHERE app_id = $1 AND topic = $2 AND asks = $3 AND NOT EXISTS (
                       SELECT FROM {schema}.topic_watch AS other
                       WHERE other.app_id = $1 AND other.healing_until > now())
                   RETURNING 1";
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&APP_ID, &topic, &number(asks), &at_most.as_secs_f64()];
        Ok(!self.query(sql, &parameters).await?.is_empty())
    }

    /// Lets another replica subscribe anew. The canary that is out, if it still is, has its time from now
    /// on: nothing could come meanwhile.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_healing(&self, topic: &str) -> Result<(), QueryError> {
        let sql = "UPDATE {schema}.topic_watch
                   SET healing_until = NULL, asked_at = CASE WHEN asked_at IS NOT NULL THEN now() END
                   WHERE app_id = $1 AND topic = $2";
        self.query(sql, &[&APP_ID, &topic]).await?;
        Ok(())
    }
}

fn watched(row: &Row) -> Watched {
    let span = |seconds: f64| Duration::from_secs_f64(seconds.max(0.0));
    let times = u32::try_from(row.get::<_, i32>(2)).unwrap_or(0);
    let asked = row.get::<_, Option<f64>>(1).map(|ago| Asked { ago: span(ago), times });
    Watched { silent_for: span(row.get(0)), asked }
}

fn number(asks: u32) -> i32 {
    i32::try_from(asks).unwrap_or(i32::MAX - 1)
}
