//! A letter, made of a delivered record.
//!
//! Dapr delivers the value beside the record's *metadata*: where it lies, under names that begin with two
//! underscores, and its headers. A sidecar that forwards a message to a dead-letter topic writes all of
//! this metadata into the headers of the letter, and headers come last: so `__topic`, `__partition`,
//! `__offset` and `__timestamp` of a letter that was forwarded are those of the message that could not be
//! handled, and of any other letter those of the letter itself.

use super::legible::{Legible, shortened, without_nul};
use super::replay;
use reminder_contract::dead_letter::{DETAIL_HEADER, REASON_HEADER};
use reminder_domain::Timestamp;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use xxhash_rust::xxh3::Xxh3;

/// Begins the names that Dapr's Kafka component gives to what is no header.
pub const PLACE_PREFIX: &str = "__";
const KEY: &str = "__key";
const TOPIC: &str = "__topic";
const PARTITION: &str = "__partition";
const OFFSET: &str = "__offset";
const TIMESTAMP: &str = "__timestamp";

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
    pub fn new(topic: &str, mut metadata: BTreeMap<String, String>, value: Vec<u8>) -> Self {
        let key = metadata.remove(KEY).map(|key| without_nul(&key));
        let origin_topic = metadata.remove(TOPIC).map(|topic| shortened(&topic));
        let origin_partition = number(metadata.remove(PARTITION)).and_then(|n| n.try_into().ok());
        let origin_offset = number(metadata.remove(OFFSET));
        let timestamp = number(metadata.remove(TIMESTAMP));
        let forwarded = origin_topic.as_deref().is_some_and(|origin| origin != topic);
        let headers: BTreeMap<String, String> = metadata
            .into_iter()
            .map(|(name, text)| (without_nul(&name), without_nul(&text)))
            .collect();
        let identity = identity(
            &[topic, origin_topic.as_deref().unwrap_or_default()],
            &[origin_partition.map(i64::from), origin_offset, timestamp],
            key.as_deref(),
            &value,
        );
        let unstated = if forwarded { FORWARDED } else { UNSTATED };
        let reason = headers.get(REASON_HEADER).filter(|reason| !reason.is_empty());
        let detail = headers.get(DETAIL_HEADER).filter(|detail| !detail.is_empty());
        Self {
            topic: topic.to_owned(),
            identity,
            origin_topic,
            origin_partition,
            origin_offset,
            written_at: timestamp.filter(|ms| TIMES.contains(ms)).map(Timestamp::from_millis),
            reason: shortened(reason.map_or(unstated, String::as_str)),
            detail: detail.map(|detail| detail.chars().take(DETAIL_MAX_CHARS).collect()),
            legible: Legible::read(&value, key.as_deref()),
            key,
            headers,
            value,
        }
    }

    /// The letter that this one is a replay of, if it came here again.
    pub fn replay_of(headers: &BTreeMap<String, String>) -> Option<&str> {
        headers.get(replay::REPLAY_OF_HEADER).map(String::as_str)
    }
}

fn number(text: Option<String>) -> Option<i64> {
    text?.parse().ok()
}

/// The place alone would do, as long as nobody makes the topic anew: then its offsets begin again, and a
/// letter must not be taken for another one that lay there before.
fn identity(
    topics: &[&str],
    place: &[Option<i64>],
    key: Option<&str>,
    value: &[u8],
) -> String {
    let mut hash = Xxh3::new();
    for part in [key.is_some().then_some("k").unwrap_or_default(), key.unwrap_or_default()] {
        hash.update(part.as_bytes());
        hash.update(&[0xff]);
    }
    hash.update(value);
    let place: Vec<String> =
        place.iter().map(|number| number.map_or("-".into(), |number| number.to_string())).collect();
    format!("{}/{}:{:032x}", topics.join("<"), place.join("/"), hash.digest128())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn at(offset: &str) -> BTreeMap<String, String> {
        metadata(&[
            (TOPIC, "task-events-dlq"),
            (PARTITION, "0"),
            (OFFSET, offset),
            (TIMESTAMP, "1790000000123"),
            (KEY, "milk"),
        ])
    }

    #[test]
    fn a_letter_says_why_and_where_from() {
        let mut parts = at("7");
        parts.insert(REASON_HEADER.into(), "invalid".into());
        parts.insert(DETAIL_HEADER.into(), "no taskId".into());
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
        parts.insert(TOPIC.into(), "task-events".into());
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
            changed(TIMESTAMP, Some("1790000000124")),
            changed(TOPIC, Some("task-events")),
            changed(KEY, Some("milk2")),
            changed(KEY, Some("")),
            changed(KEY, None),
            changed(OFFSET, Some("seven")),
            Letter::new("reminders-dlq", at("7"), b"{}".to_vec()).identity,
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, first, "{index}");
            assert!(!others[..index].contains(other), "{index}");
        }
    }

    #[test]
    fn whatever_the_headers_say_can_be_stored() {
        let mut parts = at("99999999999999999999");
        parts.insert(TIMESTAMP.into(), i64::MIN.to_string());
        parts.insert(PARTITION.into(), "4294967296".into());
        parts.insert("od\0d".into(), "\0".into());
        parts.insert(DETAIL_HEADER.into(), "d".repeat(DETAIL_MAX_CHARS + 1));
        let letter = Letter::new("task-events-dlq", parts, Vec::new());
        let place = (letter.origin_partition, letter.origin_offset, letter.written_at);
        assert_eq!(place, (None, None, None));
        assert_eq!(letter.headers["od\u{fffd}d"], "\u{fffd}");
        assert_eq!(letter.detail.unwrap().len(), DETAIL_MAX_CHARS);
    }
}
