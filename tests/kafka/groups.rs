//! Consumer groups: what one of two was at when it died goes to the others, and nothing is missed.

use crate::subscriber::{Delivery, Heard, Interest, Subscriber, Verdict};
use crate::suite::{Suite, test};
use reminder_contract::names::TASK_UPDATES;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Enough for each partition to have some.
const TASKS: usize = 18;

/// What each of two has heard before one of them dies, and what the third has before the stream ends.
const ENOUGH: usize = 20;

/// Until a group has noticed that a member is gone, and goes on; its session lasts 6 s.
const REBALANCE_DEADLINE: Duration = Duration::from_secs(60);

fn interest(name: &'static str, group: &str) -> Interest {
    Interest { name, group: group.to_owned(), topic: TASK_UPDATES, dead_letters: None }
}

fn heard_by(all: &[Delivery], name: &str) -> usize {
    all.iter().filter(|delivery| delivery.to == name).count()
}

/// Changes all tasks over and over until told to stop; tells the last version of each.
async fn stream(
    suite: &'static Suite,
    tasks: Vec<String>,
    stop: Arc<AtomicBool>,
) -> HashMap<String, u64> {
    let mut versions = HashMap::new();
    let mut round = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        for (number, task) in tasks.iter().enumerate() {
            let replica = if number.is_multiple_of(2) { 1 } else { 2 };
            let fields = json!({ "title": format!("Round {round}"), "userId": "u@example.org" });
            versions.insert(task.clone(), suite.put(replica, task, fields).await);
        }
    }
    versions
}

#[test]
fn a_group_that_loses_one_of_two_and_gets_another_hears_everything_in_order() {
    test(async |suite| {
        let (heard, group) = (Heard::new(), suite.unique("group"));
        let judge = |_: &Delivery| Verdict::Success;
        let join =
            async |name| Subscriber::start(suite, interest(name, &group), &heard, judge).await;
        let (one, _two) = (join("one").await, join("two").await);
        let tasks: Vec<String> = (0..TASKS).map(|_| suite.unique("rebalance")).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stream = tokio::spawn(stream(suite, tasks.clone(), Arc::clone(&stop)));
        heard
            .until("both of the group hear something", REBALANCE_DEADLINE, |all| {
                heard_by(all, "one") >= ENOUGH && heard_by(all, "two") >= ENOUGH
            })
            .await;
        // In the middle of the stream: the partitions of the one are nobody's until the group notices.
        one.crash().await;
        let _three = join("three").await;
        heard
            .until("the third hears something", REBALANCE_DEADLINE, |all| {
                heard_by(all, "three") >= ENOUGH
            })
            .await;
        stop.store(true, Ordering::Relaxed);
        let versions = stream.await.unwrap();
        let all: HashSet<(String, u64)> = versions
            .iter()
            .flat_map(|(task, last)| (1..=*last).map(|version| (task.clone(), version)))
            .collect();
        // One `task.sync` for each version, counted from 1.
        let are_all = |heard: &[Delivery]| {
            let known: HashSet<_> = heard.iter().map(|one| (&one.task, one.sequence)).collect();
            all.iter().all(|(task, number)| known.contains(&(task, *number)))
        };
        heard.until("every fact at least once", REBALANCE_DEADLINE, are_all).await;

        let (mut known, mut last) = (HashSet::new(), HashMap::new());
        let mut deliveries = heard.all();
        deliveries.retain(|one| tasks.contains(&one.task));
        for delivery in &deliveries {
            if !known.insert(&delivery.id) {
                continue;
            }
            let before = last.insert(&delivery.task, delivery.sequence).unwrap_or(0);
            assert_eq!(delivery.sequence, before + 1, "{delivery:?} comes after {before}");
        }
        let again = deliveries.len() - known.len();
        println!("{} facts of {TASKS} tasks, {again} heard again", known.len());
    });
}

#[test]
fn an_event_comes_again_when_its_consumer_dies_before_it_has_answered() {
    test(async |suite| {
        let (heard, group) = (Heard::new(), suite.unique("crash"));
        let silent = |_: &Delivery| Verdict::Silence;
        let dies = Subscriber::start(suite, interest("dies", &group), &heard, silent).await;
        let task = suite.unique("unanswered");
        suite.put(1, &task, json!({ "title": "Again", "userId": "u@example.org" })).await;
        let gets = |name: &'static str| {
            let task = task.clone();
            move |all: &[Delivery]| all.iter().any(|one| one.to == name && one.task == task)
        };
        // It may be at an event of another test first, which it does not answer either.
        let any = |all: &[Delivery]| heard_by(all, "dies") > 0;
        heard.until("the first consumer gets an event", REBALANCE_DEADLINE, any).await;
        let first = heard.all()[0].clone();
        dies.crash().await;

        let well = |_: &Delivery| Verdict::Success;
        let _next = Subscriber::start(suite, interest("next", &group), &heard, well).await;
        heard.until("the second gets it too", REBALANCE_DEADLINE, gets("next")).await;
        let again = |all: &[Delivery]| all.iter().any(|one| one.to == "next" && one.id == first.id);
        heard.until("the very event comes again", REBALANCE_DEADLINE, again).await;
        let same = heard.all().into_iter().find(|one| one.to == "next" && one.id == first.id);
        assert_eq!(same.unwrap(), Delivery { to: "next", ..first });
    });
}
