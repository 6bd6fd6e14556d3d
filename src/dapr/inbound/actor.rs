//! The `TaskActor` as the SDK sees it: it parses, asks the driver for a turn, and words the answer.

use super::argument::argument;
use super::behalf::{Behalf, shown};
use super::flow::complete;
use super::internal::{
    ERASE, EraseRequest, INGEST, Ingested, NO_VERSION, PURGE, REFRESH, SETTLE, SettleRequest,
};
use super::registry::{Hosted, Registry};
use super::reply;
use crate::dapr::outbound::Sidecar;
use crate::turn::cell::Cell;
use crate::turn::driver::Driver;
use crate::turn::effect::{Reply, Request};
use async_trait::async_trait;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;
use dapr::server::actor::runtime::ActorTypeRegistration;
use dapr::server::actor::{Actor, ActorError};
use dapr_macros::actor;
use reminder_contract::incoming::{self, Incoming};
use reminder_contract::names::ACTOR_TYPE;
use reminder_contract::wire::{self, CommandAnswer, Method, Question, TaskView};
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::ids::Person;
use reminder_domain::{Command, TaskId};
use std::sync::Arc;

/// The drivers and actors of this process.
pub type Turns = Driver<Sidecar>;

/// One task.
#[actor]
#[derive(Debug)]
pub struct TaskActor {
    id: String,
    /// The refusal, when the id is not one that a task may have.
    cell: Result<Arc<Cell>, Problem>,
    turns: Arc<Turns>,
    registry: Arc<Registry<TaskActor>>,
}

/// Tells the SDK of the actor and its methods.
pub fn registration(
    turns: Arc<Turns>,
    registry: Arc<Registry<TaskActor>>,
) -> ActorTypeRegistration {
    let factory = move |_: &str, id: &str, _| -> Arc<dyn Actor> {
        registry.activate(id, || TaskActor {
            id: id.to_owned(),
            cell: wire::parse_task_id(id).map(Cell::new),
            turns: Arc::clone(&turns),
            registry: Arc::clone(&registry),
        })
    };
    ActorTypeRegistration::new::<TaskActor>(ACTOR_TYPE, Box::new(factory))
        .register_method("get", TaskActor::get)
        .register_method("preview", TaskActor::preview)
        .register_method("explain", TaskActor::explain)
        .register_method("exportCalendar", TaskActor::export_calendar)
        .register_method(Method::Put.as_str(), TaskActor::put)
        .register_method(Method::Complete.as_str(), TaskActor::complete)
        .register_method(Method::Reopen.as_str(), TaskActor::reopen)
        .register_method(Method::Delete.as_str(), TaskActor::delete)
        .register_method(Method::Skip.as_str(), TaskActor::skip)
        .register_method(Method::PutReminder.as_str(), TaskActor::put_reminder)
        .register_method(Method::RemoveReminder.as_str(), TaskActor::remove_reminder)
        .register_method(Method::Snooze.as_str(), TaskActor::snooze)
        .register_method(Method::Acknowledge.as_str(), TaskActor::acknowledge)
        .register_method(Method::Dismiss.as_str(), TaskActor::dismiss)
        .register_method(Method::Pause.as_str(), TaskActor::pause)
        .register_method(Method::Resume.as_str(), TaskActor::resume)
        .register_method(Method::ImportCalendar.as_str(), TaskActor::import_calendar)
        .register_method(SETTLE, TaskActor::settle)
        .register_method(REFRESH, TaskActor::refresh)
        .register_method(PURGE, TaskActor::purge)
        .register_method(ERASE, TaskActor::erase)
        .register_method(INGEST, TaskActor::ingest)
}

impl Hosted for TaskActor {
    /// Makes the next turn load the state whatever is known of it.
    fn forget(&self) {
        if let Ok(cell) = &self.cell {
            cell.forget();
        }
    }
}

impl TaskActor {
    /// What is known of it, if its id is one that a task may have.
    pub(super) fn cell(&self) -> Option<&Arc<Cell>> {
        self.cell.as_ref().ok()
    }

    async fn get(&self, body: Bytes) -> Response {
        self.ask(wire::parse_get(&argument(body))).await
    }

