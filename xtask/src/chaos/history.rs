//! What was asked, what was told and what was hurt: everything that the judge gets to see. All times
//! are milliseconds since 1970 by the one clock of the machine.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use reminder_contract::cloud_event::EventData;
use reminder_stack::events::Record;
use serde_json::Value;

use crate::ledger::{self, Ledger, Noted};

/// Milliseconds since 1970.
pub(super) type Ms = i64;

/// Now, rounded down.
pub(super) fn now() -> Ms {
    Utc::now().timestamp_millis()
}

/// A reminder as a command asks for it: its moments as the ledger works them out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) id: String,
    /// One, or those of a recurring task in order.
    pub(super) moments: Vec<Ms>,
}

/// What a command means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    Put { title: String, reminders: Vec<Planned> },
    Complete,
    Reopen,
    Delete,
    Dismiss,
    Acknowledge,
    Snooze { reminder: String, until: Ms },
}

impl Ask {
    /// The method that does it.
    pub(super) const fn method(&self) -> &'static str {
        match self {
            Self::Put { .. } => "put",
            Self::Complete => "complete",
            Self::Reopen => "reopen",
            Self::Delete => "delete",
            Self::Dismiss => "dismiss",
            Self::Acknowledge => "acknowledge",
            Self::Snooze { .. } => "snooze",
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.method())?;
        match self {
            Self::Put { title, reminders } => {
                write!(f, " {title:?}")?;
                for Planned { id, moments } in reminders {
                    let moments: Vec<String> = moments.iter().map(|at| clock(*at)).collect();
                    write!(f, " {id}={}", moments.join(","))?;
                }
                Ok(())
            }
            Self::Snooze { reminder, until } => write!(f, " {reminder} until {}", clock(*until)),
            _ => Ok(()),
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted { version: u64 },
    Refused { status: u16, detail: String },
}

/// One command, from the first time that it was sent to its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) ask: Ask,
    /// When it was sent first.
    pub(super) sent: Ms,
    /// How often it was sent.
    pub(super) attempts: u32,
    /// The answer and when it came, if it did.
    pub(super) answer: Option<(Ms, Answer)>,
    /// How long the attempt took that was answered, in milliseconds.
    pub(super) took: Ms,
}

impl Command {
    /// When it was answered; one that was not may take effect at any time.
    pub(super) fn answered(&self) -> Ms {
        self.answer.as_ref().map_or(Ms::MAX, |(at, _)| *at)
    }

    pub(super) const fn is_refused(&self) -> bool {
        matches!(self.answer, Some((_, Answer::Refused { .. })))
    }
}

/// One firing, as it was first read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trigger {
    pub(super) id: String,
    pub(super) reminder: String,
    pub(super) scheduled_for: Ms,
    pub(super) fired_at: Ms,
    pub(super) coalesced: u32,
    pub(super) version: u64,
    /// When the record says it was written.
    pub(super) written: Ms,
    /// When the consumer had it.
    pub(super) arrived: Ms,
}

/// What was told of one task, known ids dropped.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) triggers: Vec<Trigger>,
    /// The versions of `task.updated` and `task.sync`.
    pub(super) updated: Vec<u64>,
    pub(super) synced: Vec<u64>,
    /// Every event in a line, for whoever looks for a bug.
    pub(super) lines: Vec<String>,
}

/// Everything that was read from Kafka.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) ledger: Ledger,
    pub(super) told: BTreeMap<String, Told>,
    pub(super) records: usize,
    /// What makes the reading itself doubtful: records that are no events of ours, or left out.
    pub(super) doubts: Vec<String>,
}

impl Journal {
    /// Takes a record; gives the task and the firing, should it tell a new one.
    pub(super) fn note(&mut self, record: &Record, arrived: Ms) -> Option<(String, Trigger)> {
        self.records += 1;
        let event = match ledger::read(record) {
            Ok(event) => event,
            Err(error) => {
                self.doubts.push(format!("{error:#}"));
                return None;
            }
        };
        let noted = self.ledger.note(record, &event);
        let task = ledger::task_of(&event).to_owned();
        let told = self.told.entry(task.clone()).or_default();
        let again = if noted == Noted::Repeat { " (again)" } else { "" };
        let at = clock(arrived);
        told.lines.push(format!(
            "{at} {} {}{again} {}",
            event.event_type,
            event.id,
            gist(&event.data)
        ));
        if noted == Noted::Repeat {
            return None;
        }
        match &event.data {
            EventData::ReminderTriggered(data) => {
                let trigger = Trigger {
                    id: event.id.clone().into_owned(),
                    reminder: data.reminder_id.clone().into_owned(),
                    scheduled_for: data.scheduled_for.to_datetime().timestamp_millis(),
                    fired_at: data.fired_at.to_datetime().timestamp_millis(),
                    coalesced: data.coalesced,
                    version: data.version,
                    written: record.timestamp.timestamp_millis(),
                    arrived,
                };
                told.triggers.push(trigger.clone());
                return Some((task, trigger));
            }
            EventData::TaskUpdated(data) => told.updated.push(data.task.version),
            EventData::TaskSync(data) => told.synced.push(data.task.version),
            _ => {}
        }
        None
    }
}

/// What a reader wants to know of an event.
fn gist(data: &EventData<'_>) -> String {
    let value = serde_json::to_value(data).unwrap_or_default();
    let names =
        ["version", "reason", "reminderId", "scheduledFor", "firedAt", "coalesced", "until"];
    let shown = names.iter().filter_map(|name| Some(format!("{name}={}", plain(value.get(name)?))));
    shown.collect::<Vec<_>>().join(" ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A moment as logs show it.
pub(super) fn clock(at: Ms) -> String {
    DateTime::from_timestamp_millis(at)
        .map_or_else(|| at.to_string(), |at| at.format("%H:%M:%S%.3f").to_string())
}

/// How a task stood when it was asked at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    /// `None`: there is no such task.
    pub(super) task: Option<TaskView>,
}

/// A task that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TaskView {
    pub(super) version: u64,
    pub(super) title: String,
    pub(super) status: String,
    pub(super) reminders: Vec<String>,
}

/// A fault as it was done.
#[derive(Debug, Clone)]
pub(super) struct Hurt {
    pub(super) label: String,
    /// The fault without its length, to group by.
    pub(super) name: String,
    pub(super) slot: usize,
    pub(super) began: Ms,
    /// When the part was started again, or went on.
    pub(super) back: Ms,
    /// When it did its work again; `None` if it never did within the patience of the run.
    pub(super) ready: Option<Ms>,
}

/// A whole run.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The commands of each task, in the order in which they were sent: the next one only after the
    /// answer to the one before.
    pub(super) commands: BTreeMap<String, Vec<Command>>,
    pub(super) journal: Journal,
    pub(super) views: BTreeMap<String, View>,
    pub(super) hurts: Vec<Hurt>,
    /// What the ids of its tasks begin with.
    pub(super) run: String,
    pub(super) began: Ms,
    pub(super) ended: Ms,
}
