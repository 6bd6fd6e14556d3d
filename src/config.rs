//! Configuration: one struct per concern, from flags and environment variables, checked at start.

mod jwt;
mod parse;
mod parts;
mod retention;

pub use parse::ConsoleMode;
pub(crate) use parse::{database_url, horizon_ms};
pub use parts::{DatabaseConfig, ServerConfig, SidecarConfig};
pub use retention::RetentionArgs;
pub(crate) use retention::warn_if_short;

use crate::audit::settings as audit;
use crate::ingest::settings as ingest;
use crate::quota;
use crate::read_model::StateTable;
use crate::retention::settings as retention_settings;
use crate::telemetry::TelemetryConfig;
use crate::turn::driver::{Limits, WAKES_WAITING_PER_PLACE};
use crate::watch::settings as watch;
use clap::Args;
use parse::{
    component, console, count, duration, host_names, otlp_endpoint, positive, quiet, rest_token,
};
use reminder_contract::names;
use reminder_telemetry::logs::Format;
pub use reminder_telemetry::secret::Secret;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// Everything `serve` can be told. Texts are checked by [`ServeArgs::validate`], all at once.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Address to listen on. The sidecar shares the pod, so loopback is enough
    #[arg(long, env = "APP_HOST", default_value = "127.0.0.1")]
    app_host: String,
    /// Port to listen on
    #[arg(long, env = "APP_PORT", default_value_t = names::DEFAULT_APP_PORT)]
    app_port: u16,
    /// gRPC port of the Dapr sidecar, on loopback
    #[arg(long, env = "DAPR_GRPC_PORT", default_value_t = names::DEFAULT_DAPR_GRPC_PORT)]
    dapr_grpc_port: u16,
    /// Token that the sidecar asks of us
    #[arg(long, env = "DAPR_API_TOKEN", hide_env_values = true, default_value = "")]
    dapr_api_token: String,
    /// Token that we ask of the sidecar; empty: none
    #[arg(long, env = "APP_API_TOKEN", hide_env_values = true, default_value = "")]
    app_api_token: String,
    /// Token that direct callers of the REST edge show as a bearer token; empty: none may call but on loopback
    #[arg(long, env = "REST_TOKEN", hide_env_values = true, default_value = "")]
    rest_token: String,
    /// File that holds that token; an alternative to giving it directly
    #[arg(long, env = "REST_TOKEN_FILE")]
    rest_token_file: Option<PathBuf>,
    #[command(flatten)]
    jwt: jwt::JwtArgs,
    /// Names besides localhost under which the REST edge answers callers without a token, separated by commas
    #[arg(long, env = "REST_HOSTS", default_value = "")]
    rest_hosts: String,
    /// Calls of the REST edge that each caller may make a second; 0: as many as it likes
    #[arg(long, env = "REST_RATE", default_value_t = 0)]
    rest_rate: u32,
    /// Open tasks that each user may have; 0: as many as they like
    #[arg(long, env = "QUOTA_OPEN_TASKS", default_value_t = 0)]
    quota_open_tasks: u32,
    /// Commands to tasks that each user may send a minute, to each replica; 0: as many as they like
    #[arg(long, env = "QUOTA_COMMANDS_PER_MINUTE", default_value_t = 0)]
    quota_commands_per_minute: u32,
    /// The web page for operators: "off", "read", or "act"; empty: "read" where direct callers are answered
    #[arg(long, env = "CONSOLE", default_value = "")]
    console: String,
    /// URL of the Postgres database that holds the actor state store
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, default_value = "")]
    database_url: String,
    /// File that holds the database URL; an alternative to giving it directly
    #[arg(long, env = "DATABASE_URL_FILE")]
    database_url_file: Option<PathBuf>,
    /// Table of the actor state store: its `tablePrefix` followed by `state`
    #[arg(long, env = "STATE_TABLE", default_value = names::STATE_TABLE)]
    state_table: String,
    /// Dapr component of the actor state store
    #[arg(long, env = "STATE_STORE", default_value = names::STATE_STORE)]
    state_store: String,
    /// Dapr component of the broker
    #[arg(long, env = "PUBSUB", default_value = names::PUBSUB)]
    pubsub: String,
    /// How far ahead wakes are registered with Dapr: a duration such as 1h, or "infinite"
    #[arg(long, env = "ARM_HORIZON", default_value = "1h")]
    arm_horizon: String,
    /// How long a task may be overdue before the audit settles it
    #[arg(long, env = "AUDIT_GRACE", default_value = "5s")]
    audit_grace: String,
    /// The pause between two rounds of the sweep and the audit
    #[arg(long, env = "AUDIT_INTERVAL", default_value = "10s")]
    audit_interval: String,
    /// How many tasks a second follow changed preferences of their users, at most
    #[arg(long, env = "REFRESH_RATE", default_value_t = 200)]
    refresh_rate: usize,
    /// Wake turns that run at the same time
    #[arg(long, env = "WAKE_CONCURRENCY", default_value_t = 64)]
    wake_concurrency: usize,
    /// Command turns that run at the same time
    #[arg(long, env = "COMMAND_CONCURRENCY", default_value_t = 64)]
    command_concurrency: usize,
    /// Whether what others publish on `task-events` is followed
    #[arg(long, env = "INGEST", default_value_t = true, action = clap::ArgAction::Set)]
    ingest: bool,
    /// Tasks that follow events at the same time
    #[arg(long, env = "INGEST_CONCURRENCY", default_value_t = 128)]
    ingest_concurrency: usize,
    /// Most events that the sidecar delivers at once
    #[arg(long, env = "INGEST_BATCH", default_value_t = 500)]
    ingest_batch: usize,
    /// How long nothing may come from `task-events` until a canary is published there, or "off"
    #[arg(long, env = "TOPIC_WATCH", default_value = "1m")]
    topic_watch: String,
    #[command(flatten)]
    retention: RetentionArgs,
    /// How long a shutdown may take in all, such as 10s; shorter than the pod's grace period
    #[arg(long, env = "SHUTDOWN_GRACE", default_value = "10s")]
    shutdown_grace: String,
    /// How logs are written: "pretty" or "json". What is logged follows `RUST_LOG`
    #[arg(long, env = "LOG_FORMAT", default_value = "pretty")]
    log_format: String,
    /// File with another filter, read again every two seconds; while it is missing or empty, `RUST_LOG` holds
    #[arg(long, env = "LOG_FILTER_FILE")]
    log_filter_file: Option<PathBuf>,
    /// Where spans go, by OTLP over gRPC, such as `http://127.0.0.1:4317`; empty: nowhere
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", default_value = "")]
    otel_exporter_otlp_endpoint: String,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where we listen.
    pub server: ServerConfig,
    /// The sidecar.
    pub sidecar: SidecarConfig,
    /// The database, for the migration.
    pub database: DatabaseConfig,
    /// The turns.
    pub limits: Limits,
    /// The sweep and the audit.
    pub audit: audit::Settings,
    /// What users may have.
    pub quotas: quota::Settings,
    /// What others publish.
    pub ingest: ingest::Settings,
    /// Whether the topics are consumed.
    pub watch: watch::Settings,
    /// How long what is over is kept.
    pub retention: retention_settings::Settings,
    /// How long a shutdown may take in all.
    pub shutdown_grace: Duration,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used:\n  - {}", .0.join("\n  - "))]
