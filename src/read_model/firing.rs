//! The operator's switch that stops firing, as rows.

use super::index::{FiringSwitch, QueryError};
use super::store::ReadModel;
use crate::turn::firing::FiringStop;
use async_trait::async_trait;
use reminder_contract::names::APP_ID;
use reminder_domain::ids::Person;

/// Users that may be stopped at the same time: every replica reads them all each second.
pub const STOPPED_USERS_MAX: i64 = 1_000;

/// What stands for everyone; no user has it for an id.
const EVERYONE: &str = "";

/// One stop, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Whose; `None`: everyone's.
    pub user: Option<String>,
    /// Why, in the operator's words.
    pub reason: String,
    /// Since when, as Postgres writes it.
    pub since: String,
    /// How many tasks are overdue by it; counted up to a bound.
    pub waiting: i64,
}

/// What became of the wish to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is stopped now.
    Now,
    /// It was stopped before; the reason is the new one.
    Before,
    /// Too many users are stopped; nothing was changed.
    TooMany,
}

#[async_trait]
impl FiringSwitch for ReadModel {
    async fn firing_stop(&self) -> Result<FiringStop, QueryError> {
        let sql = "SELECT user_id FROM {schema}.firing_stop WHERE app_id = $1";
        let rows = self.query(sql, &[&APP_ID]).await?;
        let users: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let everyone = users.iter().any(|user| user == EVERYONE);
        Ok(FiringStop::new(everyone, users.into_iter().filter_map(|user| Person::parse(user).ok())))
    }
}

impl ReadModel {
    /// Stops the firing of a user's reminders; `None`: of everyone's.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stop_firing(
        &self,
        user: Option<&Person>,
        reason: &str,
    ) -> Result<Stop, QueryError> {
        let user = user.map_or(EVERYONE, Person::as_str);
        let sql = "INSERT INTO {schema}.firing_stop AS stop (app_id, user_id, reason)
                   SELECT $1, $2, $3
                   WHERE $2 = '' OR (SELECT count(*) FROM {schema}.firing_stop AS other
                                     WHERE other.app_id = $1 AND other.user_id <> $2) < $4
                   ON CONFLICT (app_id, user_id) DO UPDATE SET reason = excluded.reason
                   RETURNING stopped_at = now()";
        let rows = self.query(sql, &[&APP_ID, &user, &reason, &STOPPED_USERS_MAX]).await?;
        Ok(match rows.first().map(|row| row.get::<_, bool>(0)) {
            Some(true) => Stop::Now,
            Some(false) => Stop::Before,
            None => Stop::TooMany,
        })
    }

    /// Lets a user's reminders fire again, or everyone's; `false`: they were not stopped.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn resume_firing(&self, user: Option<&Person>) -> Result<bool, QueryError> {
        let user = user.map_or(EVERYONE, Person::as_str);
        let sql = "DELETE FROM {schema}.firing_stop WHERE app_id = $1 AND user_id = $2 RETURNING 1";
        Ok(!self.query(sql, &[&APP_ID, &user]).await?.is_empty())
    }

    /// What is stopped, that of everyone first, and how much waits for it: at most `count_max` tasks
    /// are counted for each.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_stops(&self, count_max: i64) -> Result<Vec<Stopped>, QueryError> {
        let sql = "SELECT stop.user_id, stop.reason, date_trunc('second', stop.stopped_at)::text,
                          (SELECT count(*) FROM (
                               SELECT FROM {schema}.task_index AS idx
                               WHERE idx.app_id = $1 AND idx.next_wake < now()
                                 AND (stop.user_id = '' OR idx.user_id = stop.user_id)
                               LIMIT $2) AS overdue)
                   FROM {schema}.firing_stop AS stop WHERE stop.app_id = $1 ORDER BY stop.user_id";
        let rows = self.query(sql, &[&APP_ID, &count_max]).await?;
        let stopped = rows.iter().map(|row| {
            let user: String = row.get(0);
            let user = (user != EVERYONE).then_some(user);
            Stopped { user, reason: row.get(1), since: row.get(2), waiting: row.get(3) }
        });
        Ok(stopped.collect())
    }
}
