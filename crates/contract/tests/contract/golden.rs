//! One example of everything that leaves the service, as committed: a change shows in review.

use crate::examples::{FULL, examples, story};
use crate::fixtures::{Story, check_file, now};
use reminder_contract::Problem;
use reminder_contract::problem::ProblemKind;
use reminder_contract::schemas::pretty;
use reminder_contract::wire::{
    CommandAnswer, ExplanationView, Method, PreviewView, TaskView, parse_command, parse_task_id,
};
use reminder_domain::decide::{Turn, decide};
use reminder_domain::{Rejection, ReminderId, TaskId, TaskState, Timestamp, limits};
use serde_json::Value;
use std::path::Path;

fn check(name: &str, json: &[u8]) {
    let value: Value = serde_json::from_slice(json).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    check_file(&path, &pretty(value));
}

#[test]
fn events() {
    for (event_type, examples) in examples() {
        for (number, example) in examples.iter().enumerate() {
            // Where two sources tell the same type, the second has its name in that of the file.
            let source = example["source"].as_str().unwrap().replace('/', ".");
            let by = if number == 0 { "" } else { &*source };
            let name = format!("event.{}{by}.json", event_type.as_str());
            check(&name, example.to_string().as_bytes());
        }
    }
}

#[test]
fn answers() {
    let id = TaskId::parse("milk-7").unwrap();
    let answer = |method, body: &str, state| {
        let command = parse_command(method, body.as_bytes()).unwrap();
        match decide(&id, state, &command, None, now()).unwrap() {
            Turn::Commit(change) => change.answer,
            Turn::Answer(answer) => answer,
        }
    };
    let mut story = Story::new("milk-7");
    let put = answer(Method::Put, FULL, None);
    check("answer.put.json", &CommandAnswer::new(&id, put).to_json());
    story.send(Method::Put, FULL, now());
    let state = story.state.as_ref();
    check("answer.get.json", &TaskView::new(&id, state).unwrap().to_json());
    let mut paused = Story::new("milk-7");
    paused.send(Method::Put, FULL, now()).send(Method::Pause, "", now());
    let view = TaskView::new(&id, paused.state.as_ref()).unwrap().to_json();
    check("answer.get.paused.json", &view);
    let read: TaskView<'_> = serde_json::from_slice(&view).unwrap();
    assert_eq!(read.to_json(), view, "a client reads what it was told");
    let moment = Timestamp::parse("2027-01-13T17:00:00Z").unwrap();
    let reminder = ReminderId::parse("useless").unwrap();
    let explained =
        ExplanationView::new(&id, paused.state.as_ref(), &reminder, moment, now()).unwrap();
    check("answer.explain.paused.json", &explained.to_json());
    assert_eq!(explained.verdict, "paused");
    for method in [Method::Complete, Method::Delete] {
        let told = CommandAnswer::new(&id, answer(method, "", state)).to_json();
        check(&format!("answer.{}.json", method.as_str()), &told);
        let read: CommandAnswer<'_> = serde_json::from_slice(&told).unwrap();
        assert_eq!(read.to_json(), told, "a client reads what it was told");
    }
}

/// A recurring task over a change of the clocks: the rules say why each firing is when it is.
const RECURRING: &str = r#"{"task":{"title":"Water the plants","priority":"normal",
    "dueDate":{"local":"2027-03-26T02:30:00","zone":"Europe/Berlin"},
    "recurrence":{"rule":"FREQ=DAILY","exdates":["2027-03-27"]},
    "reminders":[{"id":"due","before":"PT0S"},{"id":"before","before":"P1D"}]}}"#;

#[test]
fn previews_and_explanations() {
    let mut story = Story::new("plants");
    story.send(Method::Put, RECURRING, now());
    let state = story.state.as_ref();
    let preview = PreviewView::new(&story.id, state, now(), 4).unwrap().to_json();
    check("answer.preview.json", &preview);
    let read: PreviewView<'_> = serde_json::from_slice(&preview).unwrap();
    assert_eq!(read.to_json(), preview, "a client reads what it was told");

    let explain = |name: &str, moment: &str, at: Timestamp, state: Option<&TaskState>| {
        let (id, moment) = (ReminderId::parse("due").unwrap(), Timestamp::parse(moment).unwrap());
        let view = ExplanationView::new(&story.id, state, &id, moment, at).unwrap();
        check(&format!("answer.explain.{name}.json"), &view.to_json());
        view.verdict
    };
    let gap = "2027-03-28T01:30:00Z";
    assert_eq!(explain("scheduled", gap, now(), state), "scheduled");
    assert_eq!(explain("excluded", "2027-03-27T01:30:00Z", now(), state), "excluded");
    assert_eq!(explain("unknown", "2027-03-28T12:00:00Z", now(), state), "notScheduled");

    let mut later = Story::new("plants");
    let after = Timestamp::parse("2027-03-30T10:00:00Z").unwrap();
    later.send(Method::Put, RECURRING, now()).wake(after);
    let state = later.state.as_ref();
    assert_eq!(explain("coalesced", gap, after, state), "coalesced");
    assert_eq!(explain("fired", "2027-03-30T00:30:00Z", after, state), "fired");
}

