//! What the demo prints: a line for each command and each event, then what became of every moment.

use chrono::{DateTime, Utc};
use reminder_contract::cloud_event::EventData;
use reminder_stack::events::Record;

use super::judge::{Fate, Row, Verdict};
use super::script::{Call, Script};
use crate::api::Reply;
use crate::ledger::{Event, Noted};
use crate::ui::{Style, Table, paint};

/// The columns of the timeline, as wide as their longest text.
const TIME_WIDTH: usize = 9;
const WHERE_WIDTH: usize = 12;
const WHAT_WIDTH: usize = 18;
const TASK_WIDTH: usize = 6;
const SAYS_WIDTH: usize = 34;

pub(super) struct Timeline<'a> {
    script: &'a Script,
}

impl<'a> Timeline<'a> {
    pub(super) const fn new(script: &'a Script) -> Self {
        Self { script }
    }

    pub(super) fn header(&self) {
        let start = self.script.start.format("%H:%M:%S%.3f");
        println!(
            "\nTimes are seconds after {start} UTC; tasks are called {}-<task>.\n",
            self.script.run
        );
        let line = columns("time", "where", "what", "task", "details");
        println!("{}", paint(Style::Quiet, line));
    }

    /// A command and its answer.
    pub(super) fn call(&self, sent: DateTime<Utc>, call: &Call, reply: &Reply) {
        let (answer, style) = match &reply.outcome {
            Ok(answer) => {
                let next = answer["nextReminderAt"].as_str().and_then(|next| next.parse().ok());
                let next = next.map_or_else(
                    || "no reminder left".to_owned(),
                    |next: DateTime<Utc>| format!("next at {}", self.at(next)),
                );
                (format!("version {}, {next}", answer["version"]), None)
            }
            Err(problem) => (format!("{} {}", problem.status, problem.detail), Some(Style::Bad)),
        };
        let answer = style.map_or(answer.clone(), |style| paint(style, answer));
        let took = paint(Style::Quiet, format!("({:.1} ms)", reply.took.as_secs_f64() * 1000.0));
        let details = format!("{:<SAYS_WIDTH$}→ {answer} {took}", call.says);
        println!(
            "{}",
            self.line(sent, "command", call.method, call.task, &details, Some(Style::Strong))
        );
    }

    /// An event as it was read.
    pub(super) fn event(
        &self,
        arrived: DateTime<Utc>,
        task: &str,
        record: &Record,
        event: &Event,
        noted: Noted,
    ) {
        let (mut details, style) = match &event.data {
            EventData::ReminderTriggered(data) => {
                let due = data.scheduled_for.to_datetime();
                let read = (arrived - due).num_milliseconds();
                let text = format!(
                    "for {}, {}: fired {} late, read {} late",
                    self.at(due),
                    word(&data.cause),
                    lateness(data.fired_at.millis_since(data.scheduled_for)),
                    lateness(read),
                );
                (text, Some(Style::Good))
            }
            EventData::ReminderScheduled(data) => {
                (format!("for {}", self.at(data.scheduled_for.to_datetime())), None)
            }
            EventData::ReminderRemoved(data) => {
                let due = self.at(data.scheduled_for.to_datetime());
                (format!("that for {due}: {}", word(&data.reason)), None)
            }
            EventData::ReminderSnoozed(data) => {
                (format!("until {}", self.at(data.until.to_datetime())), None)
            }
            EventData::ReminderAcknowledged(data) => {
                (format!("that for {}", self.at(data.scheduled_for.to_datetime())), None)
            }
            EventData::ReminderExpired(data) => {
                let due = self.at(data.scheduled_for.to_datetime());
                (format!("that for {due}: too late to be of use"), None)
            }
            EventData::TaskUpdated(data) => {
                let text = format!(
                    "version {}, {}: {}",
                    data.task.version,
                    word(&data.task.status),
                    word(&data.reason)
                );
                (text, Some(Style::Quiet))
            }
            EventData::TaskSync(data) => {
                let text = format!("version {}, {}", data.task.version, word(&data.task.status));
                (text, Some(Style::Quiet))
            }
            // Told by services that are not in the demo.
            _ => (String::new(), Some(Style::Quiet)),
        };
        if noted == Noted::Repeat {
            details.push_str(" (delivered again)");
        }
        println!("{}", self.line(arrived, &record.topic, &event.event_type, task, &details, style));
    }

