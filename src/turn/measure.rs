//! What is counted of turns, at the edge of the machine.

use super::effect::{Handover, Reply, Request};
use crate::metrics::{metrics, seconds};
use reminder_domain::Fact;
use reminder_domain::event::Cause;
use tokio::time::Instant;

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
            Request::Wake | Request::Refresh | Request::Settle { .. } => None,
        };
        let is_wake = matches!(request, Request::Wake);
        Self { began: Instant::now(), method, is_wake }
    }

    pub(super) fn end(self, reply: &Reply) {
        let outcome = match reply {
            Reply::Answer(_) | Reply::View(_) | Reply::Awake(_) => "answered",
            Reply::Rejected(_) => "rejected",
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
            metrics.commands.get_or_create(&[("method", method), ("outcome", outcome)]).inc();
            let took = self.began.elapsed().as_secs_f64();
            metrics.command_seconds.get_or_create(&[("method", method)]).observe(took);
        }
    }
}

/// Counts a wake that was answered before its turn.
pub(super) fn put_off() {
    metrics().wakes.get_or_create(&[("outcome", "put_off")]).inc();
}

/// Counts the reminders that fired by a commit. What it carries on from an earlier one was counted
/// then, or by the process that died.
pub(super) fn firings(handovers: &[Handover]) {
    let new = handovers.iter().filter(|one| one.commit().at == one.state().updated_at);
    for commit in new.map(Handover::commit) {
        for event in &commit.events {
            let Fact::ReminderTriggered(triggered) = &event.fact else { continue };
            let cause = word(triggered.cause);
            metrics().firings.get_or_create(&[("cause", cause)]).inc();
            let late_ms = commit.at.millis_since(triggered.scheduled_for);
            metrics().lateness.observe(seconds(late_ms));
        }
    }
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

    #[test]
    fn causes_have_the_words_of_the_events() {
        for cause in [Cause::OnTime, Cause::Late, Cause::Coalesced, Cause::Snooze, Cause::Nag] {
            assert_eq!(serde_json::to_value(cause).unwrap(), word(cause));
        }
    }
}
