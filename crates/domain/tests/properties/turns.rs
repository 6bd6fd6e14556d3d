//! Whatever commands and wakes come in whatever order, the promises of the core hold.

use crate::config;
use crate::generate::{IfVersion, Kind, Request, START, Step, request, scenario};
use crate::model::{Expected, Model};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use reminder_domain::decide::{decide_wake, fence};
use reminder_domain::event::Cause;
use reminder_domain::{
    Answer, Change, Command, CommandKind, Fact, Origin, TaskId, TaskState, Timestamp, Topic, Turn,
    decide, next_wake,
};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};

type Checked = Result<(), TestCaseError>;

/// A task under test beside its model, and the books kept from its events alone.
struct Bench {
    id: TaskId,
    now: Timestamp,
    state: Option<TaskState>,
    model: Model,
    answers: Vec<Answer>,
    last: Option<Command>,
    /// By reminder, what its events so far say is to come.
    announced: BTreeMap<String, Timestamp>,
    sequences: HashMap<Topic, u64>,
}

impl Bench {
    fn new() -> Self {
        Self {
            id: TaskId::parse("task-1").unwrap(),
            now: Timestamp::parse(START).unwrap(),
            state: None,
            model: Model::default(),
            answers: Vec::new(),
            last: None,
            announced: BTreeMap::new(),
            sequences: HashMap::new(),
        }
    }

    fn version(&self) -> u64 {
        self.state.as_ref().map_or(0, |state| state.version)
    }

    fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::Pass { ms } => self.now = self.now.saturating_add_ms(*ms),
            Step::Wake => self.wake()?,
            Step::Command(request) => self.command(request)?,
            Step::Repeat => self.repeat()?,
            Step::Fence => {
                let change = fence(self.state.as_ref(), self.now);
                prop_assert!(change.events.is_empty());
                self.model.stored = true;
                self.commit(change)?;
            }
        }
        self.agrees()
    }

    /// The state says what the model and the events say.
    fn agrees(&self) -> Checked {
        let waiting = self.model.waiting();
        prop_assert_eq!(&self.announced, &waiting, "events and model");
        prop_assert_eq!(self.state.is_some(), self.model.stored);
        let Some(state) = &self.state else { return Ok(()) };
        let scheduled: BTreeMap<String, Timestamp> = state
            .live()
            .iter()
            .flat_map(|live| &live.alarms)
            .filter(|alarm| alarm.is_scheduled())
            .map(|alarm| (alarm.reminder_id.to_string(), alarm.at))
            .collect();
        prop_assert_eq!(&scheduled, &waiting, "state and model");
        prop_assert_eq!(next_wake(state), waiting.values().min().copied());
        prop_assert!(state.commands.len() <= 64);
        prop_assert_eq!(state.live().is_some(), self.model.alarms.is_some());

        let stored = serde_json::to_vec(state).unwrap();
        let loaded: TaskState = serde_json::from_slice(&stored).unwrap();
        prop_assert_eq!(&loaded, state, "survives the store");
        prop_assert_eq!(next_wake(&loaded), next_wake(state));
        Ok(())
    }

    fn wake(&mut self) -> Checked {
        let due = self.model.wake(self.now);
        let Some(state) = &self.state else { return Ok(()) };
        let turn = decide_wake(state, self.now);
        prop_assert_eq!(&turn, &decide_wake(state, self.now), "deterministic");
        match turn {
            Turn::Answer(_) => prop_assert!(due.is_empty(), "{due:?} must fire"),
            Turn::Commit(change) => {
                let triggered: BTreeMap<String, Timestamp> = change
                    .events
                    .iter()
                    .filter_map(|event| match &event.fact {
                        Fact::ReminderTriggered { reminder_id, scheduled_for, .. } => {
                            Some((reminder_id.to_string(), *scheduled_for))
                        }
                        _ => None,
                    })
                    .collect();
                prop_assert!(!due.is_empty());
                prop_assert_eq!(triggered, due);
                self.commit(*change)?;
                // A second wake finds nothing.
                let again = decide_wake(self.state.as_ref().unwrap(), self.now);
                prop_assert!(matches!(again, Turn::Answer(_)), "fired twice");
            }
        }
        Ok(())
    }

    fn command(&mut self, request: &Request) -> Checked {
        let kind = match &request.kind {
            Kind::Put(spec) => CommandKind::Put(Box::new(spec.task())),
            Kind::Complete => CommandKind::Complete,
            Kind::Reopen => CommandKind::Reopen,
            Kind::Delete => CommandKind::Delete,
        };
        let exists = self.model.alarms.is_some();
        let current = if exists { self.version() } else { 0 };
        let if_version = match request.if_version {
            IfVersion::Any => None,
            IfVersion::Current => Some(current),
            IfVersion::Wrong => Some(current + 7),
        };
        let fingerprint = hash(&format!("{kind:?}"));
        let command =
            Command { kind, id: request.id, fingerprint, if_version, origin: Origin::default() };
        let expected = self.model.command(request, fingerprint, self.now);
        let before = self.state.clone();
        let turn = decide(&self.id, self.state.as_ref(), &command, self.now);
        let again = decide(&self.id, self.state.as_ref(), &command, self.now);
        prop_assert_eq!(&turn, &again, "deterministic");
        prop_assert_eq!(&self.state, &before);
        match (expected, turn) {
            (Expected::Rejected, Err(_)) => {}
            (Expected::Recorded(n), Ok(Turn::Answer(answer))) => {
                prop_assert_eq!(answer, self.answers[n]);
            }
            (Expected::Applied { commits: false }, Ok(Turn::Answer(answer))) => {
                prop_assert_eq!(answer.version, self.version());
            }
            (Expected::Applied { commits: true }, Ok(Turn::Commit(change))) => {
                let put = matches!(command.kind, CommandKind::Put(_));
                prop_assert_eq!(change.answer.created, put.then_some(!exists));
                prop_assert_eq!(change.answer.version, change.state.version);
                prop_assert_eq!(change.answer.next_reminder_at, next_wake(&change.state));
                self.answers.push(change.answer);
                self.answers.drain(..self.answers.len().saturating_sub(64));
                self.last = Some(command);
                self.commit(*change)?;
                self.repeat()?;
            }
            (expected, turn) => prop_assert!(false, "expected {expected:?}, got {turn:?}"),
        }
        Ok(())
    }

    /// The last command applied comes in again: the same answer, and nothing changes.
    fn repeat(&self) -> Checked {
        let Some(command) = &self.last else { return Ok(()) };
        let turn = decide(&self.id, self.state.as_ref(), command, self.now);
        prop_assert_eq!(turn, Ok(Turn::Answer(*self.answers.last().unwrap())));
        Ok(())
    }

    /// Books a commit, and checks what must hold for every one.
    fn commit(&mut self, change: Change) -> Checked {
        prop_assert_eq!(change.state.version, self.version() + 1);
        prop_assert_eq!(change.state.updated_at, self.now);
        for event in &change.events {
            let sequence = self.sequences.entry(event.topic()).or_default();
            *sequence += 1;
            prop_assert_eq!(event.sequence, *sequence, "a gap in {:?}", event.topic());
            self.book(&event.fact)?;
        }
        self.state = Some(change.state);
        Ok(())
    }

    fn book(&mut self, fact: &Fact) -> Checked {
        match fact {
            Fact::ReminderScheduled { reminder_id, scheduled_for } => {
                let before = self.announced.insert(reminder_id.to_string(), *scheduled_for);
                prop_assert_ne!(before, Some(*scheduled_for), "announced twice");
            }
            Fact::ReminderRemoved { reminder_id, scheduled_for, .. } => {
                let before = self.announced.remove(reminder_id.as_str());
                prop_assert_eq!(before, Some(*scheduled_for), "removed what was not announced");
            }
            Fact::ReminderTriggered { reminder_id, scheduled_for, fired_at, cause } => {
                prop_assert!(fired_at >= scheduled_for, "early");
                prop_assert_eq!(*fired_at, self.now);
                prop_assert_eq!(*cause, Cause::of(*scheduled_for, *fired_at));
                let before = self.announced.remove(reminder_id.as_str());
                prop_assert_eq!(before, Some(*scheduled_for), "fired what was not announced");
            }
            Fact::TaskUpdated { .. } | Fact::TaskSync => {}
        }
        Ok(())
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_core_agrees_with_its_model(steps in scenario()) {
        let mut bench = Bench::new();
        for (n, step) in steps.iter().enumerate() {
            bench.step(step).map_err(|error| {
                TestCaseError::fail(format!("step {n}, {step:?}: {error}"))
            })?;
        }
    }

    /// A woken actor jumps to its next wake, as the runtime does: everything scheduled fires, in
    /// the order of its due times, and then nothing is left.
    #[test]
    fn following_the_wakes_fires_everything(requests in prop::collection::vec(request(), 1..12)) {
        let mut bench = Bench::new();
        for request in requests {
            bench.step(&Step::Command(request))?;
        }
        let mut left = bench.announced.len();
        while let Some(at) = bench.state.as_ref().and_then(next_wake) {
            bench.now = bench.now.max(at);
            bench.step(&Step::Wake)?;
            prop_assert!(bench.announced.len() < left, "a wake that fires nothing");
            left = bench.announced.len();
        }
        prop_assert_eq!(left, 0);
    }

    /// A wake before anything is due is a spurious one.
    #[test]
    fn a_millisecond_early_is_early(request in request(), early in prop_oneof![1..=3_i64, 1..100_000_i64]) {
        let mut bench = Bench::new();
        bench.step(&Step::Command(request))?;
        if let Some(at) = bench.state.as_ref().and_then(next_wake) {
            bench.now = at.saturating_add_ms(-early);
            let state = bench.state.clone();
            bench.step(&Step::Wake)?;
            prop_assert_eq!(&bench.state, &state);
            bench.now = at;
            bench.step(&Step::Wake)?;
            prop_assert_ne!(&bench.state, &state);
        }
    }

    /// However many commands come, what is remembered of them is bounded, and the last 64 count.
    #[test]
    fn the_last_64_command_ids_are_remembered(count in 65..150_u64) {
        let id = TaskId::parse("task-1").unwrap();
        let now = Timestamp::parse(START).unwrap();
        let mut state = None;
        let command = |n: u64| {
            let kind = if n == 0 {
                let task = serde_json::from_str(r#"{"title":"t"}"#).unwrap();
                CommandKind::Put(Box::new(task))
            } else if n % 2 == 1 { CommandKind::Complete } else { CommandKind::Reopen };
            Command { kind, id: Some(n), fingerprint: n % 2, if_version: None, origin: Origin::default() }
        };
        for n in 0..count {
            let Ok(Turn::Commit(change)) = decide(&id, state.as_ref(), &command(n), now) else {
                return Err(TestCaseError::fail("a new command id is a new command"));
            };
            state = Some(change.state);
        }
        let records = &state.as_ref().unwrap().commands;
        prop_assert_eq!(records.len(), 64);
        for n in 0..count {
            let turn = decide(&id, state.as_ref(), &command(n), now);
            let remembered = n >= count - 64;
            prop_assert_eq!(matches!(turn, Ok(Turn::Answer(_))), remembered, "command {}", n);
        }
    }
}
