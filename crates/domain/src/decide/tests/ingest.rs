//! The owner of a task tells that it changed.

use super::bench::time;
use super::*;
use crate::ingested::{Ingested, News, Said};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU64;

const DAILY: &str =
    r#""dueDate":{"local":"2027-03-01T09:00:00"},"recurrence":{"rule":"FREQ=DAILY"}"#;

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// An event as the contract reads it; version 0: it has none.
fn event(version: u64, news: News) -> Command {
    let fingerprint = hash(&format!("{version} {news:?}"));
    let version = NonZeroU64::new(version);
    Command { fingerprint, ..command(CommandKind::Ingest(Box::new(Ingested { version, news }))) }
}

fn is(version: u64, task: &str) -> Command {
    let task = parse(task);
    let said = Said {
        due_date: hash(&format!("{:?}", task.due_date)),
        start: hash(&format!("{:?}", task.start)),
        recurrence: hash(&format!("{:?}", task.recurrence)),
        status: task.status,
    };
    event(version, News::Task { task: Box::new(task), said })
}

fn daily(version: u64, title: &str, status: &str) -> Command {
    is(version, &format!(r#"{{"title":"{title}","status":"{status}",{DAILY}}}"#))
}

fn gone(version: u64) -> Command {
    event(version, News::Deleted)
}

/// A task that events have told of, one after the other.
struct Told {
    state: Option<TaskState>,
}

impl Told {
    fn new() -> Self {
        Self { state: None }
    }

    /// What an event tells the world; `None`: it is known or old news, and nothing is committed.
    fn hear(&mut self, when: &str, command: &Command) -> Option<Vec<String>> {
        match decide(&id(), self.state.as_ref(), command, None, time(when)).unwrap() {
            Turn::Answer(_) => None,
            Turn::Commit(change) => {
                let written = |at: Timestamp| at.to_datetime().format("%m-%d %H:%M").to_string();
                let facts = change.events.iter().map(|event| short(&event.fact, written));
                self.state = Some(change.state);
                Some(facts.collect())
            }
        }
    }

    fn task(&self) -> &Task {
        &self.state.as_ref().and_then(TaskState::live).expect("a task").task
    }

    fn due(&self) -> String {
        serde_json::to_string(&self.task().due_date).unwrap()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "compared with what may be nothing")]
fn some(facts: &[&str]) -> Option<Vec<String>> {
    Some(facts.iter().map(|&fact| fact.to_owned()).collect())
}

#[test]
fn an_event_makes_a_task_and_is_not_echoed() {
    let mut told = Told::new();
    let facts = told.hear("02-01 09:00", &daily(1, "t", "pending"));
    assert_eq!(facts, some(&["scheduled due 03-01 09:00", "sync"]));
    let state = told.state.unwrap();
    assert_eq!((state.version, state.source_version()), (1, Some(1)));
    assert_eq!(state.snapshot().unwrap().source_version, Some(1));
}

#[test]
fn old_news_is_answered_and_nothing_is_done() {
    let mut told = Told::new();
    told.hear("02-01 09:00", &daily(4, "new", "pending"));
    for old in [daily(4, "new", "pending"), daily(3, "old", "pending"), gone(2)] {
        assert_eq!(told.hear("02-01 09:01", &old), None);
    }
    assert_eq!(told.task().title.as_str(), "new");
}

#[test]
fn an_edit_after_an_advance_does_not_bring_the_old_date_back() {
    let mut told = Told::new();
    told.hear("02-01 09:00", &daily(1, "t", "pending"));
    let state = told.state.as_ref();
    told.state =
        match decide(&id(), state, &command(CommandKind::Complete), None, time("03-01 10:00")) {
            Ok(Turn::Commit(change)) => Some(change.state),
            other => panic!("{other:?}"),
        };
    assert_eq!(told.due(), r#"{"local":"2027-03-02T09:00:00"}"#);
    let facts = told.hear("03-01 11:00", &daily(2, "other words", "pending"));
    assert_eq!(facts, some(&["sync"]), "it moves nothing");
    assert_eq!(told.task().title.as_str(), "other words");
    assert_eq!(told.due(), r#"{"local":"2027-03-02T09:00:00"}"#);
    // What the owner does change, it changes.
    let moved = r#"{"title":"t","dueDate":{"local":"2027-03-09T09:00:00"},"recurrence":{"rule":"FREQ=DAILY"}}"#;
    told.hear("03-01 12:00", &is(3, moved));
    assert_eq!(told.due(), r#"{"local":"2027-03-09T09:00:00"}"#);
}

#[test]
fn completing_advances_a_recurring_task_and_tells_its_owner() {
    let mut told = Told::new();
    told.hear("02-01 09:00", &daily(1, "t", "pending"));
    let facts = told.hear("03-01 08:00", &daily(2, "t", "completed"));
    assert_eq!(facts, some(&["scheduled due 03-02 09:00", "updated Advanced", "sync"]));
    assert_eq!(told.state.as_ref().unwrap().source_version(), Some(2));
    assert_eq!(told.task().status, Status::Pending);
    // The owner has not taken that over yet: an edit, still completed as far as it knows.
    assert_eq!(told.hear("03-01 08:01", &daily(3, "u", "completed")), some(&["sync"]));
    assert_eq!(told.due(), r#"{"local":"2027-03-02T09:00:00"}"#);
    // Now it has.
    let taken = r#"{"title":"u","dueDate":{"local":"2027-03-02T09:00:00"},"recurrence":{"rule":"FREQ=DAILY"}}"#;
    assert_eq!(told.hear("03-01 08:02", &is(4, taken)), some(&["sync"]));
}

#[test]
fn an_occurrence_that_is_behind_the_task_is_not_completed_again() {
    let mut told = Told::new();
    told.hear("02-01 09:00", &daily(1, "t", "pending"));
    let state = told.state.as_ref();
    told.state =
        match decide(&id(), state, &command(CommandKind::Complete), None, time("03-01 10:00")) {
            Ok(Turn::Commit(change)) => Some(change.state),
            other => panic!("{other:?}"),
        };
    assert_eq!(told.hear("03-01 10:01", &daily(2, "t", "completed")), some(&["sync"]));
    assert_eq!(told.due(), r#"{"local":"2027-03-02T09:00:00"}"#);
}

#[test]
fn completing_ends_a_task_that_does_not_recur() {
    let mut told = Told::new();
    let task = |status: &str| {
        format!(r#"{{"title":"t","status":"{status}","dueDate":"2027-03-01T09:00:00Z"}}"#)
    };
    told.hear("02-01 09:00", &is(1, &task("pending")));
    let facts = told.hear("02-01 09:01", &is(2, &task("completed")));
    assert_eq!(facts, some(&["removed due 03-01 09:00 Completed", "sync"]));
    let facts = told.hear("02-01 09:02", &is(3, &task("in_progress")));
    assert_eq!(facts, some(&["scheduled due 03-01 09:00", "sync"]), "it is put back");
    assert_eq!(told.task().status, Status::InProgress);
}

#[test]
fn reminders_that_are_left_out_stay_as_they_are() {
    let mut told = Told::new();
    let with = r#"{"title":"t","dueDate":"2027-03-01T09:00:00Z","reminders":[{"id":"early","before":"PT1H"}]}"#;
    told.hear("02-01 09:00", &is(1, with));
    let without = r#"{"title":"u","dueDate":"2027-03-01T10:00:00Z"}"#;
    let facts = told.hear("02-01 09:01", &is(2, without));
    assert_eq!(facts, some(&["scheduled early 03-01 09:00", "sync"]));
    let none = r#"{"title":"u","dueDate":"2027-03-01T10:00:00Z","reminders":[]}"#;
    let facts = told.hear("02-01 09:02", &is(3, none));
    assert_eq!(facts, some(&["removed early 03-01 09:00 Replaced", "sync"]));
}

#[test]
fn what_is_gone_does_not_come_back_by_an_older_event() {
    let mut told = Told::new();
    assert_eq!(
        told.hear("02-01 09:00", &gone(5)),
        some(&[]),
        "a task never seen leaves its version"
    );
    assert_eq!(told.hear("02-01 09:01", &daily(4, "t", "pending")), None);
    assert!(told.state.as_ref().unwrap().live().is_none());
    let facts = told.hear("02-01 09:02", &daily(6, "t", "pending"));
    assert_eq!(facts, some(&["scheduled due 03-01 09:00", "sync"]));
    let facts = told.hear("02-01 09:03", &gone(7));
    assert_eq!(facts, some(&["removed due 03-01 09:00 Deleted", "sync"]));
}

#[test]
fn the_deleted_task_is_told_with_the_version_of_its_owner() {
    let stored = run(None, &is(1, r#"{"title":"t"}"#), NOW).state;
    let change = run(Some(&stored), &gone(2), NOW);
    let snapshot = change.snapshot.unwrap();
    assert_eq!((snapshot.deleted, snapshot.source_version), (true, Some(2)));
}

#[test]
fn without_a_version_the_id_decides_or_that_it_says_the_same() {
    let mut told = Told::new();
    let named = |id: u64, title: &str| Command { id: Some(id), ..daily(0, title, "pending") };
    assert!(told.hear("02-01 09:00", &named(1, "one")).is_some());
    assert_eq!(told.hear("02-01 09:01", &named(2, "one")), None, "it says the same");
    assert!(told.hear("02-01 09:02", &named(3, "two")).is_some());
    assert_eq!(told.hear("02-01 09:03", &named(1, "one")), None, "it is known");
    assert!(told.hear("02-01 09:04", &named(4, "one")).is_some(), "it says something else again");
    assert_eq!(
        told.hear("02-01 09:05", &gone(0)),
        some(&["removed due 03-01 09:00 Deleted", "sync"])
    );
    assert_eq!(told.hear("02-01 09:06", &gone(0)), None);
}

#[test]
fn a_put_like_the_last_one_is_meant_when_an_event_came_in_between() {
    let asked = put(task(&[("a", 60)]));
    let first = run(None, &asked, NOW).state;
    let changed = run(Some(&first), &is(1, r#"{"title":"other"}"#), NOW).state;
    let again = run(Some(&changed), &asked, NOW);
    assert_eq!(again.state.live().unwrap().task.title.as_str(), "Buy milk");
}

#[test]
fn many_events_leave_one_note() {
    let named = |version: u64| is(version, &format!(r#"{{"title":"t{version}"}}"#));
    let mut state = run(None, &named(1), NOW).state;
    for version in 2..100 {
        state = run(Some(&state), &named(version), NOW).state;
    }
    assert_eq!(state.commands.len(), 1);
}

#[test]
fn what_the_rules_refuse_changes_nothing() {
    let far = is(1, r#"{"title":"t","dueDate":"2099-01-01T00:00:00Z"}"#);
    assert!(matches!(reject(None, &far), Rejection::Invalid { .. }));
}

fn except(version: u64, status: &str, dates: &str) -> Command {
    is(
        version,
        &format!(
            r#"{{"title":"t","status":"{status}","dueDate":{{"local":"2027-03-01T09:00:00"}},"recurrence":{{"rule":"FREQ=DAILY;UNTIL=20270302T090000","exdates":[{dates}]}}}}"#
        ),
    )
}

#[test]
fn an_owner_who_excepts_only_the_present_occurrence_moves_the_task_on() {
    let mut told = Told::new();
    told.hear("02-01 09:00", &except(1, "pending", ""));
    let facts = told.hear("02-01 09:01", &except(2, "pending", r#""2027-03-01""#));
    assert_eq!(facts, some(&["scheduled due 03-02 09:00", "updated Skipped", "sync"]));
    assert_eq!(told.due(), r#"{"local":"2027-03-02T09:00:00"}"#);
}

#[test]
fn an_owner_who_excepts_the_last_occurrence_is_told_that_the_task_is_done() {
    let mut told = Told::new();
    told.hear("02-01 09:00", &except(1, "pending", ""));
    told.hear("02-01 09:01", &except(2, "completed", ""));
    assert_eq!(told.due(), r#"{"local":"2027-03-02T09:00:00"}"#);
    let facts = told.hear("02-01 09:02", &except(3, "completed", r#""2027-03-02""#));
    let ended = ["removed due 03-02 09:00 Completed", "updated Completed", "sync"];
    assert_eq!(facts, some(&ended));
    assert_eq!(told.task().status, Status::Completed);
}

#[test]
fn an_occurrence_that_is_excepted_and_completed_at_once_is_completed_once() {
    let mut told = Told::new();
    told.hear("02-01 09:00", &except(1, "pending", ""));
    let facts = told.hear("02-01 09:01", &except(2, "completed", r#""2027-03-01""#));
    assert_eq!(facts, some(&["scheduled due 03-02 09:00", "updated Skipped", "sync"]));
    assert_eq!(
        (told.due(), told.task().status),
        (r#"{"local":"2027-03-02T09:00:00"}"#.into(), Status::Pending)
    );
}

#[test]
fn an_owner_who_reopens_what_exceptions_ended_does_not_bring_the_occurrence_back() {
    let at_its_last = |version, status, dates: &str| {
        is(
            version,
            &format!(
                r#"{{"title":"t","status":"{status}","dueDate":{{"local":"2027-03-02T09:00:00"}},"recurrence":{{"rule":"FREQ=DAILY;UNTIL=20270302T090000","start":"2027-03-01T09:00:00","exdates":[{dates}]}}}}"#
            ),
        )
    };
    let mut told = Told::new();
    told.hear("02-01 09:00", &at_its_last(1, "pending", ""));
    told.hear("02-01 09:01", &at_its_last(2, "pending", r#""2027-03-02""#));
    assert_eq!(told.task().status, Status::Completed);
    told.hear("02-01 09:02", &at_its_last(3, "in_progress", r#""2027-03-02""#));
    assert_eq!(told.task().status, Status::Completed);
}

#[test]
fn an_owner_who_excepts_every_occurrence_is_told_that_the_task_is_done() {
    let both = r#""2027-03-01","2027-03-02""#;
    let mut told = Told::new();
    told.hear("02-01 09:00", &except(1, "pending", ""));
    told.hear("02-01 09:01", &except(2, "pending", both));
    assert_eq!(told.task().status, Status::Completed);
    let mut first = Told::new();
    first.hear("02-01 09:01", &except(2, "pending", both));
    assert_eq!(first.task().status, Status::Completed, "whatever was heard before");
}

#[test]
fn a_task_past_the_end_of_a_series_of_which_nothing_is_left_is_done() {
    let recurs = |version, rule: &str, dates: &str| {
        is(
            version,
            &format!(
                r#"{{"title":"t","dueDate":{{"local":"2027-03-01T09:00:00"}},"recurrence":{{"rule":"{rule}","start":"2027-03-01T09:00:00","exdates":[{dates}]}}}}"#
            ),
        )
    };
    let mut told = Told::new();
    told.hear("02-01 09:00", &recurs(1, "FREQ=DAILY", r#""2027-03-01","2027-03-02""#));
    assert_eq!(told.due(), r#"{"local":"2027-03-03T09:00:00"}"#);
    let ended = recurs(2, "FREQ=DAILY;UNTIL=20270302T090000", r#""2027-03-01","2027-03-02""#);
    told.hear("02-01 09:01", &ended);
    assert_eq!(told.task().status, Status::Completed);
}
