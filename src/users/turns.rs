//! Runs the turns of users: one at a time per user, each to its end even when the caller has gone.

use super::record;
use crate::clock::{Clock, SystemClock};
use crate::ports::{CommitError, Progress, UserStore, Users};
use crate::turn::places::{Crowded, Places};
use crate::turn::record::UnreadableState;
use reminder_domain::Timestamp;
use reminder_domain::ids::Person;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::user::{
    UserCommand, UserCommandKind, UserRejection, UserState, UserTurn, decide_user, fence_user,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio_util::task::TaskTracker;

/// How long a turn may wait for its user and for a free place before it is refused.
const QUEUE_DEADLINE: Duration = Duration::from_secs(20);
/// Turns that run at the same time. They are far fewer than those of tasks.
const TURNS_MAX: usize = 64;
/// Turns that may wait for a place; a further one is refused at once.
const WAITING_MAX: usize = 512;
/// How often a turn decides anew after a commit that was refused.
const COMMIT_ATTEMPTS: u32 = 4;

/// What a turn is asked for.
#[derive(Clone, Debug)]
pub enum UserRequest {
    /// Read what holds.
    Get,
    /// Change what holds.
    Command(Box<UserCommand>),
}

/// What to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserReply {
    /// What holds, and how far the tasks have followed.
    View(KnownPreferences, Progress),
    /// The command was applied, now or before; this is the version it led to.
    Answer(u64),
    /// The same of a pause or a resumption: since when the user is paused now, and how many tasks have
    /// yet to follow.
    Paused(u64, Option<Timestamp>, Progress),
    /// The command was refused.
    Rejected(UserRejection),
    /// Too much is waiting; nothing was done.
    Overloaded(String),
    /// Something needed did not answer. For a command it may be unknown whether it took effect.
    Unavailable(String),
    /// What is stored cannot be used, and repeating the command does not help.
    Unreadable(UnreadableState),
}

/// Why a turn cannot be done.
enum Trouble {
    /// Something did not answer.
    Call(String),
    /// What is stored cannot be used.
    State(UnreadableState),
}

/// One user as this process knows it.
#[derive(Debug)]
pub struct UserCell {
    user: Person,
    /// The turn; with the version that a commit in doubt has, 0 if none is.
    turn: Mutex<u64>,
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
    places: Places,
    turns: TaskTracker,
}

impl UserTurns {
    /// Turns on these ports.
    pub fn new(
        store: Arc<dyn UserStore>,
        users: Arc<dyn Users>,
        changed: Arc<Notify>,
    ) -> Arc<Self> {
        let (places, turns) = (Places::new(TURNS_MAX, WAITING_MAX), TaskTracker::new());
        Arc::new(Self { store, users, changed, places, turns })
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
        let queued = async { Ok((cell.turn.lock().await, self.places.take().await?)) };
        let (mut doubtful, _place) = match tokio::time::timeout(QUEUE_DEADLINE, queued).await {
            Ok(Ok(entered)) => entered,
            Ok(Err(Crowded)) | Err(_) => {
                return UserReply::Overloaded("too many turns are waiting".into());
            }
        };
        let reply = match request {
            UserRequest::Get => self.view(&cell.user).await,
            UserRequest::Command(command) => {
                self.command(&cell.user, &command, &mut doubtful).await
            }
        };
        reply.unwrap_or_else(|trouble| match trouble {
            Trouble::Call(reason) => UserReply::Unavailable(reason),
            Trouble::State(why) => UserReply::Unreadable(why),
        })
    }

    async fn view(&self, user: &Person) -> Result<UserReply, Trouble> {
        let state = self.load(user).await?;
        let progress = self.users.progress(user).await;
        let progress = progress.map_err(|error| Trouble::Call(error.0))?;
        let known = state.as_ref().map_or_else(KnownPreferences::default, UserState::known);
        Ok(UserReply::View(known, progress))
    }

