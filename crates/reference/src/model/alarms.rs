//! The alarms of the reference, and what a wake makes of them.

use super::Task;
use crate::calendar::{MINUTE, Reminder, quiet_end};

/// What the model expects of one reminder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alarm {
    pub id: &'static str,
    pub plan: Plan,
    /// The last firing.
    pub rung: Option<Rung>,
    /// The firing that was put off, and until when.
    pub snooze: Option<(i64, Rung)>,
    pub acknowledged: Option<i64>,
}

/// Where its schedule stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plan {
    Asleep,
    /// It must fire.
    Waits(Moment),
    /// It has fired, and nothing follows.
    Fired(Moment),
    /// It was silenced by a completion.
    Cancelled(Moment),
    /// It was too late, skipped or dismissed, and nothing follows.
    Silent(Moment),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    pub at: i64,
    /// Without quiet hours.
    pub nominal: i64,
    /// The wall time of its occurrence.
    pub occurrence: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rung {
    pub moment: Moment,
    pub fired_at: i64,
    pub nagged: u16,
    pub nag_at: Option<i64>,
}

/// The two clocks of an alarm that are announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    Plan,
    Snooze,
}

/// What an alarm does at a wake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ring {
    pub at: i64,
    pub id: &'static str,
    /// `None`: it expires.
    pub cause: Option<Because>,
    pub coalesced: u32,
    pub first_missed: Option<i64>,
    pub occurrence: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Because {
    Plan,
    Snooze,
    Nag(u16),
}

impl Alarm {
    pub fn new(id: &'static str, plan: Plan) -> Self {
        Self { id, plan, rung: None, snooze: None, acknowledged: None }
    }

    pub fn next(&self) -> Option<i64> {
        let nag = self.rung.and_then(|rung| rung.nag_at);
        [self.waits(), nag, self.snooze.map(|(until, _)| until)].into_iter().flatten().min()
    }

    pub fn waits(&self) -> Option<i64> {
        if let Plan::Waits(moment) = self.plan { Some(moment.at) } else { None }
    }

    pub fn waiting(&self) -> Vec<((String, Clock), i64)> {
        let plan = self.waits().map(|at| ((self.id.to_owned(), Clock::Plan), at));
        let snooze = self.snooze.map(|(until, _)| ((self.id.to_owned(), Clock::Snooze), until));
        plan.into_iter().chain(snooze).collect()
    }

    /// Fires once for all that has come.
    pub fn wake(&mut self, task: &Task, now: i64) -> Option<Ring> {
        let reminder = task.reminder(self.id)?;
        let is_late = |at: i64| reminder.late_limit.is_some_and(|most| now - at > most * MINUTE);
        let plan = self.plan_due(task, &reminder, now);
        let nags = self.nags_due(task, &reminder, now);
        let snooze = self.snooze.filter(|(until, _)| *until <= now);

        // A new occurrence that is of use goes first, else the latest; of equals the snooze.
        let news = plan.filter(|(_, latest, _)| !is_late(latest.at));
        let choice = [
            plan.map(|(_, latest, _)| (latest.at, 0)),
            nags.last().map(|at| (*at, 1)),
            snooze.map(|(until, _)| (until, 2)),
        ];
        let chosen = choice.into_iter().flatten().max()?;
        let (at, which) = news.map_or(chosen, |(_, latest, _)| (latest.at, 0));

        // What counts as missed beside it: moments and snoozes always, nags among nags.
        let mut missed: Vec<i64> = Vec::new();
        let mut count = 0;
        if let Some((first, _, earlier)) = plan {
            missed.push(first);
            count += earlier + 1;
        }
        if let Some((until, _)) = snooze {
            missed.push(until);
            count += 1;
        }
        if which == 1 {
            missed.push(nags[0]);
            count += u32::try_from(nags.len()).unwrap();
        }
        count -= 1;

        let rung = self.rung;
        self.wind(task, &reminder, plan, &nags, snooze.is_some());
        let first_missed = missed.into_iter().min().filter(|_| count > 0);
        let told = |cause, occurrence| Ring {
            at,
            id: reminder.id,
            cause,
            coalesced: count,
            first_missed,
            occurrence,
        };
        if is_late(at) {
            if let Plan::Fired(moment) = self.plan
                && moment.at == at
            {
                self.plan = Plan::Silent(moment);
            }
            return Some(told(None, None));
        }
        let heard = |moment, nagged| {
            let nag = reminder.nag.filter(|(_, max)| nagged < *max);
            let nag_at = nag.map(|(every, _)| nag_after(task, every, now));
            Rung { moment, fired_at: now, nagged, nag_at }
        };
        let (cause, rung) = match which {
            0 => (Because::Plan, heard(plan?.1, 0)),
            1 => {
                let rung = self.rung.filter(|_| rung.is_some())?;
                (Because::Nag(rung.nagged), Rung { fired_at: now, ..rung })
            }
            _ => (Because::Snooze, heard(snooze?.1.moment, snooze?.1.nagged)),
        };
        self.rung = Some(rung);
        Some(told(Some(cause), rung.moment.occurrence))
    }

