//! The settings, from flags and environment variables, checked at start.

use crate::channels::email::MailerConfig;
use crate::channels::webhook::Secret as WebhookSecret;
use crate::retry::RetryPolicy;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use humantime::parse_duration;
use reminder_member::{MemberArgs, secrets};
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// How long a claim outlives the deadline of an attempt. Reading the preferences before it takes time
/// as well, up to the deadline of a call to the sidecar.
const CLAIM_MARGIN: Duration = Duration::from_secs(20);

/// Delivers what the reminder scheduler fires: to the console, by webhook, by e-mail.
#[derive(Parser, Debug)]
#[command(version, about)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) member: MemberArgs,

    /// Where users reach this service; the links in messages begin with it
    #[arg(long, env = "PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    public_url: Url,
    /// Key of the links, in base64, 32 bytes or more; all replicas have the same
    #[arg(long, env = "LINK_KEY", hide_env_values = true, default_value = "")]
    link_key: String,
    /// File with the key of the links
    #[arg(long, env = "LINK_KEY_FILE")]
    link_key_file: Option<PathBuf>,
    /// How long a link can be used
    #[arg(long, env = "LINK_LIFETIME", value_parser = parse_duration, default_value = "7days")]
    link_lifetime: Duration,

    /// Secrets that each user's webhook secret is made of: `whsec_…`, the present one first, then
    /// those on their way out, with spaces in between
    #[arg(long, env = "WEBHOOK_SECRET", hide_env_values = true, default_value = "")]
    webhook_secret: String,
    /// File with these secrets
    #[arg(long, env = "WEBHOOK_SECRET_FILE")]
    webhook_secret_file: Option<PathBuf>,
    /// Whether webhooks may lead to private addresses; for development only
    #[arg(long, env = "ALLOW_PRIVATE_WEBHOOKS", action = clap::ArgAction::Set, default_value_t = false)]
    allow_private_webhooks: bool,

    /// Server for e-mails: `smtps://host`, or `smtp://host:587?tls=required`; without it there are none
    #[arg(long, env = "SMTP_URL", hide_env_values = true, default_value = "")]
    smtp_url: String,
    /// Who logs in there
    #[arg(long, env = "SMTP_USERNAME", default_value = "")]
    smtp_username: String,
    /// Their password
    #[arg(long, env = "SMTP_PASSWORD", hide_env_values = true, default_value = "")]
    smtp_password: String,
    /// File with their password
    #[arg(long, env = "SMTP_PASSWORD_FILE")]
    smtp_password_file: Option<PathBuf>,
    /// Whom e-mails come from
    #[arg(long, env = "EMAIL_FROM", default_value = "Reminders <reminders@localhost>")]
    email_from: String,

    /// How long one attempt may take
    #[arg(long, env = "ATTEMPT_DEADLINE", value_parser = parse_duration, default_value = "10s")]
    attempt_deadline: Duration,
    /// How often a delivery is tried before it is given up
    #[arg(long, env = "ATTEMPTS_MAX", value_parser = clap::value_parser!(u32).range(1..=50), default_value_t = 8)]
    attempts_max: u32,
    /// The wait after the first failure; it triples with each one
    #[arg(long, env = "RETRY_BASE", value_parser = parse_duration, default_value = "5s")]
    retry_base: Duration,
    /// The longest wait of our own
    #[arg(long, env = "RETRY_CAP", value_parser = parse_duration, default_value = "15m")]
    retry_cap: Duration,
    /// The longest wait that a receiver may ask for
    #[arg(long, env = "RETRY_AFTER_CAP", value_parser = parse_duration, default_value = "1h")]
    retry_after_cap: Duration,
    /// How many deliveries are tried at the same time
    #[arg(long, env = "CONCURRENT_ATTEMPTS", value_parser = clap::value_parser!(u16).range(1..=1024), default_value_t = 32)]
    concurrent_attempts: u16,
    /// How many deliveries may wait in each of the 16 lists; what comes then waits in the broker
    #[arg(long, env = "WAITING_MAX", value_parser = clap::value_parser!(u32).range(1..=10_000), default_value_t = 1_000)]
    waiting_max: u32,
    /// How often the lists are searched for what a process that died has left
    #[arg(long, env = "LIST_INTERVAL", value_parser = parse_duration, default_value = "10s")]
    list_interval: Duration,
}

/// The settings, checked.
pub(crate) struct Config {
    pub(crate) public_url: Url,
    pub(crate) link_key: Vec<u8>,
    pub(crate) link_lifetime: Duration,
    pub(crate) webhook_secrets: Vec<WebhookSecret>,
    pub(crate) allow_private_webhooks: bool,
    pub(crate) mailer: Option<MailerConfig>,
    pub(crate) attempt_deadline: Duration,
    pub(crate) claim_lease: Duration,
    pub(crate) policy: RetryPolicy,
    pub(crate) concurrent_attempts: usize,
    pub(crate) waiting_max: usize,
    pub(crate) list_interval: Duration,
}

