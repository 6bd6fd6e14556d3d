//! Whose data is to go, what there is of it, and what else than tasks is kept of a user.

use super::index::QueryError;
use super::repair::qualified;
use super::store::ReadModel;
use async_trait::async_trait;
use reminder_contract::names::{ACTOR_TYPE, APP_ID, USER_ACTOR_TYPE, USER_STATE_KEY};
use reminder_contract::user_id::to_actor_id;
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// Tasks counted of a user at most.
const COUNTED_MAX: i64 = 100_000;

/// The rows that erasing goes by.
#[async_trait]
pub trait ErasureTable: Send + Sync + 'static {
    /// Users to be erased, the earliest request first.
    async fn under_way(&self, limit: i64) -> Result<UnderWay, QueryError>;
    /// Tasks of a user, whatever their status, after an id, in order.
    async fn tasks_of(
        &self,
        user: &Person,
        after: &str,
        limit: i64,
    ) -> Result<Vec<TaskId>, QueryError>;
    /// Takes note that these tasks were erased, and forgets what consumers could not handle of them.
    async fn erased(&self, user: &Person, tasks: &[TaskId]) -> Result<(), QueryError>;
    /// Forgets everything of a user but tasks; tells whether there was anything.
    async fn forget(&self, user: &Person) -> Result<bool, QueryError>;
    /// How far the search for the user's name in tasks of others is.
    async fn search(&self, user: &Person) -> Result<Search, QueryError>;
    /// Goes through a page of stored states, whose keys come after `after`.
    async fn naming(&self, user: &Person, after: &str, limit: i64) -> Result<Naming, QueryError>;
    /// Takes note of how far the search is, unless its user was asked for once more since this request.
    async fn searched(&self, request: &ErasureRequest, search: &Search) -> Result<(), QueryError>;
    /// Takes note of whether nothing was found. The request itself goes when that has been so for a while;
    /// tells whether it has gone. A look before `lately` says nothing of the time since.
    async fn settled(
        &self,
        user: &Person,
        clean: bool,
        clean_for: Duration,
        lately: Duration,
    ) -> Result<bool, QueryError>;
}

/// Somebody has asked for a user to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureRequest {
    /// Who is to be erased.
    pub user: Person,
    /// Another one whenever that is asked for.
    pub number: i64,
}

/// Erasures under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// Who is being erased, by which request.
    pub requests: Vec<ErasureRequest>,
    /// How long ago the first of them was asked for.
    pub oldest: Duration,
}

/// How far a search for a user's name is. It goes through all stored states until it has done so once without
/// finding any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The key of the last state that was looked at; empty: it is at its beginning.
    pub after: String,
    /// Whether the name was found since then.
    pub found: bool,
    /// Whether all were looked at without finding any.
    pub over: bool,
}

/// The states of a page that name a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// Their tasks.
    pub tasks: Vec<TaskId>,
    /// The key of the last state of the page; `None`: there was none left.
    pub last: Option<String>,
}

/// How an erasure stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureProgress {
    /// When it was asked for, in ms since 1970; `None`: none is under way.
    pub requested_ms: Option<i64>,
    /// Tasks erased so far.
    pub erased: u64,
    /// Tasks of the user that are there; counted up to a bound.
    pub tasks: u64,
}

/// The fields of a stored task that hold a person. What a title says cannot pass for one: its quotes are escaped.
const NAMED_BY: [&str; 3] = ["assignee", "createdBy", "userId"];

