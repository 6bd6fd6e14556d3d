//! One run of a plan, from the first command to the last event.

use crate::judge::{Tally, Violation};
use crate::plan::{Class, FAULTS_END_MS, Plan, TASKS_MAX, TimedFault, What};
use crate::workload::{Act, Caller};
use crate::world::{Part, World, personal, sleep_ms};
use reminder_domain::{Command, Origin, TaskId};
use reminder_reference::words::{IfVersion, Kind, Request, command_kind};
use reminder_scheduler::turn::effect::{Reply, Request as TurnRequest};
use std::sync::Arc;
use tokio::task::JoinSet;
use xxhash_rust::xxh3::xxh3_64;

/// How long after the last fault everything must be as it should, in ms.
const HEALS_WITHIN_MS: i64 = 240_000;
/// How often that is looked at, in ms.
const LOOK_EVERY_MS: i64 = 5_000;
/// Pauses between the attempts of a caller, in ms.
const ATTEMPT_PAUSE_MS: i64 = 100;
const ATTEMPT_PAUSE_MAX_MS: i64 = 3_000;
/// Of so many puts one is of a caller who takes the task for new.
const TAKES_FOR_NEW_EVERY: u64 = 3;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What went wrong first.
    pub violation: Option<Violation>,
    /// How much happened.
    pub tally: Tally,
    /// Calls that processes made.
    pub calls: u64,
    /// How long it took in the world, in ms.
    pub took_ms: i64,
    /// Two runs with the same number went the same way.
    pub digest: u64,
    /// What happened, when it was asked for.
    pub trace: Vec<String>,
}

/// Runs a plan.
pub fn run(plan: &Plan, traced: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O needs nothing of the machine");
    runtime.block_on(live(plan.clone(), traced))
}

async fn live(plan: Plan, traced: bool) -> Outcome {
    let world = World::new(plan, traced);
    for host in 0..world.plan.hosts {
        world.start(host);
    }
    tokio::spawn(Arc::clone(&world).run_scheduler());
    if world.plan.purges {
        tokio::spawn(Arc::clone(&world).run_purges());
    }
    if let Some(erased) = world.plan.erased {
        tokio::spawn(Arc::clone(&world).erase(erased));
    }
    for fault in world.plan.faults.clone() {
        tokio::spawn(strike(Arc::clone(&world), fault));
    }
    let mut callers = JoinSet::new();
    for caller in world.plan.callers.clone() {
        callers.spawn(call(Arc::clone(&world), caller));
    }
    tokio::spawn(calm(Arc::clone(&world)));
    heal(&world, &mut callers).await;
    world.end();
    let took_ms = world.now_ms();
    let (trace, digest, calls) = world.into_trace();
    let state = world.state();
    let violation = state.judge.violation().cloned();
    Outcome { violation, tally: state.judge.tally, calls, took_ms, digest, trace }
}

/// Waits until everything is as it should be, or for too long.
async fn heal(world: &Arc<World>, callers: &mut JoinSet<()>) {
    loop {
        sleep_ms(LOOK_EVERY_MS).await;
        if world.state().judge.violation().is_some() {
            return;
        }
        while callers.try_join_next().is_some() {}
        let calm = callers.is_empty() && !(world.is_hostile() && world.can_go_wrong());
        if calm && let Some(ends) = open_ends(world).await {
            if ends.is_empty() {
                return;
            }
            if world.now_ms() > FAULTS_END_MS + HEALS_WITHIN_MS {
                world.violation(ends.join("; "));
                return;
            }
        }
        if world.now_ms() > FAULTS_END_MS + 2 * HEALS_WITHIN_MS {
            world.violation("callers are not answered");
            return;
        }
    }
}

/// What is not as it should be; nothing when that cannot be said yet.
async fn open_ends(world: &Arc<World>) -> Option<Vec<String>> {
    let audited = matches!(world.plan.class, Class::Everything);
    if !audited {
        // Any turn publishes what a dead process left pending; here it is somebody who looks.
        for caller in &world.plan.callers {
            let _ = world.call_actor(&task_of(caller), TurnRequest::Get).await;
        }
    }
    let now = world.now_ms();
    let mut ends = world.state().judge.open_ends(now);
    let followed = matches!(world.plan.class, Class::Everything | Class::SweepOnly);
    if followed && !world.everyone_follows() {
        ends.push("a task does not follow its user".into());
    }
    if world.is_erasing() {
        ends.push("an erasure is not over".into());
    }
    Some(ends)
}

