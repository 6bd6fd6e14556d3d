//! A round among tasks that cannot be settled: nobody is kept from his turn.

mod refresh;
mod world;

use super::*;
use crate::firing::never_stopped;
use crate::read_model::FindingKind;
use crate::turn::firing::FiringStop;
use futures_util::FutureExt as _;
use reminder_domain::{TaskId, Timestamp};
use std::pin::pin;
use std::sync::atomic::Ordering;
use tokio::sync::watch;
use world::{DEAD, Noon, World, failing};

fn audit(world: &Arc<World>, firing: Firing) -> Audit<World> {
    let settings =
        Settings { horizon_ms: None, grace_ms: 0, interval: settings::HEARTBEAT, refresh_rate: 1 };
    let (ports, model) = (Arc::clone(world), world.clone());
    Audit::new(ports, Arc::new(Noon), model, 1, settings, Signals::default(), firing)
}

fn id(task: &str) -> TaskId {
    TaskId::parse(task).unwrap()
}

#[tokio::test]
async fn tasks_that_always_fail_keep_no_other_from_its_turn_for_long() {
    let world = Arc::new(World::default());
    // Twice as many as make a round give up, before and after the healthy ones.
    for n in 0..64 {
        world.add(n, &format!("bad-{n}"), failing());
        world.add(1_000 + n, &format!("worse-{n}"), failing());
    }
    world.add(500, "healthy", Ok(2));
    world.add(2_000, "last", Ok(2));
    let mut audit = audit(&world, never_stopped());
    let mut rounds = 0;
    while !(world.is_settled("healthy") && world.is_settled("last")) {
        rounds += 1;
        assert!(rounds <= 6, "each round gives up behind the last: 128 failures are 4 rounds");
        assert!(audit.round(0).await.is_err(), "a round that gives up says so");
    }
    world.add(0, "new", Ok(2));
    for _ in 0..6 {
        assert!(audit.round(0).await.is_err());
    }
    assert!(world.is_settled("new"), "what comes first has its turn as well");
}

#[tokio::test]
async fn a_task_without_a_state_is_parked_once_and_tried_again() {
    let world = Arc::new(World::default());
    for n in 0..100 {
        world.add(n, &format!("gone-{n}"), Ok(0));
    }
    world.add(500, "healthy", Ok(2));
    let mut audit = audit(&world, never_stopped());
    let findings = audit.round(0).await.unwrap();
    assert_eq!((findings.settled, findings.parked, findings.failed), (1, 100, 0));
    assert_eq!(world.noted(FindingKind::Settled), ["healthy"]);
    assert_eq!(world.noted(FindingKind::Parked).len(), 100);
    let before = world.noted.lock().unwrap().len();
    assert!(audit.round(0).await.unwrap().is_nothing(), "they are left alone");
    assert_eq!(world.noted.lock().unwrap().len(), before, "and not noted again");
    world.add(0, "gone-0", Ok(3));
    assert_eq!(audit.round(0).await.unwrap().unparked, 1);
    assert_eq!(world.noted(FindingKind::Unparked), ["gone-0"]);
}

#[tokio::test]
async fn while_everyone_is_stopped_nothing_is_settled() {
    let world = Arc::new(World::default());
    world.add(0, "due", Ok(2));
    let (switch, firing) = watch::channel(Arc::new(FiringStop::new(true, [])));
    let mut audit = audit(&world, firing);
    assert!(audit.round(0).await.unwrap().is_nothing());
    assert!(!world.is_settled("due"));
    switch.send_replace(Arc::default());
    assert_eq!(audit.round(0).await.unwrap().settled, 1);
}

#[tokio::test]
async fn a_process_that_was_taken_for_dead_and_goes_on_is_looked_after_again() {
    let world = Arc::new(World::default());
    let mut audit = audit(&world, never_stopped());
    assert!(audit.round(0).await.unwrap().is_nothing(), "it has left nothing");
    world.left.lock().unwrap().insert((DEAD[0], 1), TaskId::parse("late").unwrap());
    assert_eq!(audit.round(0).await.unwrap().republished, 1);
    assert_eq!(world.noted(FindingKind::Republished), ["late"]);
    assert!(audit.round(0).await.unwrap().is_nothing());
}

#[tokio::test]
async fn who_else_keeps_something_in_the_scheduler_is_told_when_it_has_lost_its_data() {
    let world = Arc::new(World::default());
    let mut audit = audit(&world, never_stopped());
    let lost = Arc::clone(&audit.signals.scheduler_lost);
    let mut told = pin!(lost.notified());
    audit.round(0).await.unwrap();
    assert!(told.as_mut().now_or_never().is_none(), "nothing was lost");
    world.scheduler_lost.store(true, Ordering::Relaxed);
    assert!(audit.round(0).await.unwrap().scheduler_lost);
    assert!(told.now_or_never().is_some());
    assert!(!audit.round(0).await.unwrap().scheduler_lost, "a canary is there again");
}

#[tokio::test]
async fn a_sick_replica_keeps_no_stage_from_its_turn() {
    let world = Arc::new(World::default());
    // Each of these is enough to make what looks after it give up.
    for n in 0..settings::FAILURES_MAX {
        world.add(0, &format!("sick-{n}"), failing());
        world.leave(DEAD[0], n as u64 + 1, &format!("left-{n}"), true);
    }
    world.leave(DEAD[1], 1, "left-behind", false);
    let near = Waking { at: Timestamp::from_millis(2_000_000), task: id("near") };
    world.near.lock().unwrap().insert(near);
    world.scheduler_lost.store(true, Ordering::Relaxed);
    let mut audit = audit(&world, never_stopped());
    let mut findings = round::Findings::default();
    let ended = audit.go_round(0, &mut findings).await;
    assert!(matches!(ended, Err(paced::PassError::Call(_))), "a round that gives up says so");
    assert_eq!(findings.republished, 1, "of the next dead process");
    assert_eq!(findings.failed, 2 * settings::FAILURES_MAX);
    assert!(findings.scheduler_lost, "the canary is looked for");
    assert_eq!(findings.armed, 1, "what comes within the horizon is registered");
}

#[tokio::test]
async fn what_a_dead_process_left_on_a_sick_replica_keeps_nothing_else_of_it_waiting_for_long() {
    let world = Arc::new(World::default());
    for n in 2..settings::PAGE.unsigned_abs() {
        world.leave(DEAD[0], n, &format!("left-{n}"), n != 300);
    }
    let mut audit = audit(&world, never_stopped());
    let mut rounds = 0;
    while world.left.lock().unwrap().contains_key(&(DEAD[0], 300)) {
        rounds += 1;
        assert!(rounds <= 10, "each round gives up behind the last");
        assert!(audit.round(0).await.is_err());
    }
    world.leave(DEAD[0], 1, "first", false);
    for _ in 0..20 {
        assert!(audit.round(0).await.is_err());
    }
    assert!(!world.left.lock().unwrap().contains_key(&(DEAD[0], 1)), "the first as well");
}

#[tokio::test]
async fn nobody_is_told_to_be_overdue_while_everyone_is_stopped() {
    let world = Arc::new(World::default());
    world.add(0, "due", failing());
    let (switch, firing) = watch::channel(Arc::default());
    let mut audit = audit(&world, firing);
    audit.oldest_overdue = Gauge::default();
    audit.round(0).await.unwrap();
    assert!(audit.oldest_overdue.get() > 0.0);
    switch.send_replace(Arc::new(FiringStop::new(true, [])));
    audit.round(0).await.unwrap();
    assert_eq!(audit.oldest_overdue.get().to_bits(), 0.0_f64.to_bits(), "an alert would stand");
}
