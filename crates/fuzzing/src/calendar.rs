//! Calendars.

use reminder_domain::alarm::{Alarm, Moment, Plan, Rung, Snooze};
use reminder_domain::command::{Origin, RestoredAlarm};
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::state::Live;
use reminder_domain::task::TaskFields;
use reminder_domain::time::Adjustment;
use reminder_domain::{Task, TaskId};
use reminder_icalendar::{export, import};

/// A calendar; what is read of it is written and read again.
pub fn icalendar(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(imported) = import(text) else { return };
    let task = Task::try_from(imported.task.clone());
    let task = task.expect("what is imported fits together");
    survives(task, imported.restored);
}

/// A task with what became of its alarms is the same after an export and an import.
pub(crate) fn survives(task: Task, restored: Vec<RestoredAlarm>) {
    let alarms = restored.iter().map(|restored| {
        let mut alarm = Alarm::new(restored.reminder_id.clone(), Plan::Asleep);
        alarm.acknowledged = restored.acknowledged;
        alarm.snooze = restored.snoozed_until.map(|until| {
            let (at, adjustment) = (super::now(), Adjustment::None);
            let moment = Moment { at, quiet_from: None, occurrence: None, adjustment };
            Snooze { until, rung: Rung { moment, fired_at: at, nagged: 0, nag_at: None } }
        });
        alarm
    });
    let live = Live {
        alarms: alarms.collect(),
        task,
        occurrence: None,
        paused_since: None,
        preferences: KnownPreferences::default(),
        history: Vec::new(),
        origin: Origin::default(),
        zone_database: String::new(),
    };
    let id = TaskId::parse("fuzzed").expect("the constant is a valid id");
    let written = export(&id, &live, 1, super::now());
    if written.len() > reminder_icalendar::limits::CALENDAR_MAX_BYTES {
        return;
    }
    let again = import(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(again.task, TaskFields::from(live.task), "{written}");
    assert_eq!(sorted(again.restored), sorted(restored), "{written}");
}

fn sorted(mut alarms: Vec<RestoredAlarm>) -> Vec<RestoredAlarm> {
    alarms.sort_by(|one, other| one.reminder_id.cmp(&other.reminder_id));
    alarms
}
