//! The canary: a record that tells nothing. Whether it comes back tells that a topic is still consumed.
//!
//! On `task-events` it is an event of a source and a type of its own, which a consumer passes over as any
//! type that it does not know; it is no fact, so it has no schema. On the dead-letter topics, whose records
//! may be anything, a header marks it.

use serde_json::json;

/// Who sends it. Not the scheduler's own source, under which there are facts only.
pub const CANARY_SOURCE: &str = "/reminder-scheduler/canary";

/// Its type on `task-events`.
pub const CANARY_TYPE: &str = "reminder-scheduler.canary";

/// Its Kafka key, which is no task's: ids of tasks have no colon. Compaction keeps the last one.
pub const CANARY_KEY: &str = "reminder-scheduler:canary";

/// Marks it on a dead-letter topic.
pub const CANARY_HEADER: &str = "reminder-scheduler-canary";

/// It, as an event; `time` in RFC 3339.
pub fn event(id: &str, time: &str) -> Vec<u8> {
    json!({
        "specversion": "1.0", "id": id, "source": CANARY_SOURCE, "type": CANARY_TYPE, "time": time,
        "datacontenttype": "application/json", "data": {},
    })
    .to_string()
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incoming::{Incoming, read};
    use reminder_domain::TaskId;

    #[test]
    fn it_is_read_as_one_of_ours_and_its_key_is_no_task() {
        assert_eq!(read(&event("1", "2026-11-28T12:00:00Z")), Ok(Incoming::Own));
        assert!(TaskId::parse(CANARY_KEY).is_err());
    }
}
