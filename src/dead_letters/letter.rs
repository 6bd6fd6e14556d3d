//! A letter, made of a delivered record.
//!
//! Dapr delivers the value beside the record's *metadata*: where it lies, under names that begin with two
//! underscores, and its headers. A consumer that gives a message up says in headers of
//! [`reminder_contract::dead_letter`] why, and where the message lay. A sidecar that forwards one writes
//! all of the metadata that it had into the headers of the letter, and headers come last: so `__topic`,
//! `__partition`, `__offset` and `__timestamp` of a letter that was forwarded are those of the message that
//! could not be handled, and of any other letter those of the letter itself.

use super::legible::{Legible, shortened, without_nul};
use reminder_contract::dead_letter::{
    DAPR_KEY, DAPR_OFFSET, DAPR_PARTITION, DAPR_TIMESTAMP, DAPR_TOPIC, DETAIL, EVENT_ID,
    ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TOPIC, REASON, REPLAY_OF,
};
use reminder_domain::Timestamp;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use xxhash_rust::xxh3::Xxh3;

/// Begins the names that Dapr's Kafka component gives to what is no header.
pub const PLACE_PREFIX: &str = "__";

/// The reason of a letter that a sidecar has forwarded: its consumer has dropped it, or could not handle
/// it as often as the sidecar has tried. The sidecar does not say more.
pub const FORWARDED: &str = "forwarded";
/// The reason of a letter that does not say.
pub const UNSTATED: &str = "unstated";

/// Longest words about the reason that are kept, in characters.
const DETAIL_MAX_CHARS: usize = 4_000;

/// Times that records may have, in milliseconds since 1970: until the end of the year 9999.
const TIMES: RangeInclusive<i64> = 0..=253_402_300_799_999;

/// A letter as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The dead-letter topic.
    pub topic: String,
    /// Which record it is; the same whenever that is delivered.
    pub identity: String,
    /// Where the record lay that could not be handled, as far as that is known.
    pub origin_topic: Option<String>,
    /// In which partition.
    pub origin_partition: Option<i32>,
    /// At which offset.
    pub origin_offset: Option<i64>,
    /// When it was written.
    pub written_at: Option<Timestamp>,
    /// Its key.
    pub key: Option<String>,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// The very bytes.
    pub value: Vec<u8>,
    /// Why it lies here, in a word.
    pub reason: String,
    /// The same in words.
    pub detail: Option<String>,
    /// What it speaks of.
    pub legible: Legible,
}

impl Letter {
    /// Of a record that Dapr has delivered.
    pub fn new(topic: &str, metadata: BTreeMap<String, String>, value: Vec<u8>) -> Self {
        let mut headers: BTreeMap<String, String> = metadata
            .into_iter()
            .map(|(name, text)| (without_nul(&name), without_nul(&text)))
            .collect();
        let key = headers.remove(DAPR_KEY);
        let lies_on = headers.remove(DAPR_TOPIC).unwrap_or_else(|| topic.to_owned());
        let partition = number(headers.remove(DAPR_PARTITION));
        let offset = number(headers.remove(DAPR_OFFSET));
        let timestamp = number(headers.remove(DAPR_TIMESTAMP));
        let forwarded = lies_on != topic;

        let said = |name: &str| headers.get(name).filter(|text| !text.is_empty()).cloned();
        let stated = said(ORIGIN_TOPIC);
        let (origin, partition, offset) = match stated {
            // Given up twice, since the consumer died before it could say so: one letter all the same.
            Some(topic) => {
                (Some(topic), number(said(ORIGIN_PARTITION)), number(said(ORIGIN_OFFSET)))
            }
            None => (Some(lies_on), partition, offset),
        };
        // Only the sidecar's letters have the time of the message itself.
        let time = said(ORIGIN_TOPIC).is_none().then_some(timestamp).flatten();
        let place = [partition, offset, time];
        let identity = identity(topic, origin.as_deref(), place, key.as_deref(), &value);
        let unstated = if forwarded { FORWARDED } else { UNSTATED };
        let mut legible = Legible::read(&value, key.as_deref());
        legible.event_id = legible.event_id.or_else(|| said(EVENT_ID).as_deref().map(shortened));
        Self {
            topic: topic.to_owned(),
            identity,
            origin_topic: origin.as_deref().map(shortened),
            origin_partition: partition.and_then(|number| number.try_into().ok()),
            origin_offset: offset,
            written_at: timestamp.filter(|ms| TIMES.contains(ms)).map(Timestamp::from_millis),
            reason: shortened(said(REASON).as_deref().unwrap_or(unstated)),
            detail: said(DETAIL).map(|detail| detail.chars().take(DETAIL_MAX_CHARS).collect()),
            legible,
            key,
            headers,
            value,
        }
    }

    /// The letter that this one is a replay of, if it came here again.
    pub fn replay_of(headers: &BTreeMap<String, String>) -> Option<&str> {
        headers.get(REPLAY_OF).map(String::as_str)
    }
}

fn number(text: Option<String>) -> Option<i64> {
    text?.parse().ok()
}

