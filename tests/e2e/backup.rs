//! A backup of Postgres is restored, by the procedure of `docs/operations.md`, while everything else
//! has moved on: events of the undone future are with the consumers, and the scheduler knows its wakes.

use crate::api::{Task, clock_shows, in_ms};
use crate::suite::{RECOVERY_DEADLINE, Suite, disruptive};
use chrono::{DateTime, Utc};
use reminder_contract::names;
use reminder_stack::{Part, Stack, probe};
use serde_json::json;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// For one tool of Postgres, on a database of this size.
const TOOL_DEADLINE: Duration = Duration::from_secs(60);

/// From the first command until the restored database is in use, about.
const AWAY_MS: i64 = 40_000;

/// Ends a restore for the tests that follow: new tasks begin with 1 again. Answers whether there was
/// one.
pub(crate) async fn forget_restore(stack: &Stack) -> anyhow::Result<bool> {
    let url = stack.manifest()?.database_url();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client.execute("DELETE FROM task_restore", &[]).await? > 0)
}

async fn ends(mut command: Command) -> Output {
    command.stdin(Stdio::null()).kill_on_drop(true);
    timeout(TOOL_DEADLINE, command.output()).await.expect("it ends in time").unwrap()
}

/// Runs a tool of Postgres as the procedure says.
async fn tool(suite: &Suite, name: &str, arguments: &[&str]) {
    let mut command = Command::new(suite.manifest().tools.postgres_bin.unwrap().join(name));
    command.args(arguments);
    let output = ends(command).await;
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Runs the service's own command; answers its exit code and what it said.
async fn after_restore(suite: &Suite, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(suite.manifest().tools.app.unwrap());
    command.arg("after-restore").args(arguments).env_clear();
    command.envs(suite.stack.app_environment(1).unwrap());
    let output = ends(command).await;
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code(), said.concat())
}

async fn back_up(suite: &Suite, file: &Path) {
    let (url, file) = (suite.manifest().database_url(), file.to_str().unwrap());
    tool(suite, "pg_dump", &["--format=custom", "--file", file, "--dbname", &url]).await;
}

/// Makes the database anew from the backup; nobody is connected to it meanwhile.
async fn restore(suite: &Suite, file: &Path) {
    let manifest = suite.manifest();
    let admin = manifest.admin_database_url().unwrap();
    let server = admin.replace(&format!("/{}?", names::DATABASE), "/postgres?");
    for sql in [
        format!("DROP DATABASE {0} WITH (FORCE)", names::DATABASE),
        format!("CREATE DATABASE {0} OWNER {0}", names::DATABASE),
    ] {
        tool(suite, "psql", &["--dbname", &server, "--set", "ON_ERROR_STOP=1", "--command", &sql])
            .await;
    }
    let (url, file) = (manifest.database_url(), file.to_str().unwrap());
    tool(suite, "pg_restore", &["--exit-on-error", "--single-transaction", "--dbname", &url, file])
        .await;
}

fn fired_since(task: &Task) -> Vec<DateTime<Utc>> {
    let fired = task
        .events()
        .into_iter()
        .filter(|event| event.kind == "reminder.triggered" && event.incarnation > 1);
    fired.map(|event| event.time("scheduledFor")).collect()
}

