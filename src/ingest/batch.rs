//! The records of a batch, sorted by task.

use reminder_contract::dead_letter::{DAPR_OFFSET, DAPR_PARTITION, DAPR_TIMESTAMP, Reason};
use reminder_contract::incoming::{Incoming, TaskNews, Unreadable, read};
use reminder_domain::{TaskId, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// One record as the sidecar delivers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its value, as it was published.
    pub value: Vec<u8>,
    /// Its key, headers and place at the broker, by the names that Dapr gives them.
    pub metadata: BTreeMap<String, String>,
}

impl Record {
    /// Its partition and offset, if the broker has such.
    pub(super) fn place(&self) -> (Option<&String>, Option<&String>) {
        (self.metadata.get(DAPR_PARTITION), self.metadata.get(DAPR_OFFSET))
    }

    /// When it was published.
    pub(super) fn published(&self) -> Option<Timestamp> {
        let ms = self.metadata.get(DAPR_TIMESTAMP)?.parse().ok()?;
        Some(Timestamp::from_millis(ms))
    }
}

/// What the broker shall do about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on: it is done with.
    Done,
    /// Deliver it again.
    Again,
}

/// The batch, sorted. Places are those of the records in it.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// What each task must follow, in order; tasks by their first record.
    pub(super) tasks: Vec<(TaskId, Vec<(usize, TaskNews)>)>,
    /// What cannot be understood.
    pub(super) unreadable: Vec<(usize, Unreadable)>,
    /// Our own events.
    pub(super) own: usize,
    /// Events of other types.
    pub(super) unknown: usize,
}

/// Reads a batch.
pub(super) fn sorted(records: &[Record]) -> Sorted {
    let mut sorted = Sorted::default();
    let mut places: HashMap<TaskId, usize> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        match alone(read, &record.value) {
            Ok(Incoming::Own) => sorted.own += 1,
            Ok(Incoming::Unknown { event_type }) => {
                tracing::debug!(
                    event.r#type = event_type,
                    "an event of a type that is none of ours"
                );
                sorted.unknown += 1;
            }
            Ok(Incoming::Task(news)) => {
                let next = sorted.tasks.len();
                let place = *places.entry(news.task_id.clone()).or_insert(next);
                if place == next {
                    sorted.tasks.push((news.task_id.clone(), Vec::new()));
                }
                sorted.tasks[place].1.push((index, *news));
            }
            Err(unreadable) => sorted.unreadable.push((index, unreadable)),
        }
    }
    sorted
}

/// Reads one record. Should that panic, the mistake is ours, and the log has it; but the record would come again
/// and again, and with it all that lie behind it in its partition. So it alone is one that cannot be read.
fn alone(
    read: fn(&[u8]) -> Result<Incoming, Unreadable>,
    value: &[u8],
) -> Result<Incoming, Unreadable> {
    std::panic::catch_unwind(|| read(value)).unwrap_or_else(|_| {
        let detail =
            "the event cannot be read, by a mistake of the service; its log has more".into();
        Err(Unreadable { reason: Reason::Invalid, detail, known: Box::default() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_a_record_is_read_is_that_record_alone() {
        let unreadable = alone(|_| panic!("a mistake"), b"{}").unwrap_err();
        assert_eq!(unreadable.reason, Reason::Invalid);
        assert!(unreadable.detail.contains("a mistake of the service"), "{unreadable}");
        assert_eq!(alone(read, b"{}"), read(b"{}"));
    }
}
