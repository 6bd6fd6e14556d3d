//! What is counted of turns, at the edge of the machine.

use super::effect::{Effect, Handover, Reply, Request};
use crate::metrics::{exemplar, metrics, seconds};
use reminder_domain::event::Cause;
use reminder_domain::{Fact, Timestamp};
use reminder_telemetry::context;
use tokio::time::Instant;
use tracing::Span;

/// A turn that somebody waits for.
pub(super) struct Measured {
    began: Instant,
    /// The method; `None` for turns that nobody sent.
    method: Option<&'static str>,
    is_wake: bool,
}

impl Measured {
    pub(super) fn begin(request: &Request) -> Self {
        let method = match request {
            Request::Get => Some("get"),
            Request::Command(command) => Some(command.kind.name()),
            Request::Wake
            | Request::Refresh
            | Request::Settle { .. }
            | Request::Purge(_)
            | Request::Erase(_) => None,
        };
        let is_wake = matches!(request, Request::Wake);
        Self { began: Instant::now(), method, is_wake }
    }

    /// Counts it; the span leads from its duration to its trace.
    pub(super) fn end(self, reply: &Reply, span: &Span) {
        let outcome = match reply {
            Reply::Answer(_) | Reply::View(_) | Reply::Awake(_) => "answered",
            Reply::Rejected(_) | Reply::OverQuota(_) => "rejected",
            Reply::Overloaded(_) => "overloaded",
            Reply::Unavailable(_) => "unavailable",
            Reply::Unreadable(_) => "unreadable",
        };
        let metrics = metrics();
        if matches!(reply, Reply::Overloaded(_)) {
            let turn = if self.method.is_some() { "command" } else { "unasked" };
            metrics.overloads.get_or_create(&[("turn", turn)]).inc();
        }
        if self.is_wake {
            metrics.wakes.get_or_create(&[("outcome", outcome)]).inc();
        }
        if let Some(method) = self.method {
            let labels = [("method", method), ("outcome", outcome)];
            metrics.commands.get_or_create(&labels).inc();
            let (took, trace) = (self.began.elapsed().as_secs_f64(), context::trace_of(span));
            metrics.command_seconds.get_or_create(&labels).observe(took, exemplar(trace), None);
        }
    }
}

/// What a wake found to do, as the effects of its turn show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// Nothing was due: the wake was in vain, as one of a time that was given up is.
    #[default]
    Nothing,
    /// Something was due.
    OnTime,
    /// What was due was late, or had come due several times.
    Late,
    /// Something was due a moment later, and the turn waited.
    Early,
}

impl Found {
    const fn of(cause: Cause) -> Self {
        match cause {
            Cause::Late | Cause::Coalesced => Self::Late,
            Cause::OnTime | Cause::Snooze | Cause::Nag => Self::OnTime,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::OnTime => "on_time",
            Self::Late => "late",
            Self::Early => "early",
        }
    }
}

/// The turn of a wake, from when it has its place.
pub(super) struct Wake {
    began: Instant,
    found: Found,
}

impl Wake {
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), found: Found::default() }
    }

    pub(super) fn note(&mut self, effect: &Effect) {
        let found = match effect {
            Effect::WaitUntil(_) => Found::Early,
            Effect::Publish(handovers) => {
                let causes = new(handovers).flat_map(fired).map(|(cause, ..)| cause);
                causes.map(Found::of).max().unwrap_or_default()
            }
            _ => return,
        };
        self.found = self.found.max(found);
    }

    pub(super) fn end(self) {
        let (took, trace) = (self.began.elapsed(), context::trace_of(&Span::current()));
        let labels = [("found", self.found.word())];
        let durations = metrics().wake_seconds.get_or_create(&labels).clone();
        durations.observe(took.as_secs_f64(), exemplar(trace), None);
    }
}

/// Counts a commit.
pub(super) fn commit(outcome: &'static str) {
    metrics().commits.get_or_create(&[("outcome", outcome)]).inc();
}

/// Counts a wake that was answered before its turn.
pub(super) fn put_off() {
    metrics().wakes.get_or_create(&[("outcome", "put_off")]).inc();
}

/// Counts the reminders that fired by a commit, of a task that was `changed` before. A reminder that was
/// put in the past is late since then: before, nobody could have fired it.
pub(super) fn firings(handovers: &[Handover], changed: Option<Timestamp>) {
    let trace = context::trace_of(&Span::current());
    for (cause, fired_at, due) in new(handovers).flat_map(fired) {
        let late_ms = fired_at.millis_since(changed.map_or(due, |changed| due.max(changed)));
        let labels = [("cause", word(cause))];
        metrics().firings.get_or_create(&labels).inc();
        let lateness = metrics().lateness.get_or_create(&labels).clone();
        lateness.observe(seconds(late_ms), exemplar(trace.clone()), None);
    }
}

/// What a commit carries on from an earlier one was counted then, or by the process that died.
fn new(handovers: &[Handover]) -> impl Iterator<Item = &Handover> {
    handovers.iter().filter(|one| one.commit().at == one.state().updated_at)
}

/// The reminders that a commit fired: why, when, and when they were due.
fn fired(handover: &Handover) -> impl Iterator<Item = (Cause, Timestamp, Timestamp)> {
    let commit = handover.commit();
    commit.events.iter().filter_map(|event| match &event.fact {
        Fact::ReminderTriggered(told) => Some((told.cause, commit.at, told.scheduled_for)),
        _ => None,
    })
}

/// The word for it in events.
fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::OnTime => "onTime",
        Cause::Late => "late",
        Cause::Coalesced => "coalesced",
        Cause::Snooze => "snooze",
        Cause::Nag => "nag",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{CAUSES, FOUND};

    #[test]
    fn what_a_wake_found_and_why_it_fired_are_series_from_the_start() {
        for found in [Found::Nothing, Found::Early, Found::OnTime, Found::Late] {
            assert!(FOUND.contains(&found.word()), "{found:?}");
        }
        for cause in [Cause::OnTime, Cause::Late, Cause::Coalesced, Cause::Snooze, Cause::Nag] {
            assert!(CAUSES.contains(&word(cause)), "{cause:?}");
        }
    }

    #[test]
    fn causes_have_the_words_of_the_events() {
        for cause in [Cause::OnTime, Cause::Late, Cause::Coalesced, Cause::Snooze, Cause::Nag] {
            assert_eq!(serde_json::to_value(cause).unwrap(), word(cause));
        }
    }
}
