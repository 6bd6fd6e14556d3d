//! The tasks in Dapr's state store: each change is one transaction over the task (with its events), its
//! user's list and the list of tasks with events to publish.

use crate::change::{Change, Expected, Refusal, apply, follow};
use crate::document::Document;
use reminder_contract::data::TaskUpdated;
use reminder_contract::user_id;
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use reminder_domain::task::Status;
use reminder_member::sidecar::{ETag, Operation, Precondition};
use reminder_member::{Flow, Sidecar, SidecarError, clock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

/// Tasks that one user may have; the list of them is one value, which each new task rewrites.
pub(crate) const TASKS_PER_USER_MAX: usize = 1_000;

/// Lists of tasks with events to publish. Several, so that writers rarely meet on one.
const SHARDS: u64 = 32;

/// How often a change is tried that others have come before.
const ATTEMPTS_MAX: u32 = 12;

/// The pause after the first attempt; it doubles up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// How long a deleted task's numbers are remembered: longer than any topic keeps events.
const TOMBSTONE_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A user's list, in the order in which the tasks were made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Index {
    tasks: Vec<Listed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    id: TaskId,
    open: bool,
}

/// Tasks with events to publish.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Shard {
    tasks: BTreeSet<TaskId>,
}

/// Why a change did not take place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Sidecar(#[from] SidecarError),
}

/// What a change led to.
pub(crate) struct Changed {
    pub(crate) document: Document,
    /// Whether anything was written.
    pub(crate) written: bool,
}

/// The tasks.
#[derive(Clone)]
pub(crate) struct Store {
    sidecar: Sidecar,
}

/// Part of a user's list.
pub(crate) struct Page {
    pub(crate) documents: Vec<Document>,
    /// Where to go on.
    pub(crate) next: Option<TaskId>,
}

impl Store {
    pub(crate) fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// A task, also a deleted one.
    pub(crate) async fn load(&self, id: &TaskId) -> Result<Option<(Document, ETag)>, SidecarError> {
        self.sidecar.get_state(&task_key(id)).await
    }

