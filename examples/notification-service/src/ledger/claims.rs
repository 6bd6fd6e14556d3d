//! Claim, attempt, note: who may try a delivery, and what came of it.

use super::{Delivery, Entry, Ledger, LedgerError, Status, keep_for_a_while, pause};
use crate::ledger::CONFLICTS_MAX;
use crate::ledger::record::Claim;
use crate::message::Firing;
use reminder_domain::Timestamp;
use reminder_member::SidecarError;
use reminder_member::sidecar::{ETag, Operation, Precondition};
use uuid::Uuid;

/// What a look at a delivery finds.
#[derive(Debug)]
pub(crate) enum Look {
    /// It is ours to try now.
    Claimed(Box<Claimed>),
    /// Not before then.
    Later(Timestamp),
    /// There is nothing to do any more.
    Ended,
}

/// A delivery that is ours for a while.
#[derive(Debug)]
pub(crate) struct Claimed {
    /// Names the claim.
    id: String,
    /// What shall be delivered.
    pub(crate) firing: Firing,
    /// How often it was tried before.
    pub(crate) attempts: u32,
    /// Whether it is given up, and that shall be told.
    pub(crate) giving_up: bool,
    /// What went wrong the last time.
    pub(crate) reason: Option<String>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// It is over.
    Ended(Status),
    /// Again, at that time.
    Again {
        /// Whether that was an attempt, and not something of ours in its way.
        counts: bool,
        /// When.
        at: Timestamp,
        /// What went wrong.
        reason: String,
    },
    /// It failed for the last time, which shall be told.
    GiveUp {
        /// What went wrong.
        reason: String,
    },
}

impl Ledger {
    /// Claims a delivery, if it is time and nobody else has it. The claim is stored before anything
    /// is sent; whoever dies with it holds up others until it runs out.
    pub(crate) async fn claim(&self, entry: &Entry, now: Timestamp) -> Result<Look, LedgerError> {
        let Some((mut delivery, etag)) = self.read(entry).await? else {
            // Its fact cannot have been without it. Somebody has cleared the store.
            tracing::error!("a delivery is in the list and nowhere else: it is struck off");
            self.strike_off(entry, None).await?;
            return Ok(Look::Ended);
        };
        if delivery.status.has_ended() {
            return Ok(Look::Ended);
        }
        let later = delivery
            .claim
            .as_ref()
            .map_or(delivery.not_before, |claim| claim.until.max(delivery.not_before));
        if later > now {
            return Ok(Look::Later(later));
        }
        if delivery.needless {
            delivery.end(Status::Withdrawn);
            self.strike_off(entry, Some((&delivery, etag))).await?;
            return Ok(Look::Ended);
        }
        let Some(firing) = delivery.event.clone() else { return Ok(Look::Ended) };
        let lease_ms = i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX);
        let claim =
            Claim { id: Uuid::now_v7().to_string(), until: now.saturating_add_ms(lease_ms) };
        let claimed = Claimed {
            id: claim.id.clone(),
            firing,
            attempts: delivery.attempts,
            giving_up: delivery.status == Status::GivingUp,
            reason: delivery.reason.clone(),
        };
        delivery.claim = Some(claim);
        let precondition = Precondition::Match(etag);
        match self.sidecar.save_state(&entry.key(), &delivery, precondition, None).await {
            Ok(()) => Ok(Look::Claimed(Box::new(claimed))),
            // Somebody else was faster; the next look shows how long that one has it.
            Err(SidecarError::Conflict) => Ok(Look::Later(now)),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes what came of an attempt. A claim that was lost meanwhile notes nothing: whoever has it
    /// now does.
    pub(crate) async fn note(
        &self,
        entry: &Entry,
        claimed: &Claimed,
        note: &Note,
    ) -> Result<(), LedgerError> {
        let mut conflicts = 0;
        loop {
            let Some((mut delivery, etag)) = self.read(entry).await? else { return Ok(()) };
            if delivery.claim.as_ref().is_none_or(|claim| claim.id != claimed.id) {
                tracing::warn!("the claim ran out before its outcome was noted");
                return Ok(());
            }
            delivery.claim = None;
            let needless = Note::Ended(Status::Withdrawn);
            let note = match note {
                Note::Again { .. } | Note::GiveUp { .. } if delivery.needless => &needless,
                note => note,
            };
            let written = match note {
                Note::Ended(status) => {
                    delivery.attempts += u32::from(*status == Status::Delivered);
                    delivery.end(*status);
                    self.strike_off(entry, Some((&delivery, etag))).await
                }
                Note::Again { counts, at, reason } => {
                    delivery.attempts += u32::from(*counts);
                    delivery.not_before = *at;
                    delivery.reason = Some(reason.clone());
                    self.save(entry, &delivery, etag).await
                }
                Note::GiveUp { reason } => {
                    delivery.attempts += 1;
                    delivery.status = Status::GivingUp;
                    delivery.reason = Some(reason.clone());
                    self.save(entry, &delivery, etag).await
                }
            };
            match written {
                Err(SidecarError::Conflict) if conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                    pause(conflicts).await;
                }
                other => return Ok(other?),
            }
        }
    }

    /// Withdraws a delivery if `outdated` says so of its firing. One that is being tried is not tried
    /// again.
    pub(crate) async fn withdraw(
        &self,
        entry: &Entry,
        now: Timestamp,
        outdated: impl Fn(&Firing) -> bool,
    ) -> Result<bool, SidecarError> {
        let Some((mut delivery, etag)) = self.read(entry).await? else { return Ok(false) };
        if delivery.status != Status::Pending || !delivery.event.as_ref().is_some_and(outdated) {
            return Ok(false);
        }
        let written = if delivery.claim.as_ref().is_some_and(|claim| claim.until > now) {
            delivery.needless = true;
            self.save(entry, &delivery, etag).await
        } else {
            delivery.end(Status::Withdrawn);
            self.strike_off(entry, Some((&delivery, etag))).await
        };
        written.map(|()| true)
    }

    async fn save(
        &self,
        entry: &Entry,
        delivery: &Delivery,
        etag: ETag,
    ) -> Result<(), SidecarError> {
        self.sidecar.save_state(&entry.key(), delivery, Precondition::Match(etag), None).await
    }

    /// Takes a delivery from its list, together with the note of its end.
    async fn strike_off(
        &self,
        entry: &Entry,
        ended: Option<(&Delivery, ETag)>,
    ) -> Result<(), SidecarError> {
        let mut open = self.open(entry.shard()).await?;
        open.shard.waiting.retain(|waiting| waiting != entry);
        let mut writes = vec![open.save()?];
        if let Some((delivery, etag)) = ended {
            let note = Operation::save(entry.key(), delivery, Precondition::Match(etag))?;
            writes.push(keep_for_a_while(note));
        }
        self.sidecar.transact(&writes).await
    }
}
