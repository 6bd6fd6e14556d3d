//! What is stored: which facts are known, what became of each delivery, and which ones wait.

use crate::channels::Channel;
use crate::message::Firing;
use reminder_domain::{TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

/// How long a fact stays known: longer than its topic keeps it, so that no redelivery is too late to
/// be known again. What became of its deliveries is kept as long.
pub(crate) const KNOWN_FOR: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// In how many documents the waiting deliveries are listed. The state store cannot be asked what it
/// holds, and one list would have every event wait for every other.
pub(crate) const SHARDS: u64 = 16;

/// A fact that was taken over from the broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fact {
    /// The ways by which it is, or was, delivered.
    pub(crate) channels: Vec<Channel>,
    /// When it was taken over.
    pub(crate) accepted_at: Timestamp,
}

/// One fact on one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    /// What happened so far.
    pub(crate) status: Status,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// It is not tried before.
    pub(crate) not_before: Timestamp,
    /// Who is at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claim: Option<Claim>,
    /// Whether it became needless while somebody was at it.
    #[serde(default)]
    pub(crate) needless: bool,
    /// What went wrong the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The event, until the delivery has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<Firing>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Status {
    /// It shall be tried.
    Pending,
    /// It is given up, and that has to be told yet.
    GivingUp,
    /// It was delivered.
    Delivered,
    /// It was given up, and that was told.
    Failed,
    /// The user had answered on another way, or the reminder was called off.
    Withdrawn,
    /// The user does not want to be told on this way any more.
    SwitchedOff,
}

impl Status {
    /// Whether nothing more happens.
    pub(crate) const fn has_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::GivingUp)
    }
}

/// The right to try, for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Claim {
    /// Names the claim.
    pub(crate) id: String,
    /// When it ends by itself, because whoever made it has died.
    pub(crate) until: Timestamp,
}

/// The deliveries of some tasks that have not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shard {
    /// In the order in which they were taken over.
    pub(crate) waiting: Vec<Entry>,
}

/// Names a delivery and its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// The task.
    pub(crate) task: TaskId,
    /// The way.
    pub(crate) channel: Channel,
    /// The place of the fact among those of its task.
    pub(crate) sequence: u64,
    /// The fact.
    pub(crate) event_id: String,
    /// Whose task it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
}

impl Delivery {
    /// One that was not tried yet.
    pub(crate) fn fresh(event: Firing, now: Timestamp) -> Self {
        Self {
            status: Status::Pending,
            attempts: 0,
            not_before: now,
            claim: None,
            needless: false,
            reason: None,
            event: Some(event),
        }
    }

    /// Lets go of what is of no use once it has ended; who the user is among it.
    pub(crate) fn end(&mut self, status: Status) {
        self.status = status;
        self.claim = None;
        self.event = None;
    }
}

impl Entry {
    /// The list that it stands in.
    pub(crate) fn shard(&self) -> u64 {
        shard_of(&self.task)
    }

    /// Where its delivery is stored.
    pub(crate) fn key(&self) -> String {
        format!("delivery:{}:{}", self.channel, self.event_id)
    }
}

/// The list that the deliveries of a task stand in.
pub(crate) fn shard_of(task: &TaskId) -> u64 {
    xxh3_64(task.as_str().as_bytes()) % SHARDS
}

/// Where a list is stored.
pub(crate) fn shard_key(shard: u64) -> String {
    format!("waiting:{shard:02}")
}

/// Where a fact is stored.
pub(crate) fn fact_key(event_id: &str) -> String {
    format!("fact:{event_id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_contract::names;
    use reminder_contract::topics::TOPICS;

    #[test]
    fn facts_stay_known_for_longer_than_the_topic_keeps_them() {
        let topic = TOPICS.iter().find(|topic| topic.name == names::REMINDERS).unwrap();
        assert!(KNOWN_FOR > topic.retention);
    }

    #[test]
    fn tasks_are_spread_over_the_lists_and_stay_where_they_are() {
        let task = |n: u32| TaskId::parse(format!("task-{n}")).unwrap();
        let shards: std::collections::HashSet<_> = (0..1_000).map(|n| shard_of(&task(n))).collect();
        assert_eq!(shards.len() as u64, SHARDS);
        // Another list for a task would lose sight of what waits in the old one.
        assert_eq!(shard_of(&task(1)), 12);
    }

    #[test]
    fn what_has_ended_holds_nothing_of_the_user() {
        let now = Timestamp::from_millis(0);
        let mut delivery = Delivery::fresh(crate::message::tests::firing(), now);
        delivery.end(Status::Delivered);
        assert!(!serde_json::to_string(&delivery).unwrap().contains("ada"));
    }
}
