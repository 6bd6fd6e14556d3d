//! Configuration: one struct per concern, from flags and environment variables, checked at start.

use crate::read_model::StateTable;
use crate::turn::driver::Limits;
use clap::Args;
use reminder_contract::names;
use std::net::{IpAddr, SocketAddr};
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
    #[arg(long, env = "ARM_HORIZON", default_value = "infinite")]
    arm_horizon: String,
    /// Wake turns that run at the same time
    #[arg(long, env = "WAKE_CONCURRENCY", default_value_t = 256)]
    wake_concurrency: usize,
    /// Command turns that run at the same time
    #[arg(long, env = "COMMAND_CONCURRENCY", default_value_t = 1024)]
    command_concurrency: usize,
    /// How long a shutdown may take in all, such as 10s; shorter than the pod's grace period
    #[arg(long, env = "SHUTDOWN_GRACE", default_value = "10s")]
    shutdown_grace: String,
    /// How logs are written: "pretty" or "json". What is logged follows `RUST_LOG`
    #[arg(long, env = "LOG_FORMAT", default_value = "pretty")]
    log_format: String,
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
    /// How long a shutdown may take in all.
    pub shutdown_grace: Duration,
    /// How logs are written.
    pub log_format: LogFormat,
}

/// Where we listen.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// What a caller must show, if anything.
    pub token: Option<Secret>,
}

/// How the sidecar is reached and what its components are called.
#[derive(Clone, Debug)]
pub struct SidecarConfig {
    /// Its gRPC port on loopback.
    pub grpc_port: u16,
    /// What we show it, if anything.
    pub token: Option<Secret>,
    /// The actor state store.
    pub state_store: String,
    /// The broker.
    pub pubsub: String,
}

/// The database behind the actor state store.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// Its URL.
    pub url: Secret,
    /// The state store's table.
    pub state_table: StateTable,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For machines.
    Json,
}

/// A text that must not show up in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn non_empty(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used:\n  - {}", .0.join("\n  - "))]
pub struct InvalidConfig(pub Vec<String>);

impl ServeArgs {
    /// Checks everything and reports all that is wrong at once.
    ///
    /// # Errors
    /// One line for each setting that cannot be used.
    pub fn validate(self) -> Result<Config, InvalidConfig> {
        let mut wrong = Vec::new();
        let mut must = |setting: &str, problem: Option<String>| {
            wrong.extend(problem.map(|problem| format!("{setting} {problem}")));
        };
        let host: Result<IpAddr, _> = self.app_host.parse();
        must("APP_HOST", host.is_err().then(|| "is not an IP address".into()));
        let url = self.database_url();
        must("DATABASE_URL", url.as_ref().err().cloned());
        let table = StateTable::parse(&self.state_table);
        must("STATE_TABLE", table.as_ref().err().map(ToString::to_string));
        must("STATE_STORE", bad_component(&self.state_store));
        must("PUBSUB", bad_component(&self.pubsub));
        let horizon = horizon_ms(&self.arm_horizon);
        must("ARM_HORIZON", horizon.as_ref().err().cloned());
        must("WAKE_CONCURRENCY", bad_count(self.wake_concurrency));
        must("COMMAND_CONCURRENCY", bad_count(self.command_concurrency));
        let grace = humantime::parse_duration(&self.shutdown_grace);
        must("SHUTDOWN_GRACE", grace.as_ref().err().map(|e| format!("is no duration: {e}")));
        let log_format = match self.log_format.as_str() {
            "pretty" => Some(LogFormat::Pretty),
            "json" => Some(LogFormat::Json),
            _ => None,
        };
        must("LOG_FORMAT", log_format.is_none().then(|| "must be pretty or json".into()));

        match (host, url, table, horizon, grace, log_format) {
            (
                Ok(host),
                Ok(url),
                Ok(state_table),
                Ok(horizon_ms),
                Ok(shutdown_grace),
                Some(log_format),
            ) if wrong.is_empty() => Ok(Config {
                server: ServerConfig {
                    listen: SocketAddr::new(host, self.app_port),
                    token: Secret::non_empty(self.app_api_token),
                },
                sidecar: SidecarConfig {
                    grpc_port: self.dapr_grpc_port,
                    token: Secret::non_empty(self.dapr_api_token),
                    state_store: self.state_store,
                    pubsub: self.pubsub,
                },
                database: DatabaseConfig { url, state_table },
                limits: Limits {
                    horizon_ms,
                    wakes: self.wake_concurrency,
                    commands: self.command_concurrency,
                },
                shutdown_grace,
                log_format,
            }),
            _ => Err(InvalidConfig(wrong)),
        }
    }

    fn database_url(&self) -> Result<Secret, String> {
        let text = match (&self.database_url_file, self.database_url.as_str()) {
            (Some(_), given) if !given.is_empty() => {
                return Err("and DATABASE_URL_FILE are both given: use one".into());
            }
            (Some(file), _) => std::fs::read_to_string(file)
                .map_err(|error| format!("_FILE {} cannot be read: {error}", file.display()))?,
            (None, "") => {
                return Err("is missing: give it, or a file with it as DATABASE_URL_FILE".into());
            }
            (None, given) => given.to_owned(),
        };
        let url = text.trim();
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Secret(url.to_owned()))
        } else {
            Err("must start with postgres:// or postgresql://".into())
        }
    }
}

fn horizon_ms(text: &str) -> Result<Option<i64>, String> {
    if text == "infinite" {
        return Ok(None);
    }
    let horizon = humantime::parse_duration(text)
        .map_err(|error| format!("is neither \"infinite\" nor a duration such as 1h: {error}"))?;
    i64::try_from(horizon.as_millis()).map(Some).map_err(|_| "is too long; use infinite".into())
}

fn bad_component(name: &str) -> Option<String> {
    name.trim().is_empty().then(|| "must name a Dapr component".into())
}

fn bad_count(count: usize) -> Option<String> {
    let bounds = 1..=100_000;
    (!bounds.contains(&count)).then(|| "must lie between 1 and 100000".into())
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
    fn a_database_is_all_that_must_be_given() {
        let config = validate(&["--database-url=postgres://u:pw@localhost/db"]).unwrap();
        assert_eq!(config.limits.horizon_ms, None);
        assert!(!format!("{config:?}").contains("pw"), "secrets must not show up in logs");
    }
}
