//! A broker that takes nothing for a while, or nothing of some tasks: who waits for whom, and for how long.

use super::{Batch, Item, Next, Outbox, TaskId, Topic, handover, task};
use crate::outbox::lanes::share::{SHARES, share_of};
use crate::turn::draft::Ledger;
use std::collections::{BTreeMap, HashMap};
use xxhash_rust::xxh3::xxh3_64;

/// How long the broker takes to acknowledge, in ms.
const TAKES_MS: i64 = 5;
/// How long a call lasts that gets no answer, in ms.
const HANGS_MS: i64 = 10_000;
/// Between two commits, in ms.
const COMMIT_EVERY_MS: i64 = 10;

/// An outbox with a broker in virtual time. Which tasks the broker takes at a time is up to the test.
struct World<F> {
    outbox: Outbox,
    takes: F,
    fails_after_ms: i64,
    now_ms: i64,
    commits: usize,
    /// Calls, by when they end.
    calls: BTreeMap<(i64, usize), (Batch, bool)>,
    /// When each commit was made, by its number.
    made_ms: HashMap<u64, i64>,
    sent: Vec<(i64, usize)>,
    attempts: HashMap<TaskId, Vec<i64>>,
    arrived: HashMap<TaskId, Vec<(u64, usize)>>,
    /// What arrived when, and how long that took.
    waited: Vec<(i64, i64)>,
}

impl<F: Fn(&TaskId, i64) -> bool> World<F> {
    fn new(fails_after_ms: i64, takes: F) -> Self {
        Self {
            outbox: Outbox::new(1),
            takes,
            fails_after_ms,
            now_ms: 0,
            commits: 0,
            calls: BTreeMap::new(),
            made_ms: HashMap::new(),
            sent: Vec::new(),
            attempts: HashMap::new(),
            arrived: HashMap::new(),
            waited: Vec::new(),
        }
    }

    fn commit(&mut self, task: &TaskId) {
        let stamp = self.outbox.reserve();
        self.made_ms.insert(stamp.n, self.now_ms);
        self.outbox.enqueue(task, handover(task, stamp, 1));
    }

    /// Goes on until then, with a commit of each of so many tasks in turn.
    fn run(&mut self, until_ms: i64, tasks: usize) {
        let mut commit_ms = if tasks == 0 { until_ms } else { self.now_ms };
        while self.now_ms < until_ms {
            if commit_ms <= self.now_ms {
                self.commit(&task(self.commits % tasks));
                self.commits += 1;
                commit_ms += COMMIT_EVERY_MS;
            }
            let wait = self.send();
            let returns = self.calls.first_key_value().map(|((at_ms, _), _)| *at_ms);
            let next = wait.into_iter().chain(returns).chain([commit_ms]).min().unwrap();
            assert!(next > self.now_ms || returns.is_some_and(|at| at <= self.now_ms), "it spins");
            self.now_ms = next.min(until_ms);
            self.give_back();
        }
    }

    fn send(&mut self) -> Option<i64> {
        loop {
            let batch = match self.outbox.next(Topic::Reminders, self.now_ms) {
                Next::Send(batch) => batch,
                Next::WaitUntil(at_ms) | Next::IdleUntil(at_ms) => return Some(at_ms),
                Next::Idle => return None,
            };
            assert!(!batch.items.is_empty());
            for item in &batch.items {
                let other = |batch: &&Item| batch.task == item.task;
                let on_their_way = self.calls.values().flat_map(|(batch, _)| &batch.items);
                assert_eq!(on_their_way.filter(other).count(), 0, "two of a task at a time");
                self.attempts.entry(item.task.clone()).or_default().push(self.now_ms);
            }
            let taken = batch.items.iter().all(|item| (self.takes)(&item.task, self.now_ms));
            let ends_ms = self.now_ms + if taken { TAKES_MS } else { self.fails_after_ms };
            self.calls.insert((ends_ms, self.sent.len()), (batch, taken));
            self.sent.push((self.now_ms, self.calls.len()));
        }
    }

