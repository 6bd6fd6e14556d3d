//! Wiring: starts the parts in the order in which they need each other, and stops them again.

mod housekeeping;

use crate::audit::{Audit, Signals};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::dapr::inbound::dead_letters::LetterBox;
use crate::dapr::inbound::registry::SWEEP_INTERVAL;
use crate::dapr::inbound::routes::{self, Hosts};
use crate::dapr::outbound::Sidecar;
use crate::firing;
use crate::http;
use crate::http::console::Console;
use crate::http::health::{DATABASE, Readiness, SIDECAR};
use crate::http::rest::Rest;
use crate::http::server::{self, LateRoutes};
use crate::http::watch::watch as watch_parts;
use crate::ingest::Ingest;
use crate::outbox::publisher::Publisher;
use crate::quota::Quotas;
use crate::read_model::{
    self, ConsoleModel, FiringSwitch, Listing, ParkedTable, ReadModel, RemovalTable, UserLookup,
};
use crate::retention::job::Bell;
use crate::tokens::Tokens;
use crate::turn::draft::Ledger as _;
use crate::turn::driver::Driver;
use crate::turn::firing::FiringStop;
use crate::turn::oversight::Oversight;
use crate::turn::recovery::RecoveryQueue;
use crate::users::turns::UserTurns;
use crate::watch::Ears;
use housekeeping::Parts;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The first pause while waiting for a part; it doubles up to [`WAIT_MAX`].
const WAIT_FIRST: Duration = Duration::from_millis(100);
/// The longest pause while waiting for a part.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long answers under way get once everything else has ended.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

