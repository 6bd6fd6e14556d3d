//! One step of one delivery: claim it, try it, note what came of it.

use crate::channels::email::Mailer;
use crate::channels::webhook::Webhooks;
use crate::channels::{Channel, Failure, console};
use crate::crowd::Crowd;
use crate::ledger::{Claimed, Entry, Ledger, Look, Note, Status};
use crate::links::Links;
use crate::message::Message;
use crate::preferences::{PreferenceStore, Preferences};
use crate::retry::RetryPolicy;
use crate::undeliverable::{self, Undeliverable};
use reminder_domain::Timestamp;
use reminder_member::config::Format;
use reminder_member::{Flow, Sidecar, clock};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// The wait after something of our own, such as the store, was in the way.
const PAUSE: Duration = Duration::from_secs(2);

/// Everything that delivering needs. Clones share it.
#[derive(Clone)]
pub(crate) struct Courier {
    parts: Arc<Parts>,
}

/// The parts of a [`Courier`].
pub(crate) struct Parts {
    /// For dead letters and events.
    pub(crate) sidecar: Sidecar,
    /// What is to be delivered.
    pub(crate) ledger: Arc<Ledger>,
    /// Where to.
    pub(crate) preferences: PreferenceStore,
    /// What users can press.
    pub(crate) links: Links,
    /// How lines are written on the console.
    pub(crate) log_format: Format,
    /// The way by HTTP.
    pub(crate) webhooks: Arc<Webhooks>,
    /// The way by e-mail, where there is a server.
    pub(crate) mailer: Option<Mailer>,
    /// When it is tried again.
    pub(crate) policy: RetryPolicy,
    /// How much is tried at the same time.
    pub(crate) crowd: Crowd,
    /// Cancelled when nothing new shall be begun.
    pub(crate) stop: CancellationToken,
}

/// What a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing more is to be done.
    Ended,
    /// The next one, then.
    Later(Timestamp),
}

impl Courier {
    /// From its parts.
    pub(crate) fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Where deliveries are kept.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.parts.ledger
    }

    /// Takes a delivery one step further. Whatever of our own is in the way, the delivery stays.
    pub(crate) async fn step(&self, entry: &Entry) -> Step {
        // Before the claim, which would run out for who waits long for a place.
        let _place = self.parts.crowd.enter(&receiver(entry)).await;
        if self.parts.stop.is_cancelled() {
            return Step::Later(clock::now());
        }
        match self.parts.ledger.claim(entry, clock::now()).await {
            Ok(Look::Ended) => Step::Ended,
            Ok(Look::Later(at)) => Step::Later(at),
            Ok(Look::Claimed(claimed)) => {
                let flow = Flow::of_event(&claimed.firing).child();
                let span = span(entry, &claimed, &flow);
                self.parts.claimed(entry, &claimed, &flow).instrument(span).await
            }
            Err(error) => {
                tracing::warn!("event.id" = entry.event_id, %error, "a delivery cannot be claimed");
                Step::Later(after_pause())
            }
        }
    }
}

/// Who is at the other end.
fn receiver(entry: &Entry) -> String {
    format!("{}:{}", entry.channel, entry.user.as_deref().unwrap_or_default())
}

/// Every line of a delivery tells its flow, and the trace of the command that had scheduled it, days
/// ago perhaps, as a link.
fn span(entry: &Entry, claimed: &Claimed, flow: &Flow) -> tracing::Span {
    let link = claimed.firing.data.schedule_traceparent.as_deref();
    tracing::info_span!(
        "delivery",
        "correlation.id" = flow.correlation_id(),
        "trace.id" = flow.trace_id(),
        "link.trace.id" = link.and_then(|traceparent| traceparent.split('-').nth(1)),
        "event.id" = entry.event_id,
        "task.id" = entry.task.as_str(),
        channel = entry.channel.as_str(),
        attempt = claimed.attempts + 1,
    )
}

fn after_pause() -> Timestamp {
    after(PAUSE.mul_f64(0.5 + rand::random::<f64>()))
}

