//! Notices that the sidecar has stopped delivering, and has it subscribe anew.
//!
//! A sidecar may drop a topic from what it consumes without a word, and goes on saying that it is
//! subscribed: Dapr's Kafka component (1.18.0) does when a subscription that ends takes its topic off the
//! list after another one has put it there (`Subscribe` in its `common/component/kafka/subscriber.go`).
//! Nothing is lost then, the offsets of the group stand where they were; but nothing comes either.
//!
//! So when nothing came from a topic for a while, a *canary* is published on it. Whichever replica hears
//! it, or anything else, notes that in `topic_watch`; so a replica that has nothing to do is no alarm,
//! and neither is one that is deaf while another hears. When two canaries have not come, one replica at a
//! time has its app health check fail until the sidecar has left its topics, and then be good again: it
//! joins all of them anew, this time apart. While the broker takes no canary, or Postgres does not answer,
//! nobody can tell, and nothing is done.

mod ears;
pub mod settings;
mod step;

pub use ears::Ears;

use crate::dead_letters;
use crate::http::health::Readiness;
use crate::metrics::metrics;
use crate::ports::CallError;
use crate::read_model::{QueryError, ReadModel, Watched};
use async_trait::async_trait;
use reminder_contract::names::TASK_EVENTS;
use settings::Settings;
use std::sync::Arc;
use std::time::Duration;
use step::Step;
use tokio::time::{Instant, MissedTickBehavior};

/// What the watch asks of the sidecar.
#[async_trait]
pub trait Canaries: Send + Sync + 'static {
    /// Publishes a canary on a topic.
    async fn release(&self, topic: &'static str) -> Result<(), CallError>;
    /// Whether the sidecar hosts our actors; it does not while it takes us for ill.
    async fn hosts_actors(&self) -> Result<bool, CallError>;
}

/// The watch over the topics that a replica consumes.
pub struct Watch<P> {
    ports: Arc<P>,
    model: Arc<ReadModel>,
    ears: Ears,
    readiness: Readiness,
    quiet: Duration,
    topics: Vec<(&'static str, Duration)>,
}

impl<P: Canaries> Watch<P> {
    /// A watch, if one is wanted; over `task-events` where it is consumed, and the dead letters.
    pub fn new(
        ports: Arc<P>,
        model: Arc<ReadModel>,
        ears: Ears,
        readiness: Readiness,
        settings: Settings,
        ingests: bool,
    ) -> Option<Self> {
        let quiet = settings.quiet?;
        let rarely = quiet.saturating_mul(settings::DEAD_LETTERS_QUIET);
        let letters = dead_letters::topics().map(|topic| (topic.name, rarely));
        let topics = ingests.then_some((TASK_EVENTS, quiet)).into_iter().chain(letters).collect();
        Some(Self { ports, model, ears, readiness, quiet, topics })
    }

    /// Watches for ever.
    pub async fn run(self) {
        // What was asked before this process began may have had nobody to hear it.
        for (topic, _) in &self.topics {
            if let Err(error) = self.model.note_unasked(topic).await {
                tracing::warn!(topic, %error, "cannot note which topics are consumed");
            }
        }
        let every = (self.quiet / settings::LOOKS).min(settings::LOOK_MAX);
        let mut timer = tokio::time::interval(every);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answers = true;
        loop {
            timer.tick().await;
            let mut looked = Ok(());
            for (topic, quiet) in &self.topics {
                looked = looked.and(self.look(topic, *quiet).await);
            }
            if let (Err(error), true) = (&looked, answers) {
                tracing::warn!(%error, "cannot note which topics are consumed");
            }
            answers = looked.is_ok();
        }
    }

    async fn look(&self, topic: &'static str, quiet: Duration) -> Result<(), QueryError> {
        let known = self.model.watched(topic).await?;
        if self.ears.heard(topic) {
            if let Err(error) = self.model.note_heard(topic).await {
                self.ears.hear(topic);
                return Err(error);
            }
            if known.asks() >= settings::HEAL_FROM {
                tracing::info!(topic, silent_for = ?known.silent_for, "a topic is heard again");
            }
            measure(topic, &Watched::default());
            return Ok(());
        }
        measure(topic, &known);
        match step::step(&known, quiet, self.quiet) {
            Step::Rest => Ok(()),
            Step::Ask => self.ask(topic, &known).await.map(|_| ()),
            Step::Heal => self.heal(topic, &known).await,
        }
    }

    /// Publishes a canary; `false`: the broker does not take it.
    async fn ask(&self, topic: &'static str, known: &Watched) -> Result<bool, QueryError> {
        match self.ports.release(topic).await {
            Ok(()) => self.model.note_asked(topic, known.asks()).await.map(|()| true),
            Err(error) => {
                tracing::debug!(topic, %error, "a canary could not be published");
                self.model.note_unasked(topic).await.map(|()| false)
            }
        }
    }

    async fn heal(&self, topic: &'static str, known: &Watched) -> Result<(), QueryError> {
        // With the broker away, subscribing anew helps nobody.
        if let Err(error) = self.ports.release(topic).await {
            tracing::debug!(topic, %error, "a canary could not be published");
            return self.model.note_unasked(topic).await;
        }
        let asks = known.asks();
        if !self.model.begin_healing(topic, asks, settings::HEAL_DEADLINE).await? {
            return Ok(());
        }
        let silent_for = known.silent_for;
        let attempt = asks + 1 - settings::HEAL_FROM;
        tracing::warn!(
            topic,
            ?silent_for,
            attempt,
            "the sidecar delivers nothing from a topic; it is made to subscribe anew"
        );
        self.resubscribe().await;
        self.model.end_healing(topic).await
    }

    /// Has the sidecar take us for ill until it has left its topics, and then for well again.
    async fn resubscribe(&self) {
        let began = Instant::now();
        let ill = Ill::new(&self.readiness);
        let left = self.until_hosting(false).await;
        if left {
            tokio::time::sleep(settings::LEAVE).await;
        }
        drop(ill);
        let joined = left && self.until_hosting(true).await;
        let (outcome, took) = (if joined { "done" } else { "failed" }, began.elapsed());
        metrics().resubscriptions.get_or_create(&[("outcome", outcome)]).inc();
        if joined {
            tracing::info!(?took, "the sidecar has subscribed anew");
        } else {
            let reason =
                if left { "does not host actors again" } else { "does not heed the check" };
            tracing::error!(
                ?took,
                reason,
                "the sidecar could not be made to subscribe anew by its app health check; restart it"
            );
        }
    }

    /// Waits until the sidecar hosts our actors, or does not; `false`: it did not come to that.
    async fn until_hosting(&self, wanted: bool) -> bool {
        let reached = async {
            while self.ports.hosts_actors().await != Ok(wanted) {
                tokio::time::sleep(settings::ASK_EVERY).await;
            }
        };
        tokio::time::timeout(settings::NOTICE_DEADLINE, reached).await.is_ok()
    }
}

/// While it lives, the app health check fails; whatever ends the healing ends that.
struct Ill<'a>(&'a Readiness);

impl<'a> Ill<'a> {
    fn new(readiness: &'a Readiness) -> Self {
        readiness.resubscribing(true);
        Self(readiness)
    }
}

impl Drop for Ill<'_> {
    fn drop(&mut self) {
        self.0.resubscribing(false);
    }
}

fn measure(topic: &'static str, known: &Watched) {
    let labels = [("topic", topic)];
    metrics().topic_silence.get_or_create(&labels).set(known.silent_for.as_secs_f64());
    metrics().canaries_unheard.get_or_create(&labels).set(i64::from(known.asks()));
}
