//! Looks again and again whether the parts that the service needs are still there, for readiness.

use super::health::{DATABASE, Readiness, SIDECAR, STORE};
use crate::dapr::outbound::Sidecar;
use crate::ports::StateStore;
use crate::read_model::{FiringSwitch, ReadModel};
use std::sync::Arc;
use std::time::Duration;

/// How often each is asked.
const WATCH_EVERY: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(3);
/// In how many looks in a row nothing may come from the state store. A sidecar that has much to do lets a look wait,
/// but answers others meanwhile.
const STORE_LOOKS_MAX: u32 = 3;

/// Watches for ever, once all were there.
pub async fn watch(sidecar: Arc<Sidecar>, model: Arc<ReadModel>, epoch: u64, readiness: Readiness) {
    let mut store = StoreWatch::default();
    let mut timer = tokio::time::interval(WATCH_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let (pinged, database, read) = tokio::join!(
            answers(sidecar.ping()),
            answers(model.firing_stop()),
            answers(sidecar.load_watermark(epoch)),
        );
        let others_are_well = pinged.is_ok() && database.is_ok();
        readiness.seen(STORE, store.look(read, sidecar.state_answers(), others_are_well));
        readiness.seen(SIDECAR, pinged);
        readiness.seen(DATABASE, database);
    }
}

/// Whether the sidecar reaches the database that this process reaches. Where it does not, no turn can be done here, and
/// another replica may do them; where neither does, nobody can.
#[derive(Debug, Default)]
struct StoreWatch {
    /// Looks in a row in which nothing came.
    silent: u32,
    /// How many answers had come from the store by the last look.
    answers: u64,
}

impl StoreWatch {
    fn look(
        &mut self,
        read: Result<(), String>,
        answers: u64,
        others_are_well: bool,
    ) -> Result<(), String> {
        let is_alive = read.is_ok() || answers != self.answers;
        self.answers = answers;
        self.silent = if is_alive || !others_are_well { 0 } else { self.silent.saturating_add(1) };
        if self.silent < STORE_LOOKS_MAX { Ok(()) } else { read }
    }
}

async fn answers<T, E: std::fmt::Display>(
    asked: impl Future<Output = Result<T, E>>,
) -> Result<(), String> {
    match tokio::time::timeout(ANSWER_DEADLINE, asked).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> Result<(), String> {
        Err("no answer in time".into())
    }

    #[test]
    fn a_store_that_only_this_sidecar_does_not_reach_is_lost_after_some_looks() {
        let mut store = StoreWatch::default();
        for _ in 1..STORE_LOOKS_MAX {
            assert_eq!(store.look(lost(), 0, true), Ok(()));
        }
        assert_eq!(store.look(lost(), 0, true), lost());
        assert_eq!(store.look(lost(), 0, true), lost(), "and stays so");
        assert_eq!(store.look(Ok(()), 0, true), Ok(()));
        assert_eq!(store.look(lost(), 0, true), Ok(()), "it begins anew");
    }

    #[test]
    fn a_sidecar_with_much_to_do_and_a_database_that_is_gone_are_no_reason() {
        let mut store = StoreWatch::default();
        for look in 0..3 * u64::from(STORE_LOOKS_MAX) {
            assert_eq!(store.look(lost(), look + 1, true), Ok(()), "turns are answered");
        }
        for _ in 0..3 * STORE_LOOKS_MAX {
            assert_eq!(store.look(lost(), 9, false), Ok(()), "nobody reaches it");
        }
    }
}
