//! What can be made out of a letter's value: which event it is, of what type, about which task.

use reminder_contract::wire::parse_task_id;
use serde_json::Value;

/// Longest text of these that is kept, in characters: they are looked up by an index, whose entries are
/// bounded. Ids of ours are far shorter.
pub const TEXT_MAX_CHARS: usize = 512;

/// What was made out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Legible {
    /// The id of the event.
    pub event_id: Option<String>,
    /// Its type.
    pub event_type: Option<String>,
    /// The task that it is about.
    pub task: Option<String>,
}

impl Legible {
    /// Looks into a value; the key of our topics is the task's id.
    pub fn read(value: &[u8], key: Option<&str>) -> Self {
        let json: Value = serde_json::from_slice(value).unwrap_or_default();
        let outer = Self::of(&json);
        // A publisher may have sent its own envelope as plain JSON: then the sidecar has wrapped it once
        // more, and the inner one is the event.
        let inner = Self::of(&unwrapped(&json));
        let inner = if inner.event_id.is_some() { inner } else { Self::default() };
        let task = inner.task.or(outer.task);
        Self {
            event_id: inner.event_id.or(outer.event_id),
            event_type: inner.event_type.or(outer.event_type),
            task: task.or_else(|| key.and_then(|key| task_id(Some(key)))),
        }
    }

    fn of(json: &Value) -> Self {
        let text = |name: &str| json[name].as_str().map(shortened);
        let is_event = json["specversion"].is_string();
        let subject = json["subject"].as_str().and_then(|subject| subject.strip_prefix("task:"));
        let named = json["data"]["taskId"].as_str().or_else(|| json["taskId"].as_str());
        Self {
            event_id: text("id").filter(|_| is_event),
            event_type: text("type").filter(|_| is_event),
            task: task_id(named.or(subject)),
        }
    }
}

/// The `data` of an envelope; it may be an object, or a text that holds one.
fn unwrapped(json: &Value) -> Value {
    match &json["data"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        data => data.clone(),
    }
}

fn task_id(text: Option<&str>) -> Option<String> {
    parse_task_id(text?).ok().map(|task| task.to_string())
}

/// A text that an index can hold; `--event-id` and its like are cut in the same way.
pub fn shortened(text: &str) -> String {
    without_nul(text).chars().take(TEXT_MAX_CHARS).collect()
}

/// Postgres has no character for zero; U+FFFD says that there was something.
pub fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value, key: Option<&str>) -> (Option<String>, Option<String>, Option<String>) {
        let Legible { event_id, event_type, task } =
            Legible::read(value.to_string().as_bytes(), key);
        (event_id, event_type, task)
    }

    #[expect(clippy::unnecessary_wraps, reason = "compared with what may be nothing")]
    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn an_event_says_what_it_is() {
        let event = json!({"specversion": "1.0", "id": "e-1", "type": "task.created",
                           "subject": "task:milk", "data": {"title": "Buy"}});
        assert_eq!(read(&event, None), (some("e-1"), some("task.created"), some("milk")));
        let mut wrapped = json!({"specversion": "1.0", "id": "outer", "data": event,
                                 "type": "com.dapr.event.sent"});
        assert_eq!(read(&wrapped, None), (some("e-1"), some("task.created"), some("milk")));
        wrapped["data"] = json!(wrapped["data"].to_string());
        assert_eq!(read(&wrapped, None), (some("e-1"), some("task.created"), some("milk")));
    }

    #[test]
    fn a_bare_task_names_itself_and_no_event() {
        let task = json!({"taskId": "123", "id": "not an event", "type": "neither"});
        assert_eq!(read(&task, Some("other")), (None, None, some("123")));
        let wrapped = json!({"specversion": "1.0", "id": "w", "type": "t", "data": task});
        assert_eq!(read(&wrapped, None), (some("w"), some("t"), some("123")));
    }

    #[test]
    fn what_is_no_json_has_its_key() {
        assert_eq!(Legible::read(b"\xff\x00nonsense", Some("milk")).task, some("milk"));
        assert_eq!(Legible::read(b"", Some("no task id")), Legible::default());
        assert_eq!(Legible::read(b"[1]", None), Legible::default());
        let deep = "[".repeat(100_000);
        assert_eq!(Legible::read(deep.as_bytes(), None), Legible::default());
    }

    #[test]
    fn texts_are_cut_to_what_an_index_holds() {
        let long = "\0".repeat(TEXT_MAX_CHARS + 1);
        let event = json!({"specversion": "1.0", "id": long, "type": "t"});
        let id = read(&event, None).0.unwrap();
        assert_eq!(id, "\u{fffd}".repeat(TEXT_MAX_CHARS));
    }
}
