//! Why a moment is when it is: each rule that had a part in it, as data and in words.

mod verdict;

pub use verdict::{Explanation, Verdict, explain};

use crate::alarm::Moment;
use crate::ids::ReminderId;
use crate::reminder::{Anchor, Reminder, Side, Trigger};
use crate::schedule::Schedule;
use crate::time::{Adjustment, DueTime, Shift, Timestamp};
use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// One rule that had a part in a moment, and what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The rule.
    pub rule: RuleName,
    /// What it did, in words.
    pub text: String,
}

/// The rules that lead to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RuleName {
    /// The occurrence of a recurring task.
    Occurrence,
    /// What the reminder counts from.
    Anchor,
    /// The reminder's own offset.
    Offset,
    /// The zone in which a wall time is read.
    Zone,
    /// A wall time that comes twice.
    Overlap,
    /// A wall time that does not exist.
    Gap,
    /// The user's quiet hours.
    QuietHours,
    /// A snooze.
    Snooze,
    /// A nag.
    Nag,
    /// Earlier moments that were missed.
    Coalesced,
    /// It fired late.
    Late,
}

impl RuleName {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Occurrence => "occurrence",
            Self::Anchor => "anchor",
            Self::Offset => "offset",
            Self::Zone => "zone",
            Self::Overlap => "overlap",
            Self::Gap => "gap",
            Self::QuietHours => "quietHours",
            Self::Snooze => "snooze",
            Self::Nag => "nag",
            Self::Coalesced => "coalesced",
            Self::Late => "late",
        }
    }
}

/// A resolution that a rule moved, for the answer to the command that led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjusted {
    /// Which reminder.
    #[serde(rename = "r")]
    pub reminder_id: ReminderId,
    /// When it is due now.
    #[serde(rename = "a")]
    pub at: Timestamp,
    /// The rule, and what it did.
    #[serde(flatten)]
    pub step: Step,
}

impl Step {
    pub(crate) fn new(rule: RuleName, text: String) -> Self {
        Self { rule, text }
    }
}

impl Schedule<'_> {
    /// The rules that led to a moment of a reminder, in the order in which they apply.
    pub fn steps(&self, reminder: &Reminder, moment: &Moment) -> Vec<Step> {
        let clock = self.preferences().clock();
        let mut steps = Vec::new();
        let (time, shift) = match &reminder.trigger {
            Trigger::At(time) => (Some(time.clone()), Shift::NONE),
            Trigger::Relative { anchor, side, offset } => {
                if let Some(cursor) = &moment.occurrence {
                    steps.push(occurrence(self, cursor.local, cursor.number));
                }
                let name = match anchor {
                    Anchor::Due => "dueDate",
                    Anchor::Start => "start",
                };
                let time = self.anchor(*anchor, moment.occurrence.as_ref());
                if let Some(time) = &time {
                    steps.push(Step::new(RuleName::Anchor, format!("{name} is {}", shown(time))));
                }
                let shift = side.shift(*offset);
                if shift != Shift::NONE {
                    let word = match side {
                        Side::Before => "before",
                        Side::After => "after",
                    };
                    let how = match (shift.days, shift.seconds) {
                        (_, 0) => "the same wall time, so many days away",
                        (0, _) => "exact time",
                        _ => "days by the calendar first, then exact time",
                    };
                    steps.push(Step::new(RuleName::Offset, format!("{offset} {word} it: {how}")));
                }
                (time, shift)
            }
        };
        let Some(time) = time else { return steps };
        let zone = time.zone(clock);
        match &time {
            DueTime::Instant(_) => {}
            DueTime::Zoned { .. } => {
                steps.push(Step::new(RuleName::Zone, format!("read in {zone}, as the task says")));
            }
            DueTime::Floating(_) => {
                steps.push(Step::new(RuleName::Zone, format!("read in {zone}, where the user is")));
            }
            DueTime::Date(_) => {
                let at = clock.default_time;
                let text =
                    format!("at {at}, the user's default time, in {zone}, where the user is");
                steps.push(Step::new(RuleName::Zone, text));
            }
        }
        let days = chrono::TimeDelta::days(shift.days);
        let wanted = time.local(clock).checked_add_signed(days);
        steps.extend(wanted.and_then(|wanted| adjusted(wanted, zone, moment, shift)));
        steps.extend(self.quiet_step(moment));
        steps
    }

    fn quiet_step(&self, moment: &Moment) -> Option<Step> {
        let from = moment.quiet_from?;
        let zone = self.preferences().zone;
        let (wanted, end) = (wall(from, zone), wall(moment.at, zone));
        let text = format!("{wanted} lies in the quiet hours of {zone}: it waits until {end}");
        Some(Step::new(RuleName::QuietHours, text))
    }

    /// What rules moved, of one moment.
    pub(crate) fn adjustments(&self, reminder: &Reminder, moment: &Moment) -> Vec<Step> {
        let moved = |step: &Step| {
            matches!(step.rule, RuleName::Gap | RuleName::Overlap | RuleName::QuietHours)
        };
        self.steps(reminder, moment).into_iter().filter(moved).collect()
    }
}

fn occurrence(schedule: &Schedule<'_>, local: NaiveDateTime, number: u32) -> Step {
    let rule = schedule.task().recurrence.as_ref().map(|recurrence| recurrence.rule.to_string());
    let which = if number > 0 { format!(", number {number}") } else { String::new() };
    let text = format!("occurrence of {local}{which}, by {}", rule.unwrap_or_default());
    Step::new(RuleName::Occurrence, text)
}

fn adjusted(wanted: NaiveDateTime, zone: Tz, moment: &Moment, shift: Shift) -> Option<Step> {
    // The exact part of the offset comes after the zone's rules.
    let resolved = moment.nominal().saturating_add_ms(shift.seconds.saturating_mul(-1000));
    let (rule, text) = match moment.adjustment {
        Adjustment::None => return None,
        Adjustment::Overlap => (
            RuleName::Overlap,
            format!(
                "{wanted} comes twice in {zone}, where the clocks go back: the first one counts ({})",
                offset(resolved, zone)
            ),
        ),
        Adjustment::Gap => (
            RuleName::Gap,
            format!(
                "{wanted} does not exist in {zone}, where the clocks go forward: with the \
                 offset before, it is read as {}",
                wall(resolved, zone)
            ),
        ),
    };
    Some(Step::new(rule, text))
}

/// A time as the caller wrote it.
fn shown(time: &DueTime) -> String {
    match time {
        DueTime::Instant(at) => at.to_string(),
        DueTime::Zoned { local, .. } | DueTime::Floating(local) => local.to_string(),
        DueTime::Date(date) => date.to_string(),
    }
}

/// What a clock on the wall of a zone shows.
fn wall(at: Timestamp, zone: Tz) -> NaiveDateTime {
    in_zone(at, zone).naive_local()
}

fn offset(at: Timestamp, zone: Tz) -> String {
    format!("UTC{}", in_zone(at, zone).format("%:z"))
}

fn in_zone(at: Timestamp, zone: Tz) -> DateTime<Tz> {
    at.to_datetime().with_timezone(&zone)
}
