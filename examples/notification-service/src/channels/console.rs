//! The console: a line per firing on standard output. (Logs go to standard error.)

use super::Failure;
use crate::message::{Firing, Message};
use reminder_member::config::Format;
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Writes the line.
pub(crate) fn deliver(
    format: Format,
    firing: &Firing,
    message: &Message,
    trace_id: &str,
) -> Result<(), Failure> {
    let line = match format {
        Format::Json => json_line(firing, message, trace_id),
        Format::Pretty => pretty_line(firing, message),
    };
    // One write under the lock, so that lines of several lanes do not mix.
    let mut out = io::stdout().lock();
    let written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::temporary(format!("standard output: {error}")))
}

fn json_line(firing: &Firing, message: &Message, trace_id: &str) -> String {
    let data = &firing.data;
    let links: Map<String, Value> =
        message.links.iter().map(|link| (link.action.as_str().into(), json!(link.url))).collect();
    let line = json!({
        "channel": "console",
        "event.id": firing.id,
        "correlation.id": firing.correlationid,
        "trace.id": trace_id,
        "task.id": data.task_id,
        "reminder.id": data.reminder_id,
        "user.id": data.user_id,
        "title": message.title,
        "due": message.due,
        "remark": message.remark,
        "cause": data.cause,
        "scheduledFor": data.scheduled_for,
        "firedAt": data.fired_at,
        "links": links,
    });
    format!("{line}\n")
}

/// For people: one line, whatever the title holds.
fn pretty_line(firing: &Firing, message: &Message) -> String {
    let plain = |text: &str| text.replace(char::is_control, " ");
    let whose =
        firing.data.user_id.as_deref().map_or_else(String::new, |user| format!(" for {user}"));
    let due = message.due.as_deref().map_or_else(String::new, |due| format!(" · due {due}"));
    let remark = message.remark.as_deref().map_or_else(String::new, |words| format!(" · {words}"));
    let seen = message.links.first().map_or("", |link| &link.url);
    let title = plain(&message.title);
    format!("🔔 {title}{}{due}{remark} · seen it? {seen}\n", plain(&whose))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::{firing, message};

    #[test]
    fn a_firing_is_one_line_of_json() {
        let line = json_line(&firing(), &message(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(line.matches('\n').count(), 1);
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["event.id"], "milk:1:reminders-2");
        assert_eq!(line["correlation.id"], "flow-1");
        assert_eq!(line["trace.id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        let later = line["links"]["snoozeOneHour"].as_str().unwrap();
        assert!(later.starts_with("https://todo.example.org/notify/act/"));
    }

    #[test]
    fn people_get_one_line_without_control_characters() {
        let mut message = message();
        message.title = "Milk\u{1b}[2J\nand honey".to_owned();
        let line = pretty_line(&firing(), &message);
        assert!(line.starts_with("🔔 Milk [2J and honey for ada@example.org · due Friday"));
        assert_eq!(line.matches(char::is_control).count(), 1, "the end of the line");
    }
}