impl Cli {
    /// Everything but what every member has.
    pub(crate) fn config(self) -> Result<Config> {
        if self.attempt_deadline.is_zero() || self.list_interval.is_zero() {
            bail!("ATTEMPT_DEADLINE and LIST_INTERVAL must be longer than nothing");
        }
        if self.retry_base.is_zero() || self.retry_base > self.retry_cap {
            bail!("RETRY_BASE must be longer than nothing, and not longer than RETRY_CAP");
        }
        let link_key = secrets::given("LINK_KEY", self.link_key, self.link_key_file.as_deref())?
            .context("set LINK_KEY or LINK_KEY_FILE: `openssl rand -base64 32` makes one")?;
        let link_key =
            STANDARD.decode(link_key.expose()).context("LINK_KEY must be written in base64")?;
        let password = secrets::given(
            "SMTP_PASSWORD",
            self.smtp_password,
            self.smtp_password_file.as_deref(),
        )?;
        let credentials = match (self.smtp_username.is_empty(), password) {
            (false, Some(password)) => Some((self.smtp_username, password)),
            (true, None) => None,
            _ => bail!("SMTP_USERNAME and SMTP_PASSWORD go together"),
        };
        Ok(Config {
            public_url: self.public_url,
            link_key,
            link_lifetime: self.link_lifetime,
            webhook_secrets: webhook_secrets(
                self.webhook_secret,
                self.webhook_secret_file.as_deref(),
            )?,
            allow_private_webhooks: self.allow_private_webhooks,
            mailer: (!self.smtp_url.is_empty()).then_some(MailerConfig {
                url: self.smtp_url,
                credentials,
                from: self.email_from,
                deadline: self.attempt_deadline,
            }),
            attempt_deadline: self.attempt_deadline,
            claim_lease: self.attempt_deadline.saturating_add(CLAIM_MARGIN),
            policy: RetryPolicy {
                base: self.retry_base,
                cap: self.retry_cap,
                retry_after_cap: self.retry_after_cap,
                attempts: self.attempts_max,
            },
            concurrent_attempts: usize::from(self.concurrent_attempts),
            waiting_max: usize::try_from(self.waiting_max).unwrap_or(usize::MAX),
            list_interval: self.list_interval,
        })
    }
}

/// Signing with nothing would be worse than not starting.
fn webhook_secrets(text: String, file: Option<&Path>) -> Result<Vec<WebhookSecret>> {
    let secrets = secrets::given("WEBHOOK_SECRET", text, file)?.context(
        "set WEBHOOK_SECRET or WEBHOOK_SECRET_FILE: `echo whsec_$(openssl rand -base64 32)` makes one",
    )?;
    let secrets = secrets.expose().split_whitespace().map(str::parse).collect::<Result<_, _>>();
    secrets.context("WEBHOOK_SECRET cannot be used")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "--link-key=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    const SECRET: &str = "--webhook-secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn config(args: &[&str]) -> Result<Config> {
        let name = ["notification-service"];
        Cli::try_parse_from(name.iter().chain(args))?.config()
    }

    #[test]
    fn secrets_are_needed_and_the_rest_has_defaults() {
        assert!(config(&[KEY]).is_err() && config(&[SECRET]).is_err());
        let config = config(&[KEY, SECRET]).unwrap();
        assert_eq!(config.link_key, [7; 32]);
        assert!(config.mailer.is_none() && !config.allow_private_webhooks);
        assert!(config.claim_lease > config.attempt_deadline);
    }

    #[test]
    fn secrets_come_from_files_too_but_not_from_both() {
        let file = std::env::temp_dir().join(format!("link-key-{}", std::process::id()));
        std::fs::write(&file, "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=\n").unwrap();
        let from_file = format!("--link-key-file={}", file.display());
        assert_eq!(config(&[&from_file, SECRET]).unwrap().link_key, [8; 32]);
        assert!(config(&[KEY, &from_file, SECRET]).is_err());
        std::fs::remove_file(&file).unwrap();
        assert!(config(&[&from_file, SECRET]).is_err(), "a file that is not there");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            &["--retry-base=0s"][..],
            &["--retry-base=20m"],
            &["--attempts-max=0"],
            &["--smtp-username=ada"],
            &["--public-url=nowhere"],
            &["--attempt-deadline=0s"],
        ] {
            let args: Vec<_> = [KEY, SECRET].into_iter().chain(bad.iter().copied()).collect();
            assert!(config(&args).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_secret_on_its_way_out_comes_second() {
        let both = "--webhook-secret=whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc= \
                    whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(config(&[KEY, both]).unwrap().webhook_secrets.len(), 2);
    }
}
