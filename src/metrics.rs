//! Metrics of this process, in Prometheus' text format.
//!
//! They are counted at the edge (driver, audit, publisher) and never in the pure machine, which knows
//! nothing of them. One set per process, so that nothing has to be handed through: counting is an
//! addition to a number, and decides nothing.

mod kinds;
mod series;

pub(crate) use kinds::exemplar;
pub(crate) use series::HORIZONS;
#[cfg(test)]
pub(crate) use series::{CAUSES, FOUND, NO_OPERATIONS, REFUSERS};

use kinds::{Age, Durations, One, Three, Traced, TracedBy, Two};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use reminder_domain::time::zone_database;
use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long commands take, in seconds; a commit takes some milliseconds.
const COMMAND_SECONDS: [f64; 12] =
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 20.0];
/// How late reminders fire, in seconds: on time, by the audit, after an outage.
const LATENESS_SECONDS: [f64; 14] =
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 300.0, 3_600.0];
/// How long publishing takes, in seconds: the broker's answer, waiting behind others, an outage.
const PUBLISH_SECONDS: [f64; 13] =
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];
/// How old events are when they are followed, in seconds: at once, after a restart, after an outage.
const AGE_SECONDS: [f64; 12] =
    [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3_600.0, 86_400.0];
/// How long rounds take, in seconds.
const ROUND_SECONDS: [f64; 9] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0];

