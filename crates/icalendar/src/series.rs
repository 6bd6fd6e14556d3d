//! Recurring tasks: which occurrence a calendar's rule counts from.

use crate::limits;
use crate::times::{Times, When};
use crate::value::ceil_due;
use chrono::{NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use reminder_domain::recurrence::{Clock, Cursor, LocalMoment, Rule, Series, Until};
use reminder_domain::task::{Recurrence, RecursFrom};
use reminder_domain::time::{DueTime, Shift, TimeOfDay, UserClock, resolve};

/// What a series that has no rule but only dates is taken for: its first occurrence, and the dates.
const ONCE: &str = "FREQ=DAILY;COUNT=1";

/// A property that cannot be imported.
pub(crate) struct Refused {
    pub(crate) property: &'static str,
    pub(crate) why: String,
}

fn refuse<T>(property: &'static str, why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { property, why: why.into() })
}

/// A series in nominal wall time, as far as it can be known without knowing the user.
fn series<'a>(
    due: &DueTime,
    start: NaiveDateTime,
    rule: &'a Rule,
    exdates: &'a [LocalMoment],
    rdates: &'a [LocalMoment],
) -> Series<'a> {
    let zone = match due {
        DueTime::Zoned { zone, .. } => *zone,
        _ => Tz::UTC,
    };
    let time_of_day = matches!(due, DueTime::Date(_)).then_some(NaiveTime::MIN);
    Series { rule, start, exdates, rdates, clock: Clock { zone, time_of_day } }
}

/// The nominal times that follow one, as many as are compared.
fn following(series: &Series<'_>, after: Cursor) -> Vec<NaiveDateTime> {
    let mut times = Vec::new();
    let mut at = after;
    while let Some(next) = series.next(&at).filter(|_| times.len() < limits::OCCURRENCES_COMPARED) {
        at = next.cursor;
        times.push(at.local);
    }
    times
}

/// How a recurring task is written: counting from its present occurrence, if that makes no
/// difference to what follows, else from the first one.
pub(crate) fn written(due: &DueTime, recurrence: &Recurrence) -> Times {
    let first = recurrence.start.unwrap_or_else(|| due.nominal());
    from_present(due, recurrence, first).unwrap_or_else(|| {
        let base = due.at_nominal(first).unwrap_or_else(|| due.clone());
        times(&base, recurrence.rule.clone(), recurrence, first, None)
    })
}

fn from_present(due: &DueTime, recurrence: &Recurrence, first: NaiveDateTime) -> Option<Times> {
    let present = due.nominal();
    let (exdates, rdates) = (&recurrence.exdates, &recurrence.rdates);
    let whole = series(due, first, &recurrence.rule, exdates, rdates);
    let (number, rule) = match recurrence.rule.count() {
        None => (0, recurrence.rule.clone()),
        Some(count) => {
            let clock = UserClock { zone: Tz::UTC, default_time: TimeOfDay::parse("00:00").ok()? };
            let at = due.resolve(clock, Shift::NONE)?.at;
            let number = whole.latest(None, at)?.0.cursor.number;
            let rest = count.checked_sub(number)?.checked_add(1)?;
            (number, with_part(&recurrence.rule, "COUNT", &rest.to_string())?)
        }
    };
    let ahead: Vec<LocalMoment> =
        rdates.iter().copied().filter(|d| day_of(d) >= present.date()).collect();
    let rest = series(due, present, &rule, exdates, &ahead);
    let from = |number| Cursor { local: present, number };
    let start = rest.first()?.cursor;
    let same = start.local == present
        && following(&whole, from(number)) == following(&rest, from(start.number));
    same.then(|| times(due, rule, recurrence, first, Some(present)))
}

fn day_of(moment: &LocalMoment) -> chrono::NaiveDate {
    match moment {
        LocalMoment::DateTime(at) => at.date(),
        LocalMoment::Date(day) => *day,
    }
}