    /// What has come by then is past, without a ring.
    pub(super) fn pass_over(&mut self, task: &Task, from: i64, until: i64) {
        let Some(reminder) = task.reminder(self.id) else { return };
        let plan = self.plan_due(task, &reminder, until).filter(|(first, ..)| *first >= from);
        let mut nags = self.nags_due(task, &reminder, until);
        if nags.first().is_some_and(|first| *first < from) {
            nags.clear();
        }
        let snoozed = self.snooze.is_some_and(|(at, _)| from <= at && at <= until);
        self.wind(task, &reminder, plan, &nags, snoozed);
        if let (Some((_, latest, _)), Plan::Fired(moment)) = (plan, self.plan)
            && moment == latest
        {
            self.plan = Plan::Silent(latest);
        }
    }

    /// The first moment that has come, the latest, and how many before it.
    fn plan_due(&self, task: &Task, reminder: &Reminder, now: i64) -> Option<(i64, Moment, u32)> {
        let Plan::Waits(first) = self.plan else { return None };
        let (latest, earlier, _) = (first.at <= now).then(|| task.missed(reminder, first, now))?;
        Some((first.at, latest, earlier))
    }

    /// The nags that have come.
    fn nags_due(&self, task: &Task, reminder: &Reminder, now: i64) -> Vec<i64> {
        let mut nags = Vec::new();
        if let (Some((every, max)), Some(rung)) = (reminder.nag, self.rung) {
            let mut at = rung.nag_at;
            for _ in rung.nagged..max {
                nags.extend(at.filter(|at| *at <= now));
                at = at.filter(|at| *at <= now).map(|at| nag_after(task, every, at));
            }
        }
        nags
    }

    /// Sets what has run out to what follows.
    fn wind(
        &mut self,
        task: &Task,
        reminder: &Reminder,
        plan: Option<(i64, Moment, u32)>,
        nags: &[i64],
        snoozed: bool,
    ) {
        if let Some((_, latest, _)) = plan {
            let next = task.along(reminder, latest).nth(1);
            self.plan = next.map_or(Plan::Fired(latest), Plan::Waits);
        }
        if let (Some(rung), Some(last), Some((every, max))) =
            (&mut self.rung, nags.last(), reminder.nag)
        {
            rung.nagged += u16::try_from(nags.len()).unwrap();
            rung.nag_at = (rung.nagged < max).then(|| nag_after(task, every, *last));
        }
        if snoozed {
            self.snooze = None;
        }
    }
}

fn nag_after(task: &Task, every: i64, from: i64) -> i64 {
    let at = from + every * MINUTE;
    quiet_end(&task.prefs.1, at).filter(|_| !task.spec.urgent).unwrap_or(at)
}
