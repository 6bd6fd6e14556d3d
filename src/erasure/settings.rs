//! The bounds of erasure, each with its unit.

use std::time::Duration;

/// How often it is looked for users to be erased.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long nothing of a user must have been found before the request is forgotten. So long a call may take
/// that some replica has under way, and every replica has looked several times by then, even one that stood still
/// for a while.
pub const CLEAN_FOR: Duration = Duration::from_secs(30);
/// A look that long after the one before says nothing of the time between them: Postgres was away, or whoever has
/// the lease. A look that takes long itself is no such gap, so twice as long as it took is added.
pub const LOOKED_LATELY: Duration = Duration::from_secs(5);
/// Users looked at in one go; the rest come after them.
pub const USERS_MAX: i64 = 100;
/// Tasks read at once.
pub const PAGE: i64 = 500;
/// Tasks erased in a second at most: each is a turn of its actor, with its events.
pub const RATE: usize = 200;
/// Dead letters looked through in one statement.
pub const LETTERS_PAGE: i64 = 2_000;
/// Fewer of them, where their values have more bytes than that together: 4 MiB. The last one may exceed it.
pub const LETTERS_BYTES: i64 = 4 * 1024 * 1024;
/// Stored states that are looked through at once for a user's name, and how many such pages a look takes: 20,000
/// states a second, some 30 MB of them, so that a million is gone through within a minute.
pub const SEARCH_PAGE: i64 = 1_000;
/// See [`SEARCH_PAGE`].
pub const SEARCH_PAGES: usize = 20;
