//! Calls of the actors, and their answers told apart: an actor's refusal is a problem in its body.

use super::Rest;
use super::asked::{Asked, Meta};
use super::body::MethodBody;
use super::precondition::Expected;
use reminder_contract::names::{ACTOR_TYPE, USER_ACTOR_TYPE};
use reminder_contract::user_id::to_actor_id;
use reminder_contract::wire::Method;
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a caller is told when an actor could not be reached.
const REPEAT_IT: &str = "the actor could not be reached, and whether a command was applied may be unknown; \
                         repeat it with the same Idempotency-Key";

/// An answer, and what the edge wants to know of it.
pub(super) struct Answered {
    /// The version that the task or user is at.
    pub(super) version: u64,
    /// Whether it was made just now.
    pub(super) created: bool,
    /// As the actor wrote it.
    pub(super) body: Vec<u8>,
}

#[derive(Deserialize)]
struct Known {
    /// An explanation has none.
    #[serde(default)]
    version: u64,
    #[serde(default)]
    created: Option<bool>,
    /// Only a problem has one.
    #[serde(default, rename = "type")]
    problem: Option<IgnoredAny>,
}

impl Rest {
    /// Sends a command to a task.
    pub(super) async fn command(
        &self,
        id: &TaskId,
        method: Method,
        asked: &Asked,
        body: impl FnOnce(MethodBody) -> MethodBody,
    ) -> Result<Answered, Problem> {
        let expected = asked.expected()?;
        self.refuse_weak(id, &asked.meta, expected).await?;
        let body = body(MethodBody::command(&asked.meta, expected.version())).into_bytes();
        let answer = self.task(id, method.as_str(), body).await;
        answer.map_err(|problem| precondition(problem, expected))
    }

    /// Refuses a command with a weak tag, whatever is there: RFC 9110 §13.1.1.
    pub(super) async fn refuse_weak(
        &self,
        id: &TaskId,
        meta: &Meta,
        expected: Expected,
    ) -> Result<(), Problem> {
        if expected != Expected::Never {
            return Ok(());
        }
        let at = self.ask(id, "get", MethodBody::question(meta)).await?.version;
        let detail = format!("the task is at version {at}; If-Match takes no weak tag");
        let problem = Problem::new(ProblemKind::PreconditionFailed, detail);
        Err(problem.at_version(at).with_task_id(id))
    }

    /// Asks a task something.
    pub(super) async fn ask(
        &self,
        id: &TaskId,
        method: &'static str,
        body: MethodBody,
    ) -> Result<Answered, Problem> {
        self.task(id, method, body.into_bytes()).await
    }

    /// Calls a method of a task.
    pub(super) async fn task(
        &self,
        id: &TaskId,
        method: &'static str,
        body: Vec<u8>,
    ) -> Result<Answered, Problem> {
        let called = self.actors.call(ACTOR_TYPE, id.to_string(), method, body).await;
        let answer = called.map_err(|error| {
            tracing::warn!(task.id = %id, method, %error, "an actor could not be called");
            Problem::unavailable(REPEAT_IT).with_task_id(id)
        })?;
        told(answer).map_err(|problem| problem.with_task_id(id))
    }

    /// Calls a method of a user.
    pub(super) async fn user(
        &self,
        user: &Person,
        method: &'static str,
        body: MethodBody,
    ) -> Result<Answered, Problem> {
        let id = to_actor_id(user);
        let called = self.actors.call(USER_ACTOR_TYPE, id, method, body.into_bytes()).await;
        let answer = called.map_err(|error| {
            tracing::warn!(method, %error, "the actor of a user could not be called");
            Problem::unavailable(REPEAT_IT).with_user_id(user)
        })?;
        told(answer)
    }
}

/// A conflict of versions fails the precondition, if there was one.
pub(super) fn precondition(problem: Problem, expected: Expected) -> Problem {
    let conflicts = problem.kind() == Some(ProblemKind::VersionConflict);
    if conflicts && expected != Expected::Anything {
        return problem.as_failed_precondition();
    }
    problem
}

fn told(body: Vec<u8>) -> Result<Answered, Problem> {
    if let Ok(Known { version, created, problem: None }) = serde_json::from_slice(&body) {
        return Ok(Answered { version, created: created == Some(true), body });
    }
    Err(serde_json::from_slice(&body).unwrap_or_else(|_| {
        tracing::error!("an actor answered what is neither an answer nor a problem");
        Problem::unavailable(REPEAT_IT)
    }))
}