fn after(wait: Duration) -> Timestamp {
    clock::now().saturating_add_ms(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}

impl Parts {
    async fn claimed(&self, entry: &Entry, claimed: &Claimed, flow: &Flow) -> Step {
        let note = if claimed.giving_up {
            self.give_up(entry, claimed, flow).await
        } else {
            let outcome = self.attempt(entry, claimed, flow).await;
            self.conclude(claimed, outcome)
        };
        let next = match &note {
            Note::Ended(_) => Step::Ended,
            Note::Again { at, .. } => Step::Later(*at),
            Note::GiveUp { .. } => Step::Later(clock::now()),
        };
        match self.ledger.note(entry, claimed, &note).await {
            Ok(()) => next,
            Err(error) => {
                // The claim runs out, and the delivery is tried again: with the same identity.
                tracing::warn!(%error, "what came of a delivery cannot be noted");
                Step::Later(after_pause())
            }
        }
    }

    async fn attempt(&self, entry: &Entry, claimed: &Claimed, flow: &Flow) -> Outcome {
        let user = claimed.firing.data.user_id.as_deref();
        let preferences = match self.preferences.of(user).await {
            Ok(preferences) => preferences,
            Err(error) => return Outcome::NotNow(format!("the preferences: {error}")),
        };
        if !preferences.channels.contains(&entry.channel) {
            return Outcome::SwitchedOff;
        }
        let now = clock::now();
        let message = match Message::new(&claimed.firing, &self.links, now) {
            Ok(message) => message,
            Err(error) => return Outcome::Failed(Failure::Permanent(error.to_string())),
        };
        match self.send(entry.channel, &preferences, claimed, &message, flow, now).await {
            Ok(()) => Outcome::Delivered,
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn send(
        &self,
        channel: Channel,
        preferences: &Preferences,
        claimed: &Claimed,
        message: &Message,
        flow: &Flow,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let firing = &claimed.firing;
        let user = firing.data.user_id.as_deref().unwrap_or_default();
        let nowhere = || Failure::Permanent(format!("no address for {channel}"));
        match channel {
            Channel::Console => console::deliver(self.log_format, firing, message, flow.trace_id()),
            Channel::Webhook => {
                let target = preferences.webhook.as_ref().ok_or_else(nowhere)?;
                self.webhooks.deliver(&target.url, user, firing, message, flow, now).await
            }
            Channel::Email => {
                let target = preferences.email.as_ref().ok_or_else(nowhere)?;
                let mailer = self.mailer.as_ref();
                let mailer = mailer.ok_or_else(|| Failure::temporary("SMTP_URL is not set"))?;
                mailer.deliver(&target.address, firing, message, now).await
            }
        }
    }

    fn conclude(&self, claimed: &Claimed, outcome: Outcome) -> Note {
        let failure = match outcome {
            Outcome::Delivered => {
                tracing::info!("delivered");
                return Note::Ended(Status::Delivered);
            }
            Outcome::SwitchedOff => {
                tracing::info!("not delivered: the user has switched this way off");
                return Note::Ended(Status::SwitchedOff);
            }
            Outcome::NotNow(reason) => {
                tracing::warn!(reason, "not tried now");
                return Note::Again { counts: false, at: after_pause(), reason };
            }
            Outcome::Failed(failure) => failure,
        };
        let (reason, retry_after) = match failure {
            Failure::Permanent(reason) => {
                tracing::warn!(reason, "not delivered, and trying again cannot help");
                return Note::GiveUp { reason };
            }
            Failure::Temporary { reason, retry_after } => (reason, retry_after),
        };
        let wait = self.policy.wait(claimed.attempts + 1, retry_after, rand::random());
        let Some(wait) = wait else {
            tracing::warn!(reason, "not delivered, for the last time");
            return Note::GiveUp { reason };
        };
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(reason, wait_ms, "not delivered, it is tried again");
        Note::Again { counts: true, at: after(wait), reason }
    }

    /// Tells that it is given up; while that cannot be told, it is not.
    async fn give_up(&self, entry: &Entry, claimed: &Claimed, flow: &Flow) -> Note {
        let undeliverable = Undeliverable {
            firing: &claimed.firing,
            task: &entry.task,
            channel: entry.channel,
            reason: claimed.reason.as_deref().unwrap_or("unknown"),
            attempts: claimed.attempts,
        };
        match undeliverable::tell(&self.sidecar, undeliverable, flow, clock::now()).await {
            Ok(()) => {
                tracing::warn!("given up: it is in the dead letters");
                Note::Ended(Status::Failed)
            }
            Err(error) => {
                tracing::warn!(%error, "it cannot be told that it is given up");
                let reason = undeliverable.reason.to_owned();
                Note::Again { counts: false, at: after_pause(), reason }
            }
        }
    }
}

/// What an attempt came to.
enum Outcome {
    Delivered,
    SwitchedOff,
    /// Something of ours was in the way.
    NotNow(String),
    Failed(Failure),
}
