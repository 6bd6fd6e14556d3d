//! A backup of Postgres is restored, by the commands of the guide, while everything else has moved on:
//! events of the undone future are with the consumers, and the scheduler knows its wakes.

use crate::api::{Task, clock_shows, in_ms};
use crate::guide::Guide;
use crate::suite::{RECOVERY_DEADLINE, Suite, disruptive};
use chrono::{DateTime, Utc};
use reminder_contract::names;
use reminder_stack::{Part, Stack, probe};
use serde_json::json;

const PAGE: &str = "docs/how-to/backup-and-restore.md";

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

/// The guide, in the place of an operator of this stack: an address of the database for its owner, one of its server
/// for an administrator, and the settings of the service.
fn guide(suite: &Suite) -> Guide {
    let manifest = suite.manifest();
    let admin = manifest.admin_database_url().unwrap();
    let admin = admin.replace(&format!("/{}?", names::DATABASE), "/postgres?");
    let settings = suite.stack.app_environment(1).unwrap();
    let addresses = [("DATABASE_URL", manifest.database_url()), ("ADMIN_URL", admin)];
    let addresses = addresses.map(|(name, value)| (name.to_owned(), value));
    Guide::open(suite, PAGE, &suite.stack.dir().join("backup")).with(settings).with(addresses)
}

/// What the guide has one count after a restore.
async fn count(suite: &Suite, statement: &str) -> i64 {
    let url = suite.manifest().database_url();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.query_one(statement, &[]).await.unwrap().get(0)
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
        let mut guide = guide(suite);
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
        let listed = guide.follow("pg_dump").await;
        assert!(listed.contains("TABLE DATA"), "{listed}");
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
        let refused = guide.attempt("reminder-scheduler after-restore").await;
        assert!(
            refused.code == Some(1) && refused.said.contains("the service runs"),
            "{refused:?}"
        );

        suite.stop(Part::App(1)).await;
        suite.stop(Part::Sidecar(1)).await;
        guide.follow("DROP DATABASE").await;
        assert!(count(suite, guide.sql("count(*)")).await > 0);
        // The backup is so young that its processes seem to run.
        let said = guide.follow_span("reminder-scheduler after-restore --force").await;
        assert!(said.contains("everything goes on in incarnation"), "{said}");
        assert!(!said.contains("did not agree"), "{said}");
        guide.follow("firing stop").await;
        suite.start(Part::Sidecar(1)).await;
        suite.start_and_wait(Part::App(1)).await;
        suite.stack.wait_ready(Part::Sidecar(1)).await.unwrap();

        // What was undone is not there any more, and what is made now is news to everybody.
        let unknown = created.call_raw("get", "", &[]).await;
        unknown.refused(404, None);
        guide.follow_span("reminder-scheduler firing resume").await;
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
        // Undone, it is overdue again: told twice, as two facts, once firing goes on.
        let again = probe::until(RECOVERY_DEADLINE, || async {
            Some(fired_since(&fired)).filter(|times| !times.is_empty())
        });
        assert_eq!(again.await, Some(vec![in_millis(soon)]));
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
        guide.must_be_done();
    });
}

/// As the service tells it: in whole milliseconds.
fn in_millis(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap()
}
