//! The series that are there from the start, at zero: a counter that appears with its first event has no
//! increase that an alert could see, and one that is missing looks like a service that is not scraped.

use super::Metrics;
use super::kinds::One;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use reminder_contract::names::{
    REMINDERS, REMINDERS_DLQ, TASK_EVENTS, TASK_EVENTS_DLQ, TASK_UPDATES, TASK_UPDATES_DLQ,
};
use reminder_contract::rest::OPERATIONS;

/// Where events go.
const TOPICS: [&str; 3] = [TASK_EVENTS, REMINDERS, TASK_UPDATES];
/// Where what cannot be handled goes.
const DEAD_LETTERS: [&str; 3] = [TASK_EVENTS_DLQ, REMINDERS_DLQ, TASK_UPDATES_DLQ];
/// What became of a turn that somebody waits for.
const OUTCOMES: [&str; 5] = ["answered", "rejected", "overloaded", "unavailable", "unreadable"];
/// What a wake found.
pub(crate) const FOUND: [&str; 4] = ["on_time", "late", "early", "nothing"];
/// Why a reminder fired, as events say it.
pub(crate) const CAUSES: [&str; 5] = ["onTime", "late", "coalesced", "snooze", "nag"];
/// What became of an event of another service.
const INGESTED: [&str; 6] = ["applied", "known", "own", "unknown", "dead_lettered", "retried"];
/// What became of making the sidecar subscribe anew.
const RESUBSCRIBED: [&str; 2] = ["done", "failed"];
/// Whose a token was, or what was wrong with it.
pub(crate) const TOKENS: [&str; 11] = [
    "user",
    "administrator",
    "malformed",
    "algorithm",
    "key",
    "signature",
    "time",
    "issuer",
    "audience",
    "claim",
    "unknown",
];
/// What a round of the audit may find.
const FINDINGS: [&str; 7] =
    ["settled", "republished", "armed", "scheduler_lost", "parked", "unparked", "failed"];
/// Until when a pending task wakes, from near to far, with the end of the bucket in ms from now. The last
/// one has none.
pub(crate) const HORIZONS: [(&str, i64); 7] = [
    ("overdue", 0),
    ("minute", 60_000),
    ("hour", 3_600_000),
    ("day", 86_400_000),
    ("week", 604_800_000),
    ("month", 2_592_000_000),
    ("later", i64::MAX),
];

/// What of the REST edge is called and is no operation.
pub(crate) const NO_OPERATIONS: [&str; 3] = ["console", "document", "unknown"];
/// How a call may end.
const STATUSES: [&str; 3] = ["2xx", "4xx", "5xx"];
/// What refuses calls before their handlers see them.
pub(crate) const REFUSERS: [&str; 5] = ["guard", "token", "scope", "rate", "places"];

/// What a purge finds of the tasks that it looks at.
const PURGED: [&str; 4] = ["tombstone", "completed", "kept", "failed"];

/// Makes them. Of the durations of commands and calls there is one, for each of them is many.
pub(super) fn begin(metrics: &Metrics) {
    for outcome in OUTCOMES {
        drop(metrics.commands.get_or_create(&[("method", "put"), ("outcome", outcome)]));
    }
    drop(metrics.command_seconds.get_or_create(&[("method", "put"), ("outcome", "answered")]));
    let called = OPERATIONS.iter().map(|operation| operation.name).chain(NO_OPERATIONS);
    for operation in called {
        for status in STATUSES {
            let labels = [("operation", operation), ("status", status)];
            drop(metrics.http_requests.get_or_create(&labels));
        }
    }
    drop(metrics.http_request_seconds.get_or_create(&[("operation", "putTask")]));
    for found in FOUND {
        drop(metrics.wake_seconds.get_or_create(&[("found", found)]));
    }
    for cause in CAUSES {
        drop(metrics.lateness.get_or_create(&[("cause", cause)]));
    }
    for topic in TOPICS {
        drop(metrics.publish_seconds.get_or_create(&[("topic", topic)]));
        drop(metrics.publish_call_seconds.get_or_create(&[("topic", topic)]));
    }
    for topic in [TASK_EVENTS, TASK_EVENTS_DLQ, REMINDERS_DLQ, TASK_UPDATES_DLQ] {
        drop(metrics.topic_silence.get_or_create(&[("topic", topic)]));
        drop(metrics.canaries_unheard.get_or_create(&[("topic", topic)]));
    }
    for topic in DEAD_LETTERS {
        drop(metrics.letters_open.get_or_create(&[("topic", topic)]));
    }
    for whose in ["everyone", "users"] {
        drop(metrics.firing_stopped.get_or_create(&[("whose", whose)]));
    }
    for (horizon, _) in HORIZONS {
        drop(metrics.pending.get_or_create(&[("horizon", horizon)]));
    }
    let wakes = [&OUTCOMES[..], &["put_off"]].concat();
    let counters: [(&Family<One, Counter>, &'static str, &[&'static str]); 17] = [
        (&metrics.http_refusals, "reason", &REFUSERS),
        (&metrics.wakes, "outcome", &wakes),
        (&metrics.overloads, "turn", &["command", "unasked"]),
        (&metrics.firings, "cause", &CAUSES),
        (&metrics.commits, "outcome", &["committed", "fenced", "unconfirmed"]),
        (&metrics.published, "topic", &TOPICS),
        (&metrics.publish_failures, "topic", &TOPICS),
        (&metrics.ingested, "outcome", &INGESTED),
        (&metrics.rounds, "outcome", &["done", "failed", "left"]),
        (&metrics.found, "what", &FINDINGS),
        (&metrics.refreshed, "outcome", &["done", "failed"]),
        (&metrics.letters_received, "topic", &DEAD_LETTERS),
        (&metrics.resubscriptions, "outcome", &RESUBSCRIBED),
        (&metrics.tokens, "outcome", &TOKENS),
        (&metrics.key_fetches, "outcome", &["done", "failed"]),
        (&metrics.purged, "what", &PURGED),
        (&metrics.purge_rounds, "outcome", &["done", "failed", "left"]),
    ];
    for (counter, label, values) in counters {
        for value in values {
            drop(counter.get_or_create(&[(label, *value)]));
        }
    }
}