/// A field as it is stored.
fn written(field: &str, user: &Person) -> String {
    format!(r#""{field}":{}"#, Value::from(user.as_str()))
}

/// The rows, with the table that the states are in.
pub struct Erasures {
    model: Arc<ReadModel>,
    table: String,
}

impl Erasures {
    /// Over this database; `table` is the state table.
    pub fn new(model: Arc<ReadModel>, table: &str) -> Self {
        Self { model, table: table.to_owned() }
    }
}

impl ReadModel {
    /// Asks for a user to be erased; once more has it looked for everything anew.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn request_erasure(&self, user: &Person) -> Result<(), QueryError> {
        let sql = "INSERT INTO {schema}.erasure (app_id, user_id) VALUES ($1, $2)
                   ON CONFLICT (app_id, user_id) DO UPDATE
                       SET request = excluded.request, clean_since = NULL, searched_to = NULL,
                           search_found = false, search_over = false";
        self.query(sql, &[&APP_ID, &user.as_str()]).await.map(drop)
    }

    /// How the erasure of a user stands.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn erasure(&self, user: &Person) -> Result<ErasureProgress, QueryError> {
        let sql = "SELECT (SELECT (extract(epoch FROM requested_at) * 1000)::int8
                           FROM {schema}.erasure WHERE app_id = $1 AND user_id = $2),
                          coalesce((SELECT erased FROM {schema}.erasure
                                    WHERE app_id = $1 AND user_id = $2), 0),
                          (SELECT count(*) FROM (
                               SELECT FROM {schema}.task_index
                               WHERE app_id = $1 AND user_id = $2 LIMIT $3) AS tasks)";
        let rows = self.query(sql, &[&APP_ID, &user.as_str(), &COUNTED_MAX]).await?;
        let count = |row: &Row, column| u64::try_from(row.get::<_, i64>(column));
        Ok(rows.first().map_or(
            ErasureProgress { requested_ms: None, erased: 0, tasks: 0 },
            |row| ErasureProgress {
                requested_ms: row.get(0),
                erased: count(row, 1).unwrap_or(0),
                tasks: count(row, 2).unwrap_or(0),
            },
        ))
    }
}

#[async_trait]
impl ErasureTable for Erasures {
    async fn under_way(&self, limit: i64) -> Result<UnderWay, QueryError> {
        let sql = "SELECT user_id, extract(epoch FROM now() - requested_at)::float8, request
                   FROM {schema}.erasure WHERE app_id = $1
                   ORDER BY requested_at, user_id LIMIT $2";
        let rows = self.model.query(sql, &[&APP_ID, &limit]).await?;
        let request = |row: &Row| {
            let user = Person::parse(row.get::<_, String>(0)).ok()?;
            Some(ErasureRequest { user, number: row.get(2) })
        };
        // A clock that was set back makes it no younger than just now.
        let age = |row: &Row| Duration::try_from_secs_f64(row.get(1)).unwrap_or_default();
        let oldest = rows.first().map(age).unwrap_or_default();
        Ok(UnderWay { requests: rows.iter().filter_map(request).collect(), oldest })
    }

    async fn tasks_of(
        &self,
        user: &Person,
        after: &str,
        limit: i64,
    ) -> Result<Vec<TaskId>, QueryError> {
        let sql = "SELECT task_id FROM {schema}.task_index
                   WHERE app_id = $1 AND user_id = $2 AND task_id > $3 ORDER BY task_id LIMIT $4";
        let rows = self.model.query(sql, &[&APP_ID, &user.as_str(), &after, &limit]).await?;
        Ok(rows.iter().filter_map(|row| TaskId::parse(row.get::<_, String>(0)).ok()).collect())
    }

    async fn erased(&self, user: &Person, tasks: &[TaskId]) -> Result<(), QueryError> {
        let ids: Vec<&str> = tasks.iter().map(TaskId::as_str).collect();
        let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        let sql = "UPDATE {schema}.erasure SET erased = erased + $3
                   WHERE app_id = $1 AND user_id = $2";
        self.model.query(sql, &[&APP_ID, &user.as_str(), &count]).await?;
        for table in ["dead_letter", "task_parked", "audit_finding"] {
            let sql =
                format!("DELETE FROM {{schema}}.{table} WHERE app_id = $1 AND task_id = ANY ($2)");
            self.model.query(&sql, &[&APP_ID, &ids]).await?;
        }
        Ok(())
    }

