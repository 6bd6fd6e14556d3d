//! Every event of this run, read by a consumer that checks what must hold of all of them: per task
//! and topic the sequence has no gap and no step back once known ids are dropped, and one key stays
//! on one partition.

use crate::event::Event;
use reminder_contract::cloud_event::SOURCE;
use reminder_contract::dead_letter::REPLAY_OF;
use reminder_contract::names::{REMINDERS, TASK_EVENTS, TASK_UPDATES};
use reminder_stack::events::{Reader, Record, Tail};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

const TOPICS: [&str; 3] = [REMINDERS, TASK_EVENTS, TASK_UPDATES];

/// What was read so far.
#[derive(Clone)]
pub(crate) struct Journal {
    pages: Arc<Mutex<Pages>>,
    /// Counts the records read.
    read: watch::Receiver<u64>,
}

#[derive(Default)]
struct Pages {
    run: String,
    by_task: HashMap<String, Vec<Event>>,
    /// What each id told.
    told: HashMap<String, Value>,
    /// The last incarnation and sequence by task and topic.
    sequences: HashMap<(String, String), (u64, u64)>,
    partitions: HashMap<(String, String), i32>,
    /// How many events of each task came again.
    repeats: HashMap<String, u64>,
    faults: Vec<String>,
}

impl Journal {
    /// Reads what is written from now on.
    pub(crate) async fn start(bootstrap: &str, run: &str) -> anyhow::Result<Self> {
        let tail = Reader::connect(bootstrap).await?.live(&TOPICS).await?;
        let pages = Arc::new(Mutex::new(Pages { run: run.to_owned(), ..Pages::default() }));
        let (sender, read) = watch::channel(0);
        tokio::spawn(follow(tail, Arc::clone(&pages), sender));
        Ok(Self { pages, read })
    }

    /// The `nth` event (from 1) of that task and type.
    pub(crate) async fn wait_for(
        &self,
        task: &str,
        kind: &str,
        nth: usize,
        limit: Duration,
    ) -> Event {
        let find = || {
            let of_kind = self.events(task).into_iter().filter(|event| event.kind == kind);
            of_kind.clone().nth(nth - 1)
        };
        let deadline = Instant::now() + limit;
        let mut read = self.read.clone();
        loop {
            read.mark_unchanged();
            if let Some(event) = find() {
                return event;
            }
            if timeout_at(deadline, read.changed()).await.is_err() {
                let seen: Vec<String> = self
                    .events(task)
                    .iter()
                    .map(|e| format!("{} {}", e.kind, e.sequence))
                    .collect();
                panic!("{task}: no {kind} number {nth} within {limit:?}; seen: {seen:?}");
            }
        }
    }

    /// The events of a task so far, in the order read, duplicates dropped.
    pub(crate) fn events(&self, task: &str) -> Vec<Event> {
        self.pages().by_task.get(task).cloned().unwrap_or_default()
    }

    /// How many events of a task came again under an id that was known.
    pub(crate) fn repeats(&self, task: &str) -> u64 {
        self.pages().repeats.get(task).copied().unwrap_or(0)
    }

    /// Fails when any event of this run was not as it must be.
    pub(crate) fn assert_sound(&self) {
        let faults = self.pages().faults.clone();
        assert!(faults.is_empty(), "events of this run are wrong:\n{}", faults.join("\n"));
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap()
    }
}

async fn follow(mut tail: Tail, pages: Arc<Mutex<Pages>>, read: watch::Sender<u64>) {
    while let Ok(record) = tail.next().await {
        if !of_a_neighbour(&record) {
            pages.lock().unwrap().note(&record);
        }
        read.send_modify(|count| *count += 1);
    }
}

/// What others publish on `task-events`, or tests in their place: anything at all.
fn of_a_neighbour(record: &Record) -> bool {
    let ours = record.json().is_ok_and(|event| event["source"] == SOURCE);
    record.topic == TASK_EVENTS && !ours
}

impl Pages {
    fn note(&mut self, record: &Record) {
        // What an operator has sent again may be anything; tests/e2e/dead_letters.rs looks at it.
        if record.headers.contains_key(REPLAY_OF) {
            return;
        }
        let place = format!("{}/{}@{}", record.topic, record.partition, record.offset);
        let event = match Event::read(record) {
            Ok(event) => event,
            Err(reason) => return self.faults.push(format!("{place}: {reason}")),
        };
        // Earlier runs on the same stack left tasks behind that may fire now.
        if !event.task.contains(&self.run) {
            return;
        }
        let faults = event.faults(record);
        self.faults.extend(faults.into_iter().map(|fault| format!("{place}: {fault}")));
        let lane = (event.task.clone(), event.topic.clone());
        let partition = *self.partitions.entry(lane.clone()).or_insert(event.partition);
        if partition != event.partition {
            self.faults.push(format!("{place}: {} was on partition {partition}", event.id));
        }
        if let Some(before) = self.told.insert(event.id.clone(), event.data().clone()) {
            *self.repeats.entry(event.task.clone()).or_default() += 1;
            if before != *event.data() {
                self.faults.push(format!("{place}: {} told {before} before", event.id));
            }
            return;
        }
        let next = (event.incarnation, event.sequence);
        let last = self.sequences.insert(lane, next).unwrap_or((1, 0));
        // A restore and a repair make the numbers of a task jump, under a later incarnation.
        let follows = if next.0 > last.0 { next.1 > last.1 } else { next == (last.0, last.1 + 1) };
        if !follows {
            self.faults.push(format!("{place}: {} comes after {last:?}", event.id));
        }
        self.by_task.entry(event.task.clone()).or_default().push(event);
    }
}
