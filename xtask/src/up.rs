//! `cargo xtask up`: start the local stack.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use reminder_stack::{AppSource, Manifest, Member, MemberOptions, Part, PubSub, Stack};

use crate::ui::{self, Style, paint};

#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask up
  cargo xtask up --all                          with the example services around the scheduler
  cargo xtask up --pubsub in-memory
  cargo xtask up --no-app                       everything but the service
  cargo xtask up --external-app                 a sidecar that waits for a service of yours
  cargo xtask up --env ARM_HORIZON=1h --env RUST_LOG=debug
  REMINDER_POSTGRES_URL=postgres://user:secret@host/db cargo xtask up

Everything is kept below .stack/<instance> and listens on 127.0.0.1 only, but for the health
endpoints of Dapr's placement and scheduler, which ignore the address they are given.
Postgres, Java, Maven and Go are used when found, and installed with apt-get when we are root.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Options {
    #[command(flatten)]
    instance: crate::Instance,

    /// What carries the events
    #[arg(long, value_enum, default_value_t)]
    pubsub: PubSubName,

    /// Build the service with optimisations
    #[arg(long)]
    release: bool,

    /// Run this executable instead of building the service
    #[arg(long, value_name = "PATH", conflicts_with = "release")]
    app: Option<PathBuf>,

    /// Start no service; the sidecar has no application
    #[arg(long, conflicts_with_all = ["app", "release", "external_app"])]
    no_app: bool,

    /// Start no service; the sidecar waits for one that you start yourself
    #[arg(long, conflicts_with_all = ["app", "release"])]
    external_app: bool,

    /// How many services, each with its sidecar
    #[arg(long, value_name = "N", default_value_t = 1)]
    replicas: u32,

    /// Start the services of `examples/` as well, each with its sidecar
    #[arg(long)]
    all: bool,

    /// Start this one of them; can be repeated
    #[arg(long = "member", value_name = "NAME", conflicts_with = "all")]
    members: Vec<Member>,

    /// More environment for the services of `examples/`
    #[arg(long = "member-env", value_name = "NAME=VALUE", value_parser = parse_env)]
    member_env: Vec<(String, String)>,

    /// More environment for the service
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = parse_env)]
    env: Vec<(String, String)>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum PubSubName {
    #[default]
    Kafka,
    InMemory,
}

pub(crate) fn parse_env(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => bail!("write NAME=VALUE"),
    }
}

impl Options {
    fn into_stack(self) -> reminder_stack::Options {
        let app = match self.app {
            _ if self.no_app => AppSource::None,
            _ if self.external_app => AppSource::External,
            Some(path) => AppSource::Binary(path),
            None => AppSource::Cargo { release: self.release },
        };
        let pubsub = match self.pubsub {
            PubSubName::Kafka => PubSub::Kafka,
            PubSubName::InMemory => PubSub::InMemory,
        };
        let members = if self.all { Member::ALL.into() } else { self.members };
        let member_options =
            MemberOptions { binary: None, env: self.member_env.into_iter().collect() };
        reminder_stack::Options {
            pubsub,
            app,
            replicas: self.replicas,
            members: members.into_iter().map(|one| (one, member_options.clone())).collect(),
            app_env: self.env.into_iter().collect(),
            ..reminder_stack::Options::instance(self.instance.instance)
        }
    }
}

pub(crate) async fn run(options: Options) -> Result<bool> {
    let began = Instant::now();
    let options = options.into_stack();
    let external = options.app == AppSource::External;
    let stack = tokio::select! {
        stack = Stack::up(options, ui::progress()) => stack?,
        _ = tokio::signal::ctrl_c() => bail!("interrupted; what was started is stopped again"),
    };
    let manifest = stack.manifest()?;
    let took = paint(Style::Quiet, format!("({})", ui::seconds(began.elapsed())));
    if stack.started().is_empty() {
        println!("The stack `{}` is running already. {took}", manifest.options.instance);
    } else {
        println!("The stack `{}` is up. {took}", manifest.options.instance);
    }
    print_addresses(&manifest);
    if external {
        println!("Start the service with:");
        for (name, value) in stack.app_environment(1)? {
            println!("  export {name}='{value}'");
        }
    }
    Ok(true)
}

fn print_addresses(manifest: &Manifest) {
    let mut rows = Vec::new();
    for (number, replica) in &manifest.replicas {
        rows.push((format!("sidecar {number}"), format!("http://127.0.0.1:{}", replica.http_port)));
        if manifest.options.app != AppSource::None {
            let address = format!("http://127.0.0.1:{}", replica.app_port);
            rows.push((format!("service {number}"), address));
        }
    }
    for (member, ports) in &manifest.members {
        rows.push((member.to_string(), format!("http://127.0.0.1:{}", ports.app_port)));
        let sidecar = format!("http://127.0.0.1:{}", ports.http_port);
        rows.push((Part::MemberSidecar(*member).to_string(), sidecar));
    }
    rows.push(("database".to_owned(), manifest.database_url()));
    if let Some(bootstrap) = manifest.kafka_bootstrap() {
        rows.push(("kafka".to_owned(), bootstrap));
    }
    rows.push(("dapr".to_owned(), manifest.tools.dapr_version.clone()));
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in rows {
        println!("  {} {value}", paint(Style::Quiet, format!("{name:<width$}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_is_a_name_and_a_value() {
        assert_eq!(parse_env("A=b=c").unwrap(), ("A".to_owned(), "b=c".to_owned()));
        assert_eq!(parse_env("A=").unwrap(), ("A".to_owned(), String::new()));
        assert!(parse_env("A").is_err() && parse_env("=b").is_err());
    }
}
