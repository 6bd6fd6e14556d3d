//! A record of a topic: what it speaks of, whether it is wanted, and how it is shown.

use crate::dead_letters::legible::Legible;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use reminder_domain::Timestamp;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write as _;

/// What of the data is shown on a line, in this order, where it is there.
const SHOWN: [&str; 12] = [
    "reminderId",
    "scheduledFor",
    "cause",
    "coalesced",
    "lateByMs",
    "until",
    "acknowledgedAt",
    "reason",
    "status",
    "dueDate",
    "version",
    "title",
];
/// Longest value that is shown on a line, in characters.
const VALUE_MAX_CHARS: usize = 60;

/// What a record must be like.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Filter {
    /// About this task; may be repeated
    #[arg(long)]
    task: Vec<String>,
    /// Of this user; may be repeated
    #[arg(long)]
    user: Vec<String>,
    /// Of this type, such as reminder.triggered, or of all whose type begins so, such as "reminder.*";
    /// may be repeated
    #[arg(long = "type")]
    event_type: Vec<String>,
}

/// A record.
pub(super) struct Record {
    topic: &'static str,
    event: Option<Value>,
    bytes: Vec<u8>,
    legible: Legible,
}

impl Record {
    pub(super) fn new(topic: &'static str, bytes: Vec<u8>) -> Self {
        let legible = Legible::read(&bytes, None);
        let event = serde_json::from_slice(&bytes).ok();
        Self { topic, event, bytes, legible }
    }

    /// When it came to be, if it says so.
    pub(super) fn time(&self) -> Option<Timestamp> {
        Timestamp::parse(self.event.as_ref()?["time"].as_str()?).ok()
    }

    fn user(&self) -> Option<&str> {
        let event = self.event.as_ref()?;
        let said = [&event["userid"], &event["data"]["userId"], &event["data"]["assignee"]];
        said.into_iter().find_map(Value::as_str)
    }

    pub(super) fn is_wanted(&self, filter: &Filter) -> bool {
        let among = |wanted: &[String], found: Option<&str>| {
            wanted.is_empty() || found.is_some_and(|found| wanted.iter().any(|one| one == found))
        };
        let kind = self.legible.event_type.as_deref().unwrap_or_default();
        let is_kind = |wanted: &String| match wanted.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => kind == wanted,
        };
        among(&filter.task, self.legible.task.as_deref())
            && among(&filter.user, self.user())
            && (filter.event_type.is_empty() || filter.event_type.iter().any(is_kind))
    }

    /// One object, with the event as it came; what is no JSON comes as base64.
    pub(super) fn json(&self) -> String {
        let object = match &self.event {
            Some(event) => json!({ "topic": self.topic, "event": event }),
            None => json!({ "topic": self.topic, "base64": BASE64_STANDARD.encode(&self.bytes) }),
        };
        object.to_string()
    }

    /// One line.
    pub(super) fn line(&self) -> String {
        let time = self.time().map_or_else(|| "-".to_owned(), |time| time.to_string());
        let Some(event) = &self.event else {
            return format!(
                "{time:<24}  {:<12}  {} bytes that are no JSON",
                self.topic,
                self.bytes.len()
            );
        };
        let kind = self.legible.event_type.as_deref().map_or("(no event)".into(), plain);
        let task = self.legible.task.as_deref().unwrap_or("-");
        let mut line = format!("{time:<24}  {:<12}  {kind:<22}  {task}", self.topic);
        if let Some(user) = self.user() {
            let _ = write!(line, "  user={}", plain(user));
        }
        for name in SHOWN {
            if let Some(value) = shown(&event["data"][name]) {
                let _ = write!(line, "  {name}={value}");
            }
        }
        line
    }
}

fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
        Value::String(text) => plain(text).into_owned(),
        other => other.to_string(),
    };
    let short: String = text.chars().take(VALUE_MAX_CHARS).collect();
    Some(if short.len() < text.len() { format!("{short}…") } else { text })
}

/// A word as it is; quoted, with its escapes, where it is none or a terminal might obey it.
fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Cow::Owned(format!("{text:?}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIGGERED: &str = r#"{"specversion":"1.0","id":"tea:1:reminders-2","source":"/reminder-scheduler",
        "type":"reminder.triggered","subject":"task:tea","time":"2026-11-22T11:32:53.005Z","userid":"ada@example.org",
        "data":{"taskId":"tea","reminderId":"due","scheduledFor":"2026-11-22T11:32:53.000Z","cause":"onTime","title":"Tea is ready"}}"#;

    fn record(text: &str) -> Record {
        Record::new("reminders", text.as_bytes().to_vec())
    }

    fn filter(task: &[&str], user: &[&str], event_type: &[&str]) -> Filter {
        let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Filter { task: all(task), user: all(user), event_type: all(event_type) }
    }

    #[test]
    fn all_filters_must_hold_and_each_of_several_will_do() {
        let record = record(TRIGGERED);
        for wanted in [
            filter(&[], &[], &[]),
            filter(&["milk", "tea"], &["ada@example.org"], &["reminder.triggered"]),
            filter(&[], &[], &["task.*", "reminder.*"]),
        ] {
            assert!(record.is_wanted(&wanted), "{wanted:?}");
        }
        for unwanted in [
            filter(&["milk"], &[], &[]),
            filter(&["tea"], &["bob"], &[]),
            filter(&["tea"], &[], &["reminder"]),
        ] {
            assert!(!record.is_wanted(&unwanted), "{unwanted:?}");
        }
    }

    #[test]
    fn an_event_is_a_line_or_an_object() {
        let record = record(TRIGGERED);
        assert_eq!(
            record.line(),
            "2026-11-22T11:32:53.005Z  reminders     reminder.triggered      tea  \
             user=ada@example.org  reminderId=due  scheduledFor=2026-11-22T11:32:53.000Z  \
             cause=onTime  title=\"Tea is ready\""
        );
        let json: Value = serde_json::from_str(&record.json()).unwrap();
        assert_eq!(
            (&json["topic"], &json["event"]["id"]),
            (&json!("reminders"), &json!("tea:1:reminders-2"))
        );
    }

    #[test]
    fn whatever_lies_on_a_topic_is_shown() {
        assert!(record("\u{0}\u{1}").line().ends_with("2 bytes that are no JSON"));
        let json: Value = serde_json::from_str(&record("no JSON").json()).unwrap();
        assert_eq!(json["base64"], "bm8gSlNPTg==");
        let long = format!(r#"{{"type":"t","data":{{"title":"{}"}}}}"#, "x".repeat(80));
        assert!(record(&long).line().ends_with('…'));
        let hostile = r#"{"type":"t","data":{"title":"a\u001b[2Jb"}}"#;
        assert!(!record(hostile).line().contains('\u{1b}'), "a terminal must not obey it");
    }
}
