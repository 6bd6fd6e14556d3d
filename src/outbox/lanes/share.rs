//! A share of a topic's lanes: those that fail together because they lie in the same partition.
//!
//! Which partition a task's events lie in, and how many there are, we are not told; but the sidecar takes it from a
//! hash of the key. So lanes whose hashes agree modulo [`SHARES`] are in one partition wherever the number of
//! partitions divides it. When a batch fails, its lanes are tried again share by share: those of partitions that work
//! get through at once, and one that does not is found after few calls. It is a guess that decides only what is tried
//! together: where it is wrong (another number, another hash, one event that is refused), batches of a share shrink
//! until each lane fails alone, or does not.

use super::BATCH_MAX;
use crate::outbox::backoff::{Breaker, is_ahead};
use reminder_contract::cloud_event::partition_key;
use reminder_domain::TaskId;
use std::collections::{BTreeSet, VecDeque};

/// How many shares a topic has: a multiple of most numbers of partitions that people choose (3, 4, 5, 6, 10, 12, 15,
/// 20, 30).
pub(super) const SHARES: usize = 60;
/// So many of its batches may hang, until one of them returns.
const HANGING_MAX: usize = 2;
/// Where the hash begins, and what it multiplies by: FNV-1a with 32 bits, as Dapr's Kafka component has it.
const HASH_BASIS: u32 = 0x811c_9dc5;
const HASH_PRIME: u32 = 0x0100_0193;

/// The share that a task's lane belongs to.
pub(super) fn share_of(task: &TaskId) -> usize {
    let add = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(HASH_PRIME);
    let hash = partition_key(task).bytes().fold(HASH_BASIS, add);
    // The component takes the hash for a signed number, and the remainder without its sign.
    hash.cast_signed().unsigned_abs() as usize % SHARES
}

