//! Turns to take events from, and files to compare with.

use reminder_contract::wire::{Method, parse_command};
use reminder_domain::decide::{Change, Turn, decide, decide_wake};
use reminder_domain::state::{PendingCommit, Snapshot, Stamp};
use reminder_domain::{Command, Event, Origin, TaskId, TaskState, Timestamp};
use std::path::{Path, PathBuf};

/// A moment all fixtures agree on: 2027-01-15T12:00:00Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2027-01-15T12:00:00Z").unwrap()
}

/// The events of one commit with all that is needed to encode them.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) pending: PendingCommit,
    pub(crate) snapshot: Snapshot,
    pub(crate) incarnation: u32,
}

impl Commit {
    pub(crate) fn encode(&self, task: &TaskId, event: &Event) -> Vec<u8> {
        let Self { pending, snapshot, incarnation } = self;
        reminder_contract::cloud_event::encode(task, *incarnation, pending, snapshot, event)
    }

    pub(crate) fn encode_all(&self, task: &TaskId) -> Vec<Vec<u8>> {
        self.pending.events.iter().map(|event| self.encode(task, event)).collect()
    }
}

/// A task that goes through real decisions, keeping each commit's events.
pub(crate) struct Story {
    pub(crate) id: TaskId,
    pub(crate) state: Option<TaskState>,
    pub(crate) commits: Vec<Commit>,
}

impl Story {
    pub(crate) fn new(id: &str) -> Self {
        Self { id: TaskId::parse(id).unwrap(), state: None, commits: Vec::new() }
    }

    /// Sends a command as a caller would; a refusal leaves the task as it was.
    pub(crate) fn send(&mut self, method: Method, body: &str, now: Timestamp) -> &mut Self {
        let command = parse_command(method, body.as_bytes()).unwrap_or_else(|problem| {
            panic!("{body} was refused: {problem}");
        });
        self.decide(&command, now)
    }

    /// The same with a command that no body says.
    pub(crate) fn decide(&mut self, command: &Command, now: Timestamp) -> &mut Self {
        if let Ok(turn) = decide(&self.id, self.state.as_ref(), command, None, now) {
            self.take(turn, command.origin.clone(), now);
        }
        self
    }

    /// Wakes the task, with the origin that the service gives to such a commit.
    pub(crate) fn wake(&mut self, now: Timestamp) -> &mut Self {
        if let Some(state) = self.state.clone() {
            let origin = state.live().map(|live| live.origin.clone()).unwrap_or_default();
            self.take(decide_wake(&state, now), origin, now);
        }
        self
    }

    fn take(&mut self, turn: Turn, origin: Origin, now: Timestamp) {
        let Turn::Commit(change) = turn else { return };
        let Change { state, events, snapshot, .. } = *change;
        let snapshot = snapshot.or_else(|| state.snapshot()).expect("there is a task to tell of");
        let stamp = Stamp { epoch: 1, n: self.commits.len() as u64 + 1 };
        let pending = PendingCommit {
            stamp,
            at: now,
            origin,
            snapshot: None,
            incarnation: None,
            trace: None,
            events,
        };
        self.commits.push(Commit { pending, snapshot, incarnation: state.incarnation });
        self.state = Some(state);
    }

    /// Every event told so far, encoded.
    pub(crate) fn events(&self) -> Vec<Vec<u8>> {
        self.commits.iter().flat_map(|commit| commit.encode_all(&self.id)).collect()
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a workspace").to_owned()
}

/// Compares a text with a committed file, or writes the file when asked to.
pub(crate) fn check_file(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "{} is not what the code says; if that is meant, run\n    \
         UPDATE_SCHEMAS=1 cargo test -p reminder-contract\n{}",
        path.display(),
        first_difference(&committed, text)
    );
}

fn first_difference(committed: &str, text: &str) -> String {
    let differs = committed.lines().zip(text.lines()).find(|(old, new)| old != new);
    differs.map_or_else(String::new, |(old, new)| format!("committed: {old}\nnow:       {new}"))
}