pub struct InvalidConfig(pub Vec<String>);

/// Collects what is wrong, so that everything is reported at once.
#[derive(Default)]
struct Check(Vec<String>);

impl Check {
    /// The value, or a stand-in that is never used: with anything wrong there is no configuration.
    fn get<T>(&mut self, setting: &str, result: Result<T, impl Display>, stand_in: T) -> T {
        result.unwrap_or_else(|error| {
            self.0.push(format!("{setting} {error}"));
            stand_in
        })
    }
}

impl ServeArgs {
    /// Checks everything and reports all that is wrong at once.
    ///
    /// # Errors
    /// One line for each setting that cannot be used.
    pub fn validate(self) -> Result<Config, InvalidConfig> {
        let mut check = Check::default();
        let host = self.app_host.parse().map_err(|_| "is not an IP address");
        let host = check.get("APP_HOST", host, IpAddr::from([127, 0, 0, 1]));
        let url = database_url(self.database_url_file.as_deref(), &self.database_url);
        let url = check.get("DATABASE_URL", url, Secret::new(String::new()));
        let rest_token = rest_token(self.rest_token_file.as_deref(), self.rest_token);
        let rest_token = check.get("REST_TOKEN", rest_token, None);
        let tokens = self.jwt.check(&mut check);
        let rest_hosts = check.get("REST_HOSTS", host_names(&self.rest_hosts), Vec::new());
        let open = host.is_loopback() && self.app_api_token.is_empty();
        let console = console(&self.console, rest_token.is_some() || tokens.is_some(), open);
        let console = check.get("CONSOLE", console, ConsoleMode::Off);
        let state_table = StateTable::parse(&self.state_table);
        let state_table = check.get("STATE_TABLE", state_table, StateTable::default());
        let state_store = check.get("STATE_STORE", component(self.state_store), String::new());
        let pubsub = check.get("PUBSUB", component(self.pubsub), String::new());
        let horizon_ms = check.get("ARM_HORIZON", horizon_ms(&self.arm_horizon), None);
        let wakes = check.get("WAKE_CONCURRENCY", count(self.wake_concurrency), 1);
        let commands = check.get("COMMAND_CONCURRENCY", count(self.command_concurrency), 1);
        let grace = check.get("AUDIT_GRACE", duration(&self.audit_grace), Duration::ZERO);
        let interval = positive(&self.audit_interval);
        let interval = check.get("AUDIT_INTERVAL", interval, Duration::ZERO);
        let refresh_rate = check.get("REFRESH_RATE", count(self.refresh_rate), 1);
        let followers = check.get("INGEST_CONCURRENCY", count(self.ingest_concurrency), 1);
        let batch = check.get("INGEST_BATCH", count(self.ingest_batch), 1);
        let quiet = check.get("TOPIC_WATCH", quiet(&self.topic_watch), None);
        let retention = self.retention.checked(&mut check);
        let shutdown_grace = duration(&self.shutdown_grace);
        let shutdown_grace = check.get("SHUTDOWN_GRACE", shutdown_grace, Duration::ZERO);
        let log_format = self.log_format.parse();
        let log_format = check.get("LOG_FORMAT", log_format, Format::Pretty);
        let otlp_endpoint = otlp_endpoint(self.otel_exporter_otlp_endpoint);
        let otlp_endpoint = check.get("OTEL_EXPORTER_OTLP_ENDPOINT", otlp_endpoint, None);
        if !check.0.is_empty() {
            return Err(InvalidConfig(check.0));
        }
        Ok(Config {
            server: ServerConfig {
                listen: SocketAddr::new(host, self.app_port),
                token: Secret::non_empty(self.app_api_token),
                rest_token,
                tokens,
                rest_hosts,
                rest_rate: NonZeroU32::new(self.rest_rate),
                console,
            },
            sidecar: SidecarConfig {
                grpc_port: self.dapr_grpc_port,
                token: Secret::non_empty(self.dapr_api_token),
                state_store,
                pubsub,
            },
            database: DatabaseConfig { url, state_table },
            limits: Limits {
                horizon_ms,
                history_ms: retention.history_ms,
                wakes,
                wakes_waiting: wakes.saturating_mul(WAKES_WAITING_PER_PLACE),
                commands,
            },
            audit: audit::Settings {
                horizon_ms,
                grace_ms: i64::try_from(grace.as_millis()).unwrap_or(i64::MAX),
                interval,
                refresh_rate,
            },
            quotas: quota::Settings {
                open_tasks: NonZeroU32::new(self.quota_open_tasks),
                commands_per_minute: NonZeroU32::new(self.quota_commands_per_minute),
            },
            ingest: ingest::Settings {
                enabled: self.ingest,
                concurrency: followers,
                batch: u32::try_from(batch).unwrap_or(u32::MAX),
            },
            watch: watch::Settings { quiet },
            retention,
            shutdown_grace,
            telemetry: TelemetryConfig {
                log_format,
                otlp_endpoint,
                log_filter_file: self.log_filter_file,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        serve: ServeArgs,
    }

    fn validate(args: &[&str]) -> Result<Config, InvalidConfig> {
        let args = std::iter::once("test").chain(args.iter().copied());
        Cli::parse_from(args).serve.validate()
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        let args = ["--app-host=here", "--arm-horizon=soon", "--state-table=Reminder State"];
        let errors = validate(&args).unwrap_err().0;
        for setting in ["APP_HOST", "ARM_HORIZON", "STATE_TABLE", "DATABASE_URL"] {
            assert!(errors.iter().any(|error| error.starts_with(setting)), "{setting}: {errors:?}");
        }
    }

    #[test]
    fn the_watch_is_off_or_a_second_at_least() {
        let quiet = |text: &str| {
            let args = ["--database-url=postgres://localhost/db", "--topic-watch", text];
            validate(&args).map(|config| config.watch.quiet).map_err(|error| error.0)
        };
        assert_eq!(quiet("off"), Ok(None));
        assert_eq!(quiet("90s"), Ok(Some(Duration::from_secs(90))));
        for wrong in ["0s", "999ms", "often"] {
            assert!(quiet(wrong).unwrap_err()[0].starts_with("TOPIC_WATCH"), "{wrong}");
        }
    }

    #[test]
    fn a_database_is_all_that_must_be_given() {
        let config = validate(&["--database-url=postgres://u:pw@localhost/db"]).unwrap();
        assert_eq!(config.limits.horizon_ms, Some(3_600_000));
        assert!(!format!("{config:?}").contains("pw"), "secrets must not show up in logs");
    }
}
