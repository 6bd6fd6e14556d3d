//! What goes on beside turns and audit: topics are watched, dead letters kept, what is over is purged, users are erased.

use crate::audit::Signals;
use crate::clock::SystemClock;
use crate::config::{Config, warn_if_short};
use crate::dapr::inbound::dead_letters::LetterBox;
use crate::dapr::outbound::Sidecar;
use crate::erasure::Erasing;
use crate::http::health::Readiness;
use crate::outbox::publisher::Publisher;
use crate::read_model::{Erasures, ReadModel, UserLookup};
use crate::repair::Burying;
use crate::retention::Purge;
use crate::retention::job::{self, Bell};
use crate::turn::draft::Ledger as _;
use crate::watch::{Ears, Watch};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What it goes by.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) sidecar: &'a Arc<Sidecar>,
    pub(super) publisher: &'a Arc<Publisher<Sidecar>>,
    pub(super) users: &'a Arc<UserLookup>,
    pub(super) epoch: u64,
}

/// Begins all of it, until `stop`.
pub(super) fn begin(
    config: &Config,
    given: Parts<'_>,
    model: &Arc<ReadModel>,
    (bell, ears, letters, readiness, signals): (Bell, Ears, &LetterBox, &Readiness, &Signals),
    stop: &CancellationToken,
) {
    let (settings, ingests) = (config.watch, config.ingest.enabled);
    let (sidecar, readiness) = (Arc::clone(given.sidecar), readiness.clone());
    let watch = Watch::new(sidecar, Arc::clone(model), ears, readiness, settings, ingests);
    if let Some(watch) = watch {
        tokio::spawn(stop.clone().run_until_cancelled_owned(watch.run()));
    }
    tokio::spawn(stop.clone().run_until_cancelled_owned(letters.keep()));
    retain(config, given, model, (bell, signals), stop);
    let erasing = erasing(config, given, model);
    tokio::spawn(stop.clone().run_until_cancelled_owned(erasing.run()));
}

/// Purges what is over, whenever the job says so.
fn retain(
    config: &Config,
    given: Parts<'_>,
    model: &Arc<ReadModel>,
    (bell, signals): (Bell, &Signals),
    stop: &CancellationToken,
) {
    let kept = config.retention.retention;
    if kept.keeps_everything() {
        return;
    }
    warn_if_short(kept);
    let (ports, clock) = (Arc::clone(given.sidecar), Arc::new(SystemClock));
    let purge = Purge::new(ports, clock.clone(), Arc::clone(model) as _, given.epoch, kept);
    let rounds = Arc::clone(model) as _;
    let (jobs, lost) = (given.sidecar.clone(), Arc::clone(&signals.scheduler_lost));
    let registered = job::keep_registered(jobs, rounds, clock, config.retention, lost);
    tokio::spawn(stop.clone().run_until_cancelled_owned(registered));
    tokio::spawn(stop.clone().run_until_cancelled_owned(job::answer(bell, purge)));
}

/// Erases users, on request.
fn erasing(config: &Config, given: Parts<'_>, model: &Arc<ReadModel>) -> Erasing<Sidecar> {
    let Parts { sidecar, publisher, users, epoch } = given;
    let table = config.database.state_table.as_str();
    let burying = Burying {
        model: Arc::clone(model),
        table: table.to_owned(),
        incarnation: publisher.outbox().incarnation(),
        users: Arc::clone(users),
    };
    Erasing::new(
        Arc::clone(sidecar),
        Arc::clone(publisher),
        Arc::clone(model) as _,
        Arc::new(Erasures::new(Arc::clone(model), table)),
        Arc::new(burying),
        epoch,
    )
}
