//! The bounds of a turn; each is named here with its unit.

/// How often a turn decides anew after a commit that was refused or not confirmed.
pub const COMMIT_ATTEMPTS: u32 = 4;
/// A wake that comes at most this early waits; an earlier one only registers the next wake, ms.
pub const EARLY_WAKE_WAIT_MS: i64 = 100;
/// A wake registered further away than this is unregistered when nothing is left to do, ms.
/// A nearer one is left to fire in vain, which costs less than a call.
pub const DISARM_BEYOND_MS: i64 = 60_000;
/// How long a wake that failed waits before it is answered with a failure, ms. Dapr's next attempt
/// comes at *previous due time + interval*: an overdue wake would be retried back to back.
pub const FAILED_WAKE_PAUSE_MS: i64 = 1_000;
/// The first pause before a failed wake is tried again, ms; it doubles with every failure.
pub const WAKE_BACKOFF_FIRST_MS: i64 = 1_000;
/// The longest pause before a failed wake is tried again, ms.
pub const WAKE_BACKOFF_MAX_MS: i64 = 60_000;

/// The pause before a wake that failed `failures` times in a row before is tried again, in ms.
pub fn wake_backoff_ms(failures: u32) -> i64 {
    let doubled = WAKE_BACKOFF_FIRST_MS.saturating_mul(1_i64 << failures.min(16));
    doubled.min(WAKE_BACKOFF_MAX_MS)
}