#[test]
fn what_a_restored_backup_demands_fires_once_and_every_number_is_new() {
    disruptive(async |suite| {
        let folder = suite.stack.dir().join("backup");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("reminders.dump");
        let (soon, later) = (in_ms(8_000), in_ms(AWAY_MS));
        let last = in_ms(AWAY_MS + 5_000);
        let put = async |name: &str, due| {
            let task = suite.task(name).due(due);
            task.put_until_answered().await;
            task
        };
        let kept = put("kept", later).await;
        let completed = put("completed-after", later).await;
        let postponed = put("postponed-after", later).await;
        let advanced = put("advanced-after", later).await;
        let fired = put("fired-after", soon).await;
        // Its events wait for the broker in the backup.
        suite.stop(Part::Kafka).await;
        let pending = put("pending", later).await;
        back_up(suite, &file).await;
        suite.start_and_wait(Part::Kafka).await;

        // The future that will be undone.
        completed.complete().await;
        let postponed_to_last = postponed.clone().due(last);
        postponed_to_last.put().await;
        advanced.clone().due(in_ms(1_000)).put().await;
        let created = put("created-after", last).await;
        for task in [&fired, &advanced] {
            task.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
        }
        for task in [&kept, &completed, &postponed, &created, &pending] {
            task.event_within("reminder.scheduled", 1, RECOVERY_DEADLINE).await;
        }
        let (code, said) = after_restore(suite, &[]).await;
        assert!(code == Some(1) && said.contains("the service runs"), "{code:?} {said}");

        suite.stop(Part::App(1)).await;
        suite.stop(Part::Sidecar(1)).await;
        restore(suite, &file).await;
        // The backup is so young that its processes seem to run.
        let (code, said) = after_restore(suite, &["--force"]).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("everything goes on in incarnation"), "{said}");
        assert!(!said.contains("did not agree"), "{said}");
        suite.start(Part::Sidecar(1)).await;
        suite.start_and_wait(Part::App(1)).await;
        suite.stack.wait_ready(Part::Sidecar(1)).await.unwrap();

        // What was undone is not there any more, and what is made now is news to everybody.
        let unknown = created.call_raw("get", "", &[]).await;
        unknown.refused(404, None);
        let sentinel = suite.task("made-after").due(last);
        let made_again = created.clone().due(last).put_until_answered().await;
        assert_eq!(made_again["created"], true);
        assert!(made_again["version"].as_u64() > Some(1_000_000_000_000), "{made_again}");
        // A caller who knows a version that was undone is told so.
        let mut stale = completed.body();
        stale["ifVersion"] = json!(2);
        completed.call("put", &stale).await.refused(409, Some("ifVersion"));
        // Whoever touches it publishes what it held, if the audit has not: under the ids of then.
        pending.get_until_answered().await;
        let came_again = probe::until(RECOVERY_DEADLINE, || async {
            (suite.journal.repeats(&pending.id) > 0).then_some(())
        });
        assert!(came_again.await.is_some(), "the backup's pending events are published");

        // Dapr's scheduler knows wakes of the undone future, and of these tasks no others.
        let demanded = [&kept, &completed, &postponed, &advanced, &pending];
        for task in demanded {
            let first = |time: &Vec<DateTime<Utc>>| !time.is_empty();
            let moments =
                probe::until(RECOVERY_DEADLINE, || async { Some(fired_since(task)).filter(first) });
            assert_eq!(moments.await, Some(vec![in_millis(later)]), "{}", task.id);
        }
        sentinel.put_until_answered().await;
        for task in [&created, &sentinel] {
            let of_new = probe::until(RECOVERY_DEADLINE, || async {
                Some(fired_since(task)).filter(|times| !times.is_empty())
            });
            assert_eq!(of_new.await, Some(vec![in_millis(last)]), "{}", task.id);
        }
        clock_shows(last).await;
        // Undone, it is overdue again: told twice, as two facts.
        assert_eq!(fired_since(&fired), [in_millis(soon)]);
        for task in demanded {
            assert_eq!(fired_since(task), [in_millis(later)], "{} fires once", task.id);
            let events = task.events();
            let versions = |new: bool| {
                let of = events.iter().filter(move |event| (event.incarnation > 1) == new);
                of.filter_map(|event| event.data()["version"].as_u64()).collect::<Vec<_>>()
            };
            assert!(versions(false).iter().max() < versions(true).iter().min(), "{}", task.id);
            assert_eq!(task.complete().await["status"], "completed");
        }
        let scheduled = pending.events();
        let scheduled = scheduled.iter().filter(|event| event.kind == "reminder.scheduled");
        assert_eq!(scheduled.count(), 1, "what was pending in the backup is known, not news");
    });
}

/// As the service tells it: in whole milliseconds.
fn in_millis(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap()
}
