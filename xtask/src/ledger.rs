//! What a careful consumer keeps of the events it has read: known ids are dropped, and every task's
//! events must come without a gap and in order, under the task's key and in one partition. An id that
//! comes again must tell the same.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::{Context, Result};
use reminder_contract::CloudEvent;
use reminder_contract::cloud_event::EventData;
use reminder_stack::events::Record;

/// One of our events, owned.
pub(crate) type Event = CloudEvent<'static, EventData<'static>>;

/// The prefix of an event's subject.
const SUBJECT_PREFIX: &str = "task:";

/// Reads the event in a record.
pub(crate) fn read(record: &Record) -> Result<Event> {
    CloudEvent::read(&record.payload)
        .with_context(|| format!("{}/{}@{}", record.topic, record.partition, record.offset))
}

/// The task an event is about.
pub(crate) fn task_of(event: &Event) -> &str {
    event.subject.strip_prefix(SUBJECT_PREFIX).unwrap_or(&event.subject)
}

/// Whether an event says something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    New,
    /// Delivered before, which "at least once" allows.
    Repeat,
}

/// One task on one topic.
#[derive(Debug)]
struct Lane {
    partition: i32,
    last: u64,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    lanes: HashMap<(String, String), Lane>,
    /// What each id told, as a hash.
    known: HashMap<String, u64>,
    repeats: usize,
    faults: Vec<String>,
}

impl Ledger {
    /// Notes an event as it lies in its record.
    pub(crate) fn note(&mut self, record: &Record, event: &Event) -> Noted {
        let task = task_of(event);
        if record.key.as_deref() != Some(task) {
            self.faults.push(format!("{}: its key is {:?}, not the task id", event.id, record.key));
        }
        let Ok(sequence) = event.sequence.parse::<u64>() else {
            self.faults.push(format!("{}: its sequence is {:?}", event.id, event.sequence));
            return Noted::New;
        };
        let key = (task.to_owned(), record.topic.clone());
        let lane = self.lanes.entry(key).or_insert(Lane { partition: record.partition, last: 0 });
        if lane.partition != record.partition {
            self.faults.push(format!("{}: in another partition than those before it", event.id));
        }
        let content = content(event);
        if let Some(before) = self.known.get(&*event.id) {
            self.repeats += 1;
            if *before != content {
                self.faults.push(format!("{}: told something else before", event.id));
            }
            return Noted::Repeat;
        }
        self.known.insert(event.id.clone().into_owned(), content);
        if sequence != lane.last + 1 {
            self.faults.push(format!("{}: came right after number {}", event.id, lane.last));
        }
        lane.last = lane.last.max(sequence);
        Noted::New
    }

    /// Events that were delivered again.
    pub(crate) const fn repeats(&self) -> usize {
        self.repeats
    }

    /// What broke the rules.
    pub(crate) fn faults(&self) -> &[String] {
        &self.faults
    }
}

/// What an event tells, but for what the sidecar adds to its envelope.
fn content(event: &Event) -> u64 {
    let data = serde_json::to_string(&event.data).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    (&event.event_type, &event.subject, &event.sequence, event.time.to_string(), data)
        .hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A record with a `reminder.triggered` of the task, as it would lie in Kafka.
    pub(crate) fn triggered(task: &str, sequence: u64, due: &str, fired: &str) -> Record {
        let payload = format!(
            r#"{{"specversion":"1.0","id":"{task}:1:reminders-{sequence}",
            "source":"/reminder-scheduler","type":"reminder.triggered","subject":"task:{task}",
            "time":"{fired}","datacontenttype":"application/json","dataschema":"x",
            "sequence":"{sequence:010}","data":{{"taskId":"{task}","reminderId":"due",
            "scheduledFor":"{due}","firedAt":"{fired}","lateByMs":0,"cause":"onTime",
            "title":"t","priority":"normal","tags":[],"userId":null,"version":2}}}}"#
        );
        Record {
            topic: "reminders".into(),
            partition: 0,
            offset: 0,
            timestamp: chrono::DateTime::default(),
            key: Some(task.to_owned()),
            headers: BTreeMap::new(),
            payload: payload.into_bytes(),
        }
    }

    fn record(task: &str, sequence: u64) -> Record {
        triggered(task, sequence, "2027-01-01T00:00:00Z", "2027-01-01T00:00:00.002Z")
    }

    fn noted(ledger: &mut Ledger, record: &Record) -> Noted {
        ledger.note(record, &read(record).unwrap())
    }

    #[test]
    fn order_without_gaps_is_fine_and_repeats_are_counted() {
        let mut ledger = Ledger::default();
        for (task, sequence) in [("a", 1), ("b", 1), ("a", 2), ("a", 3)] {
            assert_eq!(noted(&mut ledger, &record(task, sequence)), Noted::New);
        }
        assert_eq!(noted(&mut ledger, &record("a", 2)), Noted::Repeat);
        assert_eq!(ledger.repeats(), 1);
        assert!(ledger.faults().is_empty());
    }

    #[test]
    fn gaps_disorder_foreign_keys_and_wandering_are_faults() {
        let mut ledger = Ledger::default();
        noted(&mut ledger, &record("a", 2));
        assert!(ledger.faults()[0].contains("a:1:reminders-2"), "{:?}", ledger.faults());
        noted(&mut ledger, &Record { key: Some("b".into()), ..record("a", 3) });
        noted(&mut ledger, &Record { partition: 1, ..record("a", 4) });
        assert_eq!(ledger.faults().len(), 3);
    }

    #[test]
    fn an_old_number_under_a_new_id_and_an_old_id_with_new_words_are_faults() {
        let mut ledger = Ledger::default();
        for sequence in [1, 2] {
            noted(&mut ledger, &record("a", sequence));
        }
        let text = |record: &Record| String::from_utf8(record.payload.clone()).unwrap();
        let other = text(&record("a", 1)).replace(":1:reminders-1", ":2:reminders-1");
        let other = Record { payload: other.into_bytes(), ..record("a", 1) };
        assert_eq!(noted(&mut ledger, &other), Noted::New);
        assert!(ledger.faults()[0].contains("a:2:reminders-1"), "{:?}", ledger.faults());
        let moved = triggered("a", 2, "2027-01-01T00:00:00Z", "2027-01-01T00:00:00.003Z");
        assert_eq!(noted(&mut ledger, &moved), Noted::Repeat);
        assert!(ledger.faults()[1].contains("something else"), "{:?}", ledger.faults());
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        assert!(read(&Record { payload: b"{}".to_vec(), ..record("a", 1) }).is_err());
    }
}
