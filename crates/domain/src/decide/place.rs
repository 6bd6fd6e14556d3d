//! Where the alarms stand when a task is made or changed.

use super::{Outcome, removal, scheduled};
use crate::alarm::{Alarm, Moment, Plan};
use crate::command::{IfPast, RestoredAlarm};
use crate::event::{Fact, RemovalReason};
use crate::rejection::Rejection;
use crate::reminder::Reminder;
use crate::schedule::{Schedule, within_horizon};
use crate::state::Live;
use crate::time::Timestamp;

/// A task about to be stored, with alarms that are not placed yet.
pub(super) struct Placing<'a> {
    /// What was stored before.
    pub(super) old: Option<&'a Live>,
    /// What will be stored.
    pub(super) new: Live,
    /// What to do with reminders that are past already.
    pub(super) if_past: IfPast,
    /// What an imported calendar says of the alarms.
    pub(super) restored: &'a [RestoredAlarm],
    /// What to tell of reminders that are gone.
    pub(super) gone: RemovalReason,
    pub(super) now: Timestamp,
}

impl Placing<'_> {
    /// Places the alarms and tells what became of each; the caller adds what became of the task.
    ///
    /// # Errors
    /// When a reminder lies beyond the horizon, or is past and must not be.
    pub(super) fn place(mut self) -> Result<Outcome, Rejection> {
        let schedule = self.new.schedule();
        schedule.check(self.now)?;
        let mut alarms = Vec::new();
        for (index, reminder) in schedule.reminders().iter().enumerate() {
            let mut alarm = self.alarm(schedule, index, reminder)?;
            if !self.new.task.status.is_open() {
                silence(&mut alarm);
            }
            alarms.push(alarm);
        }
        let facts = self.facts(&alarms);
        self.new.alarms = alarms;
        Ok(Outcome::live(self.new, facts))
    }

    /// An alarm whose schedule is the same keeps what became of it; any other starts anew.
    fn alarm(
        &self,
        schedule: Schedule<'_>,
        index: usize,
        reminder: &Reminder,
    ) -> Result<Alarm, Rejection> {
        let field = || format!("task.reminders[{index}].{}", reminder.trigger_field());
        let before = self.old.and_then(|old| old.alarm(&reminder.id));
        let said = self.restored.iter().find(|said| said.reminder_id == reminder.id);
        let acknowledged = before.and_then(|alarm| alarm.acknowledged);
        let fresh = schedule.moment(reminder, self.new.occurrence);
        let out_of_range = |_| within_horizon(field, None, self.now).map(|_| None);
        let Some(moment) = fresh.or_else(out_of_range)? else {
            let asleep = Alarm::new(reminder.id.clone(), Plan::Asleep);
            return Ok(Alarm { acknowledged, ..asleep });
        };
        within_horizon(field, Some(moment.nominal()), self.now)?;
        let same = |before: &&Alarm| self.same_schedule(reminder) || same_moment(before, &moment);
        let mut alarm = if let Some(before) = before.filter(same) {
            self.kept(schedule, reminder, before)
        } else {
            let rang = acknowledged.max(said.and_then(|said| said.rang_until(self.now)));
            let handled = before.and_then(|alarm| alarm.rung).map(|rung| rung.moment.nominal());
            let plan = self.begin(schedule, reminder, moment, (rang, handled), &field)?;
            Alarm { acknowledged, ..Alarm::new(reminder.id.clone(), plan) }
        };
        if let Some(said) = said {
            said.restore(schedule, reminder, moment, &mut alarm, self.now)?;
        }
        Ok(alarm)
    }

    /// Whether nothing has changed that the moments of a reminder follow from, but preferences.
    fn same_schedule(&self, reminder: &Reminder) -> bool {
        let Some(old) = self.old else { return false };
        let (a, b) = (&old.task, &self.new.task);
        let trigger = old.schedule().reminder(&reminder.id).map(|old| old.trigger.clone());
        trigger.as_ref() == Some(&reminder.trigger)
            && a.due_date == b.due_date
            && a.start == b.start
            && a.recurrence == b.recurrence
            && old.occurrence == self.new.occurrence
    }

    fn kept(&self, schedule: Schedule<'_>, reminder: &Reminder, before: &Alarm) -> Alarm {
        let mut alarm = before.clone();
        alarm.plan = match before.plan {
            Plan::Scheduled(moment) => Plan::Scheduled(again(schedule, reminder, moment)),
            Plan::Cancelled(moment) => revived(schedule, reminder, moment, self.now)
                .map_or(Plan::Cancelled(moment), Plan::Scheduled),
            ref plan => plan.clone(),
        };
        if let Some(rung) = &mut alarm.rung
            && reminder.nag.is_none_or(|nag| rung.nagged >= nag.max)
        {
            rung.nag_at = None;
        }
        alarm
    }

    /// The plan of an alarm that starts anew, at a moment that may lie in the past.
    fn begin(
        &self,
        schedule: Schedule<'_>,
        reminder: &Reminder,
        moment: Moment,
        (rang, handled): (Option<Timestamp>, Option<Timestamp>),
        field: &dyn Fn() -> String,
    ) -> Result<Plan, Rejection> {
        if moment.at > self.now || !self.new.task.status.is_open() {
            return Ok(Plan::Scheduled(moment));
        }
        // What lies before an acknowledgement never fires, and does not count as missed.
        let mut first = Some(moment);
        if let Some(rang) = rang.filter(|rang| moment.at <= *rang) {
            first = schedule.missed(reminder, moment, rang).next;
        }
        let Some(first) = first else { return Ok(Plan::Skipped(moment)) };
        if first.at > self.now {
            return Ok(Plan::Scheduled(first));
        }
        let missed = schedule.missed(reminder, first, self.now);
        let latest = missed.latest;
        let seen = handled == Some(latest.nominal());
        match self.if_past {
            IfPast::Fire if !seen => Ok(Plan::Scheduled(first)),
            IfPast::Reject if !seen => Err(Rejection::invalid(
                field(),
                format!("is past already ({}), and ifPast says reject", latest.at),
            )),
            _ => Ok(missed.next.map_or(Plan::Skipped(latest), Plan::Scheduled)),
        }
    }

    fn facts(&self, alarms: &[Alarm]) -> Vec<Fact> {
        let old = self.old.map_or(&[][..], |old| &old.alarms);
        let open = self.new.task.status.is_open();
        let gone = if open { self.gone } else { RemovalReason::Completed };
        let mut facts = Vec::new();
        for before in old {
            let after = alarms.iter().find(|alarm| alarm.reminder_id == before.reminder_id);
            if let (Some(at), None) = (before.planned(), after.and_then(Alarm::planned)) {
                facts.push(removal(before, at, gone));
            }
            let snoozed = |alarm: &Alarm| alarm.snooze.map(|snooze| snooze.until);
            if let (Some(until), None) = (snoozed(before), after.and_then(snoozed)) {
                facts.push(removal(before, until, gone));
            }
        }
        for alarm in alarms {
            let before = old.iter().find(|before| before.reminder_id == alarm.reminder_id);
            let was = before.and_then(Alarm::planned);
            if let Some(at) = alarm.planned().filter(|at| was != Some(*at)) {
                facts.push(scheduled(alarm, at));
            }
            let was = before.and_then(|before| before.snooze).map(|snooze| snooze.until);
            if let Some(snooze) = alarm.snooze.filter(|snooze| was != Some(snooze.until)) {
                facts.push(Fact::ReminderSnoozed {
                    reminder_id: alarm.reminder_id.clone(),
                    scheduled_for: snooze.rung.moment.at,
                    until: snooze.until,
                });
            }
        }
        facts
    }
}