    /// A state is always loaded: preferences change rarely, and what a process remembers may be old.
    async fn command(
        &self,
        user: &Person,
        command: &UserCommand,
        doubtful: &mut u64,
    ) -> Result<UserReply, Trouble> {
        for _ in 0..COMMIT_ATTEMPTS {
            let (state, now) = (self.load(user).await?, SystemClock.now());
            let is_in_doubt = state.as_ref().map_or(0, |state| state.version) < *doubtful;
            let (mut next, is_fence) = match decide_user(user, state.as_ref(), command, now) {
                Err(rejection) => return Ok(UserReply::Rejected(rejection)),
                // What an earlier command tried may still land, and undo what is answered now.
                Ok(UserTurn::Answer(_)) if is_in_doubt => {
                    (Box::new(fence_user(user, state.as_ref(), now)), true)
                }
                Ok(UserTurn::Answer(version)) => {
                    return self.answer(user, command, version, state.as_ref()).await;
                }
                Ok(UserTurn::Commit(next)) => (next, false),
            };
            if state.is_none() {
                let gone = self.users.gone(user).await;
                next.born_above(gone.map_err(|error| Trouble::Call(error.0))?);
            }
            match self.store.commit_user(user, record::encode(&next)).await {
                Ok(()) if is_fence => self.changed.notify_one(),
                Ok(()) => {
                    self.changed.notify_one();
                    let correlation = command.origin.correlation_id.as_ref();
                    let correlation = correlation.map(tracing::field::display);
                    let version = next.version;
                    let paused = next.paused_since.is_some();
                    tracing::info!(version, paused, correlation.id = correlation, "a user changed");
                    return self.answer(user, command, version, Some(&next)).await;
                }
                Err(CommitError::Fenced(reason)) => {
                    tracing::info!(reason, "another writer was first; deciding anew");
                }
                // It may have taken effect, or may still. The fence lets no other statement of its version in,
                // and a repeat finds out.
                Err(CommitError::Unknown(reason)) => {
                    *doubtful = next.version.max(*doubtful);
                    return Err(Trouble::Call(reason));
                }
            }
        }
        Err(Trouble::Call("other writers kept getting in between".into()))
    }

    /// What a command that was applied is answered with, in the present state of the user.
    async fn answer(
        &self,
        user: &Person,
        command: &UserCommand,
        version: u64,
        state: Option<&UserState>,
    ) -> Result<UserReply, Trouble> {
        if matches!(command.kind, UserCommandKind::Put(_)) {
            return Ok(UserReply::Answer(version));
        }
        let progress = self.users.progress(user).await;
        let progress = progress.map_err(|error| Trouble::Call(error.0))?;
        let since = state.and_then(|state| state.paused_since);
        Ok(UserReply::Paused(version, since, progress))
    }

    async fn load(&self, user: &Person) -> Result<Option<UserState>, Trouble> {
        let bytes = self.store.load_user(user).await.map_err(|error| Trouble::Call(error.0))?;
        match bytes.map(|bytes| record::decode(&bytes)).transpose() {
            Ok(state) => Ok(state),
            Err(newer @ UnreadableState::Newer { .. }) => Err(Trouble::State(newer)),
            Err(damaged) => self.rebuilt(user, &damaged).await,
        }
    }

    /// The state from its row of the index, which has all of it but the commands that the user
    /// remembers. The next commit stores it: the fence lets in what follows the version of that row.
    async fn rebuilt(
        &self,
        user: &Person,
        damaged: &UnreadableState,
    ) -> Result<Option<UserState>, Trouble> {
        let known = self.users.preferences(user).await.map_err(|error| Trouble::Call(error.0))?;
        if known.version == 0 {
            return Err(Trouble::State(damaged.clone()));
        }
        tracing::error!(%damaged, "a user's state was rebuilt from the index");
        Ok(Some(UserState {
            version: known.version,
            updated_at: SystemClock.now(),
            user_id: user.clone(),
            preferences: known.preferences,
            paused_since: known.paused_since,
            skipped: known.skipped,
            commands: Vec::new(),
        }))
    }
}

impl std::fmt::Debug for UserTurns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserTurns").field("turns", &self.turns).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
