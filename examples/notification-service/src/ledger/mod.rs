//! The durable memory of the service, in the state store: nothing is acknowledged to the broker
//! before it is here, and nothing leaves before its end is.
//!
//! Three kinds of document:
//!
//! | Key | Holds |
//! |---|---|
//! | `fact:<event id>` | that the fact is known, for eight days |
//! | `delivery:<channel>:<event id>` | one fact on one channel, from first attempt to end |
//! | `waiting:<shard>` | which deliveries have not ended: the store cannot be asked |
//!
//! A fact, its deliveries and their places in the list are written in one transaction, and so are a
//! delivery's end and the loss of its place. Every write says which version it replaces, so any number
//! of replicas can work on the same documents.

mod claims;
mod record;

pub(crate) use claims::{Claimed, Look, Note};
pub(crate) use record::{Delivery, Entry, Fact, KNOWN_FOR, SHARDS, Shard, Status};

use crate::channels::Channel;
use crate::message::Firing;
use record::{fact_key, shard_key, shard_of};
use reminder_domain::{TaskId, Timestamp};
use reminder_member::sidecar::{ETag, Operation, Precondition};
use reminder_member::{Sidecar, SidecarError};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// How often something is tried again because somebody else has written meanwhile. Within a process
/// the writers of a list wait for each other, so these are other replicas.
const CONFLICTS_MAX: u32 = 8;

/// The wait before that, times the number of the attempt, times a chance.
const CONFLICT_PAUSE: Duration = Duration::from_millis(20);

/// Longest id of an event that is taken, in characters: it becomes part of a key.
const EVENT_ID_MAX_CHARS: usize = 300;

/// Why something is not in the ledger.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LedgerError {
    /// The store does not answer, or not well.
    #[error(transparent)]
    Store(#[from] SidecarError),
    /// As many deliveries wait as may; what comes next has to wait in the broker.
    #[error("{0} deliveries wait already")]
    Full(usize),
    /// The event's id cannot be part of a key.
    #[error("the id of the event cannot be used as a key")]
    EventId,
}

impl LedgerError {
    /// Whether it may go well the next time.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Full(_) => true,
            Self::EventId => false,
        }
    }
}

/// What became of a fact.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// It is new, or was given up and came again: these deliveries of its task wait now, the
    /// earlier ones of other facts among them.
    Waiting(Vec<Entry>),
    /// It is known, and nothing of it is left to do here.
    Known,
}

/// The ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    sidecar: Sidecar,
    /// Within this process, one writer of a list at a time.
    shards: Vec<Mutex<()>>,
    /// How many deliveries a list may hold.
    capacity: usize,
    /// How long a claim lasts.
    lease: Duration,
}

/// A list as it was read, while nobody else of this process writes it.
struct OpenShard<'a> {
    _writer: MutexGuard<'a, ()>,
    key: String,
    shard: Shard,
    precondition: Precondition,
}

impl OpenShard<'_> {
    /// The write of the list.
    fn save(&self) -> Result<Operation, SidecarError> {
        Operation::save(self.key.clone(), &self.shard, self.precondition.clone())
    }
}

