//! Retention: the Dapr job comes through the real scheduler, what is over goes, and what is made anew has
//! ids that were never used.

use crate::api::{Task, in_ms};
use crate::doctor;
use crate::firing::triggered;
use crate::operations::{command, succeeds};
use crate::process::Service;
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, Suite, disruptive, gentle};
use reminder_contract::names::METRICS_PATH;
use reminder_stack::{Part, probe};
use std::collections::HashSet;
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

/// Far enough that nothing fires meanwhile.
const FAR_MS: i64 = 3_600_000;
const SOON_MS: i64 = 2_500;
/// Two rounds and the retention.
const GOES_WITHIN: Duration = Duration::from_secs(40);
/// What the service keeps here, and how often the job comes.
const SETTINGS: [(&str, &str); 3] =
    [("RETENTION_TOMBSTONES", "2s"), ("RETENTION_COMPLETED", "2s"), ("RETENTION_EVERY", "2s")];

pub(crate) async fn database(suite: &Suite) -> Client {
    let url = suite.manifest().database_url();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// How many rows are left of a task: its state, and what the index has.
async fn rows(client: &Client, task: &Task) -> i64 {
    let sql = "SELECT (SELECT count(*) FROM reminder_state WHERE key LIKE '%||TaskActor||' || $1 || '||task')
                    + (SELECT count(*) FROM task_index WHERE task_id = $1)";
    client.query_one(sql, &[&task.id.as_str()]).await.unwrap().get(0)
}

async fn goes(client: &Client, task: &Task) {
    let gone =
        probe::until(GOES_WITHIN, || async { (rows(client, task).await == 0).then_some(()) });
    assert!(gone.await.is_some(), "{} does not go", task.id);
}

#[test]
fn the_job_purges_what_is_over_and_a_task_made_anew_has_new_ids() {
    disruptive(async |suite| {
        suite.stop(Part::App(1)).await;
        let mut environment = suite.stack.app_environment(1).unwrap();
        environment.extend(SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let service = Service::start(suite, &environment);
        service.becomes_ready().await;
        suite.stack.wait_ready(Part::Sidecar(1)).await.unwrap();
        let client = database(suite).await;

        let far = |name| suite.task(name).due(in_ms(FAR_MS));
        let (deleted, completed, open) = (far("purged"), far("purged-done"), far("kept"));
        for task in [&deleted, &completed, &open] {
            task.put_until_answered().await;
        }
        deleted.delete().await;
        completed.complete().await;
        goes(&client, &deleted).await;
        goes(&client, &completed).await;
        assert_eq!(rows(&client, &open).await, 2);
        completed.call("get", &serde_json::json!({})).await.refused(404, None);
        let told: Vec<String> = deleted.events().into_iter().map(|event| event.kind).collect();
        let finding = doctor::finding(suite, &SETTINGS, "purge job").await;
        assert_eq!(finding["status"], "ok", "{finding}");

        // Its name is free again, and what it tells is news.
        let due = in_ms(SOON_MS);
        let again = deleted.clone().due(due);
        let version = again.put().await["version"].as_u64().unwrap();
        assert!(version > 1_000_000_000_000, "above all that it ever had: {version}");
        triggered(&again, 1, due).await;
        let events = again.events();
        assert!(events.len() > told.len(), "purging is silent, and the new life is told");
        let ids: HashSet<&str> =
            events.iter().map(|e| e.envelope["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), events.len(), "no id is used twice");
        // What is told to be new is not read first, and is born all the same.
        let mut new = far("new").body();
        new["ifVersion"] = 0.into();
        let new_version = far("new").call("put", &new).await.accepted()["version"].as_u64();
        assert!(new_version > Some(1_000_000_000_000), "{new_version:?}");

        let scrape = service.get(METRICS_PATH, &[]).await.unwrap().body;
        let purged = r#"reminder_purged_tasks_total{what="tombstone"} "#;
        let line = scrape.lines().find_map(|line| line.strip_prefix(purged)).unwrap();
        assert!(line.parse::<u64>().unwrap() >= 1, "{line}");
        service.terminate();
        assert_eq!(service.ended_within(RECOVERY_DEADLINE).await.code, Some(0));
    });
}

#[test]
fn an_operator_counts_and_purges_by_hand() {
    disruptive(async |suite| {
        let task = suite.task("purged-by-hand").due(in_ms(FAR_MS));
        task.put().await;
        task.delete().await;
        task.event_within("task.updated", 2, EVENT_DEADLINE).await;
        let counted = succeeds(suite, &["purge", "--dry-run"]).await;
        assert!(counted.contains("completed tasks: kept for ever"), "{counted}");
        let client = database(suite).await;
        assert_eq!(rows(&client, &task).await, 2);
        // What others delete meanwhile goes as well, which disturbs nobody: it is over.
        let by_hand = ["purge", "--retention-tombstones", "1s"];
        let gone = probe::until(GOES_WITHIN, || async {
            let ended = command(suite, &by_hand).await;
            let held = ended.output.contains("another purge is under way");
            assert!(ended.code == Some(0) || held, "{}", ended.output);
            (rows(&client, &task).await == 0).then_some(())
        });
        assert!(gone.await.is_some(), "it does not go");
    });
}

#[test]
fn the_doctor_tells_when_the_job_is_another_one() {
    gentle(async |suite| {
        doctor::until(suite, RECOVERY_DEADLINE, &[("purge job", "ok")]).await;
        let finding = doctor::finding(suite, &[("RETENTION_EVERY", "7s")], "purge job").await;
        assert_eq!(finding["status"], "warn", "{finding}");
        assert!(finding["seen"].as_str().unwrap().contains("@every"), "{finding}");
    });
}
