//! A page that loses its connection, again and again: it sees every message once and in order, or a
//! snapshot in their place, and ends with the tasks as they are.

use crate::changes::{USER, synced};
use frontend_sync::feed::{Body, Feed, Message, RING_MAX, Resume};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

/// What happens between a feed and a page.
#[derive(Clone, Debug)]
enum Step {
    /// A task changes.
    Change { task: u8, version: u64, open: bool },
    /// So many versions of tasks follow each other, more than the ring holds perhaps.
    Burst(u16),
    /// The page reads so many of the messages that are on their way.
    Read(u8),
    /// The connection drops, with what is on its way.
    Drop,
    /// The page comes back with what it read last.
    Resume,
    /// The feed is forgotten and made anew, as after a long silence.
    Forget,
}

/// The page as the browser keeps it.
#[derive(Default)]
struct Page {
    last: Option<u64>,
    titles: BTreeMap<String, String>,
    on_its_way: Option<VecDeque<Message>>,
}

impl Page {
    fn read(&mut self, told: &[Message]) {
        let Some(message) = self.on_its_way.as_mut().and_then(VecDeque::pop_front) else { return };
        match &*message.body {
            Body::Snapshot(snapshot) => {
                let titles = snapshot.tasks.iter().map(|task| &task.sync.task);
                self.titles =
                    titles.map(|t| (t.task_id.to_string(), t.title.to_string())).collect();
            }
            Body::Task(task) => {
                let missed = told
                    .iter()
                    .filter(|told| Some(told.number) > self.last && told.number < message.number);
                assert_eq!(missed.count(), 0, "missed something before {}", message.number);
                assert!(Some(message.number) > self.last, "{} came twice", message.number);
                let (id, title) =
                    (task.sync.task.task_id.to_string(), task.sync.task.title.to_string());
                if task.is_open() {
                    self.titles.insert(id, title);
                } else {
                    self.titles.remove(&id);
                }
            }
            Body::Gone { .. } => panic!("no task was given away"),
        }
        self.last = Some(message.number);
    }

    fn resume(&mut self, feed: &Feed) {
        let on_its_way = match feed.resume(self.last) {
            Resume::Replay(missed) => {
                assert!(self.last.is_some(), "a new page needs everything");
                missed.into()
            }
            Resume::Snapshot(snapshot) => VecDeque::from([snapshot]),
        };
        self.on_its_way = Some(on_its_way);
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..6u8, 1..40u64, any::<bool>())
            .prop_map(|(task, version, open)| Step::Change { task, version, open }),
        1 => (1..600u16).prop_map(Step::Burst),
        6 => (1..20u8).prop_map(Step::Read),
        3 => Just(Step::Drop),
        3 => Just(Step::Resume),
        1 => Just(Step::Forget),
    ];
    proptest::collection::vec(step, 1..80)
}

/// One feed, one page, and all that was ever told.
struct World {
    feed: Feed,
    page: Page,
    told: Vec<Message>,
    number: u64,
    newest: u64,
}

impl World {
    fn new() -> Self {
        let feed = Feed::new(USER.into(), 1);
        Self { feed, page: Page::default(), told: Vec::new(), number: 1, newest: 1_000 }
    }

    fn change(&mut self, task: u8, version: u64, open: bool) {
        let status = if open { "pending" } else { "completed" };
        let number = &mut self.number;
        let next = || {
            // Other feeds take numbers, too.
            *number += 3;
            *number
        };
        let message = self.feed.apply(synced(&format!("task-{task}"), version, status), next);
        if let Some(message) = message {
            self.told.push(message.clone());
            if let Some(on_its_way) = &mut self.page.on_its_way {
                on_its_way.push_back(message);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Change { task, version, open } => self.change(task, version, open),
            Step::Burst(count) => {
                for n in 0..count {
                    self.newest += 1;
                    self.change((n % 6) as u8, self.newest, true);
                }
            }
            Step::Read(count) => (0..count).for_each(|_| self.page.read(&self.told)),
            Step::Drop => self.page.on_its_way = None,
            Step::Resume => self.page.resume(&self.feed),
            Step::Forget => {
                // What was in memory is loaded again from where it is kept.
                let Body::Snapshot(snapshot) = (*self.feed.snapshot().body).clone() else {
                    panic!("a snapshot is one")
                };
                self.number += 1;
                self.feed = Feed::new(USER.into(), self.number);
                self.page.on_its_way = None;
                for task in snapshot.tasks {
                    let change = frontend_sync::feed::Change::Synced(Box::new(task.sync));
                    self.number += 1;
                    let number = self.number;
                    self.told.extend(self.feed.apply(change, || number));
                }
            }
        }
    }

    fn settle(&mut self) {
        self.page.resume(&self.feed);
        while self.page.on_its_way.as_ref().is_some_and(|messages| !messages.is_empty()) {
            self.page.read(&self.told);
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_missed_and_nothing_comes_twice(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.settle();
        let Body::Snapshot(snapshot) = (*world.feed.snapshot().body).clone() else { panic!() };
        let tasks = snapshot.tasks.iter().map(|task| &task.sync.task);
        let titles: BTreeMap<String, String> =
            tasks.map(|task| (task.task_id.to_string(), task.title.to_string())).collect();
        prop_assert_eq!(world.page.titles, titles);
    }
}

#[test]
fn a_page_that_missed_a_little_gets_just_that() {
    let mut world = World::new();
    world.change(1, 1, true);
    world.settle();
    world.page.on_its_way = None;
    world.change(1, 2, true);
    world.change(2, 1, true);
    let Resume::Replay(missed) = world.feed.resume(world.page.last) else {
        panic!("the ring has it all")
    };
    assert_eq!(missed, world.told[1..]);
}

#[test]
fn a_page_that_missed_more_than_is_kept_gets_a_snapshot() {
    let mut world = World::new();
    world.change(1, 1, true);
    world.settle();
    world.page.on_its_way = None;
    let kept = u64::try_from(RING_MAX).unwrap();
    for version in 2..2 + kept {
        world.change(1, version, true);
    }
    assert!(matches!(world.feed.resume(world.page.last), Resume::Replay(m) if m.len() == RING_MAX));
    world.change(1, 2 + kept, true);
    assert!(matches!(world.feed.resume(world.page.last), Resume::Snapshot(_)));
}

#[test]
fn a_number_that_was_never_given_is_of_another_feed() {
    let world = World::new();
    assert!(matches!(world.feed.resume(Some(0)), Resume::Snapshot(_)));
    assert!(matches!(world.feed.resume(Some(99)), Resume::Snapshot(_)));
    assert_eq!(world.feed.resume(Some(1)), Resume::Replay(Vec::new()));
}
