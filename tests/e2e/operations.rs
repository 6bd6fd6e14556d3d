//! What operators do: they find and repair what cannot be read.

use crate::api::{Task, in_ms};
use crate::firing::triggered;
use crate::process::{Ended, Service};
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, Suite, disruptive, gentle};
use reminder_contract::names::{ACTOR_TYPE, APP_ID, METRICS_PATH, STATE_KEY, STATE_TABLE};
use reminder_stack::{Part, probe};
use serde_json::json;
use std::collections::BTreeMap;
use tokio_postgres::{Client, NoTls};

/// More than the failures at which a round of the audit gives up (32).
const MANY: usize = 40;
/// Time enough to damage them all before they are due.
const DUE_MS: i64 = 12_000;

/// Within the horizon, and time enough for a scheduler to start from nothing.
const REARMED_DUE_MS: i64 = 38_000;
const REARMED: usize = 20;

/// Runs a command of the service's binary to its end.
pub(crate) async fn command(suite: &Suite, arguments: &[&str]) -> Ended {
    Service::command(suite, arguments, &environment_of(suite)).ended().await
}

/// What commands need to know of the stack.
pub(crate) fn environment_of(suite: &Suite) -> BTreeMap<String, String> {
    let manifest = suite.manifest();
    let grpc_port = manifest.replica(1).unwrap().grpc_port.to_string();
    [
        ("DATABASE_URL", manifest.database_url()),
        ("DAPR_GRPC_PORT", grpc_port),
        ("ARM_HORIZON", "40s".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// One that must succeed; answers what it said.
pub(crate) async fn succeeds(suite: &Suite, arguments: &[&str]) -> String {
    let ended = command(suite, arguments).await;
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.output);
    ended.output
}

/// The database, as its superuser.
async fn superuser(suite: &Suite) -> Client {
    let url = suite.manifest().admin_database_url().expect("the stack's own server");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn key(task: &Task) -> String {
    format!("{APP_ID}||{ACTOR_TYPE}||{}||{STATE_KEY}", task.id)
}

/// Damages stored states, past the fence.
pub(crate) async fn damage(suite: &Suite, tasks: &[Task]) {
    let client = superuser(suite).await;
    let past = "SET session_replication_role = replica";
    client.batch_execute(past).await.unwrap();
    let sql = format!("UPDATE {STATE_TABLE} SET value = 'damaged' WHERE key = ANY ($1)");
    let keys: Vec<String> = tasks.iter().map(key).collect();
    let damaged = client.execute(&sql, &[&keys]).await.unwrap();
    assert_eq!(damaged, tasks.len() as u64);
}

/// Changes the document that is stored of a task, past the fence: what fits the pattern first.
pub(crate) async fn rewrite(suite: &Suite, task: &Task, pattern: &str, text: &str) {
    let client = superuser(suite).await;
    client.batch_execute("SET session_replication_role = replica").await.unwrap();
    let line = |n| format!("split_part(convert_from(value, 'UTF8'), chr(10), {n})");
    let sql = format!(
        "UPDATE {STATE_TABLE}
         SET value = convert_to({} || chr(10) || regexp_replace({}, $2, $3), 'UTF8') WHERE key = $1",
        line(1),
        line(2)
    );
    assert_eq!(client.execute(&sql, &[&key(task), &pattern, &text]).await.unwrap(), 1);
}

/// The value of a metric of the first replica, once it is above nothing.
async fn metric(suite: &Suite, name: &str) -> f64 {
    let port = suite.manifest().replica(1).unwrap().app_port;
    let read = || async {
        let answer = probe::get(port, METRICS_PATH, &[]).await.ok()?;
        let line = answer.body.lines().find_map(|line| line.strip_prefix(name))?.to_owned();
        line.trim().parse::<f64>().ok().filter(|value| *value > 0.0)
    };
    probe::until(EVENT_DEADLINE, read).await.unwrap_or_else(|| panic!("{name} stays at nothing"))
}

/// A file with the body of a `put` of this task.
fn body_file(task: &Task) -> std::path::PathBuf {
    let file = std::env::temp_dir().join(format!("{}.json", task.id));
    std::fs::write(&file, task.body().to_string()).unwrap();
    file
}

#[test]
fn many_tasks_that_cannot_be_read_hold_up_no_other() {
    disruptive(async |suite| {
        let due = in_ms(DUE_MS);
        let mut tasks = Vec::new();
        for _ in 0..MANY {
            // Due before the healthy one, so that the audit meets them first.
            let task = suite.task("poison").due(due);
            task.put().await;
            tasks.push(task);
        }
        let healthy = suite.task("healthy").due(due + chrono::TimeDelta::seconds(1));
        healthy.put().await;
        suite.kill(Part::Scheduler).await;
        damage(suite, &tasks).await;
        let fired = healthy.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
        assert_eq!(fired.data()["cause"], "late", "by the audit: {}", fired.envelope);

        let named = probe::until(EVENT_DEADLINE, || async {
            let list = succeeds(suite, &["repair", "list"]).await;
            tasks.iter().all(|task| list.contains(&task.id)).then_some(list)
        });
        let list = named.await.expect("every one of them is listed");
        assert!(list.contains("damaged  since") && !list.contains(&healthy.id), "{list}");
        let told = probe::until(EVENT_DEADLINE, || async {
            (metric(suite, "reminder_parked_tasks").await >= 40.0).then_some(())
        });
        told.await.expect("the metric follows, a round of the audit later");
        assert!(metric(suite, "reminder_audit_found_total{what=\"parked\"}").await >= 33.0);
        let refused = tasks[0].call("get", &json!({})).await.refused(500, None);
        assert!(refused["type"].as_str().unwrap().ends_with("/damaged-state"), "{refused}");
        for task in &tasks {
            assert_eq!(task.triggered(), 0);
            succeeds(suite, &["repair", &task.id, "--forget"]).await;
        }
        let list = succeeds(suite, &["repair", "list"]).await;
        assert!(!tasks.iter().any(|task| list.contains(&task.id)), "{list}");
    });
}

#[test]
fn a_repair_keeps_the_pause_of_a_task_as_far_as_it_is_known() {
    gentle(async |suite| {
        for (damaged, said) in
            [("\"version\":\"?\"", "it is paused, as it was"), ("?", "it is not any more")]
        {
            let task = suite.task("repaired-pause").due(in_ms(REARMED_DUE_MS));
            task.put().await;
            task.call("pause", &json!({})).await.accepted();
            rewrite(suite, &task, r#""version":\d+"#, damaged).await;
            task.call("get", &json!({})).await.refused(500, None);
            let file = body_file(&task);
            let repaired =
                succeeds(suite, &["repair", &task.id, "--with", file.to_str().unwrap()]).await;
            std::fs::remove_file(file).unwrap();
            assert!(repaired.contains(said), "{repaired}");
            let is_paused = task.get().await["paused"].is_object();
            assert_eq!(is_paused, said.contains("as it was"), "{repaired}");
            task.delete().await;
        }
    });
}

#[test]
fn a_repaired_task_fires_and_nothing_of_the_old_one_comes_back() {
    gentle(async |suite| {
        let task = suite.task("repaired").due(in_ms(3_600_000));
        task.put().await;
        task.event("task.sync").await;
        let well = command(suite, &["repair", &task.id, "--forget"]).await;
        assert_eq!(well.code, Some(1), "{well:?}");
        assert!(well.output.contains("nothing is wrong"), "{}", well.output);

        damage(suite, std::slice::from_ref(&task)).await;
        // The process remembers the state as it was before; the fence refuses what it offers.
        task.call("complete", &json!({})).await.refused(500, None);
        task.call("get", &json!({})).await.refused(500, None);
        let shown = succeeds(suite, &["repair", "show", &task.id]).await;
        assert!(shown.contains("damaged") && shown.contains("7 bytes"), "{shown}");

        let due = in_ms(15_000);
        let task = task.due(due);
        let file = body_file(&task);
        let said = succeeds(suite, &["repair", &task.id, "--with", file.to_str().unwrap()]).await;
        assert!(said.contains("version 2, incarnation 2"), "{said}");
        let again = command(suite, &["repair", &task.id, "--forget"]).await;
        assert!(again.output.contains("nothing is wrong"), "{again:?}");
        // More when this very turn, or the audit, has taken over the events of the repair.
        assert!(task.get().await["version"].as_u64() >= Some(2));
        triggered_again(&task, due).await;
    });
}

#[test]
fn the_metrics_tell_of_what_fires() {
    gentle(async |suite| {
        let before = suite.task("counted-before").due(in_ms(2_000));
        before.put().await;
        before.event("reminder.triggered").await;
        for name in [
            "reminder_commands_total{method=\"put\",outcome=\"answered\"}",
            "reminder_command_seconds_count{method=\"put\",outcome=\"answered\"}",
            "reminder_commits_total{outcome=\"committed\"}",
            "reminder_wake_seconds_count{found=\"on_time\"}",
            "reminder_wakes_total{outcome=\"answered\"}",
            "reminder_firings_total{cause=\"onTime\"}",
            "reminder_firing_lateness_seconds_count{cause=\"onTime\"}",
            "reminder_publish_seconds_count{topic=\"reminders\"}",
            "reminder_events_published_total{topic=\"reminders\"}",
            "reminder_audit_rounds_total{outcome=\"done\"}",
            "reminder_audit_last_round_timestamp_seconds",
            "reminder_audit_lease_held",
        ] {
            metric(suite, name).await;
        }
    });
}

#[test]
fn a_forgotten_task_starts_over() {
    gentle(async |suite| {
        let task = suite.task("forgotten").due(in_ms(3_600_000));
        task.put().await;
        damage(suite, std::slice::from_ref(&task)).await;
        task.call("put", &task.body()).await.refused(500, None);
        succeeds(suite, &["repair", &task.id, "--forget"]).await;
        task.call("get", &json!({})).await.refused(404, None);
        let due = in_ms(2_000);
        let task = task.due(due);
        assert_eq!(task.put().await["created"], true);
        triggered_again(&task, due).await;
    });
}

/// It fires once, under its second incarnation.
async fn triggered_again(task: &Task, due: chrono::DateTime<chrono::Utc>) {
    let fired = triggered(task, 1, due).await;
    assert!(fired.id.contains(":2:"), "{}", fired.id);
    assert_eq!(task.triggered(), 1);
}

#[test]
fn rearm_waits_for_the_scheduler_goes_on_where_it_stopped_and_registers_everything() {
    disruptive(async |suite| {
        let due = in_ms(REARMED_DUE_MS);
        let mut tasks = Vec::new();
        for _ in 0..REARMED {
            let task = suite.task("rearmed").due(due);
            task.put().await;
            tasks.push(task);
        }
        suite.kill(Part::Scheduler).await;
        suite.stack.wipe(Part::Scheduler).unwrap();
        let gave_up = command(suite, &["rearm", "--wait", "1s"]).await;
        assert_eq!(gave_up.code, Some(1), "{gave_up:?}");
        let says = |text: &str| gave_up.output.contains(text);
        assert!(says("waiting: ") && says("run it again to go on here"), "{}", gave_up.output);

        suite.start(Part::Scheduler).await;
        let done = succeeds(suite, &["rearm", "--rate", "50"]).await;
        assert!(done.contains("going on after") && done.contains("done: "), "{done}");
        // Whatever it or the audit has registered by now is there when it is run once more.
        let again = succeeds(suite, &["rearm", "--from-start"]).await;
        assert!(!again.contains("going on") && again.contains("done: 0 registered"), "{again}");
        for task in &tasks {
            let fired = task.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
            assert_eq!(fired.data()["cause"], "onTime", "{}", fired.envelope);
        }
    });
}
