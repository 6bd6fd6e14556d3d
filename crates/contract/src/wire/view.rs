//! What questions about a task are answered with.

use super::to_json;
use crate::data::{Cause, Paused, ReminderState, ReminderView, Rule, shown};
use crate::problem::Problem;
use chrono::NaiveDateTime;
use reminder_domain::alarm::{Alarm, Plan};
use reminder_domain::explain::{Explanation, Step};
use reminder_domain::history::HistoryEntry;
use reminder_domain::preview::Explained;
use reminder_domain::recurrence::{Cursor, LocalMoment};
use reminder_domain::state::Live;
use reminder_domain::{Rejection, Task, TaskId, TaskState, Timestamp, next_wake};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The answer to `get`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskView<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The version it is at.
    pub version: u64,
    /// When something of it fires next; null when nothing does, and while it is paused.
    #[schemars(with = "Option<shown::Instant>")]
    pub next_reminder_at: Option<Timestamp>,
    /// Who has paused its reminders; missing when nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// The task as it was put, in its present status and at its present occurrence.
    #[schemars(with = "crate::rest::shown::Task")]
    pub task: Cow<'a, Task>,
    /// Its reminders and what became of them.
    pub reminders: Vec<ReminderView<'a>>,
    /// The last firings and acknowledgements, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryView>,
}

/// Something that happened to a reminder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryView {
    /// The reminder.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: String,
    /// What happened: `fired`, `acknowledged`, `expired` or `dismissed`.
    pub what: String,
    /// When.
    #[schemars(with = "shown::Instant")]
    pub at: Timestamp,
    /// When it was due.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// Why it fired when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// How many earlier moments it stood for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesced: Option<u32>,
}

/// The answer to `preview`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewView<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The version it is at.
    pub version: u64,
    /// The next firings, if nobody does anything; none while it is paused.
    pub firings: Vec<FiringView>,
}

/// A firing to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FiringView {
    /// The reminder.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: String,
    /// When it is due.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// Why it fires then.
    pub cause: Cause,
    /// The occurrence of a recurring task, by its wall time.
    #[schemars(with = "Option<shown::LocalMoment>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<LocalMoment>,
    /// The rules that lead to it, in the order in which they apply.
    pub rules: Vec<StepView>,
}

/// A rule, and what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepView {
    /// The rule.
    pub rule: Rule,
    /// What it did, in words.
    pub text: String,
}

/// The answer to `explain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplanationView<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The reminder.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: Cow<'a, str>,
    /// The moment asked for.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// What became of it, as a word.
    pub verdict: String,
    /// What became of it, in words.
    pub text: String,
    /// The rules that lead to it, in the order in which they apply.
    pub rules: Vec<StepView>,
}

/// A stored task that was not deleted.
///
/// # Errors
/// Unknown task, when there is none.
fn live<'a>(
    task: &TaskId,
    state: Option<&'a TaskState>,
) -> Result<(&'a TaskState, &'a Live), Problem> {
    let live = state.and_then(|state| state.live().map(|live| (state, live)));
    live.ok_or_else(|| Problem::from(Rejection::UnknownTask(task.clone())))
}

