//! Random tasks, commands and moments.

use proptest::prelude::*;
use reminder_domain::{Task, Timestamp};
use serde_json::{Value, json};

/// When every scenario begins: the night before Berlin's clocks go back, so that local due dates
/// fall into an overlap now and then.
pub(crate) const START: &str = "2026-10-24T22:00:00Z";

/// One step of a scenario.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Time passes.
    Pass { ms: i64 },
    /// A wake comes, called for or not.
    Wake,
    /// A caller asks for something.
    Command(Request),
    /// The command before the last wake comes in once more.
    Repeat,
    /// The runtime fences the task.
    Fence,
}

/// A command as the scenario describes it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    /// One of a few command ids, so that they are used again.
    pub(crate) id: Option<u64>,
    pub(crate) if_version: IfVersion,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Put(Spec),
    Complete,
    Reopen,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum IfVersion {
    Any,
    Current,
    Wrong,
}

/// A task in the words of this test; times in minutes from [`START`].
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) title: u8,
    pub(crate) due: Option<Due>,
    pub(crate) reminders: Vec<(u8, Moment)>,
    pub(crate) completed: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    Instant(i64),
    /// A wall time in Berlin, in minutes of the 25th of October.
    Berlin(u32),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    At(i64),
    BeforeMinutes(i64),
}

pub(crate) fn scenario() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..80)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..40 * 60_000_i64).prop_map(|ms| Step::Pass { ms }),
        4 => Just(Step::Wake),
        8 => request().prop_map(Step::Command),
        2 => Just(Step::Repeat),
        1 => Just(Step::Fence),
    ]
}

pub(crate) fn request() -> impl Strategy<Value = Request> {
    let kind = prop_oneof![
        5 => spec().prop_map(Kind::Put),
        2 => Just(Kind::Complete),
        2 => Just(Kind::Reopen),
        1 => Just(Kind::Delete),
    ];
    let id = prop_oneof![3 => Just(None), 2 => (0..12_u64).prop_map(Some)];
    let if_version = prop_oneof![
        6 => Just(IfVersion::Any),
        2 => Just(IfVersion::Current),
        1 => Just(IfVersion::Wrong),
    ];
    (kind, id, if_version).prop_map(|(kind, id, if_version)| Request { kind, id, if_version })
}

fn spec() -> impl Strategy<Value = Spec> {
    // Few and round moments, so that a replaced task often keeps one.
    let due = prop_oneof![
        1 => Just(None),
        3 => (-4..16_i64).prop_map(|n| Some(Due::Instant(n * 15))),
        2 => (0..16_u32).prop_map(|n| Some(Due::Berlin(n * 15))),
    ];
    let moment = prop_oneof![
        (-4..16_i64).prop_map(|n| Moment::At(n * 15)),
        (0..6_i64).prop_map(|n| Moment::BeforeMinutes(n * 15)),
    ];
    let reminders = prop::collection::vec((0..4_u8, moment), 0..4);
    (0..3_u8, due, reminders, prop::bool::weighted(0.1)).prop_map(
        |(title, due, mut reminders, completed)| {
            let mut seen = [false; 4];
            reminders.retain(|(id, moment)| {
                let anchored = due.is_some() || matches!(moment, Moment::At(_));
                anchored && !std::mem::replace(&mut seen[usize::from(*id)], true)
            });
            Spec { title, due, reminders, completed }
        },
    )
}

/// The moment so many minutes after [`START`].
pub(crate) fn minutes(n: i64) -> Timestamp {
    Timestamp::parse(START).unwrap().saturating_add_ms(n * 60_000)
}

impl Due {
    /// The instant, by this test's own knowledge: on the 25th of October 2026 Berlin is at UTC+2
    /// until the first 03:00, and the first of two occurrences counts.
    pub(crate) fn instant(self) -> Timestamp {
        match self {
            Self::Instant(n) => minutes(n),
            Self::Berlin(minute) if minute < 180 => minutes(i64::from(minute)),
            Self::Berlin(minute) => minutes(i64::from(minute) + 60),
        }
    }

    fn json(self) -> Value {
        match self {
            Self::Instant(n) => json!(minutes(n).to_string()),
            Self::Berlin(minute) => json!({
                "local": format!("2026-10-25T{:02}:{:02}:00", minute / 60, minute % 60),
                "zone": "Europe/Berlin",
            }),
        }
    }
}

impl Spec {
    pub(crate) fn task(&self) -> Task {
        let reminder = |(id, moment): &(u8, Moment)| match moment {
            Moment::At(n) => json!({"id": format!("r{id}"), "at": minutes(*n).to_string()}),
            Moment::BeforeMinutes(n) => {
                json!({"id": format!("r{id}"), "before": format!("PT{n}M")})
            }
        };
        let mut json = json!({
            "title": format!("task {}", self.title),
            "status": if self.completed { "completed" } else { "pending" },
            "reminders": self.reminders.iter().map(reminder).collect::<Vec<_>>(),
        });
        if let Some(due) = self.due {
            json["dueDate"] = due.json();
        }
        serde_json::from_value(json).unwrap()
    }

    /// When each reminder is due, by id.
    pub(crate) fn moments(&self) -> Vec<(String, Timestamp)> {
        let due = self.due.map(Due::instant);
        match (due, self.reminders.is_empty()) {
            (Some(at), true) => vec![("due".into(), at)],
            _ => self
                .reminders
                .iter()
                .map(|(id, moment)| {
                    let at = match moment {
                        Moment::At(n) => minutes(*n),
                        Moment::BeforeMinutes(n) => due.unwrap().saturating_add_ms(-n * 60_000),
                    };
                    (format!("r{id}"), at)
                })
                .collect(),
        }
    }
}
