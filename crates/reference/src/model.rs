//! The reference: what a task should be after a sequence of steps, told as simply as possible.

mod alarms;
mod commands;
mod ring;

pub use alarms::{Alarm, Because, Clock, Moment, Plan, Ring, Rung};

use crate::calendar::{Prefs, Reminder, Time, Trigger, quiet_end};
use crate::words::{IfVersion, Kind, Request, Skip, Spec};
use reminder_domain::pause::IfMissed;
use std::collections::BTreeMap;

/// What a command must lead to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// The answer that was given before, at this place among the remembered commands.
    Recorded(usize),
    Rejected,
    /// Accepted; whether it makes a commit.
    Applied {
        commits: bool,
    },
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    /// `None`: there is no task, or none any more.
    pub task: Option<Task>,
    /// Whether anything was ever stored.
    pub stored: bool,
    /// Command ids and bodies applied, oldest first.
    pub remembered: Vec<(Option<u64>, u64)>,
    /// Whether anything happened to the task since the last command applied.
    pub stirred: bool,
    /// When it was last written.
    pub committed_at: i64,
}

/// For so long after it a command may be the last one, sent again.
const RESENT_WITHIN_MS: i64 = 30_000;

/// A task, its schedule and its alarms.
#[derive(Clone, Debug)]
pub struct Task {
    /// What was asked for; of a recurring task, at its present occurrence.
    pub spec: Spec,
    /// The first occurrence of a recurring task.
    pub first: i64,
    /// How many occurrences there were with the present one, where they follow the completion.
    pub number: usize,
    /// Preferences as far as the task knows them, and how manieth.
    pub prefs: (u64, Prefs),
    /// Since when it is paused itself.
    pub paused: Option<i64>,
    pub alarms: Vec<Alarm>,
}

impl Model {
    /// What is to come, by reminder: the moments of the schedule and the snoozes.
    pub fn waiting(&self) -> BTreeMap<(String, Clock), i64> {
        let alarms = self.task.iter().flat_map(|task| &task.alarms);
        alarms.flat_map(Alarm::waiting).collect()
    }

    /// When it must be woken.
    pub fn next_wake(&self) -> Option<i64> {
        let task = self.task.iter().filter(|task| !task.is_paused());
        task.flat_map(|task| &task.alarms).filter_map(Alarm::next).min()
    }

    /// Fires what is due; returns it in the order of its due times.
    pub fn wake(&mut self, now: i64) -> Vec<Ring> {
        let Some(task) = self.task.as_mut().filter(|task| !task.is_paused()) else {
            return Vec::new();
        };
        let schedule = task.clone();
        let rings = task.alarms.iter_mut().filter_map(|alarm| alarm.wake(&schedule, now));
        let mut rings: Vec<Ring> = rings.collect();
        rings.sort_by_key(|ring| (ring.at, ring.id));
        rings
    }

    /// The task learns of preferences.
    pub fn refresh(&mut self, (version, prefs): &(u64, Prefs)) {
        let Some(task) = &mut self.task else { return };
        if *version > task.prefs.0 {
            task.skip_as_its_user_says(prefs);
            let defaults = task.prefs.1.defaults.clone();
            task.prefs = (*version, Prefs { defaults, ..prefs.clone() });
            task.resolve_again();
        }
    }

    /// Whether a command like the last one is that one, sent again.
    pub fn is_resent(&self, kind: &Kind, now: i64) -> bool {
        let meant_once = matches!(
            kind,
            Kind::Put(..)
                | Kind::Reopen
                | Kind::Delete
                | Kind::Skip(Skip::Ahead(_) | Skip::Wrong)
                | Kind::PutReminder(..)
                | Kind::RemoveReminder(_)
                | Kind::Pause
                | Kind::Resume(_)
        );
        meant_once || (!self.stirred && now - self.committed_at <= RESENT_WITHIN_MS)
    }