    async fn forget(&self, user: &Person) -> Result<bool, QueryError> {
        let key = format!("{APP_ID}||{USER_ACTOR_TYPE}||{}||{USER_STATE_KEY}", to_actor_id(user));
        // Its trigger takes the row of the index along, unless it is damaged.
        let state = format!("DELETE FROM {} WHERE key = $1 RETURNING 1", qualified(&self.table));
        let mut found = !self.model.query(&state, &[&key]).await?.is_empty();
        for table in ["user_index", "firing_stop"] {
            let sql = format!(
                "DELETE FROM {{schema}}.{table} WHERE app_id = $1 AND user_id = $2 RETURNING 1"
            );
            found |= !self.model.query(&sql, &[&APP_ID, &user.as_str()]).await?.is_empty();
        }
        found |= self.model.forget_letters_of(user).await?;
        Ok(found)
    }

    async fn search(&self, user: &Person) -> Result<Search, QueryError> {
        let sql = "SELECT coalesce(searched_to, ''), search_found, search_over
                   FROM {schema}.erasure WHERE app_id = $1 AND user_id = $2";
        let rows = self.model.query(sql, &[&APP_ID, &user.as_str()]).await?;
        let search = |row: &Row| Search { after: row.get(0), found: row.get(1), over: row.get(2) };
        Ok(rows.first().map(search).unwrap_or_default())
    }

    async fn naming(&self, user: &Person, after: &str, limit: i64) -> Result<Naming, QueryError> {
        // The order is that of the table's primary key, in whatever collation it has. Other rows of the table,
        // of users and of watermarks, are passed over.
        let sql = format!(
            "WITH page AS MATERIALIZED (
                 SELECT key, value FROM {} WHERE key > $1 ORDER BY key LIMIT $2
             )
             SELECT (SELECT key FROM page ORDER BY key DESC LIMIT 1),
                    ARRAY(SELECT split_part(key, '||', 3) FROM page
                          WHERE split_part(key, '||', 1) = $3 AND split_part(key, '||', 2) = $4
                            AND (position(convert_to($5, 'UTF8') IN value) > 0
                                 OR position(convert_to($6, 'UTF8') IN value) > 0
                                 OR position(convert_to($7, 'UTF8') IN value) > 0))",
            qualified(&self.table)
        );
        let [assignee, creator, owner] = NAMED_BY.map(|field| written(field, user));
        let rows = self
            .model
            .query(&sql, &[&after, &limit, &APP_ID, &ACTOR_TYPE, &assignee, &creator, &owner])
            .await?;
        let Some(row) = rows.first() else { return Ok(Naming::default()) };
        let tasks = row.get::<_, Vec<String>>(1).into_iter();
        let tasks = tasks.filter_map(|task| TaskId::parse(task).ok()).collect();
        Ok(Naming { tasks, last: row.get(0) })
    }

    async fn searched(&self, request: &ErasureRequest, search: &Search) -> Result<(), QueryError> {
        let sql = "UPDATE {schema}.erasure
                   SET searched_to = nullif($3, ''), search_found = $4, search_over = $5
                   WHERE app_id = $1 AND user_id = $2 AND request = $6";
        let (Search { after, found, over }, number) = (search, request.number);
        let parameters: [&(dyn ToSql + Sync); 6] =
            [&APP_ID, &request.user.as_str(), after, found, over, &number];
        self.model.query(sql, &parameters).await.map(drop)
    }

    async fn settled(
        &self,
        user: &Person,
        clean: bool,
        clean_for: Duration,
        lately: Duration,
    ) -> Result<bool, QueryError> {
        let note = "UPDATE {schema}.erasure
                    SET clean_since = CASE
                            WHEN $3 AND looked_at > now() - $4 * interval '1 second'
                                THEN coalesce(clean_since, now())
                            WHEN $3 THEN now()
                        END,
                        looked_at = now()
                    WHERE app_id = $1 AND user_id = $2";
        let lately = lately.as_secs_f64();
        self.model.query(note, &[&APP_ID, &user.as_str(), &clean, &lately]).await?;
        let go = "DELETE FROM {schema}.erasure
                  WHERE app_id = $1 AND user_id = $2
                    AND clean_since <= now() - $3 * interval '1 second' RETURNING 1";
        let gone =
            self.model.query(go, &[&APP_ID, &user.as_str(), &clean_for.as_secs_f64()]).await?;
        Ok(!gone.is_empty())
    }
}
