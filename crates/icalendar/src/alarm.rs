//! A `VALARM` in the words of the calendar.

use crate::error::{ImportError, excerpt};
use crate::tree::{Component, Line};
use crate::value::{self, Duration, ceil, duration_text, utc_text};
use crate::write::Writer;
use crate::zone::Zones;
use reminder_domain::Timestamp;
use reminder_domain::limits::{NAG_EVERY_MIN_SECONDS, NAG_MAX};
use reminder_domain::reminder::{Nag, Reminder};
use reminder_domain::time::{DueTime, resolve};
use serde::{Deserialize, Serialize};

/// When a `VALARM` goes off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// So long from the start, or from the end, which is what is due.
    Relative { end: bool, duration: Duration },
    /// At a time of its own.
    At(DueTime),
}

impl Trigger {
    /// In one text, so that what was written can be told from what somebody made of it.
    fn text(&self) -> String {
        match self {
            Self::Relative { end, duration } => {
                let related = if *end { "END" } else { "START" };
                format!("{related} {}", duration_text(*duration))
            }
            Self::At(DueTime::Zoned { local, zone }) => format!("{local} {zone}"),
            Self::At(time) => value::time_text(time),
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Relative { end, duration } => {
                let related = if *end { "END" } else { "START" };
                writer.with("TRIGGER", &[("RELATED", related)], &duration_text(*duration));
            }
            Self::At(time) => {
                writer.with("TRIGGER", &[("VALUE", "DATE-TIME")], &value::time_text(time));
            }
        }
    }
}

/// What `X-REMINDER-ALARM` says: exactly which reminder it is, as long as its trigger and its
/// repetition are what was written beside it.
#[derive(Debug, Serialize, Deserialize)]
struct ExactReminder {
    trigger: String,
    reminder: Reminder,
}

/// What `X-REMINDER-ACKNOWLEDGED` says: when exactly, as long as `ACKNOWLEDGED` is what was written.
#[derive(Debug, Serialize, Deserialize)]
struct ExactTime {
    written: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exact: Option<Timestamp>,
}

/// A `VALARM`.
#[derive(Debug)]
pub(crate) struct Alarm {
    pub(crate) uid: Option<String>,
    pub(crate) trigger: Trigger,
    pub(crate) nag: Option<Nag>,
    /// Exactly when.
    pub(crate) acknowledged: Option<Timestamp>,
    /// The `UID` of the alarm that it is a snooze of.
    pub(crate) snoozes: Option<String>,
    /// The reminder that it was written for, unless it was changed since.
    pub(crate) exact: Option<Reminder>,
}

const PROXIMITY: &str =
    "makes it an alarm of a place, which has no time to fire at: remove the alarm";

impl Alarm {
    /// Reads it; `None` for one that is not meant to go off at all.
    pub(crate) fn read(alarm: &Component, zones: &Zones<'_>) -> Result<Option<Self>, ImportError> {
        // Apple's way to say that somebody wants no default alarm.
        if alarm.one("ACTION")?.is_some_and(|line| line.value.eq_ignore_ascii_case("NONE")) {
            return Ok(None);
        }
        for name in ["PROXIMITY", "X-APPLE-PROXIMITY"] {
            if let Some(line) = alarm.one(name)? {
                return Err(line.refuse(PROXIMITY));
            }
        }
        let line = alarm.one("TRIGGER")?.ok_or_else(|| alarm.refuse("must have a TRIGGER"))?;
        let trigger = trigger(line, zones)?;
        let nag = nag(alarm)?;
        let uid = match alarm.one("UID")? {
            Some(line) => Some(line.value.clone()),
            None => alarm.one("X-WR-ALARMUID")?.map(|line| line.value.clone()),
        };
        let snooze = |line: &&Line| {
            line.param("RELTYPE").is_some_and(|value| value.eq_ignore_ascii_case("SNOOZE"))
        };
        let snoozes = alarm.all("RELATED-TO").find(snooze).map(|line| line.value.clone());
        let exact = json::<ExactReminder>(alarm, "X-REMINDER-ALARM")
            .filter(|exact| exact.trigger == trigger.text() && exact.reminder.nag == nag)
            .map(|exact| exact.reminder);
        let acknowledged = acknowledged(alarm, zones)?;
        Ok(Some(Self { uid, trigger, nag, acknowledged, snoozes, exact }))
    }

    /// When a snooze ends.
    pub(crate) fn snoozed_until(&self, alarm: &Component) -> Result<Timestamp, ImportError> {
        let until = match &self.trigger {
            Trigger::At(DueTime::Instant(at)) => Some(*at),
            Trigger::At(DueTime::Zoned { local, zone }) => {
                resolve(*local, *zone).map(|resolved| resolved.at)
            }
            _ => None,
        };
        let until = until.ok_or_else(|| {
            alarm.refuse("is a snooze, so its TRIGGER must say when it ends, as a time in UTC")
        })?;
        let exact = json::<Timestamp>(alarm, "X-REMINDER-SNOOZED-UNTIL");
        Ok(exact.filter(|exact| ceil(*exact) == until).unwrap_or(until))
    }
}

/// A property of ours; what somebody made of it is not ours to judge, so a broken one is none.
pub(crate) fn json<T: serde::de::DeserializeOwned>(component: &Component, name: &str) -> Option<T> {
    let line = component.one(name).ok()??;
    serde_json::from_str(&line.value).ok()
}

