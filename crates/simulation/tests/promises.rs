//! Twenty thousand runs keep every promise, and each bug planted on purpose is found.

#![allow(clippy::unwrap_used, reason = "a test binary")]

use clap::ValueEnum;
use reminder_scheduler::planted::Bug;
use reminder_simulation::many::{self, Options};
use reminder_simulation::plan::Plan;
use reminder_simulation::run::run;
use reminder_simulation::shrink::shrink;

/// Seeds that the test command runs; `cargo xtask simulate --seeds N` runs more.
const SEEDS: u64 = 20_000;
/// Seeds after which a planted bug must have been found.
const FOUND_WITHIN: u64 = 100_000;
/// Seeds beyond those of the test command that failed once, of the service or of its judge.
const FAILED_ONCE: &[u64] =
    &[154_239, 323_584, 1_021_179, 1_136_800, 1_159_391, 1_163_264, 1_200_477];
/// Seeds run twice, to see that they go the same way.
const TWICE: u64 = 100;

const ALL: Options = Options { jobs: None, keep_going: false, bug: None };

#[test]
fn no_promise_is_broken() {
    let sum = many::run_all(0..SEEDS, ALL, |_| {});
    println!("seeds 0 to {SEEDS}: {:?}, {} calls", sum.tally, sum.calls);
    if let Some((seed, outcome)) = sum.failures.first() {
        panic!("seed {seed}: {:?}\n  cargo xtask simulate replay {seed}", outcome.violation);
    }
    // What is never tried is not shown to hold.
    assert_eq!(sum.runs, SEEDS);
    assert!(sum.tally.fired > SEEDS, "about three firings a run: {:?}", sum.tally);
    assert!(
        sum.tally.purged > SEEDS / 20,
        "tasks go for good, and are made again: {:?}",
        sum.tally
    );
    assert!(
        sum.tally.erased > SEEDS / 20 && sum.tally.unnamed > SEEDS / 100,
        "users are erased, with their names: {:?}",
        sum.tally
    );
    assert!(sum.tally.duplicates > 0, "crashes and lost answers lead to repeats: {:?}", sum.tally);
}

#[test]
fn seeds_that_failed_once_hold() {
    for seed in FAILED_ONCE {
        let outcome = run(&Plan::new(*seed), false);
        assert_eq!(outcome.violation, None, "seed {seed}");
    }
}

#[test]
fn one_seed_goes_one_way() {
    for seed in 0..TWICE {
        let plan = Plan::new(seed);
        let (first, second) = (run(&plan, true), run(&plan, true));
        assert_eq!(first, second, "seed {seed}");
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    for bug in Bug::value_variants() {
        let sum = many::run_all(0..FOUND_WITHIN, Options { bug: Some(*bug), ..ALL }, |_| {});
        match sum.failures.first() {
            Some((seed, outcome)) => println!("{bug:?}: seed {seed}: {:?}", outcome.violation),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_failing_plan_is_made_smaller() {
    reminder_scheduler::planted::plant(Some(Bug::PendingOverwritten));
    let failing =
        (0..FOUND_WITHIN).map(Plan::new).find(|plan| run(plan, false).violation.is_some());
    let plan = failing.unwrap();
    let (smaller, tried) = shrink(plan.clone());
    let size = |plan: &Plan| {
        let steps: usize = plan.callers.iter().map(|caller| caller.steps.len()).sum();
        steps + plan.faults.len() + plan.hosts
    };
    assert!(tried > 1 && size(&smaller) < size(&plan), "{smaller:?}");
    assert!(run(&smaller, false).violation.is_some());
}
