//! The settings that every member has, from flags and environment variables, checked at start.

use crate::secrets::{self, InvalidSecret};
use clap::Args;
use reminder_contract::names;
pub use reminder_telemetry::logs::Format;
pub use reminder_telemetry::secret::Secret;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What every member can be told.
#[derive(Args, Clone, Debug)]
pub struct MemberArgs {
    /// Address to listen on. The sidecar shares the pod, so loopback is enough for it
    #[arg(long, env = "APP_HOST", default_value = "127.0.0.1")]
    app_host: IpAddr,
    /// Port to listen on
    #[arg(long, env = "APP_PORT", default_value_t = names::DEFAULT_APP_PORT)]
    app_port: u16,
    /// HTTP port of the Dapr sidecar, on loopback
    #[arg(long, env = "DAPR_HTTP_PORT", default_value_t = names::DEFAULT_DAPR_HTTP_PORT)]
    dapr_http_port: u16,
    /// Token that the sidecar asks of us
    #[arg(long, env = "DAPR_API_TOKEN", hide_env_values = true, default_value = "")]
    dapr_api_token: String,
    /// Token that we ask of the sidecar; empty: none
    #[arg(long, env = "APP_API_TOKEN", hide_env_values = true, default_value = "")]
    app_api_token: String,
    /// Token that the scheduler asks of its callers, its `REST_TOKEN`; empty: none. It asks for none where its
    /// sidecar shows it one
    #[arg(long, env = "SCHEDULER_TOKEN", hide_env_values = true, default_value = "")]
    scheduler_token: String,
    /// File with that token
    #[arg(long, env = "SCHEDULER_TOKEN_FILE")]
    scheduler_token_file: Option<PathBuf>,
    /// Dapr component of the broker
    #[arg(long, env = "PUBSUB", default_value = names::PUBSUB)]
    pubsub: String,
    /// Dapr component of the state store
    #[arg(long, env = "STATE_STORE", default_value = names::MEMBERS_STATE_STORE)]
    state_store: String,
    /// How logs are written: "pretty" or "json". What is logged follows `RUST_LOG`
    #[arg(long, env = "LOG_FORMAT", default_value = "pretty")]
    log_format: Format,
    /// Where spans go, by OTLP over gRPC, such as `http://127.0.0.1:4317`; empty: nowhere
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", default_value = "")]
    otel_exporter_otlp_endpoint: String,
    /// How long a shutdown may take in all, such as 10s; shorter than the pod's grace period
    #[arg(long, env = "SHUTDOWN_GRACE", value_parser = humantime::parse_duration, default_value = "10s")]
    shutdown_grace: Duration,
}

/// The same, sorted by who needs it.
#[derive(Clone, Debug)]
pub struct MemberConfig {
    /// Where we listen.
    pub server: ServerConfig,
    /// The sidecar.
    pub sidecar: SidecarConfig,
    /// How logs are written.
    pub log_format: Format,
    /// Where spans go; `None`: nowhere.
    pub otlp_endpoint: Option<String>,
}

/// Where we listen, and how we end.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// What the sidecar must show, if anything.
    pub token: Option<Secret>,
    /// How long a shutdown may take.
    pub shutdown_grace: Duration,
}

/// How the sidecar is reached and what its components are called.
#[derive(Clone, Debug)]
pub struct SidecarConfig {
    /// Its HTTP port on loopback.
    pub http_port: u16,
    /// What we show it, if anything.
    pub token: Option<Secret>,
    /// What we show the scheduler behind it, if anything.
    pub scheduler_token: Option<Secret>,
    /// The broker.
    pub pubsub: String,
    /// The state store.
    pub state_store: String,
}

impl MemberArgs {
    /// The settings, sorted.
    ///
    /// # Errors
    /// When a secret is given twice, or in a file that is of no use.
    pub fn config(self) -> Result<MemberConfig, InvalidSecret> {
        let scheduler_token = secrets::given(
            "SCHEDULER_TOKEN",
            self.scheduler_token,
            self.scheduler_token_file.as_deref(),
        )?;
        Ok(MemberConfig {
            server: ServerConfig {
                listen: SocketAddr::new(self.app_host, self.app_port),
                token: Secret::non_empty(self.app_api_token),
                shutdown_grace: self.shutdown_grace,
            },
            sidecar: SidecarConfig {
                http_port: self.dapr_http_port,
                token: Secret::non_empty(self.dapr_api_token),
                scheduler_token,
                pubsub: self.pubsub,
                state_store: self.state_store,
            },
            log_format: self.log_format,
            otlp_endpoint: Some(self.otel_exporter_otlp_endpoint).filter(|url| !url.is_empty()),
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
        member: MemberArgs,
    }

    #[test]
    fn what_is_not_given_has_a_default_and_secrets_stay_out_of_logs() {
        let args = ["member", "--app-port=9000", "--app-api-token=hush", "--shutdown-grace=3s"];
        let config = Cli::try_parse_from(args).unwrap().member.config().unwrap();
        assert_eq!(config.server.listen, "127.0.0.1:9000".parse().unwrap());
        assert_eq!(config.server.shutdown_grace, Duration::from_secs(3));
        assert_eq!(config.sidecar.state_store, names::MEMBERS_STATE_STORE);
        assert!(config.sidecar.token.is_none());
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn a_token_comes_from_a_file_too_but_not_from_both() {
        let file = std::env::temp_dir().join(format!("scheduler-token-{}", std::process::id()));
        let of_file = format!("--scheduler-token-file={}", file.display());
        let config = |args: &[&str]| {
            let args = [&["member", &of_file], args].concat();
            Cli::try_parse_from(args).unwrap().member.config()
        };
        assert!(config(&[]).is_err(), "a file that is not there");
        std::fs::write(&file, "\n").unwrap();
        assert!(config(&[]).is_err(), "a file that holds nothing");
        std::fs::write(&file, "hush\n").unwrap();
        let token = config(&[]).unwrap().sidecar.scheduler_token;
        assert_eq!(token, Secret::non_empty("hush".to_owned()));
        assert!(config(&["--scheduler-token=hush"]).is_err());
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for wrong in ["--app-host=here", "--shutdown-grace=soon", "--log-format=xml"] {
            assert!(Cli::try_parse_from(["member", wrong]).is_err(), "{wrong}");
        }
    }
}
