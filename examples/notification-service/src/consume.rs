//! What the topic `reminders` tells: firings are taken over, and what makes a waiting one needless
//! withdraws it.

use crate::lanes::Lanes;
use crate::ledger::{Accepted, Ledger, LedgerError};
use crate::message::Firing;
use crate::preferences::PreferenceStore;
use reminder_contract::cloud_event::{EventData, SOURCE};
use reminder_contract::data::ReminderTriggered;
use reminder_domain::{TaskId, Timestamp};
use reminder_member::{Delivered, Outcome, clock};
use std::sync::Arc;

/// Takes events over from the broker.
pub(crate) struct Consumer {
    ledger: Arc<Ledger>,
    preferences: PreferenceStore,
    lanes: Lanes,
}

/// Which firings of a task need not be told any more.
struct Settled {
    reminder: String,
    moment: Timestamp,
    /// Whether earlier moments are meant as well.
    and_before: bool,
}

impl Consumer {
    /// From its parts.
    pub(crate) fn new(ledger: Arc<Ledger>, preferences: PreferenceStore, lanes: Lanes) -> Self {
        Self { ledger, preferences, lanes }
    }

    /// Handles one event. What is done here is storing it, which takes milliseconds; delivering it,
    /// which may take long, is the lanes'. So no receiver holds up a partition.
    pub(crate) async fn handle(&self, delivered: Delivered) -> Outcome {
        let event = delivered.event;
        match event.data.clone() {
            EventData::ReminderTriggered(data) => self.take_over(event.with_data(data)).await,
            EventData::ReminderAcknowledged(seen) => {
                self.settle(&seen.task_id, &Settled::up_to(&seen.reminder_id, seen.scheduled_for))
                    .await
            }
            EventData::ReminderSnoozed(put_off) => {
                let settled = Settled::up_to(&put_off.reminder_id, put_off.scheduled_for);
                self.settle(&put_off.task_id, &settled).await
            }
            EventData::ReminderRemoved(removed) => {
                let settled = Settled::only(&removed.reminder_id, removed.scheduled_for);
                self.settle(&removed.task_id, &settled).await
            }
            // The rest tells of times to come, or is our own.
            _ => Outcome::Done,
        }
    }

    async fn take_over(&self, firing: Firing) -> Outcome {
        let Ok(task) = TaskId::parse(firing.data.task_id.as_ref()) else {
            return Outcome::DeadLetter("taskId is not the id of a task".to_owned());
        };
        // Ids are unique within a source only, and this is the only one that tells of firings.
        if firing.source != SOURCE {
            return Outcome::DeadLetter(format!("a firing told by {:?}", firing.source));
        }
        let user = firing.data.user_id.as_deref();
        let channels = match self.preferences.of(user).await {
            Ok(preferences) => preferences.channels.into_iter().collect::<Vec<_>>(),
            Err(error) if error.is_transient() => return Outcome::Retry(error.to_string()),
            Err(error) => return Outcome::DeadLetter(error.to_string()),
        };
        match self.ledger.accept(&task, &firing, &channels, clock::now()).await {
            Ok(Accepted::Waiting(entries)) => {
                tracing::info!(deliveries = entries.len(), "taken over");
                self.lanes.take_up(entries);
                Outcome::Done
            }
            Ok(Accepted::Known) => {
                tracing::info!("known already: nothing is delivered twice");
                Outcome::Done
            }
            Err(error) => unhappy(&error),
        }
    }

    /// Withdraws what waits and has become needless.
    async fn settle(&self, task: &str, settled: &Settled) -> Outcome {
        let Ok(task) = TaskId::parse(task) else {
            return Outcome::DeadLetter("taskId is not the id of a task".to_owned());
        };
        match self.withdraw(&task, settled).await {
            Ok(0) => Outcome::Done,
            Ok(withdrawn) => {
                tracing::info!(withdrawn, "what waited is needless now");
                self.lanes.nudge(&task);
                Outcome::Done
            }
            Err(error) => unhappy(&error),
        }
    }

    async fn withdraw(&self, task: &TaskId, settled: &Settled) -> Result<usize, LedgerError> {
        let mut withdrawn = 0;
        for entry in self.ledger.waiting_of(task).await? {
            let outdated = |firing: &Firing| settled.covers(&firing.data);
            withdrawn += usize::from(self.ledger.withdraw(&entry, clock::now(), outdated).await?);
        }
        Ok(withdrawn)
    }
}

fn unhappy(error: &LedgerError) -> Outcome {
    if error.is_transient() {
        Outcome::Retry(error.to_string())
    } else {
        Outcome::DeadLetter(error.to_string())
    }
}

impl Settled {
    /// Somebody has seen what fired up to that moment of the schedule.
    fn up_to(reminder: &str, moment: Timestamp) -> Self {
        Self { reminder: reminder.to_owned(), moment, and_before: true }
    }

    /// That moment does not take place.
    fn only(reminder: &str, moment: Timestamp) -> Self {
        Self { reminder: reminder.to_owned(), moment, and_before: false }
    }

    fn covers(&self, firing: &ReminderTriggered<'_>) -> bool {
        // A snooze and a nag have times of their own, and the schedule's moment beside it.
        let moment = firing.original.unwrap_or(firing.scheduled_for);
        let own = firing.scheduled_for;
        firing.reminder_id == self.reminder
            && if self.and_before { moment <= self.moment } else { own == self.moment }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::firing;

    #[test]
    fn what_somebody_has_seen_covers_its_snoozes_and_nags_and_nothing_later() {
        let at = |ms| Timestamp::from_millis(ms);
        let covered = |own, original: Option<i64>, settled: &Settled| {
            let mut data = firing().data;
            data.scheduled_for = at(own);
            data.original = original.map(at);
            settled.covers(&data)
        };
        let seen = Settled::up_to("due", at(100));
        assert!(covered(100, None, &seen) && covered(90, None, &seen));
        assert!(covered(160, Some(100), &seen), "a nag of that moment");
        assert!(!covered(110, None, &seen));
        assert!(!covered(100, None, &Settled::up_to("other", at(100))));
        let removed = Settled::only("due", at(160));
        assert!(covered(160, Some(100), &removed));
        assert!(!covered(100, None, &removed) && !covered(170, None, &removed));
    }
}
