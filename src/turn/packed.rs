//! A state at rest: the text of its document, in as few bytes as it takes.

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};

/// What the documents of most tasks have in common, a first version and a fired one. A text is told as its
/// differences from it: a third of the bytes, for a few microseconds. It is never stored, so it may change.
const COMMON: &[u8] = br#"{"version":2,"incarnation":1,"updatedAt":"2027-01-01T08:00:00.000Z","lifecycle":{"is":"live","task":{"title":"","description":"","dueDate":{"local":"2027-01-01T09:00:00","zone":"Europe/"},"priority":"normal","tags":["home"],"status":"in_progress","userId":"user-","assignee":"","reminders":[{"id":"","before":"PT"}],"recurrence":"FREQ=DAILY"},"alarms":[{"reminderId":"due","plan":{"is":"fired","at":"2027-01-01T08:00:00.000Z"}},{"reminderId":"due","plan":{"is":"scheduled","at":"2026-12-01T09:00:00.000Z"}}],"origin":{"correlationId":"01a2","traceparent":"00-"},"preferences":{"version":1},"zoneDatabase":"2025b"},"sequences":{"reminders":2,"taskEvents":2,"taskUpdates":2},"commands":[{"f":1,"q":1,"v":1,"n":"2026-12-01T09:00:00.000Z","s":"pending","c":true}],"pending":[{"stamp":{"epoch":1,"n":1},"at":"2026-12-01T08:00:00.000Z","origin":{"correlationId":"01a2","traceparent":"00-"},"events":[{"sequence":2,"fact":{"is":"reminderTriggered","reminderId":"due","scheduledFor":"2027-01-01T09:00:00.000Z","occurrence":1}},{"sequence":1,"fact":{"is":"reminderScheduled","reminderId":"due","scheduledFor":"2026-12-01T09:00:00.000Z"}},{"sequence":1,"fact":{"is":"taskUpdated","reason":"created"}},{"sequence":1,"fact":{"is":"taskSync"}}]}]}"#;

/// The packed text of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed(Box<[u8]>);

impl Packed {
    /// Packs a text.
    pub(super) fn of(text: &[u8]) -> Self {
        Self(compress_prepend_size_with_dict(text, COMMON).into_boxed_slice())
    }

    /// The text. `None` cannot come of what was packed here; who gets it loads the state.
    pub(super) fn text(&self) -> Option<Vec<u8>> {
        decompress_size_prepended_with_dict(&self.0, COMMON).ok()
    }

    /// How many bytes it takes.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_as_it_was(text in proptest::collection::vec(any::<u8>(), 0..4_096)) {
            prop_assert_eq!(Packed::of(&text).text(), Some(text));
        }

        #[test]
        fn so_is_what_resembles_the_dictionary(cut in 0..COMMON.len(), byte in any::<u8>(), times in 1..5_usize) {
            let mut text = COMMON.repeat(times);
            text[cut] = byte;
            let packed = Packed::of(&text);
            prop_assert_eq!(packed.text(), Some(text));
            prop_assert!(packed.len() < 128 * times, "{}", packed.len());
        }
    }
}
