//! The repair of a parked task, where the console may act.

use super::Console;
use crate::config::ConsoleMode;
use crate::http::rest::answer::Refusal;
use crate::http::rest::asked::{Asked, COMMAND_MAX_BYTES};
use crate::http::rest::body;
use crate::http::rest::lists::unanswered;
use crate::repair::{Paused, RepairError, Repaired, Replacement, repair};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use reminder_contract::rest::JSON;
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::{TaskId, Timestamp, next_wake};
use serde::{Deserialize, Serialize};

/// What was done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    /// What was wrong.
    was: String,
    /// The version that it is at now.
    version: u64,
    /// When it fires next; the service registers that within a round of its audit.
    next_reminder_at: Option<Timestamp>,
    /// Whether it is paused, as it was.
    paused: bool,
    /// Whether it was paused before and is not any more, for what was stored does not tell by whom.
    pause_lost: bool,
}

/// A body that leaves a deleted task behind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forget {
    forget: bool,
}

/// Replaces a state that cannot be read: by the body of a `put`, or, with `{"forget": true}`, by a deleted
/// task.
pub(super) async fn replace(
    State(console): State<Console>,
    mut asked: Asked,
    body: Body,
) -> Result<Json<Told>, Refusal> {
    if console.mode != ConsoleMode::Act {
        let detail = "the console is there to look at: set CONSOLE=act";
        return Err(Problem::new(ProblemKind::Forbidden, detail).into());
    }
    let id = asked.task()?;
    asked.without_query()?;
    let body = body::read(&asked.headers, body, JSON, COMMAND_MAX_BYTES).await?;
    let replacement = replacement(body::json(&body)?.get())?;
    let place = console.model.place(&console.users).map_err(|error| unanswered(&error))?;
    match repair(place, &id, &replacement).await {
        Ok(repaired) => {
            tracing::info!(task.id = %id, reason = repaired.why, "a task was repaired from the console");
            let Repaired { why: was, state, paused } = repaired;
            Ok(Json(Told {
                was,
                version: state.version,
                next_reminder_at: next_wake(&state),
                paused: paused == Paused::Still,
                pause_lost: paused == Paused::NoMore,
            }))
        }
        Err(error) => Err(refused(&id, &error).into()),
    }
}

fn replacement(body: &str) -> Result<Replacement, Problem> {
    match serde_json::from_str(body) {
        Ok(Forget { forget: true }) => Ok(Replacement::Tombstone),
        _ => Replacement::of_put(body.as_bytes()),
    }
}

fn refused(id: &TaskId, error: &RepairError) -> Problem {
    let problem = match error {
        RepairError::Refused(why) => Problem::new(ProblemKind::Inapplicable, why.clone()),
        RepairError::Query(_) | RepairError::Call(_) => {
            tracing::warn!(task.id = %id, %error, "a task could not be repaired");
            Problem::unavailable("the database did not answer, or refused; the log says more")
        }
    };
    problem.with_task_id(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_forgets_or_is_that_of_a_put() {
        assert!(matches!(replacement(r#"{"forget":true}"#), Ok(Replacement::Tombstone)));
        let put = replacement(r#"{"task":{"title":"t"}}"#);
        assert!(matches!(put, Ok(Replacement::Task(_))));
        for wrong in ["{}", r#"{"forget":false}"#, r#"{"forget":true,"task":{"title":"t"}}"#] {
            assert!(replacement(wrong).is_err(), "{wrong}");
        }
    }
}
