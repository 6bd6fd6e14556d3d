//! The bounds of the purge, each with its unit.

use reminder_domain::Retention;
use std::time::Duration;

/// What the operator may set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long what is over is kept.
    pub retention: Retention,
    /// How long the history of reminders is kept, in ms; `None`: as long as there is room.
    pub history_ms: Option<i64>,
    /// How often Dapr's scheduler begins a round.
    pub every: Duration,
}

/// How long the topics keep their records: `retention.ms` of `k8s` and of the local stack, 7 days. So long
/// an event may be delivered again.
pub const TOPICS_KEEP: Duration = Duration::from_secs(7 * 24 * 3_600);
/// The shortest pause between two rounds: Dapr's scheduler counts in whole seconds.
pub const EVERY_MIN: Duration = Duration::from_secs(1);
/// How long the right to a round is held without a sign of life; then another replica may begin one.
pub const HOLD: Duration = Duration::from_secs(60);
/// Tasks read at once.
pub const PAGE: i64 = 500;
/// Tasks that go in a second at most: each is a turn of its actor and a statement, so a purge of a million
/// takes an hour and a half and slows nobody.
pub const RATE: usize = 200;
/// The first pause before the job is registered again after a failure; it doubles up to the next bound.
pub const REGISTER_FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
pub const REGISTER_MAX: Duration = Duration::from_secs(60);
/// How often it is looked whether the job is still registered, beside when the audit finds that the scheduler
/// has lost its data.
pub const LOOK_EVERY: Duration = Duration::from_secs(600);