/// The properties of a series that counts from `base`; dates added before `since` are left out.
fn times(
    base: &DueTime,
    rule: Rule,
    recurrence: &Recurrence,
    first: NaiveDateTime,
    since: Option<NaiveDateTime>,
) -> Times {
    let at = |local| base.at_nominal(local).as_ref().and_then(ceil_due);
    let of_day = |day: &chrono::NaiveDate| day.and_time(first.time());
    let added = recurrence.rdates.iter().filter_map(|moment| match moment {
        LocalMoment::DateTime(local) => at(*local),
        LocalMoment::Date(day) => at(of_day(day)),
    });
    let added = added.filter(|date| since.is_none_or(|since| date.nominal() >= since));
    let taken_out = recurrence.exdates.iter().filter_map(|moment| match moment {
        LocalMoment::DateTime(local) => at(*local),
        // Several occurrences of a day have no better name.
        LocalMoment::Date(day) if rule.has_time_parts() => Some(DueTime::Date(*day)),
        LocalMoment::Date(day) => at(of_day(day)),
    });
    let (exdates, rdates) = (taken_out.collect(), added.collect());
    let due = ceil_due(base);
    Times { start: due.clone(), due, rule: Some(ending_like(base, rule)), exdates, rdates }
}

/// The rule with an end of the kind that goes with its start (RFC 5545 §3.3.10): in UTC, unless the
/// start has no zone. What is in UTC already, needs to know the user to become anything else.
fn ending_like(base: &DueTime, rule: Rule) -> Rule {
    let of_day = |until: Until| match until {
        Until::Date(day) => day.and_hms_opt(23, 59, 59),
        Until::Local(local) => Some(local),
        Until::Utc(_) => None,
    };
    let ending = match (base, rule.until()) {
        (DueTime::Date(_), Some(Until::Local(local))) => Some(Until::Date(local.date())),
        (DueTime::Floating(_), Some(until)) => of_day(until).map(Until::Local),
        (DueTime::Zoned { .. } | DueTime::Instant(_), Some(until)) => {
            let zone = if let DueTime::Zoned { zone, .. } = base { *zone } else { Tz::UTC };
            let end = of_day(until).and_then(|local| resolve(local, zone));
            end.map(|resolved| Until::Utc(resolved.at))
        }
        _ => None,
    };
    ending.and_then(|until| with_part(&rule, "UNTIL", &until.to_string())).unwrap_or(rule)
}

/// The rule with another value of a part that it has.
fn with_part(rule: &Rule, name: &str, value: &str) -> Option<Rule> {
    let text = rule.to_string();
    let parts = text.split(';').map(|part| match part.split_once('=') {
        Some((known, _)) if known == name => format!("{name}={value}"),
        _ => part.to_owned(),
    });
    Rule::parse(&parts.collect::<Vec<_>>().join(";")).ok()
}

/// A series as a calendar has it.
pub(crate) struct Repeats<'a> {
    /// `DUE`, or `DTSTART` where that is all there is.
    pub(crate) due: &'a DueTime,
    pub(crate) start: Option<&'a DueTime>,
    pub(crate) rule: Option<&'a Rule>,
    pub(crate) exdates: &'a [DueTime],
    pub(crate) rdates: &'a [DueTime],
}

