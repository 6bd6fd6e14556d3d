//! How each part is prepared, launched, and known to be ready.

mod app;
mod components;
mod dapr;
mod kafka;
mod kafka_wire;
mod member;
mod postgres;
mod sidecar;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::manifest::Manifest;
use crate::part::Part;
use crate::process::{Finish, Launch};
use crate::progress::Progress;

pub(crate) use app::environment as app_environment;
pub(crate) use postgres::place as postgres_place;
pub(crate) use sidecar::hosts_actors;

/// Long enough for a scheduler that waits out its predecessor's lease (20 s) and then loads.
const SCHEDULER_READY: Duration = Duration::from_secs(120);

/// For every other part; a recovering Postgres and a JVM on a busy machine take a while.
const READY: Duration = Duration::from_secs(90);

/// How long a part may take to finish before it is killed.
const FINISH: Duration = Duration::from_secs(15);

/// Creates what the part needs on disk, unless it is there.
pub(crate) async fn prepare(m: &Manifest, part: Part, progress: &Progress) -> Result<()> {
    match part {
        Part::Postgres => postgres::prepare(m, progress).await,
        Part::Kafka => kafka::prepare(m, progress).await,
        Part::Sidecar(_) | Part::MemberSidecar(_) => components::write(m),
        Part::Placement | Part::Scheduler | Part::App(_) | Part::Member(_) => Ok(()),
    }
}

/// How the part is started.
pub(crate) fn launch(m: &Manifest, part: Part) -> Result<Launch> {
    match part {
        Part::Postgres => postgres::launch(m),
        Part::Kafka => kafka::launch(m),
        Part::Placement => Ok(dapr::placement(m)),
        Part::Scheduler => Ok(dapr::scheduler(m)),
        Part::Sidecar(number) => sidecar::launch(m, number),
        Part::App(number) => app::launch(m, number),
        Part::MemberSidecar(of) => sidecar::launch_for_member(m, of),
        Part::Member(of) => member::launch(m, of),
    }
}

/// Whether the part does its work.
pub(crate) async fn is_ready(m: &Manifest, part: Part) -> bool {
    match part {
        Part::Postgres => postgres::is_ready(m).await,
        Part::Kafka => kafka::is_ready(m).await,
        Part::Placement => dapr::placement_is_ready(m).await,
        Part::Scheduler => dapr::scheduler_is_ready(m).await,
        Part::Sidecar(number) => sidecar::is_ready(m, number).await,
        Part::App(number) => app::is_ready(m, number).await,
        Part::MemberSidecar(of) => sidecar::is_ready_for_member(m, of).await,
        Part::Member(of) => member::is_ready(m, of).await,
    }
}

/// Does what a running part still lacks, and tells whether it is ready.
pub(crate) async fn help_along(m: &Manifest, part: Part) -> bool {
    match part {
        Part::Kafka => kafka::create_topics(m).await && is_ready(m, part).await,
        _ => is_ready(m, part).await,
    }
}

/// How long it may take until then.
pub(crate) fn ready_deadline(part: Part) -> Duration {
    match part {
        Part::Scheduler => SCHEDULER_READY,
        _ => READY,
    }
}

/// How the part is asked to finish, and for how long.
pub(crate) fn finish(part: Part) -> (Finish, Duration) {
    match part {
        Part::Postgres => (Finish::Interrupt, FINISH),
        _ => (Finish::Term, FINISH),
    }
}

/// What can be wiped: the data of a part, when it has data of its own.
pub(crate) fn data(m: &Manifest, part: Part) -> Option<PathBuf> {
    match part {
        Part::Postgres => Some(m.postgres.data.clone()),
        Part::Kafka => Some(kafka::data(m)),
        Part::Scheduler => Some(dapr::scheduler_data(m)),
        Part::Placement
        | Part::Sidecar(_)
        | Part::App(_)
        | Part::MemberSidecar(_)
        | Part::Member(_) => None,
    }
}

fn tool(path: Option<&PathBuf>, what: &str) -> Result<PathBuf> {
    path.cloned().with_context(|| format!("{what} was not looked for; run `cargo xtask up`"))
}

/// Arguments of the `--name value` kind.
fn flags(pairs: &[(&str, String)]) -> Vec<String> {
    pairs.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]).collect()
}
