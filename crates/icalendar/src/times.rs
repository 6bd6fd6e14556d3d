//! When a task is, in the words of the calendar: `DTSTART`, `DUE`, `RRULE`, `EXDATE`, `RDATE`.
//!
//! The rule for what they mean is in the documentation of the crate.

use crate::error::{ImportError, excerpt};
use crate::limits;
use crate::series::{self, Repeats};
use crate::tree::Component;
use crate::value::{self, ceil_due};
use crate::write::Writer;
use crate::zone::Zones;
use reminder_domain::recurrence::Rule;
use reminder_domain::task::Recurrence;
use reminder_domain::time::{DueTime, resolve};
use serde::{Deserialize, Serialize};

/// When a task is, in our words; in JSON the value of `X-REMINDER-SCHEDULE`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct When {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_date: Option<DueTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<DueTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recurrence: Option<Recurrence>,
}

/// The same in the words of the calendar; times are in whole seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) due: Option<DueTime>,
    pub(crate) start: Option<DueTime>,
    pub(crate) rule: Option<Rule>,
    pub(crate) exdates: Vec<DueTime>,
    pub(crate) rdates: Vec<DueTime>,
}

impl Times {
    /// How a task is written.
    pub(crate) fn of(when: &When) -> Self {
        let due = when.due_date.as_ref().and_then(ceil_due);
        if let (Some(recurrence), Some(exact)) = (&when.recurrence, &when.due_date) {
            return series::written(exact, recurrence);
        }
        let start = when.start.as_ref().and_then(ceil_due);
        // A calendar cannot say a start that is of another kind, or after what is due.
        let start = start.filter(|start| due.as_ref().is_none_or(|due| goes_before(start, due)));
        Self { due, start, ..Self::default() }
    }

    /// Reads them from a `VTODO`.
    pub(crate) fn read(todo: &Component, zones: &Zones<'_>) -> Result<Self, ImportError> {
        for (name, why) in [
            ("EXRULE", "is not supported: give the dates as EXDATE"),
            (
                "RECURRENCE-ID",
                "marks a change to one occurrence of another VTODO, which cannot be imported by itself",
            ),
        ] {
            if let Some(line) = todo.all(name).next() {
                return Err(line.refuse(why));
            }
        }
        let time = |name| todo.one(name)?.map(|line| value::one_time(line, zones)).transpose();
        let (mut due, start) = (time("DUE")?, time("DTSTART")?);
        if let Some(line) = todo.one("DURATION")? {
            due = Some(match (due, &start) {
                (Some(_), _) => return Err(line.refuse("must not stand beside DUE")),
                (None, None) => return Err(line.refuse("must stand beside a DTSTART")),
                (None, Some(start)) => {
                    let duration = value::duration(line, &line.value)?;
                    let end = (!duration.back).then(|| value::after(start, duration.offset));
                    end.flatten().ok_or_else(|| {
                        line.refuse(
                            "must not be negative, must consist of whole days after a date, and \
                             must not reach beyond the year 9999",
                        )
                    })?
                }
            });
        }
        let rule = match todo.one("RRULE")? {
            Some(line) => {
                let refused = |error: &dyn std::fmt::Display| line.refuse(error.to_string());
                Some(Rule::parse(&line.value).map_err(|error| refused(&error))?)
            }
            None => None,
        };
        let (exdates, rdates) = (dates(todo, "EXDATE", zones)?, dates(todo, "RDATE", zones)?);
        Ok(Self { due, start, rule, exdates, rdates })
    }

    /// Writes them.
    pub(crate) fn write(&self, writer: &mut Writer) {
        for (name, time) in [("DTSTART", &self.start), ("DUE", &self.due)] {
            if let Some(time) = time {
                writer.time(name, time);
            }
        }
        if let Some(rule) = &self.rule {
            writer.property("RRULE", &rule.to_string());
        }
        for (name, dates) in [("EXDATE", &self.exdates), ("RDATE", &self.rdates)] {
            for date in dates {
                writer.time(name, date);
            }
        }
    }

