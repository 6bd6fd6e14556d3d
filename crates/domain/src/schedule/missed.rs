//! Along the occurrences of a recurring task: what follows a moment, and what was missed meanwhile.

use super::Schedule;
use crate::alarm::Moment;
use crate::recurrence::Cursor;
use crate::reminder::{Reminder, Trigger};
use crate::time::Timestamp;

/// Missed moments older than this are jumped over, not walked through, in milliseconds. It must be
/// longer than quiet hours and gaps may move a moment.
const JUMP_BEYOND_MS: i64 = 2 * 24 * 3_600_000;
/// Most occurrences walked through in one turn: more than a rule of every minute has in the days
/// that are not jumped over. A later turn goes on.
const WALK_MAX: u32 = 10_000;

/// The moments of a reminder that have come, as far as they were not fired yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    /// The last one.
    pub(crate) latest: Moment,
    /// How many came before it, saturating.
    pub(crate) earlier: u32,
    /// What comes then.
    pub(crate) next: Option<Moment>,
}

impl Schedule<'_> {
    /// The next moment of the same reminder. `None` unless it recurs by itself and goes on.
    pub(crate) fn following(&self, reminder: &Reminder, moment: &Moment) -> Option<Moment> {
        self.later(reminder, moment.occurrence).next()
    }

    /// The moments of a reminder after that of an occurrence, in the order of their occurrences.
    fn later(
        &self,
        reminder: &Reminder,
        occurrence: Option<Cursor>,
    ) -> impl Iterator<Item = Moment> {
        let series = self.series().filter(|_| self.recurs_by_itself());
        let later = series.zip(occurrence).map(|(series, at)| series.after(&at));
        later.into_iter().flatten().map_while(move |occurrence| {
            self.moment(reminder, Some(occurrence.cursor)).ok().flatten()
        })
    }

    /// Everything of a reminder that has come by now, from a moment on that has come.
    pub(crate) fn missed(&self, reminder: &Reminder, first: Moment, now: Timestamp) -> Missed {
        let (mut latest, mut earlier) = self.jump(reminder, first, now).unwrap_or((first, 0));
        let mut later = self.later(reminder, latest.occurrence);
        let mut next = later.next();
        for _ in 0..WALK_MAX {
            let Some(moment) = next.filter(|moment| moment.at <= now) else { break };
            latest = moment;
            earlier = earlier.saturating_add(1);
            next = later.next();
        }
        let earlier = earlier.min(crate::limits::COALESCED_COUNT_MAX);
        Missed { latest, earlier, next }
    }

    /// Goes near `now` in one step, to an occurrence whose moment has surely come.
    fn jump(&self, reminder: &Reminder, first: Moment, now: Timestamp) -> Option<(Moment, u32)> {
        if !self.recurs_by_itself() || now.millis_since(first.at) <= 2 * JUMP_BEYOND_MS {
            return None;
        }
        let Trigger::Relative { anchor, side, offset } = &reminder.trigger else { return None };
        let shift = side.shift(*offset);
        let mut shift_ms =
            shift.days.saturating_mul(24 * 3600).saturating_add(shift.seconds) * 1000;
        if *anchor == crate::reminder::Anchor::Start {
            let clock = self.preferences.clock();
            let task = self.task();
            let (due, start) = (task.due_date.as_ref()?, task.start.as_ref()?);
            shift_ms += (start.local(clock) - due.local(clock)).num_milliseconds();
        }
        let due_by = now.saturating_add_ms(-shift_ms).saturating_add_ms(-JUMP_BEYOND_MS);
        let (occurrence, count) = self.series()?.latest(Some(&first.occurrence?), due_by)?;
        let moment = self.moment(reminder, Some(occurrence.cursor)).ok().flatten()?;
        (moment.at <= now).then_some((moment, count))
    }
}
