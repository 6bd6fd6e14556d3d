//! What is done with a task or asked about it: one actor method each.

use super::Rest;
use super::answer::{self, Refusal};
use super::asked::{Asked, COMMAND_MAX_BYTES};
use super::body::{self, MethodBody};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use reminder_contract::Problem;
use reminder_contract::rest::JSON;
use reminder_contract::wire::Method;
use serde_json::Value;

/// Declares the handlers whose body is that of the actor method.
macro_rules! commands {
    ($($(#[$doc:meta])* $handler:ident = $method:ident, $path:tt, $body:tt;)*) => {
        $(
            $(#[$doc])*
            #[utoipa::path(
                post, path = $path, tag = "tasks",
                request_body(content = ref($body), content_type = "application/json"),
                responses((
                    status = 200, description = "Applied, now or before",
                    content_type = "application/json",
                    body = ref("#/components/schemas/CommandAnswer")
                ))
            )]
            pub(super) async fn $handler(
                State(rest): State<Rest>,
                asked: Asked,
                body: Body,
            ) -> Result<Response, Refusal> {
                command(&rest, Method::$method, asked, body).await
            }
        )*
    };
}

commands! {
    /// The task is done.
    complete = Complete, "/v1/tasks/{taskId}/complete", "#/components/schemas/Nothing";
    /// The task is not done after all.
    reopen = Reopen, "/v1/tasks/{taskId}/reopen", "#/components/schemas/Nothing";
    /// An occurrence does not take place.
    skip = Skip, "/v1/tasks/{taskId}/skip", "#/components/schemas/Skip";
    /// What rang fires again later.
    snooze = Snooze, "/v1/tasks/{taskId}/snooze", "#/components/schemas/Snooze";
    /// What rang was seen.
    acknowledge = Acknowledge, "/v1/tasks/{taskId}/acknowledge", "#/components/schemas/Ring";
    /// What rang was seen, and what has not rung will not.
    dismiss = Dismiss, "/v1/tasks/{taskId}/dismiss", "#/components/schemas/Ring";
    /// Nothing of the task fires until it is resumed.
    pause = Pause, "/v1/tasks/{taskId}/pause", "#/components/schemas/Nothing";
    /// The task fires again; what fell due meanwhile does so at once, or is skipped.
    resume = Resume, "/v1/tasks/{taskId}/resume", "#/components/schemas/Resume";
}

async fn command(
    rest: &Rest,
    method: Method,
    mut asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    let id = asked.task()?;
    asked.without_query()?;
    let body = body::read(&asked.headers, body, JSON, COMMAND_MAX_BYTES).await?;
    let fields = body::fields(&body)?;
    let answered = rest.command(&id, method, &asked, |body| body.with_fields(fields)).await?;
    Ok(answer::json(answered.version, answered.body))
}

/// Adds a reminder, or changes the one of that id.
#[utoipa::path(put, path = "/v1/tasks/{taskId}/reminders/{reminderId}", tag = "reminders", request_body(content = ref("#/components/schemas/ReminderBody"), content_type = "application/json"), responses((status = 200, description = "Applied, now or before", content_type = "application/json", body = ref("#/components/schemas/CommandAnswer"))))]
pub(super) async fn put_reminder(
    State(rest): State<Rest>,
    mut asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    let (id, reminder_id, if_past) = (asked.task()?, asked.reminder()?, asked.if_past()?);
    let body = body::read(&asked.headers, body, JSON, COMMAND_MAX_BYTES).await?;
    let fields = body::fields(&body)?;
    let mut reminder: serde_json::Map<String, Value> =
        serde_json::from_str(&format!("{{{fields}}}")).unwrap_or_default();
    // A reminder that was read has its id in it.
    let named = reminder.insert("id".into(), reminder_id.as_str().into());
    if named.is_some_and(|named| named != reminder_id.as_str()) {
        return Err(Problem::invalid("id", "must be that of the path, or left out").into());
    }
    let put = |mut method: MethodBody| {
        method.optional("ifPast", if_past.as_deref());
        method.with("reminder", &reminder)
    };
    let answered = rest.command(&id, Method::PutReminder, &asked, put).await;
    let answered = answered.map_err(|problem| problem.within("reminder"))?;
    Ok(answer::json(answered.version, answered.body))
}

/// Takes a reminder off.
#[utoipa::path(delete, path = "/v1/tasks/{taskId}/reminders/{reminderId}", tag = "reminders", responses((status = 200, description = "Applied, now or before", content_type = "application/json", body = ref("#/components/schemas/CommandAnswer"))))]
pub(super) async fn remove_reminder(
    State(rest): State<Rest>,
    mut asked: Asked,
) -> Result<Response, Refusal> {
    let (id, reminder) = (asked.task()?, asked.reminder()?);
    asked.without_query()?;
    let remove = |method: MethodBody| method.with("reminderId", reminder.as_str());
    let answered = rest.command(&id, Method::RemoveReminder, &asked, remove).await?;
    Ok(answer::json(answered.version, answered.body))
}

/// What fires next, and by which rules.
#[utoipa::path(get, path = "/v1/tasks/{taskId}/preview", tag = "tasks", responses((status = 200, description = "What fires next", content_type = "application/json", body = ref("#/components/schemas/PreviewView"))))]
pub(super) async fn preview(
    State(rest): State<Rest>,
    mut asked: Asked,
) -> Result<Response, Refusal> {
    let id = asked.task()?;
    let mut params = std::mem::take(&mut asked.params);
    let count = params.number::<usize>("count")?;
    params.nothing_else()?;
    let mut question = MethodBody::question(&asked.meta);
    question.optional("count", count.as_ref());
    let answered = rest.ask(&id, "preview", question).await?;
    // What comes next changes as time goes by, so the version alone would be a wrong tag.
    Ok(answer::untagged(answered.body))
}

/// Why a moment fired when it did, or did not.
#[utoipa::path(get, path = "/v1/tasks/{taskId}/explain", tag = "tasks", responses((status = 200, description = "What became of that moment, and by which rules", content_type = "application/json", body = ref("#/components/schemas/ExplanationView"))))]
pub(super) async fn explain(
    State(rest): State<Rest>,
    mut asked: Asked,
) -> Result<Response, Refusal> {
    let id = asked.task()?;
    let mut params = std::mem::take(&mut asked.params);
    let (reminder, at) = (params.required("reminderId")?, params.required("scheduledFor")?);
    params.nothing_else()?;
    let question = MethodBody::question(&asked.meta);
    let question = question.with("reminderId", &reminder).with("scheduledFor", &at);
    let answered = rest.ask(&id, "explain", question).await?;
    // It depends on the time of day, so it has no tag.
    Ok(answer::untagged(answered.body))
}