/// Whether a reminder that fires once does so at the moment it had before.
fn same_moment(before: &Alarm, moment: &Moment) -> bool {
    moment.occurrence.is_none()
        && before
            .plan
            .moment()
            .is_some_and(|old| old.occurrence.is_none() && old.nominal() == moment.nominal())
}

/// The same moment of the schedule by the preferences of now.
pub(super) fn again(schedule: Schedule<'_>, reminder: &Reminder, moment: Moment) -> Moment {
    schedule.moment(reminder, moment.occurrence).ok().flatten().unwrap_or(moment)
}

/// What of a silenced alarm is still to come when its task is open again; what fell due meanwhile
/// stays silent.
pub(super) fn revived(
    schedule: Schedule<'_>,
    reminder: &Reminder,
    moment: Moment,
    now: Timestamp,
) -> Option<Moment> {
    let moment = again(schedule, reminder, moment);
    if moment.at > now { Some(moment) } else { schedule.missed(reminder, moment, now).next }
}

/// A task that is done: nothing of it fires any more.
pub(super) fn silence(alarm: &mut Alarm) {
    if let Plan::Scheduled(moment) = alarm.plan {
        alarm.plan = Plan::Cancelled(moment);
    }
    alarm.snooze = None;
    if let Some(rung) = &mut alarm.rung {
        rung.nag_at = None;
    }
}

/// What to tell of an alarm that falls silent.
pub(super) fn silenced(alarm: &Alarm, reason: RemovalReason) -> Vec<Fact> {
    let snoozed = alarm.snooze.map(|snooze| snooze.until);
    [alarm.planned(), snoozed].into_iter().flatten().map(|at| removal(alarm, at, reason)).collect()
}
