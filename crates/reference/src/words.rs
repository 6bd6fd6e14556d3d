//! What scenarios are told in: tasks and commands, and what they are in the core's own types.

use crate::calendar::{self, HOUR, MINUTE, Prefs, Reminder, Rule, Time, TimeKind, instant};
use reminder_domain::command::{Delay as Snooze, IfPast, Put};
use reminder_domain::limits::USER_SKIPS_REMEMBERED;
use reminder_domain::pause::{IfMissed, SkippedPause};
use reminder_domain::preferences::{KnownPreferences, Preferences, SnoozeDelay};
use reminder_domain::time::{CalendarOffset, DueTime};
use reminder_domain::{CommandKind, ReminderId};
use serde_json::json;

/// A command as the scenario describes it.
#[derive(Clone, Debug)]
pub struct Request {
    pub kind: Kind,
    /// One of a few command ids, so that they are used again.
    pub id: Option<u64>,
    pub if_version: IfVersion,
    /// It was sent with the preferences of before the last change.
    pub stale: bool,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Put(Box<Spec>, IfPast),
    Complete,
    Reopen,
    Delete,
    Skip(Skip),
    PutReminder(Reminder, IfPast),
    RemoveReminder(&'static str),
    Snooze(Option<&'static str>, Delay),
    Acknowledge(Option<&'static str>),
    Dismiss(Option<&'static str>),
    Pause,
    Resume(IfMissed),
}

/// Which occurrence to skip.
#[derive(Clone, Copy, Debug)]
pub enum Skip {
    Present,
    /// The n-th after the present one.
    Ahead(usize),
    /// None there is.
    Wrong,
}

#[derive(Clone, Copy, Debug)]
pub enum Delay {
    Minutes(i64),
    Until(i64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum IfVersion {
    Any,
    Current,
    Wrong,
    /// There must be no such task.
    Absent,
}

/// A task in the words of this test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    pub title: u8,
    pub due: Option<Time>,
    /// How long before the due date it begins, on the wall.
    pub start_before: Option<i64>,
    pub rule: Option<Rule>,
    /// The first occurrence, where it is said; else the due date is one.
    pub first: Option<i64>,
    pub from_completion: bool,
    /// Occurrences taken out, by their wall time.
    pub exdates: Vec<i64>,
    pub reminders: Option<Vec<Reminder>>,
    pub urgent: bool,
    pub completed: bool,
}

pub const IDS: [&str; 4] = ["due", "r1", "r2", "r3"];

/// Preferences as a task keeps them.
pub fn known((version, prefs): &(u64, Prefs)) -> KnownPreferences {
    if *version == 0 {
        return KnownPreferences::default();
    }
    KnownPreferences {
        version: *version,
        preferences: prefs.preferences(),
        paused_since: prefs.paused.map(instant),
        skipped: prefs.skipped.iter().map(skipped).collect(),
    }
}

fn skipped((from, until): &(i64, i64)) -> SkippedPause {
    SkippedPause { from: instant(*from), until: instant(*until) }
}

/// The command of the core that is meant.
pub fn command_kind(
    kind: &Kind,
    user: &str,
    skipped: impl Fn(Skip) -> Option<chrono::NaiveDateTime>,
) -> CommandKind {
    let id = |id: &str| ReminderId::parse(id).unwrap();
    match kind {
        Kind::Put(spec, if_past) => {
            let put = Put { task: spec.task(user), if_past: *if_past, restored: Vec::new() };
            CommandKind::Put(Box::new(put))
        }
        Kind::Complete => CommandKind::Complete,
        Kind::Reopen => CommandKind::Reopen,
        Kind::Delete => CommandKind::Delete,
        Kind::Skip(Skip::Present) => CommandKind::Skip { occurrence: None },
        Kind::Skip(skip) => CommandKind::Skip { occurrence: skipped(*skip) },
        Kind::PutReminder(reminder, if_past) => {
            let reminder = Box::new(serde_json::from_value(reminder.json()).unwrap());
            CommandKind::PutReminder { reminder, if_past: *if_past }
        }
        Kind::RemoveReminder(which) => CommandKind::RemoveReminder(id(which)),
        Kind::Snooze(which, delay) => {
            let minutes = |n| CalendarOffset::parse(&format!("PT{n}M")).unwrap();
            let delay = match delay {
                Delay::Minutes(n) => Snooze::For(SnoozeDelay::For(minutes(*n))),
                Delay::Until(at) => Snooze::Until(DueTime::Instant(instant(*at))),
            };
            CommandKind::Snooze { reminder_id: which.map(id), delay }
        }
        Kind::Acknowledge(which) => CommandKind::Acknowledge { reminder_id: which.map(id) },
        Kind::Dismiss(which) => CommandKind::Dismiss { reminder_id: which.map(id) },
        Kind::Pause => CommandKind::Pause,
        Kind::Resume(missed) => CommandKind::Resume { missed: *missed },
    }
}

fn clock(ms: i64) -> String {
    format!("{:02}:{:02}", ms / HOUR, ms % HOUR / MINUTE)
}

impl Prefs {
    /// The same while everything is paused.
    #[must_use]
    pub fn paused(&self, now: i64) -> Self {
        Self { paused: self.paused.or(Some(now)), ..self.clone() }
    }

    /// The same once that has ended.
    #[must_use]
    pub fn resumed(&self, missed: IfMissed, now: i64) -> Self {
        let mut skipped = self.skipped.clone();
        if missed == IfMissed::Skip {
            skipped.extend(self.paused.map(|since| (since, now)));
        }
        let kept = skipped.len().min(USER_SKIPS_REMEMBERED);
        let skipped = skipped.split_off(skipped.len() - kept);
        Self { paused: None, skipped, ..self.clone() }
    }

    pub fn preferences(&self) -> Preferences {
        let mut json = json!({
            "zone": self.zone.name(),
            "defaultTime": clock(self.default_time),
        });
        if let Some((from, to)) = self.quiet {
            json["quietHours"] = json!({"from": clock(from), "to": clock(to)});
        }
        if let Some(defaults) = &self.defaults {
            json["defaultReminders"] = defaults.iter().map(Reminder::json).collect();
        }
        serde_json::from_value(json).unwrap()
    }
}

impl Spec {
    pub fn task(&self, user: &str) -> reminder_domain::Task {
        let mut json = json!({
            "title": format!("task {}", self.title),
            "userId": user,
            "status": if self.completed { "completed" } else { "pending" },
            "priority": if self.urgent { "urgent" } else { "normal" },
        });
        if let Some(due) = self.due {
            json["dueDate"] = due.json();
            if let Some(before) = self.start_before {
                json["start"] = Time { nominal: due.nominal - before, ..due }.json();
            }
            if let Some(rule) = self.rule {
                let is_date = due.kind == TimeKind::Date;
                let form = if is_date { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S" };
                let from = if self.from_completion { "completion" } else { "due" };
                json["recurrence"] = json!({"rule": rule.text(), "from": from});
                let dates: Vec<_> = self
                    .exdates
                    .iter()
                    .map(|at| calendar::wall(*at).format(form).to_string())
                    .collect();
                json["recurrence"]["exdates"] = json!(dates);
                if let Some(first) = self.first {
                    let text = calendar::wall(first).format("%Y-%m-%dT%H:%M:%S%.f").to_string();
                    json["recurrence"]["start"] = json!(text);
                }
            }
        }
        if let Some(reminders) = &self.reminders {
            json["reminders"] = reminders.iter().map(Reminder::json).collect();
        }
        serde_json::from_value(json).unwrap()
    }
}
