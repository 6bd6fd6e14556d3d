//! From reminders to alarms, and back.

use crate::alarm::Trigger;
use crate::times::{Times, When};
use crate::value::{Duration, ceil};
use chrono::{NaiveTime, TimeDelta};
use reminder_domain::ReminderId;
use reminder_domain::limits::REMINDER_ID_MAX_CHARS;
use reminder_domain::reminder::{self, Anchor, Nag, Reminder, Side};
use reminder_domain::time::{CalendarOffset, DueTime, Shift, UserClock, resolve};
use std::collections::HashSet;

/// What the relative triggers of a calendar count from.
#[derive(Clone, Copy)]
pub(crate) struct Anchors<'a> {
    when: &'a When,
    /// Whether `DTSTART` is a start, and not only where a rule counts from.
    start: bool,
}

/// A reminder that a calendar describes but we cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It counts from the midnight of a day that recurs; our days have no midnight.
    MidnightRecurs,
    /// Its time lies beyond the years there are.
    OutOfRange,
}

impl<'a> Anchors<'a> {
    pub(crate) fn new(when: &'a When, times: &Times) -> Self {
        let recurs = times.rule.is_some() && times.start == times.due;
        Self { when, start: times.start.is_some() && !recurs }
    }

    fn of(&self, end: bool) -> (Anchor, Option<&'a DueTime>) {
        let (due, start) = (self.when.due_date.as_ref(), self.when.start.as_ref());
        match (end, start.filter(|_| self.start)) {
            (false, Some(start)) => (Anchor::Start, Some(start)),
            (false, None) if due.is_none() => (Anchor::Start, None),
            _ => (Anchor::Due, due),
        }
    }

    /// The reminder that an alarm is by itself.
    ///
    /// A calendar's day begins at midnight, ours is due when the user says; so what counts from a
    /// day is due at a wall time of its own.
    pub(crate) fn reminder(
        &self,
        id: ReminderId,
        trigger: &Trigger,
        nag: Option<Nag>,
    ) -> Result<Reminder, Unfit> {
        let trigger = match trigger {
            Trigger::At(time) => reminder::Trigger::At(time.clone()),
            Trigger::Relative { end, duration } => {
                let (anchor, time) = self.of(*end);
                let Duration { back, offset } = *duration;
                let earlier = back || offset == CalendarOffset::ZERO;
                let side = if earlier { Side::Before } else { Side::After };
                match time {
                    Some(DueTime::Date(_)) if self.when.recurrence.is_some() => {
                        return Err(Unfit::MidnightRecurs);
                    }
                    Some(DueTime::Date(day)) => {
                        let Shift { days, seconds } = side.shift(offset);
                        let shift = TimeDelta::try_days(days).zip(TimeDelta::try_seconds(seconds));
                        let at = shift.and_then(|(days, seconds)| {
                            let midnight = day.and_time(NaiveTime::MIN);
                            midnight.checked_add_signed(days)?.checked_add_signed(seconds)
                        });
                        let at = at.and_then(|at| DueTime::Floating(at).at_nominal(at));
                        reminder::Trigger::At(at.ok_or(Unfit::OutOfRange)?)
                    }
                    _ => reminder::Trigger::Relative { anchor, side, offset },
                }
            }
        };
        Ok(Reminder { id, trigger, nag, late_limit: None })
    }
}

/// How a reminder is written; `None` when it has nothing to count from, so that no alarm can say it.
pub(crate) fn trigger(
    reminder: &Reminder,
    when: &When,
    times: &Times,
    clock: UserClock,
) -> Option<Trigger> {
    let (anchor, side, offset) = match &reminder.trigger {
        reminder::Trigger::At(time) => {
            let at = time.resolve(clock, Shift::NONE)?.at;
            return Some(Trigger::At(DueTime::Instant(ceil(at))));
        }
        reminder::Trigger::Relative { anchor, side, offset } => (*anchor, *side, *offset),
    };
    let from = match anchor {
        Anchor::Due => when.due_date.as_ref(),
        Anchor::Start => when.start.as_ref(),
    }?;
    // A calendar's series counts what is due, so its start is only said as a distance from there.
    let has_start = times.start.is_some() && times.rule.is_none();
    let end = !(anchor == Anchor::Start && has_start) && when.due_date.is_some();
    let to = if end { when.due_date.as_ref() } else { when.start.as_ref() }?;
    let distance = distance(from, to, clock)?;
    if distance.is_zero() {
        let back = side == Side::Before && offset != CalendarOffset::ZERO;
        return Some(Trigger::Relative { end, duration: Duration { back, offset } });
    }
    let days = distance.num_days();
    let shift = side.shift(offset);
    let days = shift.days.checked_add(days)?;
    let seconds = shift
        .seconds
        .checked_add((distance - TimeDelta::days(distance.num_days())).num_seconds())?;
    // A duration has one sign; where the days have another one than the rest, they are hours.
    let total = days.checked_mul(24 * 3600)?.checked_add(seconds)?;
    let (days, seconds) =
        if days.signum() * seconds.signum() < 0 { (0, total) } else { (days, seconds) };
    let length = match (days.unsigned_abs(), seconds.unsigned_abs()) {
        (0, seconds) => format!("PT{seconds}S"),
        (days, seconds) => format!("P{days}DT{seconds}S"),
    };
    let offset = CalendarOffset::parse(&length).ok()?;
    Some(Trigger::Relative { end, duration: Duration { back: total < 0, offset } })
}

