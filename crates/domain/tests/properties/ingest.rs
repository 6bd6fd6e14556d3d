//! Events of the owner of a task: in whatever order and however often they come, the last one holds.

use crate::config;
use proptest::prelude::*;
use reminder_domain::ingested::{Ingested, News, Said};
use reminder_domain::recurrence::LocalMoment;
use reminder_domain::task::Status;
use reminder_domain::{
    Command, CommandKind, Origin, Task, TaskId, TaskState, Timestamp, Turn, decide,
};
use serde_json::json;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU64;

/// 2027-01-01T00:00:00Z, before everything is due.
fn now() -> Timestamp {
    Timestamp::from_millis(1_798_761_600_000)
}

/// What a version says.
#[derive(Clone, Debug)]
enum Version {
    Is { title: u8, day: u8, recurs: bool, ends: bool, status: Status, excepted: Vec<u8> },
    Deleted,
}

fn version() -> impl Strategy<Value = Version> {
    let status = prop_oneof![3 => Just(Status::Pending), 1 => Just(Status::InProgress), 2 => Just(Status::Completed)];
    prop_oneof![
        8 => (0..3_u8, 1..5_u8, any::<bool>(), status)
            .prop_map(|(title, day, recurs, status)| Version::Is {
                title, day, recurs, ends: false, status, excepted: Vec::new(),
            }),
        1 => Just(Version::Deleted),
    ]
}

/// A version of a recurring task, some of whose days do not take place.
fn excepting() -> impl Strategy<Value = Version> {
    let excepted = prop::collection::vec(1..6_u8, 0..8);
    (version(), any::<bool>(), excepted).prop_map(|(version, ends, excepted)| match version {
        Version::Is { title, day, status, .. } => {
            Version::Is { title, day, recurs: true, ends, status, excepted }
        }
        Version::Deleted => Version::Deleted,
    })
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn event(number: u64, version: &Version) -> Command {
    let news = match version {
        Version::Deleted => News::Deleted,
        Version::Is { title, day, recurs, ends, status, excepted } => {
            let due = format!("2027-02-0{day}T09:00:00");
            let mut task = json!({ "title": format!("t{title}"), "dueDate": { "local": due }, "status": status });
            if *recurs {
                let exdates: Vec<_> =
                    excepted.iter().map(|day| format!("2027-02-0{day}")).collect();
                task["recurrence"] = json!({
                    "rule": if *ends { "FREQ=DAILY;UNTIL=20270205T090000" } else { "FREQ=DAILY" }, "start": "2027-02-01T09:00:00", "exdates": exdates,
                });
            }
            let task: Task = serde_json::from_value(task).unwrap();
            let recurrence = hash(&(recurs, ends, excepted));
            let said = Said { due_date: hash(day), start: 0, recurrence, status: *status };
            News::Task { task: Box::new(task), said }
        }
    };
    Command {
        id: Some(number),
        fingerprint: hash(&format!("{number} {version:?}")),
        kind: CommandKind::Ingest(Box::new(Ingested { version: NonZeroU64::new(number), news })),
        if_version: None,
        as_user: None,
        origin: Origin::default(),
    }
}

fn hear(state: &mut Option<TaskState>, command: &Command) -> bool {
    let id = TaskId::parse("milk").unwrap();
    match decide(&id, state.as_ref(), command, None, now()).unwrap() {
        Turn::Commit(change) => {
            *state = Some(change.state);
            true
        }
        Turn::Answer(_) => false,
    }
}

/// What is left of a task in the end.
fn end(state: Option<&TaskState>) -> (Option<Task>, Option<u64>, Option<Timestamp>) {
    let live = state.and_then(TaskState::live);
    let next = state.and_then(reminder_domain::next_wake);
    (live.map(|live| live.task.clone()), state.and_then(TaskState::source_version), next)
}

proptest! {
    #![proptest_config(config())]

    /// Whatever of an owner's versions arrives, in any order and however often, as long as the last
    /// one does: the task is as if only that one had come.
    #[test]
    fn any_order_of_events_ends_at_the_last_version(
        versions in prop::collection::vec(version(), 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let events: Vec<_> = (1..).zip(&versions).map(|(number, said)| event(number, said)).collect();
        let last = events.last().unwrap();
        let mut alone = None;
        hear(&mut alone, last);
        let mut jumbled = None;
        let half = order.len() / 2;
        for at in &order[..half] {
            hear(&mut jumbled, &events[at.index(events.len())]);
        }
        hear(&mut jumbled, last);
        for at in &order[half..] {
            hear(&mut jumbled, &events[at.index(events.len())]);
        }
        let mut told: Option<TaskState> = None;
        for event in &events {
            hear(&mut told, event);
        }
        prop_assert_eq!(end(jumbled.as_ref()), end(alone.as_ref()));
        prop_assert_eq!(end(told.as_ref()), end(alone.as_ref()));
    }

    /// An open task is never at an occurrence that does not take place, whatever its owner says of it.
    #[test]
    fn no_task_is_at_an_exception(versions in prop::collection::vec(excepting(), 1..8)) {
        let mut state: Option<TaskState> = None;
        for (number, said) in (1..).zip(&versions) {
            hear(&mut state, &event(number, said));
            let live = state.as_ref().and_then(TaskState::live);
            let Some(live) = live.filter(|live| live.task.status.is_open()) else { continue };
            let exdates = live.task.recurrence.iter().flat_map(|recurrence| &recurrence.exdates);
            let due = live.task.due_date.as_ref().unwrap().nominal().date();
            prop_assert!(exdates.clone().all(|day| *day != LocalMoment::Date(due)), "{due}");
        }
    }

    /// The version that a task has followed never goes back, and a known event commits nothing.
    #[test]
    fn what_was_followed_never_goes_back(
        versions in prop::collection::vec(version(), 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..24),
    ) {
        let events: Vec<_> = (1..).zip(&versions).map(|(number, said)| event(number, said)).collect();
        let mut state: Option<TaskState> = None;
        let mut highest = 0;
        for at in order {
            let number = at.index(events.len());
            let committed = hear(&mut state, &events[number]);
            let version = u64::try_from(number).unwrap() + 1;
            prop_assert_eq!(committed, version > highest);
            highest = highest.max(version);
            prop_assert_eq!(state.as_ref().and_then(TaskState::source_version), Some(highest));
            prop_assert!(!hear(&mut state, &events[number]));
        }
    }
}
