//! The policy of the outbox, without I/O: lanes, batches and the watermark.
//!
//! A *lane* holds the events of one task for one topic, in order; at most one of them is on its way
//! to the broker at a time. (Publishing to Kafka through the sidecar is not idempotent and ignores
//! deadlines: a later batch can overtake a failed one.) A *batch* is made of the heads of many
//! lanes. The *watermark* is the highest number below which every commit of this process is
//! published or was given up before it could be stored.
//!
//! What fails keeps itself to itself: see [`topic`] and [`share`].

mod calls;
mod ledger;
mod share;
mod topic;

use crate::planted::{self, Bug};
use crate::turn::effect::Handover;
use calls::Way;
use reminder_contract::size::{EVENT_MAX_BYTES, MESSAGE_MAX_BYTES, bound};
use reminder_domain::ids::Person;
use reminder_domain::restored::FIRST_INCARNATION;
use reminder_domain::{Fact, TaskId, Topic};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use topic::TopicLanes;

/// Most events in one batch.
const BATCH_MAX: usize = 256;
/// A batch takes no further event once it holds this many bytes.
const BATCH_MAX_BYTES: usize = 768 * 1024;
/// So even one that took its last event just below that could be a single message.
const _: () = assert!(BATCH_MAX_BYTES + EVENT_MAX_BYTES <= MESSAGE_MAX_BYTES);
/// Batches of one topic on their way at the same time, as long as nothing fails.
const BATCHES_IN_FLIGHT: usize = 2;
/// The least time between two batches of a topic, in ms, unless one is full. A call to the broker costs
/// the sidecar as much as some ten events in it, and the broker more: an event on its own goes out at
/// once, and those that come right after it go together.
const SHORT_INTERVAL_MS: i64 = 20;
/// The same where nobody waits: not on the topic of reminders, and no task has more to tell than one event.
const LONG_INTERVAL_MS: i64 = 100;
/// Events that may wait in one process before it takes on no more: about 100 MB of small tasks.
pub const EVENTS_MAX: usize = 100_000;
/// The same in bytes of what their commits tell: of tasks with long texts there are fewer.
const WAITING_MAX_BYTES: usize = 128 * 1024 * 1024;

/// One event on its way.
#[derive(Clone, Debug)]
pub struct Item {
    /// The task it tells of.
    pub task: TaskId,
    /// The commit it belongs to.
    pub handover: Arc<Handover>,
    /// Which of the commit's events it is.
    pub index: usize,
}

/// Events that go out together: at most one per task.
#[derive(Debug)]
pub struct Batch {
    /// Where to.
    pub topic: Topic,
    /// What.
    pub items: Vec<Item>,
    way: Way,
    call: u64,
}

/// What to do about a topic now.
#[derive(Debug)]
pub enum Next {
    /// Send this, and report how it went to [`Outbox::finished`].
    Send(Batch),
    /// Nothing before this time, in ms since the epoch.
    WaitUntil(i64),
    /// Nothing before this time either, unless something is enqueued or a batch returns.
    IdleUntil(i64),
    /// Nothing until something is enqueued or a batch returns.
    Idle,
}

#[derive(Debug)]
enum Slot {
    Reserved,
    Queued {
        /// How many of the commit's events the broker has not acknowledged.
        left: usize,
        /// About what it takes in memory, in bytes.
        bytes: usize,
        /// The commit, which knows since when it waits.
        handover: Arc<Handover>,
    },
}

/// Everything this process has committed and not yet published.
#[derive(Debug)]
pub struct Outbox {
    epoch: u64,
    last_n: u64,
    slots: BTreeMap<u64, Slot>,
    topics: BTreeMap<Topic, TopicLanes>,
    waiting: usize,
    /// What the commits take that wait, in bytes.
    waiting_bytes: usize,
    incarnation: u32,
    births: u32,
}

impl Outbox {
    /// An empty outbox of the process run named `epoch`.
    pub fn new(epoch: u64) -> Self {
        let lanes = |topic| (topic, TopicLanes::new(epoch));
        let topics = Topic::ALL.into_iter().map(lanes).collect();
        let (slots, incarnation) = (BTreeMap::new(), FIRST_INCARNATION);
        Self {
            epoch,
            last_n: 0,
            slots,
            topics,
            waiting: 0,
            waiting_bytes: 0,
            incarnation,
            births: incarnation,
        }
    }