    fn give_back(&mut self) {
        while let Some(call) = self.calls.first_entry()
            && call.key().0 <= self.now_ms
        {
            let (batch, taken) = call.remove();
            for item in batch.items.iter().filter(|_| taken) {
                let n = item.handover.commit().stamp.n;
                self.waited.push((self.now_ms, self.now_ms - self.made_ms[&n]));
                self.arrived.entry(item.task.clone()).or_default().push((n, item.index));
            }
            self.outbox.finished(batch, taken, self.now_ms);
        }
    }

    /// How long the slowest waited of those that arrived in this time.
    fn slowest(&self, times: std::ops::Range<i64>) -> i64 {
        let arrived = self.waited.iter().filter(|(at_ms, _)| times.contains(at_ms));
        arrived.map(|(_, waited_ms)| *waited_ms).max().expect("some arrived")
    }

    /// How many calls were made in this time, and how many of them were on their way at once at most.
    fn calls_in(&self, times: std::ops::Range<i64>) -> (usize, usize) {
        let sent = self.sent.iter().filter(|(at_ms, _)| times.contains(at_ms));
        sent.fold((0, 0), |(count, most), (_, at_once)| (count + 1, most.max(*at_once)))
    }

    fn assert_all_arrived_in_order(&self) {
        for lane in self.arrived.values() {
            assert!(lane.is_sorted(), "out of order: {lane:?}");
        }
        let mut arrived: Vec<u64> = self.arrived.values().flatten().map(|(n, _)| *n).collect();
        arrived.sort_unstable();
        assert_eq!(arrived, (1..=self.made_ms.len() as u64).collect::<Vec<_>>());
    }
}

/// What of the broker fails, and for how long.
const OUTAGE: std::ops::Range<i64> = 10_000..70_000;
/// Longest pause after a failure, in ms.
const PAUSE_MS: i64 = 10_000;
/// A call that is answered with an error takes so long, in ms.
const FAILS_AFTER_MS: i64 = 400;
/// By then what is not concerned gets through as if nothing had happened.
const SETTLED_MS: i64 = OUTAGE.start + 12_000;
/// What an event waits for that nothing holds up, in ms: its turn, and the broker.
const PROMPT_MS: i64 = 30;

#[test]
fn tasks_of_other_partitions_do_not_wait_for_one_that_fails_or_hangs() {
    for fails_after_ms in [FAILS_AFTER_MS, HANGS_MS] {
        let stuck = |task: &TaskId| share_of(task).is_multiple_of(3);
        let mut world =
            World::new(fails_after_ms, |task, now| !(OUTAGE.contains(&now) && stuck(task)));
        world.run(OUTAGE.end, 1_500);
        // Who was in a batch with one that hangs waits until it returns; nobody else.
        let at_first = world.slowest(OUTAGE.start..SETTLED_MS);
        assert!(at_first <= fails_after_ms + PROMPT_MS, "{at_first} ms");
        let then = world.slowest(SETTLED_MS..OUTAGE.end);
        assert!(then <= PROMPT_MS, "{then} ms");
        let (calls, _) = world.calls_in(SETTLED_MS..OUTAGE.end);
        let commits = (OUTAGE.end - SETTLED_MS) / COMMIT_EVERY_MS;
        assert!(calls < usize::try_from(commits).unwrap(), "{calls} calls");
        world.run(OUTAGE.end + HANGS_MS + PAUSE_MS + 1_000, 0);
        world.assert_all_arrived_in_order();
    }
}

