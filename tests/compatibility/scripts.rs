//! Turns that together lead to every shape a stored state can have.

use crate::play::{Play, time};
use reminder_contract::wire::{self, Method};
use reminder_domain::ids::Person;
use reminder_domain::user::{UserState, UserTurn, decide_user};
use reminder_scheduler::users::record as user_record;

const BERLIN: &str = r#"{"zone":"Europe/Berlin","defaultTime":"08:30","defaultReminders":[{"id":"early","before":"P1DT1H","lateLimit":"PT2H"},{"id":"now","before":"PT0S","nag":{"every":"PT5M","max":3}}],"quietHours":{"from":"22:00","to":"07:00"},"snoozePresets":{"nap":"PT20M","morning":{"days":1,"at":"07:30"},"day":{"days":1}}}"#;
const RESTORED: u32 = 1_795_347_173;

/// Tasks as they are stored, by name.
pub(crate) fn tasks() -> Vec<(&'static str, Vec<u8>)> {
    let all = [
        ("minimal", minimal()),
        ("everything-said", everything_said()),
        ("kinds-of-time", kinds_of_time()),
        ("moved-by-rules", moved_by_rules()),
        ("recurring-counted", recurring_counted()),
        ("recurring-from-completion", recurring_from_completion()),
        ("ringing", ringing()),
        ("plans", plans()),
        ("history", history()),
        ("completed", completed()),
        ("in-progress-reopened", reopened()),
        ("deleted", deleted()),
        ("deleted-nobodys", minimal().command(Method::Delete, "").published().wake()),
        ("made-again", deleted().put(r#"{"title":"Buy milk again"}"#)),
        ("followed-a-move", followed_a_move()),
        ("pending-of-two-processes", pending_of_two_processes()),
        ("restored", restored()),
        ("fired-in-a-trace", fired_in_a_trace()),
        ("followed-its-owner", followed_its_owner()),
        ("deleted-by-its-owner", deleted_by_its_owner()),
        ("followed-without-versions", followed_without_versions()),
        ("paused", paused()),
        ("resumed", resumed()),
    ];
    all.map(|(name, play)| (name, play.stored())).into()
}

/// By itself and by its user, and told of as such.
fn paused() -> Play {
    let task = r#"{"title":"t","userId":"ada@example.org","dueDate":"2027-03-02T09:00:00Z"}"#;
    let put = Play::at("2027-03-01T09:00:00Z").preferring(3, BERLIN).put(task);
    let paused = put.then("2027-03-01T10:00:00Z").pausing_its_user().refresh();
    let paused = paused.then("2027-03-01T11:00:00Z").command(Method::Pause, "");
    paused.command(Method::PutReminder, r#"{"reminder":{"id":"early","before":"PT1H"}}"#)
}

/// With nothing to fire of what fell due meanwhile.
fn resumed() -> Play {
    let task = r#"{"title":"t","dueDate":"2027-03-02T09:00:00Z"}"#;
    let put = Play::at("2027-03-01T09:00:00Z").put(task);
    let paused = put.then("2027-03-01T10:00:00Z").command(Method::Pause, "");
    paused.then("2027-03-02T10:00:00Z").command(Method::Resume, r#"{"missed":"skip"}"#)
}

fn minimal() -> Play {
    Play::at("2027-03-01T09:00:00.123Z").command(Method::Put, r#"{"task":{"title":"Buy milk"}}"#)
}

fn everything_said() -> Play {
    Play::at("2027-03-01T09:00:00Z").preferring(7, BERLIN).put(
        r#"{"title":"Buy \"milk\" 🥛","description":"The one\nwith the blue cap","priority":"urgent","tags":["home","shop"],"status":"in_progress","assignee":"bob@example.org","createdBy":"todo-api","userId":"ada@example.org","dueDate":{"local":"2027-03-02T18:00:00","zone":"Europe/Berlin"},"start":"2027-03-02T07:00:00Z"}"#,
    )
}

fn kinds_of_time() -> Play {
    let all = r#"{"id":"a","at":"2027-06-01T09:00:00.500Z"},{"id":"b","at":{"local":"2027-06-01T09:00:00","zone":"Asia/Tokyo"}},{"id":"c","at":{"local":"2027-06-01T09:00:00"}},{"id":"d","at":{"date":"2027-06-01"}},{"id":"e","after":"P1D","anchor":"start"},{"id":"f","before":"P2DT3H4M5S"}"#;
    Play::at("2027-03-01T09:00:00Z").preferring(1, r#"{"zone":"America/New_York"}"#).put(&format!(
        r#"{{"title":"t","priority":"low","userId":"ada@example.org","dueDate":{{"local":"2027-06-02T12:00:00.250"}},"start":{{"date":"2027-05-31"}},"reminders":[{all}]}}"#
    ))
}

/// By a gap, by an overlap, and by quiet hours.
fn moved_by_rules() -> Play {
    let zone = r#""zone":"Europe/Berlin""#;
    Play::at("2027-03-01T09:00:00Z").preferring(2, BERLIN).put(&format!(
        r#"{{"title":"t","priority":"high","userId":"ada@example.org","reminders":[{{"id":"gap","at":{{"local":"2027-03-28T02:30:00",{zone}}}}},{{"id":"overlap","at":{{"local":"2027-10-31T02:30:00",{zone}}}}},{{"id":"night","at":{{"local":"2027-06-01T23:00:00",{zone}}}}}]}}"#
    ))
}

fn recurring_counted() -> Play {
    Play::at("2027-03-01T09:00:00Z")
        .put(r#"{"title":"t","dueDate":{"local":"2027-03-02T09:00:00","zone":"Europe/Berlin"},"recurrence":{"rule":"FREQ=DAILY;COUNT=30","exdates":["2027-03-04T09:00:00"],"rdates":["2027-03-05T15:00:00"]},"reminders":[{"id":"r","before":"PT10M"}]}"#)
        .then("2027-03-02T07:50:00Z")
        .wake()
        .command(Method::Complete, r#"{"commandId":"c-9"}"#)
        .command(Method::Skip, r#"{"commandId":"c-10"}"#)
}

fn recurring_from_completion() -> Play {
    Play::at("2027-03-01T09:00:00Z")
        .put(r#"{"title":"t","dueDate":{"date":"2027-03-02"},"recurrence":{"rule":"FREQ=WEEKLY;BYDAY=MO,TH","from":"completion","exdates":["2027-03-08"]}}"#)
        .command(Method::Complete, "")
}

/// Fired and nagging, and another one snoozed.
fn ringing() -> Play {
    Play::at("2027-03-01T09:00:00Z")
        .put(r#"{"title":"t","dueDate":"2027-03-01T10:00:00Z","recurrence":{"rule":"FREQ=DAILY"},"reminders":[{"id":"nags","before":"PT0S","nag":{"every":"PT5M","max":6}},{"id":"sleeps","before":"PT1M"}]}"#)
        .then("2027-03-01T10:00:00.005Z")
        .wake()
        .command(Method::Snooze, r#"{"reminderId":"sleeps","for":"PT30M"}"#)
        .then("2027-03-01T10:05:01Z")
        .wake()
}

/// Every way in which a reminder can stand.
fn plans() -> Play {
    Play::at("2027-03-01T09:00:00Z")
        .command(Method::Put, r#"{"ifPast":"skip","task":{"title":"t","dueDate":"2027-03-01T10:00:00Z","reminders":[{"id":"asleep","before":"PT1M","anchor":"start"},{"id":"skipped","before":"PT2H"},{"id":"fired","before":"PT30M"},{"id":"expired","before":"PT31M","lateLimit":"PT1S"},{"id":"dismissed","before":"PT1M"},{"id":"scheduled","after":"P300D"}]}}"#)
        .then("2027-03-01T09:30:00Z")
        .wake()
        .command(Method::Dismiss, r#"{"reminderId":"dismissed"}"#)
}

/// Every kind of entry, a late firing and one for several missed moments.
fn history() -> Play {
    Play::at("2027-03-01T09:00:00Z")
        .put(r#"{"title":"t","dueDate":"2027-03-01T10:00:00Z","recurrence":{"rule":"FREQ=DAILY"},"reminders":[{"id":"a","before":"PT0S"},{"id":"b","before":"PT1H","lateLimit":"PT1M"},{"id":"c","after":"PT3H"}]}"#)
        .then("2027-03-04T10:00:00.007Z")
        .wake()
        .command(Method::Acknowledge, r#"{"reminderId":"a"}"#)
        .command(Method::Dismiss, r#"{"reminderId":"c"}"#)
        .then("2027-03-05T11:00:00Z")
        .wake()
        .command(Method::Snooze, r#"{"reminderId":"a","for":"PT10M"}"#)
        .then("2027-03-05T11:10:00Z")
        .wake()
}

fn completed() -> Play {
    Play::at("2027-03-01T09:00:00Z")
        .put(r#"{"title":"t","dueDate":"2027-03-01T10:00:00Z"}"#)
        .published()
        .command(Method::Complete, "")
}

fn reopened() -> Play {
    completed()
        .command(Method::Reopen, "")
        .command(Method::PutReminder, r#"{"reminder":{"id":"more","after":"PT1H"}}"#)
        .command(Method::PutReminder, r#"{"reminder":{"id":"less","after":"PT2H"}}"#)
        .command(Method::RemoveReminder, r#"{"reminderId":"less"}"#)
}

fn deleted() -> Play {
    Play::at("2027-03-01T09:00:00Z")
        .put(r#"{"title":"t","userId":"ada@example.org","dueDate":"2027-03-01T10:00:00Z"}"#)
        .command(Method::Delete, r#"{"commandId":"c-2"}"#)
}

/// The events of two commits wait, with the task as they told it.
fn followed_its_owner() -> Play {
    let task = |version: u64, status: &str| {
        format!(
            r#"{{"taskId":"milk","title":"t","status":"{status}","dueDate":{{"local":"2027-03-02T18:00:00","zone":"Europe/Berlin"}},"start":"2027-03-01T07:00:00Z","recurrence":{{"rule":"FREQ=DAILY"}},"userId":"ada@example.org","version":{version}}}"#
        )
    };
    Play::at("2027-03-01T09:00:00Z").told("task.created", "one", &task(1, "in_progress")).told(
        "task.completed",
        "two",
        &task(2, "completed"),
    )
}

fn deleted_by_its_owner() -> Play {
    followed_its_owner().told("task.deleted", "three", r#"{"taskId":"milk","version":3}"#)
}

fn followed_without_versions() -> Play {
    Play::at("2027-03-01T09:00:00Z")
        .told("task.created", "one", r#"{"taskId":"milk","title":"first"}"#)
        .told("task.updated", "two", r#"{"taskId":"milk","title":"second"}"#)
}

fn followed_a_move() -> Play {
    kinds_of_time().published().preferring(2, BERLIN).refresh()
}

/// Commits of a dead process with the task as they told it, and one of the living.
fn pending_of_two_processes() -> Play {
    Play::at("2027-03-01T09:00:00Z")
        .put(r#"{"title":"first","dueDate":"2027-03-01T10:00:00Z"}"#)
        .put(r#"{"title":"second","dueDate":"2027-03-01T11:00:00Z"}"#)
        .another_process(5, 1)
        .put(r#"{"title":"third","dueDate":"2027-03-01T12:00:00Z"}"#)
}

fn restored() -> Play {
    pending_of_two_processes().another_process(6, RESTORED).command(Method::Complete, "")
}

fn fired_in_a_trace() -> Play {
    Play::at("2027-03-01T09:00:00Z")
        .put(r#"{"title":"t","dueDate":"2027-03-01T10:00:00Z"}"#)
        .then("2027-03-01T10:00:00.003Z")
        .traced_wake()
}

/// Users as they are stored, by name.
pub(crate) fn users() -> Vec<(&'static str, Vec<u8>)> {
    let said = |state: Option<&UserState>, body: &str, at: &str| {
        let user = Person::parse("ada \"l\" 😀@example.org").unwrap();
        let command = match body {
            "pause" => wire::parse_user_pause(b""),
            "skip" => wire::parse_user_resume(br#"{"missed":"skip"}"#),
            put => wire::parse_user_put(put.as_bytes()),
        };
        let command = command.unwrap();
        match decide_user(&user, state, &command, time(at)).unwrap() {
            UserTurn::Commit(state) => *state,
            UserTurn::Answer(version) => panic!("nothing to store at {version}: {body}"),
        }
    };
    let minimal = said(None, r#"{"preferences":{}}"#, "2027-03-01T09:00:00.123Z");
    let body = format!(r#"{{"commandId":"c-1","preferences":{BERLIN}}}"#);
    let full = said(Some(&minimal), &body, "2027-03-02T09:00:00Z");
    let paused = said(Some(&full), "pause", "2027-03-03T09:00:00Z");
    let resumed = said(Some(&paused), "skip", "2027-03-04T09:00:00Z");
    let again = said(Some(&resumed), "pause", "2027-03-05T09:00:00Z");
    [("user-minimal", minimal), ("user-everything-said", full), ("user-paused", again)]
        .map(|(name, state)| (name, user_record::encode(&state)))
        .into()
}
