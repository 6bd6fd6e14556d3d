//! `purge`: has what is over go for good now, beside a sidecar, instead of with the next job.

use super::{CliError, DatabaseArgs};
use crate::clock::{Clock, SystemClock};
use crate::config::{RetentionArgs, Secret, SidecarConfig};
use crate::dapr::outbound::Sidecar;
use crate::read_model::ReadModel;
use crate::retention::{Purge, Purged, Round};
use crate::serve::new_epoch;
use clap::Args;
use reminder_contract::names;
use reminder_domain::Retention;
use reminder_domain::retention::Over;
use std::sync::Arc;

/// Tasks counted of each kind at most.
const COUNTED_MAX: i64 = 1_000_000;

/// What to purge.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler purge --dry-run
  reminder-scheduler purge --retention-completed 30d

Exit codes: 0 done; 1 another purge is under way, or no answer: run it again to go on; 2 usage;
3 done, but for tasks that could not be asked")]
pub struct PurgeArgs {
    /// Only count what would be looked at
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    retention: RetentionArgs,
    /// gRPC port of a Dapr sidecar of the service, on loopback
    #[arg(long, env = "DAPR_GRPC_PORT", default_value_t = names::DEFAULT_DAPR_GRPC_PORT)]
    dapr_grpc_port: u16,
    /// Token that the sidecar asks of us
    #[arg(long, env = "DAPR_API_TOKEN", hide_env_values = true, default_value = "")]
    dapr_api_token: String,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Runs it.
///
/// # Errors
/// Says what is wrong with the command, or what did not answer.
pub async fn run(args: PurgeArgs) -> Result<(), CliError> {
    let retention =
        args.retention.retention().map_err(|error| CliError::Usage(error.to_string()))?;
    if retention.keeps_everything() {
        let usage = "RETENTION_COMPLETED and RETENTION_TOMBSTONES are both off: nothing is to go";
        return Err(CliError::Usage(usage.into()));
    }
    let database = args.database.open().await?;
    if args.dry_run {
        return count(&database.model, retention).await;
    }
    let sidecar = Sidecar::new(&SidecarConfig {
        grpc_port: args.dapr_grpc_port,
        token: Secret::non_empty(args.dapr_api_token),
        state_store: names::STATE_STORE.into(),
        pubsub: names::PUBSUB.into(),
    })?;
    let (ports, model) = (Arc::new(sidecar), Arc::new(database.model));
    let mut purge = Purge::new(ports, Arc::new(SystemClock), model, new_epoch(), retention);
    let round = purge.round(&|purged| println!("{}", told(purged))).await;
    match round.map_err(|error| CliError::GaveUp(format!("{error}; run it again to go on")))? {
        Round::Left => Err(CliError::Refused("another purge is under way".into())),
        Round::Done(purged) if purged.failed > 0 => Err(CliError::Partly(told(purged))),
        Round::Done(purged) => {
            println!("done: {}", told(purged));
            Ok(())
        }
    }
}

fn told(purged: Purged) -> String {
    let Purged { tombstones, completed, kept, failed } = purged;
    format!(
        "{tombstones} tombstones and {completed} completed tasks are gone, {kept} were kept, \
         {failed} could not be asked"
    )
}

async fn count(model: &ReadModel, retention: Retention) -> Result<(), CliError> {
    for (over, name) in [(Over::Tombstone, "tombstones"), (Over::Completed, "completed tasks")] {
        let Some(kept_ms) = retention.of(over) else {
            println!("{name}: kept for ever");
            continue;
        };
        let before = SystemClock.now().saturating_add_ms(-kept_ms);
        let count = model.count_ended(over, before, COUNTED_MAX).await?;
        let at_least = if count == COUNTED_MAX { "at least " } else { "" };
        println!("{name}: {at_least}{count} were last changed before {before}");
    }
    Ok(())
}