#[test]
fn tasks_do_not_wait_for_others_that_fail_whatever_those_have_in_common() {
    let stuck = |task: &TaskId| xxh3_64(task.as_str().as_bytes()).is_multiple_of(3);
    for fails_after_ms in [FAILS_AFTER_MS, HANGS_MS] {
        let mut world =
            World::new(fails_after_ms, |task, now| !(OUTAGE.contains(&now) && stuck(task)));
        world.run(OUTAGE.end, 1_500);
        let (_, at_once) = world.calls_in(OUTAGE);
        assert!(at_once <= 4 * SHARES + 10, "{at_once} calls at once");
        if fails_after_ms == FAILS_AFTER_MS {
            // Each of the five hundred is found out once.
            let at_first = world.slowest(OUTAGE.start..OUTAGE.start + 20_000);
            assert!(at_first <= 6_000, "{at_first} ms");
            let then = world.slowest(OUTAGE.start + 20_000..OUTAGE.end);
            assert!(then <= PROMPT_MS, "{then} ms");
        } else {
            // At ten seconds for each attempt that takes longer; but it goes on.
            let arrived = world.waited.iter().filter(|(at_ms, _)| OUTAGE.contains(at_ms)).count();
            assert!(arrived > 1_500, "{arrived} arrived");
        }
        world.run(OUTAGE.end + HANGS_MS + PAUSE_MS + 1_000, 0);
        world.assert_all_arrived_in_order();
    }
}

#[test]
fn one_event_that_is_always_refused_is_tried_ever_more_rarely_and_holds_up_nobody() {
    for fails_after_ms in [TAKES_MS, HANGS_MS] {
        let refused = task(7);
        let mut world = World::new(fails_after_ms, |task, _| *task != refused);
        world.run(60_000, 500);
        let at_first = world.slowest(0..SETTLED_MS);
        assert!(at_first <= fails_after_ms + 200, "{at_first} ms");
        let then = world.slowest(SETTLED_MS..60_000);
        assert!(then <= PROMPT_MS, "{then} ms");
        let attempts = &world.attempts[&refused];
        let pauses: Vec<i64> =
            attempts.windows(2).map(|two| two[1] - two[0] - fails_after_ms).collect();
        let last = pauses.len() - 1;
        assert!((4..20).contains(&last), "{pauses:?}");
        for (n, pause) in pauses.iter().enumerate().skip(2) {
            let full = (100_i64 << (n - 2).min(20)).min(PAUSE_MS);
            assert!(*pause >= full - full / 4 && *pause <= full + full / 2, "{n}: {pauses:?}");
        }
    }
}

#[test]
fn a_clock_that_is_set_back_holds_up_neither_who_rests_nor_anybody_else() {
    let refused = task(7);
    let mut world = World::new(TAKES_MS, |task, _| *task != refused);
    world.run(60_000, 500);
    let before = world.attempts[&refused].len();
    // Nobody comes meanwhile, so that all else has arrived.
    world.run(60_100, 0);
    assert!(world.calls.is_empty() && world.attempts[&refused].len() == before, "it rests");
    world.now_ms = 0;
    world.waited.clear();
    world.run(1_000, 500);
    assert!(world.attempts[&refused].len() > before);
    let slowest = world.slowest(0..1_000);
    assert!(slowest <= PROMPT_MS, "{slowest} ms");
}

#[test]
fn a_broker_that_is_away_is_rarely_asked_and_gets_everything_soon_after_it_is_back() {
    for fails_after_ms in [FAILS_AFTER_MS, HANGS_MS] {
        let mut world = World::new(fails_after_ms, |_, now| !OUTAGE.contains(&now));
        world.run(OUTAGE.end, 1_500);
        let (calls, at_once) = world.calls_in(OUTAGE);
        assert!(calls <= 20 && at_once <= 10, "{calls} calls, {at_once} at once");
        let backlog = world.made_ms.len() - world.waited.len();
        assert!(backlog >= 5_900, "{backlog}");
        world.run(OUTAGE.end + PAUSE_MS + HANGS_MS + 1_000, 0);
        world.assert_all_arrived_in_order();
        let after: Vec<i64> =
            world.waited.iter().map(|(at, _)| *at).filter(|at| *at >= OUTAGE.end).collect();
        let (first, last) = (after.iter().min().unwrap(), after.iter().max().unwrap());
        assert!(first - OUTAGE.end <= PAUSE_MS + TAKES_MS, "it is asked at {first} ms");
        if fails_after_ms == FAILS_AFTER_MS {
            assert!(last - first <= 1_000, "{first} ms to {last} ms");
        }
    }
}
