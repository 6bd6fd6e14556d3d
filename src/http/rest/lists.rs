//! Lists from the read model: tasks, and what fires next.

use super::Rest;
use super::answer::Refusal;
use super::asked::Asked;
use super::cursor;
use crate::clock::{Clock, SystemClock};
use crate::read_model::{Listed, QueryError};
use axum::Json;
use axum::extract::State;
use reminder_contract::Problem;
use reminder_contract::data::TaskStatus;
use reminder_contract::rest::{
    PAGE_DEFAULT, PAGE_MAX, Page, ReminderItem, ReminderStatus, StatusFilter, TaskItem,
};
use reminder_domain::Timestamp;

/// A page of tasks, ordered by their ids.
#[utoipa::path(get, path = "/v1/tasks", tag = "lists", responses((status = 200, description = "A page", content_type = "application/json", body = ref("#/components/schemas/TaskPage"))))]
pub(super) async fn tasks(
    State(rest): State<Rest>,
    asked: Asked,
) -> Result<Json<Page<TaskItem>>, Refusal> {
    page_of_tasks(&rest, "", asked).await
}

/// A page of the tasks whose ids begin so; the rest is in the query.
pub(in crate::http) async fn page_of_tasks(
    rest: &Rest,
    prefix: &str,
    mut asked: Asked,
) -> Result<Json<Page<TaskItem>>, Refusal> {
    let user = asked.listed_user()?;
    let params = &mut asked.params;
    let status = params.word("status", StatusFilter::parse, StatusFilter::WORDS)?;
    let after = params.take("cursor")?.map(|text| cursor::read_task(&text)).transpose()?;
    let limit = params.size("limit", PAGE_DEFAULT, PAGE_MAX)?;
    asked.without_query()?;
    let after = after.as_deref().unwrap_or_default();
    let page = rest.listing.tasks(user.as_ref(), statuses(status), prefix, after, limit).await;
    let page = page.map_err(|error| unanswered(&error))?;
    let next_cursor = page.next.map(|task| cursor::of_task(&task));
    Ok(Json(Page { items: page.rows.into_iter().map(task).collect(), next_cursor }))
}

/// A page of what fires next of each task, ordered by its time.
///
/// One row a task, however many reminders it has, and none of a task with nothing left to fire or that is
/// paused: the list is read from an index that knows when a task wakes next, and not why. `from` and `to` look
/// at that one moment. `GET /v1/tasks/{taskId}` has all reminders of a task, `GET /v1/tasks/{taskId}/preview`
/// what is to come of it.
#[utoipa::path(get, path = "/v1/reminders", tag = "lists", responses((status = 200, description = "A page", content_type = "application/json", body = ref("#/components/schemas/ReminderPage"))))]
pub(super) async fn reminders(
    State(rest): State<Rest>,
    mut asked: Asked,
) -> Result<Json<Page<ReminderItem>>, Refusal> {
    let user = asked.listed_user()?;
    let params = &mut asked.params;
    let (from, to) = (params.time("from")?, params.time("to")?);
    let status = params.word("status", ReminderStatus::parse, ReminderStatus::WORDS)?;
    let after = params.take("cursor")?.map(|text| cursor::read_waking(&text)).transpose()?;
    let limit = params.size("limit", PAGE_DEFAULT, PAGE_MAX)?;
    asked.without_query()?;
    let (from, to) = range(from, to, status, SystemClock.now());
    // No id comes before the empty one, so the page begins at `from` itself.
    let begin = after.as_ref().map_or((from, ""), |place| (place.at, place.task.as_str()));
    let page = rest.listing.reminders(user.as_ref(), begin, to, limit).await;
    let page = page.map_err(|error| unanswered(&error))?;
    let next_cursor = page.next.map(|place| cursor::of_waking(&place));
    Ok(Json(Page { items: page.rows.into_iter().filter_map(reminder).collect(), next_cursor }))
}

/// The statuses of the index that a filter means.
fn statuses(filter: Option<StatusFilter>) -> &'static [&'static str] {
    match filter {
        None => &["pending", "in_progress", "completed"],
        Some(StatusFilter::Open) => &["pending", "in_progress"],
        Some(StatusFilter::Pending) => &["pending"],
        Some(StatusFilter::InProgress) => &["in_progress"],
        Some(StatusFilter::Completed) => &["completed"],
        Some(StatusFilter::Deleted) => &["deleted"],
    }
}

/// From when (inclusive) until when (exclusive).
fn range(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    status: Option<ReminderStatus>,
    now: Timestamp,
) -> (Timestamp, Timestamp) {
    let from = from.unwrap_or(Timestamp::from_millis(0));
    let to = to.unwrap_or(Timestamp::MAX);
    match status {
        None => (from, to),
        Some(ReminderStatus::Upcoming) => (from.max(now), to),
        Some(ReminderStatus::Overdue) => (from, to.min(now)),
    }
}

pub(in crate::http) fn task(row: Listed) -> TaskItem {
    TaskItem {
        task_id: row.task,
        user_id: row.user,
        status: status_of(&row.status),
        next_reminder_at: row.next_wake,
        paused: row.paused,
        version: row.version,
        updated_at: row.updated,
    }
}

fn reminder(row: Listed) -> Option<ReminderItem> {
    Some(ReminderItem {
        task_id: row.task,
        user_id: row.user,
        scheduled_for: row.next_wake?,
        status: status_of(&row.status),
        version: row.version,
    })
}

/// A status by its word. The fence lets no other one into the index.
fn status_of(word: &str) -> TaskStatus {
    match word {
        "in_progress" => TaskStatus::InProgress,
        "completed" => TaskStatus::Completed,
        "deleted" => TaskStatus::Deleted,
        _ => TaskStatus::Pending,
    }
}

pub(in crate::http) fn unanswered(error: &QueryError) -> Problem {
    tracing::warn!(%error, "a list could not be read");
    Problem::unavailable("the database did not answer; ask again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_cut_at_the_present() {
        let at = Timestamp::from_millis;
        let of = |from, to, status| range(from, to, status, at(1_000));
        assert_eq!(of(None, None, None), (at(0), Timestamp::MAX));
        assert_eq!(of(None, None, Some(ReminderStatus::Overdue)), (at(0), at(1_000)));
        assert_eq!(
            of(Some(at(5)), None, Some(ReminderStatus::Upcoming)),
            (at(1_000), Timestamp::MAX)
        );
        assert_eq!(of(Some(at(5)), Some(at(9)), Some(ReminderStatus::Overdue)), (at(5), at(9)));
    }
}
