//! The steps of a turn that the processor does by itself, each ready to be done again and again.

use reminder_contract::cloud_event;
use reminder_contract::wire::{Method, parse_command};
use reminder_domain::command::{Command, Origin};
use reminder_domain::decide::{Change, Turn, decide, decide_wake};
use reminder_domain::state::{PendingCommit, Stamp};
use reminder_domain::{TaskId, TaskState, Timestamp, next_wake};
use std::hint::black_box;

/// A step, by its name; made once, done as often as one likes.
pub(crate) type Case = (&'static str, Box<dyn Fn()>);

/// A usual task, as a caller puts it.
const USUAL: &str = r#"{"commandId":"c-1","task":{"title":"Water the plants","description":"Those on the balcony too",
"dueDate":"2027-03-01T09:00:00Z","priority":"high","tags":["home","garden"],"assignee":"bob@example.org",
"createdBy":"ada@example.org","userId":"ada@example.org","reminders":[{"id":"day-before","before":"P1D"},{"id":"at-due","before":"PT0S"}]}}"#;
/// The same, moved by a day.
const MOVED: &str = r#"{"commandId":"c-2","task":{"title":"Water the plants","description":"Those on the balcony too",
"dueDate":"2027-03-02T09:00:00Z","priority":"high","tags":["home","garden"],"assignee":"bob@example.org",
"createdBy":"ada@example.org","userId":"ada@example.org","reminders":[{"id":"day-before","before":"P1D"},{"id":"at-due","before":"PT0S"}]}}"#;
/// One that comes again and again.
const RECURRING: &str = r#"{"task":{"title":"Stand-up","dueDate":{"local":"2027-02-02T09:00:00","zone":"Europe/Berlin"},
"userId":"ada@example.org","recurrence":{"rule":"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},"reminders":[{"id":"soon","before":"PT10M"}]}}"#;
/// As many reminders as a task may have.
const REMINDERS: usize = 50;

/// Every step, in the order of a turn.
pub(crate) fn all() -> Vec<Case> {
    let usual = put(None, USUAL, "2027-02-01T00:00:00Z");
    let recurring = put(None, RECURRING, "2027-02-01T00:00:00Z");
    let many = put(None, &many_reminders(), "2027-02-01T00:00:00Z");
    let text = serde_json::to_vec(&stored(&usual)).expect("a state is JSON");
    let (fired, commit) = (wake(&usual, "2027-02-28T09:00:00Z"), "2027-02-28T09:00:00Z");
    vec![
        case("parse_a_put", || parse(USUAL)),
        case("put_a_new_task", {
            let command = parse(USUAL);
            move || decided(None, &command, "2027-02-01T00:00:00Z")
        }),
        case("put_another_due_date", {
            let (state, command) = (usual.state.clone(), parse(MOVED));
            move || decided(Some(&state), &command, "2027-02-02T00:00:00Z")
        }),
        case("complete", {
            let command = command(Method::Complete, "{}");
            let state = usual.state.clone();
            move || decided(Some(&state), &command, "2027-02-02T00:00:00Z")
        }),
        case("complete_an_occurrence", {
            let command = command(Method::Complete, "{}");
            let state = recurring.state.clone();
            move || decided(Some(&state), &command, "2027-02-02T00:00:00Z")
        }),
        case("wake_and_fire", {
            let state = usual.state.clone();
            move || decide_wake(&state, time("2027-02-28T09:00:00Z"))
        }),
        case("wake_and_find_the_next_occurrence", {
            let state = recurring.state.clone();
            move || decide_wake(&state, time("2027-02-02T07:50:00Z"))
        }),
        case("next_wake_of_many_reminders", move || next_wake(&many.state)),
        case("write_a_state", {
            let state = stored(&usual);
            move || serde_json::to_vec(&state).ok()
        }),
        case("read_a_state", move || serde_json::from_slice::<TaskState>(&text).ok()),
        case("encode_the_events_of_a_firing", move || encoded(&fired, time(commit))),
    ]
}

fn case<T: 'static>(name: &'static str, step: impl Fn() -> T + 'static) -> Case {
    let step = Box::new(move || {
        black_box(step());
    });
    (name, step)
}

fn id() -> TaskId {
    TaskId::parse("plants").expect("a valid id")
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a valid time")
}

fn command(method: Method, body: &str) -> Command {
    parse_command(method, body.as_bytes()).expect("a valid body")
}

fn parse(body: &str) -> Command {
    command(Method::Put, body)
}

fn decided(state: Option<&TaskState>, command: &Command, now: &str) -> Change {
    match decide(&id(), state, command, None, time(now)) {
        Ok(Turn::Commit(change)) => *change,
        other => panic!("a commit was expected, not {other:?}"),
    }
}

fn put(state: Option<&TaskState>, body: &str, now: &str) -> Change {
    decided(state, &parse(body), now)
}

fn wake(change: &Change, now: &str) -> Change {
    match decide_wake(&change.state, time(now)) {
        Turn::Commit(change) => *change,
        Turn::Answer(answer) => panic!("nothing was due: {answer:?}"),
    }
}

/// The state of a change as it is stored: with its events pending.
fn stored(change: &Change) -> TaskState {
    TaskState { pending: vec![pending(change, change.state.updated_at)], ..change.state.clone() }
}

fn pending(change: &Change, at: Timestamp) -> PendingCommit {
    PendingCommit {
        stamp: Stamp { epoch: 1, n: 1 },
        at,
        origin: Origin::default(),
        snapshot: None,
        incarnation: None,
        trace: None,
        events: change.events.clone(),
    }
}

fn encoded(change: &Change, at: Timestamp) -> Vec<Vec<u8>> {
    let (commit, snapshot) = (pending(change, at), change.state.snapshot());
    let snapshot = snapshot.expect("a live task");
    let encode = |event| cloud_event::encode(&id(), 1, &commit, &snapshot, event);
    commit.events.iter().map(encode).collect()
}

fn many_reminders() -> String {
    let one = |n: usize| format!(r#"{{"id":"r{n}","before":"PT{}M"}}"#, n * 5);
    let reminders: Vec<String> = (0..REMINDERS).map(one).collect();
    let reminders = reminders.join(",");
    format!(
        r#"{{"task":{{"title":"t","dueDate":"2027-03-01T09:00:00Z","reminders":[{reminders}]}}}}"#
    )
}
