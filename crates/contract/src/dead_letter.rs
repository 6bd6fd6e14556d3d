//! What the header of a dead letter tells: why a record could not be handled, and where it came from.
//!
//! A dead letter is the record as it came, byte for byte and with its key. What is known about it goes
//! into its Kafka headers: to Dapr they are the metadata of the publish call, so any service of the mesh
//! can write them, and reads them as the metadata of what is delivered.
//!
//! A letter that the sidecar itself has put there (its retries were used up) has none of these. It has
//! those that Dapr's Kafka component makes of a delivery, and those name its origin: [`DAPR_TOPIC`],
//! [`DAPR_PARTITION`], [`DAPR_OFFSET`], [`DAPR_KEY`].

use crate::size::{ADDED_MAX_BYTES, MESSAGE_MAX_BYTES};
use crate::vocabulary::vocabulary;

/// Why it could not be handled, as a word of [`Reason`].
pub const REASON: &str = "reason";

/// The same in words, naming the field at fault; no secret is in it.
pub const DETAIL: &str = "detail";

/// The topic that it was consumed from.
pub const ORIGIN_TOPIC: &str = "origintopic";

/// The partition there, if the broker has such.
pub const ORIGIN_PARTITION: &str = "originpartition";

/// The offset there, if the broker has such.
pub const ORIGIN_OFFSET: &str = "originoffset";

/// The id of the event, as far as it could be read.
pub const EVENT_ID: &str = "eventid";

/// When it was given up, RFC 3339 in UTC.
pub const FAILED_AT: &str = "failedat";

/// The Dapr app id of who gave it up.
pub const FAILED_BY: &str = "failedby";

/// The flow that it belongs to, as far as it could be read.
pub const CORRELATION_ID: &str = "correlationid";

/// How many bytes the record's value has, where the letter holds only the first of them: it would not have fitted
/// into a message with all that is told here. The whole record lies where it came from.
pub const CUT_FROM: &str = "cutfrom";

/// How often somebody has tried to deliver what the letter holds.
pub const ATTEMPTS: &str = "attempts";

/// The letter that a message is a replay of. Who gives that message up again hands it on.
pub const REPLAY_OF: &str = "replayof";

/// Says that a record is no letter but a probe: somebody wanted to know whether the broker answers.
pub const PROBE: &str = "probe";

/// Every header of ours that tells why a letter is one.
pub const HEADERS: [&str; 10] = [
    REASON,
    DETAIL,
    ORIGIN_TOPIC,
    ORIGIN_PARTITION,
    ORIGIN_OFFSET,
    EVENT_ID,
    FAILED_AT,
    FAILED_BY,
    CORRELATION_ID,
    CUT_FROM,
];

/// Longest [`DETAIL`], in characters: a header is no place for a whole event.
pub const DETAIL_MAX_CHARS: usize = 500;

/// The longest value of a letter, in bytes: its headers and the key come to it.
pub const VALUE_MAX_BYTES: usize = MESSAGE_MAX_BYTES - ADDED_MAX_BYTES;

/// The key of a record, in the metadata of what Dapr delivers.
pub const DAPR_KEY: &str = "__key";

/// The topic of a record, in the metadata of what Dapr delivers.
pub const DAPR_TOPIC: &str = "__topic";

/// The partition of a record, in the metadata of what Dapr delivers.
pub const DAPR_PARTITION: &str = "__partition";

/// The offset of a record, in the metadata of what Dapr delivers.
pub const DAPR_OFFSET: &str = "__offset";

/// When a record was published, in ms since 1970, in the metadata of what Dapr delivers.
pub const DAPR_TIMESTAMP: &str = "__timestamp";

/// As much of a record's value as a letter can hold; and how many bytes it has, where that is not all, for
/// [`CUT_FROM`]. A letter that were larger could never be published, and would hold up what comes behind its record.
pub fn beginning(value: &[u8]) -> (&[u8], Option<usize>) {
    match value.split_at_checked(VALUE_MAX_BYTES) {
        Some((beginning, [_, ..])) => (beginning, Some(value.len())),
        _ => (value, None),
    }
}

vocabulary! {
    /// Why a record is a dead letter.
    Reason {
        /// It is not JSON, or neither an event nor a task.
        Malformed = "malformed",
        /// It is an event of a known type whose data do not fit: a field is missing or cannot be used.
        Invalid = "invalid",
        /// It was understood, and the rules of the domain refuse it: doing it again cannot help.
        Refused = "refused",
        /// It is larger than anything that may come.
        TooLarge = "tooLarge",
        /// It could not be delivered, after every retry.
        Undeliverable = "undeliverable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_cut_where_it_would_not_fit_and_says_so() {
        let value = vec![b'x'; VALUE_MAX_BYTES + 1];
        assert_eq!(beginning(&value[1..]), (&value[1..], None));
        assert_eq!(beginning(&value), (&value[1..], Some(VALUE_MAX_BYTES + 1)));
        assert_eq!(beginning(b""), (&b""[..], None));
    }
}
