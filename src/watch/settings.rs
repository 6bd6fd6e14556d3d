//! The bounds of the watch.

use std::time::Duration;

/// What the operator may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long nothing may come from `task-events` until a canary is published, and how long that may
    /// take; `None`: nobody watches.
    pub quiet: Option<Duration>,
}

/// A canary needs some time to come back.
pub const QUIET_MIN: Duration = Duration::from_secs(1);
/// How many times as long nothing may come from a dead-letter topic: what lies there stays there for a
/// month, and should hold little else.
pub const DEAD_LETTERS_QUIET: u32 = 60;
/// The canary that is followed by healing when it does not come. Not the first: it may have met a broker
/// that was just going, and its group with it.
pub const HEAL_FROM: u32 = 2;
/// The longest pause between attempts to heal: each withdraws the actors of a replica for some seconds.
pub const PATIENCE_MAX: Duration = Duration::from_secs(3_600);
/// Looks at what is known in the time that something may be quiet.
pub const LOOKS: u32 = 4;
/// The longest pause between two looks.
pub const LOOK_MAX: Duration = Duration::from_secs(10);
/// How long the sidecar may take to notice that the health check fails, and that it is good again. Its
/// interval and threshold are the deployment's: every 3 s, three times, by the manifests; each second on
/// the local stack.
pub const NOTICE_DEADLINE: Duration = Duration::from_secs(45);
/// How long healing may take in all, so that another replica may begin.
pub const HEAL_DEADLINE: Duration = Duration::from_secs(100);
/// How long the sidecar has for leaving its topics before it may join them again: it does not wait for
/// the first by itself, which is what goes wrong.
pub const LEAVE: Duration = Duration::from_secs(1);
/// How often the sidecar is asked whether it has noticed.
pub const ASK_EVERY: Duration = Duration::from_millis(200);