    pub fn command(
        &mut self,
        request: &Request,
        body: u64,
        prefs: &(u64, Prefs),
        now: i64,
    ) -> Expected {
        let known =
            match request.id {
                Some(_) => self.remembered.iter().rposition(|(id, _)| *id == request.id),
                None => self.remembered.len().checked_sub(1).filter(|n| {
                    self.remembered[*n].1 == body && self.is_resent(&request.kind, now)
                }),
            };
        if let Some(n) = known {
            let same = self.remembered[n].1 == body;
            return if same { Expected::Recorded(n) } else { Expected::Rejected };
        }
        let exists = self.task.is_some();
        if request.if_version == IfVersion::Wrong
            || (request.if_version == IfVersion::Absent && exists)
        {
            return Expected::Rejected;
        }
        let before = self.task.clone();
        match self.apply(&request.kind, prefs, now) {
            Err(Refused) => {
                self.task = before;
                Expected::Rejected
            }
            Ok(Changed(false)) if request.id.is_none() => Expected::Applied { commits: false },
            Ok(_) => {
                self.stored = true;
                self.remembered.push((request.id, body));
                if self.remembered.len() > 64 {
                    self.remembered.remove(0);
                }
                Expected::Applied { commits: true }
            }
        }
    }

    fn apply(&mut self, kind: &Kind, prefs: &(u64, Prefs), now: i64) -> Result<Changed, Refused> {
        if let Kind::Put(spec, if_past) = kind {
            let task = Task::put(self.task.as_ref(), spec, *if_past, prefs, now)?;
            self.task = Some(task);
            return Ok(Changed(true));
        }
        let task = self.task.as_mut().ok_or(Refused)?;
        match kind {
            Kind::Put(..) => Err(Refused),
            Kind::Complete => Ok(task.complete(now)),
            Kind::Reopen => Ok(task.reopen(now)),
            Kind::Delete => {
                self.task = None;
                Ok(Changed(true))
            }
            Kind::Skip(which) => task.skip(*which, now),
            Kind::PutReminder(reminder, if_past) => task.put_reminder(reminder, *if_past, now),
            Kind::RemoveReminder(id) => task.remove_reminder(id, now),
            Kind::Snooze(id, delay) => task.snooze(*id, *delay, now),
            Kind::Acknowledge(id) => task.acknowledge(*id),
            Kind::Dismiss(id) => task.dismiss(*id),
            Kind::Pause => {
                let is_news = task.paused.is_none();
                task.paused = task.paused.or(Some(now));
                Ok(Changed(is_news))
            }
            Kind::Resume(missed) => {
                let was_paused = task.paused.take().is_some();
                if was_paused && *missed == IfMissed::Skip {
                    task.pass_over(i64::MIN, now);
                }
                Ok(Changed(was_paused))
            }
        }
    }
}

/// Whether a command changed anything.
pub struct Changed(pub bool);

/// A command that is refused.
#[derive(Debug)]
pub struct Refused;

impl Task {
    pub fn is_open(&self) -> bool {
        !self.spec.completed
    }

    pub fn is_paused(&self) -> bool {
        self.paused.is_some() || self.prefs.1.paused.is_some()
    }

    /// What fell due then does not fire.
    fn pass_over(&mut self, from: i64, until: i64) {
        let schedule = self.clone();
        for alarm in &mut self.alarms {
            alarm.pass_over(&schedule, from, until);
        }
    }

    /// What fell due in a pause of its user that it knows of, and that is to be passed over.
    fn skip_as_its_user_says(&mut self, news: &Prefs) {
        let Some(since) = self.prefs.1.paused else { return };
        for &(from, until) in &news.skipped {
            // Its own pause began when it may have been late already; a later one takes only what is its own.
            let from = if from <= since { i64::MIN } else { from };
            if until > since {
                self.pass_over(from, until);
            }
        }
    }

    /// The occurrence that the task is at.
    pub fn present(&self) -> Option<i64> {
        self.spec.rule.and(self.spec.due).map(|due| due.nominal)
    }

    pub fn recurs_by_itself(&self) -> bool {
        self.spec.rule.is_some() && !self.spec.from_completion
    }

    pub fn reminders(&self) -> Vec<Reminder> {
        let said = self.spec.reminders.clone().or_else(|| self.prefs.1.defaults.clone());
        let trigger = Trigger::From { start: false, days: 0, minutes: 0 };
        let at_due = Reminder { id: "due", trigger, nag: None, late_limit: None };
        said.unwrap_or_else(|| self.spec.due.map(|_| at_due).into_iter().collect())
    }

