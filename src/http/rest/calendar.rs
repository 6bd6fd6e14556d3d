//! A task as an iCalendar `VTODO`.

use super::Rest;
use super::answer::{self, Refusal};
use super::asked::Asked;
use super::body::{self, MethodBody};
use super::precondition;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use reminder_contract::rest::CALENDAR;
use reminder_contract::wire::{CalendarView, Method};
use reminder_contract::{Problem, ProblemKind};

/// What a calendar is sent as; RFC 5545 has no other character set.
const CALENDAR_UTF8: &str = "text/calendar; charset=utf-8";

/// The task as a calendar.
#[utoipa::path(get, path = "/v1/tasks/{taskId}/calendar", tag = "tasks", responses((status = 200, description = "One VTODO", content_type = "text/calendar", body = String), (status = 304, description = "It still is at the version of `If-None-Match`")))]
pub(super) async fn export(
    State(rest): State<Rest>,
    mut asked: Asked,
) -> Result<Response, Refusal> {
    let id = asked.task()?;
    asked.without_query()?;
    let answered = rest.ask(&id, "exportCalendar", MethodBody::question(&asked.meta)).await?;
    if precondition::is_known(&asked.headers, answered.version)? {
        return Ok(answer::unchanged(answered.version));
    }
    let view: CalendarView<'_> = serde_json::from_slice(&answered.body).map_err(|error| {
        tracing::error!(task.id = %id, %error, "an actor answered what is no calendar");
        Problem::unavailable("the calendar could not be read")
    })?;
    Ok(answer::of_type(CALENDAR_UTF8, view.version, view.calendar))
}

/// Creates the task or replaces all of it, by a calendar.
#[utoipa::path(put, path = "/v1/tasks/{taskId}/calendar", tag = "tasks", request_body(content = String, content_type = "text/calendar"), responses((status = 200, description = "Applied, now or before", content_type = "application/json", body = ref("#/components/schemas/CommandAnswer")), (status = 201, description = "The task is new; `Location` is where it is", content_type = "application/json", body = ref("#/components/schemas/CommandAnswer"))))]
pub(super) async fn import(
    State(rest): State<Rest>,
    mut asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    let (id, if_past) = (asked.task()?, asked.if_past()?);
    let max = Method::ImportCalendar.body_max_bytes();
    let body = body::read(&asked.headers, body, CALENDAR, max).await?;
    let calendar = std::str::from_utf8(&body)
        .map_err(|_| Problem::new(ProblemKind::InvalidInput, "the body must be UTF-8 text"))?;
    let put = |mut method: MethodBody| {
        method.optional("ifPast", if_past.as_deref());
        method.with("calendar", calendar)
    };
    let answered = rest.command(&id, Method::ImportCalendar, &asked, put).await;
    let answered = answered.map_err(|problem| problem.within("calendar"))?;
    let response = answer::json(answered.version, answered.body);
    Ok(if answered.created { answer::created(response, &id) } else { response })
}
