//! What is published when a letter is sent again: its bytes under its key, on the topic that it was meant
//! for, with its headers as far as they were the publisher's.

use super::letter::PLACE_PREFIX;
use super::origin_of;
use reminder_contract::dead_letter::{self, CUT_FROM, REPLAY_OF};
use std::collections::BTreeMap;

/// Headers that are instructions to a sidecar, or that a sidecar adds by itself. Given back to one, they
/// would choose a partition, an encoding or a time to live.
const OF_SIDECARS: &[&str] = &[
    "partitionkey",
    "partitionnumber",
    "rawpayload",
    "pubsubname",
    "ttlinseconds",
    "valueschematype",
    "traceid",
    "tracestate",
    "content-length",
];

/// What U+FFFD stands for in a key is not known any more.
const LOST: char = '\u{fffd}';

/// A message that is ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The topic.
    pub topic: &'static str,
    /// What the sidecar is told besides, the key among it.
    pub metadata: BTreeMap<String, String>,
    /// The very bytes.
    pub value: Vec<u8>,
}

/// Why a letter cannot be sent again as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotReplay {
    /// Its topic is none of ours.
    #[error("its topic is none of ours")]
    UnknownTopic,
    /// The key came through Dapr, which hands on text only.
    #[error("its key is no text, and Dapr publishes text only")]
    KeyIsNoText,
    /// It is the beginning of a record that is too large for a letter.
    #[error(
        "it is the beginning of a record that is too large for a letter; the record lies where it came from"
    )]
    Cut,
}

impl Replay {
    /// Of the letter `id`.
    ///
    /// # Errors
    /// When it would not be the same message.
    pub fn new(
        id: i64,
        dead_letter_topic: &str,
        key: Option<&str>,
        headers: &BTreeMap<String, String>,
        value: Vec<u8>,
    ) -> Result<Self, CannotReplay> {
        let topic = origin_of(dead_letter_topic).ok_or(CannotReplay::UnknownTopic)?;
        if key.is_some_and(|key| key.contains(LOST)) {
            return Err(CannotReplay::KeyIsNoText);
        }
        if headers.contains_key(CUT_FROM) {
            return Err(CannotReplay::Cut);
        }
        let mut metadata: BTreeMap<String, String> = headers
            .iter()
            .filter(|(name, _)| is_the_publishers(name))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect();
        metadata.insert(REPLAY_OF.to_owned(), id.to_string());
        metadata.insert("rawPayload".to_owned(), "true".to_owned());
        if let Some(key) = key {
            metadata.insert("partitionKey".to_owned(), key.to_owned());
        }
        Ok(Self { topic, metadata, value })
    }
}

/// Whether a header came from whoever published the message first.
fn is_the_publishers(name: &str) -> bool {
    let plain = name.to_ascii_lowercase();
    !name.starts_with(PLACE_PREFIX)
        && !OF_SIDECARS.contains(&&*plain)
        && !dead_letter::HEADERS.contains(&&*plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn it_is_the_same_message_under_its_key() {
        let all = headers(&[
            ("content-type", "application/cloudevents+json"),
            ("traceparent", "00-1-2-01"),
            ("their-own", "kept"),
            (dead_letter::REASON, "invalid"),
            ("partitionKey", "other"),
            ("partitionNumber", "2"),
            ("rawPayload", "false"),
            ("pubsubName", "kafka-pubsub"),
            ("__offset", "7"),
            (REPLAY_OF, "3"),
        ]);
        let replay = Replay::new(7, "reminders-dlq", Some("milk"), &all, b"x".to_vec()).unwrap();
        assert_eq!((replay.topic, &*replay.value), ("reminders", &b"x"[..]));
        let told = headers(&[
            ("content-type", "application/cloudevents+json"),
            (REPLAY_OF, "7"),
            ("partitionKey", "milk"),
            ("rawPayload", "true"),
            ("their-own", "kept"),
            ("traceparent", "00-1-2-01"),
        ]);
        assert_eq!(replay.metadata, told);
    }

    #[test]
    fn what_would_be_another_message_is_not_published() {
        let replay = |topic, key| Replay::new(1, topic, key, &headers(&[]), Vec::new());
        let no_text = replay("reminders-dlq", Some("a\u{fffd}"));
        assert_eq!(no_text, Err(CannotReplay::KeyIsNoText));
        assert_eq!(replay("reminders", Some("a")), Err(CannotReplay::UnknownTopic));
        assert!(!replay("reminders-dlq", None).unwrap().metadata.contains_key("partitionKey"));
        let cut = headers(&[(CUT_FROM, "1000000")]);
        let cut = Replay::new(1, "reminders-dlq", Some("a"), &cut, Vec::new());
        assert_eq!(cut, Err(CannotReplay::Cut));
    }
}
