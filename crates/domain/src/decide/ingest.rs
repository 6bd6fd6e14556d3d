//! The owner of a task tells that it changed.

use super::put::{Replacement, preferences_for};
use super::{Answer, Change, Outcome, Turn, conclude, lifecycle};
use crate::command::{Command, IfPast};
use crate::event::{Fact, RemovalReason, UpdateReason};
use crate::ingested::{Followed, Ingested, News, Said};
use crate::preferences::KnownPreferences;
use crate::rejection::Rejection;
use crate::state::{CommandRecord, Lifecycle, Live, TaskState};
use crate::task::{Status, Task, TaskFields};
use crate::time::{DueTime, Timestamp};

/// Follows an event, unless it is known or old news.
pub(super) fn ingest(
    state: Option<&TaskState>,
    command: &Command,
    event: &Ingested,
    preferences: Option<&KnownPreferences>,
    now: Timestamp,
) -> Result<Turn, Rejection> {
    if state.is_some_and(|state| state.has_followed(command, event)) || is_idle(state, event) {
        let unborn = conclude::blank(now);
        return Ok(Turn::Answer(conclude::answer(state.unwrap_or(&unborn))));
    }
    let live = state.and_then(TaskState::live);
    let outcome = match &event.news {
        News::Deleted => gone(live, now),
        News::Task { task, said } => {
            let last = state.and_then(|state| state.followed).and_then(|followed| followed.said);
            let news = Update { task, said, last: last.as_ref().filter(|_| live.is_some()) };
            news.apply(live, preferences, command, now)?
        }
    };
    Ok(Turn::Commit(Box::new(follow(state, command, event, outcome, now))))
}

/// Nothing is to be remembered of a task that nobody knows and that is gone, but for the version: an
/// older event may still be on its way.
fn is_idle(state: Option<&TaskState>, event: &Ingested) -> bool {
    let is_there = state.and_then(TaskState::live).is_some();
    matches!(event.news, News::Deleted) && event.version.is_none() && !is_there
}

impl TaskState {
    /// Whether an event is known: by its version, or without one by its id, or as the last one again.
    pub fn has_followed(&self, command: &Command, event: &Ingested) -> bool {
        let Some(followed) = &self.followed else { return self.knows(command) };
        match event.version {
            Some(version) => followed.version.is_some_and(|last| version <= last),
            None => followed.fingerprint == command.fingerprint || self.knows(command),
        }
    }

    fn knows(&self, command: &Command) -> bool {
        command.id.is_some() && self.commands.iter().any(|record| record.id == command.id)
    }
}

/// An update beside what the owner said before.
struct Update<'a> {
    task: &'a Task,
    said: &'a Said,
    last: Option<&'a Said>,
}

impl Update<'_> {
    fn apply(
        &self,
        live: Option<&Live>,
        preferences: Option<&KnownPreferences>,
        command: &Command,
        now: Timestamp,
    ) -> Result<Outcome, Rejection> {
        let asked = self.merged(live)?;
        let completes = self.completes(live, &asked);
        let task = if completes { reopened(&asked, live) } else { self.still_open(asked, live) };
        let (due, was_open) = (task.due_date.clone(), task.status.is_open());
        let change = Replacement {
            preferences: preferences_for(live, &task, preferences),
            task,
            // What is done does not ring any more.
            if_past: if completes { IfPast::Skip } else { IfPast::Fire },
            // Other exceptions may take out the occurrence that the task is at; one that they ended is at it still.
            said_when: self.moves(live)
                || self.recurs_otherwise()
                || live.is_some_and(|live| !live.task.status.is_open()),
            restored: &[],
        };
        let mut outcome = change.apply(live, &command.origin, RemovalReason::Replaced, now)?;
        let mut news = None;
        if let Lifecycle::Live(next) = &outcome.lifecycle {
            if was_open && outcome.is_done() {
                news = Some(UpdateReason::Completed).filter(|_| !completes);
            } else if next.task.due_date != due {
                // Past the occurrence that the owner names; should that be done, so is no other one.
                news = Some(UpdateReason::Skipped);
            } else if completes {
                let done = lifecycle::complete(next, now);
                outcome.facts.extend(done.facts);
                outcome.lifecycle = done.lifecycle;
            }
        }
        outcome.facts = without_echo(outcome.facts, news);
        Ok(outcome)
    }

    /// The task as it shall be: what the owner has not changed since it last spoke stays as it is here,
    /// so that an edit of the title does not bring back the due date of before an advance.
    fn merged(&self, live: Option<&Live>) -> Result<Task, Rejection> {
        let mut fields = TaskFields::from(self.task.clone());
        if let Some(live) = live {
            let here = &live.task;
            fields.reminders = fields.reminders.or_else(|| here.reminders.clone());
            if let Some(last) = self.last.filter(|_| !self.moves(Some(live))) {
                fields.due_date.clone_from(&here.due_date);
                fields.start.clone_from(&here.start);
                if !self.recurs_otherwise() {
                    fields.recurrence.clone_from(&here.recurrence);
                }
                if self.said.status == last.status {
                    fields.status = here.status;
                }
            }
        }
        Task::try_from(fields).map_err(|error| {
            Rejection::invalid(format!("task.{}", error.field()), error.to_string())
        })
    }

    /// Whether the owner has set the task to another time. That it recurs, or does no more, says what
    /// its due date is, and counts as such.
    fn moves(&self, live: Option<&Live>) -> bool {
        let (Some(live), Some(last)) = (live, self.last) else { return true };
        let recurs = self.task.recurrence.is_some();
        self.said.moves(last) || recurs != live.task.recurrence.is_some()
    }

    /// Whether the owner has told another recurrence since it last spoke.
    fn recurs_otherwise(&self) -> bool {
        self.last.is_none_or(|last| self.said.recurrence != last.recurrence)
    }

    /// A recurring task that is not completed by this event goes on as it is.
    fn still_open(&self, asked: Task, live: Option<&Live>) -> Task {
        let recurs = !self.said.status.is_open() && asked.recurrence.is_some();
        match live.map(|live| live.task.status).filter(|status| recurs && status.is_open()) {
            Some(status) => asked.with_status(status),
            None => asked,
        }
    }

    /// Whether the owner says only now that it is done. Of a recurring task that means the occurrence
    /// it names, which may be behind the task already.
    fn completes(&self, live: Option<&Live>, asked: &Task) -> bool {
        let is_news = self.moves(live) || self.last.is_some_and(|last| last.status.is_open());
        if self.said.status.is_open() || !is_news {
            return false;
        }
        if asked.recurrence.is_none() {
            return live.is_some_and(|live| live.task.status.is_open());
        }
        let named = self.task.due_date.as_ref().map(DueTime::nominal);
        let at = asked.due_date.as_ref().map(DueTime::nominal);
        named >= at
    }
}

