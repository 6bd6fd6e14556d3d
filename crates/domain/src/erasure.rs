//! Everything of one user goes: what is left of a task afterwards says nothing of anybody.
//!
//! A task becomes a tombstone that keeps its numbers, so that its sequences go on without a gap, and the
//! last version of its owner that it followed, so that an older event does not bring it back. What of its
//! events the broker may not have is told all the same, without a word of what it was about.

use crate::command::Origin;
use crate::decide::{Change, Turn, gone};
use crate::ids::{CorrelationId, Person, Title};
use crate::ingested::Followed;
use crate::state::{Lifecycle, PendingCommit, Snapshot, TaskState};
use crate::task::{Status, Task, TaskFields};
use crate::time::Timestamp;

/// The title of what is told of an erased task.
pub const ERASED_TITLE: &str = "(erased)";

impl TaskState {
    /// Whose task it is, or was.
    pub fn user(&self) -> Option<&Person> {
        match &self.lifecycle {
            Lifecycle::Live(live) => live.task.user_id.as_ref(),
            Lifecycle::Deleted { user_id, .. } => user_id.as_ref(),
        }
    }

    /// Whether anything of it, what waits for the broker included, is told as that user's.
    pub fn names(&self, user: &Person) -> bool {
        let told = |commit: &PendingCommit| {
            let snapshot = commit.snapshot.as_ref();
            snapshot.is_some_and(|snapshot| snapshot.task.user_id.as_ref() == Some(user))
        };
        self.user() == Some(user) || self.pending.iter().any(told)
    }

    /// Takes out everything that says whose it was and what about.
    fn blank(&mut self) {
        if let Lifecycle::Deleted { user_id, .. } = &mut self.lifecycle {
            *user_id = None;
        }
        self.commands.clear();
        self.followed = self
            .followed
            .filter(|followed| followed.version.is_some())
            .map(|Followed { version, .. }| Followed { version, fingerprint: 0, said: None });
    }
}

impl PendingCommit {
    /// The same events without a word of what they were about. Without a snapshot of its own, the commit
    /// tells the task as it is beside it.
    pub fn erase(&mut self) {
        self.origin = erased_origin();
        self.trace = None;
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.erase();
        }
    }
}

impl Snapshot {
    /// The same version of a task of which nothing is known but where it stands.
    pub fn erase(&mut self) {
        self.task = erased_task(self.task.status);
        self.alarms.clear();
    }
}

/// The flow that everything belongs to which is told of erased tasks.
pub fn erased_origin() -> Origin {
    let id = CorrelationId::parse("erased").expect("a word is a correlation id");
    Origin { correlation_id: Some(id), traceparent: None }
}

/// A task of which nothing is known but where it stands.
fn erased_task(status: Status) -> Task {
    let title = Title::parse(ERASED_TITLE).expect("a short line is a title");
    let fields = TaskFields {
        title,
        description: None,
        due_date: None,
        start: None,
        recurrence: None,
        priority: crate::task::Priority::default(),
        tags: Vec::new(),
        status,
        assignee: None,
        created_by: None,
        user_id: None,
        reminders: None,
    };
    Task::try_from(fields).expect("a title is all that a task must have")
}

/// Makes a task of the user one of nobody's that is gone; one that is another's is left alone.
pub fn decide_erase(state: &TaskState, user: &Person, now: Timestamp) -> Turn {
    if !state.names(user) {
        return gone::unchanged(state);
    }
    let mut change = gone::gone(state, now);
    let Change { state: next, snapshot, .. } = &mut change;
    next.blank();
    if let Some(snapshot) = snapshot {
        snapshot.erase();
    }
    Turn::Commit(Box::new(change))
}
