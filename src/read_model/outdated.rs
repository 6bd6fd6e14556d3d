//! Which tasks follow older preferences of their users than there are, or older rules of their zones.
//!
//! Being outdated is a fact that the rows show, not an entry in a list of work: whoever asks finds
//! what is left to do, whatever became of those who asked before.

use super::store::{QueryError, ReadModel};
use reminder_contract::names::APP_ID;
use reminder_domain::ids::Person;
use reminder_domain::{TaskId, Timestamp};
use tokio_postgres::Row;

/// A user with outdated tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Who.
    pub user: Person,
    /// The version that the preferences are at.
    pub version: u64,
}

/// A place among outdated tasks: what they follow, and the task. A page begins after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor<F> {
    /// What it follows; nothing comes before the default.
    pub follows: F,
    /// Its id; empty at the beginning.
    pub task: String,
}

impl<F> Cursor<F> {
    /// The task of this place; `None` for one that no task may have.
    pub fn task(&self) -> Option<TaskId> {
        TaskId::parse(&self.task).ok()
    }
}

impl ReadModel {
    /// Users with outdated tasks that may have fallen behind at `since` or later, by their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn changed_users(
        &self,
        since: Timestamp,
        after: Option<&Person>,
        limit: i64,
    ) -> Result<Vec<Changed>, QueryError> {
        // One probe per user: the LIMIT keeps the planner from joining with all open tasks, which it
        // prefers to EXISTS.
        let sql = "SELECT u.user_id, u.version FROM {schema}.user_index AS u
                   WHERE u.app_id = $1 AND u.behind_at >= to_timestamp($2::float8 / 1000)
                     AND u.user_id > $3
                     AND (SELECT true FROM {schema}.task_index AS t
                          WHERE t.app_id = u.app_id AND t.user_id = u.user_id
                            AND t.status IN ('pending', 'in_progress') AND t.preferences < u.version
                          LIMIT 1)
                   ORDER BY u.user_id LIMIT $4";
        let after = after.map_or("", Person::as_str);
        let rows =
            self.query(sql, &[&APP_ID, &super::store::millis(since), &after, &limit]).await?;
        let changed = |row: &Row| {
            let user = Person::parse(row.get::<_, String>(0)).ok()?;
            Some(Changed { user, version: u64::try_from(row.get::<_, i64>(1)).ok()? })
        };
        Ok(rows.iter().filter_map(changed).collect())
    }

    /// Open tasks of a user that follow an older version of the preferences.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn outdated_of(
        &self,
        changed: &Changed,
        after: &Cursor<i64>,
        limit: i64,
    ) -> Result<Vec<Cursor<i64>>, QueryError> {
        let sql = "SELECT preferences, task_id FROM {schema}.task_index
                   WHERE app_id = $1 AND user_id = $2 AND status IN ('pending', 'in_progress')
                     AND preferences < $3 AND (preferences, task_id) > ($4, $5)
                   ORDER BY preferences, task_id LIMIT $6";
        let version = i64::try_from(changed.version).unwrap_or(i64::MAX);
        let user = changed.user.as_str();
        let (follows, task) = (after.follows, after.task.as_str());
        let rows = self.query(sql, &[&APP_ID, &user, &version, &follows, &task, &limit]).await?;
        Ok(rows.iter().map(|row| Cursor { follows: row.get(0), task: row.get(1) }).collect())
    }

    /// Open tasks that follow an older zone database than `current`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn outdated_zones(
        &self,
        current: &str,
        after: &Cursor<String>,
        limit: i64,
    ) -> Result<Vec<Cursor<String>>, QueryError> {
        let sql = "SELECT zone_database, task_id FROM {schema}.task_index
                   WHERE app_id = $1 AND status IN ('pending', 'in_progress')
                     AND zone_database IS NOT NULL AND zone_database < $2
                     AND (zone_database, task_id) > ($3, $4)
                   ORDER BY zone_database, task_id LIMIT $5";
        let (follows, task) = (after.follows.as_str(), after.task.as_str());
        let rows = self.query(sql, &[&APP_ID, &current, &follows, &task, &limit]).await?;
        Ok(rows.iter().map(|row| Cursor { follows: row.get(0), task: row.get(1) }).collect())
    }
}