impl Ledger {
    /// In the sidecar's state store.
    pub(crate) fn new(sidecar: Sidecar, capacity: usize, lease: Duration) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { sidecar, shards, capacity, lease }
    }

    /// Takes a fact over from the broker: once, however often it comes. A fact that was given up is
    /// taken again, on the ways on which it was: it came back from the dead letters.
    pub(crate) async fn accept(
        &self,
        task: &TaskId,
        firing: &Firing,
        channels: &[Channel],
        now: Timestamp,
    ) -> Result<Accepted, LedgerError> {
        check_event_id(&firing.id)?;
        let sequence = firing.sequence.parse().map_err(|_| LedgerError::EventId)?;
        let entry = |channel| Entry {
            task: task.clone(),
            channel,
            sequence,
            event_id: firing.id.clone().into_owned(),
            user: firing.data.user_id.as_deref().map(str::to_owned),
        };
        let mut conflicts = 0;
        loop {
            let known = self.sidecar.get_state::<Fact>(&fact_key(&firing.id)).await?;
            let (entries, mut writes) = match known {
                None => {
                    let entries: Vec<_> = channels.iter().copied().map(entry).collect();
                    (entries.clone(), first_writes(firing, channels, &entries, now)?)
                }
                Some((fact, _)) => {
                    let entries = fact.channels.into_iter().map(entry);
                    self.given_up(entries.collect(), firing, now).await?
                }
            };
            if writes.is_empty() {
                return Ok(Accepted::Known);
            }
            let mut open = self.open(shard_of(task)).await?;
            if open.shard.waiting.len().saturating_add(entries.len()) > self.capacity {
                return Err(LedgerError::Full(open.shard.waiting.len()));
            }
            open.shard.waiting.extend(entries.iter().cloned());
            if !entries.is_empty() {
                writes.push(open.save()?);
            }
            match self.sidecar.transact(&writes).await {
                Ok(()) => {
                    let of_task = open.shard.waiting.iter().filter(|entry| entry.task == *task);
                    return Ok(Accepted::Waiting(of_task.cloned().collect()));
                }
                Err(SidecarError::Conflict) if conflicts < CONFLICTS_MAX => {
                    drop(open);
                    conflicts += 1;
                    pause(conflicts).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Of the deliveries of a known fact, those that were given up, and what makes them wait again.
    async fn given_up(
        &self,
        entries: Vec<Entry>,
        firing: &Firing,
        now: Timestamp,
    ) -> Result<(Vec<Entry>, Vec<Operation>), SidecarError> {
        let (mut failed, mut writes) = (Vec::new(), Vec::new());
        for entry in entries {
            let stored = self.sidecar.get_state::<Delivery>(&entry.key()).await?;
            let Some((Delivery { status: Status::Failed, .. }, etag)) = stored else { continue };
            let fresh = Delivery::fresh(firing.clone(), now);
            writes.push(Operation::save(entry.key(), &fresh, Precondition::Match(etag))?);
            failed.push(entry);
        }
        Ok((failed, writes))
    }

    /// The deliveries that have not ended, of one list.
    pub(crate) async fn waiting(&self, shard: u64) -> Result<Vec<Entry>, SidecarError> {
        let stored = self.sidecar.get_state::<Shard>(&shard_key(shard)).await?;
        Ok(stored.map(|(shard, _)| shard.waiting).unwrap_or_default())
    }

    /// Those of one task.
    pub(crate) async fn waiting_of(&self, task: &TaskId) -> Result<Vec<Entry>, SidecarError> {
        let mut waiting = self.waiting(shard_of(task)).await?;
        waiting.retain(|entry| entry.task == *task);
        Ok(waiting)
    }

    async fn open(&self, shard: u64) -> Result<OpenShard<'_>, SidecarError> {
        let index = usize::try_from(shard % SHARDS).unwrap_or_default();
        let writer = self.shards[index].lock().await;
        let key = shard_key(shard);
        let (shard, precondition) = match self.sidecar.get_state(&key).await? {
            Some((shard, etag)) => (shard, Precondition::Match(etag)),
            None => (Shard::default(), Precondition::Absent),
        };
        Ok(OpenShard { _writer: writer, key, shard, precondition })
    }

    async fn read(&self, entry: &Entry) -> Result<Option<(Delivery, ETag)>, SidecarError> {
        self.sidecar.get_state(&entry.key()).await
    }
}

/// The fact and its deliveries. Of two replicas that have the same event, only one may write them.
fn first_writes(
    firing: &Firing,
    channels: &[Channel],
    entries: &[Entry],
    now: Timestamp,
) -> Result<Vec<Operation>, SidecarError> {
    let fact = Fact { channels: channels.to_vec(), accepted_at: now };
    let fact = Operation::save(fact_key(&firing.id), &fact, Precondition::Absent)?;
    let mut writes = vec![keep_for_a_while(fact)];
    for entry in entries {
        let fresh = Delivery::fresh(firing.clone(), now);
        writes.push(Operation::save(entry.key(), &fresh, Precondition::None)?);
    }
    Ok(writes)
}

/// Lets the store forget it once no redelivery is possible any more.
fn keep_for_a_while(mut operation: Operation) -> Operation {
    if let Operation::Save { ttl, .. } = &mut operation {
        *ttl = Some(KNOWN_FOR);
    }
    operation
}

fn check_event_id(id: &str) -> Result<(), LedgerError> {
    let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.');
    if id.is_empty() || id.chars().count() > EVENT_ID_MAX_CHARS || !id.chars().all(usable) {
        return Err(LedgerError::EventId);
    }
    Ok(())
}

/// Lets others finish. Who collided once shall not do so again in step.
async fn pause(conflicts: u32) {
    let longest = CONFLICT_PAUSE.saturating_mul(conflicts);
    tokio::time::sleep(longest.mul_f64(rand::random::<f64>())).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_events_are_part_of_a_key_or_refused() {
        assert!(check_event_id("milk:1:reminders-2").is_ok());
        for bad in ["", "a||b", "a b", "a/b", "ä", &"a".repeat(301)] {
            assert!(matches!(check_event_id(bad), Err(LedgerError::EventId)), "{bad}");
        }
    }
}
