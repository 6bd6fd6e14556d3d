//! Makes a failing plan smaller, as long as it still fails.

use crate::plan::{Plan, Rates};
use crate::run::run;

/// Most plans tried.
const ATTEMPTS_MAX: usize = 600;

/// The smallest plan found that fails, and how many were tried.
pub fn shrink(plan: Plan) -> (Plan, usize) {
    let (mut best, mut tried) = (plan, 0);
    loop {
        let smaller = candidates(&best).into_iter().find(|candidate| {
            tried += 1;
            tried <= ATTEMPTS_MAX && run(candidate, false).violation.is_some()
        });
        match smaller {
            Some(plan) => best = plan,
            None => return (best, tried.min(ATTEMPTS_MAX)),
        }
    }
}

/// Plans that lack one thing; what takes most away comes first.
fn candidates(plan: &Plan) -> Vec<Plan> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Plan)| {
        let mut smaller = plan.clone();
        change(&mut smaller);
        all.push(smaller);
    };
    if plan.callers.len() > 1 {
        for n in 0..plan.callers.len() {
            with(&|plan| {
                plan.callers.remove(n);
            });
        }
    }
    if !plan.faults.is_empty() {
        with(&|plan| plan.faults.clear());
        for n in 0..plan.faults.len() {
            with(&|plan| {
                plan.faults.remove(n);
            });
        }
    }
    let rates: [fn(&mut Rates) -> &mut u64; 11] = [
        |rates| &mut rates.fails,
        |rates| &mut rates.unheard,
        |rates| &mut rates.late,
        |rates| &mut rates.crash_before,
        |rates| &mut rates.crash_after,
        |rates| &mut rates.slow,
        |rates| &mut rates.resent,
        |rates| &mut rates.unanswered,
        |rates| &mut rates.wake_twice,
        |rates| &mut rates.wake_late,
        |rates| &mut rates.wake_lost,
    ];
    if plan.rates != Rates::default() {
        with(&|plan| plan.rates = Rates::default());
        for rate in rates {
            if *rate(&mut plan.rates.clone()) > 0 {
                with(&|plan| *rate(&mut plan.rates) = 0);
            }
        }
    }
    for (n, caller) in plan.callers.iter().enumerate() {
        if caller.steps.len() > 1 {
            for step in (0..caller.steps.len()).rev() {
                with(&|plan| {
                    // What follows keeps its time.
                    let gone = plan.callers[n].steps.remove(step);
                    if let Some(next) = plan.callers[n].steps.get_mut(step) {
                        next.after_ms += gone.after_ms;
                    }
                });
            }
        }
    }
    if plan.hosts > 1 {
        with(&|plan| plan.hosts -= 1);
    }
    if plan.purges {
        with(&|plan| plan.purges = false);
    }
    if plan.erased.is_some() {
        with(&|plan| plan.erased = None);
    }
    if plan.horizon_ms.is_some() {
        with(&|plan| plan.horizon_ms = None);
    }
    // A fault of a host that is not there any more would strike nobody.
    for plan in &mut all {
        plan.faults.retain(|fault| fault.what.host().is_none_or(|host| host < plan.hosts));
    }
    all
}
