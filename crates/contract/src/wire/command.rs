//! From the body of an actor method to a command, strictly: what is accepted is understood whole.

use super::body::{
    ImportBody, Plain, PlainBody, PutBody, PutReminderBody, RemoveReminderBody, ResumeBody,
    RingBody, SkipBody, SnoozeBody,
};
use super::read::read;
use super::{check_size, is_empty, or_empty};
use crate::problem::Problem;
use reminder_domain::command::{Delay, Put};
use reminder_domain::ids::Person;
use reminder_domain::limits::PAYLOAD_MAX_BYTES;
use reminder_domain::recurrence::LocalMoment;
use reminder_domain::task::TaskFields;
use reminder_domain::{Command, CommandKind, Task, TaskId};
use reminder_icalendar::limits::CALENDAR_MAX_BYTES;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

/// Declares the methods as one table.
macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// The actor methods that change a task.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method {
            $($(#[$doc])* $name,)*
        }

        impl Method {
            /// Every method.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The method's name in the actor API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

methods! {
    /// Create or replace.
    Put = "put";
    /// It is done.
    Complete = "complete";
    /// It is not done after all.
    Reopen = "reopen";
    /// Forget it.
    Delete = "delete";
    /// An occurrence does not take place.
    Skip = "skip";
    /// Add or change a reminder.
    PutReminder = "putReminder";
    /// Take a reminder off.
    RemoveReminder = "removeReminder";
    /// Put off what rang.
    Snooze = "snooze";
    /// What rang was seen.
    Acknowledge = "acknowledge";
    /// What rang was seen, and what has not rung will not.
    Dismiss = "dismiss";
    /// Nothing fires until it is resumed.
    Pause = "pause";
    /// It fires again.
    Resume = "resume";
    /// Create or replace, by a calendar.
    ImportCalendar = "importCalendar";
}

impl Method {
    /// Largest body, in bytes. A calendar says many things twice, and escaped.
    pub const fn body_max_bytes(self) -> usize {
        match self {
            Self::ImportCalendar => CALENDAR_MAX_BYTES,
            _ => PAYLOAD_MAX_BYTES,
        }
    }
}

/// Parses the body of a method that changes a task.
///
/// The origin holds what the body says; the caller adds what headers say.
///
/// # Errors
/// A problem that names the field at fault, as a path such as `task.reminders[2].at`.
pub fn parse_command(method: Method, body: &[u8]) -> Result<Command, Problem> {
    check_size(body, method.body_max_bytes())?;
    let (plain, kind) = match method {
        Method::Put => parse_put(body)?,
        Method::Complete => (parse_plain(body)?, CommandKind::Complete),
        Method::Reopen => (parse_plain(body)?, CommandKind::Reopen),
        Method::Delete => (parse_plain(body)?, CommandKind::Delete),
        Method::Skip => parse_skip(body)?,
        Method::PutReminder => parse_put_reminder(body)?,
        Method::RemoveReminder => {
            let mut body: RemoveReminderBody = required(body, "reminderId")?;
            (body.plain(), CommandKind::RemoveReminder(body.reminder_id))
        }
        Method::Snooze => parse_snooze(body)?,
        Method::Acknowledge => {
            let mut body: RingBody = read(or_empty(body))?;
            (body.plain(), CommandKind::Acknowledge { reminder_id: body.reminder_id })
        }
        Method::Pause => (parse_plain(body)?, CommandKind::Pause),
        Method::Resume => {
            let mut body: ResumeBody = read(or_empty(body))?;
            (body.plain(), CommandKind::Resume { missed: body.missed })
        }
        Method::ImportCalendar => parse_import(body)?,
        Method::Dismiss => {
            let mut body: RingBody = read(or_empty(body))?;
            (body.plain(), CommandKind::Dismiss { reminder_id: body.reminder_id })
        }
    };
    Ok(Command {
        id: plain.id(),
        fingerprint: fingerprint(method, plain.if_version, &kind, body.len()),
        if_version: plain.if_version,
        as_user: plain.as_user.clone(),
        origin: plain.origin(),
        kind,
    })
}

/// Parses a task id.
///
/// # Errors
/// A problem with `taskId` as its field.
pub fn parse_task_id(text: &str) -> Result<TaskId, Problem> {
    TaskId::parse(text).map_err(|error| Problem::invalid("taskId", &error.to_string()))
}

pub(super) fn parse_plain(body: &[u8]) -> Result<Plain, Problem> {
    read::<PlainBody>(or_empty(body)).map(|mut body| body.plain())
}

/// Reads a body that must have something to say.
pub(super) fn required<T: DeserializeOwned>(body: &[u8], field: &str) -> Result<T, Problem> {
    if is_empty(body) { Err(Problem::invalid(field, "is missing")) } else { read(body) }
}

fn parse_put(body: &[u8]) -> Result<(Plain, CommandKind), Problem> {
    let mut body: PutBody = required(body, "task")?;
    let plain = body.plain();
    own(&mut body.task, plain.as_user.as_ref(), "task.userId")?;
    let task = Task::try_from(body.task)
        .map_err(|error| Problem::invalid(format!("task.{}", error.field()), &error.to_string()))?;
    let put = Put { task, if_past: body.if_past, restored: Vec::new() };
    Ok((plain, CommandKind::Put(Box::new(put))))
}

fn parse_import(body: &[u8]) -> Result<(Plain, CommandKind), Problem> {
    let mut body: ImportBody = required(body, "calendar")?;
    let plain = body.plain();
    let invalid = |error: String| Problem::invalid("calendar", &format!("cannot be used: {error}"));
    let imported = reminder_icalendar::import(&body.calendar);
    let mut imported = imported.map_err(|error| invalid(error.to_string()))?;
    own(&mut imported.task, plain.as_user.as_ref(), "calendar")?;
    let task = Task::try_from(imported.task)
        .map_err(|error| invalid(format!("{} {error}", error.field())))?;
    let put = Put { task, if_past: body.if_past, restored: imported.restored };
    Ok((plain, CommandKind::Put(Box::new(put))))
}

/// Makes what a user puts that user's, if it does not say so; nobody puts tasks of others.
fn own(task: &mut TaskFields, user: Option<&Person>, field: &str) -> Result<(), Problem> {
    let Some(user) = user else { return Ok(()) };
    match &task.user_id {
        Some(said) if said != user => Err(Problem::not_yours(field)),
        Some(_) => Ok(()),
        None => {
            task.user_id = Some(user.clone());
            Ok(())
        }
    }
}

fn parse_skip(body: &[u8]) -> Result<(Plain, CommandKind), Problem> {
    let mut body: SkipBody = read(or_empty(body))?;
    let occurrence = body.occurrence.map(|moment| match moment {
        LocalMoment::DateTime(local) => local,
        LocalMoment::Date(date) => date.and_time(chrono::NaiveTime::MIN),
    });
    Ok((body.plain(), CommandKind::Skip { occurrence }))
}

fn parse_put_reminder(body: &[u8]) -> Result<(Plain, CommandKind), Problem> {
    let mut body: PutReminderBody = required(body, "reminder")?;
    let (plain, if_past) = (body.plain(), body.if_past);
    Ok((plain, CommandKind::PutReminder { reminder: Box::new(body.reminder), if_past }))
}

fn parse_snooze(body: &[u8]) -> Result<(Plain, CommandKind), Problem> {
    let mut body: SnoozeBody = read(or_empty(body))?;
    let plain = body.plain();
    let delay = body.delay().ok_or_else(|| {
        let reason =
            "must be one of three: \"for\" (PT10M), \"until\" (a time) or \"preset\" (a name)";
        Problem::invalid("for", reason)
    })?;
    Ok((plain, CommandKind::Snooze { reminder_id: body.reminder_id, delay }))
}

/// Hashes what a command asks for, as it was understood: spelling, the order of keys, defaults left
/// out and the ids of the command, the flow and the trace make no difference.
fn fingerprint(
    method: Method,
    if_version: Option<u64>,
    kind: &CommandKind,
    body_len: usize,
) -> u64 {
    let mut canonical = Vec::with_capacity(body_len + 64);
    canonical.extend_from_slice(method.as_str().as_bytes());
    canonical.push(0);
    if let Some(version) = if_version {
        canonical.extend_from_slice(&version.to_le_bytes());
    }
    canonical.push(0);
    let mut part = |value: &dyn erased::Part| value.write(&mut canonical);
    match kind {
        CommandKind::Complete
        | CommandKind::Reopen
        | CommandKind::Delete
        | CommandKind::Pause
        // Has an identity of its own, and no method.
        | CommandKind::Ingest(_) => {}
        CommandKind::Put(put) => {
            part(&put.task);
            part(&put.if_past);
            for alarm in &put.restored {
                part(&(&alarm.reminder_id, alarm.acknowledged, alarm.snoozed_until));
            }
        }
        CommandKind::Skip { occurrence } => part(&occurrence.map(LocalMoment::DateTime)),
        CommandKind::PutReminder { reminder, if_past } => part(&(reminder, if_past)),
        CommandKind::RemoveReminder(reminder) => part(reminder),
        CommandKind::Resume { missed } => part(missed),
        CommandKind::Acknowledge { reminder_id } | CommandKind::Dismiss { reminder_id } => {
            part(reminder_id);
        }
        CommandKind::Snooze { reminder_id, delay } => {
            part(reminder_id);
            match delay {
                Delay::For(delay) => part(&("for", delay)),
                Delay::Until(until) => part(&("until", until)),
                Delay::Preset(name) => part(&("preset", name)),
            }
        }
    }
    xxh3_64(&canonical)
}

/// Parts of a command, each written as JSON.
mod erased {
    use super::Serialize;

    pub(super) trait Part {
        fn write(&self, canonical: &mut Vec<u8>);
    }

    impl<T: Serialize> Part for T {
        fn write(&self, canonical: &mut Vec<u8>) {
            let written = serde_json::to_writer(&mut *canonical, self);
            written.expect("what was parsed always serialises");
            canonical.push(0);
        }
    }
}
