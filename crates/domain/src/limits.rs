//! The bounds of what a task may hold; every one is named here and nowhere else.

use crate::time::Timestamp;

/// Longest task id, in characters. Dapr has no published limit; 128 keeps state keys short.
pub const TASK_ID_MAX_CHARS: usize = 128;
/// Longest reminder id, in characters.
pub const REMINDER_ID_MAX_CHARS: usize = 64;
/// Longest title, in characters.
pub const TITLE_MAX_CHARS: usize = 500;
/// Longest description, in characters.
pub const DESCRIPTION_MAX_CHARS: usize = 16_384;
/// Longest name of a person or system (user, assignee, creator), in characters. RFC 5321 allows
/// 254 characters for an e-mail address.
pub const PERSON_MAX_CHARS: usize = 256;
/// Longest command id and correlation id, in characters.
pub const CORRELATION_MAX_CHARS: usize = 200;
/// Most tags on a task.
pub const TAGS_MAX: usize = 50;
/// Longest tag, in characters.
pub const TAG_MAX_CHARS: usize = 64;
/// Most reminders on a task.
pub const REMINDERS_MAX: usize = 50;
/// Largest body of a command, in bytes.
pub const PAYLOAD_MAX_BYTES: usize = 64 * 1024;
/// How far ahead anything may be scheduled: 20 years of 365.25 days, in milliseconds.
pub const HORIZON_MS: i64 = 20 * 36_525 * 24 * 36_000;
/// Longest calendar offset, in days: as far as the horizon reaches.
pub const OFFSET_MAX_DAYS: i64 = 20 * 366;
/// How many applied commands a task remembers, so that a repeat is answered and not applied.
pub const COMMANDS_REMEMBERED: usize = 64;
/// How long after a command without an id the same one counts as sent again by the sidecar and not as
/// meant again, in milliseconds, where it might be. Longer than a call through the sidecar may take.
pub const RESENT_WITHIN_MS: i64 = 30_000;
/// How many applied commands a user remembers; preferences change rarely.
pub const USER_COMMANDS_REMEMBERED: usize = 16;
/// How many pauses of a user that ended with nothing to fire are remembered, for tasks that have not followed yet.
/// They follow within minutes; of an older one they fire what it missed.
pub const USER_SKIPS_REMEMBERED: usize = 8;
/// Most commits of one task whose events the broker has not acknowledged; more are refused with 503.
pub const PENDING_COMMITS_MAX: usize = 100;
/// Longest name of a snooze preset, in characters.
pub const PRESET_NAME_MAX_CHARS: usize = 64;
/// Most snooze presets of a user.
pub const SNOOZE_PRESETS_MAX: usize = 20;
/// Least time between two firings of a nagging reminder, in seconds.
pub const NAG_EVERY_MIN_SECONDS: i64 = 5;
/// Most firings of a nagging reminder after the first one.
pub const NAG_MAX: u16 = 1_000;
/// How many firings and acknowledgements a task remembers.
pub const HISTORY_MAX: usize = 20;
/// Most firings that `preview` tells.
pub const PREVIEW_MAX: usize = 50;
/// How many firings `preview` tells unless asked for another number.
pub const PREVIEW_DEFAULT: usize = 10;
/// Most resolutions that an answer explains, where a rule moved them.
pub const ADJUSTMENTS_TOLD_MAX: usize = 5;
/// A trigger this much after its time is still called "on time", in milliseconds.
pub const ON_TIME_TOLERANCE_MS: i64 = 5_000;
/// Longest text of a recurrence rule, in characters; every minute of every hour takes 250.
pub const RECURRENCE_RULE_MAX_CHARS: usize = 1_000;
/// Most occurrences a rule may count.
pub const RECURRENCE_COUNT_MAX: u32 = 10_000;
/// How far after an occurrence the next one is searched for, in years.
pub const RECURRENCE_SEARCH_YEARS: u32 = 20;
/// Most exceptions of a series: dates taken out of it and dates added to it, of each kind.
pub const RECURRENCE_EXCEPTIONS_MAX: usize = 200;
/// How far missed occurrences are counted; more are told as this many.
pub const COALESCED_COUNT_MAX: u32 = 1_000;

/// The latest moment that may be scheduled when it is `now`.
pub fn horizon(now: Timestamp) -> Timestamp {
    now.saturating_add_ms(HORIZON_MS)
}

/// Adds to what is remembered, forgetting the oldest beyond so many.
pub(crate) fn remember<T>(remembered: &mut Vec<T>, new: impl IntoIterator<Item = T>, most: usize) {
    remembered.extend(new);
    let excess = remembered.len().saturating_sub(most);
    remembered.drain(..excess);
}
