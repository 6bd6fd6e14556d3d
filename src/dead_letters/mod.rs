//! Dead letters: what a consumer of our topics could not handle.
//!
//! Kafka can neither give back nor remove a single record, and a consumer group only moves on. So the
//! service itself takes what lies on the dead-letter topics ([`crate::dapr::inbound::dead_letters`]) and
//! keeps it in Postgres ([`crate::read_model`]), where `reminder-scheduler dlq` lists it, shows it, sends
//! it again and drops it. Here is what a letter is: [`letter`] reads one from a delivered record,
//! [`legible`] makes out what it speaks of, [`naming`] whether it names a user who is erased, [`replay`] says
//! what is published again. [`keeping`] counts those that are open, and forgets them when their topic does.

pub mod keeping;
pub mod legible;
pub mod letter;
pub mod naming;
pub mod replay;

use reminder_contract::topics::{TOPICS, Topic};

/// What operators have done about a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nothing yet.
    Open,
    /// It was published to its topic again.
    Replayed,
    /// It is not worth it.
    Dropped,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Replayed, Self::Dropped];

    /// As it is stored and told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Dropped => "dropped",
        }
    }

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The dead-letter topics.
pub fn topics() -> impl Iterator<Item = &'static Topic> {
    TOPICS.iter().filter(|topic| topic.dead_letter.is_none())
}

/// The topic whose letters lie on a dead-letter topic.
pub fn origin_of(dead_letter_topic: &str) -> Option<&'static str> {
    let origin = TOPICS.iter().find(|topic| topic.dead_letter == Some(dead_letter_topic))?;
    Some(origin.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dead_letter_topic_has_one_origin() {
        let found: Vec<_> = topics().map(|topic| (topic.name, origin_of(topic.name))).collect();
        assert_eq!(found.len(), 3);
        for (name, origin) in found {
            assert_eq!(Some(name.trim_end_matches("-dlq")), origin);
        }
        assert_eq!(origin_of("task-events"), None);
    }

    #[test]
    fn a_status_is_read_as_it_is_told() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("Open"), None);
    }
}
