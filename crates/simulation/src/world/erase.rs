//! A user is erased: the rows that erasing goes by, and what must hold once it is over.
//!
//! Nothing of the user is stored then, but for what came after it was last looked for; and no event is told that
//! names the user, but for those committed after that.

use super::ports::HostPorts;
use super::{State, World, millis, sleep_ms, users};
use crate::judge::{Verdict, must};
use crate::plan::Erased;
use async_trait::async_trait;
use reminder_domain::command::CommandKind;
use reminder_domain::ids::{Description, Person};
use reminder_domain::state::Sequences;
use reminder_domain::task::TaskFields;
use reminder_domain::{Task, TaskId, TaskState, Topic};
use reminder_scheduler::erasure::Unreadable;
use reminder_scheduler::ports::{CallError, Message};
use reminder_scheduler::read_model::{
    ErasureRequest, ErasureTable, Naming, QueryError, Search, UnderWay,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Erasures: there is one at most in a run.
#[derive(Default)]
pub(super) struct Erasures {
    request: Option<Request>,
    over: Option<Over>,
    /// Since when each task has words of the user.
    since_ms: BTreeMap<TaskId, i64>,
}

/// The number of the request: nobody asks once more here.
const NUMBER: i64 = 1;

/// The row of the request.
struct Request {
    user: u64,
    clean_since_ms: Option<i64>,
    looked_ms: Option<i64>,
    search: Search,
    /// When the user's own tasks were last listed, and when the search last began.
    listed: Seen,
    named: Seen,
}

/// What there was when it was looked for something of the user.
#[derive(Clone)]
struct Seen {
    at_ms: i64,
    committed: BTreeMap<TaskId, Sequences>,
}

/// An erasure that is over.
struct Over {
    user: u64,
    listed: Seen,
    named: Seen,
}

/// What a task of a user says beside its title, where somebody is erased: whose it is, and who shall do it.
pub fn personal(said: CommandKind, user: u64, assignee: u64) -> CommandKind {
    let CommandKind::Put(mut put) = said else { return said };
    let mut fields = TaskFields::from(put.task.clone());
    fields.description = Description::parse(words(user)).ok();
    fields.assignee = Person::parse(format!("u{assignee}")).ok();
    put.task = Task::try_from(fields).expect("a description and an assignee fit any task");
    CommandKind::Put(put)
}

fn words(user: u64) -> String {
    format!("words of u{user}")
}

/// Whether something stored or told says whose it is, or what the user wrote.
fn says(bytes: &[u8], user: u64) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.contains(&format!("\"u{user}\"")) || text.contains(&words(user))
}

fn is_own(task: &TaskId, user: u64) -> bool {
    task.as_str() == format!("t{user}")
}

impl Erasures {
    /// Whether an erasure waits or is under way.
    pub(super) fn is_open(&self) -> bool {
        self.request.is_some()
    }

    /// A state was written: it comes to have words of the user by a command alone.
    pub(super) fn written(
        &mut self,
        task: &TaskId,
        (before, after): (Option<&[u8]>, &[u8]),
        user: u64,
        by_command: bool,
        now_ms: i64,
    ) -> Verdict {
        let said = before.is_some_and(|before| says(before, user));
        if says(after, user) && !said {
            self.since_ms.insert(task.clone(), now_ms);
            must!(by_command, "{task}: it says words of u{user}, and no command said them");
        }
        Ok(())
    }

    /// A message is told.
    pub(super) fn told(&self, topic: Topic, message: &Message) -> Verdict {
        let Some(Over { user, listed, named }) = &self.over else { return Ok(()) };
        let (id, task) = (&message.id, &message.key);
        let seen = if is_own(task, *user) { listed } else { named };
        let last = seen.committed.get(task).map_or(0, |committed| committed.last(topic));
        let sequence = id.rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or(0_u64);
        must!(
            sequence > last || !says(&message.body, *user),
            "{id} says words of u{user}, who was erased before"
        );
        Ok(())
    }

    /// It is over: what is stored was looked through.
    fn end(&mut self, states: &[(TaskId, Vec<u8>)]) -> Verdict {
        let Some(Request { user, listed, named, .. }) = self.request.take() else { return Ok(()) };
        for (task, _) in states.iter().filter(|(_, bytes)| says(bytes, user)) {
            let looked_ms = if is_own(task, user) { listed.at_ms } else { named.at_ms };
            let since_ms = self.since_ms.get(task).copied().unwrap_or(0);
            must!(
                since_ms >= looked_ms,
                "{task}: u{user} is erased, and it has said so since {since_ms}, before {looked_ms}"
            );
        }
        self.over = Some(Over { user, listed, named });
        Ok(())
    }
}

impl State {
    fn seen(&self, now_ms: i64) -> Seen {
        Seen { at_ms: now_ms, committed: self.judge.committed_so_far() }
    }
}

impl World {
    /// Somebody asks for a user to be erased, once it is time.
    pub async fn erase(self: Arc<Self>, erased: Erased) {
        sleep_ms(erased.at_ms).await;
        let user = erased.user;
        self.note(|| format!("user {user} is to be erased"), ("erase", user));
        let mut state = self.state();
        state.judge.erasing();
        // Nobody has looked yet.
        let seen = Seen { at_ms: i64::MAX, committed: BTreeMap::new() };
        state.erasures.request = Some(Request {
            user,
            clean_since_ms: None,
            looked_ms: None,
            search: Search::default(),
            listed: seen.clone(),
            named: seen,
        });
    }

