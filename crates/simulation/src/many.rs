//! Many seeds, on several threads: each run has one of its own.

use crate::judge::Tally;
use crate::plan::Plan;
use crate::run::{Outcome, run};
use reminder_scheduler::planted::{self, Bug};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What came of many runs.
#[derive(Debug, Default)]
pub struct Sum {
    /// How many there were.
    pub runs: u64,
    /// How much happened in all of them.
    pub tally: Tally,
    /// Calls that processes made.
    pub calls: u64,
    /// Simulated time, in ms.
    pub took_ms: i64,
    /// Seeds that failed, with what came of them.
    pub failures: Vec<(u64, Outcome)>,
}

/// How to go about it.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Runs at the same time; `None`: as many as there are cores.
    pub jobs: Option<NonZeroUsize>,
    /// Whether to go on after a failure.
    pub keep_going: bool,
    /// A bug to plant first.
    pub bug: Option<Bug>,
}

impl Options {
    /// How many runs there are at the same time.
    pub fn jobs(&self) -> usize {
        let jobs = self.jobs.or_else(|| std::thread::available_parallelism().ok());
        jobs.map_or(1, NonZeroUsize::get)
    }
}

/// Runs all these seeds, or up to the first that fails; `shown` hears of each.
pub fn run_all(seeds: Range<u64>, options: Options, shown: impl Fn(&Sum) + Sync) -> Sum {
    let (next, stop) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let sum = Mutex::new(Sum::default());
    let work = || {
        planted::plant(options.bug);
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let outcome = run(&Plan::new(seed), false);
            let failed = outcome.violation.is_some();
            stop.fetch_or(failed && !options.keep_going, Ordering::Relaxed);
            let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            sum.add(seed, outcome);
            shown(&sum);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs() {
            scope.spawn(work);
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.failures.sort_by_key(|(seed, _)| *seed);
    sum
}

impl Sum {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.runs += 1;
        self.tally += outcome.tally;
        self.calls += outcome.calls;
        self.took_ms += outcome.took_ms;
        if outcome.violation.is_some() {
            self.failures.push((seed, outcome));
        }
    }
}
