//! A task as a calendar.

use crate::alarm::Written;
use crate::limits::ZONE_YEARS_AHEAD;
use crate::reminders::{Anchors, trigger};
use crate::times::{Times, When};
use crate::tree::escaped_list;
use crate::value::{ceil, utc_text};
use crate::write::Writer;
use crate::{extra, zone};
use chrono::Datelike;
use chrono_tz::Tz;
use reminder_domain::ids::Tag;
use reminder_domain::recurrence::{Rule, Until};
use reminder_domain::state::Live;
use reminder_domain::task::{Priority, Status};
use reminder_domain::time::DueTime;
use reminder_domain::{TaskId, Timestamp};
use std::collections::BTreeMap;

/// Who made the calendar.
const PRODID: &str = "-//reminder-scheduler//reminder-icalendar//EN";

/// The largest `SEQUENCE` there is (RFC 5545 §3.3.8).
const SEQUENCE_MAX: u64 = 2_147_483_647;

/// A task as a calendar with one `VTODO`, as of `stamp`.
///
/// What iCalendar has no words for is in `X-REMINDER-…` properties, so that [`crate::import`] gives
/// the same task again; other programs see what comes closest.
pub fn export(task: &TaskId, live: &Live, version: u64, stamp: Timestamp) -> String {
    let fields = &live.task;
    let (due_date, start) = (fields.due_date.clone(), fields.start.clone());
    let when = When { due_date, start, recurrence: fields.recurrence.clone() };
    let times = Times::of(&when);
    let mut writer = Writer::default();
    writer.begin("VCALENDAR");
    writer.property("VERSION", "2.0");
    writer.property("PRODID", PRODID);
    zones(&mut writer, &times, stamp);
    writer.begin("VTODO");
    writer.property("UID", task.as_str());
    writer.property("DTSTAMP", &utc_text(ceil(stamp)));
    writer.property("SEQUENCE", &version.min(SEQUENCE_MAX).to_string());
    words(&mut writer, live);
    times.write(&mut writer);
    if extra::meaning(&times).as_ref() != Some(&when) {
        writer.json(extra::SCHEDULE, &when);
    }
    alarms(&mut writer, live, &when, &times);
    writer.end("VTODO");
    writer.end("VCALENDAR");
    writer.finish()
}

fn words(writer: &mut Writer, live: &Live) {
    let fields = &live.task;
    writer.property("SUMMARY", fields.title.as_str());
    if let Some(description) = &fields.description {
        let plain = extra::plain(description.as_str());
        if !plain.is_empty() {
            writer.property("DESCRIPTION", &plain);
        }
        if plain.is_empty() || plain != description.as_str() {
            writer.json(extra::DESCRIPTION, description);
        }
    }
    let status = match fields.status {
        Status::Pending => "NEEDS-ACTION",
        Status::InProgress => "IN-PROCESS",
        Status::Completed => "COMPLETED",
    };
    writer.property("STATUS", status);
    let priority = extra::number_of(fields.priority);
    writer.property("PRIORITY", &priority.to_string());
    if fields.priority == Priority::Urgent {
        writer.property(extra::PRIORITY, fields.priority.as_str());
    }
    if !fields.tags.is_empty() {
        writer.property("CATEGORIES", &escaped_list(fields.tags.iter().map(Tag::as_str)));
    }
    for (name, person) in extra::PEOPLE.into_iter().zip(extra::people(fields)) {
        if let Some(person) = person {
            writer.property(name, person.as_str());
        }
    }
}

fn alarms(writer: &mut Writer, live: &Live, when: &When, times: &Times) {
    let schedule = live.schedule();
    let reminders = schedule.reminders();
    if live.task.reminders.is_none() {
        writer.json(extra::DEFAULTS, &reminders);
    }
    let clock = live.preferences.preferences.clock();
    let mut asleep = Vec::new();
    let mut written = Vec::new();
    for (index, reminder) in reminders.iter().enumerate() {
        let alarm = live.alarm(&reminder.id);
        let acknowledged = alarm.and_then(|alarm| alarm.acknowledged);
        let snooze = alarm.and_then(|alarm| alarm.snooze);
        let Some(trigger) = trigger(reminder, when, times, clock) else {
            let snoozed_until = snooze.map(|snooze| snooze.until);
            let reminder = reminder.clone();
            asleep.push(extra::Asleep { index, reminder, acknowledged, snoozed_until });
            continue;
        };
        let read = Anchors::new(when, times).reminder(reminder.id.clone(), &trigger, reminder.nag);
        written.push(Written {
            reminder,
            trigger,
            inexact: read.as_ref() != Ok(reminder),
            title: live.task.title.as_str(),
            acknowledged,
            snoozed: snooze.map(|snooze| (snooze.rung.fired_at, snooze.until)),
        });
    }
    if !asleep.is_empty() {
        writer.json(extra::ASLEEP, &asleep);
    }
    for alarm in &written {
        alarm.write(writer);
    }
}

/// The zones that the times are in, for the years that they lie in.
fn zones(writer: &mut Writer, times: &Times, stamp: Timestamp) {
    let mut zones: BTreeMap<&str, (Tz, i32, i32)> = BTreeMap::new();
    for time in times.all() {
        if let DueTime::Zoned { local, zone } = time {
            let year = local.year();
            let known = zones.entry(zone.name()).or_insert((*zone, year, year));
            (known.1, known.2) = (known.1.min(year), known.2.max(year));
        }
    }
    for (zone, first, last) in zones.into_values() {
        let last = match times.rule.as_ref().map(Rule::until) {
            None => last,
            Some(Some(Until::Utc(at))) => last.max(at.to_datetime().year()),
            Some(Some(Until::Local(at))) => last.max(at.year()),
            Some(Some(Until::Date(day))) => last.max(day.year()),
            Some(None) => last.max(stamp.to_datetime().year()) + ZONE_YEARS_AHEAD,
        };
        zone::write(writer, zone, first, last);
    }
}
