//! What is told beside the verdicts: lateness, latency, duplicates.

use crate::bench::samples::{Samples, Summary};

use super::heal::Healing;
use super::history::{History, Ms};
use super::judge::{Firing, Judgement};

/// Distributions in milliseconds, and counts.
#[derive(Debug)]
pub(super) struct Numbers {
    /// By name, in the order in which they are shown.
    pub(super) distributions: Vec<(&'static str, Option<Summary>)>,
    pub(super) tasks: usize,
    pub(super) commands: usize,
    /// Commands that were sent more than once, and how often all of them were sent in all.
    pub(super) repeated: usize,
    pub(super) attempts: u64,
    pub(super) refused: usize,
    pub(super) records: usize,
    pub(super) repeats: usize,
}

/// Works them out.
pub(super) fn numbers(history: &History, judgement: &Judgement, healings: &[Healing]) -> Numbers {
    let inside = |firing: &&Firing| {
        healings.iter().any(|slot| slot.began <= firing.owed && firing.owed <= slot.until())
    };
    let firings = || judgement.firings.iter();
    let commands = || history.commands.values().flatten();
    let fired = |firing: &Firing| firing.fired - firing.owed;
    let read = |firing: &Firing| firing.arrived - firing.owed;
    let distributions = vec![
        ("lateness to `firedAt`, all", summary(firings().map(fired))),
        ("lateness to the consumer, all", summary(firings().map(read))),
        ("… owed while a fault was not healed", summary(firings().filter(inside).map(read))),
        ("… owed while all was well", summary(firings().filter(|f| !inside(f)).map(read))),
        (
            "command, first sent to answered",
            summary(commands().filter_map(|c| Some(c.answer.as_ref()?.0 - c.sent))),
        ),
        (
            "command, the attempt that was answered",
            summary(commands().filter(|c| c.answer.is_some()).map(|c| c.took)),
        ),
    ];
    Numbers {
        distributions,
        tasks: history.commands.len(),
        commands: commands().count(),
        repeated: commands().filter(|command| command.attempts > 1).count(),
        attempts: commands().map(|command| u64::from(command.attempts)).sum(),
        refused: commands().filter(|command| command.is_refused()).count(),
        records: history.journal.records,
        repeats: history.journal.ledger.repeats(),
    }
}

/// What is before its time by the rounding of the ledger is on time.
fn summary(values: impl Iterator<Item = Ms>) -> Option<Summary> {
    let mut samples = Samples::default();
    values.for_each(|value| samples.add_millis(value.max(0)));
    samples.summary()
}

/// A share in percent.
#[expect(clippy::cast_precision_loss, reason = "counts of events")]
pub(super) fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
