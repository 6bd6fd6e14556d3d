//! Letters as they are told, to people and to programs.

use crate::dead_letters::letter::Letter;
use crate::dead_letters::origin_of;
use crate::read_model::KeptLetter;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// How much of a value is shown that is no text, in bytes.
const SHOWN_MAX_BYTES: usize = 256;

/// One line for people: which, why, about what.
pub(super) fn line(letter: &KeptLetter) -> String {
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let attempts = match letter.attempts {
        0 => String::new(),
        many => format!("  attempts {many}"),
    };
    let detail = match (&letter.last_error, &letter.detail) {
        (Some(error), _) => format!("\n    last attempt: {error}"),
        (None, Some(detail)) => format!("\n    {detail}"),
        (None, None) => String::new(),
    };
    format!(
        "{}  {}  {}  {}  {}  task {}  {}  event {}  {} bytes{attempts}{}",
        letter.id,
        letter.status,
        letter.topic,
        letter.received_at,
        letter.reason,
        or(&letter.task),
        or(&letter.event_type),
        or(&letter.event_id),
        letter.size,
        printable(&detail),
    )
}

/// All but the value, for programs.
pub(super) fn object(letter: &KeptLetter) -> Value {
    let (topic, partition, offset) = &letter.origin;
    json!({
        "id": letter.id,
        "topic": letter.topic,
        "replayTopic": origin_of(&letter.topic),
        "status": letter.status,
        "reason": letter.reason,
        "detail": letter.detail,
        "eventId": letter.event_id,
        "type": letter.event_type,
        "task": letter.task,
        "key": letter.key,
        "origin": {"topic": topic, "partition": partition, "offset": offset},
        "writtenAt": letter.written_at,
        "receivedAt": letter.received_at,
        "bytes": letter.size,
        "attempts": letter.attempts,
        "lastError": letter.last_error,
        "changedAt": letter.changed_at,
        "changedBy": letter.changed_by,
        "note": letter.note,
        "replayOf": Letter::replay_of(&letter.headers),
        "headers": letter.headers,
    })
}

/// The same with the value: as text if it is one, else as base64.
pub(super) fn whole(letter: &KeptLetter, value: &[u8]) -> Value {
    let mut object = object(letter);
    match std::str::from_utf8(value) {
        Ok(text) => object["text"] = json!(text),
        Err(_) => object["base64"] = json!(BASE64_STANDARD.encode(value)),
    }
    object
}

/// All of it for people.
pub(super) fn sheet(letter: &KeptLetter, value: &[u8]) -> String {
    let mut lines = Vec::new();
    let mut say = |name: &str, text: Option<&str>| {
        if let Some(text) = text {
            lines.push(format!("{name:<10} {}", printable(text)));
        }
    };
    let (topic, partition, offset) = &letter.origin;
    let place = topic.as_ref().map(|topic| {
        let number = |number: Option<i64>| number.map_or("?".to_owned(), |n| n.to_string());
        format!("{topic}/{}@{}", number(partition.map(i64::from)), number(*offset))
    });
    say("letter", Some(&letter.id.to_string()));
    say("topic", Some(&letter.topic));
    say("status", Some(&letter.status));
    say("reason", Some(&letter.reason));
    say("detail", letter.detail.as_deref());
    say("task", letter.task.as_deref());
    say("type", letter.event_type.as_deref());
    say("event", letter.event_id.as_deref());
    say("key", letter.key.as_deref());
    say("lay at", place.as_deref());
    say("written", letter.written_at.as_deref());
    say("received", Some(&letter.received_at));
    say("replay of", Letter::replay_of(&letter.headers));
    say("attempts", Some(&letter.attempts.to_string()));
    say("failed", letter.last_error.as_deref());
    say("changed", letter.changed_at.as_deref());
    say("by", letter.changed_by.as_deref());
    say("note", letter.note.as_deref());
    for (name, text) in &letter.headers {
        say("header", Some(&format!("{name}: {text}")));
    }
    say("bytes", Some(&letter.size.to_string()));
    let shown = if let Ok(text) = std::str::from_utf8(value) {
        printable(text)
    } else {
        let head = &value[..value.len().min(SHOWN_MAX_BYTES)];
        format!("{}  (no text; --value gives the bytes)", head.escape_ascii())
    };
    format!("{}\n\n{shown}", lines.join("\n"))
}

/// Without what would move the cursor or ring the bell: others wrote it.
fn printable(text: &str) -> String {
    let keep = |c: char| c == '\n' || !c.is_control();
    text.chars().map(|c| if keep(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> KeptLetter {
        KeptLetter {
            id: 7,
            topic: "reminders-dlq".into(),
            status: "open".into(),
            reason: "invalid".into(),
            detail: Some("no \u{1b}[31mtask".into()),
            event_id: None,
            event_type: Some("task.created".into()),
            task: Some("milk".into()),
            key: Some("milk".into()),
            origin: (Some("reminders".into()), Some(2), None),
            written_at: None,
            received_at: "2026-11-28T07:00:00.000Z".into(),
            size: 2,
            attempts: 0,
            last_error: None,
            changed_at: None,
            changed_by: None,
            note: None,
            headers: [("a".to_owned(), "b".to_owned())].into(),
        }
    }

    #[test]
    fn people_see_what_it_is_and_nothing_that_plays_with_their_terminal() {
        let line = line(&letter());
        assert_eq!(
            line,
            "7  open  reminders-dlq  2026-11-28T07:00:00.000Z  invalid  task milk  task.created  \
             event -  2 bytes\n    no \u{fffd}[31mtask"
        );
        let sheet = sheet(&letter(), b"\xff\x1b");
        assert!(sheet.contains("lay at     reminders/2@?\n") && sheet.contains("a: b"), "{sheet}");
        assert!(sheet.ends_with(r"\xff\x1b  (no text; --value gives the bytes)"), "{sheet}");
    }

    #[test]
    fn programs_get_the_very_bytes() {
        assert_eq!(whole(&letter(), b"{}")["text"], "{}");
        let other = whole(&letter(), b"\xff");
        assert_eq!((&other["base64"], &other["text"]), (&json!("/w=="), &Value::Null));
        assert_eq!(other["replayTopic"], "reminders");
    }
}
