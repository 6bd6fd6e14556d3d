//! Batches against tasks and dead letters that do as they are told.

use super::batch::{Record, Verdict};
use super::follow::Ingest;
use super::ports::{DeadLetters, Followed, Letter, NotFollowed, Tasks};
use super::settings::Settings;
use crate::clock::SystemClock;
use crate::ports::CallError;
use async_trait::async_trait;
use reminder_contract::dead_letter::{CUT_FROM, DAPR_KEY, DETAIL, EVENT_ID, ORIGIN_OFFSET, REASON};
use reminder_contract::incoming::TaskNews;
use reminder_contract::size::MESSAGE_MAX_BYTES;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// What was followed and put away, in order; tasks whose name says so fail.
#[derive(Default)]
struct World {
    followed: Mutex<Vec<String>>,
    letters: Mutex<Vec<Letter>>,
    /// How often a call to `flaky` fails before it succeeds.
    failures: AtomicUsize,
    broker_down: AtomicBool,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

#[async_trait]
impl Tasks for World {
    async fn follow(&self, news: &TaskNews, event: &[u8]) -> Result<Followed, NotFollowed> {
        let running = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(running, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let fails = |left: usize| left.checked_sub(1);
        let id = &news.task_id;
        match id.as_str() {
            "down" => return Err(NotFollowed::Transient("no answer".into())),
            "refused" => return Err(NotFollowed::Refused("task.dueDate is too far away".into())),
            "flaky"
                if self
                    .failures
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails)
                    .is_ok() =>
            {
                return Err(NotFollowed::Transient("once more".into()));
            }
            _ => {}
        }
        let event: serde_json::Value = serde_json::from_slice(event).unwrap();
        self.followed.lock().unwrap().push(format!("{id} {}", event["version"]));
        Ok(Followed::Applied)
    }
}

#[async_trait]
impl DeadLetters for World {
    async fn bury(&self, letter: Letter) -> Result<(), CallError> {
        if self.broker_down.load(Ordering::SeqCst) {
            return Err(CallError("the broker is away".into()));
        }
        self.letters.lock().unwrap().push(letter);
        Ok(())
    }
}

fn ingest(world: &Arc<World>, stopping: CancellationToken) -> Arc<Ingest<World>> {
    let settings = Settings { enabled: true, concurrency: 4, batch: 100 };
    Ingest::new(Arc::clone(world), Arc::new(SystemClock), settings, stopping)
}

fn record(task: &str, version: u64) -> Record {
    let value = json!({ "taskId": task, "title": "t", "version": version }).to_string();
    let metadata = [(DAPR_KEY, task), ("__partition", "2"), ("__offset", "17")];
    let metadata = metadata.map(|(name, text)| (name.to_owned(), text.to_owned()));
    Record { value: value.into_bytes(), metadata: BTreeMap::from(metadata) }
}

async fn take(world: &Arc<World>, records: Vec<Record>) -> Vec<Verdict> {
    ingest(world, CancellationToken::new()).take(records).await
}

#[tokio::test]
async fn tasks_run_beside_one_another_and_each_in_its_order() {
    let world = Arc::new(World::default());
    let tasks = ["a", "b", "c", "d", "e", "f"];
    let records: Vec<_> =
        (1..=20).flat_map(|version| tasks.map(|task| record(task, version))).collect();
    let verdicts = take(&world, records).await;
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Done));
    let followed = world.followed.lock().unwrap();
    for task in tasks {
        let own = followed.iter().filter(|one| one.starts_with(&format!("{task} ")));
        let expected: Vec<_> = (1..=20).map(|version| format!("{task} {version}")).collect();
        assert_eq!(own.cloned().collect::<Vec<_>>(), expected);
    }
    assert_eq!(world.most_at_once.load(Ordering::SeqCst), 4, "the bound is used and kept");
}

