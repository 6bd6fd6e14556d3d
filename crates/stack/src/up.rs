//! Bringing a stack up: tools and parts that do not need each other at the same time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reminder_contract::names;
use tokio::try_join;

use crate::files::{self, Lock};
use crate::guard::Started;
use crate::manifest::Manifest;
use crate::member::Member;
use crate::options::{AppSource, Options, PubSub};
use crate::part::Part;
use crate::parts;
use crate::progress::{Progress, doing, done};
use crate::stack::Stack;
use crate::tools;

/// How long `up` and `down` wait for another one on the same instance.
const TURN_DEADLINE: Duration = Duration::from_secs(20 * 60);

/// `up` and `down` of one instance take turns.
pub(crate) async fn turn(dir: &Path, progress: &Progress) -> Result<Lock> {
    files::lock(&dir.join("up.lock"), TURN_DEADLINE, || {
        doing(progress, "stack", "waiting for another `up` or `down` of this instance");
    })
    .await
}

pub(crate) async fn up(options: Options, progress: Progress) -> Result<Stack> {
    options.check()?;
    let dir = options.dir();
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let _turn = turn(&dir, &progress).await?;

    plan(&options).await?;
    let stack = Stack { dir, progress, started: Vec::new() };
    let started = Started::new(stack.clone());
    match Box::pin(start_all(&stack, &started)).await {
        Ok(()) => Ok(Stack { started: started.keep(), ..stack }),
        Err(error) => {
            started.undo().await;
            Err(error)
        }
    }
}

/// Writes the manifest: a new one, or the one there is with new options.
async fn plan(options: &Options) -> Result<()> {
    let dir = options.dir();
    if !Manifest::exists(&dir) {
        let mut manifest = Manifest::new(options.clone())?;
        manifest.postgres.user = tools::postgres::user()?;
        let user = manifest.postgres.user.as_ref();
        manifest.postgres.data = parts::postgres_place(&dir, user).await?;
        manifest.write()?;
    }
    Manifest::update(&dir, |manifest| {
        manifest.options = options.clone();
        manifest.forget_idle_replicas(options.replicas);
        manifest.ensure_replicas(options.replicas)?;
        manifest.settle_members()?;
        manifest.replace_taken_ports()
    })?;
    Ok(())
}

async fn start_all(stack: &Stack, started: &Started) -> Result<()> {
    let manifest = stack.manifest()?;
    stop_unwanted(stack, &manifest).await?;

    let replicas: Vec<u32> = manifest.replicas.keys().copied().collect();
    // Postgres and Kafka wait for their own tools only, and so do the others.
    try_join!(
        async {
            postgres_tools(stack).await?;
            ensure(stack, started, Part::Postgres).await
        },
        async {
            kafka_tools(stack).await?;
            ensure(stack, started, Part::Kafka).await
        },
        async {
            dapr_tools(stack).await?;
            try_join!(
                ensure(stack, started, Part::Placement),
                ensure(stack, started, Part::Scheduler)
            )
        },
        app_tools(stack),
    )?;
    try_join!(
        async {
            for replica in replicas {
                ensure_replica(stack, started, replica).await?;
            }
            Ok(())
        },
        async {
            // Their sidecars make the tables of the state store that they share. Where two do so at the same time,
            // Postgres refuses one of them, which ends.
            for member in Member::ALL {
                ensure_member(stack, started, member).await?;
            }
            anyhow::Ok(())
        },
    )?;
    Ok(())
}

/// Parts that ran with the options of before, and have no place in those of now.
async fn stop_unwanted(stack: &Stack, manifest: &Manifest) -> Result<()> {
    let wanted = manifest.parts();
    for part in manifest.processes.keys().rev() {
        if !wanted.contains(part) {
            stack.stop(*part).await?;
        }
    }
    Ok(())
}

/// Service and sidecar wait for each other, so they start together.
async fn ensure_replica(stack: &Stack, started: &Started, replica: u32) -> Result<()> {
    try_join!(
        ensure(stack, started, Part::Sidecar(replica)),
        ensure(stack, started, Part::App(replica))
    )?;
    Ok(())
}

