//! Runs the turns of users: one at a time per user, each to its end even when the caller has gone.

use super::record;
use crate::clock::{Clock, SystemClock};
use crate::ports::{CommitError, Progress, UserStore, Users};
use reminder_domain::ids::Person;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::user::{UserCommand, UserRejection, UserState, UserTurn, decide_user};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio_util::task::TaskTracker;

/// How long a turn may wait for its user and for a free place before it is refused.
const QUEUE_DEADLINE: Duration = Duration::from_secs(20);
/// Turns that run at the same time. They are far fewer than those of tasks.
const TURNS_MAX: usize = 64;
/// How often a turn decides anew after a commit that was refused.
const COMMIT_ATTEMPTS: u32 = 4;

/// What a turn is asked for.
#[derive(Clone, Debug)]
pub enum UserRequest {
    /// Read what holds.
    Get,
    /// Replace the preferences.
    Put(Box<UserCommand>),
}

/// What to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserReply {
    /// What holds, and how far the tasks have followed.
    View(KnownPreferences, Progress),
    /// The command was applied, now or before; this is the version it led to.
    Answer(u64),
    /// The command was refused.
    Rejected(UserRejection),
    /// Too much is waiting; nothing was done.
    Overloaded(String),
    /// Something needed did not answer. For a command it may be unknown whether it took effect.
    Unavailable(String),
}

/// One user as this process knows it.
#[derive(Debug)]
pub struct UserCell {
    user: Person,
    turn: Mutex<()>,
}

impl UserCell {
    /// A user whose turns follow one another.
    pub fn new(user: Person) -> Arc<Self> {
        Arc::new(Self { user, turn: Mutex::default() })
    }

    /// Who it is.
    pub fn user(&self) -> &Person {
        &self.user
    }
}

/// Runs the turns of all users of this process.
pub struct UserTurns {
    store: Arc<dyn UserStore>,
    users: Arc<dyn Users>,
    /// Told of every change, so that the tasks follow at once.
    changed: Arc<Notify>,
    slots: Semaphore,
    turns: TaskTracker,
}

impl UserTurns {
    /// Turns on these ports.
    pub fn new(
        store: Arc<dyn UserStore>,
        users: Arc<dyn Users>,
        changed: Arc<Notify>,
    ) -> Arc<Self> {
        let (slots, turns) = (Semaphore::new(TURNS_MAX), TaskTracker::new());
        Arc::new(Self { store, users, changed, slots, turns })
    }

    /// Runs a turn to its end, in a task of its own: a caller who hangs up must not cut it short.
    pub async fn run(self: &Arc<Self>, cell: &Arc<UserCell>, request: UserRequest) -> UserReply {
        if self.turns.is_closed() {
            let reason = "this process is stopping; another one takes over";
            return UserReply::Overloaded(reason.into());
        }
        let (turns, cell) = (Arc::clone(self), Arc::clone(cell));
        let turn = self.turns.spawn(async move { turns.turn(&cell, request).await });
        turn.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a user's turn did not come to its end");
            UserReply::Unavailable("the turn did not come to its end".into())
        })
    }

    /// Takes on no more turns and waits until those under way have ended.
    pub async fn drain(&self) {
        self.turns.close();
        self.turns.wait().await;
    }

    async fn turn(&self, cell: &UserCell, request: UserRequest) -> UserReply {
        // The semaphore is never closed, so this only ever waits.
        let queued = async { (cell.turn.lock().await, self.slots.acquire().await) };
        let Ok(_place) = tokio::time::timeout(QUEUE_DEADLINE, queued).await else {
            return UserReply::Overloaded("too many turns are waiting".into());
        };
        let reply = match request {
            UserRequest::Get => self.view(&cell.user).await,
            UserRequest::Put(command) => self.put(&cell.user, &command).await,
        };
        reply.unwrap_or_else(UserReply::Unavailable)
    }

    async fn view(&self, user: &Person) -> Result<UserReply, String> {
        let state = self.load(user).await?;
        let progress = self.users.progress(user).await.map_err(|error| error.0)?;
        let known = state.as_ref().map_or_else(KnownPreferences::default, UserState::known);
        Ok(UserReply::View(known, progress))
    }

    /// A state is always loaded: preferences change rarely, and what a process remembers may be old.
    async fn put(&self, user: &Person, command: &UserCommand) -> Result<UserReply, String> {
        for _ in 0..COMMIT_ATTEMPTS {
            let state = self.load(user).await?;
            let next = match decide_user(user, state.as_ref(), command, SystemClock.now()) {
                Err(rejection) => return Ok(UserReply::Rejected(rejection)),
                Ok(UserTurn::Answer(version)) => return Ok(UserReply::Answer(version)),
                Ok(UserTurn::Commit(next)) => next,
            };
            match self.store.commit_user(user, record::encode(&next)).await {
                Ok(()) => {
                    self.changed.notify_one();
                    let correlation = command.origin.correlation_id.as_ref();
                    let correlation = correlation.map(tracing::field::display);
                    let version = next.version;
                    tracing::info!(version, correlation.id = correlation, "preferences changed");
                    return Ok(UserReply::Answer(version));
                }
                Err(CommitError::Fenced(reason)) => {
                    tracing::info!(reason, "another writer was first; deciding anew");
                }
                // It may have taken effect. The fence lets no other statement of its version in,
                // and a repeat finds out.
                Err(CommitError::Unknown(reason)) => return Err(reason),
            }
        }
        Err("other writers kept getting in between".into())
    }

    async fn load(&self, user: &Person) -> Result<Option<UserState>, String> {
        let bytes = self.store.load_user(user).await.map_err(|error| error.0)?;
        bytes.map(|bytes| record::decode(&bytes)).transpose().map_err(|error| error.to_string())
    }
}

