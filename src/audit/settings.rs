//! The bounds of the sweep and the audit, each with its unit.

use std::time::Duration;

/// What the operator may set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How far ahead wakes are registered, in ms; `None`: any distance.
    pub horizon_ms: Option<i64>,
    /// How long a task may be overdue before it is settled, in ms.
    pub grace_ms: i64,
    /// The pause between two rounds.
    pub interval: Duration,
    /// How many outdated tasks are refreshed in a second at most.
    pub refresh_rate: usize,
}

/// How often a run of a process says that it is alive, and keeps the lease.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long the lease is held without a heartbeat; then another replica takes over.
pub const LEASE: Duration = Duration::from_secs(15);
/// A run of a process that was not seen for this long is dead: six heartbeats. Being wrong costs only
/// duplicates.
pub const DEAD_AFTER: Duration = Duration::from_secs(30);
/// Runs of a process that were not seen for this long are forgotten.
pub const FORGET_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Tasks read at once.
pub const PAGE: i64 = 500;
/// Calls under way at the same time. Few: a herd that is being fired anyway must not be slowed.
pub const CONCURRENCY: usize = 16;
/// When so many calls of one page fail, the rest is left to the next round.
pub const FAILURES_MAX: usize = 32;
/// Tasks of one kind that one round names when it tells operators what it found; the rest it counts.
pub const FINDINGS_NAMED: usize = 100;
/// How long a parked task is left alone before it is tried again: a newer process may read it now.
pub const PARKED_RETRY: Duration = Duration::from_secs(60);
/// Parked tasks tried in one round.
pub const PARKED_PAGE: i64 = 200;
/// After this long every replica has seen that firing was released, those that read it last as well.
pub const RELEASE_SEEN_AFTER: Duration = Duration::from_secs(2);
/// How far behind its edge the sweep looks again, in ms. A turn decides whether its wake is near
/// some time before its row can be seen; this is longer than any turn takes, and allows for clocks
/// that differ.
pub const EDGE_MS: i64 = 60_000;
/// How often it is counted how much waits, and until when.
pub const PENDING_INTERVAL: Duration = Duration::from_secs(60);
/// Most tasks that are counted, the nearest first. Of a million tasks 300,000 were pending, and the count took
/// a quarter of a second on a busy machine.
pub const PENDING_MAX: i64 = 1_000_000;
/// Users looked at in one query, for outdated tasks.
pub const USERS_PAGE: i64 = 100;
/// Users whose tasks are refreshed a page in turn; more are looked for when fewer are left.
pub const UNDER_WAY: usize = 100;
/// With so many of them nobody is taken who changed something meanwhile: the next pass finds who did.
pub const UNDER_WAY_MAX: usize = 300;
/// How far behind the last look the next one for such users begins, in ms: allows for clocks that differ.
pub const LOOKED_EDGE_MS: i64 = 60_000;
/// Users of whom it is known where their calls failed; with others the next pass begins at their first task.
pub const PLACES_MAX: usize = 1_000;
/// How far behind the last complete look at the users the next one begins, in ms. A commit can be
/// seen some time after it was made, and some are still on their way; this is far longer than any of
/// them takes, and allows for the database's clock being another one.
pub const FOLLOWED_EDGE_MS: i64 = 3_600_000;
