//! `/act/{token}`: what the links in messages lead to.
//!
//! Mail scanners and chat previews open links, so opening one only shows a page. Its button sends the
//! form, and that does it.

use crate::links::{Checked, Links, TokenRefused};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use reminder_client::wire::CommandAnswer;
use reminder_client::{CallOptions, CorrelationId, Delay, Ring, Snooze};
use reminder_domain::Timestamp;
use reminder_member::{Flow, Sidecar, SidecarError, clock};
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument as _;
use uuid::Uuid;

/// How long the page waits for the task's title. It is only there so that people see what they do.
const TITLE_DEADLINE: Duration = Duration::from_secs(2);

/// What the routes need.
pub(crate) struct Actions {
    /// For the scheduler.
    pub(crate) sidecar: Sidecar,
    /// For the tokens.
    pub(crate) links: Links,
}

/// The routes.
pub(crate) fn router(actions: Actions) -> Router {
    Router::new().route("/act/{token}", get(ask).post(act)).with_state(Arc::new(actions))
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    heading: String,
    words: String,
    button: Option<&'static str>,
    /// Whether it tells what came of pressing the button.
    is_outcome: bool,
    nonce: String,
}

impl Page {
    fn new(heading: impl Into<String>, words: impl Into<String>) -> Self {
        let nonce = Uuid::new_v4().simple().to_string();
        Self {
            heading: heading.into(),
            words: words.into(),
            button: None,
            is_outcome: false,
            nonce,
        }
    }

    fn outcome(heading: impl Into<String>, words: impl Into<String>) -> Self {
        Self { is_outcome: true, ..Self::new(heading, words) }
    }

