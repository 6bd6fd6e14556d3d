//! Real turns without a runtime: the machine, the core and the record play against a store of one
//! value, so what is stored is what the service stores.

use reminder_contract::incoming::{self, Incoming};
use reminder_contract::wire::{self, Method};
use reminder_domain::ids::Traceparent;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::{TaskId, Timestamp, Topic};
use reminder_scheduler::outbox::lanes::{Next, Outbox};
use reminder_scheduler::turn::effect::{Effect, Known, Outcome, Reply, Request};
use reminder_scheduler::turn::machine::Machine;
use reminder_scheduler::turn::record;
use std::sync::Arc;

/// Everything within a day is registered.
const HORIZON_MS: i64 = 24 * 3_600_000;
/// More calls than any turn makes.
const CALLS_MAX: usize = 100;

/// One task, its process and its clock.
pub(crate) struct Play {
    stored: Option<Vec<u8>>,
    outbox: Outbox,
    now: Timestamp,
    preferences: KnownPreferences,
}

impl Play {
    /// Nothing is stored; the first process has an epoch that takes all of its bits.
    pub(crate) fn at(now: &str) -> Self {
        let preferences = KnownPreferences::default();
        Self { stored: None, outbox: Outbox::new(u64::MAX >> 1), now: time(now), preferences }
    }

    /// What the user prefers from now on.
    pub(crate) fn preferring(mut self, version: u64, preferences: &str) -> Self {
        let preferences = serde_json::from_str(preferences).unwrap();
        self.preferences = KnownPreferences { version, preferences, ..KnownPreferences::default() };
        self
    }

    /// The user is paused from now on.
    pub(crate) fn pausing_its_user(mut self) -> Self {
        self.preferences.version += 1;
        self.preferences.paused_since = Some(self.now);
        self
    }

    pub(crate) fn then(mut self, now: &str) -> Self {
        self.now = time(now);
        self
    }

    /// Sends a command, which must be accepted.
    pub(crate) fn command(self, method: Method, body: &str) -> Self {
        let command = wire::parse_command(method, body.as_bytes()).expect("a valid command");
        let (play, reply) = self.turn(Request::Command(Box::new(command)), None);
        assert!(matches!(reply, Reply::Answer(_)), "{body}: {reply:?}");
        play
    }

    /// The owner of the task publishes an event, which must be news.
    pub(crate) fn told(self, event_type: &str, id: &str, data: &str) -> Self {
        let event = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/todo-api","type":"{event_type}","correlationid":"shopping-8","data":{data}}}"#
        );
        let Ok(Incoming::Task(news)) = incoming::read(event.as_bytes()) else { panic!("{event}") };
        let (play, reply) = self.turn(Request::Command(Box::new(news.command)), None);
        assert!(matches!(&reply, Reply::Answer(answer) if answer.created.is_some()), "{reply:?}");
        play
    }

    pub(crate) fn put(self, task: &str) -> Self {
        let commands = self.stored.as_ref().map_or(0, Vec::len);
        let flow = r#""traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-aeb67b9d8b6d28ee-01""#;
        let ids = format!(r#""commandId":"c-{commands}","correlationId":"shopping-7""#);
        self.command(Method::Put, &format!(r#"{{{ids},{flow},"task":{task}}}"#))
    }

    pub(crate) fn wake(self) -> Self {
        self.turn(Request::Wake, None).0
    }

    /// A wake of a process that exports its spans.
    pub(crate) fn traced_wake(self) -> Self {
        let trace = Traceparent::parse("00-a3ce929d0e0e47364bf92f3577b34da6-8d6b28eeaeb67b9d-01");
        self.turn(Request::Wake, trace.ok()).0
    }

    pub(crate) fn refresh(self) -> Self {
        self.turn(Request::Refresh, None).0
    }

    /// The broker takes everything that waits.
    pub(crate) fn published(mut self) -> Self {
        for topic in Topic::ALL {
            let mut now_ms = self.now.as_millis();
            loop {
                match self.outbox.next(topic, now_ms) {
                    Next::Send(batch) => self.outbox.finished(batch, true, now_ms),
                    Next::WaitUntil(at_ms) | Next::IdleUntil(at_ms) => now_ms = at_ms,
                    Next::Idle => break,
                }
            }
        }
        self
    }

    /// The process dies, and another one follows; what was restored since then, it knows.
    pub(crate) fn another_process(mut self, epoch: u64, incarnation: u32) -> Self {
        self.outbox = Outbox::new(epoch);
        self.outbox.restored_in(incarnation);
        self
    }

    /// What is stored now.
    pub(crate) fn stored(&self) -> Vec<u8> {
        self.stored.clone().expect("a command was sent")
    }

    fn turn(mut self, request: Request, trace: Option<Traceparent>) -> (Self, Reply) {
        let id = TaskId::parse("milk").unwrap();
        let mut machine =
            Machine::new(id.clone(), request, Known::Nothing, Some(HORIZON_MS), 0).traced(trace);
        let mut outcome = Outcome::Start;
        for _ in 0..CALLS_MAX {
            outcome = match machine.step(outcome, &mut self.outbox, self.now) {
                Effect::Load => {
                    let state = self.stored.as_deref().map(|bytes| record::decode(bytes).unwrap());
                    Outcome::Loaded(state.map(Arc::new))
                }
                Effect::LoadWatermark(_) => Outcome::Watermark(0),
                Effect::LoadPreferences { .. } => {
                    Outcome::Preferences(Box::new(self.preferences.clone()))
                }
                Effect::Commit(state) | Effect::Create(state) => {
                    self.stored = Some(record::encode(&state));
                    Outcome::Done
                }
                Effect::LoadBirths | Effect::Remove(_) => panic!("nothing is purged here"),
                Effect::Publish(handovers) => {
                    for handover in handovers {
                        self.outbox.enqueue(&id, handover);
                    }
                    Outcome::Done
                }
                Effect::WaitUntil(at) => {
                    self.now = at;
                    Outcome::Done
                }
                Effect::Arm(_) | Effect::ArmIfAbsent(_) | Effect::Disarm | Effect::Admit { .. } => {
                    Outcome::Done
                }
                Effect::Finish(finish) => return (self, finish.reply),
            };
        }
        panic!("the turn does not come to its end")
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}
