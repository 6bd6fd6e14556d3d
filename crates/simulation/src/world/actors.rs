//! The sidecars: they find the actor, keep its turns apart on a host, and may lose what passes.

use super::{World, key, sleep_ms};
use reminder_domain::TaskId;
use reminder_scheduler::turn::cell::Cell;
use reminder_scheduler::turn::driver::Driver;
use reminder_scheduler::turn::effect::{Reply, Request};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::ports::HostPorts;

/// How long a sidecar looks for the home of an actor, and its pause meanwhile, in ms.
const LOOKUP_MS: i64 = 5_000;
const LOOKUP_PAUSE_MS: i64 = 250;
/// How long a caller waits for an answer.
const CALL_DEADLINE: Duration = Duration::from_secs(20);

/// The call was not answered; it may have been done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered(pub String);

impl World {
    /// Calls an actor, as any caller does.
    pub async fn call_actor(
        self: &Arc<Self>,
        task: &TaskId,
        request: Request,
    ) -> Result<Reply, Unanswered> {
        let (dice, rates) = (self.dice("actor call", key(task)), self.rates());
        sleep_ms(dice.within("there", 0, 2)).await;
        if dice.happens("lost", rates.unanswered / 2) {
            sleep_ms(dice.within("gives up", 10, 1_000)).await;
            return Err(Unanswered("the request was lost".into()));
        }
        let turn = |driver: Arc<Driver<HostPorts>>, cell: Arc<Cell>| {
            let request = request.clone();
            async move { driver.run(&cell, request).await }
        };
        if dice.happens("twice", rates.resent) {
            // The sidecar sends it again when an actor moves; who was first, nobody knows.
            let first = self.at_home(task, turn).await;
            self.note(|| format!("sent again: {task}; first {first:?}"), ("again", task));
        }
        let reply = self.at_home(task, turn).await?;
        sleep_ms(dice.within("back", 0, 2)).await;
        if dice.happens("unheard", rates.unanswered / 2) {
            sleep_ms(dice.within("gives up", 10, 1_000)).await;
            return Err(Unanswered("the answer was lost".into()));
        }
        Ok(reply)
    }

    /// Wakes an actor, as the scheduler does.
    pub(super) async fn wake(self: &Arc<Self>, task: &TaskId) -> Result<(), Unanswered> {
        self.note(|| format!("wake {task}"), ("wake", task));
        let turn = |driver: Arc<Driver<HostPorts>>, cell: Arc<Cell>| async move {
            driver.wake(&cell).await
        };
        self.at_home(task, turn).await?.map_err(Unanswered)
    }

    /// Runs a turn where the actor lives, one at a time there.
    async fn at_home<T, F: Future<Output = T> + Send>(
        self: &Arc<Self>,
        task: &TaskId,
        turn: impl Fn(Arc<Driver<HostPorts>>, Arc<Cell>) -> F,
    ) -> Result<T, Unanswered> {
        let began = self.now_ms();
        let home = loop {
            if let Some(home) = self.route(task) {
                break home;
            }
            if self.now_ms() - began > LOOKUP_MS {
                return Err(Unanswered("nobody hosts it".into()));
            }
            sleep_ms(LOOKUP_PAUSE_MS).await;
        };
        let actor = home.activate(task);
        let died = home.process.died.clone();
        let driver = Arc::clone(&home.driver);
        drop(home);
        let run = async {
            let _turn = actor.turn.lock().await;
            turn(driver, Arc::clone(&actor.cell)).await
        };
        tokio::select! {
            biased;
            () = died.cancelled() => Err(Unanswered("the process died".into())),
            answer = tokio::time::timeout(CALL_DEADLINE, run) => {
                answer.map_err(|_| Unanswered("no answer in time".into()))
            }
        }
    }
}
