//! When what is over may go for good.
//!
//! What goes leaves nothing behind, so a task of its name that is made later is a new one; that no event
//! id is used twice all the same is the fence's part.

use crate::history::HistoryEntry;
use crate::next_wake::next_wake;
use crate::state::{Lifecycle, TaskState};
use crate::task::Status;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// For how long what is over is kept after its last commit, in ms; `None`: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retention {
    /// Completed tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_ms: Option<i64>,
    /// What is left of deleted ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tombstones_ms: Option<i64>,
}

/// What is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Over {
    /// A completed task.
    Completed,
    /// What is left of a deleted one.
    Tombstone,
}

impl Over {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Tombstone, Self::Completed];
}

impl Retention {
    /// Whether nothing ever goes.
    pub fn keeps_everything(&self) -> bool {
        Over::ALL.iter().all(|over| self.of(*over).is_none())
    }

    /// For how long one kind is kept, in ms.
    pub fn of(&self, over: Over) -> Option<i64> {
        match over {
            Over::Completed => self.completed_ms,
            Over::Tombstone => self.tombstones_ms,
        }
    }

    /// Whether a task may go: it is over, by its own times long enough, and nothing of it can fire.
    /// Whether the broker has all its events, the caller has to know.
    pub fn may_go(&self, state: &TaskState, now: Timestamp) -> bool {
        let kept_ms = state.over().and_then(|over| self.of(over));
        let age_ms = now.millis_since(state.updated_at);
        kept_ms.is_some_and(|kept| age_ms >= kept) && next_wake(state).is_none()
    }
}

impl TaskState {
    /// What kind of thing that is over it is, if it is.
    pub fn over(&self) -> Option<Over> {
        match &self.lifecycle {
            Lifecycle::Deleted { .. } => Some(Over::Tombstone),
            Lifecycle::Live(live) if live.task.status == Status::Completed => Some(Over::Completed),
            Lifecycle::Live(_) => None,
        }
    }

    /// Forgets what happened to its reminders before a time.
    pub fn forget_history(&mut self, before: Timestamp) {
        if let Lifecycle::Live(live) = &mut self.lifecycle {
            let is_kept = |entry: &HistoryEntry| entry.at() >= before;
            live.history.retain(is_kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{IfPast, Put};
    use crate::ids::{ReminderId, TaskId};
    use crate::restored::FIRST_INCARNATION;
    use crate::{Command, CommandKind, Origin, Task, Turn, decide};

    const DAY_MS: i64 = 86_400_000;
    const KEEPS: Retention =
        Retention { completed_ms: Some(30 * DAY_MS), tombstones_ms: Some(8 * DAY_MS) };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + ms)
    }

    fn after(state: Option<&TaskState>, kind: CommandKind) -> TaskState {
        let origin = Origin::default();
        // Another one each time: the same twice in a row is a repeat.
        let fingerprint = state.map_or(0, |state| state.version);
        let command =
            Command { kind, id: None, fingerprint, if_version: None, as_user: None, origin };
        let task = TaskId::parse("t").unwrap();
        match decide(&task, state, &command, None, at(0)).unwrap() {
            Turn::Commit(change) => change.state,
            Turn::Answer(_) => panic!("nothing is committed"),
        }
    }

    fn open() -> TaskState {
        let json = format!(r#"{{"title":"t","dueDate":"{}"}}"#, at(3_600_000));
        let task: Task = serde_json::from_str(&json).unwrap();
        let put = Put { task, if_past: IfPast::Fire, restored: Vec::new() };
        after(None, CommandKind::Put(Box::new(put)))
    }

    #[test]
    fn only_what_is_over_goes_and_only_after_its_time() {
        let open = open();
        let completed = after(Some(&open), CommandKind::Complete);
        let tombstone = after(Some(&open), CommandKind::Delete);
        for (state, kept_ms) in [(&completed, 30 * DAY_MS), (&tombstone, 8 * DAY_MS)] {
            assert!(!KEEPS.may_go(state, at(kept_ms - 1)));
            assert!(KEEPS.may_go(state, at(kept_ms)));
            assert!(!Retention::default().may_go(state, at(10_000 * DAY_MS)), "kept for ever");
        }
        assert!(!KEEPS.may_go(&open, at(10_000 * DAY_MS)));
        let tombstones = Retention { completed_ms: None, ..KEEPS };
        assert!(!tombstones.may_go(&completed, at(10_000 * DAY_MS)));
        assert!(Retention::default().keeps_everything() && !tombstones.keeps_everything());
    }

    #[test]
    fn a_later_commit_begins_its_time_anew() {
        let mut tombstone = TaskState::unborn(FIRST_INCARNATION, at(0));
        tombstone.updated_at = at(DAY_MS);
        assert!(!KEEPS.may_go(&tombstone, at(8 * DAY_MS)));
        assert!(KEEPS.may_go(&tombstone, at(9 * DAY_MS)));
    }

    #[test]
    fn history_is_forgotten_from_its_old_end() {
        let mut state = open();
        let seen = |ms| HistoryEntry::Acknowledged {
            reminder_id: ReminderId::parse("due").unwrap(),
            scheduled_for: at(ms - 1),
            at: at(ms),
        };
        if let Lifecycle::Live(live) = &mut state.lifecycle {
            live.history = vec![seen(1), seen(2), seen(3)];
        }
        state.forget_history(at(2));
        let left: Vec<Timestamp> =
            state.live().unwrap().history.iter().map(HistoryEntry::at).collect();
        assert_eq!(left, [at(2), at(3)]);
    }
}
