//! The book of one task: what the model says of it, and which events of it were committed and told.

use super::{Verdict, must};
use reminder_domain::state::Sequences;
use reminder_domain::{TaskId, TaskState, next_wake};
use reminder_reference::calendar::Prefs;
use reminder_reference::compare::{expected, told};
use reminder_reference::model::{Expected, Model, Task};
use reminder_reference::words::Request;
use std::collections::BTreeMap;

/// What is known of one task.
#[derive(Default)]
pub(super) struct Book {
    pub(super) model: Model,
    pub(super) sent: BTreeMap<u64, Sent>,
    pub(super) told: u64,
    pub(super) committed: Sequences,
    pub(super) consumed: Sequences,
    /// The incarnation in which the task was born; 0: not yet.
    pub(super) born: u32,
}

/// A command that was sent.
pub(super) struct Sent {
    pub(super) request: Request,
    pub(super) fingerprint: u64,
    pub(super) outcome: Outcome,
    /// Versions that it led to before its task was erased, and the memory of it with the task.
    pub(super) forgotten: Vec<u64>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Open,
    Committed(u64),
    Rejected,
}

impl Book {
    /// Nothing of the task is left, and nobody remembers what was done to it.
    pub(super) fn erased(&mut self, now: i64) {
        self.model = Model { stored: true, committed_at: now, ..Model::default() };
        for sent in self.sent.values_mut() {
            if let Outcome::Committed(version) = sent.outcome {
                sent.forgotten.push(version);
                sent.outcome = Outcome::Open;
            }
        }
    }

    /// A life of the task begins, with the numbers of its incarnation; answers the version before it.
    pub(super) fn begin(&mut self, first: &TaskState) -> u64 {
        self.born = first.incarnation;
        let unborn = TaskState::unborn(self.born, first.updated_at);
        (self.committed, self.consumed) = (unborn.sequences, unborn.sequences);
        unborn.version
    }

    /// What this commit tells for the first time.
    pub(super) fn new_facts<'a>(
        &mut self,
        task: &TaskId,
        next: &'a TaskState,
    ) -> Result<Vec<&'a reminder_domain::Fact>, String> {
        let mut facts = Vec::new();
        for event in next.pending.iter().flat_map(|commit| &commit.events) {
            let (topic, known) = (event.topic(), self.committed.last(event.topic()));
            if event.sequence > known {
                must!(
                    event.sequence == self.committed.next(topic),
                    "{task}: event {} on {topic:?} after {known}",
                    event.sequence
                );
                facts.push(&event.fact);
            }
        }
        let (has, should) = (self.committed, next.sequences);
        must!(has == should, "{task}: counts {should:?} events, and told of {has:?}");
        Ok(facts)
    }

    pub(super) fn keeps_what_is_unpublished(
        &self,
        task: &TaskId,
        previous: Option<&TaskState>,
        next: &TaskState,
    ) -> Verdict {
        let kept = |topic, sequence| {
            let events = next.pending.iter().flat_map(|commit| &commit.events);
            events.clone().any(|event| event.topic() == topic && event.sequence == sequence)
        };
        for event in previous.iter().flat_map(|state| &state.pending).flat_map(|c| &c.events) {
            let (topic, sequence) = (event.topic(), event.sequence);
            let is_published = sequence <= self.consumed.last(topic);
            must!(
                is_published || kept(topic, sequence),
                "{task}: event {sequence} on {topic:?} was dropped before it was published"
            );
        }
        Ok(())
    }

    pub(super) fn applied(
        &mut self,
        task: &TaskId,
        id: u64,
        version: u64,
        prefs: &(u64, Prefs),
        now: i64,
    ) -> Verdict {
        let Some(sent) = self.sent.get_mut(&id) else {
            return Err(format!("{task}: nobody sent the command {id:x}"));
        };
        let before = std::mem::replace(&mut sent.outcome, Outcome::Committed(version));
        must!(before == Outcome::Open, "{task}: command {id:x} took effect, and was {before:?}");
        let outcome = self.model.command(&sent.request, sent.fingerprint, prefs, now);
        must!(
            outcome == Expected::Applied { commits: true },
            "{task}: {:?} took effect, expected {outcome:?}",
            sent.request
        );
        self.model.stirred = false;
        Ok(())
    }

    pub(super) fn agrees(&self, task: &TaskId, next: &TaskState) -> Verdict {
        let (has_wake, is_paused) =
            (next_wake(next), self.model.task.as_ref().is_some_and(Task::is_paused));
        must!(!is_paused || has_wake.is_none(), "{task}: it is paused, and wakes at {has_wake:?}");
        let (is, should) = (next.live().is_some(), self.model.task.is_some());
        must!(is == should, "{task}: there is a task: {is}, expected {should}");
        if let (Some(live), Some(model)) = (next.live(), &self.model.task) {
            let is: Vec<String> = live.alarms.iter().map(told).collect();
            let should: Vec<String> = model.alarms.iter().map(expected).collect();
            must!(is == should, "{task}: its alarms are {is:?}, expected {should:?}");
        }
        Ok(())
    }
}