/// Nothing goes wrong any more.
async fn calm(world: Arc<World>) {
    sleep_ms(FAULTS_END_MS).await;
    for host in 0..world.plan.hosts {
        world.step_clock(host, None);
    }
}

async fn strike(world: Arc<World>, fault: TimedFault) {
    sleep_ms(fault.at_ms).await;
    match fault.what {
        What::Kill(host) => world.kill_host(host),
        What::Stop(host) => world.stop_host(host).await,
        What::Stall(host, ms) => world.stall_host(host, ms).await,
        What::Move => world.move_actors(),
        What::SchedulerAway(ms) => world.take_away(Part::Scheduler, ms),
        What::SchedulerWiped => world.wipe_scheduler(),
        What::PostgresAway(ms) => world.take_away(Part::Postgres, ms),
        What::BrokerAway(ms) => world.take_away(Part::Broker, ms),
        What::FiringStopped(user, ms) => world.stop_firing(user, ms).await,
        What::ClockStep(host, ms) => world.step_clock(host, Some(ms)),
    }
}

fn task_of(caller: &Caller) -> TaskId {
    TaskId::parse(format!("t{}", caller.name)).expect("a letter and a number")
}

async fn call(world: Arc<World>, caller: Caller) {
    let task = task_of(&caller);
    for (n, step) in caller.steps.iter().enumerate() {
        sleep_ms(step.after_ms).await;
        match &step.act {
            Act::Prefer(prefs) => world.prefer(caller.name, prefs.clone()),
            Act::PauseUser => world.pause_user(caller.name),
            Act::ResumeUser(missed) => world.resume_user(caller.name, *missed),
            Act::Command(kind) => {
                let id = caller.name * 1_000 + n as u64 + 1;
                send(&world, &task, caller.name, id, kind).await;
                look(&world, &task).await;
            }
        }
    }
}

/// Reads the task once.
async fn look(world: &Arc<World>, task: &TaskId) {
    let told = world.state().judge.told(task);
    if let Ok(Reply::View(state)) = world.call_actor(task, TurnRequest::Get).await {
        let verdict = world.state().judge.read(task, told, state.version);
        if let Err(violation) = verdict {
            world.violation(violation);
        }
    }
}

/// Sends a command until it is answered.
async fn send(world: &Arc<World>, task: &TaskId, user: u64, id: u64, kind: &Kind) {
    let mut said = command_kind(kind, &format!("u{user}"), |_| None);
    if world.plan.erased.is_some() {
        // Now and then somebody else shall do it, who may be the one who is erased.
        said = personal(said, user, (user + id) % TASKS_MAX);
    }
    let fingerprint = xxh3_64(format!("{said:?}").as_bytes());
    // Some callers take a task for new, the first time rightly so; a turn does not read it then.
    let takes_for_new = matches!(kind, Kind::Put(..)) && id.is_multiple_of(TAKES_FOR_NEW_EVERY);
    let if_version = if takes_for_new { IfVersion::Absent } else { IfVersion::Any };
    let request = Request { kind: kind.clone(), id: Some(id), if_version, stale: false };
    world.note(|| format!("{task} command {id}: {kind:?}"), ("command", id));
    world.state().judge.sent(task, id, request, fingerprint);
    let command = Command {
        kind: said,
        id: Some(id),
        fingerprint,
        if_version: takes_for_new.then_some(0),
        as_user: None,
        origin: Origin::default(),
    };
    let mut pause = ATTEMPT_PAUSE_MS;
    loop {
        let turn = TurnRequest::Command(Box::new(command.clone()));
        let reply = world.call_actor(task, turn).await;
        world.note(|| format!("{task} command {id}: {reply:?}"), ("reply", id));
        let verdict = match reply {
            Ok(Reply::Answer(answer)) => world.state().judge.answered(task, id, &answer),
            Ok(Reply::Rejected(_)) => world.state().judge.rejected(task, id),
            Ok(Reply::Overloaded(_) | Reply::Unavailable(_)) | Err(_) => {
                sleep_ms(pause).await;
                pause = (pause * 2).min(ATTEMPT_PAUSE_MAX_MS);
                continue;
            }
            Ok(reply) => Err(format!("{task}: a command was answered with {reply:?}")),
        };
        if let Err(violation) = verdict {
            world.violation(violation);
        }
        return;
    }
}
