//! Who is connected, and whose feeds are in memory. Everything in it is bounded.
//!
//! A feed is made when the first page of its user connects, and forgotten some time after the last one
//! left. Between, it takes in all that the topic says about the user, also while it is still being
//! loaded: versions make the order of the two irrelevant.

use crate::feed::{Change, Epoch, Feed, Message, MessageId, Resume};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Most pages connected at the same time.
pub const CLIENTS_MAX: usize = 2_000;
/// Most pages of one user at the same time.
pub const CLIENTS_PER_USER_MAX: usize = 16;
/// Most messages that wait for one page. One that does not keep up is disconnected, comes back and
/// goes on from where it was.
pub const QUEUE_MAX: usize = 64;
/// Most users whose feeds are in memory.
pub const USERS_MAX: usize = 10_000;
/// How long a feed is kept after its last page left, so that a page that comes back gets what it
/// missed and nothing more.
pub const IDLE_MAX: Duration = Duration::from_secs(15 * 60);

/// Why a page cannot be served now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Too many pages.
    #[error("too many pages are open here; close some, or try again later")]
    Clients,
    /// Too many pages of this user.
    #[error("too many pages of this user are open; close some")]
    ClientsOfUser,
    /// The process is about to end.
    #[error("the service is being restarted")]
    Closed,
}

/// What a page is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// A message of its feed.
    Message(Message),
    /// The tasks cannot be had at the moment, in words.
    Trouble(Arc<str>),
}

/// All pages and feeds.
#[derive(Debug)]
pub struct Hub {
    epoch: Epoch,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last number given to a message, a feed or a page.
    last: u64,
    users: HashMap<String, User>,
    /// Which user's feed holds a task.
    holders: HashMap<String, String>,
    closed: bool,
}

#[derive(Debug)]
struct User {
    feed: Feed,
    loading: Loading,
    clients: Vec<Client>,
    /// When the last page left.
    idle_since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loading {
    /// Nobody is at it.
    Not,
    Underway,
    Done,
}

#[derive(Debug)]
struct Client {
    id: u64,
    queue: mpsc::Sender<Sent>,
    /// It gets a snapshot once there is one, and nothing before.
    waits: bool,
}

/// One page's connection. Dropping it ends the connection.
#[derive(Debug)]
pub struct Connection {
    /// What it missed, or a snapshot; nothing while the feed is being loaded.
    pub first: Vec<Message>,
    /// What comes after. It ends when the page did not keep up, or the process ends.
    pub queue: mpsc::Receiver<Sent>,
    /// Whether the caller must see to it that the feed is loaded.
    pub must_load: bool,
    hub: Arc<Hub>,
    user: String,
    id: u64,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        if let Some(user) = state.users.get_mut(&self.user) {
            user.clients.retain(|client| client.id != self.id);
            user.idle_since = Instant::now();
        }
    }
}

impl Hub {
    /// An empty hub of a run of the process.
    pub fn new(epoch: Epoch) -> Arc<Self> {
        Arc::new(Self { epoch, state: Mutex::default() })
    }

    /// The run of the process.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// A page of a user comes, perhaps back.
    pub fn connect(
        self: &Arc<Self>,
        user: &str,
        after: Option<MessageId>,
    ) -> Result<Connection, Full> {
        let mut state = self.lock();
        if state.closed {
            return Err(Full::Closed);
        }
        let clients: usize = state.users.values().map(|user| user.clients.len()).sum();
        if clients >= CLIENTS_MAX || !state.make_room(user) {
            return Err(Full::Clients);
        }
        state.last += 2;
        let (feed_number, id) = (state.last - 1, state.last);
        let found = state.users.entry(user.to_owned()).or_insert_with(|| User {
            feed: Feed::new(user.to_owned(), feed_number),
            loading: Loading::Not,
            clients: Vec::new(),
            idle_since: Instant::now(),
        });
        if found.clients.len() >= CLIENTS_PER_USER_MAX {
            return Err(Full::ClientsOfUser);
        }
        let waits = found.loading != Loading::Done;
        let must_load = found.loading == Loading::Not;
        if must_load {
            found.loading = Loading::Underway;
        }
        let first = if waits {
            Vec::new()
        } else {
            match found.feed.resume(after.and_then(|id| id.number_in(self.epoch))) {
                Resume::Replay(missed) => missed,
                Resume::Snapshot(snapshot) => vec![snapshot],
            }
        };
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        found.clients.push(Client { id, queue: sender, waits });
        let (hub, user) = (Arc::clone(self), user.to_owned());
        Ok(Connection { first, queue, must_load, hub, user, id })
    }