    /// Whether somebody waits for an erasure.
    pub fn is_erasing(&self) -> bool {
        let asked = self.plan.erased.is_none_or(|erased| self.now_ms() > erased.at_ms);
        !asked || self.state().erasures.is_open()
    }

    /// Takes note of a look; tells whether the request has gone by it.
    fn settled(&self, user: u64, clean: bool, clean_for: Duration, lately: Duration) -> bool {
        let now_ms = self.now_ms();
        let mut state = self.state();
        let state = &mut *state;
        let Some(request) = state.erasures.request.as_mut().filter(|one| one.user == user) else {
            return false;
        };
        let lately = request.looked_ms.is_some_and(|at| now_ms - at < millis(lately));
        let since = request.clean_since_ms.filter(|_| lately).unwrap_or(now_ms);
        request.looked_ms = Some(now_ms);
        request.clean_since_ms = clean.then_some(since);
        let over = clean && since <= now_ms - millis(clean_for);
        if over {
            let all = state.store.states();
            let states: Vec<_> =
                all.filter_map(|(id, _)| Some((id.clone(), state.store.load(id)?))).collect();
            if let Err(violation) = state.erasures.end(&states) {
                state.judge.violated(now_ms, violation);
            }
        }
        over
    }
}

impl HostPorts {
    /// Takes note of a look whose answer has come: what nobody heard, nobody has seen.
    fn looked(&self, note: impl FnOnce(&mut Request)) {
        self.world.state().erasures.request.as_mut().map(note);
    }
}

#[async_trait]
impl ErasureTable for HostPorts {
    async fn under_way(&self, _: i64) -> Result<UnderWay, QueryError> {
        let under_way = |world: &World| {
            let state = world.state();
            let user = state.erasures.request.as_ref().map(|request| request.user);
            let user = user.and_then(|user| Person::parse(format!("u{user}")).ok());
            let requests = user.map(|user| ErasureRequest { user, number: NUMBER });
            UnderWay { requests: requests.into_iter().collect(), oldest: Duration::ZERO }
        };
        self.query("erasures", under_way).await
    }

    async fn tasks_of(
        &self,
        user: &Person,
        after: &str,
        _: i64,
    ) -> Result<Vec<TaskId>, QueryError> {
        let (user, after) = (user.clone(), after.to_owned());
        let list = move |world: &World| {
            let state = world.state();
            let of_user = |(task, state): (&TaskId, &TaskState)| {
                let theirs = state.user() == Some(&user) && task.as_str() > after.as_str();
                theirs.then(|| task.clone())
            };
            let seen = after.is_empty().then(|| state.seen(world.now_ms()));
            (state.store.states().filter_map(of_user).collect(), seen)
        };
        let (tasks, seen) = self.query("tasks to erase", list).await?;
        if let Some(seen) = seen {
            self.looked(|request| request.listed = seen);
        }
        Ok(tasks)
    }

    async fn erased(&self, _: &Person, _: &[TaskId]) -> Result<(), QueryError> {
        self.query("erased", |_| ()).await
    }

    async fn forget(&self, user: &Person) -> Result<bool, QueryError> {
        let user = users::number(user);
        self.query("forget", move |world| world.state().users.forget(user)).await
    }

    async fn search(&self, _: &Person) -> Result<Search, QueryError> {
        let search = |world: &World| {
            let state = world.state();
            let request = state.erasures.request.as_ref();
            request.map(|request| request.search.clone()).unwrap_or_default()
        };
        self.query("search", search).await
    }

    /// A page is one state, so that a search has several.
    async fn naming(&self, user: &Person, after: &str, _: i64) -> Result<Naming, QueryError> {
        let (user, after) = (user.clone(), after.to_owned());
        let look = move |world: &World| {
            let state = world.state();
            let seen = after.is_empty().then(|| state.seen(world.now_ms()));
            let next = state.store.states().find(|(task, _)| task.as_str() > after.as_str());
            let Some((task, stored)) = next else {
                return (Naming::default(), seen);
            };
            let named = stored.live().is_some_and(|live| live.task.names(&user));
            let mut told = stored.pending.iter().filter_map(|commit| commit.snapshot.as_ref());
            let told = told.any(|snapshot| snapshot.task.names(&user));
            let tasks = (named || told).then(|| task.clone()).into_iter().collect();
            (Naming { tasks, last: Some(task.to_string()) }, seen)
        };
        let (naming, seen) = self.query("naming", look).await?;
        if let Some(seen) = seen {
            self.looked(|request| request.named = seen);
        }
        Ok(naming)
    }

    async fn searched(&self, _: &ErasureRequest, search: &Search) -> Result<(), QueryError> {
        let search = search.clone();
        let note = move |world: &World| {
            let mut state = world.state();
            state.erasures.request.iter_mut().for_each(|one| one.search = search.clone());
        };
        self.query("searched", note).await
    }

    async fn settled(
        &self,
        user: &Person,
        clean: bool,
        clean_for: Duration,
        lately: Duration,
    ) -> Result<bool, QueryError> {
        let user = users::number(user);
        self.query("settled", move |world| world.settled(user, clean, clean_for, lately)).await
    }
}

#[async_trait]
impl Unreadable for HostPorts {
    async fn bury(&self, task: &TaskId) -> Result<(), CallError> {
        // Everything can be read here; it was purged meanwhile.
        Err(CallError(format!("{task} is not there any more")))
    }
}