#[test]
fn a_task_that_is_not_there_cannot_be_shown() {
    let story = story();
    for state in [None, story.state.as_ref()] {
        let problem = TaskView::new(&story.id, state).unwrap_err();
        assert_eq!(problem.kind(), Some(ProblemKind::UnknownTask));
    }
}

#[test]
fn problems() {
    let id = TaskId::parse("milk-7").unwrap();
    let parse = |body: &str| parse_command(Method::Put, body.as_bytes()).unwrap_err();
    let examples = [
        ("malformed-json", parse("{\"task\": {\"title\": \"t\",\n }}")),
        ("invalid-input", parse(r#"{"task":{"title":"t","remindres":[]}}"#)),
        ("command-id-reused", Problem::from(&Rejection::CommandIdReused).with_task_id(&id)),
        ("payload-too-large", parse(&" ".repeat(limits::PAYLOAD_MAX_BYTES + 1))),
        ("unknown-task", Problem::from(&Rejection::UnknownTask(id.clone()))),
        (
            "version-conflict",
            Problem::from(&Rejection::VersionConflict { expected: 3, actual: 5 }).with_task_id(&id),
        ),
        ("inapplicable", Problem::from(&Rejection::Inapplicable("nothing rang")).with_task_id(&id)),
        ("overloaded", Problem::from(&Rejection::TooManyPending(100)).with_task_id(&id)),
        ("unavailable", Problem::unavailable("the state store does not answer")),
        (
            "damaged-state",
            Problem::new(ProblemKind::DamagedState, "the stored state is damaged")
                .with_task_id(&id),
        ),
        (
            "newer-state",
            Problem::new(ProblemKind::NewerState, "the stored state has schema 2")
                .with_task_id(&id),
        ),
        (
            "precondition-failed",
            Problem::new(ProblemKind::PreconditionFailed, "the task is at version 5")
                .with_task_id(&id),
        ),
        ("unknown-path", Problem::new(ProblemKind::UnknownPath, "there is no /v2")),
        (
            "method-not-allowed",
            Problem::new(ProblemKind::MethodNotAllowed, "TRACE is not done here"),
        ),
        ("request-timeout", Problem::new(ProblemKind::RequestTimeout, "no body within 10 s")),
        ("unsupported-media-type", Problem::new(ProblemKind::UnsupportedMediaType, "text/plain")),
        ("unauthorized", Problem::new(ProblemKind::Unauthorized, "the token is wrong")),
        ("forbidden", Problem::new(ProblemKind::Forbidden, "direct calls need REST_TOKEN")),
        (
            "too-many-commands",
            Problem::new(ProblemKind::TooManyCommands, "the user may send 60 commands a minute")
                .retry_after(2)
                .with_task_id(&id),
        ),
        (
            "too-many-open-tasks",
            Problem::new(ProblemKind::TooManyOpenTasks, "the user has 100 open tasks")
                .with_task_id(&id),
        ),
        ("too-many-requests", Problem::new(ProblemKind::TooManyRequests, "20 calls a second")),
    ];
    assert_eq!(examples.len(), ProblemKind::ALL.len());
    for (slug, problem) in examples {
        let kind = problem.kind().expect("the type is in the table");
        assert!(kind.type_uri().ends_with(slug), "{slug}: {problem}");
        assert_eq!(problem.status, kind.status());
        let json = problem.to_json();
        check(&format!("problem.{slug}.json"), &json);
        assert_eq!(serde_json::from_slice::<Problem>(&json).unwrap(), problem);
    }
    check("problem.task-id.json", &parse_task_id("a||b").unwrap_err().to_json());
}