    /// News about a task of a user.
    pub fn apply(&self, user: &str, change: &Change) {
        let mut state = self.lock();
        let task = change.task_id();
        // Who had the task until now must hear that it is somebody else's.
        let holder = state.holders.get(task).filter(|holder| *holder != user).cloned();
        for user in holder.iter().map(String::as_str).chain([user]) {
            state.tell(user, change.clone());
        }
    }

    /// What a user's feed was to be loaded with is there.
    pub fn loaded(&self, user: &str, changes: Vec<Change>) {
        let mut state = self.lock();
        for change in changes {
            state.tell(user, change);
        }
        let Some(user) = state.users.get_mut(user) else { return };
        user.loading = Loading::Done;
        let snapshot = Sent::Message(user.feed.snapshot());
        user.send(&snapshot, |client| client.waits);
        for client in &mut user.clients {
            client.waits = false;
        }
    }

    /// A user's feed cannot be loaded at the moment. Answers whether it is worth trying on.
    pub fn not_loaded(&self, user: &str, reason: &str) -> bool {
        let mut state = self.lock();
        let Some(user) = state.users.get_mut(user) else { return false };
        user.clients.retain(|client| !client.queue.is_closed());
        let trouble = Sent::Trouble(reason.into());
        user.send(&trouble, |client| client.waits);
        if user.clients.is_empty() {
            user.loading = Loading::Not;
        }
        !user.clients.is_empty()
    }

    /// Forgets feeds that nobody has looked at for long.
    pub fn sweep(&self, now: Instant) {
        let mut state = self.lock();
        let old = |user: &User| {
            user.clients.is_empty() && now.saturating_duration_since(user.idle_since) >= IDLE_MAX
        };
        let gone: Vec<String> = state
            .users
            .iter()
            .filter(|(_, user)| old(user))
            .map(|(name, _)| name.clone())
            .collect();
        for user in gone {
            state.forget(&user);
        }
    }

    /// Ends every connection, and takes no new ones.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for user in state.users.values_mut() {
            user.clients.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that panics runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether there is room for a user's feed; the one that was idle for longest makes way.
    fn make_room(&mut self, user: &str) -> bool {
        if self.users.contains_key(user) || self.users.len() < USERS_MAX {
            return true;
        }
        let idle = self.users.iter().filter(|(_, user)| user.clients.is_empty());
        let oldest = idle.min_by_key(|(_, user)| user.idle_since).map(|(name, _)| name.clone());
        oldest.inspect(|name| self.forget(name)).is_some()
    }

    fn forget(&mut self, name: &str) {
        self.users.remove(name);
        self.holders.retain(|_, holder| holder != name);
    }

    /// Tells the pages of a user, if there are any.
    fn tell(&mut self, name: &str, change: Change) {
        let Self { last, users, holders, .. } = self;
        let Some(user) = users.get_mut(name) else { return };
        let task = change.task_id().to_owned();
        let next = || {
            *last += 1;
            *last
        };
        let message = user.feed.apply(change, next);
        if user.feed.has(&task) {
            holders.insert(task, name.to_owned());
        } else if holders.get(&task).is_some_and(|holder| holder == name) {
            holders.remove(&task);
        }
        if let Some(message) = message {
            user.send(&Sent::Message(message), |client| !client.waits);
        }
    }
}

impl User {
    /// Sends to some of the pages. One whose queue is full is let go: it comes back for the rest.
    fn send(&mut self, sent: &Sent, to: impl Fn(&Client) -> bool) {
        self.clients.retain(|client| {
            let kept = !to(client) || client.queue.try_send(sent.clone()).is_ok();
            if !kept && !client.queue.is_closed() {
                tracing::info!("a page does not keep up and is disconnected");
            }
            kept
        });
        if self.clients.is_empty() {
            self.idle_since = Instant::now();
        }
    }
}