/// The commit that the binary was built from, where the build said it.
const REVISION: &str = match option_env!("REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// Declares the metrics as one table: name, kind as Prometheus calls it, labels, help.
macro_rules! metrics {
    ($($field:ident: $type:ty = $make:expr, $name:literal, $kind:literal, $labels:literal, $help:literal;)*) => {
        /// Everything that is measured.
        pub struct Metrics {
            registry: Registry,
            $(#[doc = $help] pub(crate) $field: $type,)*
        }

        /// Name as it is scraped, kind and labels of each metric.
        pub const TABLE: &[(&str, &str, &str)] = &[$(($name, $kind, $labels),)*];

        impl Metrics {
            fn new() -> Self {
                let mut registry = Registry::default();
                $(
                    let $field: $type = $make;
                    // The library adds the suffix of counters and the full stop of the help itself.
                    let name = $name.strip_suffix("_total").unwrap_or($name);
                    registry.register(name, $help, $field.clone());
                )*
                let metrics = Self { registry, $($field,)* };
                metrics.build_info.get_or_create(&build()).set(1);
                series::begin(&metrics);
                metrics
            }
        }
    };
}

metrics! {
    build_info: Family<Three, Gauge> = Family::default(),
        "reminder_build_info", "gauge", "version, revision, zones",
        "1; which build this is, and which zone database is compiled into it";
    commands: Family<Two, Counter> = Family::default(),
        "reminder_commands_total", "counter", "method, outcome",
        "Commands and reads by what became of them";
    command_seconds: TracedBy<Two> = Family::new_with_constructor(|| Traced::new(COMMAND_SECONDS.into_iter())),
        "reminder_command_seconds", "histogram", "method, outcome",
        "How long commands and reads took, waiting for a place included";
    http_requests: Family<Two, Counter> = Family::default(),
        "reminder_http_requests_total", "counter", "operation, status",
        "Calls of the REST edge and the console by the class of their status";
    http_request_seconds: TracedBy<One> = Family::new_with_constructor(|| Traced::new(COMMAND_SECONDS.into_iter())),
        "reminder_http_request_seconds", "histogram", "operation",
        "How long they took until their answer began";
    http_in_flight: Gauge = Gauge::default(),
        "reminder_http_requests_in_flight", "gauge", "-",
        "Calls of the REST edge and the console that are not answered yet";
    http_refusals: Family<One, Counter> = Family::default(),
        "reminder_http_refusals_total", "counter", "reason",
        "Calls that were refused before anything was done for them, by what refused them";
    wakes: Family<One, Counter> = Family::default(),
        "reminder_wakes_total", "counter", "outcome",
        "Wakes by what became of them";
    wake_seconds: TracedBy<One> = Family::new_with_constructor(|| Traced::new(COMMAND_SECONDS.into_iter())),
        "reminder_wake_seconds", "histogram", "found",
        "How long the turns of wakes took, by what they found to do";
    overloads: Family<One, Counter> = Family::default(),
        "reminder_overloads_total", "counter", "turn",
        "Turns that were refused since too much was waiting";
    firings: Family<One, Counter> = Family::default(),
        "reminder_firings_total", "counter", "cause",
        "Reminders that fired";
    lateness: TracedBy<One> = Family::new_with_constructor(|| Traced::new(LATENESS_SECONDS.into_iter())),
        "reminder_firing_lateness_seconds", "histogram", "cause",
        "From when it could fire, its due time or the last change of its task, to the firing: the service level";
    commits: Family<One, Counter> = Family::default(),
        "reminder_commits_total", "counter", "outcome",
        "Commits by what became of them";
    doubtful: Counter = Counter::default(),
        "reminder_turns_doubtful_total", "counter", "-",
        "Turns that ended in doubt and are put in order later";
    recovering: Gauge = Gauge::default(),
        "reminder_recovery_tasks", "gauge", "-",
        "Tasks that wait to be put in order after a turn in doubt";
    outbox: Gauge = Gauge::default(),
        "reminder_outbox_events", "gauge", "-",
        "Events of this process that wait for the broker";
    outbox_age: Age = Age::default(),
        "reminder_outbox_oldest_event_age_seconds", "gauge", "-",
        "How long the oldest event of this process has waited for the broker; 0 when none waits";
    published: Family<One, Counter> = Family::default(),
        "reminder_events_published_total", "counter", "topic",
        "Events that the broker acknowledged";
    publish_failures: Family<One, Counter> = Family::default(),
        "reminder_publish_failures_total", "counter", "topic",
        "Batches of events that were not published and are tried again";
    publish_seconds: Durations = Family::new_with_constructor(|| Histogram::new(PUBLISH_SECONDS)),
        "reminder_publish_seconds", "histogram", "topic",
        "From the commit of an event to the acknowledgement by the broker, failed attempts included";
    publish_call_seconds: Durations = Family::new_with_constructor(|| Histogram::new(PUBLISH_SECONDS)),
        "reminder_publish_call_seconds", "histogram", "topic",
        "How long one call with a batch of events took, acknowledged or not";
    ingested: Family<One, Counter> = Family::default(),
        "reminder_ingested_events_total", "counter", "outcome",
        "Events of others by what became of them";
    ingest_age: Histogram = Histogram::new(AGE_SECONDS),
        "reminder_ingested_event_age_seconds", "histogram", "-",
        "From the publication of an event to when it was followed";
    rounds: Family<One, Counter> = Family::default(),
        "reminder_audit_rounds_total", "counter", "outcome",
        "Rounds of the audit: done, failed, or left to the holder of the lease";
    round_seconds: Histogram = Histogram::new(ROUND_SECONDS),
        "reminder_audit_round_seconds", "histogram", "-",
        "How long the rounds of the holder took";
    last_round: Gauge<f64, AtomicU64> = Gauge::default(),
        "reminder_audit_last_round_timestamp_seconds", "gauge", "-",
        "When the last round was done, in seconds since 1970";
    lease_held: Gauge = Gauge::default(),
        "reminder_audit_lease_held", "gauge", "-",
        "1 on the replica that holds the lease";
    found: Family<One, Counter> = Family::default(),
        "reminder_audit_found_total", "counter", "what",
        "What rounds found and did, as in the log";
    oldest_overdue: Gauge<f64, AtomicU64> = Gauge::default(),
        "reminder_audit_oldest_overdue_seconds", "gauge", "-",
        "How long the oldest task was overdue that the last round met; stopped and parked ones aside";
    pending: Family<One, Gauge> = Family::default(),
        "reminder_pending_tasks", "gauge", "horizon",
        "Tasks with something left to fire, by when the next is due";
    refreshed: Family<One, Counter> = Family::default(),
        "reminder_refreshed_tasks_total", "counter", "outcome",
        "Tasks that followed changed preferences or zones";
    letters_received: Family<One, Counter> = Family::default(),
        "reminder_dead_letters_received_total", "counter", "topic",
        "Dead letters that came, each once";
    letters_open: Family<One, Gauge> = Family::default(),
        "reminder_dead_letters_open", "gauge", "topic",
        "Dead letters that nobody has replayed or dropped";
    topic_silence: Family<One, Gauge<f64, AtomicU64>> = Family::default(),
        "reminder_topic_silence_seconds", "gauge", "topic",
        "How long nothing has come from a topic to any replica, canaries included";
    canaries_unheard: Family<One, Gauge> = Family::default(),
        "reminder_topic_canaries_unheard", "gauge", "topic",
        "Canaries on a topic since anything came from it; two and more: it is not consumed";
    resubscriptions: Family<One, Counter> = Family::default(),
        "reminder_resubscriptions_total", "counter", "outcome",
        "How often the sidecar was made to subscribe anew";
    tokens: Family<One, Counter> = Family::default(),
        "reminder_tokens_total", "counter", "outcome",
        "Tokens that callers showed: whose they were, or why they were refused";
    key_fetches: Family<One, Counter> = Family::default(),
        "reminder_token_keys_reads_total", "counter", "outcome",
        "How often the keys of the identity provider were read";
    keys_age: Age = Age::default(),
        "reminder_token_keys_age_seconds", "gauge", "-",
        "How long ago the keys were last read; 0 where there are none";
    purged: Family<One, Counter> = Family::default(),
        "reminder_purged_tasks_total", "counter", "what",
        "Tasks that a purge looked at: removed (tombstone, completed), kept, or not reached";
    purge_rounds: Family<One, Counter> = Family::default(),
        "reminder_purge_rounds_total", "counter", "outcome",
        "Rounds of the purge: done, failed, or left to another replica";
    last_purge: Gauge<f64, AtomicU64> = Gauge::default(),
        "reminder_purge_last_round_timestamp_seconds", "gauge", "-",
        "When a purge last came to its end, as far as this replica knows, in seconds since 1970; where none ever did, when the replica began";
    purge_interval: Gauge<f64, AtomicU64> = Gauge::default(),
        "reminder_purge_interval_seconds", "gauge", "-",
        "How often a purge should come; 0: everything is kept";
    purge_job_registered: Gauge = Gauge::default(),
        "reminder_purge_job_registered", "gauge", "-",
        "1 when the Dapr job that begins purges was found registered at the last look";
    erasures: Gauge = Gauge::default(),
        "reminder_erasures", "gauge", "-",
        "Users of whom everything is being erased, at most 100";
    erasure_age: Gauge<f64, AtomicU64> = Gauge::default(),
        "reminder_erasures_oldest_age_seconds", "gauge", "-",
        "How long ago the oldest erasure under way was asked for; 0: none is";
    erasure_failures: Counter = Counter::default(),
        "reminder_erasure_failures_total", "counter", "-",
        "How often erasing could not go on; it is tried again each second";
    erased_tasks: Counter = Counter::default(),
        "reminder_erased_tasks_total", "counter", "-",
        "Tasks of which everything personal was erased";
    unnamed_tasks: Counter = Counter::default(),
        "reminder_unnamed_tasks_total", "counter", "-",
        "Tasks of others out of which the name of an erased user was taken";
    erased_users: Counter = Counter::default(),
        "reminder_erased_users_total", "counter", "-",
        "Erasures that are done: nothing of the user was left";
    parked: Gauge = Gauge::default(),
        "reminder_parked_tasks", "gauge", "-",
        "Tasks whose stored state cannot be read";
    firing_stopped: Family<One, Gauge> = Family::default(),
        "reminder_firing_stopped", "gauge", "whose",
        "Whether everyone is stopped (0 or 1), and how many users are";
}

fn build() -> Three {
    [("version", env!("CARGO_PKG_VERSION")), ("revision", REVISION), ("zones", zone_database())]
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Those of this process.
pub fn metrics() -> &'static Metrics {
    &METRICS
}

impl Metrics {
    /// All of them as a scrape gets them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to memory does not fail; a scrape without metrics says enough if it does.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

/// A count for a gauge.
pub(crate) fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Milliseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 9999 fit a double")]
pub(crate) fn seconds(ms: i64) -> f64 {
    Duration::from_millis(ms.unsigned_abs()).as_secs_f64().copysign(ms as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_is_scraped_is_what_the_table_says() {
        let metrics = Metrics::new();
        metrics.firings.get_or_create(&[("cause", "late")]).inc();
        let late = metrics.lateness.get_or_create(&[("cause", "late")]).clone();
        late.observe(seconds(7_250), exemplar(Some("4bf92f35".into())), None);
        metrics.commands.get_or_create(&[("method", "put"), ("outcome", "answered")]).inc_by(3);
        metrics.publish_seconds.get_or_create(&[("topic", "reminders")]).observe(0.003);
        let text = metrics.text();
        let types: BTreeSet<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .map(str::to_owned)
            .collect();
        let told = TABLE.iter().map(|(name, kind, _)| {
            format!("{} {kind}", name.strip_suffix("_total").unwrap_or(name))
        });
        assert_eq!(types, told.collect());
        for (name, kind, _) in TABLE {
            assert_eq!(name.ends_with("_total"), *kind == "counter", "{name}");
        }
        for line in [
            r#"reminder_firings_total{cause="late"} 1"#,
            r#"reminder_firing_lateness_seconds_bucket{le="15.0",cause="late"} 1 # {trace_id="4bf92f35"} 7.25"#,
            r#"reminder_firing_lateness_seconds_sum{cause="late"} 7.25"#,
            r#"reminder_firing_lateness_seconds_count{cause="nag"} 0"#,
            r#"reminder_audit_found_total{what="scheduler_lost"} 0"#,
            "reminder_outbox_oldest_event_age_seconds 0.0",
            r#"reminder_publish_seconds_bucket{le="0.005",topic="reminders"} 1"#,
            r#"reminder_commands_total{method="put",outcome="answered"} 3"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert_eq!(seconds(-1_500).to_bits(), (-1.5_f64).to_bits());
    }
}
