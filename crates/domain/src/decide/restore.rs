//! What an imported calendar says of its alarms beside their schedule.

use crate::alarm::{Alarm, Moment, Plan, Rung, Snooze};
use crate::command::RestoredAlarm;
use crate::rejection::Rejection;
use crate::reminder::Reminder;
use crate::schedule::{Schedule, within_horizon};
use crate::time::Timestamp;

impl RestoredAlarm {
    /// When it was acknowledged. Nobody has seen what is still to come.
    pub(super) fn acknowledged(&self, now: Timestamp) -> Option<Timestamp> {
        self.acknowledged.map(|at| at.min(now))
    }

    /// The end of a snooze that is under way.
    fn snoozed_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.snoozed_until.filter(|until| *until > now)
    }

    /// Up to when its moments have rung elsewhere, so that they do not ring here.
    pub(super) fn rang_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.acknowledged(now).max(self.snoozed_until(now).map(|_| now))
    }

    /// Brings an alarm of an open task to where the calendar says it is.
    ///
    /// # Errors
    /// When a snooze reaches beyond the scheduling horizon.
    pub(super) fn restore(
        &self,
        schedule: Schedule<'_>,
        reminder: &Reminder,
        first: Moment,
        alarm: &mut Alarm,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        alarm.acknowledged = alarm.acknowledged.max(self.acknowledged(now));
        let is_seen = |rung: &Rung| Some(rung.fired_at) <= alarm.acknowledged;
        alarm.rung = alarm.rung.filter(|rung| !is_seen(rung));
        alarm.snooze = alarm.snooze.filter(|snooze| !is_seen(&snooze.rung));
        if let (Plan::Scheduled(moment), Some(rang)) = (&alarm.plan, self.rang_until(now))
            && moment.at <= rang
        {
            let missed = schedule.missed(reminder, *moment, rang);
            alarm.plan = missed.next.map_or(Plan::Skipped(missed.latest), Plan::Scheduled);
        }
        let Some(until) = self.snoozed_until(now) else { return Ok(()) };
        within_horizon(|| "calendar".into(), Some(until), now)?;
        if alarm.snooze.is_none_or(|snooze| snooze.until != until) {
            let has_come = first.at <= now;
            let missed = has_come.then(|| schedule.missed(reminder, first, now));
            let moment = missed.map_or(first, |missed| missed.latest);
            let rung = Rung { moment, fired_at: moment.at.min(now), nagged: 0, nag_at: None };
            alarm.snooze = Some(Snooze { until, rung: alarm.rung.unwrap_or(rung) });
        }
        Ok(())
    }
}