/// The place alone would do, as long as nobody makes the topic anew: then its offsets begin again, and a
/// letter must not be taken for another one that lay there before.
fn identity(
    topic: &str,
    origin: Option<&str>,
    place: [Option<i64>; 3],
    key: Option<&str>,
    value: &[u8],
) -> String {
    let mut hash = Xxh3::new();
    for part in [origin, key] {
        // No text has this byte, so two parts never look like two others.
        hash.update(part.map_or(&b"\xfe"[..], str::as_bytes));
        hash.update(b"\xff");
    }
    hash.update(value);
    let place = place.map(|number| number.map_or("-".to_owned(), |number| number.to_string()));
    format!("{topic}/{}:{:032x}", place.join("/"), hash.digest128())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn at(offset: &str) -> BTreeMap<String, String> {
        metadata(&[
            (DAPR_TOPIC, "task-events-dlq"),
            (DAPR_PARTITION, "0"),
            (DAPR_OFFSET, offset),
            (DAPR_TIMESTAMP, "1790000000123"),
            (DAPR_KEY, "milk"),
        ])
    }

    #[test]
    fn a_letter_says_why_and_where_from() {
        let mut parts = at("7");
        parts.insert(REASON.into(), "invalid".into());
        parts.insert(DETAIL.into(), "no taskId".into());
        let letter = Letter::new("task-events-dlq", parts, b"{}".to_vec());
        assert_eq!((&*letter.reason, letter.detail.as_deref()), ("invalid", Some("no taskId")));
        assert_eq!((letter.origin_partition, letter.origin_offset), (Some(0), Some(7)));
        assert_eq!(letter.written_at, Some(Timestamp::from_millis(1_790_000_000_123)));
        assert_eq!(letter.key.as_deref(), Some("milk"));
        assert_eq!(letter.legible.task.as_deref(), Some("milk"));
        assert_eq!(letter.headers.len(), 2, "the place is none of them");
    }

    #[test]
    fn what_a_sidecar_forwarded_says_so() {
        let mut parts = at("7");
        assert_eq!(Letter::new("task-events-dlq", parts.clone(), Vec::new()).reason, UNSTATED);
        parts.insert(DAPR_TOPIC.into(), "task-events".into());
        let letter = Letter::new("task-events-dlq", parts, Vec::new());
        assert_eq!(letter.reason, FORWARDED);
        assert_eq!(letter.origin_topic.as_deref(), Some("task-events"));
    }

    #[test]
    fn one_record_has_one_identity_and_no_two_share_it() {
        let letter = |parts: BTreeMap<_, _>, value: &[u8]| {
            Letter::new("task-events-dlq", parts, value.to_vec()).identity
        };
        let first = letter(at("7"), b"{}");
        assert_eq!(first, letter(at("7"), b"{}"));
        let changed = |name: &str, text: Option<&str>| {
            let mut parts = at("7");
            match text {
                Some(text) => parts.insert(name.into(), text.into()),
                None => parts.remove(name),
            };
            letter(parts, b"{}")
        };
        let others = [
            letter(at("8"), b"{}"),
            letter(at("7"), b"{} "),
            changed(DAPR_TIMESTAMP, Some("1790000000124")),
            changed(DAPR_TOPIC, Some("task-events")),
            changed(DAPR_KEY, Some("milk2")),
            changed(DAPR_KEY, Some("")),
            changed(DAPR_KEY, None),
            changed(DAPR_OFFSET, Some("seven")),
            Letter::new("reminders-dlq", at("7"), b"{}".to_vec()).identity,
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, first, "{index}");
            assert!(!others[..index].contains(other), "{index}");
        }
    }

    #[test]
    fn what_a_consumer_gave_up_twice_is_one_letter() {
        let letter = |offset: &str, origin_offset: &str| {
            let mut parts = at(offset);
            parts.insert(ORIGIN_TOPIC.into(), "task-events".into());
            parts.insert(ORIGIN_PARTITION.into(), "2".into());
            parts.insert(ORIGIN_OFFSET.into(), origin_offset.into());
            parts.insert(DAPR_TIMESTAMP.into(), offset.into());
            Letter::new("task-events-dlq", parts, b"{}".to_vec())
        };
        assert_eq!(letter("7", "40").identity, letter("8", "40").identity);
        assert_ne!(letter("7", "40").identity, letter("7", "41").identity);
        let known = letter("7", "40");
        assert_eq!((known.origin_partition, known.origin_offset), (Some(2), Some(40)));
    }

    #[test]
    fn whatever_the_headers_say_can_be_stored() {
        let mut parts = at("99999999999999999999");
        parts.insert(DAPR_TIMESTAMP.into(), i64::MIN.to_string());
        parts.insert(DAPR_PARTITION.into(), "4294967296".into());
        parts.insert("od\0d".into(), "\0".into());
        parts.insert(DETAIL.into(), "d".repeat(DETAIL_MAX_CHARS + 1));
        let letter = Letter::new("task-events-dlq", parts, Vec::new());
        let place = (letter.origin_partition, letter.origin_offset, letter.written_at);
        assert_eq!(place, (None, None, None));
        assert_eq!(letter.headers["od\u{fffd}d"], "\u{fffd}");
        assert_eq!(letter.detail.unwrap().len(), DETAIL_MAX_CHARS);
    }
}
