//! What the demo does and what must come of it.

use std::time::Duration;

use chrono::{DateTime, Duration as Span, SubsecRound, Utc};
use reminder_domain::reminder::DUE_REMINDER_ID;
use serde_json::{Value, json};

/// A zone whose offset is no whole number of hours, so that a mistake would show.
const ZONE: chrono_tz::Tz = chrono_tz::Asia::Kathmandu;

/// Between two commands, so that the timeline can be read.
const PAUSE: Duration = Duration::from_millis(120);

/// When tasks are completed, moved and deleted: well before any of them is due.
const CHANGES_AT: Duration = Duration::from_millis(1500);

/// One call of the actor API.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// When, after the start.
    pub(super) at: Duration,
    /// The short name of the task.
    pub(super) task: &'static str,
    pub(super) method: &'static str,
    pub(super) body: Value,
    /// What it is for, in words.
    pub(super) says: String,
    pub(super) expect: Expect,
}

/// How a call must be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expect {
    /// With the task at this version.
    Version(u64),
    /// With a problem of this status about this field.
    Refusal { status: u16, field: Option<&'static str> },
}

/// A reminder that must fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Firing {
    pub(super) task: &'static str,
    pub(super) reminder: &'static str,
    pub(super) due: DateTime<Utc>,
    /// Why it is in the demo.
    pub(super) why: &'static str,
}

/// A task that must stay silent at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Silence {
    pub(super) task: &'static str,
    /// None when there was never a moment.
    pub(super) due: Option<DateTime<Utc>>,
    pub(super) why: &'static str,
}

/// The whole demo.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) start: DateTime<Utc>,
    /// Makes the task ids of each run its own.
    pub(super) run: String,
    pub(super) calls: Vec<Call>,
    pub(super) firings: Vec<Firing>,
    pub(super) silences: Vec<Silence>,
    /// Asked when all has come: a firing would have raised a version.
    pub(super) closing: Vec<Call>,
}

impl Script {
    pub(super) fn new(start: DateTime<Utc>) -> Self {
        // What is stored and shown is in milliseconds.
        let start = start.trunc_subsecs(3);
        let run = format!("demo-{:x}", start.timestamp_millis());
        let mut script = Self {
            start,
            run,
            calls: Vec::new(),
            firings: Vec::new(),
            silences: Vec::new(),
            closing: Vec::new(),
        };
        script.schedule();
        script.change();
        script.close();
        script
    }

    /// The task id behind a short name.
    pub(super) fn id(&self, task: &str) -> String {
        format!("{}-{task}", self.run)
    }

