//! Pages that come, go, stall and come back, and the bounds of it all.

use crate::changes::{USER, listed, synced, synced_of};
use frontend_sync::feed::{Body, Epoch, MessageId};
use frontend_sync::hub::{CLIENTS_PER_USER_MAX, Connection, Full, Hub, IDLE_MAX, QUEUE_MAX, Sent};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn hub() -> Arc<Hub> {
    Hub::new(Epoch::of(7))
}

fn loaded(user: &str) -> (Arc<Hub>, Connection) {
    let hub = hub();
    let mut page = hub.connect(user, None).unwrap();
    assert!(page.must_load && page.first.is_empty());
    hub.loaded(user, vec![]);
    assert!(matches!(received(&mut page)[..], [Sent::Message(_)]));
    (hub, page)
}

fn received(page: &mut Connection) -> Vec<Sent> {
    std::iter::from_fn(|| page.queue.try_recv().ok()).collect()
}

fn bodies(page: &mut Connection) -> Vec<Body> {
    let body = |sent| match sent {
        Sent::Message(message) => (*message.body).clone(),
        Sent::Trouble(reason) => panic!("{reason}"),
    };
    received(page).into_iter().map(body).collect()
}

fn id(number: u64) -> MessageId {
    MessageId { epoch: Epoch::of(7), number }
}

#[test]
fn what_arrives_while_the_feed_is_loaded_is_in_the_snapshot() {
    let hub = hub();
    let mut page = hub.connect(USER, None).unwrap();
    hub.apply(USER, &synced("a", 2, "pending"));
    hub.apply(USER, &synced("b", 2, "completed"));
    assert!(received(&mut page).is_empty(), "nothing before the snapshot");
    hub.loaded(USER, vec![synced("a", 1, "pending"), synced("b", 1, "pending"), listed("c", 1)]);
    let told = bodies(&mut page);
    let [Body::Snapshot(snapshot)] = &told[..] else { panic!("{told:?}") };
    let ids: Vec<_> = snapshot.tasks.iter().map(|task| &*task.sync.task.task_id).collect();
    assert_eq!(ids, ["a", "c"], "b was done meanwhile");
    assert_eq!(snapshot.tasks[0].sync.task.version, 2);
}

#[test]
fn only_one_page_has_to_load_and_every_page_gets_the_snapshot() {
    let hub = hub();
    let mut first = hub.connect(USER, None).unwrap();
    let mut second = hub.connect(USER, Some(id(1))).unwrap();
    assert!(first.must_load && !second.must_load);
    assert!(hub.not_loaded(USER, "todo-api does not answer"));
    hub.loaded(USER, vec![synced("a", 1, "pending")]);
    for page in [&mut first, &mut second] {
        let sent = received(page);
        assert!(matches!(&sent[..], [Sent::Trouble(_), Sent::Message(_)]), "{sent:?}");
    }
}

#[test]
fn nobody_goes_on_loading_for_a_page_that_left() {
    let hub = hub();
    drop(hub.connect(USER, None).unwrap());
    assert!(!hub.not_loaded(USER, "todo-api does not answer"));
    assert!(hub.connect(USER, None).unwrap().must_load, "the next page tries again");
}

#[test]
fn a_page_that_does_not_keep_up_is_let_go_and_misses_nothing() {
    let (hub, mut page) = loaded(USER);
    let many = u64::try_from(QUEUE_MAX).unwrap() + 10;
    for version in 1..=many {
        hub.apply(USER, &synced("a", version, "pending"));
    }
    let mut seen = Vec::new();
    while let Ok(sent) = page.queue.try_recv() {
        let Sent::Message(message) = sent else { panic!("{sent:?}") };
        seen.push(message);
    }
    assert_eq!(seen.len(), QUEUE_MAX);
    assert!(page.queue.is_closed(), "the connection ends");
    let last = seen.last().unwrap().number;
    let back = hub.connect(USER, Some(id(last))).unwrap();
    seen.extend(back.first.clone());
    let version = |body: &Body| match body {
        Body::Task(task) => task.sync.task.version,
        other => panic!("{other:?}"),
    };
    let versions: Vec<u64> = seen.iter().map(|message| version(&message.body)).collect();
    assert_eq!(versions, (1..=many).collect::<Vec<_>>());
}

#[test]
fn a_page_of_another_run_gets_a_snapshot() {
    let (hub, _page) = loaded(USER);
    let of_another_run = MessageId { epoch: Epoch::of(8), number: 3 };
    let back = hub.connect(USER, Some(of_another_run)).unwrap();
    assert!(matches!(&*back.first[0].body, Body::Snapshot(_)));
}

#[test]
fn a_feed_that_was_forgotten_is_not_taken_for_the_one_that_came_after() {
    let (hub, page) = loaded(USER);
    hub.apply(USER, &synced("a", 1, "pending"));
    drop(page);
    hub.sweep(Instant::now() + IDLE_MAX + Duration::from_secs(1));
    hub.apply(USER, &synced("a", 2, "pending"));
    for number in 0..20 {
        let back = hub.connect(USER, Some(id(number))).unwrap();
        hub.loaded(USER, vec![synced("a", 2, "pending")]);
        let mut back = back;
        assert!(matches!(bodies(&mut back)[..], [Body::Snapshot(_)]), "{number}");
        drop(back);
        hub.sweep(Instant::now() + IDLE_MAX + Duration::from_secs(1));
    }
}

#[test]
fn a_feed_outlives_its_page_for_a_while() {
    let (hub, page) = loaded(USER);
    drop(page);
    hub.sweep(Instant::now() + IDLE_MAX / 2);
    assert!(!hub.connect(USER, None).unwrap().must_load);
}

#[test]
fn a_task_moves_from_one_page_to_another() {
    let (hub, mut ada) = loaded(USER);
    let mut bob = hub.connect("bob", None).unwrap();
    hub.loaded("bob", vec![]);
    hub.apply(USER, &synced("a", 1, "pending"));
    let _ = (bodies(&mut ada), bodies(&mut bob));
    hub.apply("bob", &synced_of("a", 2, "pending", "bob"));
    assert_eq!(bodies(&mut ada), [Body::Gone { task_id: "a".into() }]);
    assert!(matches!(&bodies(&mut bob)[..], [Body::Task(_)]));
    // A late repeat of what was before changes nothing, and the way back works as well.
    hub.apply(USER, &synced("a", 1, "pending"));
    assert!(bodies(&mut ada).is_empty());
    hub.apply(USER, &synced_of("a", 3, "pending", USER));
    assert!(matches!(&bodies(&mut ada)[..], [Body::Task(_)]));
    assert_eq!(bodies(&mut bob), [Body::Gone { task_id: "a".into() }]);
}

#[test]
fn users_do_not_see_each_other() {
    let (hub, mut ada) = loaded(USER);
    hub.apply("bob", &synced_of("b", 1, "pending", "bob"));
    assert!(received(&mut ada).is_empty());
}

#[test]
fn one_user_cannot_have_any_number_of_pages() {
    let (hub, _first) = loaded(USER);
    let pages: Vec<_> =
        (1..CLIENTS_PER_USER_MAX).map(|_| hub.connect(USER, None).unwrap()).collect();
    assert_eq!(hub.connect(USER, None).unwrap_err(), Full::ClientsOfUser);
    drop(pages);
    hub.connect(USER, None).unwrap();
}

#[test]
fn a_hub_that_closes_ends_every_connection() {
    let (hub, page) = loaded(USER);
    hub.close();
    assert!(page.queue.is_closed());
    assert_eq!(hub.connect(USER, None).unwrap_err(), Full::Closed);
}
