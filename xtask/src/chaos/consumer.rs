//! Reads all topics for the whole run, each record once whatever becomes of the broker, and tells the
//! scripts what has fired.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use reminder_contract::names;
use reminder_stack::access::Access;
use reminder_stack::events::{Reader, Record};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::history::{Journal, Ms, now};

/// The topics that are read.
const TOPICS: [&str; 3] = [names::REMINDERS, names::TASK_EVENTS, names::TASK_UPDATES];

/// A firing that was seen: the reminder and its time.
pub(super) type Seen = (String, Ms);

/// What was read so far, and who waits for what.
#[derive(Default)]
pub(super) struct Board {
    journal: Mutex<Journal>,
    waiting: Mutex<HashMap<String, mpsc::UnboundedSender<Seen>>>,
}

impl Board {
    /// Everything read so far.
    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The firings of a task from now on.
    pub(super) fn watch(&self, task: &str) -> mpsc::UnboundedReceiver<Seen> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.waiting().insert(task.to_owned(), sender);
        receiver
    }

    /// Nobody waits for that task any more.
    pub(super) fn forget(&self, task: &str) {
        self.waiting().remove(task);
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<Seen>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, record: &Record, arrived: Ms) {
        let Some((task, trigger)) = self.journal().note(record, arrived) else { return };
        if let Some(sender) = self.waiting().get(&task) {
            // Whoever has stopped waiting need not be told.
            sender.send((trigger.reminder, trigger.scheduled_for)).ok();
        }
    }
}

/// Reads what is written from now on, until it is aborted.
pub(super) async fn follow(broker: Access, board: Arc<Board>) -> Result<JoinHandle<()>> {
    let reader = Reader::connect(broker).await?;
    let mut offsets = Offsets(reader.ends(&TOPICS).await?);
    let mut tail = reader.tail(&TOPICS, &offsets.0).await?;
    Ok(tokio::spawn(async move {
        while let Ok(record) = tail.next().await {
            let place = offsets.take(&record);
            if record.is_canary() {
                continue;
            }
            match place {
                Place::Next => board.note(&record, now()),
                Place::Before => {}
                Place::Beyond(left_out) => {
                    let (topic, partition) = (&record.topic, record.partition);
                    let doubt = format!("{topic}/{partition}: {left_out} records were not read");
                    board.journal().doubts.push(doubt);
                    board.note(&record, now());
                }
            }
        }
    }))
}

/// Which record comes next in each partition.
struct Offsets(BTreeMap<(String, i32), i64>);

/// Where a record lies.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Next,
    /// It was read before.
    Before,
    /// So many were left out.
    Beyond(i64),
}

impl Offsets {
    fn take(&mut self, record: &Record) -> Place {
        let next = self.0.entry((record.topic.clone(), record.partition)).or_insert(0);
        let left_out = record.offset - *next;
        if left_out < 0 {
            return Place::Before;
        }
        *next = record.offset + 1;
        if left_out == 0 { Place::Next } else { Place::Beyond(left_out) }
    }
}

#[cfg(test)]
mod tests {
    use super::Place::{Before, Beyond, Next};
    use super::*;
    use crate::ledger::tests::triggered;

    #[test]
    fn records_are_taken_once_and_holes_are_told() {
        let mut offsets = Offsets(BTreeMap::from([(("reminders".into(), 0), 5)]));
        let at = |offset| Record {
            offset,
            ..triggered("a", 1, "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
        };
        let places = [5, 6, 6, 5, 9, 10].map(|offset| offsets.take(&at(offset)));
        assert_eq!(places, [Next, Next, Before, Before, Beyond(2), Next]);
    }

    #[test]
    fn who_waits_is_told_of_new_firings_only() {
        let board = Board::default();
        let mut watch = board.watch("a");
        let record = triggered("a", 1, "1970-01-01T00:00:01Z", "1970-01-01T00:00:01.5Z");
        board.note(&record, 2_000);
        board.note(&record, 2_100);
        assert_eq!(watch.try_recv().unwrap(), ("due".to_owned(), 1_000));
        assert!(watch.try_recv().is_err());
        board.forget("a");
        assert!(watch.try_recv().is_err() && board.journal().records == 2);
    }
}
