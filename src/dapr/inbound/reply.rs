//! Answers of actor methods, written so that they reach the caller untouched.

use crate::quota::OverQuota;
use crate::turn::record::UnreadableState;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use reminder_contract::problem::{CONTENT_TYPE, ERROR_HEADER};
use reminder_contract::{Problem, ProblemKind};

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static(CONTENT_TYPE);
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a caller is told when something needed did not answer.
pub(super) const REPEAT_IT: &str = "a part that the service needs did not answer; repeat the command, \
                                    it is not applied twice";

/// What a caller is told whose task or user has a state that cannot be used.
pub(super) fn unreadable(why: &UnreadableState) -> Problem {
    let kind = match why {
        UnreadableState::Newer { .. } => ProblemKind::NewerState,
        UnreadableState::Damaged(_) | UnreadableState::Missing | UnreadableState::Panicked => {
            ProblemKind::DamagedState
        }
    };
    Problem::new(kind, format!("{why}; an operator finds it with `reminder-scheduler repair list`"))
}

/// What a caller is told whose user has had too much already.
pub(super) fn over_quota(over: OverQuota) -> Problem {
    match over {
        OverQuota::OpenTasks(_) => Problem::new(ProblemKind::TooManyOpenTasks, over.to_string()),
        OverQuota::Commands { retry_after_seconds, .. } => {
            Problem::new(ProblemKind::TooManyCommands, over.to_string())
                .retry_after(retry_after_seconds)
        }
    }
}

/// An answer.
pub fn answer(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// A refusal, as an actor's caller gets it: with any other status than 200 Dapr would put the body
/// inside a string, so the status is in the body and a header says that this is an error.
pub fn refusal(problem: &Problem) -> Response {
    let mut response = problem_body(problem);
    response.headers_mut().insert(ERROR_HEADER, HeaderValue::from_static("true"));
    response
}

/// A refusal with its true status, for callers other than the sidecar.
pub fn direct(problem: &Problem) -> Response {
    let mut response = problem_body(problem);
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn problem_body(problem: &Problem) -> Response {
    let mut response = Response::new(Body::from(problem.to_json()));
    response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
    if let Some(seconds) = problem.retry_after_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
