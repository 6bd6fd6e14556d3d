//! A task on a bench, in calendar time of the year 2027 in UTC: what is done to it, and what it
//! tells. Times are written `03-01 09:00`.

use super::{command, id, parse, short};
use crate::command::{Command, CommandKind, Delay, IfPast, Put, RestoredAlarm};
use crate::decide::{Change, Turn, decide, decide_refresh, decide_wake};
use crate::event::Event;
use crate::next_wake::next_wake;
use crate::pause::SkippedPause;
use crate::preferences::KnownPreferences;
use crate::state::{Live, TaskState};
use crate::time::Timestamp;

/// A task and the preferences of its user.
pub(super) struct Bench {
    pub(super) state: Option<TaskState>,
    pub(super) preferences: Option<KnownPreferences>,
}

/// The instant of `03-01 09:00`, or of `03-01 09:00:30`.
pub(super) fn time(text: &str) -> Timestamp {
    let (date, time) = text.split_once(' ').expect("a date and a time");
    let seconds = if time.len() == 5 { ":00" } else { "" };
    Timestamp::parse(&format!("2027-{date}T{time}{seconds}Z")).expect("a time of the year 2027")
}

fn written(at: Timestamp) -> String {
    let text = at.to_datetime().format("%m-%d %H:%M:%S").to_string();
    text.strip_suffix(":00").map_or(text.clone(), str::to_owned)
}

impl Bench {
    /// A user without preferences, and no task yet.
    pub(super) fn new() -> Self {
        Self { state: None, preferences: None }
    }

    /// A user with preferences, and no task yet.
    pub(super) fn of_user(preferences: &str) -> Self {
        let mut bench = Self::new();
        bench.prefer(preferences);
        bench
    }

    /// A task stored at a time.
    pub(super) fn with(when: &str, task: &str) -> Self {
        let mut bench = Self::new();
        bench.put(when, task);
        bench
    }

    /// The user says something else; the task does not know yet.
    pub(super) fn prefer(&mut self, preferences: &str) {
        let version = self.preferences.as_ref().map_or(1, |known| known.version + 1);
        let preferences = serde_json::from_str(preferences).expect("valid preferences");
        let known = self.preferences.take().unwrap_or_default();
        self.preferences = Some(KnownPreferences { version, preferences, ..known });
    }

    /// The user is paused at a time, or resumed; the task does not know yet.
    pub(super) fn pause_user(&mut self, since: Option<&str>) {
        let known = self.preferences.take().unwrap_or_default();
        let (version, paused_since) = (known.version + 1, since.map(time));
        self.preferences = Some(KnownPreferences { version, paused_since, ..known });
    }

    /// The user is resumed at a time, with nothing to fire of what was missed.
    pub(super) fn resume_user_and_skip(&mut self, at: &str) {
        let from = self.preferences.as_ref().and_then(|known| known.paused_since);
        let from = from.expect("a paused user");
        self.pause_user(None);
        let known = self.preferences.as_mut().expect("just said");
        known.skipped.push(SkippedPause { from, until: time(at) });
    }

    pub(super) fn live(&self) -> &Live {
        self.state.as_ref().and_then(TaskState::live).expect("a live task")
    }

    /// When it must be woken next; empty when never.
    pub(super) fn next(&self) -> String {
        self.state.as_ref().and_then(next_wake).map(written).unwrap_or_default()
    }

    /// The due date of the task, as JSON.
    pub(super) fn due(&self) -> String {
        serde_json::to_string(&self.live().task.due_date).expect("a due date is JSON")
    }

    pub(super) fn put(&mut self, when: &str, task: &str) -> Vec<String> {
        self.put_past(when, task, IfPast::Fire)
    }

    pub(super) fn put_past(&mut self, when: &str, task: &str, if_past: IfPast) -> Vec<String> {
        let put = Put { task: parse(task), if_past, restored: Vec::new() };
        self.run(when, CommandKind::Put(Box::new(put)))
    }

    /// A put as from an imported calendar.
    pub(super) fn import(
        &mut self,
        when: &str,
        task: &str,
        reminder: &str,
        acknowledged: Option<&str>,
        snoozed_until: Option<&str>,
    ) -> Vec<String> {
        let restored = vec![RestoredAlarm {
            reminder_id: super::reminder_id(reminder),
            acknowledged: acknowledged.map(time),
            snoozed_until: snoozed_until.map(time),
        }];
        let put = Put { task: parse(task), if_past: IfPast::Fire, restored };
        self.run(when, CommandKind::Put(Box::new(put)))
    }

