//! Which schemas of stored states this version reads, and which one it writes.
//!
//! While replicas are rolled, a state that one version has written is read by its neighbour, and after
//! a rollback all of them are. So a new schema takes two releases: the first one raises
//! [`READ`] and still writes the old one, the second one raises [`WRITTEN`]. Whichever of two
//! neighbours comes second, it can read what is there.
//!
//! A new field needs no new schema if an older version may lose it: it leaves aside what it does not
//! know, and its next commit drops it.

/// The newest schema that is read; older ones always are.
pub const READ: u32 = 1;

/// The schema that is written: [`READ`], or the one before it in the release that raises `READ`.
pub const WRITTEN: u32 = 1;

const _: () = assert!(WRITTEN <= READ && READ <= WRITTEN + 1, "one release at a time");

/// The newest schema that is read by this process.
pub fn read() -> u32 {
    now().0
}

/// The schema that this process writes.
pub fn written() -> u32 {
    now().1
}

#[cfg(not(feature = "e2e"))]
fn now() -> (u32, u32) {
    (READ, WRITTEN)
}

#[cfg(feature = "e2e")]
use neighbour::now;
#[cfg(feature = "e2e")]
pub use neighbour::pretend;

/// For the end-to-end tests, which need neighbours of this version before there are any.
#[cfg(feature = "e2e")]
mod neighbour {
    use super::{READ, WRITTEN};
    use std::sync::OnceLock;

    static PRETENDED: OnceLock<(u32, u32)> = OnceLock::new();

    /// Makes this process one of another version, before it reads or writes anything.
    pub fn pretend(read: u32, written: u32) {
        PRETENDED.get_or_init(|| (read, written));
    }

    pub(super) fn now() -> (u32, u32) {
        PRETENDED.get().copied().unwrap_or((READ, WRITTEN))
    }
}
