//! What is refused, and what is let pass.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use reminder_domain::task::{Priority, Status};
use reminder_icalendar::{Imported, import};

/// A calendar with a `VTODO` of these lines.
fn todo(lines: &str) -> Result<Imported, String> {
    let text =
        format!("BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:t\n{lines}\nEND:VTODO\nEND:VCALENDAR\n");
    import(&text).map_err(|error| error.to_string())
}

/// The same with an alarm of these lines, due on a Monday.
fn alarm(lines: &str) -> Result<Imported, String> {
    todo(&format!("DUE:20270301T090000Z\nBEGIN:VALARM\nACTION:DISPLAY\n{lines}\nEND:VALARM"))
}

/// The error begins and goes on like this.
#[track_caller]
fn refused(found: Result<Imported, String>, place: &str, why: &str) {
    let error = found.map(|imported| imported.task).unwrap_err();
    assert!(error.starts_with(place) && error.contains(why), "{error}");
}

#[test]
fn a_calendar_has_one_task() {
    let read = |text: &str| import(text).map_err(|error| error.to_string());
    refused(read(""), "the calendar has no VTODO", "");
    refused(
        read("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR"),
        "the calendar",
        "VEVENT",
    );
    let two = "BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTODO\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR";
    refused(read(two), "line 4, VTODO: ", "one task at a time");
    refused(read("BEGIN:VTODO\nEND:VTODO\nfoo:bar"), "line 3: ", "no part of a calendar");
    assert!(read("BEGIN:VTODO\nEND:VTODO").is_ok(), "the calendar around it may be missing");
    refused(read(&"x".repeat(300_000)), "the calendar must be at most 262144 bytes", "300000");
}

#[test]
fn what_would_move_a_series_is_refused() {
    let rule = |rule: &str| todo(&format!("DUE:20270301T090000Z\nRRULE:{rule}"));
    refused(rule("FREQ=SECONDLY"), "line 5, RRULE of VTODO: has FREQ=SECONDLY", "");
    refused(rule("FREQ=DAILY;COUNT=4294967297"), "line 5, RRULE of VTODO", "COUNT");
    refused(rule("FREQ=DAILY;RSCALE=HEBREW"), "line 5, RRULE of VTODO", "RFC 7529");
    refused(rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "line 5, RRULE of VTODO", "30 February");
    refused(todo("DUE;VALUE=DATE:20270301\nRRULE:FREQ=HOURLY"), "line 5, RRULE", "time of day");
    refused(todo("RRULE:FREQ=DAILY"), "line 4, RRULE of VTODO", "neither");
    let twice = "DUE:20270301T090000Z\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY";
    refused(todo(twice), "line 6, RRULE of VTODO", "twice");
    refused(todo("DUE:20270301T090000Z\nEXRULE:FREQ=DAILY"), "line 5, EXRULE of VTODO", "EXDATE");
    refused(
        todo("RECURRENCE-ID;RANGE=THISANDFUTURE:20270301T090000Z"),
        "line 4, RECURRENCE-ID",
        "",
    );
    refused(todo("DUE:20270301T090000Z\nEXDATE:20270301T090000Z"), "line 5, EXDATE", "no RRULE");
    let period = "DUE:20270301T090000Z\nRDATE;VALUE=PERIOD:20270301T090000Z/PT1H";
    refused(todo(period), "line 5, RDATE", "periods");
    let floating = "DUE:20270301T090000\nRRULE:FREQ=DAILY\nEXDATE:20270302T090000Z";
    refused(todo(floating), "line 6, EXDATE", "same kind");
    // Begins on Mondays, due on Wednesdays; counted from the due date it would yield Mondays.
    let apart = "DTSTART:20270301T090000Z\nDUE:20270303T090000Z\nRRULE:FREQ=WEEKLY";
    assert!(todo(apart).is_ok());
    refused(todo(&format!("{apart};BYDAY=MO")), "line 6, RRULE of VTODO", "counts from DTSTART");
    let apart = "DTSTART:20270130T090000Z\nDUE:20270202T090000Z\nRRULE:FREQ=MONTHLY";
    refused(todo(apart), "line 6, RRULE of VTODO", "counts from DTSTART");
}

#[test]
fn times_and_zones_are_read_strictly() {
    refused(todo("DUE:20270230T090000Z"), "line 4, DUE of VTODO", "must be a time");
    refused(todo("DUE:2027-03-01"), "line 4, DUE of VTODO", "must be a time");
    refused(todo("DUE:19690101T000000Z"), "line 4, DUE of VTODO", "1970");
    refused(todo("DUE:20270301T090000Z,20270302T090000Z"), "line 4, DUE", "not a list");
    refused(todo("DUE;TZID=Atlantis:20270301T090000"), "line 4, DUE of VTODO", "\"Atlantis\"");
    let order = "DTSTART:20270301T090000Z\nDUE;TZID=Asia/Tokyo:20270301T120000";
    refused(todo(order), "line 4, DTSTART of VTODO", "later than DUE");
    let both = "DTSTART:20270301T090000Z\nDUE:20270301T100000Z\nDURATION:PT1H";
    refused(todo(both), "line 6, DURATION of VTODO", "beside DUE");
    refused(todo("DURATION:PT1H"), "line 4, DURATION of VTODO", "DTSTART");
    refused(todo("DTSTART;VALUE=DATE:20270301\nDURATION:PT1H"), "line 5, DURATION", "whole days");
    refused(todo("DTSTART:20270301T090000Z\nDURATION:-PT1H"), "line 5, DURATION", "negative");
}