    /// Nothing of the page is kept, told to others, framed, or loaded from elsewhere.
    fn answer(self, status: StatusCode) -> Response {
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{}'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
            self.nonce
        );
        let headers = [
            (CACHE_CONTROL, "no-store".to_owned()),
            (CONTENT_SECURITY_POLICY, policy),
            (REFERRER_POLICY, "no-referrer".to_owned()),
            (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            (HeaderName::from_static("x-robots-tag"), "noindex".to_owned()),
        ];
        match self.render() {
            Ok(page) => (status, headers, Html(page)).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page cannot be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// Shows what the link would do.
async fn ask(State(actions): State<Arc<Actions>>, Path(token): Path<String>) -> Response {
    let checked = match actions.links.check(&token, clock::now()) {
        Ok(checked) => checked,
        Err(refused) => return refusal(refused),
    };
    let flow = flow_of(&checked);
    let title = actions.title(&checked, &flow).instrument(span(&flow, &checked)).await;
    let words = checked.claims.action.promise();
    let mut page = Page::new(title.unwrap_or_else(|| "Your reminder".to_owned()), words);
    page.button = Some(checked.claims.action.label());
    page.answer(StatusCode::OK)
}

/// Does it.
async fn act(State(actions): State<Arc<Actions>>, Path(token): Path<String>) -> Response {
    let checked = match actions.links.check(&token, clock::now()) {
        Ok(checked) => checked,
        Err(refused) => return refusal(refused),
    };
    let flow = flow_of(&checked);
    actions.act(&checked, &flow).instrument(span(&flow, &checked)).await
}

impl Actions {
    async fn act(&self, checked: &Checked, flow: &Flow) -> Response {
        match self.done(checked, flow).await.map_err(SidecarError::from) {
            Ok(answer) => {
                tracing::info!(version = answer.version, "a link was used");
                done(checked, answer.next_reminder_at).answer(StatusCode::OK)
            }
            Err(error) => {
                tracing::warn!(%error, "a link could not be used");
                let (status, page) = not_done(&error, checked);
                page.answer(status)
            }
        }
    }

    /// Has the scheduler do it.
    async fn done(
        &self,
        checked: &Checked,
        flow: &Flow,
    ) -> Result<CommandAnswer<'static>, reminder_client::Error> {
        let scheduler = self.sidecar.scheduler(flow);
        let (task, options) = (&checked.claims.task, options(checked));
        let reminder_id = Some(checked.claims.reminder.clone());
        match checked.claims.action.snooze() {
            None => scheduler.acknowledge(task, &Ring { reminder_id }, &options).await,
            Some(delay) => {
                let delay = Delay::For(delay);
                scheduler.snooze(task, &Snooze { reminder_id, delay }, &options).await
            }
        }
    }

    /// The title of the task, if the scheduler tells it soon.
    async fn title(&self, checked: &Checked, flow: &Flow) -> Option<String> {
        let scheduler = self.sidecar.scheduler(flow);
        let told = tokio::time::timeout(TITLE_DEADLINE, scheduler.get(&checked.claims.task)).await;
        match told.ok()?.map_err(SidecarError::from) {
            Ok(view) => Some(view.task.title.to_string()),
            Err(error) => {
                tracing::info!(%error, "the title of the task is not known");
                None
            }
        }
    }
}

/// The command's id follows from the link, so pressing twice does it once.
fn options(checked: &Checked) -> CallOptions {
    let key = CorrelationId::parse(checked.command_id.as_str());
    CallOptions { idempotency_key: key.ok(), ..CallOptions::default() }
}

fn done(checked: &Checked, next: Option<Timestamp>) -> Page {
    if checked.claims.action.snooze().is_none() {
        return Page::outcome("Done", "You will not be reminded of this any more.");
    }
    let again = next.map(|at| at.to_datetime().format("%A, %-d %B, %H:%M UTC").to_string());
    let words = again.map_or_else(
        || "You will be reminded again.".to_owned(),
        |at| format!("The next reminder comes on {at}."),
    );
    Page::outcome("Put off", words)
}

fn not_done(error: &SidecarError, checked: &Checked) -> (StatusCode, Page) {
    if let SidecarError::Refused(problem) = error {
        match problem.status {
            404 => {
                let words = "The task was deleted meanwhile.";
                return (StatusCode::NOT_FOUND, Page::outcome("There is nothing to do", words));
            }
            409 => {
                let words = "The task was done or changed meanwhile, and does not ring any more.";
                return (StatusCode::CONFLICT, Page::outcome("There is nothing to do", words));
            }
            _ => {}
        }
    }
    let words = "That did not work just now. Nothing is lost: please try again in a moment.";
    let mut page = Page::outcome("Please try again", words);
    page.button = Some(checked.claims.action.label());
    (StatusCode::SERVICE_UNAVAILABLE, page)
}

fn refusal(refused: TokenRefused) -> Response {
    match refused {
        TokenRefused::Expired => {
            let words = "It was valid for a while only. A newer message has newer links.";
            Page::new("This link has expired", words).answer(StatusCode::GONE)
        }
        TokenRefused::Forged => {
            let words = "It may have been cut off on its way: please copy all of it.";
            Page::new("This link cannot be used", words).answer(StatusCode::NOT_FOUND)
        }
    }
}

/// What a person does now is a trace of its own, in the flow of the task.
fn flow_of(checked: &Checked) -> Flow {
    let mut headers = axum::http::HeaderMap::new();
    let id = checked.claims.correlation_id.as_deref().and_then(|id| id.parse().ok());
    if let Some(id) = id {
        headers.insert(reminder_member::flow::CORRELATION_ID, id);
    }
    Flow::from_headers(&headers)
}

fn span(flow: &Flow, checked: &Checked) -> tracing::Span {
    let span = flow.span();
    span.record("event.id", checked.claims.event_id.as_str());
    span.record("task.id", checked.claims.task.as_str());
    span
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::links::{self, Action};
    use crate::message::tests::message;

    fn checked(action: Action) -> Checked {
        let link = message().links.into_iter().find(|link| link.action == action).unwrap();
        let token = link.url.rsplit('/').next().unwrap().to_owned();
        links::tests::links().check(&token, Timestamp::from_millis(1_800_000_000_001)).unwrap()
    }

    #[test]
    fn every_command_is_named_and_puts_off_as_its_button_says() {
        for action in Action::ALL {
            assert!(options(&checked(action)).idempotency_key.is_some(), "{action:?}");
        }
        let delays = serde_json::to_value(Action::ALL.map(Action::snooze)).unwrap();
        assert_eq!(delays, serde_json::json!([null, "PT10M", "PT1H", "P1D"]));
    }

    #[test]
    fn a_title_is_no_markup_on_the_page() {
        let page = Page::new("<img src=x onerror=alert(1)>", "words & more").render().unwrap();
        assert!(!page.contains("<img") && page.contains("&#60;img"), "{page}");
        assert!(!page.contains("<form"), "nothing to press without a button");
    }
}
