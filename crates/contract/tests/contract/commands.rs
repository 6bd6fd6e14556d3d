//! Bad input of every kind meets a problem that names the field; good input is understood alike,
//! however it is spelt.

use crate::fixtures::now;
use proptest::prelude::*;
use reminder_contract::Problem;
use reminder_contract::problem::ProblemKind;
use reminder_contract::wire::{
    Method, Query, Question, parse_command, parse_explain, parse_get, parse_preview, parse_task_id,
};
use reminder_domain::decide::decide;
use reminder_domain::{Command, CommandKind, TaskId, limits};

fn put(body: &str) -> Result<Command, Problem> {
    parse_command(Method::Put, body.as_bytes())
}

/// A `put` body is refused, either while it is parsed or when it is decided.
fn refusal(body: &str) -> Problem {
    let id = TaskId::parse("t").unwrap();
    match put(body) {
        Err(problem) => problem,
        Ok(command) => match decide(&id, None, &command, None, now()) {
            Err(rejection) => Problem::from(&rejection),
            Ok(turn) => panic!("{body} was accepted: {turn:?}"),
        },
    }
}

/// Checks that a task with these fields beside its title is refused, naming the field, in words
/// that hold `says`.
#[track_caller]
fn check_task(fields: &str, field: &str, says: &str) {
    check_body(&format!(r#"{{"task":{{"title":"t",{fields}}}}}"#), Some(field), says);
}

#[track_caller]
fn check_body(body: &str, field: Option<&str>, says: &str) {
    let problem = refusal(body);
    assert_eq!(problem.kind(), Some(ProblemKind::InvalidInput), "{problem}");
    assert_eq!(problem.field.as_deref(), field, "{problem}");
    assert!(problem.detail.contains(says), "{:?} does not say {says:?}", problem.detail);
    assert!(!problem.detail.contains(" column "), "{problem}");
    assert!(!problem.detail.contains("struct "), "{problem}");
}

#[test]
fn bad_times() {
    check_task(r#""dueDate":"2027-03-01T09:00:00""#, "task.dueDate", "without a zone");
    check_task(r#""dueDate":"soon""#, "task.dueDate", "RFC 3339");
    check_task(r#""dueDate":5"#, "task.dueDate", "but is 5");
    check_task(
        r#""dueDate":"2048-01-01T00:00:00Z""#,
        "task.dueDate",
        "beyond the scheduling horizon",
    );
    check_task(r#""dueDate":"1960-01-01T00:00:00Z""#, "task.dueDate", "1970");
    let zoned =
        |local: &str, zone: &str| format!(r#""dueDate":{{"local":"{local}","zone":"{zone}"}}"#);
    let zone = "Europe/Atlantis";
    check_task(&zoned("2027-03-01T09:00:00", zone), "task.dueDate.zone", zone);
    check_task(&zoned("tomorrow", "Europe/Berlin"), "task.dueDate.local", "local time");
    check_task(&zoned("9999-12-31T23:59:59", "Etc/GMT+12"), "task.dueDate", "9999");
    let no_local = r#""dueDate":{"zone":"Europe/Berlin"}"#;
    check_task(no_local, "task.dueDate", "must have");
    check_task(r#""dueDate":{"date":"2027-02-30"}"#, "task.dueDate.date", "is not a date");
    check_task(r#""start":{"date":"1960-02-03"}"#, "task.start.date", "1970");
    let extra = r#""dueDate":{"local":"2027-03-01T09:00:00","zone":"UTC","fold":1}"#;
    check_task(extra, "task.dueDate.fold", "not a known field");
}

#[test]
fn bad_reminders() {
    let due = r#""dueDate":"2027-03-01T09:00:00Z""#;
    let check = |reminders: &str, field: &str, says: &str| {
        check_task(&format!(r#"{due},"reminders":[{reminders}]"#), field, says);
    };
    let good = r#"{"id":"a","before":"PT5M"}"#;
    check(&format!("{good},{good}"), "task.reminders[1].id", "distinct");
    check(&format!(r#"{good},{{"id":"b","before":"5m"}}"#), "task.reminders[1].before", "duration");
    check(r#"{"id":"b","before":"P1M"}"#, "task.reminders[0].before", "duration");
    check(r#"{"id":"b","at":"2027-03-01"}"#, "task.reminders[0].at", "without a time");
    check(r#"{"id":"b","at":"2027-13-01T"}"#, "task.reminders[0].at", "RFC 3339");
    let zone = r#"{"id":"b","at":{"local":"2027-03-01T09:00:00","zone":"Mars/Base"}}"#;
    check(zone, "task.reminders[0].at.zone", "Mars/Base");
    check(r#"{"id":"b","at":"2050-01-01T00:00:00Z"}"#, "task.reminders[0].at", "horizon");
    check(r#"{"id":"b"}"#, "task.reminders[0]", r#"one of "at", "before" and "after""#);
    check(r#"{"before":"PT5M"}"#, "task.reminders[0].id", "is missing");
    check(r#"{"id":"a/b","before":"PT5M"}"#, "task.reminders[0].id", "characters");
    check(r#"{"id":"b","before":"PT5M","foo":1}"#, "task.reminders[0].foo", "not a known field");
    check(r#"["b","2027-03-01T09:00:00Z"]"#, "task.reminders[0]", "must be an object");
    check_task(r#""reminders":{}"#, "task.reminders", "must be an array, but is an object");
    check(
        r#"{"id":"b","after":"PT5M","anchor":"end"}"#,
        "task.reminders[0].anchor",
        "due or start",
    );
    let nag = r#"{"id":"b","before":"PT5M","nag":{"every":"PT1S","max":3}}"#;
    check(nag, "task.reminders[0].nag", "at least PT5S");
    check(
        r#"{"id":"b","before":"PT5M","lateLimit":"2h"}"#,
        "task.reminders[0].lateLimit",
        "duration",
    );
    let many: Vec<String> = (0..=limits::REMINDERS_MAX)
        .map(|n| format!(r#"{{"id":"r{n}","before":"PT{n}M"}}"#))
        .collect();
    check(&many.join(","), "task.reminders", "at most 50");
}

#[test]
fn bad_fields_of_a_task() {
    check_body(r#"{"task":{}}"#, Some("task.title"), "is missing");
    check_body(r#"{"task":{"title":""}}"#, Some("task.title"), "empty");
    check_body(r#"{"task":{"title":7}}"#, Some("task.title"), "must be a string, but is 7");
    check_body(r#"{"task":{"title":null}}"#, Some("task.title"), "null");
    check_body(r#"{"task":{"title":"t","title":"t"}}"#, Some("task.title"), "given twice");
    check_task(r#""priority":"asap""#, "task.priority", "low, normal, high or urgent");
    check_task(r#""priority":5"#, "task.priority", "must be a string");
    check_task(r#""priority":{"low":null}"#, "task.priority", "must be a string");
    check_task(r#""status":"done""#, "task.status", "pending, in_progress or completed");
    check_task(r#""tags":["a",""]"#, "task.tags[1]", "empty");
    check_task(r#""tags":"a""#, "task.tags", "must be an array");
    check_task(r#""userId":"a\nb""#, "task.userId", "one line");
    check_task(r#""foo":{"bar":1}"#, "task.foo", "not a known field");
    let long = "x".repeat(limits::TITLE_MAX_CHARS + 1);
    check_body(&format!(r#"{{"task":{{"title":"{long}"}}}}"#), Some("task.title"), "at most 500");
    let misspelt = r#"{"task":{"titel":"t"}}"#;
    check_body(misspelt, Some("task.titel"), "not a known field");
}

#[test]
fn bad_bodies() {
    check_body("", Some("task"), "is missing");
    check_body("{}", Some("task"), "is missing");
    check_body("[]", None, "the body must be an object, but is an array");
    check_body(r#""text""#, None, "the body must be an object");
    check_body(r#"{"task":["t"]}"#, Some("task"), "must be an object, but is an array");
    check_body(r#"{"task":{"title":"t"},"foo":1}"#, Some("foo"), "not a known field");
    check_body(r#"{"task":{"title":"t"},"ifVersion":-1}"#, Some("ifVersion"), "not negative");
    check_body(r#"{"task":{"title":"t"},"ifVersion":"3"}"#, Some("ifVersion"), "whole number");
    check_body(r#"{"task":{"title":"t"},"commandId":"a b"}"#, Some("commandId"), "ASCII");
    check_body(r#"{"task":{"title":"t"},"traceparent":"00-1"}"#, Some("traceparent"), "W3C");
    let problem = parse_command(Method::Complete, br#"{"task":{}}"#).unwrap_err();
    assert_eq!(problem.field.as_deref(), Some("task"));
    assert_eq!(parse_get(b"{\"a\":1}").unwrap_err().field.as_deref(), Some("a"));
}

#[test]
fn bad_recurrences() {
    let check = |recurrence: &str, field: &str, says: &str| {
        let due = r#""dueDate":{"local":"2027-03-01T09:00:00","zone":"Europe/Berlin"}"#;
        check_task(&format!(r#"{due},"recurrence":{recurrence}"#), field, says);
    };
    let rule = "task.recurrence.rule";
    check("{}", rule, "is missing");
    check(r#"{"rule":"every day"}"#, rule, "");
    check(r#"{"rule":"FREQ=SECONDLY"}"#, rule, "once a minute");
    check(r#"{"rule":"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}"#, rule, "");
    check(r#"{"rule":"FREQ=DAILY","from":"now"}"#, "task.recurrence.from", "due or completion");
    check(r#"{"rule":"FREQ=DAILY","exdates":["x"]}"#, "task.recurrence.exdates[0]", "local time");
    check(r#"{"rule":"FREQ=DAILY","byday":"MO"}"#, "task.recurrence.byday", "not a known field");
    check_task(r#""recurrence":{"rule":"FREQ=DAILY"}"#, "task.recurrence", "dueDate");
    let date = r#""dueDate":{"date":"2027-03-01"},"recurrence":{"rule":"FREQ=HOURLY"}"#;
    check_task(date, rule, "dueDate is a date");
}

/// Checks that another body than that of `put` is refused, naming the field.
#[track_caller]
fn check_other(method: Method, body: &str, field: &str, says: &str) {
    let problem = parse_command(method, body.as_bytes()).unwrap_err();
    assert_eq!(problem.field.as_deref(), Some(field), "{problem}");
    assert!(problem.detail.contains(says), "{problem}");
}

#[test]
fn bad_bodies_of_other_commands() {
    check_other(Method::Snooze, "", "for", "one of three");
    check_other(Method::Snooze, r#"{"for":"PT5M","preset":"later"}"#, "for", "one of three");
    check_other(Method::Snooze, r#"{"for":"5m"}"#, "for", "duration");
    check_other(Method::Snooze, r#"{"until":"soon"}"#, "until", "RFC 3339");
    check_other(Method::Snooze, r#"{"preset":"a b"}"#, "preset", "characters");
    check_other(Method::Acknowledge, r#"{"reminderId":"a/b"}"#, "reminderId", "characters");
    check_other(Method::Dismiss, r#"{"reminder":"a"}"#, "reminder", "not a known field");
    check_other(Method::PutReminder, "", "reminder", "is missing");
    check_other(Method::PutReminder, r#"{"reminder":{"id":"a"}}"#, "reminder", "one of");
    let never = r#"{"reminder":{"id":"a","before":"PT1M"},"ifPast":"never"}"#;
    check_other(Method::PutReminder, never, "ifPast", "fire, skip or reject");
    check_other(Method::RemoveReminder, "{}", "reminderId", "is missing");
    check_other(Method::Skip, r#"{"occurrence":"monday"}"#, "occurrence", "local time");
    check_other(Method::Pause, r#"{"missed":"skip"}"#, "missed", "not a known field");
    check_other(Method::Resume, r#"{"missed":"drop"}"#, "missed", "fire or skip");
    check_other(Method::ImportCalendar, "{}", "calendar", "is missing");
    check_other(Method::ImportCalendar, r#"{"calendar":"hello"}"#, "calendar", "line 1");
    assert_eq!(parse_preview(br#"{"count":0}"#).unwrap_err().field.as_deref(), Some("count"));
    assert_eq!(parse_preview(b""), Ok(asked(Query::Preview { count: limits::PREVIEW_DEFAULT })));
    assert_eq!(parse_explain(b"").unwrap_err().field.as_deref(), Some("reminderId"));
}

#[test]
fn what_is_not_json_is_told_with_its_place() {
    let deep = format!(r#"{{"task":{{"title":{}"#, "[".repeat(10_000));
    let cases: [&[u8]; 7] = [
        b"{\"task\":",
        b"{\"task\":{\"title\":\"t\"}} trailing",
        b"{'task':1}",
        b"{\"task\":{\"title\":\"\xff\"}}",
        br#"{"task":{"title":"\ud800"}}"#,
        b"not json",
        b"{\"task\":{\"title\":\"t\",\n}}",
    ];
    for body in cases {
        let problem = parse_command(Method::Put, body).unwrap_err();
        assert_eq!(problem.kind(), Some(ProblemKind::MalformedJson), "{problem}");
        assert!(problem.detail.contains("line "), "{problem}");
        assert_eq!(problem.status, 422);
    }
    assert_eq!(refusal(&deep).status, 422, "depth is bounded, whatever it is called");
}

#[test]
fn a_body_over_the_limit_is_refused_unread() {
    for method in Method::ALL {
        let body = vec![b' '; method.body_max_bytes() + 1];
        assert_eq!(parse_command(*method, &body).unwrap_err().status, 413);
    }
    let body = vec![b' '; limits::PAYLOAD_MAX_BYTES + 1];
    assert_eq!(parse_get(&body).unwrap_err().status, 413);
    assert!(parse_command(Method::Complete, &body[1..]).is_ok());
}

#[test]
fn the_callers_words_are_quoted_within_bounds() {
    let long = "x".repeat(60_000);
    for body in [
        format!(r#"{{"task":{{"title":"t","{long}":1}}}}"#),
        format!(r#"{{"task":{{"title":"t","priority":"{long}"}}}}"#),
        format!(r#"{{"task":{{"title":"t","tags":"{long}"}}}}"#),
    ] {
        assert!(refusal(&body).to_json().len() < 2_000, "{}", refusal(&body));
    }
}

#[test]
fn bad_task_ids() {
    for bad in ["", "a/b", "a||b", "a b", "a.b", &"a".repeat(129)] {
        let problem = parse_task_id(bad).unwrap_err();
        assert_eq!((problem.status, problem.field.as_deref()), (422, Some("taskId")), "{bad:?}");
    }
    assert!(parse_task_id("milk-7").is_ok());
}

#[test]
fn bodies_that_need_not_be_there() {
    let all = Method::ALL.iter().copied();
    let needs_one = [
        Method::Put,
        Method::PutReminder,
        Method::RemoveReminder,
        Method::Snooze,
        Method::ImportCalendar,
    ];
    for method in all.filter(|method| !needs_one.contains(method)) {
        for body in ["", " \n", "null", "{}"] {
            let command = parse_command(method, body.as_bytes()).unwrap();
            assert_eq!(command.kind.name(), method.as_str());
            assert_eq!((command.id, command.if_version), (None, None));
        }
    }
    assert_eq!(parse_get(b""), Ok(asked(Query::Get)));
    assert_eq!(parse_get(b"{}"), Ok(asked(Query::Get)));
}

fn asked(query: Query) -> Question {
    Question { query, as_user: None }
}

#[test]
fn what_a_user_puts_is_that_users() {
    let owner = |body: &str| match put(body).map(|command| command.kind) {
        Ok(CommandKind::Put(put)) => Ok(put.task.user_id.as_ref().map(ToString::to_string)),
        Ok(_) => panic!("a put"),
        Err(problem) => Err((problem.kind(), problem.field.clone())),
    };
    assert_eq!(owner(r#"{"task":{"title":"t"}}"#), Ok(None));
    assert_eq!(owner(r#"{"asUser":"ada","task":{"title":"t"}}"#), Ok(Some("ada".into())));
    let own = r#"{"asUser":"ada","task":{"title":"t","userId":"ada"}}"#;
    assert_eq!(owner(own), Ok(Some("ada".into())));
    let other = r#"{"asUser":"ada","task":{"title":"t","userId":"Ada"}}"#;
    assert_eq!(owner(other), Err((Some(ProblemKind::Forbidden), Some("task.userId".into()))));
    let calendar = |user: &str| {
        let said = "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:t\r\nSUMMARY:t\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
        let body = serde_json::json!({ "asUser": user, "calendar": said }).to_string();
        parse_command(Method::ImportCalendar, body.as_bytes()).unwrap()
    };
    let CommandKind::Put(imported) = calendar("ada").kind else { panic!("a put") };
    assert_eq!(imported.task.user_id.as_ref().unwrap().as_str(), "ada");
    // Who sends it makes no other command of it, but whose task it makes does.
    assert_ne!(calendar("ada").fingerprint, calendar("eve").fingerprint);
    let complete = |body: &str| parse_command(Method::Complete, body.as_bytes()).unwrap();
    assert_eq!(complete(r#"{"asUser":"ada"}"#).fingerprint, complete("{}").fingerprint);
    assert_eq!(complete(r#"{"asUser":"ada"}"#).as_user.unwrap().as_str(), "ada");
    let twice = parse_command(Method::Complete, br#"{"asUser":"ada","asUser":"eve"}"#);
    assert_eq!(twice.unwrap_err().field.as_deref(), Some("asUser"));
    assert_eq!(parse_get(br#"{"asUser":"ada"}"#).unwrap().as_user.unwrap().as_str(), "ada");
}

#[test]
fn a_whole_command_is_understood() {
    let command =
        put(r#"{"commandId":"c-1","ifVersion":3,"correlationId":"flow-1","task":{"title":"t",
        "description":null,"reminders":[{"id":"r","at":"2027-01-01T00:00:00Z","before":null}]}}"#)
        .unwrap();
    assert_eq!(command.if_version, Some(3));
    assert_eq!(command.origin.correlation_id.unwrap().as_str(), "flow-1");
    assert!(command.id.is_some());
    let CommandKind::Put(put) = command.kind else { panic!("a put") };
    let reminders = put.task.reminders.as_deref().unwrap();
    assert_eq!((put.task.title.as_str(), reminders.len()), ("t", 1));
}

#[test]
fn fingerprints_tell_what_is_asked_and_not_how() {
    let fingerprint = |body: &str| put(body).unwrap().fingerprint;
    let base = fingerprint(r#"{"task":{"title":"t","tags":["a"]}}"#);
    for same in [
        r#" { "task" : { "tags" : [ "a" ] , "title" : "\u0074" } } "#,
        r#"{"commandId":"c","correlationId":"f","task":{"title":"t","tags":["a"]}}"#,
        r#"{"task":{"title":"t","tags":["a"],"priority":"normal","description":null}}"#,
        r#"{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","task":{"title":"t","tags":["a"]}}"#,
    ] {
        assert_eq!(fingerprint(same), base, "{same}");
    }
    for other in [
        r#"{"task":{"title":"u","tags":["a"]}}"#,
        r#"{"task":{"title":"t"}}"#,
        r#"{"task":{"title":"t","tags":["a"],"priority":"high"}}"#,
        r#"{"ifVersion":0,"task":{"title":"t","tags":["a"]}}"#,
    ] {
        assert_ne!(fingerprint(other), base, "{other}");
    }
    let plain = |method| parse_command(method, b"").unwrap().fingerprint;
    assert_ne!(plain(Method::Complete), plain(Method::Reopen));
    // Stored states hold these numbers: another algorithm would forget every command.
    assert_eq!(plain(Method::Complete), FINGERPRINT_OF_COMPLETE);
}

const FINGERPRINT_OF_COMPLETE: u64 = 1_299_333_558_145_742_837;

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for method in Method::ALL {
            let _ = parse_command(*method, &body);
        }
    }

    #[test]
    fn no_json_makes_it_panic(body in r#"\{("(task|title|ifVersion|x)":[0-9\[\]{}"a,]{0,8},?){0,4}\}?"#) {
        let _ = parse_command(Method::Put, body.as_bytes());
    }
}