    /// What became of every moment, and what was wrong.
    pub(super) fn summary(&self, verdict: &Verdict) {
        println!();
        let mut table = Table::new(&[
            "task",
            "moment",
            "expected",
            "outcome",
            "fired",
            "read from Kafka",
            "verdict",
        ]);
        verdict.rows.iter().for_each(|row| table.row(self.row(row)));
        table.print();
        println!();
        if verdict.repeats > 0 {
            println!(
                "{} events were delivered again, which \"at least once\" allows.",
                verdict.repeats
            );
        }
        for fault in &verdict.faults {
            println!("{} {fault}", paint(Style::Bad, "wrong:"));
        }
        let (fired, silent) = count(verdict);
        let text = format!(
            "{fired} reminders fired, each once; {silent} moments stayed silent, as they should."
        );
        if verdict.faults.is_empty() {
            println!("{}", paint(Style::Good, text));
        } else {
            println!("{}", paint(Style::Bad, "Not exactly the right reminders fired."));
        }
    }

    fn row(&self, row: &Row) -> Vec<(String, Option<Style>)> {
        let after = |ms: i64| format!("{} late", lateness(ms));
        let (expected, outcome, fired, arrived, good) = match row.fate {
            Fate::Fired { fired_after, arrived_after } => {
                ("fires", "fired", after(fired_after), after(arrived_after), true)
            }
            Fate::Silent => ("silent", "silent", String::new(), String::new(), true),
            Fate::Missing => ("fires", "silent", String::new(), String::new(), false),
            Fate::Wrong(how) => ("", how, String::new(), String::new(), false),
        };
        let expected = if expected.is_empty() {
            row.why.to_owned()
        } else {
            format!("{expected}: {}", row.why)
        };
        let (verdict, style) = if good { ("right", Style::Good) } else { ("wrong", Style::Bad) };
        vec![
            (row.task.to_owned(), Some(Style::Strong)),
            (row.due.map_or_else(|| "-".to_owned(), |due| self.at(due)), None),
            (expected, None),
            (outcome.to_owned(), None),
            (fired, None),
            (arrived, None),
            (verdict.to_owned(), Some(style)),
        ]
    }

    fn line(
        &self,
        at: DateTime<Utc>,
        place: &str,
        what: &str,
        task: &str,
        details: &str,
        style: Option<Style>,
    ) -> String {
        let what = format!("{what:<WHAT_WIDTH$}");
        let what = style.map_or(what.clone(), |style| paint(style, what));
        columns(&self.at(at), place, &what, task, details)
    }

    /// A moment, relative to the start.
    fn at(&self, time: DateTime<Utc>) -> String {
        relative((time - self.script.start).num_milliseconds())
    }
}

fn columns(time: &str, place: &str, what: &str, task: &str, details: &str) -> String {
    format!(
        "{time:>TIME_WIDTH$}  {place:<WHERE_WIDTH$}  {what:<WHAT_WIDTH$}  {task:<TASK_WIDTH$}  {details}"
    )
}

#[expect(clippy::cast_precision_loss, reason = "shown to the millisecond, over minutes")]
fn relative(ms: i64) -> String {
    format!("{:+.3}", ms as f64 / 1000.0)
}

#[expect(clippy::cast_precision_loss, reason = "shown to a tenth, over minutes")]
fn lateness(ms: i64) -> String {
    if ms.abs() < 10_000 { format!("{ms} ms") } else { format!("{:.1} s", ms as f64 / 1000.0) }
}

/// A word of the contract as it is spelt in JSON.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn count(verdict: &Verdict) -> (usize, usize) {
    let count =
        |wanted: fn(&Fate) -> bool| verdict.rows.iter().filter(|row| wanted(&row.fate)).count();
    (count(|fate| matches!(fate, Fate::Fired { .. })), count(|fate| matches!(fate, Fate::Silent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_lateness_are_short() {
        assert_eq!(relative(1_234), "+1.234");
        assert_eq!(relative(-90_000), "-90.000");
        assert_eq!(lateness(7), "7 ms");
        assert_eq!(lateness(90_123), "90.1 s");
    }

    #[test]
    fn words_are_those_of_the_contract() {
        assert_eq!(word(&reminder_contract::data::Cause::OnTime), "onTime");
    }
}