/// What ends the service other than a signal.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}. Is another process using the port? Choose another with APP_PORT"
    )]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The sidecar cannot be called at all.
    #[error(transparent)]
    Sidecar(#[from] crate::ports::CallError),
    /// The database cannot be brought to what this version needs.
    #[error(transparent)]
    Migrate(#[from] read_model::MigrateError),
    /// Keys of an identity provider cannot be read by TLS.
    #[error("no root certificates to read the keys of JWT_JWKS by: {0}")]
    Tokens(std::io::Error),
    /// The server stopped by itself.
    #[error("the HTTP server stopped: {0}")]
    Server(std::io::Error),
}

/// Serves until `stop` is cancelled, then finishes what was begun.
///
/// # Errors
/// When the service cannot start at all; what may come later (sidecar, database) is waited for.
pub async fn serve(config: Config, stop: CancellationToken) -> Result<(), ServeError> {
    let readiness = Readiness::default();
    for part in [SIDECAR, DATABASE] {
        readiness.waiting(part, "starting");
    }
    let address = config.server.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen { address, source })?;
    tracing::info!(%address, "listening");

    let sidecar = Arc::new(Sidecar::new(&config.sidecar)?);
    let background = CancellationToken::new();
    let clock = Arc::new(SystemClock);
    let epoch = new_epoch();
    let publisher = Publisher::new(Arc::clone(&sidecar), clock.clone(), epoch);
    let recovery =
        RecoveryQueue::new(Arc::clone(&sidecar), Arc::clone(&publisher), background.clone());
    let lookup = Arc::new(UserLookup::default());
    let signals = Signals::default();
    let parked = Arc::new(ParkedTable::default());
    let (switch, firing) = watch::channel(Arc::default());
    let (quotas, parking) = (Quotas::new(config.quotas), parked.clone());
    let removal = Arc::new(RemovalTable::default());
    let oversight = Oversight { firing: firing.clone(), parking, removal: removal.clone(), quotas };
    let tasks = Driver::new(
        Arc::clone(&sidecar),
        clock.clone(),
        lookup.clone(),
        Arc::clone(&publisher),
        recovery,
        config.limits,
        oversight,
    );
    let users = UserTurns::new(sidecar.clone(), lookup.clone(), Arc::clone(&signals.changed));
    let hosts = Hosts::new(tasks, users);
    publisher.start(&background);

    let late = LateRoutes::default();
    let near = hosts.near(Arc::clone(&sidecar));
    let ingest = Ingest::new(near, clock.clone(), config.ingest, stop.clone());
    let ears = Ears::default();
    let startup =
        routes::startup_routes(&config.sidecar.pubsub, config.ingest, ingest, ears.clone());
    let token = config.server.token.clone();
    let listing = Arc::new(Listing::default());
    let rest = Rest::new(sidecar.clone(), Arc::clone(&listing));
    let operators = Arc::new(ConsoleModel::default());
    let console = Console::new(
        rest.clone(),
        Arc::clone(&operators),
        Arc::clone(&lookup),
        epoch,
        config.server.console,
    );
    let tokens = tokens(&config, &readiness, &background).map_err(ServeError::Tokens)?;
    let rest = http::edge(rest, console, &config.server, tokens);
    let app = server::app(readiness.clone(), startup, rest, Arc::clone(&late), token);
    let closing = CancellationToken::new();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let server =
        axum::serve(listener, app).with_graceful_shutdown(closing.clone().cancelled_owned());
    let server = tokio::spawn(server.into_future());

    tokio::spawn(background.clone().run_until_cancelled_owned(sweep(hosts.clone())));
    let (letters, bell) = (LetterBox::default(), Bell::default());
    let told = Told {
        publisher: &publisher,
        lookup: &lookup,
        listing: &listing,
        console: &operators,
        switch: &switch,
        letters: &letters,
        ears: &ears,
        removal: &removal,
        bell: &bell,
    };
    let start = prepare(&config, &sidecar, &hosts, told, &late, &readiness);
    if let Some(started) = stop.run_until_cancelled(start).await {
        let model = Arc::new(started?);
        parked.open(Arc::clone(&model));
        tracing::info!(epoch = format!("{epoch:016x}"), "ready");
        let following = firing::follow(model.clone(), switch);
        tokio::spawn(background.clone().run_until_cancelled_owned(following));
        let watching = watch_parts(Arc::clone(&sidecar), model.clone(), epoch, readiness.clone());
        tokio::spawn(background.clone().run_until_cancelled_owned(watching));
        let given = Parts { sidecar: &sidecar, publisher: &publisher, users: &lookup, epoch };
        let told = (bell, ears, &letters, &readiness, &signals);
        housekeeping::begin(&config, given, &model, told, &stop);
        let (ports, settings) = (Arc::clone(&sidecar), config.audit);
        let audit = Audit::new(ports, clock, model, epoch, settings, signals, firing);
        tokio::spawn(background.clone().run_until_cancelled_owned(audit.run()));
        stop.cancelled().await;
    }

    drain(&config, &hosts, &publisher, &readiness).await;
    background.cancel();
    closing.cancel();
    match tokio::time::timeout(CLOSE_DEADLINE, server).await {
        Ok(Ok(Err(error))) => Err(ServeError::Server(error)),
        _ => Ok(()),
    }
}

/// Tokens of callers, if there are any; their keys are followed until the end.
fn tokens(
    config: &Config,
    readiness: &Readiness,
    background: &CancellationToken,
) -> std::io::Result<Option<Arc<Tokens>>> {
    let Some(settings) = config.server.tokens.clone() else { return Ok(None) };
    let tokens = Tokens::new(settings, readiness.clone())?;
    let following = tokens.provider().follow();
    tokio::spawn(background.clone().run_until_cancelled_owned(following));
    Ok(Some(Arc::new(tokens)))
}

/// Finishes what was begun. The server goes on answering meanwhile: the sidecar stays as long as
/// its health check is answered, and turns under way need it.
async fn drain(
    config: &Config,
    hosts: &Hosts,
    publisher: &Publisher<Sidecar>,
    readiness: &Readiness,
) {
    let began = Instant::now();
    let left = || config.shutdown_grace.saturating_sub(began.elapsed());
    readiness.stopping();
    tracing::info!("stopping: no new turns are taken");
    if tokio::time::timeout(left() / 2, hosts.drain()).await.is_err() {
        tracing::warn!("some turns did not end in time; their wakes are repeated elsewhere");
    }
    let unpublished = publisher.flush(left() / 2).await;
    if unpublished > 0 {
        tracing::warn!(unpublished, "events are left for the next turn of their tasks");
    }
    tracing::info!(took = ?began.elapsed(), "stopped");
}