    /// Changes a task; when somebody else comes first, what they wrote is looked at anew.
    pub(crate) async fn change(
        &self,
        id: &TaskId,
        change: &Change,
        expected: Expected,
        flow: &Flow,
    ) -> Result<Changed, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let attempt = self.try_change(id, change, expected, flow).await;
            if let Some(outcome) = attempts.settle(attempt).await {
                return outcome;
            }
        }
    }

    async fn try_change(
        &self,
        id: &TaskId,
        change: &Change,
        expected: Expected,
        flow: &Flow,
    ) -> Result<Changed, StoreError> {
        let found = self.load(id).await?;
        let before = found.as_ref().map(|(document, _)| document);
        let after = apply(before, id, change.clone(), expected, flow, clock::now())?;
        self.write(found, after).await
    }

    /// Takes over what the scheduler says of a task; tells whether anything was.
    pub(crate) async fn follow(
        &self,
        id: &TaskId,
        told: &TaskUpdated<'_>,
    ) -> Result<bool, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let attempt = self.try_follow(id, told).await;
            if let Some(outcome) = attempts.settle(attempt).await {
                return outcome;
            }
        }
    }

    async fn try_follow(&self, id: &TaskId, told: &TaskUpdated<'_>) -> Result<bool, StoreError> {
        let Some(found) = self.load(id).await? else { return Ok(false) };
        let Some(after) = follow(&found.0, told) else { return Ok(false) };
        Ok(self.write(Some(found), Some(after)).await?.written)
    }

    /// Takes events up to this number off a task: the broker has them.
    pub(crate) async fn published(&self, id: &TaskId, number: u64) -> Result<(), StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let attempt = self.try_published(id, number).await;
            if let Some(outcome) = attempts.settle(attempt).await {
                return outcome;
            }
        }
    }

    async fn try_published(&self, id: &TaskId, number: u64) -> Result<(), StoreError> {
        let Some((mut document, etag)) = self.load(id).await? else {
            // Its row has expired; so must its entry.
            return Ok(self.sidecar.transact(&[self.unmark(id).await?]).await?);
        };
        document.pending.retain(|pending| pending.number > number);
        let mut operations = vec![save(&document, Precondition::Match(etag))?];
        if document.pending.is_empty() {
            operations.push(self.unmark(id).await?);
        }
        Ok(self.sidecar.transact(&operations).await?)
    }

    /// Every task with events to publish.
    pub(crate) async fn unpublished(&self) -> Result<BTreeSet<TaskId>, SidecarError> {
        let keys: Vec<String> = (0..SHARDS).map(shard_key).collect();
        let shards = self.sidecar.get_bulk::<Shard>(&keys).await?;
        Ok(shards.into_values().flat_map(|(shard, _)| shard.tasks).collect())
    }

    /// A page of a user's tasks, in the order in which they were made.
    pub(crate) async fn page(
        &self,
        user: &Person,
        open: Option<bool>,
        after: Option<&TaskId>,
        limit: usize,
    ) -> Result<Page, SidecarError> {
        let index: Option<(Index, ETag)> = self.sidecar.get_state(&index_key(user)).await?;
        let listed = index.map(|(index, _)| index.tasks).unwrap_or_default();
        let begin = after.map_or(Some(0), |after| {
            listed.iter().position(|one| one.id == *after).map(|place| place + 1)
        });
        // A cursor whose task was deleted meanwhile: the rest cannot be told, so begin anew.
        let rest = listed.get(begin.unwrap_or(0)..).unwrap_or_default();
        let mut wanted = rest.iter().filter(|one| open.is_none_or(|open| one.open == open));
        let ids: Vec<TaskId> = wanted.by_ref().take(limit).map(|one| one.id.clone()).collect();
        let next = if wanted.next().is_some() { ids.last().cloned() } else { None };
        let keys: Vec<String> = ids.iter().map(task_key).collect();
        let mut found = self.sidecar.get_bulk::<Document>(&keys).await?;
        let documents = keys.iter().filter_map(|key| found.remove(key));
        let documents = documents.map(|(document, _)| document).filter(|one| !one.deleted);
        Ok(Page { documents: documents.collect(), next })
    }

    async fn write(
        &self,
        found: Option<(Document, ETag)>,
        after: Option<Document>,
    ) -> Result<Changed, StoreError> {
        let (before, precondition) = match found {
            Some((before, etag)) => (Some(before), Precondition::Match(etag)),
            None => (None, Precondition::Absent),
        };
        let Some(after) = after else {
            // Only a task that there is can stay as it is.
            let document = before.ok_or(StoreError::Sidecar(SidecarError::Conflict))?;
            return Ok(Changed { document, written: false });
        };
        let mut operations = vec![save(&after, precondition)?];
        operations.extend(self.list(before.as_ref(), &after).await?);
        operations.extend(self.mark(before.as_ref(), &after).await?);
        self.sidecar.transact(&operations).await?;
        Ok(Changed { document: after, written: true })
    }

    /// What changes on the user's list.
    async fn list(
        &self,
        before: Option<&Document>,
        after: &Document,
    ) -> Result<Option<Operation>, StoreError> {
        if before.map(listed) == Some(listed(after)) {
            return Ok(None);
        }
        let Some(user) = &after.task.user_id else { return Ok(None) };
        let key = index_key(user);
        let (mut index, precondition) = self.open::<Index>(&key).await?;
        let place = index.tasks.iter().position(|one| one.id == after.task_id);
        match (listed(after), place) {
            (Some(open), Some(place)) => index.tasks[place].open = open,
            (Some(open), None) if index.tasks.len() < TASKS_PER_USER_MAX => {
                index.tasks.push(Listed { id: after.task_id.clone(), open });
            }
            (Some(_), None) => return Err(Refusal::TooManyTasks(TASKS_PER_USER_MAX).into()),
            (None, Some(place)) => drop(index.tasks.remove(place)),
            (None, None) => return Ok(None),
        }
        Ok(Some(Operation::save(key, &index, precondition)?))
    }

    /// Notes that there are events to publish, unless that is known. Whoever takes the note away writes
    /// the task as well, so one of the two writers comes too late and looks again.
    async fn mark(
        &self,
        before: Option<&Document>,
        after: &Document,
    ) -> Result<Option<Operation>, SidecarError> {
        let noted = before.is_some_and(|before| !before.pending.is_empty());
        if after.pending.is_empty() || noted {
            return Ok(None);
        }
        let key = shard_of(&after.task_id);
        let (mut shard, precondition) = self.open::<Shard>(&key).await?;
        shard.tasks.insert(after.task_id.clone());
        Operation::save(key, &shard, precondition).map(Some)
    }

    async fn unmark(&self, id: &TaskId) -> Result<Operation, SidecarError> {
        let key = shard_of(id);
        let (mut shard, precondition) = self.open::<Shard>(&key).await?;
        shard.tasks.remove(id);
        Operation::save(key, &shard, precondition)
    }

    async fn open<T: Default + serde::de::DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<(T, Precondition), SidecarError> {
        let found = self.sidecar.get_state(key).await?;
        Ok(found.map_or_else(
            || (T::default(), Precondition::Absent),
            |(value, etag)| (value, Precondition::Match(etag)),
        ))
    }
}

/// Attempts at a change that others may come before, with pauses that tell writers apart.
struct Attempts {
    made: u32,
    pause: Duration,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { made: 0, pause: PAUSE_FIRST }
    }
}

impl Attempts {
    /// The outcome, or after a pause nothing: then it is worth trying again.
    async fn settle<T>(&mut self, outcome: Result<T, StoreError>) -> Option<Result<T, StoreError>> {
        self.made += 1;
        let conflict = matches!(outcome, Err(StoreError::Sidecar(SidecarError::Conflict)));
        if !conflict || self.made >= ATTEMPTS_MAX {
            return Some(outcome);
        }
        tokio::time::sleep(jittered(self.pause)).await;
        self.pause = (2 * self.pause).min(PAUSE_MAX);
        None
    }
}

/// Between half of it and all of it.
fn jittered(pause: Duration) -> Duration {
    let (_, random) = uuid::Uuid::new_v4().as_u64_pair();
    let permille = u32::try_from(500 + random % 501).unwrap_or(1_000);
    pause * permille / 1_000
}

/// Whether it is on its user's list, and if so, as an open one.
fn listed(document: &Document) -> Option<bool> {
    (!document.deleted).then(|| document.task.status != Status::Completed)
}

fn save(document: &Document, precondition: Precondition) -> Result<Operation, SidecarError> {
    let ttl = document.deleted.then_some(TOMBSTONE_TTL);
    let operation = Operation::save(task_key(&document.task_id), document, precondition)?;
    Ok(operation.expiring(ttl))
}

fn task_key(id: &TaskId) -> String {
    format!("task-{id}")
}

/// Users have any names; keys have not.
fn index_key(user: &Person) -> String {
    format!("user-{}", user_id::to_actor_id(user))
}

fn shard_of(id: &TaskId) -> String {
    shard_key(xxh3_64(id.as_str().as_bytes()) % SHARDS)
}

fn shard_key(number: u64) -> String {
    format!("unpublished-{number}")
}