/// What to do about a share now.
pub(super) enum Move {
    /// Send a batch of those that wait.
    Try,
    /// Send one that failed alone.
    Probe,
    /// Nothing before this time, in ms since the epoch.
    WaitUntil(i64),
    /// Nothing until a lane comes or a batch returns.
    Nothing,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Share {
    /// Whether its lanes keep to themselves: a batch of the topic failed or hangs, and since then none of this share
    /// has gone through and left nothing behind.
    pub(super) apart: bool,
    /// Lanes of it that wait to be tried apart.
    queue: VecDeque<TaskId>,
    /// Lanes that failed alone once, which may have been chance: they are tried again alone, and soon.
    again: VecDeque<TaskId>,
    /// Lanes that went on failing alone, by when they are tried again.
    resting: BTreeSet<(i64, TaskId)>,
    /// For all of it.
    breaker: Breaker,
    /// For those that rest: however many they are, few calls are made for them.
    probes: Breaker,
    /// How many events its next batch may take: after a failure one, and twice as many whenever something goes through.
    batch_limit: usize,
    /// Whether a batch of those that waited is on its way and does not hang.
    trying: bool,
    /// How many of those hang.
    hanging: usize,
    /// Whether one that failed alone is on its way: it holds up none of those that wait.
    probing: bool,
}

impl Share {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            apart: false,
            queue: VecDeque::new(),
            again: VecDeque::new(),
            resting: BTreeSet::new(),
            breaker: Breaker::new(seed),
            probes: Breaker::new(seed),
            batch_limit: BATCH_MAX,
            trying: false,
            hanging: 0,
            probing: false,
        }
    }

    /// What to do at `now_ms`.
    pub(super) fn next(&self, now_ms: i64) -> Move {
        let may_try = !self.trying && self.hanging < HANGING_MAX;
        let tries = may_try && !self.queue.is_empty();
        // Where nothing goes through, one call at a time says as much as two.
        let is_probed = self.probing || self.breaker.is_open() && self.trying;
        let again = !is_probed && !self.again.is_empty();
        let first = self.resting.first().filter(|_| !is_probed);
        if !tries && !again && first.is_none() {
            return Move::Nothing;
        }
        if let Some(at_ms) = self.breaker.waits_until(now_ms) {
            return Move::WaitUntil(at_ms);
        }
        match first {
            _ if tries => Move::Try,
            Some((at_ms, _)) if !again => {
                let rests = self.due(now_ms).is_none().then_some(*at_ms);
                self.probes.waits_until(now_ms).max(rests).map_or(Move::Probe, Move::WaitUntil)
            }
            _ => Move::Probe,
        }
    }

    /// The lane that rests and may be tried again. The last one comes first if the clock was set back.
    fn due(&self, now_ms: i64) -> Option<&(i64, TaskId)> {
        let ends = [self.resting.first(), self.resting.last()];
        ends.into_iter().flatten().find(|(at_ms, _)| !is_ahead(*at_ms, now_ms))
    }

    /// From now on its lanes keep to themselves.
    pub(super) fn set_apart(&mut self) {
        self.apart = true;
        self.batch_limit = 1;
    }

    /// A lane is to wait here because the share keeps apart.
    pub(super) fn wait(&mut self, task: TaskId) {
        self.queue.push_back(task);
    }

    /// A batch of those that wait goes out, of at most so many events.
    pub(super) fn tries(&mut self) -> usize {
        self.trying = true;
        self.batch_limit
    }

    /// The next one of those that wait.
    pub(super) fn take(&mut self) -> Option<TaskId> {
        self.queue.pop_front()
    }

    /// One that failed alone goes out: this.
    pub(super) fn probes(&mut self, now_ms: i64) -> Option<TaskId> {
        self.probing = true;
        if let Some(task) = self.again.pop_front() {
            return Some(task);
        }
        let due = self.due(now_ms)?.clone();
        self.resting.remove(&due);
        Some(due.1)
    }

    /// A lane was in a batch that failed: it comes before those that have waited for less long.
    pub(super) fn retry(&mut self, task: TaskId) {
        self.queue.push_front(task);
    }

    /// A lane failed alone, for the first time.
    pub(super) fn repeat(&mut self, task: TaskId) {
        self.again.push_back(task);
    }

    /// A lane went on failing alone: it is left alone for a while.
    pub(super) fn rest(&mut self, task: TaskId, until_ms: i64) {
        self.resting.insert((until_ms, task));
    }

    /// Whether nothing is known against it but that it was in a batch with others.
    pub(super) fn is_unproven(&self) -> bool {
        self.breaker.failures() == 0
    }

    /// Whether none of its lanes waits here.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.again.is_empty() && self.resting.is_empty()
    }

    /// A batch of those that waited was acknowledged, maybe after it had counted as failed because it hung.
    pub(super) fn went_through(&mut self, hung: bool) {
        self.trying &= hung;
        self.goes();
    }

    /// A batch that counts as failed is still on its way.
    pub(super) fn hangs(&mut self) {
        self.hanging += 1;
    }

    /// It has returned.
    pub(super) fn hangs_no_more(&mut self) {
        self.hanging -= 1;
    }

    /// A batch of those that waited failed, or hangs.
    pub(super) fn failed(&mut self, now_ms: i64) {
        self.trying = false;
        self.breaker.failed(now_ms);
        self.batch_limit = 1;
    }

    /// One that had failed alone has returned.
    pub(super) fn probed(&mut self, acknowledged: bool, now_ms: i64) {
        self.probing = false;
        if acknowledged {
            // What held up one of them may have held up all.
            let resting = std::mem::take(&mut self.resting).into_iter();
            self.queue.extend(resting.map(|(_, task)| task));
            self.probes.succeeded();
            self.goes();
        } else {
            // Says nothing of the others of its share.
            self.probes.failed(now_ms);
        }
    }

    fn goes(&mut self) {
        self.breaker.succeeded();
        self.batch_limit = (self.batch_limit * 2).min(BATCH_MAX);
        self.apart = !self.queue.is_empty();
    }

    /// Takes a lane out that must not be in it: see [`Bug::TwoInFlight`](crate::planted::Bug::TwoInFlight).
    pub(super) fn remove(&mut self, task: &TaskId) {
        self.queue.retain(|other| other != task);
        self.again.retain(|other| other != task);
        self.resting.retain(|(_, other)| other != task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_of_a_share_are_of_one_partition() {
        // What `hash/fnv` of Go has for these keys, as a signed number.
        for (key, hash) in [("a", -468_965_076_i32), ("foobar", -1_080_231_576)] {
            let share = share_of(&TaskId::parse(key).unwrap());
            for partitions in [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60] {
                let partition = (hash % partitions).unsigned_abs() as usize;
                assert_eq!(share % partitions.unsigned_abs() as usize, partition);
            }
        }
    }

    #[test]
    fn when_one_of_those_that_rest_goes_through_all_are_tried_at_once() {
        let mut share = Share::new(1);
        let tasks = ["a", "b", "c"].map(|n| TaskId::parse(n).unwrap());
        for (task, until_ms) in tasks.iter().zip([1_000, 4_000, 9_000]) {
            share.rest(task.clone(), until_ms);
        }
        assert!(matches!(share.next(0), Move::WaitUntil(1_000)));
        assert!(matches!(share.next(1_000), Move::Probe));
        assert_eq!(share.probes(1_000).as_ref(), Some(&tasks[0]));
        share.probed(true, 1_001);
        assert!(matches!(share.next(1_001), Move::Try));
        assert_eq!([share.take(), share.take()].map(Option::unwrap), tasks[1..]);
    }

    #[test]
    fn a_clock_that_was_set_back_lets_everybody_rest_no_longer() {
        let task = |n: &str| TaskId::parse(n).unwrap();
        let mut share = Share::new(1);
        share.rest(task("a"), 3_600_000);
        assert!(matches!(share.next(3_599_000), Move::WaitUntil(3_600_000)));
        // Another one failed after the clock was set back; it waits for its time, the first does not.
        share.rest(task("b"), 5_000);
        assert!(matches!(share.next(0), Move::Probe));
        assert_eq!(share.probes(0), Some(task("a")));
        share.probed(false, 0);
        assert!(matches!(share.next(0), Move::WaitUntil(5_000)));
        assert!(matches!(share.next(5_000), Move::Probe));
    }
}