impl<'a> TaskView<'a> {
    /// Shows a stored task.
    ///
    /// # Errors
    /// Unknown task, when there is none or it was deleted.
    pub fn new(task: &'a TaskId, state: Option<&'a TaskState>) -> Result<Self, Problem> {
        let (state, live) = live(task, state)?;
        Ok(Self {
            task_id: Cow::Borrowed(task.as_str()),
            version: state.version,
            next_reminder_at: next_wake(state),
            paused: live.pause().map(Paused::from),
            task: Cow::Borrowed(&live.task),
            reminders: live.alarms.iter().map(|alarm| ReminderView::of(alarm, false)).collect(),
            history: live.history.iter().map(HistoryView::new).collect(),
        })
    }

    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

impl HistoryView {
    fn new(entry: &HistoryEntry) -> Self {
        let (reminder_id, at) = (entry.reminder_id().to_string(), entry.at());
        let view = |what: &str, scheduled_for| Self {
            reminder_id,
            what: what.into(),
            at,
            scheduled_for,
            cause: None,
            coalesced: None,
        };
        match entry {
            HistoryEntry::Fired(fired) => Self {
                cause: Some(fired.cause.into()),
                coalesced: Some(fired.coalesced).filter(|count| *count > 0),
                ..view("fired", fired.scheduled_for)
            },
            HistoryEntry::Acknowledged { scheduled_for, .. } => {
                view("acknowledged", *scheduled_for)
            }
            HistoryEntry::Expired { scheduled_for, coalesced, .. } => {
                let coalesced = Some(*coalesced).filter(|count| *count > 0);
                Self { coalesced, ..view("expired", *scheduled_for) }
            }
            HistoryEntry::Dismissed { scheduled_for, .. } => view("dismissed", *scheduled_for),
        }
    }
}

impl<'a> PreviewView<'a> {
    /// Shows the next firings of a stored task.
    ///
    /// # Errors
    /// Unknown task, when there is none or it was deleted.
    pub fn new(
        task: &'a TaskId,
        state: Option<&TaskState>,
        now: Timestamp,
        count: usize,
    ) -> Result<Self, Problem> {
        let (state, live) = live(task, state)?;
        let dates = is_due_on_dates(live);
        let firings = reminder_domain::preview::preview(state, now, count);
        Ok(Self {
            task_id: Cow::Borrowed(task.as_str()),
            version: state.version,
            firings: firings.into_iter().map(|firing| FiringView::new(firing, dates)).collect(),
        })
    }

    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

fn is_due_on_dates(live: &Live) -> bool {
    matches!(live.task.due_date, Some(reminder_domain::time::DueTime::Date(_)))
}

impl FiringView {
    fn new(firing: Explained, dates: bool) -> Self {
        let Explained { triggered, steps } = firing;
        let occurrence = triggered.occurrence.map(|cursor: Cursor| shown(cursor.local, dates));
        Self {
            reminder_id: triggered.reminder_id.to_string(),
            scheduled_for: triggered.scheduled_for,
            cause: triggered.cause.into(),
            occurrence,
            rules: steps.into_iter().map(StepView::new).collect(),
        }
    }
}

/// An occurrence as the caller knows it.
fn shown(local: NaiveDateTime, dates: bool) -> LocalMoment {
    if dates { LocalMoment::Date(local.date()) } else { LocalMoment::DateTime(local) }
}

impl StepView {
    fn new(step: Step) -> Self {
        Self { rule: step.rule.into(), text: step.text }
    }
}

impl<'a> ExplanationView<'a> {
    /// Explains a moment of a stored task.
    ///
    /// # Errors
    /// Unknown task, when there is none or it was deleted; a reminder that it does not have.
    pub fn new(
        task: &'a TaskId,
        state: Option<&TaskState>,
        reminder: &'a reminder_domain::ReminderId,
        scheduled_for: Timestamp,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let (_, live) = live(task, state)?;
        let explained = reminder_domain::explain::explain(live, reminder, scheduled_for, now);
        let Explanation { verdict, steps } = explained
            .ok_or_else(|| Problem::invalid("reminderId", "is not a reminder of this task"))?;
        Ok(Self {
            task_id: Cow::Borrowed(task.as_str()),
            reminder_id: Cow::Borrowed(reminder.as_str()),
            scheduled_for,
            verdict: verdict.as_str().into(),
            text: verdict.text(),
            rules: steps.into_iter().map(StepView::new).collect(),
        })
    }

    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// The answer to `exportCalendar`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalendarView<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The version it is at.
    pub version: u64,
    /// It as `text/calendar`, with one `VTODO`.
    pub calendar: String,
}

impl<'a> CalendarView<'a> {
    /// Writes a stored task.
    ///
    /// # Errors
    /// Unknown task, when there is none or it was deleted.
    pub fn new(
        task: &'a TaskId,
        state: Option<&TaskState>,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let (state, live) = live(task, state)?;
        let calendar = reminder_icalendar::export(task, live, state.version, now);
        Ok(Self { task_id: Cow::Borrowed(task.as_str()), version: state.version, calendar })
    }

    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

impl<'a> ReminderView<'a> {
    /// Shows an alarm; with its task deleted, it will not fire any more.
    pub(crate) fn of(alarm: &'a Alarm, deleted: bool) -> Self {
        let state = match alarm.plan {
            Plan::Scheduled(_) if deleted => ReminderState::Removed,
            Plan::Scheduled(_) => ReminderState::Scheduled,
            Plan::Fired(_) => ReminderState::Fired,
            Plan::Cancelled(_) => ReminderState::Removed,
            Plan::Expired(_) => ReminderState::Expired,
            Plan::Skipped(_) => ReminderState::Skipped,
            Plan::Dismissed(_) => ReminderState::Dismissed,
            Plan::Asleep => ReminderState::Asleep,
        };
        let live = |at: Option<Timestamp>| at.filter(|_| !deleted);
        Self {
            id: Cow::Borrowed(alarm.reminder_id.as_str()),
            scheduled_for: alarm.plan.moment().map(|moment| moment.at),
            state,
            fired_at: alarm.rung.map(|rung| rung.fired_at),
            snoozed_until: live(alarm.snooze.map(|snooze| snooze.until)),
            nags_at: live(alarm.rung.and_then(|rung| rung.nag_at)),
            acknowledged_until: alarm.acknowledged,
        }
    }
}