    pub(super) fn put_reminder(&mut self, when: &str, reminder: &str) -> Vec<String> {
        let reminder = Box::new(serde_json::from_str(reminder).expect("a valid reminder"));
        self.run(when, CommandKind::PutReminder { reminder, if_past: IfPast::Fire })
    }

    pub(super) fn snooze(&mut self, when: &str, delay: &str) -> Vec<String> {
        let delay = Delay::For(serde_json::from_str(&format!("{delay:?}")).expect("a delay"));
        self.run(when, CommandKind::Snooze { reminder_id: None, delay })
    }

    pub(super) fn acknowledge(&mut self, when: &str) -> Vec<String> {
        self.run(when, CommandKind::Acknowledge { reminder_id: None })
    }

    pub(super) fn dismiss(&mut self, when: &str, reminder: Option<&str>) -> Vec<String> {
        let reminder_id = reminder.map(super::reminder_id);
        self.run(when, CommandKind::Dismiss { reminder_id })
    }

    pub(super) fn skip(&mut self, when: &str, occurrence: Option<&str>) -> Vec<String> {
        let local = |text: &str| time(text).to_datetime().naive_utc();
        self.run(when, CommandKind::Skip { occurrence: occurrence.map(local) })
    }

    pub(super) fn complete(&mut self, when: &str) -> Vec<String> {
        self.run(when, CommandKind::Complete)
    }

    /// What a command tells; nothing when it changes nothing.
    pub(super) fn run(&mut self, when: &str, kind: CommandKind) -> Vec<String> {
        self.apply(&command(kind), when)
    }

    pub(super) fn apply(&mut self, command: &Command, when: &str) -> Vec<String> {
        let known = self.preferences.as_ref();
        let turn = decide(&id(), self.state.as_ref(), command, known, time(when));
        self.commit(turn.unwrap_or_else(|rejection| panic!("refused: {rejection}")))
    }

    /// Why a command is refused.
    pub(super) fn refused(&self, when: &str, kind: CommandKind) -> String {
        let known = self.preferences.as_ref();
        let turn = decide(&id(), self.state.as_ref(), &command(kind), known, time(when));
        turn.expect_err("a rejection was expected").to_string()
    }

    /// What a wake tells; nothing when nothing is due.
    pub(super) fn wake(&mut self, when: &str) -> Vec<String> {
        let turn = decide_wake(self.state.as_ref().expect("a task"), time(when));
        self.commit(turn)
    }

    /// Wakes it on time until a moment; tells all that came.
    pub(super) fn wake_until(&mut self, when: &str) -> Vec<String> {
        const WAKES_MAX: usize = 1_000;
        let mut told = Vec::new();
        for _ in 0..WAKES_MAX {
            let next = self.state.as_ref().and_then(next_wake).filter(|at| *at <= time(when));
            let Some(at) = next else { return told };
            let turn = decide_wake(self.state.as_ref().expect("a task"), at);
            told.extend(self.commit(turn));
        }
        panic!("it wakes without an end")
    }

    /// The task learns what the user prefers now.
    pub(super) fn refresh(&mut self, when: &str) -> Vec<String> {
        let state = self.state.as_ref().expect("a task");
        let turn = decide_refresh(state, self.preferences.as_ref(), time(when));
        self.commit(turn)
    }

    /// The state is stored and read again, and is the same.
    pub(super) fn reload(&self) {
        let stored = serde_json::to_string(&self.state).expect("a state is JSON");
        let read: Option<TaskState> =
            serde_json::from_str(&stored).unwrap_or_else(|error| panic!("{error}: {stored}"));
        assert_eq!(read, self.state);
    }

    fn commit(&mut self, turn: Turn) -> Vec<String> {
        let Turn::Commit(change) = turn else { return Vec::new() };
        let Change { state, events, .. } = *change;
        self.state = Some(state);
        let told = |event: &Event| short(&event.fact, written);
        // Every change ends with a snapshot, which says nothing new here.
        events.iter().map(told).filter(|text| text != "sync").collect()
    }
}