    pub fn reminder(&self, id: &str) -> Option<Reminder> {
        self.reminders().into_iter().find(|reminder| reminder.id == id)
    }

    /// The occurrences after one, by their wall time.
    pub fn after(&self, occurrence: i64) -> impl Iterator<Item = i64> {
        let exdates = self.spec.exdates.clone();
        let all = self.spec.rule.into_iter().flat_map(|rule| rule.occurrences(self.first));
        all.filter(move |at| *at > occurrence && !exdates.contains(at))
    }

    /// Its due date at an occurrence.
    fn due_at(&self, occurrence: i64) -> i64 {
        let due = Time { nominal: occurrence, ..self.spec.due.unwrap() };
        due.resolve(&self.prefs.1, 0, 0)
    }

    /// The occurrence after the present one when that is done now.
    pub fn advanced(&self, now: i64) -> Option<(i64, usize)> {
        let (rule, due) = (self.spec.rule?, self.spec.due?);
        if !self.spec.from_completion {
            let mut later = self.after(due.nominal);
            return later.find(|at| self.due_at(*at) > now).map(|at| (at, 1));
        }
        let mut start = due.zone(&self.prefs.1).wall(now);
        if rule.has_days() {
            let time = self.first - crate::calendar::midnight(self.first);
            start = crate::calendar::midnight(start) + time;
        }
        let endless = crate::calendar::Rule { count: None, ..rule };
        let left = rule.count.map_or(usize::MAX, |count| count.saturating_sub(self.number));
        let mut numbered = endless.occurrences(start).skip(1).take(left).zip(self.number + 1..);
        numbered.find(|(at, _)| !self.spec.exdates.contains(at) && self.due_at(*at) > now)
    }

    /// When a reminder is due, at an occurrence or without any; `None`: its anchor is missing.
    pub fn moment(&self, reminder: &Reminder, occurrence: Option<i64>) -> Option<Moment> {
        let prefs = &self.prefs.1;
        let (nominal, occurrence) = match reminder.trigger {
            Trigger::At(time) => (time.resolve(prefs, 0, 0), None),
            Trigger::From { start, days, minutes } => {
                let due = self.spec.due?;
                let before = if start { self.spec.start_before? } else { 0 };
                let anchor = Time { nominal: occurrence.unwrap_or(due.nominal) - before, ..due };
                (anchor.resolve(prefs, days, minutes * crate::calendar::MINUTE), occurrence)
            }
        };
        let quiet = quiet_end(prefs, nominal).filter(|_| !self.spec.urgent);
        Some(Moment { at: quiet.unwrap_or(nominal), nominal, occurrence })
    }

    /// A moment of a reminder, and all that follow it by themselves.
    pub fn along(&self, reminder: &Reminder, first: Moment) -> impl Iterator<Item = Moment> {
        let from = first.occurrence.filter(|_| self.recurs_by_itself());
        let later = from.into_iter().flat_map(|from| self.after(from));
        let later = later.filter_map(|at| self.moment(reminder, Some(at)));
        std::iter::once(first).chain(later)
    }

    /// The latest of a reminder's moments that has come, how many came before it, and the next.
    pub fn missed(
        &self,
        reminder: &Reminder,
        first: Moment,
        now: i64,
    ) -> (Moment, u32, Option<Moment>) {
        let (mut latest, mut earlier) = (first, 0);
        for moment in self.along(reminder, first).skip(1) {
            if moment.at > now {
                return (latest, earlier.min(1_000), Some(moment));
            }
            (latest, earlier) = (moment, earlier + 1);
        }
        (latest, earlier.min(1_000), None)
    }

    /// What is still to come is where the preferences put it.
    pub fn resolve_again(&mut self) {
        let schedule = self.clone();
        for alarm in &mut self.alarms {
            if let (Plan::Waits(moment), Some(reminder)) = (alarm.plan, schedule.reminder(alarm.id))
            {
                let again = schedule.moment(&reminder, moment.occurrence);
                alarm.plan = Plan::Waits(again.unwrap_or(moment));
            }
        }
    }
}
