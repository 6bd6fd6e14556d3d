//! The lanes of one topic: which heads go out together, which apart, and of whom a failure tells.
//!
//! As long as nothing fails, all heads wait in one queue and go out together. When a batch fails, or [hangs](Calls),
//! all lanes are tried [share](Share) by share, at once: the broker does not say which of them it could not take, and
//! most could. A share of which something goes through joins the others again. One that fails waits by a breaker of
//! its own; a lane that goes on failing *alone* rests for a time of its own, and what waits in its share does not wait
//! for it. So neither holds up the rest of the topic.
//!
//! Only when nothing goes through any more, the topic as a whole pauses, by its breaker. A failure counts for that if
//! nothing has gone through since the batch went out. One of what is known to fail tells nothing new: it counts only
//! if the topic has failed since something last went through. Batches that fail at the same time count once.

use super::calls::{Call, Calls, Way};
use super::share::{Move, SHARES, Share, share_of};
use super::{BATCH_MAX, BATCH_MAX_BYTES, BATCHES_IN_FLIGHT, LONG_INTERVAL_MS, SHORT_INTERVAL_MS};
use super::{Batch, Item, Next, size};
use crate::outbox::backoff::{Breaker, retry_at_ms};
use crate::planted::{self, Bug};
use reminder_domain::{TaskId, Topic};
use std::collections::{HashMap, VecDeque};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A lane that failed alone more often than this rests.
const REPEATS: u32 = 1;

/// The events of one task, in order.
#[derive(Debug, Default)]
struct Lane {
    items: VecDeque<Item>,
    /// How often its head failed alone.
    failures: u32,
}

/// See the module. The head of a lane is on its way, or the lane is in just one place: `ready`, or the queue or the
/// rest of its share.
#[derive(Debug)]
pub(super) struct TopicLanes {
    seed: u64,
    lanes: HashMap<TaskId, Lane>,
    /// Lanes to go out together. Those of a share that keeps apart are sorted out when it is their turn.
    ready: VecDeque<TaskId>,
    shares: Vec<Share>,
    /// The share that is asked first: each has its turn.
    turn: usize,
    calls: Calls,
    /// When the last batch went out, in ms since the epoch.
    sent_ms: i64,
    /// Whether a lane has come to hold more than its head since then.
    behind: bool,
    breaker: Breaker,
    /// How many events the next batch of `ready` may take. It shrinks when they fail and grows when they succeed.
    batch_limit: usize,
}

impl TopicLanes {
    pub(super) fn new(seed: u64) -> Self {
        let share = |index| Share::new(xxh3_64_with_seed(&u64::to_le_bytes(index), seed));
        Self {
            seed,
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            shares: (0..SHARES as u64).map(share).collect(),
            turn: 0,
            calls: Calls::default(),
            sent_ms: i64::MIN,
            behind: false,
            breaker: Breaker::new(seed),
            batch_limit: BATCH_MAX,
        }
    }

    /// Takes on an event.
    pub(super) fn add(&mut self, item: Item) {
        let lane = self.lanes.entry(item.task.clone()).or_default();
        if lane.items.is_empty() {
            self.ready.push_back(item.task.clone());
        } else {
            self.behind = true;
        }
        lane.items.push_back(item);
    }