    /// The short name of a task id of this run.
    pub(super) fn short(&self, id: &str) -> Option<&'static str> {
        let name = id.strip_prefix(&self.run)?.strip_prefix('-')?;
        self.tasks().find(|task| *task == name)
    }

    /// The tasks in the order in which they are put.
    pub(super) fn tasks(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.closing.iter().map(|call| call.task)
    }

    /// The version at which each task must end; none for the one that is refused.
    pub(super) fn final_versions(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.tasks().filter_map(|task| Some((task, self.final_version(task)?)))
    }

    fn final_version(&self, task: &str) -> Option<u64> {
        let applied = self.calls.iter().filter(|call| call.task == task);
        let applied = applied.filter(|call| matches!(call.expect, Expect::Version(_))).count();
        let fired = self.firings.iter().filter(|firing| firing.task == task).count();
        (applied > 0).then(|| (applied + fired) as u64)
    }

    fn schedule(&mut self) {
        let start = self.start;
        let after = |ms: i64| start + Span::milliseconds(ms);
        let milk = after(3_000);
        let report = after(3_500);
        let (bins, party) = (after(4_500), after(4_600));
        // Wall clocks show whole seconds.
        let call = (after(4_500)).trunc_subsecs(0);
        let train = after(8_000);
        let rent = after(-90_000);

        self.put("milk", "Buy milk", json!({ "dueDate": stamp(milk) }), "due in 3 s");
        self.fires("milk", DUE_REMINDER_ID, milk, "on time");

        let local = call.with_timezone(&ZONE).format("%Y-%m-%dT%H:%M:%S").to_string();
        let says = format!("due at {} in {ZONE}", &local[11..]);
        let due = json!({ "local": local, "zone": ZONE.name() });
        self.put("call", "Call Asha", json!({ "dueDate": due }), says);
        self.fires("call", DUE_REMINDER_ID, call, "on time, by a wall clock");

        let early = json!({
            "dueDate": stamp(train), "reminders": [{ "id": "leave", "before": "PT3S" }]
        });
        self.put("train", "Catch the train", early, "due in 8 s, reminder 3 s before");
        self.fires("train", "leave", after(5_000), "on time, before the due date");

        self.put("bins", "Take the bins out", json!({ "dueDate": stamp(bins) }), "due in 4.5 s");
        self.silent("bins", Some(bins), "completed in time");

        self.put("report", "Send the report", json!({ "dueDate": stamp(report) }), "due in 3.5 s");
        self.silent("report", Some(report), "moved away from here");

        self.put("party", "Plan the party", json!({ "dueDate": stamp(party) }), "due in 4.6 s");
        self.silent("party", Some(party), "deleted in time");

        self.put("rent", "Pay the rent", json!({ "dueDate": stamp(rent) }), "due 90 s ago");
        self.fires("rent", DUE_REMINDER_ID, rent, "at once, being late");

        let nowhere = json!({ "local": local, "zone": "Mars/Olympus_Mons" });
        self.put("rover", "Charge the rover", json!({ "dueDate": nowhere }), "a zone nobody knows");
        self.silent("rover", None, "never accepted");
        if let Some(call) = self.calls.last_mut() {
            call.expect = Expect::Refusal { status: 422, field: Some("task.dueDate.zone") };
        }
    }

    fn change(&mut self) {
        let later = self.start + Span::milliseconds(6_500);
        let calls = [
            ("bins", "complete", Value::Null, "done before it is due"),
            (
                "report",
                "put",
                body("Send the report", json!({ "dueDate": stamp(later) })),
                "moved to 6.5 s",
            ),
            ("party", "delete", Value::Null, "called off"),
        ];
        for ((task, method, body, says), n) in calls.into_iter().zip(0..) {
            let at = CHANGES_AT + PAUSE * n;
            let expect = Expect::Version(2);
            self.calls.push(Call { at, task, method, body, says: says.to_owned(), expect });
        }
        // It comes after every moment at which another task must be silent.
        self.fires("report", DUE_REMINDER_ID, later, "on time, moved later");
    }

    fn close(&mut self) {
        let puts: Vec<&'static str> =
            self.calls.iter().filter(|c| c.at < CHANGES_AT).map(|c| c.task).collect();
        for task in puts {
            let deleted =
                self.calls.iter().any(|call| call.task == task && call.method == "delete");
            let expect = match self.final_version(task) {
                Some(version) if !deleted => Expect::Version(version),
                _ => Expect::Refusal { status: 404, field: None },
            };
            self.closing.push(Call {
                at: Duration::ZERO,
                task,
                method: "get",
                body: Value::Null,
                says: "how it ended".to_owned(),
                expect,
            });
        }
    }

    fn put(&mut self, task: &'static str, title: &str, rest: Value, says: impl Into<String>) {
        let at = PAUSE * u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        let body = body(title, rest);
        let expect = Expect::Version(1);
        self.calls.push(Call { at, task, method: "put", body, says: says.into(), expect });
    }

    fn fires(
        &mut self,
        task: &'static str,
        reminder: &'static str,
        due: DateTime<Utc>,
        why: &'static str,
    ) {
        self.firings.push(Firing { task, reminder, due, why });
    }

    fn silent(&mut self, task: &'static str, due: Option<DateTime<Utc>>, why: &'static str) {
        self.silences.push(Silence { task, due, why });
    }
}

fn body(title: &str, rest: Value) -> Value {
    let mut task = json!({ "title": title, "userId": "demo@example.org", "tags": ["demo"] });
    if let (Some(task), Value::Object(rest)) = (task.as_object_mut(), rest) {
        task.extend(rest);
    }
    json!({ "correlationId": "xtask-demo", "task": task })
}

fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use reminder_contract::wire::{Method, parse_command};

    use super::*;

    #[test]
    fn a_later_firing_watches_over_every_silence() {
        let script = Script::new(Utc::now());
        let last = script.firings.iter().map(|firing| firing.due).max().unwrap();
        assert!(script.silences.iter().all(|silence| silence.due.is_none_or(|due| due < last)));
        let first = script.silences.iter().filter_map(|silence| silence.due).min().unwrap();
        let changed = script.calls.last().unwrap().at;
        assert!(script.start + Span::from_std(changed).unwrap() < first);
    }

    #[test]
    fn every_task_has_its_own_fate() {
        let script = Script::new(Utc::now());
        let versions: Vec<_> = script.final_versions().collect();
        let expected = [
            ("milk", 2),
            ("call", 2),
            ("train", 2),
            ("bins", 2),
            ("report", 3),
            ("party", 2),
            ("rent", 2),
        ];
        assert_eq!(versions, expected);
        assert_eq!(script.short(&script.id("milk")), Some("milk"));
        assert_eq!(script.short("demo-0-milk"), None);
    }

    #[test]
    fn all_but_one_command_are_valid() {
        let script = Script::new(Utc::now());
        for call in script.calls.iter().filter(|call| call.method == "put") {
            let parsed = parse_command(Method::Put, &serde_json::to_vec(&call.body).unwrap());
            match call.expect {
                Expect::Version(_) => drop(parsed.unwrap()),
                Expect::Refusal { status, field } => {
                    let problem = parsed.unwrap_err();
                    assert_eq!((problem.status, problem.field.as_deref()), (status, field));
                }
            }
        }
    }
}
