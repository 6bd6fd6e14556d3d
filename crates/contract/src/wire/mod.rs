//! The bodies of the actor methods, both ways.

mod answer;
mod command;
mod read;

pub use answer::{CommandAnswer, TaskView};
pub use command::{Method, parse_command, parse_get, parse_task_id};

use serde::Serialize;

/// Room for a usual answer, in bytes.
const ANSWER_CAPACITY_BYTES: usize = 256;

/// Writes one of our own types, which always serialise.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ANSWER_CAPACITY_BYTES);
    serde_json::to_writer(&mut bytes, value).expect("strings, numbers and lists always serialise");
    bytes
}
