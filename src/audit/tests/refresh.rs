//! Tasks follow their users and the zone database: who waits for whom, in virtual time.

use super::world::World;
use super::{Settings, id};
use crate::audit::refresh::Refresh;
use crate::audit::settings::FAILURES_MAX;
use crate::clock::Clock;
use reminder_domain::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

const INTERVAL: Duration = Duration::from_secs(10);
/// So a page takes two and a half seconds.
const RATE: usize = 200;
/// More than what is behind the last complete pass is looked at again.
const NOW_MS: i64 = 10_000_000;
const LONG_AGO_MS: i64 = 1_000_000;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW_MS)
    }
}

/// Begins to look after a world; what tells it that a user of its replica changed something.
fn begin(world: &Arc<World>) -> Arc<Notify> {
    let settings =
        Settings { horizon_ms: None, grace_ms: 0, interval: INTERVAL, refresh_rate: RATE };
    let (ports, model, told) = (Arc::clone(world), world.clone(), Arc::new(Notify::new()));
    let refresh = Refresh::new(ports, Arc::new(Fixed), model, 1, settings, Arc::clone(&told));
    tokio::spawn(refresh.run());
    told
}

fn tasks(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n:05}")).collect()
}

async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}

#[tokio::test(start_paused = true)]
async fn users_are_followed_before_zones() {
    let world = Arc::new(World::default());
    world.old_zones.lock().unwrap().extend(tasks("zone", 10_000).iter().map(|task| id(task)));
    world.change("ada", NOW_MS, &tasks("ada", 1));
    let told = begin(&world);
    seconds(1).await;
    assert_eq!(world.refreshed.lock().unwrap()[0], id("ada-00000"));
    // In the midst of the zones. Of another replica, so nobody tells.
    world.change("bob", NOW_MS, &tasks("bob", 1));
    seconds(13).await;
    assert_eq!(world.behind("bob"), 0, "an interval and a page later");
    world.change("cyd", NOW_MS, &tasks("cyd", 1));
    told.notify_one();
    seconds(3).await;
    assert_eq!(world.behind("cyd"), 0, "a page later");
    assert!(world.old_zones.lock().unwrap().len() > 5_000, "most zones have waited");
    seconds(40).await;
    assert_eq!(world.old_zones.lock().unwrap().len(), 0);
    assert_eq!(world.refreshed.lock().unwrap().len(), 10_003, "each once");
}

#[tokio::test(start_paused = true)]
async fn a_user_whose_tasks_fail_holds_up_no_other() {
    let world = Arc::new(World::default());
    let mut of_ada = tasks("ada", 2 * FAILURES_MAX);
    world.sick.lock().unwrap().extend(of_ada.iter().map(|task| id(task)));
    of_ada.push("ada-healthy".into());
    world.change("ada", LONG_AGO_MS, &of_ada);
    world.change("bob", LONG_AGO_MS, &tasks("bob", 1));
    begin(&world);
    seconds(2).await;
    assert_eq!(world.behind("bob"), 0, "in the same pass");
    seconds(30).await;
    assert_eq!(world.behind("ada"), 2 * FAILURES_MAX, "what is healthy has had its turn");
    // However long ago they changed something, they are not forgotten.
    world.sick.lock().unwrap().clear();
    seconds(20).await;
    assert_eq!(world.behind("ada"), 0);
}

#[tokio::test(start_paused = true)]
async fn zones_whose_tasks_fail_hold_up_no_other() {
    let world = Arc::new(World::default());
    let sick = tasks("zone", 2 * FAILURES_MAX);
    world.sick.lock().unwrap().extend(sick.iter().map(|task| id(task)));
    world.old_zones.lock().unwrap().extend(sick.iter().map(|task| id(task)));
    world.old_zones.lock().unwrap().insert(id("zone-healthy"));
    begin(&world);
    seconds(15).await;
    assert_eq!(*world.refreshed.lock().unwrap(), [id("zone-healthy")]);
    world.sick.lock().unwrap().clear();
    seconds(15).await;
    assert_eq!(world.old_zones.lock().unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_user_with_very_many_tasks_holds_up_no_other() {
    let world = Arc::new(World::default());
    world.change("ada", LONG_AGO_MS, &tasks("ada", 10_000));
    world.change("bob", LONG_AGO_MS, &tasks("bob", 1));
    let told = begin(&world);
    seconds(4).await;
    assert_eq!(world.behind("bob"), 0, "each has a page in turn");
    world.change("cyd", NOW_MS, &tasks("cyd", 1));
    told.notify_one();
    seconds(4).await;
    assert_eq!(world.behind("cyd"), 0, "who changed something meanwhile comes next");
    world.change("ada", NOW_MS, &[]);
    seconds(120).await;
    assert_eq!(world.behind("ada"), 0, "to the version that they are at by now");
}

#[tokio::test(start_paused = true)]
async fn a_user_of_whom_a_task_was_parked_is_found_again() {
    let world = Arc::new(World::default());
    world.change("ada", LONG_AGO_MS, &tasks("ada", 2));
    world.parked.lock().unwrap().insert(id("ada-00001"));
    begin(&world);
    seconds(60).await;
    assert_eq!(world.behind("ada"), 1, "it is left alone");
    world.parked.lock().unwrap().clear();
    seconds(15).await;
    assert_eq!(world.behind("ada"), 0);
}
