//! A calendar as a task.

use crate::alarm::{Alarm, json};
use crate::error::ImportError;
use crate::reminders::{Anchors, Ids, Unfit};
use crate::times::{Times, When};
use crate::tree::{self, Component};
use crate::zone::Zones;
use crate::{extra, limits, value, words};
use chrono::NaiveTime;
use reminder_domain::command::RestoredAlarm;
use reminder_domain::limits::RECURRENCE_EXCEPTIONS_MAX;
use reminder_domain::reminder::Reminder;
use reminder_domain::task::{Task, TaskFields};
use reminder_domain::time::DueTime;
use reminder_domain::{ReminderId, Timestamp};

/// What a calendar says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its own name for the task.
    pub uid: Option<String>,
    /// The task; its parts fit together. Whose it is, is what the file says: whether the caller may
    /// say so is the caller's to check.
    pub task: TaskFields,
    /// What became of its alarms.
    pub restored: Vec<RestoredAlarm>,
}

/// Reads a calendar with one `VTODO`. What it says that has nothing to do with reminding is ignored.
///
/// # Errors
/// When it is no such calendar, or says something of when to remind that cannot be kept.
pub fn import(text: &str) -> Result<Imported, ImportError> {
    let roots = tree::parse(text)?;
    let zones = Zones::of(&roots);
    let todo = only_todo(&roots)?;
    let times = Times::read(todo, &zones)?;
    let mut when = exact_schedule(todo, &times).map_or_else(|| times.meaning(todo), Ok)?;
    let alarms = alarms(todo, &zones)?;
    let from_midnight = |(_, alarm): &(&Component, Alarm)| {
        let id = Reminder::at_due_date().id;
        alarm.exact.is_none()
            && Anchors::new(&when, &times).reminder(id, &alarm.trigger, None)
                == Err(Unfit::MidnightRecurs)
    };
    if alarms.iter().any(from_midnight) {
        when = at_midnight(when);
    }
    let (reminders, restored) = reminders(todo, &zones, &alarms, Anchors::new(&when, &times))?;
    let defaults = json::<Vec<Reminder>>(todo, extra::DEFAULTS);
    let are_defaults = defaults.is_some_and(|defaults| defaults == reminders);
    let [user_id, assignee, created_by] = extra::PEOPLE.map(|name| words::person(todo, name));
    let task = TaskFields {
        title: words::title(todo)?,
        description: words::description(todo)?,
        due_date: when.due_date,
        start: when.start,
        recurrence: when.recurrence,
        priority: words::priority(todo)?,
        tags: words::tags(todo)?,
        status: words::status(todo)?,
        assignee: assignee?,
        created_by: created_by?,
        user_id: user_id?,
        reminders: (!are_defaults).then_some(reminders),
    };
    Task::try_from(task.clone()).map_err(|error| {
        let field = error.field();
        let property = match field.as_str() {
            "tags" => "CATEGORIES",
            "recurrence.exdates" => "EXDATE",
            "recurrence.rdates" => "RDATE",
            field if field.starts_with("recurrence") => "RRULE",
            _ => "VALARM",
        };
        let line = todo.all(property).next().map(|line| line.number);
        ImportError { line, property: Some(property.to_owned()), reason: error.to_string() }
    })?;
    let uid = todo.one("UID")?.map(|line| line.value.clone());
    Ok(Imported { uid, task, restored })
}

fn only_todo(roots: &[Component]) -> Result<&Component, ImportError> {
    let mut todos: Vec<&Component> = roots.iter().filter(|root| root.name == "VTODO").collect();
    for root in roots {
        root.below("VTODO", &mut todos);
    }
    match todos[..] {
        [todo] => Ok(todo),
        [] => {
            let mut events = Vec::new();
            for root in roots {
                root.below("VEVENT", &mut events);
            }
            let has = if events.is_empty() { "" } else { "; a VEVENT is an event, not a task" };
            Err(ImportError::whole(format!("the calendar has no VTODO{has}")))
        }
        [_, second, ..] => Err(second.refuse(format!(
            "is one of {}: give one task at a time, and no changed occurrences",
            todos.len()
        ))),
    }
}

fn exact_schedule(todo: &Component, times: &Times) -> Option<When> {
    let exact: When = json(todo, extra::SCHEDULE)?;
    let few = |recurrence: &reminder_domain::task::Recurrence| {
        recurrence.exdates.len().max(recurrence.rdates.len()) <= RECURRENCE_EXCEPTIONS_MAX
    };
    let sound = exact.recurrence.as_ref().is_none_or(few);
    (sound && Times::of(&exact).says(times)).then_some(exact)
}

/// Days as the midnights they begin with, so that what counts from there fires when the calendar
/// says, in each occurrence.
fn at_midnight(when: When) -> When {
    let midnight = |time: DueTime| match time {
        DueTime::Date(day) => DueTime::Floating(day.and_time(NaiveTime::MIN)),
        other => other,
    };
    When { due_date: when.due_date.map(midnight), start: when.start.map(midnight), ..when }
}