#[test]
fn alarms_are_read_strictly() {
    refused(alarm("UID:a"), "line 5, VALARM: must have a TRIGGER", "");
    refused(alarm("TRIGGER:P1M"), "line 7, TRIGGER of VALARM", "is not a duration");
    refused(alarm("TRIGGER;RELATED=MIDDLE:-PT5M"), "line 7, TRIGGER of VALARM", "RELATED");
    refused(alarm("TRIGGER;VALUE=DATE:20270301"), "line 7, TRIGGER of VALARM", "not a date");
    refused(alarm("TRIGGER:-PT5M\nREPEAT:3"), "line 8, REPEAT of VALARM", "DURATION");
    refused(alarm("TRIGGER:-PT5M\nDURATION:PT5M"), "line 8, DURATION of VALARM", "REPEAT");
    refused(alarm("TRIGGER:-PT5M\nREPEAT:3\nDURATION:P1D"), "line 9, DURATION", "PT24H");
    refused(alarm("TRIGGER:-PT5M\nREPEAT:99999\nDURATION:PT5M"), "line 8, REPEAT", "1000");
    refused(alarm("TRIGGER:-PT5M\nACKNOWLEDGED:20270301T090000"), "line 8, ACKNOWLEDGED", "UTC");
    refused(alarm("TRIGGER:-PT5M\nX-APPLE-PROXIMITY:DEPART"), "line 8, X-APPLE-PROXIMITY", "place");
    let snooze =
        "TRIGGER:-PT5M\nUID:a\nEND:VALARM\nBEGIN:VALARM\nTRIGGER:PT9M\nRELATED-TO;RELTYPE=SNOOZE:a";
    refused(alarm(snooze), "line 10, VALARM: is a snooze", "");
    let many = "BEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM\n".repeat(51);
    refused(todo(&many), "VALARM: must be at most 50", "51");
    refused(todo(&many.repeat(2)), "line 304, VALARM: is one too many", "100");
}

#[test]
fn what_does_not_matter_is_ignored() {
    let odd = todo(
        "X-FOO;X=\"a;b:c\":d\nATTACH;ENCODING=BASE64;VALUE=BINARY:AAAA\nGEO:1;2\nDTSTAMP:nonsense\n\
         BEGIN:X-THING\nDUE:nonsense\nEND:X-THING\nBEGIN:VALARM\nACTION:NONE\nEND:VALARM",
    );
    assert_eq!(odd.unwrap().task.reminders, Some(Vec::new()));
    let task = |lines| todo(lines).unwrap().task;
    assert_eq!(task("STATUS:CANCELLED").status, Status::Completed);
    assert_eq!(task("COMPLETED:20270301T090000Z").status, Status::Completed);
    assert_eq!(task("PRIORITY:1").priority, Priority::High);
    assert_eq!(task("PRIORITY:5\nX-REMINDER-PRIORITY:urgent").priority, Priority::Normal);
    assert_eq!(task("X-REMINDER-SCHEDULE:{").due_date, None);
}

/// What somebody changed in the calendar counts, not what we said of it before.
#[test]
fn our_own_properties_are_believed_while_they_fit() {
    let schedule = r#"X-REMINDER-SCHEDULE:{"dueDate":"2027-03-01T08:59:59.250Z"}"#;
    let due = |due: &str| {
        let task = todo(&format!("DUE:{due}\n{}", schedule.replace(',', "\\,"))).unwrap().task;
        serde_json::to_string(&task.due_date).unwrap()
    };
    assert_eq!(due("20270301T090000Z"), r#""2027-03-01T08:59:59.250Z""#);
    assert_eq!(due("20270301T090001Z"), r#""2027-03-01T09:00:01.000Z""#);
    let said = r#"X-REMINDER-ALARM:{"trigger":"END -PT5M"\,"reminder":{"id":"r"\,"before":"PT5M"\,"lateLimit":"PT1H"}}"#;
    let late = |trigger: &str| {
        let task = alarm(&format!("UID:x\nTRIGGER;RELATED=END:{trigger}\n{said}")).unwrap().task;
        task.reminders.unwrap()[0].late_limit.is_some()
    };
    assert!(late("-PT5M") && !late("-PT6M"));
}
