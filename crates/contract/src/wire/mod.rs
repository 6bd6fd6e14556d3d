//! The bodies of the actor methods, both ways.

mod answer;
mod body;
mod command;
mod query;
pub(crate) mod read;
mod user;
mod view;

pub use answer::CommandAnswer;
pub use command::{Method, parse_command, parse_task_id};
pub use query::{
    Query, Question, parse_explain, parse_export, parse_get, parse_nothing, parse_preview,
};
pub use user::{
    UserAnswer, UserPaused, UserTasks, UserView, parse_user_pause, parse_user_put,
    parse_user_resume,
};
pub use view::{CalendarView, ExplanationView, FiringView, PreviewView, StepView, TaskView};

use crate::problem::Problem;
use serde::Serialize;

/// Room for a usual answer, in bytes.
const ANSWER_CAPACITY_BYTES: usize = 256;

fn check_size(body: &[u8], max: usize) -> Result<(), Problem> {
    if body.len() > max { Err(Problem::too_large(body.len(), max)) } else { Ok(()) }
}

/// Some clients send `null` for "no body".
fn is_empty(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    body.is_empty() || body == b"null"
}

/// An object in place of no body.
fn or_empty(body: &[u8]) -> &[u8] {
    if is_empty(body) { b"{}" } else { body }
}

/// Writes one of our own types, which always serialise.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ANSWER_CAPACITY_BYTES);
    serde_json::to_writer(&mut bytes, value).expect("strings, numbers and lists always serialise");
    bytes
}
