//! What one user's page is told: the tasks as they stand, and the last changes in order. Pure: no
//! clock, no I/O; the numbers come from the caller.
//!
//! A page that comes back names the last message it got. As long as the feed still has all that came
//! after it, the page gets just that; otherwise it gets everything as it stands, a *snapshot*. So
//! nothing is missed either way, and nothing has to be kept for a page that never comes back.

mod entry;
mod id;

pub use entry::{Change, Comments, Shown};
pub use id::{Epoch, MessageId};

use entry::Entry;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Most messages that a feed keeps for pages that come back.
pub const RING_MAX: usize = 256;
/// Most tasks that a feed holds; one more is left out, and the page says so.
pub const TASKS_MAX: usize = 1_000;
/// Most tasks that are done or gone and still remembered, so that old news cannot bring them back.
pub const CLOSED_MAX: usize = 256;

/// What a page is told, with the number of the message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its place in the order of all messages of this process.
    pub number: u64,
    /// What it says.
    pub body: Arc<Body>,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Body {
    /// Every open task.
    Snapshot(Snapshot),
    /// A task is at another version, open or done.
    Task(Box<Shown>),
    /// A task is not this user's any more; whose it is and what it says is none of their business.
    #[serde(rename_all = "camelCase")]
    Gone {
        /// The task.
        task_id: String,
    },
}

/// Every open task of a user.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// The tasks, in the order of their ids.
    pub tasks: Vec<Shown>,
    /// Whether there are more than can be shown.
    pub truncated: bool,
}

/// How a page goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Resume {
    /// With what it missed, which may be nothing.
    Replay(Vec<Message>),
    /// From the beginning.
    Snapshot(Message),
}

/// One user's tasks and the last changes.
#[derive(Debug)]
pub struct Feed {
    user: String,
    tasks: BTreeMap<String, Entry>,
    /// Ids of tasks that are done or gone, the one that was closed last at the end.
    closed: VecDeque<String>,
    ring: VecDeque<Message>,
    /// Every message of this feed after this number is in the ring.
    floor: u64,
    last: u64,
    truncated: bool,
}

impl Feed {
    /// An empty feed of a user. The number must be higher than any given before, so that what an earlier feed
    /// of the same user told is not taken for this one's.
    pub fn new(user: String, number: u64) -> Self {
        Self {
            user,
            tasks: BTreeMap::new(),
            closed: VecDeque::new(),
            ring: VecDeque::new(),
            floor: number,
            last: number,
            truncated: false,
        }
    }

    /// Takes in news. Answers with the message for the pages, if there is something to tell.
    pub fn apply(&mut self, change: Change, next: impl FnOnce() -> u64) -> Option<Message> {
        let id = change.task_id().to_owned();
        if !self.tasks.contains_key(&id) && self.tasks.len() >= TASKS_MAX + CLOSED_MAX {
            self.truncated = true;
            return None;
        }
        let entry = self.tasks.entry(id.clone()).or_default();
        let before = entry.shown();
        entry.take(change);
        let after = entry.shown()?;
        if before.as_ref() == Some(&after) {
            return None;
        }
        let was_there = before.is_some_and(|before| self.shows(&before));
        let is_there = self.shows(&after);
        self.note_closed(&id, is_there);
        // A page that did not have the task need not hear that it is done.
        let body = match (was_there, is_there) {
            (_, true) => Body::Task(Box::new(after)),
            (true, false) if self.owns(&after) => Body::Task(Box::new(after)),
            (true, false) => Body::Gone { task_id: id },
            (false, false) => return None,
        };
        Some(self.tell(body, next()))
    }

    /// How a page goes on that got everything up to a number; `None` for one that got nothing.
    pub fn resume(&self, after: Option<u64>) -> Resume {
        match after {
            Some(after) if (self.floor..=self.last).contains(&after) => {
                let missed = self.ring.iter().filter(|message| message.number > after);
                Resume::Replay(missed.cloned().collect())
            }
            _ => Resume::Snapshot(self.snapshot()),
        }
    }

    /// Everything as it stands.
    pub fn snapshot(&self) -> Message {
        let shown = self.tasks.values().filter_map(Entry::shown);
        let mut tasks: Vec<Shown> = shown.filter(|shown| self.shows(shown)).collect();
        let truncated = self.truncated || tasks.len() > TASKS_MAX;
        tasks.truncate(TASKS_MAX);
        let body = Arc::new(Body::Snapshot(Snapshot { tasks, truncated }));
        Message { number: self.last, body }
    }

    /// Whether the user has the task, open or done.
    pub fn has(&self, task_id: &str) -> bool {
        let shown = self.tasks.get(task_id).and_then(Entry::shown);
        shown.is_some_and(|shown| self.owns(&shown))
    }

    fn tell(&mut self, body: Body, number: u64) -> Message {
        let message = Message { number, body: Arc::new(body) };
        if self.ring.len() == RING_MAX
            && let Some(oldest) = self.ring.pop_front()
        {
            self.floor = oldest.number;
        }
        self.last = number;
        self.ring.push_back(message.clone());
        message
    }

    fn owns(&self, task: &Shown) -> bool {
        task.sync.task.user_id.as_deref() == Some(self.user.as_str())
    }

    /// Whether the page has the task in its list.
    fn shows(&self, task: &Shown) -> bool {
        self.owns(task) && task.is_open()
    }

    fn note_closed(&mut self, id: &str, is_there: bool) {
        self.closed.retain(|closed| closed != id);
        if !is_there {
            self.closed.push_back(id.to_owned());
        }
        if self.closed.len() > CLOSED_MAX
            && let Some(oldest) = self.closed.pop_front()
        {
            self.tasks.remove(&oldest);
        }
    }
}
