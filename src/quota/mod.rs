//! Quotas of users: how many open tasks one may have, and how many commands a minute.
//!
//! They hold for what callers ask for. What the owner of a task tells by events is followed regardless,
//! and so is what falls due.

#[cfg(test)]
mod tests;

use crate::ports::Users;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use reminder_domain::ids::Person;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Users whose commands are counted before those are forgotten who have not sent any for a minute.
const USERS_MAX: usize = 10_000;

/// What a user may have; `None`: as much as there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Tasks that are pending or in progress.
    pub open_tasks: Option<NonZeroU32>,
    /// Commands to tasks, counted by each process for itself.
    pub commands_per_minute: Option<NonZeroU32>,
}

/// Why a command was not admitted. Nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverQuota {
    /// It would leave the user with more open tasks than allowed.
    #[error("the user has {0} open tasks, and may not have more; complete or delete some first")]
    OpenTasks(NonZeroU32),
    /// The user has sent too many of late.
    #[error("the user may send {quota} commands a minute, and has")]
    Commands {
        /// How many.
        quota: NonZeroU32,
        /// When there is room for another one.
        retry_after_seconds: u32,
    },
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It may be done.
    Yes,
    /// It may not.
    No(OverQuota),
    /// Nobody could tell how many open tasks there are.
    Unknown(String),
}

/// The quotas that are set.
pub struct Quotas {
    open_tasks: Option<NonZeroU32>,
    commands: Option<Commands>,
}

struct Commands {
    quota: NonZeroU32,
    limiter: DefaultKeyedRateLimiter<String>,
    /// Forget users when so many are counted.
    sweep_at: AtomicUsize,
}

impl Quotas {
    /// `None` when nothing is limited, so that nobody need be asked.
    pub fn new(settings: Settings) -> Option<Arc<Self>> {
        let Settings { open_tasks, commands_per_minute } = settings;
        if open_tasks.is_none() && commands_per_minute.is_none() {
            return None;
        }
        let commands = commands_per_minute.map(|quota| Commands {
            quota,
            limiter: RateLimiter::keyed(Quota::per_minute(quota)),
            sweep_at: AtomicUsize::new(USERS_MAX),
        });
        Some(Arc::new(Self { open_tasks, commands }))
    }

    /// Whether a user may have a command done; `opens` says whether it leaves one more open task.
    pub async fn admit(&self, users: &dyn Users, user: &Person, opens: bool) -> Admitted {
        if let Some(Err(over)) = self.commands.as_ref().map(|commands| commands.check(user)) {
            return Admitted::No(over);
        }
        let Some(quota) = self.open_tasks.filter(|_| opens) else { return Admitted::Yes };
        match users.open_tasks(user, quota).await {
            Ok(open) if open >= quota.get() => Admitted::No(OverQuota::OpenTasks(quota)),
            Ok(_) => Admitted::Yes,
            Err(error) => Admitted::Unknown(error.0),
        }
    }
}

impl Commands {
    fn check(&self, user: &Person) -> Result<(), OverQuota> {
        if self.limiter.len() > self.sweep_at.load(Ordering::Relaxed) {
            self.limiter.retain_recent();
            // Where so many are busy at once, a look at each of them for every command is too much.
            let next = USERS_MAX.max(self.limiter.len().saturating_mul(2));
            self.sweep_at.store(next, Ordering::Relaxed);
        }
        self.limiter.check_key(&user.as_str().to_owned()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            OverQuota::Commands { quota: self.quota, retry_after_seconds: seconds }
        })
    }
}

impl std::fmt::Debug for Quotas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let commands = self.commands.as_ref().map(|commands| commands.quota);
        f.debug_struct("Quotas")
            .field("open_tasks", &self.open_tasks)
            .field("commands_per_minute", &commands)
            .finish()
    }
}