    /// Takes note of the incarnation that everything goes on in since a backup was last restored.
    pub fn restored_in(&mut self, incarnation: u32) {
        self.incarnation = incarnation;
    }

    /// Takes on the events of a commit, whose stamp must be reserved.
    pub fn enqueue(&mut self, task: &TaskId, handover: Handover) {
        let handover = Arc::new(handover);
        let commit = handover.commit();
        let n = commit.stamp.n;
        for (index, event) in commit.events.iter().enumerate() {
            let item = Item { task: task.clone(), handover: Arc::clone(&handover), index };
            self.topic(event.topic()).add(item);
        }
        let events = commit.events.len();
        self.waiting += events;
        if events == 0 {
            self.slots.remove(&n);
        } else {
            let bytes = weight(&handover);
            self.waiting_bytes += bytes;
            self.slots.insert(n, Slot::Queued { left: events, bytes, handover });
        }
    }

    /// What waits goes out without these users. What is on its way already has gone.
    pub fn erase(&mut self, users: &[Person]) {
        if planted::is(Bug::OutboxNotErased) {
            return;
        }
        let mut erased: HashMap<u64, Arc<Handover>> = HashMap::new();
        let mut told = |handover: &mut Arc<Handover>| {
            if handover.names(users) {
                let n = handover.commit().stamp.n;
                let blank = erased.entry(n).or_insert_with(|| Arc::new(handover.without(users)));
                *handover = Arc::clone(blank);
            }
        };
        let items = self.topics.values_mut().flat_map(TopicLanes::items_mut);
        items.for_each(|item| told(&mut item.handover));
        for slot in self.slots.values_mut() {
            if let Slot::Queued { handover, .. } = slot {
                told(handover);
            }
        }
    }

    /// What to do about a topic at `now_ms`.
    pub fn next(&mut self, topic: Topic, now_ms: i64) -> Next {
        self.topic(topic).next(topic, now_ms)
    }

    /// Takes back a batch that was acknowledged, or not.
    pub fn finished(&mut self, batch: Batch, acknowledged: bool, now_ms: i64) {
        self.topic(batch.topic).finished(&batch, acknowledged, now_ms);
        for item in batch.items.into_iter().filter(|_| acknowledged) {
            self.waiting -= 1;
            self.acknowledge(item.handover.commit().stamp.n);
        }
    }

    fn acknowledge(&mut self, n: u64) {
        match self.slots.get_mut(&n) {
            Some(Slot::Queued { left: 1, bytes, .. }) => {
                self.waiting_bytes -= *bytes;
                self.slots.remove(&n);
            }
            Some(Slot::Queued { left, .. }) => *left -= 1,
            Some(Slot::Reserved) | None => {}
        }
    }

    /// The highest number up to which every commit is published.
    pub fn watermark(&self) -> u64 {
        if planted::is(Bug::WatermarkTooHigh) {
            return self.last_n;
        }
        self.slots.first_key_value().map_or(self.last_n, |(first, _)| first - 1)
    }

    /// How many events wait for the broker.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// The commit of the oldest of them.
    pub fn oldest(&self) -> Option<&Handover> {
        self.slots.values().find_map(|slot| match slot {
            Slot::Queued { handover, .. } => Some(&**handover),
            Slot::Reserved => None,
        })
    }

    /// How often a topic failed since a batch of it was last acknowledged, as far as that says something of the
    /// whole topic.
    pub fn failures(&self, topic: Topic) -> u32 {
        self.topics.get(&topic).map_or(0, TopicLanes::failures)
    }

    fn topic(&mut self, topic: Topic) -> &mut TopicLanes {
        self.topics.get_mut(&topic).expect("every topic has its lanes from the start")
    }
}

/// About what a commit takes while it waits: what its events tell is there once.
fn weight(handover: &Handover) -> usize {
    let told = bound(&handover.commit().origin, handover.snapshot(), &Fact::TaskSync);
    handover.kept_bytes(told)
}

/// At least the size of an event, without writing it out.
fn size(item: &Item) -> usize {
    let commit = item.handover.commit();
    bound(&commit.origin, item.handover.snapshot(), &commit.events[item.index].fact)
}

#[cfg(test)]
mod tests;
