//! Tasks as callers put them.

use crate::calendar;
use crate::text::{stored, survives};
use reminder_domain::command::{Command, CommandKind, IfPast, Origin, Put};
use reminder_domain::preview::preview;
use reminder_domain::task::TaskFields;
use reminder_domain::{Task, TaskId, Turn, decide, next_wake};

/// How many firings are foreseen.
const PREVIEWED: usize = 20;

/// The JSON of a task, what is decided of it, and what will fire.
pub fn task(data: &[u8]) {
    if data.len() > reminder_domain::limits::PAYLOAD_MAX_BYTES {
        return;
    }
    let Some(fields) = survives::<TaskFields>(data) else { return };
    let Ok(task) = Task::try_from(fields) else { return };
    let put = Put { task: task.clone(), if_past: IfPast::Fire, restored: Vec::new() };
    let command = Command {
        kind: CommandKind::Put(Box::new(put)),
        id: None,
        fingerprint: 0,
        if_version: None,
        as_user: None,
        origin: Origin::default(),
    };
    let id = TaskId::parse("fuzzed").expect("the constant is a valid id");
    let Ok(Turn::Commit(change)) = decide(&id, None, &command, None, crate::now()) else { return };
    let _ = next_wake(&change.state);
    stored(&change.state);
    let firings = preview(&change.state, crate::now(), PREVIEWED);
    let times: Vec<_> = firings.iter().map(|firing| firing.triggered.fired_at).collect();
    assert!(times.is_sorted(), "{times:?}");
    if let Some(live) = change.state.live() {
        calendar::survives(live.task.clone(), Vec::new());
    }
}
