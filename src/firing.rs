//! Follows the operator's switch that stops firing: every replica reads it again and again.

use crate::metrics::{gauge, metrics};
use crate::read_model::FiringSwitch;
use crate::turn::firing::FiringStop;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the switch is looked at, so how long it takes to have an effect.
pub const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// The switch as the parts of a process see it.
pub type Firing = watch::Receiver<Arc<FiringStop>>;

/// A switch that nobody turns: everything fires.
pub fn never_stopped() -> Firing {
    watch::channel(Arc::default()).1
}

/// Reads the switch for ever. While the database does not answer, the last answer holds.
pub async fn follow(model: Arc<dyn FiringSwitch>, switch: watch::Sender<Arc<FiringStop>>) {
    let mut timer = tokio::time::interval(FOLLOW_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut answers = true;
    loop {
        timer.tick().await;
        let read = model.firing_stop().await;
        if let (Err(error), true) = (&read, answers) {
            tracing::warn!(%error, "cannot see whether firing is stopped; the last answer holds");
        }
        answers = read.is_ok();
        if let Ok(stop) = read {
            turn(&switch, stop);
        }
    }
}

/// Tells of a change, and logs it.
pub(crate) fn turn(switch: &watch::Sender<Arc<FiringStop>>, stop: FiringStop) {
    let whose = |whose| metrics().firing_stopped.get_or_create_owned(&[("whose", whose)]);
    whose("everyone").set(i64::from(stop.everyone()));
    whose("users").set(gauge(stop.users()));
    let before = Arc::clone(&switch.borrow());
    if *before == stop {
        return;
    }
    let (everyone, users) = (stop.everyone(), stop.users());
    if before.is_released_by(&stop) {
        tracing::warn!(everyone, users, "firing was released; what is left is still stopped");
    } else {
        tracing::warn!(everyone, users, "firing was stopped by an operator");
    }
    switch.send_replace(Arc::new(stop));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::QueryError;
    use async_trait::async_trait;
    use std::sync::Mutex;

    type Answer = Result<FiringStop, QueryError>;

    /// A read model that only knows the switch.
    struct Model(Mutex<Vec<Answer>>);

    #[async_trait]
    impl FiringSwitch for Model {
        async fn firing_stop(&self) -> Answer {
            let mut answers = self.0.lock().unwrap();
            if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_answer_holds_while_the_database_does_not_answer() {
        let everyone = FiringStop::new(true, []);
        let silent = || Err(QueryError("no answer".into()));
        let answers = vec![Ok(everyone.clone()), silent(), silent(), Ok(FiringStop::default())];
        let model = Arc::new(Model(Mutex::new(answers)));
        let (switch, mut firing) = watch::channel(Arc::default());
        let following = tokio::spawn(follow(model.clone(), switch));
        firing.changed().await.unwrap();
        assert_eq!(**firing.borrow_and_update(), everyone);
        firing.changed().await.unwrap();
        assert_eq!(**firing.borrow(), FiringStop::default(), "no word of the silence before");
        assert_eq!(model.0.lock().unwrap().len(), 1);
        following.abort();
    }
}
