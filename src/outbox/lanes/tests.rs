//! The promises of the outbox, under random successes and failures of the broker.

use super::*;
use crate::turn::draft::{Ledger, Standing};
use crate::turn::effect::Handover;
use proptest::prelude::*;
use reminder_domain::command::{IfPast, Put};
use reminder_domain::decide::{Turn, decide};
use reminder_domain::state::{PendingCommit, Stamp};
use reminder_domain::{Command, CommandKind, Origin, Task, TaskState, Timestamp};
use std::collections::HashMap;

mod outage;

/// A state with one pending commit of `reminders` scheduled reminders, stamped `stamp`.
fn handover(id: &TaskId, stamp: Stamp, reminders: usize) -> Handover {
    handover_with(id, stamp, reminders, "")
}

/// The same of a task with more fields.
fn handover_with(id: &TaskId, stamp: Stamp, reminders: usize, fields: &str) -> Handover {
    let list: Vec<String> =
        (0..reminders).map(|r| format!(r#"{{"id":"r{r}","before":"PT{r}M"}}"#)).collect();
    let json = format!(
        r#"{{"title":"t","dueDate":"2027-01-01T00:00:00Z","reminders":[{}]{fields}}}"#,
        list.join(",")
    );
    let task: Task = serde_json::from_str(&json).unwrap();
    let command = Command {
        kind: CommandKind::Put(Box::new(Put { task, if_past: IfPast::Fire, restored: Vec::new() })),
        id: None,
        fingerprint: 0,
        if_version: None,
        as_user: None,
        origin: Origin::default(),
    };
    let now = Timestamp::from_millis(1_700_000_000_000);
    let Ok(Turn::Commit(change)) = decide(id, None, &command, None, now) else {
        panic!("a put commits");
    };
    let mut state: TaskState = change.state;
    state.pending.push(PendingCommit {
        stamp,
        at: now,
        origin: Origin::default(),
        snapshot: None,
        incarnation: None,
        trace: None,
        events: change.events,
    });
    Handover::new(Arc::new(state), 0)
}

fn task(n: usize) -> TaskId {
    TaskId::parse(format!("t{n}")).unwrap()
}

#[test]
fn the_watermark_waits_for_the_oldest_commit() {
    let mut outbox = Outbox::new(1);
    let stamps: Vec<Stamp> = (0..3).map(|_| outbox.reserve()).collect();
    assert_eq!(outbox.watermark(), 0);
    // The second is given up, the third published: the first still holds the mark.
    outbox.release(stamps[1]);
    outbox.enqueue(&task(0), handover(&task(0), stamps[2], 0));
    drain(&mut outbox);
    assert_eq!(outbox.standing(3), Standing::Published);
    assert_eq!(outbox.watermark(), 0);
    outbox.release(stamps[0]);
    assert_eq!(outbox.watermark(), 3);
}

#[test]
fn the_oldest_is_the_first_that_waits_for_the_broker() {
    let mut outbox = Outbox::new(1);
    let stamps: Vec<Stamp> = (0..3).map(|_| outbox.reserve()).collect();
    assert!(outbox.oldest().is_none(), "what is not committed does not wait");
    for n in [2, 1] {
        outbox.enqueue(&task(n), handover(&task(n), stamps[n], 1));
    }
    assert_eq!(outbox.oldest().unwrap().commit().stamp, stamps[1]);
    drain(&mut outbox);
    assert!(outbox.oldest().is_none());
}

#[test]
fn what_waits_is_bounded_in_bytes_as_well() {
    let mut outbox = Outbox::new(1);
    let fields = format!(r#","description":"{}""#, "d".repeat(10_000));
    let mut commits = 0;
    while !outbox.is_full() {
        let stamp = outbox.reserve();
        outbox.enqueue(&task(commits), handover_with(&task(commits), stamp, 0, &fields));
        commits += 1;
    }
    assert!(outbox.waiting() < EVENTS_MAX / 4, "{commits} commits");
    drain(&mut outbox);
    assert!(!outbox.is_full());
    assert_eq!((outbox.waiting(), outbox.waiting_bytes), (0, 0));
}

#[test]
fn a_commit_that_waits_keeps_none_of_the_others_of_its_task() {
    let mut outbox = Outbox::new(1);
    let first = handover(&task(0), outbox.reserve(), 1);
    let mut state = first.state().clone();
    let told = state.snapshot().map(Box::new);
    for _ in 0..2 {
        let before = state.pending.last().unwrap().clone();
        state.pending.last_mut().unwrap().snapshot = told.clone();
        state.pending.push(PendingCommit { stamp: outbox.reserve(), ..before });
    }
    let state = Arc::new(state);
    for index in 0..3 {
        let alone = Handover::new(Arc::clone(&state), index);
        assert_eq!(alone.commit().stamp, state.pending[index].stamp);
        assert_eq!(alone.state().pending.len(), 1);
        assert_eq!(Some(alone.snapshot()), told.as_deref());
        assert_eq!(alone.incarnation(), first.incarnation());
        assert_eq!(alone.state().updated_at, state.updated_at, "whether it is news");
    }
}

#[test]
fn a_queued_commit_cannot_be_given_back() {
    let mut outbox = Outbox::new(1);
    let stamp = outbox.reserve();
    outbox.enqueue(&task(0), handover(&task(0), stamp, 1));
    outbox.release(stamp);
    assert_eq!((outbox.standing(1), outbox.watermark()), (Standing::Queued, 0));
}

#[test]
fn a_batch_holds_one_event_per_task() {
    let mut outbox = Outbox::new(1);
    for n in [0, 0, 1] {
        let stamp = outbox.reserve();
        outbox.enqueue(&task(n), handover(&task(n), stamp, 3));
    }
    let Next::Send(batch) = outbox.next(Topic::Reminders, 0) else { panic!("there is work") };
    let tasks: Vec<&str> = batch.items.iter().map(|item| item.task.as_str()).collect();
    assert_eq!(tasks, ["t0", "t1"]);
    assert!(matches!(outbox.next(Topic::Reminders, 0), Next::Idle), "both lanes are on their way");
}

#[test]
fn a_batch_of_large_events_keeps_to_the_limit_of_a_message() {
    let mut outbox = Outbox::new(1);
    // Quotes, so that what is written is twice as long as the text.
    let description = r#"\""#.repeat(reminder_domain::limits::DESCRIPTION_MAX_CHARS);
    let fields = format!(r#","description":"{description}""#);
    for n in 0..200 {
        let stamp = outbox.reserve();
        outbox.enqueue(&task(n), handover_with(&task(n), stamp, 3, &fields));
    }
    for topic in Topic::ALL {
        let mut left = match topic {
            Topic::Reminders => 600,
            Topic::TaskEvents | Topic::TaskUpdates => 200,
        };
        let mut now_ms = 0;
        while let Next::Send(batch) = outbox.next(topic, now_ms) {
            now_ms += LONG_INTERVAL_MS;
            let written: usize = batch.items.iter().map(written).sum();
            assert!(written <= MESSAGE_MAX_BYTES, "{written} of {} events", batch.items.len());
            assert!(batch.items.len() < 100, "its bytes count, not its events");
            left -= batch.items.len();
            outbox.finished(batch, true, 0);
        }
        assert_eq!(left, 0);
    }
}

/// The size of an event as it goes out.
fn written(item: &Item) -> usize {
    let (commit, handover) = (item.handover.commit(), &item.handover);
    let (incarnation, snapshot) = (handover.incarnation(), handover.snapshot());
    let event = &commit.events[item.index];
    reminder_contract::cloud_event::encode(&item.task, incarnation, commit, snapshot, event).len()
}

#[test]
fn an_open_breaker_lets_one_batch_through_at_a_time() {
    let mut outbox = Outbox::new(1);
    let mut now_ms = 0;
    let stamp = outbox.reserve();
    outbox.enqueue(&task(0), handover(&task(0), stamp, 1));
    while outbox.failures(Topic::Reminders) < 3 {
        match outbox.next(Topic::Reminders, now_ms) {
            Next::Send(batch) => outbox.finished(batch, false, now_ms),
            Next::WaitUntil(at_ms) | Next::IdleUntil(at_ms) => now_ms = at_ms,
            Next::Idle => panic!("the event must be tried again"),
        }
    }
    let stamp = outbox.reserve();
    outbox.enqueue(&task(1), handover(&task(1), stamp, 1));
    now_ms += 1_000_000;
    let Next::Send(probe) = outbox.next(Topic::Reminders, now_ms) else { panic!("a probe") };
    assert_eq!(probe.items.len(), 1, "an event that always fails must not take others with it");
    assert!(matches!(outbox.next(Topic::Reminders, now_ms), Next::IdleUntil(_)));
}

#[test]
fn what_comes_right_after_a_batch_goes_together_unless_it_fills_one() {
    let mut outbox = Outbox::new(1);
    let add = |outbox: &mut Outbox, tasks: std::ops::Range<usize>| {
        for n in tasks {
            let stamp = outbox.reserve();
            outbox.enqueue(&task(n), handover(&task(n), stamp, 1));
        }
    };
    let sent = |outbox: &mut Outbox, now_ms| match outbox.next(Topic::Reminders, now_ms) {
        Next::Send(batch) => {
            let size = batch.items.len();
            outbox.finished(batch, true, now_ms);
            size
        }
        _ => 0,
    };
    add(&mut outbox, 0..1);
    assert_eq!(sent(&mut outbox, 1_000), 1, "one on its own waits for nothing");
    add(&mut outbox, 1..4);
    let next = outbox.next(Topic::Reminders, 1_001);
    assert!(matches!(next, Next::WaitUntil(at_ms) if at_ms == 1_000 + SHORT_INTERVAL_MS));
    assert_eq!(sent(&mut outbox, 1_000 + SHORT_INTERVAL_MS), 3);
    add(&mut outbox, 4..4 + BATCH_MAX);
    assert_eq!(
        sent(&mut outbox, 1_001 + SHORT_INTERVAL_MS),
        BATCH_MAX,
        "a full one waits for none"
    );
    add(&mut outbox, 0..1);
    assert_eq!(sent(&mut outbox, 10), 1, "the clock was set back");
}

#[test]
fn what_nobody_waits_for_gathers_for_longer_unless_a_task_has_more_to_tell() {
    let mut outbox = Outbox::new(1);
    let add = |outbox: &mut Outbox, n: usize| {
        let stamp = outbox.reserve();
        outbox.enqueue(&task(n), handover(&task(n), stamp, 1));
    };
    let wait = |outbox: &mut Outbox, topic, now_ms| match outbox.next(topic, now_ms) {
        Next::WaitUntil(at_ms) => at_ms - now_ms,
        _ => 0,
    };
    add(&mut outbox, 0);
    for topic in Topic::ALL {
        let Next::Send(batch) = outbox.next(topic, 1_000) else { panic!("it is alone") };
        outbox.finished(batch, true, 1_000);
    }
    add(&mut outbox, 1);
    assert_eq!(wait(&mut outbox, Topic::Reminders, 1_000), SHORT_INTERVAL_MS);
    assert_eq!(wait(&mut outbox, Topic::TaskUpdates, 1_000), LONG_INTERVAL_MS);
    add(&mut outbox, 1);
    assert_eq!(wait(&mut outbox, Topic::TaskUpdates, 1_000), SHORT_INTERVAL_MS);
    // The first of the two went out; the second one is not kept from following it.
    let Next::Send(batch) = outbox.next(Topic::TaskUpdates, 1_020) else { panic!("it is time") };
    outbox.finished(batch, true, 1_021);
    assert_eq!(wait(&mut outbox, Topic::TaskUpdates, 1_020), SHORT_INTERVAL_MS);
}

/// Publishes everything; panics if it does not come to an end.
fn drain(outbox: &mut Outbox) {
    for round in 0..10_000 {
        let mut idle = true;
        for topic in Topic::ALL {
            if let Next::Send(batch) = outbox.next(topic, round * LONG_INTERVAL_MS) {
                outbox.finished(batch, true, 0);
                idle = false;
            }
        }
        if idle {
            return;
        }
    }
    panic!("the outbox does not become empty");
}

proptest! {
    /// Whatever fails in between, each task's events arrive in order, one at a time, none is lost,
    /// and the watermark never passes a commit that is not published.
    #[test]
    fn order_and_watermark_survive_failures(
        commits in prop::collection::vec((0_usize..4, 0_usize..3), 1..20),
        outcomes in prop::collection::vec(any::<bool>(), 0..200),
    ) {
        let mut outbox = Outbox::new(1);
        let mut stamps = Vec::new();
        for (n, reminders) in commits {
            let stamp = outbox.reserve();
            stamps.push((stamp, task(n)));
            outbox.enqueue(&task(n), handover(&task(n), stamp, reminders));
        }
        let mut outcomes = outcomes.into_iter();
        let mut arrived: HashMap<(Topic, TaskId), Vec<(u64, usize)>> = HashMap::new();
        let mut now_ms = 0;
        while outbox.waiting() > 0 {
            now_ms += 1_000_000;
            for topic in Topic::ALL {
                let mut sent = Vec::new();
                while let Next::Send(batch) = outbox.next(topic, now_ms) {
                    sent.push(batch);
                }
                // They come back in the other order.
                while let Some(batch) = sent.pop() {
                    let acknowledged = outcomes.next().unwrap_or(true);
                    for item in batch.items.iter().filter(|_| acknowledged) {
                        let n = item.handover.commit().stamp.n;
                        let lane = arrived.entry((topic, item.task.clone())).or_default();
                        lane.push((n, item.index));
                    }
                    outbox.finished(batch, acknowledged, now_ms);
                }
            }
            let mark = outbox.watermark();
            for (stamp, _) in stamps.iter().filter(|(stamp, _)| stamp.n <= mark) {
                prop_assert_eq!(outbox.standing(stamp.n), Standing::Published);
            }
        }
        for lane in arrived.values() {
            prop_assert!(lane.is_sorted(), "out of order: {:?}", lane);
        }
        prop_assert_eq!(outbox.watermark(), stamps.len() as u64);
    }
}