impl Repeats<'_> {
    /// What it means by itself: our rules count due dates.
    pub(crate) fn meaning(&self) -> Result<When, Refused> {
        let base = self.start.unwrap_or(self.due);
        let rule = match self.rule {
            Some(rule) => rule.clone(),
            None => Rule::parse(ONCE)
                .map_err(|error| Refused { property: "RDATE", why: error.to_string() })?,
        };
        let exdates = moments(self.exdates, base, "EXDATE")?;
        let rdates = moments(self.rdates, base, "RDATE")?;
        let first = base.nominal();
        let from = RecursFrom::Due;
        let recurrence = Recurrence { rule, start: Some(first), exdates, rdates, from };
        let due_date = Some(self.due.clone());
        if base == self.due {
            return Ok(When { due_date, start: None, recurrence: Some(recurrence) });
        }
        let recurrence = self.moved(base, &recurrence)?;
        Ok(When { due_date, start: Some(base.clone()), recurrence: Some(recurrence) })
    }

    /// The series of due dates from that of starts: each is due as long after it begins as the first.
    fn moved(&self, base: &DueTime, starts: &Recurrence) -> Result<Recurrence, Refused> {
        let same_clock = match (base, self.due) {
            (DueTime::Zoned { zone: one, .. }, DueTime::Zoned { zone: other, .. }) => one == other,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        };
        if !same_clock {
            return refuse(
                "DTSTART",
                "must be of the same kind and zone as DUE in a recurring task",
            );
        }
        let distance = self.due.nominal() - base.nominal();
        let whole_days = distance == TimeDelta::days(distance.num_days());
        let move_one = |moment: &LocalMoment| match moment {
            LocalMoment::DateTime(at) => at.checked_add_signed(distance).map(LocalMoment::DateTime),
            LocalMoment::Date(day) if whole_days => {
                day.checked_add_signed(distance).map(LocalMoment::Date)
            }
            LocalMoment::Date(_) => None,
        };
        let move_all = |moments: &[LocalMoment]| -> Option<Vec<LocalMoment>> {
            moments.iter().map(move_one).collect()
        };
        let moved: Option<Recurrence> = (|| {
            Some(Recurrence {
                rule: moved_end(&starts.rule, distance)?,
                start: Some(self.due.nominal()),
                exdates: move_all(&starts.exdates)?,
                rdates: move_all(&starts.rdates)?,
                from: RecursFrom::Due,
            })
        })();
        let compared = |at: &DueTime, recurrence: &Recurrence| {
            let first = at.nominal();
            let (exdates, rdates) = (&recurrence.exdates, &recurrence.rdates);
            let series = series(at, first, &recurrence.rule, exdates, rdates);
            following(
                &series,
                Cursor { local: first, number: 1.min(recurrence.rule.count().unwrap_or(0)) },
            )
        };
        let expected: Vec<_> = compared(base, starts)
            .iter()
            .filter_map(|at| at.checked_add_signed(distance))
            .collect();
        moved.filter(|moved| compared(self.due, moved) == expected).ok_or_else(|| Refused {
            property: "RRULE",
            why: "counts from DTSTART, but here a rule counts the due dates, and counted from DUE it \
                  would yield others: leave DTSTART out, or set it to DUE"
                .into(),
        })
    }
}

/// The rule with its end moved.
fn moved_end(rule: &Rule, distance: TimeDelta) -> Option<Rule> {
    let Some(until) = rule.until() else { return Some(rule.clone()) };
    let until = match until {
        Until::Utc(at) => {
            let at = at.to_datetime().checked_add_signed(distance)?;
            Until::Utc(reminder_domain::Timestamp::from_datetime(&at)?)
        }
        Until::Local(at) => Until::Local(at.checked_add_signed(distance)?),
        Until::Date(day) if distance == TimeDelta::days(distance.num_days()) => {
            Until::Date(day.checked_add_signed(distance)?)
        }
        // The end of the day, so that a part of a day moves it too.
        Until::Date(day) => {
            Until::Local(day.and_hms_opt(23, 59, 59)?.checked_add_signed(distance)?)
        }
    };
    with_part(rule, "UNTIL", &until.to_string())
}

/// Dates of a series in its own wall time.
fn moments(
    dates: &[DueTime],
    base: &DueTime,
    property: &'static str,
) -> Result<Vec<LocalMoment>, Refused> {
    let in_zone = |date: &DueTime, zone: Tz| {
        let at = match date {
            DueTime::Zoned { local, zone } => resolve(*local, *zone)?.at,
            DueTime::Instant(at) => *at,
            DueTime::Floating(_) | DueTime::Date(_) => return None,
        };
        Some(at.to_datetime().with_timezone(&zone).naive_local())
    };
    let local = |date: &DueTime| match (base, date) {
        (DueTime::Date(_), DueTime::Floating(_)) | (_, DueTime::Date(_)) => {
            Some(LocalMoment::Date(date.nominal().date()))
        }
        (DueTime::Date(_), _) => None,
        (_, DueTime::Floating(local)) => Some(LocalMoment::DateTime(*local)),
        (DueTime::Zoned { zone: one, .. }, DueTime::Zoned { local, zone: other })
            if one == other =>
        {
            Some(LocalMoment::DateTime(*local))
        }
        (DueTime::Floating(_), _) => None,
        (DueTime::Zoned { zone, .. }, _) => in_zone(date, *zone).map(LocalMoment::DateTime),
        (DueTime::Instant(_), _) => in_zone(date, Tz::UTC).map(LocalMoment::DateTime),
    };
    let found: Option<Vec<LocalMoment>> = dates.iter().map(local).collect();
    found.ok_or_else(|| Refused {
        property,
        why: "must be of the same kind as what the series counts from: without a zone, since that \
              has none"
            .into(),
    })
}
