//! What a restore from a backup does to the numbers of a task: they never go back.
//!
//! A restore undoes commits whose versions, sequence numbers and event ids have been told to others.
//! Were they given again, to other facts, a consumer that drops what it knows would drop news. So
//! the first turn after a restore goes on far above everything that may have been given, under a
//! later *incarnation*; what was pending in the backup keeps the ids it had, for it belongs to the
//! past that is left.

use crate::state::{Lifecycle, Sequences, TaskState};
use crate::time::Timestamp;

/// The incarnation of everything as long as no backup was restored.
pub const FIRST_INCARNATION: u32 = 1;

/// How far the numbers of two incarnations in a row lie apart. An incarnation is the second in which
/// the backup was restored, so a task would have to commit more than a thousand times a second, from
/// one restore to the next, to come up to the numbers of the next one.
const NUMBERS_PER_INCARNATION: u64 = 1_000;

/// The last number before those of an incarnation, of versions and of sequences.
fn base(incarnation: u32) -> u64 {
    u64::from(incarnation - FIRST_INCARNATION) * NUMBERS_PER_INCARNATION
}

impl TaskState {
    /// The state of a task that is not stored, from which its first commit is decided.
    pub fn unborn(incarnation: u32, now: Timestamp) -> Self {
        let base = base(incarnation);
        Self {
            version: base,
            incarnation,
            updated_at: now,
            lifecycle: Lifecycle::Deleted { deleted_at: now, user_id: None },
            sequences: Sequences { reminders: base, task_events: base, task_updates: base },
            commands: Vec::new(),
            followed: None,
            armed: None,
            pending: Vec::new(),
        }
    }

    /// Goes on in a later incarnation, in which nothing is known to be registered; one that is not
    /// later changes nothing.
    pub fn go_on_in(&mut self, incarnation: u32) {
        if incarnation <= self.incarnation {
            return;
        }
        let snapshot = self.snapshot().map(Box::new);
        for commit in &mut self.pending {
            commit.incarnation.get_or_insert(self.incarnation);
            // The events of a known id must tell what they told, the version of then included.
            commit.snapshot = commit.snapshot.take().or_else(|| snapshot.clone());
        }
        let base = base(incarnation);
        self.incarnation = incarnation;
        self.version = self.version.max(base);
        self.armed = None;
        let Sequences { reminders, task_events, task_updates } = &mut self.sequences;
        for sequence in [reminders, task_events, task_updates] {
            *sequence = base.max(*sequence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::MAX;

    #[test]
    fn what_was_never_restored_counts_from_one() {
        let unborn = TaskState::unborn(FIRST_INCARNATION, NOW);
        assert_eq!((unborn.version, unborn.sequences), (0, Sequences::default()));
        let mut same = unborn.clone();
        same.go_on_in(FIRST_INCARNATION);
        assert_eq!(same, unborn);
    }

    #[test]
    fn every_number_jumps_and_none_goes_back() {
        const RESTORED: u32 = 1_795_347_173;
        let mut state = TaskState::unborn(FIRST_INCARNATION, NOW);
        (state.version, state.sequences.reminders, state.armed) = (7, 9, Some(NOW));
        state.go_on_in(RESTORED);
        let numbers = state.sequences;
        assert_eq!((state.version, state.armed), (1_795_347_172_000, None));
        assert_eq!(numbers, TaskState::unborn(RESTORED, NOW).sequences);
        // The next restore comes a second later, and the one after it goes back in time.
        for (incarnation, version) in [(RESTORED + 1, 1_795_347_173_000), (5, 1_795_347_173_000)] {
            state.go_on_in(incarnation);
            assert_eq!((state.incarnation, state.version), (RESTORED + 1, version));
        }
        // A task that was busier than any can be keeps its own numbers.
        state.version = u64::MAX - 1;
        state.go_on_in(RESTORED + 2);
        assert_eq!(state.version, u64::MAX - 1);
    }
}
