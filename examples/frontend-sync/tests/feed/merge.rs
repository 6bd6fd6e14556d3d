//! How what arrives in any order becomes one task.

use crate::changes::{USER, assigned, commented, listed, synced, synced_of};
use frontend_sync::feed::{Body, CLOSED_MAX, Change, Comments, Feed, Shown, Snapshot, TASKS_MAX};
use proptest::prelude::*;

fn fed(changes: impl IntoIterator<Item = Change>) -> (Feed, Vec<Body>) {
    let mut feed = Feed::new(USER.into(), 0);
    let mut told = Vec::new();
    for (change, number) in changes.into_iter().zip(1..) {
        told.extend(feed.apply(change, || number).map(|message| (*message.body).clone()));
    }
    (feed, told)
}

fn snapshot(feed: &Feed) -> Snapshot {
    match (*feed.snapshot().body).clone() {
        Body::Snapshot(snapshot) => snapshot,
        other => panic!("not a snapshot: {other:?}"),
    }
}

fn only(feed: &Feed) -> Shown {
    let mut tasks = snapshot(feed).tasks;
    assert_eq!(tasks.len(), 1);
    tasks.remove(0)
}

fn change() -> impl Strategy<Value = Change> {
    let status = prop_oneof![Just("pending"), Just("in_progress"), Just("completed")];
    let user = prop_oneof![3 => Just(USER), 1 => Just("bob")];
    let (task, version) = (prop_oneof![Just("a"), Just("b")], 1..9u64);
    (task, version, status, user, 0..4u8).prop_map(|(task, version, status, user, kind)| {
        match kind {
            // What a version says is always the same.
            0 => synced_of(task, version, if version == 8 { "completed" } else { "pending" }, {
                if version == 7 { "bob" } else { USER }
            }),
            1 => listed(task, version),
            2 => assigned(task, version),
            _ if user == USER => commented(task, version),
            _ => synced(task, 9, status),
        }
    })
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_matters(
        (changes, shuffled) in proptest::collection::vec(change(), 1..40)
            .prop_filter("one content per version", |changes| {
                let last = |c: &&Change| matches!(c, Change::Synced(sync) if sync.task.version == 9);
                changes.iter().filter(last).count() <= 1
            })
            .prop_flat_map(|changes| (Just(changes.clone()), Just(changes).prop_shuffle())),
        again in any::<proptest::sample::Index>(),
    ) {
        let (once, _) = fed(changes.clone());
        let repeated = shuffled.clone().into_iter().chain([changes[again.index(changes.len())].clone()]);
        let (other, _) = fed(repeated);
        prop_assert_eq!(snapshot(&once), snapshot(&other));
    }
}

#[test]
fn the_higher_version_wins() {
    let (feed, told) = fed([synced("a", 3, "pending"), synced("a", 2, "pending")]);
    assert_eq!(only(&feed).sync.task.version, 3);
    assert_eq!(told.len(), 1, "old news is told to nobody");
}

#[test]
fn what_the_owner_has_is_there_before_the_scheduler_has_heard_of_it() {
    let (feed, told) = fed([listed("a", 1)]);
    assert_eq!(only(&feed).sync.task.version, 0);
    assert!(only(&feed).sync.reminders.is_empty());
    assert_eq!(told.len(), 1);
    let (feed, _) = fed([listed("a", 1), synced("a", 1, "pending"), listed("a", 9)]);
    assert_eq!(only(&feed).sync.task.title, "a at 1");
}

#[test]
fn an_assignment_holds_until_the_scheduler_knows_of_a_later_one() {
    let (feed, _) = fed([synced("a", 3, "pending"), assigned("a", 4)]);
    assert_eq!(only(&feed).sync.task.assignee.as_deref(), Some("person 4"));
    let (feed, _) = fed([assigned("a", 4), synced("a", 3, "pending"), assigned("a", 2)]);
    assert_eq!(only(&feed).sync.task.assignee.as_deref(), Some("person 4"));
    let (feed, _) = fed([synced("a", 4, "pending"), assigned("a", 4)]);
    assert_eq!(only(&feed).sync.task.assignee, None, "the scheduler has followed");
}

#[test]
fn comments_of_a_task_that_is_not_there_yet_wait_for_it() {
    let (feed, told) = fed([commented("a", 2)]);
    assert!(snapshot(&feed).tasks.is_empty() && told.is_empty());
    let (feed, _) = fed([commented("a", 2), synced("a", 1, "pending")]);
    assert_eq!(only(&feed).comments.map(|comments| comments.count), Some(2));
}

#[test]
fn comments_are_no_versions_of_the_task() {
    let comments = |count| {
        let comments = Comments { count, last: None };
        Change::Commented { task_id: "a".into(), comments, version: 1 }
    };
    let (feed, told) = fed([synced("a", 1, "pending"), comments(1), comments(2), comments(1)]);
    assert_eq!(only(&feed).comments.map(|comments| comments.count), Some(2));
    assert_eq!(told.len(), 3);
}

#[test]
fn what_is_done_is_told_once_and_does_not_come_back() {
    let (feed, told) =
        fed([synced("a", 1, "pending"), synced("a", 2, "completed"), synced("a", 1, "pending")]);
    assert!(snapshot(&feed).tasks.is_empty());
    assert!(matches!(&told[..], [Body::Task(_), Body::Task(done)] if !done.is_open()));
    let (_, told) = fed([synced("a", 2, "completed")]);
    assert!(told.is_empty(), "nobody saw it open");
}

#[test]
fn a_task_that_was_given_away_goes_without_a_word_about_it() {
    let (feed, told) = fed([
        synced("a", 1, "pending"),
        synced_of("a", 2, "pending", "bob"),
        synced("a", 1, "pending"),
    ]);
    assert!(snapshot(&feed).tasks.is_empty() && !feed.has("a"));
    assert_eq!(told.last(), Some(&Body::Gone { task_id: "a".into() }));
}

#[test]
fn a_feed_is_bounded() {
    let many = TASKS_MAX + CLOSED_MAX + 5;
    let (feed, _) = fed((0..many).map(|n| synced(&format!("t{n:05}"), 1, "pending")));
    let shown = snapshot(&feed);
    assert_eq!((shown.tasks.len(), shown.truncated), (TASKS_MAX, true));
    let done = |n| {
        [synced(&format!("t{n:05}"), 1, "pending"), synced(&format!("t{n:05}"), 2, "completed")]
    };
    let (feed, told) = fed((0..many).flat_map(done));
    assert_eq!(told.len(), 2 * many, "what is done makes room");
    assert!(!snapshot(&feed).truncated);
}