#[tokio::test(start_paused = true)]
async fn what_fails_in_passing_is_tried_again_here() {
    let world = Arc::new(World { failures: AtomicUsize::new(3), ..World::default() });
    assert_eq!(
        take(&world, vec![record("flaky", 1), record("flaky", 2)]).await,
        [Verdict::Done; 2]
    );
    assert_eq!(*world.followed.lock().unwrap(), ["flaky 1", "flaky 2"]);
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_failing_comes_again_with_all_that_follows_of_its_task() {
    let world = Arc::new(World::default());
    let records = vec![record("down", 1), record("well", 1), record("down", 2), record("well", 2)];
    let verdicts = take(&world, records).await;
    assert_eq!(verdicts, [Verdict::Again, Verdict::Done, Verdict::Again, Verdict::Done]);
    assert!(world.letters.lock().unwrap().is_empty(), "nothing is wrong with it");
}

#[tokio::test]
async fn what_cannot_be_handled_is_put_away_and_blocks_nobody() {
    let world = Arc::new(World::default());
    let mut nonsense = record("a", 1);
    nonsense.value = b"\xffnonsense".to_vec();
    let mut untitled = record("a", 1);
    untitled.value =
        json!({ "specversion": "1.0", "id": "e-1", "source": "/x", "type": "task.created", "data": { "taskId": "a" } })
            .to_string()
            .into_bytes();
    let records = vec![nonsense.clone(), untitled, record("refused", 1), record("a", 2)];
    assert_eq!(take(&world, records).await, [Verdict::Done; 4]);
    assert_eq!(*world.followed.lock().unwrap(), ["a 2"]);
    let mut letters = world.letters.lock().unwrap().clone();
    letters.sort_by_key(|letter| header(letter, REASON).to_owned());
    let [invalid, malformed, refused] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(malformed.value, nonsense.value);
    assert_eq!(malformed.key.as_deref(), Some("a"));
    assert_eq!(header(malformed, REASON), "malformed");
    assert_eq!(header(malformed, ORIGIN_OFFSET), "17");
    assert_eq!(header(invalid, DETAIL), "title is missing");
    assert_eq!(header(invalid, EVENT_ID), "e-1");
    assert_eq!(header(refused, DETAIL), "task.dueDate is too far away");
}

#[tokio::test]
async fn a_record_that_is_too_large_for_a_letter_is_put_away_by_its_beginning_and_blocks_nobody() {
    let world = Arc::new(World::default());
    let mut vast = record("a", 1);
    vast.value = vec![b'x'; MESSAGE_MAX_BYTES];
    vast.metadata.insert("__offset".into(), "18".into());
    let mut far_too_named = record("a", 2);
    far_too_named.value = b"x".to_vec();
    far_too_named.metadata.insert(DAPR_KEY.into(), "k".repeat(MESSAGE_MAX_BYTES));
    let records = vec![vast, far_too_named, record("a", 3)];
    assert_eq!(take(&world, records).await, [Verdict::Done; 3]);
    assert_eq!(*world.followed.lock().unwrap(), ["a 3"]);
    let letters = world.letters.lock().unwrap();
    let bytes = |letter: &Letter| {
        let headers: usize =
            letter.headers.iter().map(|(name, text)| name.len() + text.len()).sum();
        letter.value.len() + letter.key.as_ref().map_or(0, String::len) + headers
    };
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|letter| bytes(letter) < MESSAGE_MAX_BYTES));
    let of = |offset| letters.iter().find(|one| header(one, ORIGIN_OFFSET) == offset).unwrap();
    assert_eq!(header(of("18"), CUT_FROM), MESSAGE_MAX_BYTES.to_string());
    assert_eq!(of("18").key.as_deref(), Some("a"));
    assert_eq!(header(of("17"), CUT_FROM), "1");
}

fn header<'a>(letter: &'a Letter, name: &str) -> &'a str {
    let found = letter.headers.iter().find(|(found, _)| *found == name);
    found.map_or("", |(_, text)| text)
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_cannot_be_put_away_comes_again() {
    let world = Arc::new(World::default());
    world.broker_down.store(true, Ordering::SeqCst);
    let records = vec![record("refused", 1), record("refused", 2), record("a", 1)];
    assert_eq!(take(&world, records).await, [Verdict::Again, Verdict::Again, Verdict::Done]);
}

#[tokio::test]
async fn own_events_and_other_types_are_done_with() {
    let world = Arc::new(World::default());
    let event = |source: &str, name: &str| {
        Record {
        value: json!({ "specversion": "1.0", "id": "1", "source": source, "type": name, "data": { "taskId": "a", "title": "t" } })
            .to_string()
            .into_bytes(),
        metadata: BTreeMap::new(),
    }
    };
    let records = vec![event("/reminder-scheduler", "task.updated"), event("/x", "task.archived")];
    assert_eq!(take(&world, records).await, [Verdict::Done; 2]);
    assert!(world.followed.lock().unwrap().is_empty());
    assert!(world.letters.lock().unwrap().is_empty());
}

#[tokio::test]
async fn while_it_stops_everything_comes_again() {
    let world = Arc::new(World::default());
    let stopping = CancellationToken::new();
    stopping.cancel();
    let verdicts = ingest(&world, stopping).take(vec![record("a", 1)]).await;
    assert_eq!(verdicts, [Verdict::Again]);
    assert!(world.followed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_time_beyond_every_calendar_is_put_away_and_stops_no_other_record() {
    let world = Arc::new(World::default());
    let far = "+262142-12-31T23:59:59.9999";
    let odd = |fields: serde_json::Value| {
        let mut task = json!({ "taskId": "odd", "title": "t", "version": 1 });
        task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Record { value: task.to_string().into_bytes(), ..record("odd", 1) }
    };
    let due = json!({ "local": "2027-03-01T09:00:00" });
    let records = vec![
        odd(json!({ "dueDate": { "local": far } })),
        odd(json!({ "dueDate": due, "recurrence": { "rule": "FREQ=DAILY", "start": far } })),
        odd(json!({ "reminders": [{ "id": "r", "at": { "local": far, "zone": "UTC" } }] })),
        record("well", 1),
    ];
    assert_eq!(take(&world, records).await, [Verdict::Done; 4]);
    assert_eq!(*world.followed.lock().unwrap(), ["well 1"]);
    let letters = world.letters.lock().unwrap();
    assert!(letters.iter().all(|letter| header(letter, DETAIL).contains("four digits")));
    assert_eq!(letters.len(), 3);
}