/// How far an anchor of ours lies from what the calendar counts from: the written time, or the
/// midnight that a written date begins with.
fn distance(from: &DueTime, to: &DueTime, clock: UserClock) -> Option<TimeDelta> {
    let midnight = |time: &DueTime| match time {
        DueTime::Date(day) => day.and_time(NaiveTime::MIN),
        other => other.local(clock),
    };
    if from.zone(clock) == to.zone(clock) {
        return Some(from.local(clock) - midnight(to));
    }
    let from = from.resolve(clock, Shift::NONE)?.at;
    let to = resolve(midnight(to), to.zone(clock))?.at;
    Some(TimeDelta::milliseconds(from.millis_since(to)))
}

/// Gives each alarm an id of its own, which depends on nothing but its `UID` where it has one.
#[derive(Default)]
pub(crate) struct Ids {
    taken: HashSet<ReminderId>,
}

impl Ids {
    /// Takes an id that is known already.
    pub(crate) fn keep(&mut self, id: ReminderId) -> bool {
        self.taken.insert(id)
    }

    /// The id of the alarm with this `UID`, the `place`-th one.
    pub(crate) fn give(&mut self, uid: Option<&str>, place: usize) -> ReminderId {
        let of_uid = uid.and_then(|uid| ReminderId::parse(uid).ok().or_else(|| of_text(uid)));
        let counted = (place..).filter_map(|n| ReminderId::parse(format!("alarm-{n}")).ok());
        let mut ids = of_uid.into_iter().chain(counted);
        // There are more numbers than alarms.
        let free =
            ids.find(|id| !self.taken.contains(id)).unwrap_or_else(|| Reminder::at_due_date().id);
        self.taken.insert(free.clone());
        free
    }
}

/// An id for a `UID` that is none: what of it fits, and a number that tells it from similar ones.
fn of_text(uid: &str) -> Option<ReminderId> {
    let fits = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '_';
    let kept: String = uid.chars().filter(fits).collect();
    let kept = kept.trim_start_matches(['-', '_']);
    // FNV-1a: short, and the same everywhere and always.
    let hash = uid.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let number = format!("{hash:016x}");
    let room = REMINDER_ID_MAX_CHARS - number.len() - 1;
    let kept = kept.get(..room.min(kept.len())).filter(|kept| !kept.is_empty()).unwrap_or("alarm");
    ReminderId::parse(format!("{kept}-{number}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_the_uid() {
        let give = |uid| Ids::default().give(uid, 1).to_string();
        assert_eq!(give(Some("F7A6-1")), "F7A6-1");
        assert_eq!(give(None), "alarm-1");
        let odd = give(Some("{a@example.com}"));
        assert!(odd.starts_with("aexamplecom-"), "{odd}");
        assert_eq!(odd, give(Some("{a@example.com}")));
        assert_ne!(odd, give(Some("{a@example,com}")));
        assert!(give(Some("é")).starts_with("alarm-"));
        assert_eq!(give(Some(&"x.".repeat(300))).len(), REMINDER_ID_MAX_CHARS);
    }

    #[test]
    fn ids_are_distinct() {
        let mut ids = Ids::default();
        let given: Vec<String> = [Some("a"), Some("a"), None, Some("alarm-4"), None]
            .iter()
            .enumerate()
            .map(|(index, uid)| ids.give(*uid, index + 1).to_string())
            .collect();
        assert_eq!(given, ["a", "alarm-2", "alarm-3", "alarm-4", "alarm-5"]);
    }
}