/// The same of a service around the scheduler, if it is wanted.
async fn ensure_member(stack: &Stack, started: &Started, member: Member) -> Result<()> {
    try_join!(
        ensure(stack, started, Part::MemberSidecar(member)),
        ensure(stack, started, Part::Member(member))
    )?;
    Ok(())
}

pub(crate) async fn start_replica(stack: &Stack, replica: u32) -> Result<()> {
    let started = Started::new(stack.clone());
    match ensure_replica(stack, &started, replica).await {
        Ok(()) => {
            started.keep();
            Ok(())
        }
        Err(error) => {
            started.undo().await;
            Err(error)
        }
    }
}

/// Sees to it that a part runs as it would be started now, and is ready.
async fn ensure(stack: &Stack, started: &Started, part: Part) -> Result<()> {
    let manifest = stack.manifest()?;
    if !manifest.parts().contains(&part) {
        return Ok(());
    }
    let began = Instant::now();
    let running = manifest.alive(part).is_some();
    if running && is_current(&manifest, part, &stack.progress).await? {
        return stack.wait_ready(part).await;
    }
    if running {
        doing(&stack.progress, &part, "is not what it would be now: restarting");
        stack.stop(part).await?;
    }
    started.note(part);
    stack.start(part).await?;
    stack.wait_ready(part).await?;
    done(&stack.progress, &part, "ready", began);
    Ok(())
}

async fn is_current(manifest: &Manifest, part: Part, progress: &Progress) -> Result<bool> {
    parts::prepare(manifest, part, progress).await?;
    let now = parts::launch(manifest, part)?.fingerprint();
    Ok(manifest.processes.get(&part).is_some_and(|process| process.fingerprint == now))
}

async fn postgres_tools(stack: &Stack) -> Result<()> {
    if !stack.manifest()?.parts().contains(&Part::Postgres) {
        return Ok(());
    }
    let bin = tools::postgres::provide(&stack.progress).await?;
    record(stack, |tools| tools.postgres_bin = Some(bin))
}

async fn kafka_tools(stack: &Stack) -> Result<()> {
    let options = stack.manifest()?.options;
    if options.pubsub == PubSub::InMemory {
        return Ok(());
    }
    let java = tools::kafka::java(&stack.progress).await?;
    let lib = tools::kafka::jars(&stack.progress, &options.shared_dir()).await?;
    record(stack, |tools| {
        tools.java = Some(java);
        tools.kafka_lib = Some(lib);
    })
}

async fn dapr_tools(stack: &Stack) -> Result<()> {
    let options = stack.manifest()?.options;
    let dapr = tools::dapr::provide(&stack.progress, &options.root, &options.shared_dir()).await?;
    record(stack, |tools| {
        tools.daprd = dapr.daprd;
        tools.placement = dapr.placement;
        tools.scheduler = dapr.scheduler;
        tools.dapr_version = dapr.version;
    })
}

/// The service and the members: built together, so that cargo is asked once.
async fn app_tools(stack: &Stack) -> Result<()> {
    let options = stack.manifest()?.options;
    let mut built = Vec::new();
    if matches!(options.app, AppSource::Cargo { .. }) {
        built.push(names::APP_ID);
    }
    let unbuilt = options.members.iter().filter(|(_, member)| member.binary.is_none());
    built.extend(unbuilt.map(|(member, _)| member.app_id()));
    let release = options.app == AppSource::Cargo { release: true };
    let mut built = tools::app::build(&stack.progress, &options.root, &built, release).await?;
    let app = match options.app {
        AppSource::None | AppSource::External => None,
        AppSource::Binary(path) => Some(real(&path)?),
        AppSource::Cargo { .. } => built.remove(names::APP_ID),
    };
    let mut members = BTreeMap::new();
    for (member, options) in options.members {
        let path = options.binary.as_deref().map(real).transpose()?;
        let path = path.or_else(|| built.remove(member.app_id()));
        members.insert(member, path.with_context(|| format!("cargo built no {member}"))?);
    }
    record(stack, |tools| {
        tools.app = app;
        tools.members = members;
    })
}

fn real(path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path).with_context(|| format!("there is no service at {}", path.display()))
}

fn record(stack: &Stack, change: impl FnOnce(&mut crate::manifest::Tools)) -> Result<()> {
    Manifest::update(&stack.dir, |manifest| {
        change(&mut manifest.tools);
        Ok(())
    })?;
    Ok(())
}