/// Who must be told what the database says before anything may run.
struct Told<'a> {
    publisher: &'a Publisher<Sidecar>,
    lookup: &'a UserLookup,
    listing: &'a Listing,
    console: &'a ConsoleModel,
    switch: &'a watch::Sender<Arc<FiringStop>>,
    letters: &'a LetterBox,
    ears: &'a Ears,
    removal: &'a RemovalTable,
    bell: &'a Bell,
}

/// Waits for the sidecar and the database, then lets the actors in.
async fn prepare(
    config: &Config,
    sidecar: &Sidecar,
    hosts: &Hosts,
    told: Told<'_>,
    late: &LateRoutes,
    readiness: &Readiness,
) -> Result<ReadModel, ServeError> {
    let actors = async {
        let connect = || async {
            sidecar.ping().await.map_err(|error| error.to_string())?;
            let (port, hosts) = (config.sidecar.grpc_port, hosts.clone());
            routes::late_routes(port, hosts, told.letters, told.ears, told.bell).await
        };
        let router = wait_for(SIDECAR, readiness, connect).await;
        readiness.ready(SIDECAR);
        Ok(router)
    };
    let database = async {
        let report = |reason: &str| {
            readiness.waiting(DATABASE, reason);
        };
        let database = &config.database;
        let url = database.url.expose();
        let table = database.state_table.as_str();
        let migrated = read_model::migrate(url, table, &report).await?;
        told.publisher.outbox().restored_in(migrated.incarnation);
        told.publisher.outbox().raise_births(migrated.births);
        told.lookup.open(url, migrated.schema.clone())?;
        told.listing.open(url, migrated.schema.clone())?;
        told.console.open(url, table, &migrated)?;
        // Over connections of their own: neither a purge nor a flood of letters must hold up the audit.
        told.removal.open(Arc::new(ReadModel::new(url, migrated.schema.clone())?), table);
        told.letters.open(Arc::new(ReadModel::new(url, migrated.schema.clone())?));
        let model = ReadModel::new(url, migrated.schema)?;
        // Nothing fires before it is known whether it may.
        let read = || model.firing_stop();
        firing::turn(told.switch, wait_for(DATABASE, readiness, read).await);
        readiness.ready(DATABASE);
        Ok::<_, read_model::MigrateError>(model)
    };
    // What cannot be mended ends the process now, whether the sidecar comes or not.
    let (router, model) = tokio::try_join!(actors, database)?;
    // Not before it is known whether anything may fire: the sidecar of a process that has come back delivers
    // at once. Only this function sets it, and only once.
    let _ = late.set(router);
    Ok(model)
}

async fn wait_for<T, F, E>(
    part: &'static str,
    readiness: &Readiness,
    mut attempt: impl FnMut() -> F,
) -> T
where
    F: Future<Output = Result<T, E>>,
    E: std::fmt::Display,
{
    let mut pause = WAIT_FIRST;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => {
                let reason = error.to_string();
                if readiness.waiting(part, &reason) {
                    tracing::warn!(part, reason, "waiting");
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(WAIT_MAX);
    }
}

async fn sweep(hosts: Hosts) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        hosts.sweep();
    }
}

/// A name for this run of the process that no other run has. Kept below 2^63, which JSON readers
/// and Postgres handle as a number.
pub(crate) fn new_epoch() -> u64 {
    let (high, _) = uuid::Uuid::now_v7().as_u64_pair();
    let (_, random) = uuid::Uuid::new_v4().as_u64_pair();
    ((high & 0xffff_ffff_0000_0000) ^ (random & 0xffff_ffff)) >> 1
}