    /// All that waits.
    pub(super) fn items_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.lanes.values_mut().flat_map(|lane| &mut lane.items)
    }

    /// How many failures of the topic were counted since something went through.
    pub(super) fn failures(&self) -> u32 {
        self.breaker.failures()
    }

    /// What to do at `now_ms`.
    pub(super) fn next(&mut self, topic: Topic, now_ms: i64) -> Next {
        while let Some(call) = self.calls.give_up(now_ms) {
            self.failed(call, now_ms);
            if let Way::Apart(index) = call.way {
                self.shares[index].hangs();
            }
        }
        if self.ready.is_empty() && self.shares.iter().all(Share::is_empty) {
            return Next::Idle;
        }
        let allowed = match self.breaker.failures() {
            0 => usize::MAX,
            _ if self.breaker.is_open() => 1,
            _ => BATCHES_IN_FLIGHT,
        };
        let hangs = self.calls.next_hangs_ms();
        if self.calls.of_this_era() >= allowed {
            return hangs.map_or(Next::Idle, Next::IdleUntil);
        }
        if let Some(at_ms) = self.breaker.waits_until(now_ms) {
            return Next::IdleUntil(at_ms);
        }
        self.sort_out();
        let can_send = !self.ready.is_empty() && self.calls.together() < BATCHES_IN_FLIGHT;
        let gathers = if can_send { self.gathers_until(topic, now_ms) } else { None };
        if can_send && gathers.is_none() {
            self.sent_ms = now_ms;
            self.behind = false;
            return self.send(topic, Way::Together, now_ms);
        }
        let mut soonest = gathers.into_iter().chain(hangs).min();
        for index in (0..SHARES).map(|offset| (self.turn + offset) % SHARES) {
            let way = match self.shares[index].next(now_ms) {
                Move::Try => Way::Apart(index),
                Move::Probe => Way::Probe(index),
                Move::WaitUntil(at_ms) => {
                    soonest = Some(soonest.map_or(at_ms, |other_ms| other_ms.min(at_ms)));
                    continue;
                }
                Move::Nothing => continue,
            };
            self.turn = (index + 1) % SHARES;
            return self.send(topic, way, now_ms);
        }
        match soonest {
            Some(at_ms) if gathers.is_some() => Next::WaitUntil(at_ms),
            Some(at_ms) => Next::IdleUntil(at_ms),
            None => Next::Idle,
        }
    }

    /// Until when more may come to what is ready, if it need not go out now.
    fn gathers_until(&self, topic: Topic, now_ms: i64) -> Option<i64> {
        // A clock that was set back must not hold up anything.
        let waited_ms = now_ms.saturating_sub(self.sent_ms);
        let waits = topic == Topic::Reminders || self.behind;
        let interval_ms = if waits { SHORT_INTERVAL_MS } else { LONG_INTERVAL_MS };
        let gathers = (0..interval_ms).contains(&waited_ms) && self.ready.len() < self.batch_limit;
        gathers.then(|| self.sent_ms.saturating_add(interval_ms))
    }

    /// Sends lanes of shares that keep apart there, until one is the first that does not belong to any of those.
    fn sort_out(&mut self) {
        while let Some(task) = self.ready.front() {
            let share = &mut self.shares[share_of(task)];
            if !share.apart {
                return;
            }
            self.ready.pop_front().into_iter().for_each(|task| share.wait(task));
        }
    }

    fn send(&mut self, topic: Topic, way: Way, now_ms: i64) -> Next {
        let limit = match way {
            Way::Together => self.batch_limit,
            Way::Apart(index) => self.shares[index].tries(),
            Way::Probe(_) => 1,
        };
        let mut items = Vec::new();
        let mut bytes = 0;
        while items.len() < limit && bytes < BATCH_MAX_BYTES {
            let Some(task) = self.take(way, now_ms) else { break };
            let Some(lane) = self.lanes.get_mut(&task) else { continue };
            let Some(head) = lane.items.front() else { continue };
            bytes += size(head);
            items.push(head.clone());
            if planted::is(Bug::TwoInFlight) {
                lane.items.pop_front();
                if !lane.items.is_empty() {
                    self.ready.push_back(task);
                }
            }
        }
        Next::Send(Batch { topic, items, way, call: self.calls.begin(way, now_ms) })
    }

    fn take(&mut self, way: Way, now_ms: i64) -> Option<TaskId> {
        match way {
            Way::Together => {
                self.sort_out();
                self.ready.pop_front()
            }
            Way::Apart(index) => self.shares[index].take(),
            Way::Probe(index) => self.shares[index].probes(now_ms),
        }
    }

    /// Takes back a batch that was acknowledged, or not.
    pub(super) fn finished(&mut self, batch: &Batch, acknowledged: bool, now_ms: i64) {
        let call = self.calls.end(batch.call);
        if let (Way::Apart(index), None) = (batch.way, call) {
            self.shares[index].hangs_no_more();
        }
        if acknowledged {
            self.went_through(batch.way, call.is_none());
        } else if let Some(call) = call {
            self.failed(call, now_ms);
        }
        let size = batch.items.len();
        // From the last one on, for each goes before those that were put back already.
        for item in batch.items.iter().rev() {
            if planted::is(Bug::TwoInFlight) {
                self.undo_two_in_flight(item);
            }
            if acknowledged {
                self.follow(&item.task);
            } else {
                self.put_back(&item.task, size == 1, now_ms);
            }
        }
        if let Way::Probe(index) = batch.way {
            self.shares[index].probed(acknowledged, now_ms);
        }
    }

    /// A batch was acknowledged: the topic works.
    fn went_through(&mut self, way: Way, hung: bool) {
        self.breaker.succeeded();
        self.calls.end_era();
        match way {
            Way::Together => self.batch_limit = (self.batch_limit * 2).min(BATCH_MAX),
            Way::Apart(index) => self.shares[index].went_through(hung),
            Way::Probe(_) => {}
        }
    }

    /// A call failed, or hangs.
    fn failed(&mut self, call: Call, now_ms: i64) {
        let is_news = match call.way {
            Way::Together => true,
            Way::Apart(index) => self.shares[index].is_unproven(),
            Way::Probe(_) => false,
        };
        if self.calls.is_of_this_era(&call) && (is_news || self.breaker.failures() > 0) {
            self.breaker.failed(now_ms);
            self.calls.end_era();
        }
        match call.way {
            Way::Together => {
                self.batch_limit = (self.batch_limit / 2).max(1);
                self.shares.iter_mut().for_each(Share::set_apart);
            }
            Way::Apart(index) => self.shares[index].failed(now_ms),
            Way::Probe(_) => {}
        }
    }

    /// The head of a lane was acknowledged: the next one may follow.
    fn follow(&mut self, task: &TaskId) {
        let Some(lane) = self.lanes.get_mut(task) else { return };
        lane.items.pop_front();
        lane.failures = 0;
        if lane.items.is_empty() {
            self.lanes.remove(task);
        } else {
            self.ready.push_back(task.clone());
            self.behind = true;
        }
    }

    /// The head of a lane was not acknowledged: it is tried again apart from others.
    fn put_back(&mut self, task: &TaskId, alone: bool, now_ms: i64) {
        let Some(lane) = self.lanes.get_mut(task) else { return };
        let share = &mut self.shares[share_of(task)];
        if !alone {
            share.retry(task.clone());
            return;
        }
        lane.failures = lane.failures.saturating_add(1);
        if lane.failures <= REPEATS {
            share.repeat(task.clone());
        } else {
            let seed = xxh3_64_with_seed(task.as_str().as_bytes(), self.seed);
            share.rest(task.clone(), retry_at_ms(seed, lane.failures - REPEATS - 1, now_ms));
        }
    }

    /// What left the lane too soon comes back, to be handled as if it had stayed.
    fn undo_two_in_flight(&mut self, item: &Item) {
        if let Some(lane) = self.lanes.get_mut(&item.task) {
            self.ready.retain(|task| *task != item.task);
            self.shares[share_of(&item.task)].remove(&item.task);
            lane.items.push_front(item.clone());
        }
    }
}
