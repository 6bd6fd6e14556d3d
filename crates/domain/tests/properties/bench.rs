//! A task under test: the core, the books kept from its events alone, and its model beside it.

use crate::generate::Step;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use reminder_domain::decide::{decide_refresh, decide_wake, fence};
use reminder_domain::event::{Cause, Triggered};
use reminder_domain::{
    Answer, Change, Command, CommandKind, Fact, Origin, ReminderId, TaskId, TaskState, Topic, Turn,
    decide, next_wake,
};
use reminder_reference::calendar::{self, MINUTE, Prefs, instant, since_start};
use reminder_reference::compare::{expected, rang, shown, told};
use reminder_reference::model::{Clock, Expected, Model};
use reminder_reference::words::{IfVersion, Kind, Request, command_kind, known};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};

pub(crate) type Checked = Result<(), TestCaseError>;

#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) id: TaskId,
    pub(crate) now: i64,
    pub(crate) state: Option<TaskState>,
    pub(crate) model: Model,
    answers: Vec<Answer>,
    pub(crate) last: Option<Command>,
    last_kind: Option<Kind>,
    /// What the user prefers, and what was preferred before.
    pub(crate) prefs: (u64, Prefs),
    prefs_before: (u64, Prefs),
    /// What its events so far say is to come.
    announced: BTreeMap<(String, Clock), i64>,
    sequences: HashMap<Topic, u64>,
    /// Every firing there was.
    pub(crate) fired: Vec<Triggered>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            id: TaskId::parse("task-1").unwrap(),
            now: 0,
            state: None,
            model: Model::default(),
            answers: Vec::new(),
            last: None,
            last_kind: None,
            prefs: (0, Prefs::default()),
            prefs_before: (0, Prefs::default()),
            announced: BTreeMap::new(),
            sequences: HashMap::new(),
            fired: Vec::new(),
        }
    }

    /// A bench after some steps.
    pub(crate) fn after(steps: &[Step]) -> Result<Self, TestCaseError> {
        let mut bench = Self::new();
        for (n, step) in steps.iter().enumerate() {
            bench
                .step(step)
                .map_err(|error| TestCaseError::fail(format!("step {n}, {step:?}: {error}")))?;
        }
        Ok(bench)
    }

    fn version(&self) -> u64 {
        self.state.as_ref().map_or(0, |state| state.version)
    }

    pub(crate) fn next_wake(&self) -> Option<i64> {
        self.state.as_ref().and_then(next_wake).map(since_start)
    }

    pub(crate) fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::Pass { ms } => self.now += ms,
            Step::PassToWake { late_ms } => {
                let next = self.next_wake().map_or(self.now, |next| next + late_ms);
                self.now = self.now.max(next);
            }
            Step::Wake => self.wake()?,
            Step::Command(request) => {
                self.command(request)?;
            }
            Step::Repeat => self.repeat()?,
            Step::Fence => {
                let change = fence(self.state.as_ref(), instant(self.now));
                prop_assert!(change.events.is_empty());
                self.model.stored = true;
                self.commit(change)?;
            }
            Step::Prefer(prefs) => {
                let Prefs { paused, skipped, .. } = self.prefs.1.clone();
                self.prefer(Prefs { paused, skipped, ..prefs.clone() });
            }
            Step::PauseUser => self.prefer(self.prefs.1.paused(self.now)),
            Step::ResumeUser(missed) => self.prefer(self.prefs.1.resumed(*missed, self.now)),
            Step::Refresh => self.refresh()?,
        }
        self.agrees()
    }

    fn prefer(&mut self, prefs: Prefs) {
        let next = (self.prefs.0 + 1, prefs);
        self.prefs_before = std::mem::replace(&mut self.prefs, next);
    }

    /// The state says what the model and the events say.
    fn agrees(&self) -> Checked {
        let waiting = self.model.waiting();
        prop_assert_eq!(&self.announced, &waiting, "events and model");
        prop_assert_eq!(self.state.is_some(), self.model.stored);
        let Some(state) = &self.state else { return Ok(()) };
        prop_assert_eq!(state.live().is_some(), self.model.task.is_some());
        if let (Some(live), Some(task)) = (state.live(), &self.model.task) {
            let alarms: Vec<String> = live.alarms.iter().map(told).collect();
            let expected: Vec<String> = task.alarms.iter().map(expected).collect();
            prop_assert_eq!(alarms, expected, "state and model");
            prop_assert_eq!(live.task.status.is_open(), task.is_open());
            let due =
                live.task.due_date.as_ref().map(|due| calendar::wall_since_start(due.nominal()));
            prop_assert_eq!(due, task.spec.due.map(|due| due.nominal));
            prop_assert_eq!(live.pause().is_some(), task.is_paused());
            prop_assert!(live.history.len() <= 20);
        }
        prop_assert_eq!(next_wake(state).map(since_start), self.model.next_wake());
        prop_assert!(state.commands.len() <= 64);
        self.survives_the_store()
    }

    fn survives_the_store(&self) -> Checked {
        let Some(state) = &self.state else { return Ok(()) };
        let stored = serde_json::to_vec(state).unwrap();
        let loaded: TaskState = serde_json::from_slice(&stored).unwrap();
        prop_assert_eq!(&loaded, state, "survives the store");
        prop_assert_eq!(next_wake(&loaded), next_wake(state));
        prop_assert_eq!(serde_json::to_vec(&loaded).unwrap(), stored);
        Ok(())
    }

    pub(crate) fn wake(&mut self) -> Checked {
        let due = self.model.wake(self.now);
        let Some(state) = &self.state else { return Ok(()) };
        let turn = decide_wake(state, instant(self.now));
        prop_assert_eq!(&turn, &decide_wake(state, instant(self.now)), "deterministic");
        match turn {
            Turn::Answer(_) => prop_assert!(due.is_empty(), "{due:?} must fire"),
            Turn::Commit(change) => {
                let facts = change.events.iter().map(|event| &event.fact);
                let rings: Vec<String> = facts.filter_map(rang).collect();
                let expected: Vec<String> = due.iter().map(|ring| shown(ring, self.now)).collect();
                prop_assert_eq!(rings, expected);
                self.commit(*change)?;
                // A second wake finds nothing, and the next one is still to come.
                let again = decide_wake(self.state.as_ref().unwrap(), instant(self.now));
                prop_assert!(matches!(again, Turn::Answer(_)), "fired twice");
                prop_assert!(self.next_wake().is_none_or(|next| next > self.now));
            }
        }
        Ok(())
    }

    fn refresh(&mut self) -> Checked {
        let Some(state) = &self.state else { return Ok(()) };
        self.model.refresh(&self.prefs);
        let known = known(&self.prefs);
        if let Turn::Commit(change) = decide_refresh(state, Some(&known), instant(self.now)) {
            self.commit(*change)?;
        }
        // Once is enough, and none of it is older than what was known.
        for prefs in [&self.prefs, &self.prefs_before] {
            let state = self.state.as_ref().unwrap();
            let again = decide_refresh(state, Some(&self::known(prefs)), instant(self.now));
            prop_assert!(matches!(again, Turn::Answer(_)));
        }
        Ok(())
    }

    /// The command that a request means here.
    fn said(&self, request: &Request) -> Command {
        let task = self.model.task.as_ref();
        let kind = command_kind(&request.kind, "u", |skip| {
            let meant = task.and_then(|task| task.meant(skip));
            // A time at which nothing ever is.
            Some(calendar::wall(meant.unwrap_or(7 * MINUTE + 1)))
        });
        let current = if task.is_some() { self.version() } else { 0 };
        let if_version = match request.if_version {
            IfVersion::Any => None,
            IfVersion::Current => Some(current),
            IfVersion::Wrong => Some(current + 7),
            IfVersion::Absent => Some(0),
        };
        let fingerprint = hash(&format!("{kind:?}"));
        Command {
            kind,
            id: request.id,
            fingerprint,
            if_version,
            as_user: None,
            origin: Origin::default(),
        }
    }

    /// Runs a command; says whether it made a commit.
    pub(crate) fn command(&mut self, request: &Request) -> Result<bool, TestCaseError> {
        let exists = self.model.task.is_some();
        let prefs = if request.stale { &self.prefs_before } else { &self.prefs };
        let (command, known) = (self.said(request), known(prefs));
        let expected = self.model.command(request, command.fingerprint, prefs, self.now);
        let before = self.state.clone();
        let run = || {
            let (state, now) = (self.state.as_ref(), instant(self.now));
            decide(&self.id, state, &command, Some(&known), now)
        };
        let turn = run();
        prop_assert_eq!(&turn, &run(), "deterministic");
        prop_assert_eq!(&self.state, &before);
        match (expected, turn) {
            (Expected::Rejected, Err(_)) => Ok(false),
            (Expected::Recorded(n), Ok(Turn::Answer(answer))) => {
                prop_assert_eq!(&answer, &self.answers[n]);
                Ok(false)
            }
            (Expected::Applied { commits: false }, Ok(Turn::Answer(answer))) => {
                prop_assert_eq!(answer.version, self.version());
                Ok(false)
            }
            (Expected::Applied { commits: true }, Ok(Turn::Commit(change))) => {
                let put = matches!(command.kind, CommandKind::Put(_));
                prop_assert_eq!(change.answer.created, put.then_some(!exists));
                prop_assert_eq!(change.answer.version, change.state.version);
                prop_assert_eq!(change.answer.next_reminder_at, next_wake(&change.state));
                self.answers.push(change.answer.clone());
                self.answers.drain(..self.answers.len().saturating_sub(64));
                self.last = Some(command);
                self.last_kind = Some(request.kind.clone());
                self.commit(*change)?;
                self.model.stirred = false;
                self.repeat()?;
                Ok(true)
            }
            (expected, turn) => {
                Err(TestCaseError::fail(format!("expected {expected:?}, got {turn:?}")))
            }
        }
    }

    /// Whether the last command applied, coming in again, is known.
    pub(crate) fn last_is_known(&self) -> bool {
        let resent = |kind| self.model.is_resent(kind, self.now);
        self.last.as_ref().is_some_and(|command| command.id.is_some())
            || self.last_kind.as_ref().is_some_and(resent)
    }

    /// The last command applied comes in again: the same answer, and nothing changes.
    fn repeat(&self) -> Checked {
        let Some(command) = self.last.as_ref().filter(|_| self.last_is_known()) else {
            return Ok(());
        };
        let prefs = known(&self.prefs);
        let state = self.state.as_ref();
        let turn = decide(&self.id, state, command, Some(&prefs), instant(self.now));
        prop_assert_eq!(turn, Ok(Turn::Answer(self.answers.last().unwrap().clone())));
        Ok(())
    }

    /// Books a commit, and checks what must hold for every one.
    fn commit(&mut self, change: Change) -> Checked {
        prop_assert_eq!(change.state.version, self.version() + 1);
        prop_assert_eq!(change.state.updated_at, instant(self.now));
        let tells = change.events.last().is_none_or(|event| event.fact == Fact::TaskSync);
        prop_assert!(tells, "a change ends with a snapshot");
        for event in &change.events {
            let sequence = self.sequences.entry(event.topic()).or_default();
            *sequence += 1;
            prop_assert_eq!(event.sequence, *sequence, "a gap in {:?}", event.topic());
            self.book(&event.fact)?;
        }
        self.model.stirred |= !change.events.is_empty();
        self.model.committed_at = self.now;
        self.state = Some(change.state);
        Ok(())
    }

    fn book(&mut self, fact: &Fact) -> Checked {
        let key = |id: &ReminderId, clock| (id.to_string(), clock);
        let due = |announced: &mut BTreeMap<_, i64>, id: &ReminderId, now| {
            let before = announced.len();
            announced.retain(|(of, _), at| *of != id.to_string() || *at > now);
            before > announced.len()
        };
        match fact {
            Fact::ReminderScheduled { reminder_id, scheduled_for } => {
                let at = since_start(*scheduled_for);
                let before = self.announced.insert(key(reminder_id, Clock::Plan), at);
                prop_assert_ne!(before, Some(at), "announced twice");
            }
            Fact::ReminderSnoozed { reminder_id, until, .. } => {
                self.announced.insert(key(reminder_id, Clock::Snooze), since_start(*until));
            }
            Fact::ReminderAcknowledged { reminder_id, .. } => {
                self.announced.remove(&key(reminder_id, Clock::Snooze));
            }
            Fact::ReminderRemoved { reminder_id, scheduled_for, .. } => {
                let at = since_start(*scheduled_for);
                let clocks = [Clock::Snooze, Clock::Plan].map(|clock| key(reminder_id, clock));
                let gone = clocks.iter().find(|key| self.announced.get(*key) == Some(&at));
                prop_assert!(gone.is_some(), "removed what was not announced: {fact:?}");
                self.announced.remove(gone.unwrap());
            }
            Fact::ReminderExpired { reminder_id, scheduled_for, .. } => {
                prop_assert!(since_start(*scheduled_for) <= self.now, "early");
                due(&mut self.announced, reminder_id, self.now);
            }
            Fact::ReminderTriggered(triggered) => {
                prop_assert!(triggered.fired_at >= triggered.scheduled_for, "early");
                prop_assert_eq!(since_start(triggered.fired_at), self.now);
                let told = due(&mut self.announced, &triggered.reminder_id, self.now);
                prop_assert!(told || triggered.cause == Cause::Nag, "fired what was not announced");
                self.fired.push(triggered.clone());
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