fn alarms<'a>(
    todo: &'a Component,
    zones: &Zones<'_>,
) -> Result<Vec<(&'a Component, Alarm)>, ImportError> {
    let mut alarms = Vec::new();
    for component in todo.components.iter().filter(|component| component.name == "VALARM") {
        if alarms.len() >= limits::ALARMS_MAX {
            let max = limits::ALARMS_MAX;
            return Err(component.refuse(format!("is one too many: there may be {max}")));
        }
        alarms.extend(Alarm::read(component, zones)?.map(|alarm| (component, alarm)));
    }
    Ok(alarms)
}

/// For each alarm, the place of the one that it is a snooze of, if that is there.
fn snoozed(alarms: &[(&Component, Alarm)]) -> Vec<Option<usize>> {
    let place = |alarm: &Alarm| {
        let uid = alarm.snoozes.as_ref()?;
        alarms.iter().position(|(_, found)| found.uid.as_ref() == Some(uid))
    };
    let parents: Vec<Option<usize>> = alarms.iter().map(|(_, alarm)| place(alarm)).collect();
    let original = |parent: &Option<usize>| {
        let mut at = (*parent)?;
        // A snooze of a snooze is one of the same alarm; they may not go round in circles.
        for _ in 0..alarms.len() {
            match parents.get(at).copied().flatten() {
                Some(parent) => at = parent,
                None => return Some(at),
            }
        }
        None
    };
    parents.iter().map(original).collect()
}

fn reminders(
    todo: &Component,
    zones: &Zones<'_>,
    alarms: &[(&Component, Alarm)],
    anchors: Anchors<'_>,
) -> Result<(Vec<Reminder>, Vec<RestoredAlarm>), ImportError> {
    let mut ids = Ids::default();
    let mut reminders = Vec::new();
    let mut restored = Vec::new();
    let of_the_task = thunderbird(todo, zones)?;
    let originals = snoozed(alarms);
    for (index, (component, alarm)) in alarms.iter().enumerate() {
        if originals[index].is_some() {
            continue;
        }
        let exact = alarm.exact.clone().filter(|exact| ids.keep(exact.id.clone()));
        let reminder = exact.map_or_else(
            || {
                let id = ids.give(alarm.uid.as_deref(), index + 1);
                anchors.reminder(id, &alarm.trigger, alarm.nag).map_err(|unfit| {
                    component.refuse(match unfit {
                        Unfit::OutOfRange => "fires outside the years 1970 to 9999",
                        Unfit::MidnightRecurs => "counts from a day that recurs",
                    })
                })
            },
            Ok,
        )?;
        let mut snoozed_until = None;
        for ((component, snooze), original) in alarms.iter().zip(&originals) {
            // A snooze that was acknowledged is over.
            if *original == Some(index) && snooze.acknowledged.is_none() {
                snoozed_until = snoozed_until.max(Some(snooze.snoozed_until(component)?));
            }
        }
        let acknowledged = alarm.acknowledged.or(of_the_task.acknowledged);
        let snoozed_until =
            snoozed_until.or(of_the_task.snoozed_until.filter(|_| reminders.is_empty()));
        let reminder_id = reminder.id.clone();
        restored.push(RestoredAlarm { reminder_id, acknowledged, snoozed_until });
        reminders.push(reminder);
    }
    for asleep in json::<Vec<extra::Asleep>>(todo, extra::ASLEEP).unwrap_or_default() {
        let extra::Asleep { index, reminder, acknowledged, snoozed_until } = asleep;
        if ids.keep(reminder.id.clone()) && reminders.len() < limits::ALARMS_MAX {
            let reminder_id = reminder.id.clone();
            restored.push(RestoredAlarm { reminder_id, acknowledged, snoozed_until });
            reminders.insert(index.min(reminders.len()), reminder);
        }
    }
    restored.retain(|alarm| alarm.acknowledged.or(alarm.snoozed_until).is_some());
    Ok((reminders, restored))
}

/// What holds for all alarms of a task, or for the first one.
struct OfTask {
    acknowledged: Option<Timestamp>,
    snoozed_until: Option<Timestamp>,
}

/// Thunderbird tells acknowledgement and snooze of the task, not of an alarm. A snooze of it is one
/// of its first alarm: it shall ring once.
fn thunderbird(todo: &Component, zones: &Zones<'_>) -> Result<OfTask, ImportError> {
    let mut found = OfTask { acknowledged: None, snoozed_until: None };
    for line in &todo.properties {
        let place = match line.name.as_str() {
            "X-MOZ-LASTACK" => &mut found.acknowledged,
            // Those of single occurrences end with a number.
            name if name.starts_with("X-MOZ-SNOOZE-TIME") => &mut found.snoozed_until,
            _ => continue,
        };
        let DueTime::Instant(at) = value::one_time(line, zones)? else {
            return Err(line.refuse("must be a time in UTC, such as 20270301T090000Z"));
        };
        *place = (*place).max(Some(at));
    }
    Ok(found)
}

impl Imported {
    /// The task that the calendar's own name for it names, if it can be the name of one.
    pub fn task_id(&self) -> Option<reminder_domain::TaskId> {
        reminder_domain::TaskId::parse(self.uid.as_deref()?).ok()
    }

    /// What is known of an alarm.
    pub fn restored(&self, id: &ReminderId) -> Option<&RestoredAlarm> {
        self.restored.iter().find(|alarm| alarm.reminder_id == *id)
    }
}