impl std::fmt::Debug for UserTurns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserTurns").field("turns", &self.turns).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::CallError;
    use async_trait::async_trait;
    use reminder_contract::wire::parse_user_put;
    use std::sync::Mutex as Plain;

    /// A store that answers some commits in other ways than it should.
    #[derive(Default)]
    struct Store {
        stored: Plain<Option<Vec<u8>>>,
        /// For the next commits, the last one first: what another writer commits right before it.
        others: Plain<Vec<UserState>>,
        silent: Plain<bool>,
    }

    #[async_trait]
    impl UserStore for Store {
        async fn load_user(&self, _: &Person) -> Result<Option<Vec<u8>>, CallError> {
            Ok(self.stored.lock().unwrap().clone())
        }

        async fn commit_user(&self, _: &Person, state: Vec<u8>) -> Result<(), CommitError> {
            if let Some(other) = self.others.lock().unwrap().pop() {
                *self.stored.lock().unwrap() = Some(record::encode(&other));
                return Err(CommitError::Fenced("RS001".into()));
            }
            *self.stored.lock().unwrap() = Some(state);
            let silent = std::mem::take(&mut *self.silent.lock().unwrap());
            if silent { Err(CommitError::Unknown("no answer".into())) } else { Ok(()) }
        }
    }

    #[async_trait]
    impl Users for Store {
        async fn preferences(&self, _: &Person) -> Result<KnownPreferences, CallError> {
            Ok(KnownPreferences::default())
        }

        async fn progress(&self, _: &Person) -> Result<Progress, CallError> {
            Ok(Progress { open: 3, outdated: 2 })
        }
    }

    struct World {
        store: Arc<Store>,
        changed: Arc<Notify>,
        turns: Arc<UserTurns>,
        cell: Arc<UserCell>,
    }

    impl World {
        fn new() -> Self {
            let (store, changed) = (Arc::new(Store::default()), Arc::new(Notify::new()));
            let turns = UserTurns::new(store.clone(), store.clone(), changed.clone());
            let cell = UserCell::new(Person::parse("ada@example.org").unwrap());
            Self { store, changed, turns, cell }
        }

        async fn put(&self, body: &str) -> UserReply {
            let command = parse_user_put(body.as_bytes()).unwrap();
            self.turns.run(&self.cell, UserRequest::Put(Box::new(command))).await
        }

        async fn zone(&self) -> (u64, String) {
            match self.turns.run(&self.cell, UserRequest::Get).await {
                UserReply::View(known, progress) => {
                    assert_eq!(progress, Progress { open: 3, outdated: 2 });
                    (known.version, known.preferences.zone.name().to_owned())
                }
                other => panic!("{other:?}"),
            }
        }

        /// Whether a change was told since this was asked last.
        async fn was_told(&self) -> bool {
            tokio::time::timeout(Duration::ZERO, self.changed.notified()).await.is_ok()
        }
    }

    const BERLIN: &str = r#"{"preferences":{"zone":"Europe/Berlin"}}"#;
    const TOKYO: &str = r#"{"preferences":{"zone":"Asia/Tokyo"}}"#;

    #[tokio::test]
    async fn what_is_put_holds_and_is_told_once() {
        let world = World::new();
        assert_eq!(world.zone().await, (0, "UTC".into()), "the defaults, not a refusal");
        assert_eq!(world.put(BERLIN).await, UserReply::Answer(1));
        assert!(world.was_told().await);
        assert_eq!(world.put(BERLIN).await, UserReply::Answer(1));
        assert!(!world.was_told().await, "nothing changed");
        assert_eq!(world.zone().await, (1, "Europe/Berlin".into()));
    }

    #[tokio::test]
    async fn a_refused_commit_is_decided_anew() {
        let world = World::new();
        world.put(BERLIN).await;
        let stored = world.store.stored.lock().unwrap().clone().unwrap();
        let other = UserState { version: 2, ..record::decode(&stored).unwrap() };
        *world.store.others.lock().unwrap() = vec![other.clone()];
        assert_eq!(world.put(TOKYO).await, UserReply::Answer(3));
        *world.store.others.lock().unwrap() = vec![other; 9];
        assert!(
            matches!(world.put(BERLIN).await, UserReply::Answer(_)),
            "the other one's is equal"
        );
    }

    #[tokio::test]
    async fn a_writer_who_is_never_first_gives_up() {
        let world = World::new();
        world.put(BERLIN).await;
        let stored = world.store.stored.lock().unwrap().clone().unwrap();
        *world.store.others.lock().unwrap() = vec![record::decode(&stored).unwrap(); 9];
        assert!(matches!(world.put(TOKYO).await, UserReply::Unavailable(_)));
        assert_eq!(world.store.others.lock().unwrap().len(), 9 - COMMIT_ATTEMPTS as usize);
    }

    #[tokio::test]
    async fn a_repeat_after_an_unknown_outcome_finds_out() {
        let world = World::new();
        *world.store.silent.lock().unwrap() = true;
        assert!(matches!(world.put(TOKYO).await, UserReply::Unavailable(_)));
        assert_eq!(world.put(TOKYO).await, UserReply::Answer(1), "it had taken effect");
    }

    #[tokio::test]
    async fn turns_end_before_the_process_does() {
        let world = World::new();
        world.turns.drain().await;
        assert!(matches!(world.put(TOKYO).await, UserReply::Overloaded(_)));
    }
}