fn trigger(line: &Line, zones: &Zones<'_>) -> Result<Trigger, ImportError> {
    let text = line.value.trim();
    if !text.starts_with(['P', 'p', '-', '+']) {
        let time = value::one_time(line, zones)?;
        if matches!(time, DueTime::Date(_)) {
            return Err(line.refuse("must be a duration or a time, not a date"));
        }
        return Ok(Trigger::At(time));
    }
    let end = match line.param("RELATED").map(str::to_ascii_uppercase).as_deref() {
        None | Some("START") => false,
        Some("END") => true,
        Some(other) => {
            let why = format!("must have RELATED=START or RELATED=END, not {}", excerpt(other));
            return Err(line.refuse(why));
        }
    };
    Ok(Trigger::Relative { end, duration: value::duration(line, text)? })
}

/// How often it repeats.
fn nag(alarm: &Component) -> Result<Option<Nag>, ImportError> {
    let (repeat, every) = match (alarm.one("REPEAT")?, alarm.one("DURATION")?) {
        (None, None) => return Ok(None),
        (Some(repeat), _) if repeat.value.trim() == "0" => return Ok(None),
        (Some(repeat), Some(every)) => (repeat, every),
        (Some(one), None) => return Err(one.refuse("must stand beside a DURATION")),
        (None, Some(one)) => return Err(one.refuse("must stand beside a REPEAT")),
    };
    let max: Option<u16> = repeat.value.trim().parse().ok();
    let max = max.filter(|max| (1..=NAG_MAX).contains(max)).ok_or_else(|| {
        let value = excerpt(&repeat.value);
        repeat.refuse(format!("must be a number from 0 to {NAG_MAX}, but is {value}"))
    })?;
    let duration = value::duration(every, &every.value)?;
    let offset = duration.offset;
    if duration.back || offset.days() > 0 || offset.seconds() < NAG_EVERY_MIN_SECONDS {
        return Err(every.refuse(format!(
            "must be hours, minutes and seconds, at least {NAG_EVERY_MIN_SECONDS} seconds; a day is \
             not always 24 hours, so say PT24H"
        )));
    }
    Ok(Some(Nag { every: offset, max }))
}

fn acknowledged(alarm: &Component, zones: &Zones<'_>) -> Result<Option<Timestamp>, ImportError> {
    let Some(line) = alarm.one("ACKNOWLEDGED")? else { return Ok(None) };
    let DueTime::Instant(written) = value::one_time(line, zones)? else {
        return Err(line.refuse("must be a time in UTC, such as 20270301T090000Z"));
    };
    let exact = json::<ExactTime>(alarm, "X-REMINDER-ACKNOWLEDGED");
    let exact = exact.filter(|exact| exact.written == written);
    Ok(exact.map_or(Some(written), |exact| exact.exact))
}

/// A reminder as it is written.
pub(crate) struct Written<'a> {
    pub(crate) reminder: &'a Reminder,
    pub(crate) trigger: Trigger,
    /// Whether its trigger and its repetition do not say all of it.
    pub(crate) inexact: bool,
    /// What it shows.
    pub(crate) title: &'a str,
    /// When it was acknowledged.
    pub(crate) acknowledged: Option<Timestamp>,
    /// When it fired and was put off, and until when.
    pub(crate) snoozed: Option<(Timestamp, Timestamp)>,
}

/// What follows the id of a reminder in the `UID` of its snooze; no id has it.
const SNOOZE_SUFFIX: &str = ".snooze";

impl Written<'_> {
    /// Writes its alarm, and that of its snooze.
    pub(crate) fn write(&self, writer: &mut Writer) {
        let id = self.reminder.id.as_str();
        self.begin(writer, id);
        self.trigger.write(writer);
        if let Some(nag) = self.reminder.nag {
            writer.property("REPEAT", &nag.max.to_string());
            let duration = Duration { back: false, offset: nag.every };
            writer.property("DURATION", &duration_text(duration));
        }
        if self.inexact {
            let (trigger, reminder) = (self.trigger.text(), self.reminder.clone());
            writer.json("X-REMINDER-ALARM", &ExactReminder { trigger, reminder });
        }
        // Who puts off an alarm has seen it (RFC 9074 §7).
        let put_off = self.snoozed.map(|(fired, _)| fired);
        if let Some(at) = self.acknowledged.max(put_off) {
            let written = ceil(at);
            writer.property("ACKNOWLEDGED", &utc_text(written));
            if self.acknowledged != Some(written) {
                let exact = ExactTime { written, exact: self.acknowledged };
                writer.json("X-REMINDER-ACKNOWLEDGED", &exact);
            }
        }
        writer.end("VALARM");
        if let Some((_, until)) = self.snoozed {
            self.begin(writer, &format!("{id}{SNOOZE_SUFFIX}"));
            Trigger::At(DueTime::Instant(ceil(until))).write(writer);
            if ceil(until) != until {
                writer.json("X-REMINDER-SNOOZED-UNTIL", &until);
            }
            writer.with("RELATED-TO", &[("RELTYPE", "SNOOZE")], id);
            writer.end("VALARM");
        }
    }

    fn begin(&self, writer: &mut Writer, uid: &str) {
        writer.begin("VALARM");
        writer.property("UID", uid);
        writer.property("ACTION", "DISPLAY");
        writer.property("DESCRIPTION", self.title);
    }
}
