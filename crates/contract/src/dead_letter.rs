//! What is said about a message on a dead-letter topic, in headers of its record.

/// Why it could not be handled, in a word.
pub const REASON_HEADER: &str = "deadletterreason";

/// The same in words.
pub const DETAIL_HEADER: &str = "deadletterdetail";

/// All of them; a message that is sent again has none.
pub const HEADERS: &[&str] = &[REASON_HEADER, DETAIL_HEADER];
