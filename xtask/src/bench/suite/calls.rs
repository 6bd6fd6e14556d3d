//! How many calls each part gets for one operation, by the sidecar's own counters of the calls that it
//! was asked for. Counted, not claimed: an operation is done many times on a quiet stack.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use reminder_stack::probe;
use serde::Serialize;
use tokio::time::{Instant, sleep};

/// Counts every call of the application by its method.
const COUNTER: &str = "dapr_grpc_io_server_completed_rpcs{";
const METHOD: &str = "grpc_server_method=\"/dapr.proto.runtime.v1.Dapr/";

/// What is counted, in words, and the methods that it consists of.
const KINDS: [(Kind, &[&str]); 6] = [
    (Kind::Reads, &["GetActorState", "GetState", "GetBulkState"]),
    (Kind::Writes, &["ExecuteActorStateTransaction"]),
    (Kind::Registrations, &["RegisterActorReminder"]),
    (Kind::Unregistrations, &["UnregisterActorReminder"]),
    (Kind::Publishes, &["BulkPublishEvent", "BulkPublishEventAlpha1", "PublishEvent"]),
    (Kind::Watermarks, &["SaveState", "ExecuteStateTransaction"]),
];

/// Nothing has been counted for so long: what was started is over.
const QUIET: Duration = Duration::from_millis(700);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const ASK_DEADLINE: Duration = Duration::from_secs(30);
const SETTLE_DEADLINE: Duration = Duration::from_secs(30);

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::bench) enum Kind {
    /// Of a state.
    Reads,
    /// State transactions of actors.
    Writes,
    /// With the Dapr scheduler.
    Registrations,
    Unregistrations,
    /// Bulk publishes, each with the events of many tasks.
    Publishes,
    /// Writes that are no actor's: how far was published.
    Watermarks,
}

impl Kind {
    pub(in crate::bench) const ALL: [Self; 6] = [
        Self::Reads,
        Self::Writes,
        Self::Registrations,
        Self::Unregistrations,
        Self::Publishes,
        Self::Watermarks,
    ];

    pub(in crate::bench) const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Registrations => "registrations",
            Self::Unregistrations => "unregistrations",
            Self::Publishes => "publishes",
            Self::Watermarks => "watermarks",
        }
    }
}

/// Calls of each kind.
pub(in crate::bench) type Counts = BTreeMap<Kind, u64>;

/// What is counted once nothing moves any more.
pub(super) async fn settled(metrics_port: u16) -> Result<Counts> {
    let give_up = Instant::now() + SETTLE_DEADLINE;
    let (mut last, mut since) = (counts(metrics_port).await?, Instant::now());
    loop {
        sleep(LOOK_EVERY).await;
        let now = counts(metrics_port).await?;
        if now != last {
            (last, since) = (now, Instant::now());
        }
        // The audit goes on for ever, at a pace that leaves room for this; what it asks is not counted.
        if since.elapsed() >= QUIET || Instant::now() >= give_up {
            return Ok(last);
        }
    }
}

async fn counts(metrics_port: u16) -> Result<Counts> {
    Ok(parse(&ask(metrics_port, "/metrics").await?))
}

/// Asks until there is an answer: on a busy machine one may take longer than a probe waits.
pub(super) async fn ask(port: u16, path: &str) -> Result<String> {
    let answer = || async { probe::get(port, path, &[]).await.ok() };
    let answer = probe::until(ASK_DEADLINE, answer).await;
    Ok(answer.with_context(|| format!("{path} on port {port} is not answered"))?.body)
}

fn parse(metrics: &str) -> Counts {
    let mut counts: Counts = Kind::ALL.into_iter().map(|kind| (kind, 0)).collect();
    for line in metrics.lines().filter(|line| line.starts_with(COUNTER)) {
        let method = line.split_once(METHOD).and_then(|(_, rest)| rest.split_once('"'));
        let value = line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        let (Some((method, _)), Some(value)) = (method, value) else { continue };
        let kind = KINDS.iter().find(|(_, methods)| methods.contains(&method));
        if let Some((kind, _)) = kind {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            counts.entry(*kind).and_modify(|count| *count += value as u64);
        }
    }
    counts
}

/// Calls for each of so many operations.
#[expect(clippy::cast_precision_loss, reason = "small counts")]
pub(super) fn per_operation(before: &Counts, after: &Counts, count: usize) -> BTreeMap<Kind, f64> {
    let per = |kind: Kind| {
        let of = |counts: &Counts| counts.get(&kind).copied().unwrap_or(0);
        (kind, of(after).saturating_sub(of(before)) as f64 / count.max(1) as f64)
    };
    Kind::ALL.into_iter().map(per).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_summed_by_kind_whatever_their_outcome() {
        let line = |method: &str, status: &str, value: u32| {
            format!(
                "{COUNTER}app_id=\"a\",grpc_server_method=\"/dapr.proto.runtime.v1.Dapr/{method}\",\
                 grpc_server_status=\"{status}\"}} {value}\n"
            )
        };
        let text = line("ExecuteActorStateTransaction", "OK", 5)
            + &line("ExecuteActorStateTransaction", "INTERNAL", 2)
            + &line("BulkPublishEvent", "OK", 3)
            + &line("GetMetadata", "OK", 9)
            + "dapr_other{} 7\n";
        let counts = parse(&text);
        assert_eq!((counts[&Kind::Writes], counts[&Kind::Publishes]), (7, 3));
        assert_eq!(counts.values().sum::<u64>(), 10);
        let per = per_operation(&parse(""), &counts, 2);
        assert!((per[&Kind::Writes] - 3.5).abs() < 1e-9 && per[&Kind::Reads].abs() < 1e-9);
    }
}