    /// All times there are.
    pub(crate) fn all(&self) -> impl Iterator<Item = &DueTime> {
        self.due.iter().chain(&self.start).chain(&self.exdates).chain(&self.rdates)
    }

    /// Whether two of them say the same, in whatever order.
    pub(crate) fn says(&self, other: &Self) -> bool {
        let sorted = |dates: &[DueTime]| {
            let mut texts: Vec<String> = dates.iter().map(value::time_text).collect();
            texts.sort_unstable();
            texts.dedup();
            texts
        };
        (&self.due, &self.start, &self.rule) == (&other.due, &other.start, &other.rule)
            && sorted(&self.exdates) == sorted(&other.exdates)
            && sorted(&self.rdates) == sorted(&other.rdates)
    }

    /// What they mean by themselves.
    pub(crate) fn meaning(&self, todo: &Component) -> Result<When, ImportError> {
        let refuse = |name: &str, why: &str| match todo.all(name).next() {
            Some(line) => line.refuse(why),
            None => todo.refuse(why),
        };
        if let (Some(start), Some(due)) = (&self.start, &self.due)
            && is_after(start, due)
        {
            return Err(refuse("DTSTART", "must not be later than DUE"));
        }
        if self.rule.is_none() && self.rdates.is_empty() {
            if !self.exdates.is_empty() {
                return Err(refuse("EXDATE", "takes dates out of a series, but there is no RRULE"));
            }
            let (due_date, start) = (self.due.clone(), self.start.clone());
            return Ok(When { due_date, start, recurrence: None });
        }
        let Some(due) = self.due.as_ref().or(self.start.as_ref()) else {
            let name = if self.rule.is_some() { "RRULE" } else { "RDATE" };
            return Err(refuse(name, "counts from DTSTART or DUE, but there is neither"));
        };
        let (start, rule) = (self.start.as_ref(), self.rule.as_ref());
        let repeats = Repeats { due, start, rule, exdates: &self.exdates, rdates: &self.rdates };
        repeats.meaning().map_err(|refused| refuse(refused.property, &refused.why))
    }
}

fn dates(todo: &Component, name: &str, zones: &Zones<'_>) -> Result<Vec<DueTime>, ImportError> {
    let mut dates = Vec::new();
    for line in todo.all(name) {
        if line.param("VALUE").is_some_and(|value| value.eq_ignore_ascii_case("PERIOD")) {
            return Err(line.refuse(format!(
                "must have dates or times, not periods, but has {}",
                excerpt(&line.value)
            )));
        }
        dates.extend(value::times(line, zones)?);
        if dates.len() > limits::DATES_MAX {
            return Err(line.refuse(format!("must be at most {} dates in all", limits::DATES_MAX)));
        }
    }
    Ok(dates)
}

/// Whether a calendar can say that something begins here and is due there: of one kind (RFC 5545
/// §3.8.2.3), and in this order.
fn goes_before(start: &DueTime, due: &DueTime) -> bool {
    std::mem::discriminant(start) == std::mem::discriminant(due) && !is_after(start, due)
}

/// Whether a time is later than another one, as far as that can be said without knowing the user.
fn is_after(time: &DueTime, than: &DueTime) -> bool {
    let instant = |time: &DueTime| match time {
        DueTime::Instant(at) => Some(*at),
        DueTime::Zoned { local, zone } => resolve(*local, *zone).map(|resolved| resolved.at),
        DueTime::Floating(_) | DueTime::Date(_) => None,
    };
    match (instant(time), instant(than)) {
        (Some(time), Some(than)) => time > than,
        (None, None) if std::mem::discriminant(time) == std::mem::discriminant(than) => {
            time.nominal() > than.nominal()
        }
        _ => time.nominal().date() > than.nominal().date(),
    }
}
