//! Dead letters: what is told of a record that cannot be handled.

use super::batch::Record;
use super::ports::Letter;
use reminder_contract::dead_letter::{
    CORRELATION_ID, CUT_FROM, DAPR_KEY, DETAIL, DETAIL_MAX_CHARS, EVENT_ID, FAILED_AT, FAILED_BY,
    ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TOPIC, REASON, REPLAY_OF, Reason, beginning,
};
use reminder_contract::incoming::{TaskNews, Unreadable};
use reminder_contract::names::{APP_ID, TASK_EVENTS, TASK_EVENTS_DLQ};
use reminder_contract::size::ADDED_MAX_BYTES;
use reminder_domain::Timestamp;

/// Longest key that a letter takes over: with it, the headers stay within [`ADDED_MAX_BYTES`].
const KEY_MAX_BYTES: usize = 4 * 1024;

/// The four headers that hold texts of others, of four bytes a character at most, and the names and the rest.
const HEADERS_MAX_BYTES: usize = 4 * 4 * DETAIL_MAX_CHARS + 2 * 1024;

const _: () = assert!(KEY_MAX_BYTES + HEADERS_MAX_BYTES <= ADDED_MAX_BYTES);

/// Why, and of what event.
pub(super) struct Fault {
    reason: Reason,
    detail: String,
    event_id: Option<String>,
    correlation_id: Option<String>,
}

impl Fault {
    /// Of an event that cannot be read.
    pub(super) fn unreadable(unreadable: &Unreadable) -> Self {
        Self {
            reason: unreadable.reason.clone(),
            detail: unreadable.detail.clone(),
            event_id: unreadable.known.event_id.clone(),
            correlation_id: unreadable.known.correlation_id.clone(),
        }
    }

    /// Of an event that the rules refuse.
    pub(super) fn refused(news: &TaskNews, detail: String) -> Self {
        let correlation_id = news.command.origin.correlation_id.as_ref();
        Self {
            reason: Reason::Refused,
            detail,
            event_id: news.event_id.clone(),
            correlation_id: correlation_id.map(|id| id.as_str().to_owned()),
        }
    }

    /// As a word.
    pub(super) fn reason(&self) -> &str {
        self.reason.as_str()
    }

    /// The id of the event, if it has one that can be read.
    pub(super) fn event_id(&self) -> Option<&str> {
        self.event_id.as_deref()
    }

    /// The flow it belongs to.
    pub(super) fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// In words.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The record with all that is known of it.
    pub(super) fn letter(&self, record: &Record, now: Timestamp) -> Letter {
        let (partition, offset) = record.place();
        let headers = [
            (REASON, Some(self.reason.as_str().to_owned())),
            (DETAIL, Some(header_text(&self.detail))),
            (ORIGIN_TOPIC, Some(TASK_EVENTS.to_owned())),
            (ORIGIN_PARTITION, partition.cloned()),
            (ORIGIN_OFFSET, offset.cloned()),
            (EVENT_ID, self.event_id.as_deref().map(header_text)),
            (CORRELATION_ID, self.correlation_id.as_deref().map(header_text)),
            (FAILED_AT, Some(now.to_string())),
            (FAILED_BY, Some(APP_ID.to_owned())),
            (REPLAY_OF, record.metadata.get(REPLAY_OF).map(|id| header_text(id))),
        ];
        let (value, cut_from) = beginning(&record.value);
        let key = record.metadata.get(DAPR_KEY);
        let kept = key.filter(|key| key.len() <= KEY_MAX_BYTES);
        let cut_from = cut_from.or_else(|| (key != kept).then_some(value.len()));
        let headers =
            headers.into_iter().chain([(CUT_FROM, cut_from.map(|bytes| bytes.to_string()))]);
        Letter {
            topic: TASK_EVENTS_DLQ,
            key: kept.cloned(),
            value: value.to_vec(),
            headers: headers.filter_map(|(name, text)| Some((name, text?))).collect(),
        }
    }
}

/// A text on one line and of bearable length.
fn header_text(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(DETAIL_MAX_CHARS).collect()
}