    async fn preview(&self, body: Bytes) -> Response {
        self.ask(wire::parse_preview(&argument(body))).await
    }

    async fn explain(&self, body: Bytes) -> Response {
        self.ask(wire::parse_explain(&argument(body))).await
    }

    async fn export_calendar(&self, body: Bytes) -> Response {
        self.ask(wire::parse_export(&argument(body))).await
    }

    async fn import_calendar(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::ImportCalendar, headers, body).await
    }

    async fn put(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::Put, headers, body).await
    }

    async fn complete(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::Complete, headers, body).await
    }

    async fn reopen(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::Reopen, headers, body).await
    }

    async fn delete(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::Delete, headers, body).await
    }

    async fn skip(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::Skip, headers, body).await
    }

    async fn put_reminder(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::PutReminder, headers, body).await
    }

    async fn remove_reminder(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::RemoveReminder, headers, body).await
    }

    async fn snooze(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::Snooze, headers, body).await
    }

    async fn acknowledge(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::Acknowledge, headers, body).await
    }

    async fn dismiss(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::Dismiss, headers, body).await
    }

    async fn pause(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::Pause, headers, body).await
    }

    async fn resume(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(Method::Resume, headers, body).await
    }

    async fn settle(&self, body: Bytes) -> Response {
        let request = serde_json::from_slice(&body)
            .map(|SettleRequest { at_least }| Request::Settle { at_least })
            .map_err(|error| Problem::new(ProblemKind::MalformedJson, error.to_string()));
        self.answer_with(request, settled).await
    }

    async fn refresh(&self, body: Bytes) -> Response {
        self.answer_with(wire::parse_nothing(&body).map(|()| Request::Refresh), settled).await
    }

    async fn purge(&self, body: Bytes) -> Response {
        let request = serde_json::from_slice(&body)
            .map(Request::Purge)
            .map_err(|error| Problem::new(ProblemKind::MalformedJson, error.to_string()));
        self.answer(request).await
    }

    async fn erase(&self, body: Bytes) -> Response {
        let request = serde_json::from_slice(&body)
            .map(|EraseRequest { user_id }| Request::Erase(user_id))
            .map_err(|error| Problem::new(ProblemKind::MalformedJson, error.to_string()));
        self.answer_with(request, settled).await
    }

    async fn ingest(&self, headers: HeaderMap, body: Bytes) -> Response {
        let request = news(&self.id, &body).map(|mut command| {
            complete(&mut command.origin, &headers);
            Request::Command(Box::new(command))
        });
        self.answer_with(request, ingested).await
    }

    async fn command(&self, method: Method, headers: HeaderMap, body: Bytes) -> Response {
        let request = wire::parse_command(method, &argument(body)).map(|mut command| {
            complete(&mut command.origin, &headers);
            Request::Command(Box::new(command))
        });
        self.answer(request).await
    }

    async fn ask(&self, question: Result<Question, Problem>) -> Response {
        let request = question.as_ref().map(|_| Request::Get).map_err(Clone::clone);
        let asks = question.as_ref().ok().and_then(|question| question.as_user.clone());
        let words = move |id: &TaskId, reply| shown(id, reply, &question?);
        self.answer_to(asks, request, words).await
    }

    async fn answer(&self, request: Result<Request, Problem>) -> Response {
        self.answer_with(request, written).await
    }

    async fn answer_with(
        &self,
        request: Result<Request, Problem>,
        words: impl FnOnce(&TaskId, Reply) -> Result<Vec<u8>, Problem> + Send,
    ) -> Response {
        self.answer_to(None, request, words).await
    }

    /// Everything after the parsing. It copies what it needs first and does not touch `self` after
    /// that: see [`super::registry`]. A command says itself on whose behalf it is, a question by `asks`.
    async fn answer_to(
        &self,
        asks: Option<Person>,
        request: Result<Request, Problem>,
        words: impl FnOnce(&TaskId, Reply) -> Result<Vec<u8>, Problem> + Send,
    ) -> Response {
        let (cell, turns) = (self.cell.clone(), Arc::clone(&self.turns));
        let (cell, request) = match (cell, request) {
            (Ok(cell), Ok(request)) => (cell, request),
            (Err(problem), _) => return reply::refusal(&problem),
            (Ok(cell), Err(problem)) => {
                return reply::refusal(&problem.with_task_id(cell.id()));
            }
        };
        let id = cell.id().clone();
        let behalf = Behalf::of(&id, &request, asks);
        let mut reply = turns.run(&cell, request).await;
        if let Some(behalf) = behalf {
            reply = behalf.judge(&turns, &id, reply).await;
        }
        match words(&id, reply) {
            Ok(body) => reply::answer(body),
            Err(problem) => {
                tracing::debug!(
                    task.id = %id, status = problem.status, reason = %problem.detail, "refused"
                );
                reply::refusal(&problem.with_task_id(&id))
            }
        }
    }
}

