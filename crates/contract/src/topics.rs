//! The Kafka topics and their settings: the one table that the local stack creates them from and
//! that the Kubernetes manifests and scripts are checked against.

use std::time::Duration;

use crate::names;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a dead letter waits for somebody to look at it.
const DEAD_LETTER_RETENTION: Duration = Duration::from_secs(30 * DAY.as_secs());

/// In production; a smaller cluster has as many replicas as brokers.
pub const REPLICATION_FACTOR: u16 = 3;

/// In production: a write survives the loss of one broker.
pub const MIN_INSYNC_REPLICAS: u16 = 2;

/// What Kafka does with old records, as its `cleanup.policy` spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Records end with their retention.
    Delete,
    /// The last record of each key is kept as well, within the retention.
    CompactDelete,
}

impl Cleanup {
    /// The value of `cleanup.policy`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::CompactDelete => "compact,delete",
        }
    }
}

/// One topic as it is in production.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: &'static str,
    /// Partitions; the key of a record is the task id, so the order within a task survives them.
    pub partitions: u16,
    /// How long records are kept.
    pub retention: Duration,
    /// What happens to them then.
    pub cleanup: Cleanup,
    /// Where records go that a consumer cannot handle; a dead-letter topic has none.
    pub dead_letter: Option<&'static str>,
}

impl Topic {
    /// Replicas of each partition on a cluster of that many brokers.
    pub fn replication_factor(&self, brokers: u16) -> u16 {
        REPLICATION_FACTOR.min(brokers).max(1)
    }

    /// `min.insync.replicas` on a cluster of that many brokers: one replica may be missing, unless
    /// there is only one.
    pub fn min_insync_replicas(&self, brokers: u16) -> u16 {
        MIN_INSYNC_REPLICAS.min(self.replication_factor(brokers).saturating_sub(1)).max(1)
    }

    /// The topic's configuration by Kafka's names, for a cluster of that many brokers.
    pub fn config(&self, brokers: u16) -> Vec<(&'static str, String)> {
        vec![
            ("cleanup.policy", self.cleanup.as_str().to_owned()),
            ("retention.ms", self.retention.as_millis().to_string()),
            ("min.insync.replicas", self.min_insync_replicas(brokers).to_string()),
        ]
    }
}

/// All topics of the product.
pub const TOPICS: [Topic; 6] = [
    Topic {
        name: names::TASK_EVENTS,
        partitions: 3,
        retention: Duration::from_secs(7 * DAY.as_secs()),
        cleanup: Cleanup::CompactDelete,
        dead_letter: Some(names::TASK_EVENTS_DLQ),
    },
    Topic {
        name: names::REMINDERS,
        partitions: 3,
        retention: Duration::from_secs(7 * DAY.as_secs()),
        cleanup: Cleanup::Delete,
        dead_letter: Some(names::REMINDERS_DLQ),
    },
    Topic {
        name: names::TASK_UPDATES,
        partitions: 3,
        retention: Duration::from_secs(24 * HOUR.as_secs()),
        cleanup: Cleanup::Delete,
        dead_letter: Some(names::TASK_UPDATES_DLQ),
    },
    dead_letters(names::TASK_EVENTS_DLQ),
    dead_letters(names::REMINDERS_DLQ),
    dead_letters(names::TASK_UPDATES_DLQ),
];

const fn dead_letters(name: &'static str) -> Topic {
    Topic {
        name,
        partitions: 1,
        retention: DEAD_LETTER_RETENTION,
        cleanup: Cleanup::Delete,
        dead_letter: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_its_dead_letter_topic() {
        for topic in TOPICS.iter().filter(|topic| topic.dead_letter.is_some()) {
            let dlq = topic.dead_letter.unwrap();
            assert_eq!(dlq, format!("{}-dlq", topic.name));
            assert!(TOPICS.iter().any(|t| t.name == dlq && t.dead_letter.is_none()));
        }
    }

    #[test]
    fn settings_follow_the_number_of_brokers() {
        let topic = &TOPICS[0];
        let settings =
            |brokers| (topic.replication_factor(brokers), topic.min_insync_replicas(brokers));
        assert_eq!(settings(1), (1, 1));
        assert_eq!(settings(2), (2, 1));
        assert_eq!(settings(3), (3, 2));
        assert_eq!(settings(9), (3, 2));
    }

    #[test]
    fn config_is_spelt_as_kafka_does() {
        assert_eq!(
            TOPICS[0].config(3),
            [
                ("cleanup.policy", "compact,delete".to_owned()),
                ("retention.ms", "604800000".to_owned()),
                ("min.insync.replicas", "2".to_owned()),
            ]
        );
        assert_eq!(TOPICS[2].config(1)[1].1, "86400000");
        assert_eq!(TOPICS[3].config(1)[1].1, "2592000000");
    }
}