/// The task before it is completed, so that completing it tells what it always tells.
fn reopened(task: &Task, live: Option<&Live>) -> Task {
    let open = live.map(|live| live.task.status).filter(|status| status.is_open());
    task.with_status(open.unwrap_or(Status::Pending))
}

/// The owner need not be told what it has just said; only what it does not know yet, the news among it.
fn without_echo(facts: Vec<Fact>, news: Option<UpdateReason>) -> Vec<Fact> {
    let is_news = |fact: &Fact| match fact {
        Fact::TaskUpdated { reason } => {
            matches!(reason, UpdateReason::Advanced | UpdateReason::Skipped)
        }
        Fact::TaskSync => false,
        _ => true,
    };
    let news = news.map(|reason| Fact::TaskUpdated { reason });
    facts.into_iter().filter(is_news).chain(news).chain([Fact::TaskSync]).collect()
}

fn gone(live: Option<&Live>, now: Timestamp) -> Outcome {
    match live {
        Some(live) => {
            let outcome = lifecycle::delete(live, now);
            Outcome { facts: without_echo(outcome.facts, None), ..outcome }
        }
        None => Outcome {
            lifecycle: Lifecycle::Deleted { deleted_at: now, user_id: None },
            facts: Vec::new(),
            last_words: None,
        },
    }
}

/// The state that has followed the event.
fn follow(
    state: Option<&TaskState>,
    command: &Command,
    event: &Ingested,
    outcome: Outcome,
    now: Timestamp,
) -> Change {
    let is_new = state.and_then(TaskState::live).is_none();
    let mut next = state.map_or_else(|| conclude::blank(now), TaskState::clone);
    let user_id = left_by(&next.lifecycle);
    next.lifecycle = match outcome.lifecycle {
        Lifecycle::Deleted { deleted_at, user_id: None } => {
            Lifecycle::Deleted { deleted_at, user_id }
        }
        lifecycle => lifecycle,
    };
    next.version += 1;
    next.updated_at = now;
    let before = next.followed;
    next.followed = Some(Followed {
        version: event.version.max(before.and_then(|followed| followed.version)),
        fingerprint: command.fingerprint,
        said: match &event.news {
            News::Task { said, .. } => Some(*said),
            News::Deleted => None,
        },
    });
    let answer = Answer { created: Some(is_new), ..conclude::answer(&next) };
    let events = conclude::number(&mut next.sequences, outcome.facts);
    note(&mut next, command, event, before, &answer);
    let snapshot = conclude::last_words(&next, outcome.last_words);
    Change { state: next, events, snapshot, answer }
}

/// Whose task it was that is gone already.
fn left_by(lifecycle: &Lifecycle) -> Option<crate::ids::Person> {
    match lifecycle {
        Lifecycle::Deleted { user_id, .. } => user_id.clone(),
        Lifecycle::Live(live) => live.task.user_id.clone(),
    }
}

/// Notes the event among the commands: a command without an id that equals the last one before it is
/// then not taken for that one sent again. One note of a versioned event is enough, for its version
/// tells whether it is known.
fn note(
    next: &mut TaskState,
    command: &Command,
    event: &Ingested,
    before: Option<Followed>,
    answer: &Answer,
) {
    let is_last = |record: &CommandRecord| {
        record.id.is_none() && before.is_some_and(|last| last.fingerprint == record.fingerprint)
    };
    if next.commands.last().is_some_and(is_last) {
        next.commands.pop();
    }
    let id = command.id.filter(|_| event.version.is_none());
    let command = Command { id, ..command.clone() };
    let changes = next.sequences.task_updates;
    let answer = Answer { adjusted: Vec::new(), ..answer.clone() };
    next.remember(CommandRecord::new(&command, answer, changes));
}