/// The answer to another part of this service, which is no failure where nothing can be done.
fn settled(id: &TaskId, reply: Reply) -> Result<Vec<u8>, Problem> {
    match reply {
        Reply::Unreadable(_) => written(id, Reply::Awake(NO_VERSION)),
        reply => written(id, reply),
    }
}

/// The command of an event, which must be about this task.
fn news(id: &str, event: &[u8]) -> Result<Command, Problem> {
    match incoming::read(event) {
        Ok(Incoming::Task(news)) if news.task_id.as_str() == id => Ok(news.command),
        Ok(_) => Err(Problem::invalid("taskId", "is another one than that of the actor")),
        Err(unreadable) => Err(Problem::new(ProblemKind::InvalidInput, unreadable.detail)),
    }
}

/// The answer to ingestion, which wants to know whether there was anything to do.
fn ingested(id: &TaskId, reply: Reply) -> Result<Vec<u8>, Problem> {
    match reply {
        Reply::Answer(answer) => {
            let reached = Ingested { version: answer.version, applied: answer.created.is_some() };
            Ok(format!(r#"{{"version":{},"applied":{}}}"#, reached.version, reached.applied)
                .into_bytes())
        }
        reply => written(id, reply),
    }
}

/// The answer to everything else.
pub(super) fn written(id: &TaskId, reply: Reply) -> Result<Vec<u8>, Problem> {
    match reply {
        Reply::Answer(answer) => Ok(CommandAnswer::new(id, answer).to_json()),
        Reply::View(state) => Ok(TaskView::new(id, Some(&state))?.to_json()),
        Reply::Awake(version) => Ok(format!(r#"{{"version":{version}}}"#).into_bytes()),
        Reply::Rejected(rejection) => Err(Problem::from(rejection)),
        Reply::Unreadable(why) => Err(reply::unreadable(&why)),
        Reply::OverQuota(over) => Err(reply::over_quota(over)),
        Reply::Overloaded(reason) => Err(Problem::new(ProblemKind::Overloaded, reason)),
        Reply::Unavailable(reason) => {
            tracing::warn!(task.id = %id, reason, "a turn could not be done");
            Err(Problem::new(ProblemKind::Unavailable, reply::REPEAT_IT))
        }
    }
}

#[async_trait]
impl Actor for TaskActor {
    async fn on_activate(&self) -> Result<(), ActorError> {
        Ok(())
    }

    /// Returns at once: the sidecar holds a lock of the whole actor type meanwhile.
    async fn on_deactivate(&self) -> Result<(), ActorError> {
        self.registry.deactivate(&self.id);
        Ok(())
    }

    async fn on_reminder(&self, _name: &str, _data: Vec<u8>) -> Result<(), ActorError> {
        let cell = match &self.cell {
            Ok(cell) => Arc::clone(cell),
            // Nothing can be due for an id that no task may have; 200 makes the reminder go away.
            Err(_) => return Ok(()),
        };
        self.turns.wake(&cell).await.map_err(|reason| {
            tracing::warn!(task.id = %cell.id(), reason, "a wake failed; Dapr repeats it");
            ActorError::MethodError(reason.into())
        })
    }

    async fn on_timer(&self, _name: &str, _data: Vec<u8>) -> Result<(), ActorError> {
        // This service registers no timers.
        Ok(())
    }
}
