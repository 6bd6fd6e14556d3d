//! `doctor`: looks at everything the service needs, and says of each thing what was seen and what to do.
//!
//! It runs beside a sidecar of the service, with the settings of the service, and changes nothing: only
//! one record is published, on a dead-letter topic, which the service knows for a probe and drops.

mod clocks;
mod database;
mod finding;
mod job;
mod service;
mod sidecar;

pub(super) use sidecar::IN_MEMORY;

use super::CliError;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ServeArgs};
use crate::dapr::outbound::Sidecar;
use crate::ports::ReminderIndex as _;
use crate::read_model::AuditFacts;
use clap::Args;
use finding::{Finding, Report, Status};
use reminder_contract::names;
use std::io::IsTerminal as _;

const EXAMPLES: &str = "\
Examples:
  reminder-scheduler doctor                                     in the service's pod, with its settings
  reminder-scheduler doctor --json | jq '.checks[] | select(.status != \"ok\")'
  reminder-scheduler doctor --strict --no-publish               for a check that runs again and again

Exit codes:
  0  nothing fails; warnings may be there
  1  a check fails; with --strict, or one warns
  2  the command line or a setting cannot be used; all mistakes are named";

/// How to look.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {
    /// One JSON object with all checks
    #[arg(long)]
    json: bool,
    /// A warning counts as a failure
    #[arg(long)]
    strict: bool,
    /// Do not ask the broker, which takes publishing a record on a dead-letter topic
    #[arg(long)]
    no_publish: bool,
    /// HTTP port of the Dapr sidecar, on loopback
    #[arg(long, env = "DAPR_HTTP_PORT", default_value_t = names::DEFAULT_DAPR_HTTP_PORT)]
    dapr_http_port: u16,
    #[command(flatten)]
    settings: ServeArgs,
}

/// Runs it.
///
/// # Errors
/// When the settings cannot be used, and when something is not well.
pub async fn run(args: DoctorArgs) -> Result<(), CliError> {
    let config =
        args.settings.clone().validate().map_err(|error| CliError::Usage(error.to_string()))?;
    let report = Report::new(Box::pin(look(&args, &config)).await?);
    if args.json {
        println!("{}", serde_json::to_string(&report).map_err(CliError::unprintable)?);
    } else {
        println!("{}", report.text(is_coloured()));
    }
    let bad = if args.strict { Status::Warn } else { Status::Fail };
    if report.status >= bad {
        return Err(CliError::Refused("not everything is well".to_owned()));
    }
    Ok(())
}

fn is_coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
}

async fn look(args: &DoctorArgs, config: &Config) -> Result<Vec<Finding>, CliError> {
    let sidecar = Sidecar::new(&config.sidecar)?;
    let wanted = sidecar::Wanted {
        config: &config.sidecar,
        http_port: args.dapr_http_port,
        ingest: config.ingest.enabled,
        publish: !args.no_publish,
    };
    let (through, itself, database) = tokio::join!(
        sidecar::look(&wanted, &sidecar),
        service::look(&config.server),
        database::look(config, SystemClock.now())
    );
    let reached = through.first().is_some_and(|found| found.status == Status::Ok);
    let clocks = clocks::look(args.dapr_http_port, database.facts.as_ref());
    let job = job::look(&sidecar, reached, config.retention);
    let (clocks, canary, job) =
        tokio::join!(clocks, canary(&sidecar, reached, database.audit.as_ref()), job);
    let all = [through, itself, vec![clocks], database.findings, vec![canary, job]];
    Ok(all.into_iter().flatten().collect())
}

/// Whether the scheduler still has what it was told.
async fn canary(sidecar: &Sidecar, reached: bool, audit: Option<&AuditFacts>) -> Finding {
    let (true, Some(audit)) = (reached, audit) else {
        return Finding::skipped("canary", "needs the sidecar and the database");
    };
    if audit.canary == 0 {
        let advice = "The first complete round of the audit registers it.";
        return Finding::warn("canary", "none was registered yet", advice);
    }
    match sidecar.canary_is_alive(audit.canary).await {
        Ok(true) => Finding::ok("canary", "the scheduler remembers it"),
        Ok(false) => Finding::warn(
            "canary",
            "the scheduler does not know it: it has lost its data",
            "Nothing: the next round of the audit registers everything near again. It is worth \
             finding out why; give the scheduler a persistent volume.",
        ),
        Err(error) => {
            Finding::fail("canary", error.0, "The scheduler does not answer: see its check.")
        }
    }
}
