//! Large and deep calendars are answered in time; `crates/fuzzing` does the same with odd ones.

use reminder_icalendar::{import, limits};
use std::time::{Duration, Instant};

/// Longest time for one calendar, on a busy machine and without optimisation.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// A calendar as large as may be: a `VTODO` with these lines again and again.
fn filled(before: &str, lines: impl Fn(usize) -> String, after: &str) -> String {
    let mut text = format!("BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:t\n{before}");
    let end = format!("{after}END:VTODO\nEND:VCALENDAR\n");
    for index in 0.. {
        let more = lines(index);
        if text.len() + more.len() + end.len() > limits::CALENDAR_MAX_BYTES {
            break;
        }
        text.push_str(&more);
    }
    text + &end
}

#[test]
fn the_largest_calendars_are_answered_in_time() {
    let minutely =
        "DTSTART:20260101T000000Z\nDUE:20260101T010000Z\nRRULE:FREQ=MINUTELY;COUNT=10000\n";
    let rare =
        "DUE:20260101T010000Z\nRRULE:FREQ=YEARLY;INTERVAL=19;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO\n";
    let date = |index: usize| format!("EXDATE:202{}0{}01T000000Z\n", 6 + index % 4, 1 + index % 9);
    let dates = "EXDATE:20260101T010000Z,20260102T010000Z,20260103T010000Z\n".repeat(60);
    let snooze = |index: usize| {
        let (uid, of) = (index % 100, (index + 1) % 100);
        let related = format!("RELATED-TO;RELTYPE=SNOOZE:{of}");
        format!("BEGIN:VALARM\nUID:{uid}\nTRIGGER:20270101T000000Z\n{related}\nEND:VALARM\n")
    };
    let zone = "BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\n";
    let schedule = format!("X-REMINDER-SCHEDULE:{}", "[".repeat(100_000));
    for (name, text) in [
        ("short lines", filled("", |_| "A:\n".into(), "")),
        ("lines", filled("", |_| "ABCDEFGHIJKL:\n".into(), "")),
        ("folds", filled("X:", |_| "\n ".into(), "\n")),
        ("parameters", filled("X", |_| ";A=\"b\",\"c\"".into(), ":\n")),
        ("escapes", filled("DESCRIPTION:", |_| "\\n\\,".into(), "\n")),
        ("tags", filled("CATEGORIES:", |_| "a,".into(), "\n")),
        ("dates", filled(minutely, date, "")),
        (
            "dates of a series that is moved",
            filled(&format!("{minutely}{dates}"), |_| "ABCDEFGHIJKL:\n".into(), ""),
        ),
        (
            "dates of a rare series",
            filled(&format!("{rare}{dates}"), |_| "ABCDEFGHIJKL:\n".into(), ""),
        ),
        ("a ring of snoozes", filled("", snooze, "")),
        ("zones", filled("", |_| zone.into(), "DUE;TZID=x:20270101T000000\n")),
        ("nested JSON", filled(&schedule, |_| "[".into(), "\n")),
        ("nested components", filled("", |_| "BEGIN:A\n".into(), "")),
    ] {
        let started = Instant::now();
        let _ = import(&text);
        let took = started.elapsed();
        println!("{name}: {} bytes in {took:?}", text.len());
        assert!(took < ANSWER_MAX, "{name} took {took:?}");
    }
}
