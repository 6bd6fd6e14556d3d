//! `task`: what a caller does from a shell, by the REST edge.

use crate::api::in_ms;
use crate::process::{Ended, Service};
use crate::proxy::ClosedPort;
use crate::suite::{EVENT_DEADLINE, Suite, gentle};
use reminder_stack::probe;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Where the commands go: the service itself, or through its sidecar.
fn environment(suite: &Suite, through_sidecar: bool) -> BTreeMap<String, String> {
    let manifest = suite.manifest();
    let replica = manifest.replica(1).unwrap();
    let url = if through_sidecar {
        let port = replica.http_port;
        format!("http://127.0.0.1:{port}/v1.0/invoke/reminder-scheduler/method")
    } else {
        format!("http://127.0.0.1:{}", replica.app_port)
    };
    [("REMINDER_URL".to_owned(), url)].into()
}

async fn task(suite: &Suite, arguments: &[&str]) -> Ended {
    let arguments = [&["task"], arguments].concat();
    Service::command(suite, &arguments, &environment(suite, false)).ended().await
}

/// One that ends with that code; answers what it said.
pub(crate) async fn ends(suite: &Suite, code: i32, arguments: &[&str]) -> String {
    let ended = task(suite, arguments).await;
    assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.output);
    ended.output
}

pub(crate) async fn json(suite: &Suite, arguments: &[&str]) -> Value {
    let output = ends(suite, 0, &[arguments, &["--json"]].concat()).await;
    serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}"))
}

/// Whose tasks these are.
const USER: &str = "cli@example.org";

/// A folder of the test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(suite: &Suite) -> Self {
        let folder = std::env::temp_dir().join(suite.unique("task-command"));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_task_is_put_looked_at_changed_and_deleted() {
    gentle(async |suite| {
        let id = suite.unique("by-command");
        let put =
            ["put", &id, "--title", "Buy milk", "--due", "2h", "--remind", "1h", "--user", USER];
        let said = ends(suite, 0, &put).await;
        assert!(said.contains("version 1, created") && said.contains("(in 59 min"), "{said}");
        let twice = [&put[..], &["--if-version", "0"]].concat();
        assert!(ends(suite, 1, &twice).await.contains("version"), "there is one already");

        let got = json(suite, &["get", &id]).await;
        assert_eq!(got["task"]["reminders"][0]["before"], "PT1H");
        let sheet = ends(suite, 0, &["get", &id]).await;
        assert!(sheet.contains("Buy milk") && sheet.contains("scheduled"), "{sheet}");
        let preview = json(suite, &["preview", &id]).await;
        let at = preview["firings"][0]["scheduledFor"].as_str().unwrap().to_owned();
        let why = ends(suite, 0, &["explain", &id, "r1", &at]).await;
        assert!(why.contains("scheduled"), "{why}");
        let nothing_rang = ends(suite, 1, &["snooze", &id, "--for", "10m"]).await;
        assert!(nothing_rang.contains("no reminder rang"), "{nothing_rang}");

        let listed = probe::until(EVENT_DEADLINE, || async {
            let list = ends(suite, 0, &["list", "--user", USER, "--limit", "0", "--json"]).await;
            list.contains(&id).then_some(())
        });
        listed.await.expect("the list has it");
        assert_eq!(json(suite, &["complete", &id]).await["status"], "completed");
        assert_eq!(json(suite, &["reopen", &id]).await["status"], "pending");
        let through = environment(suite, true);
        let delete = Service::command(suite, &["task", "delete", &id], &through).ended().await;
        assert_eq!(delete.code, Some(0), "{delete:?}");
        let gone = ends(suite, 4, &["get", &id]).await;
        assert!(gone.contains("no task"), "{gone}");
    });
}

#[test]
fn what_rang_is_snoozed_and_acknowledged_from_a_shell() {
    gentle(async |suite| {
        let task = suite.task("rings").due(in_ms(1_000));
        task.put().await;
        task.event("reminder.triggered").await;
        let snoozed = ends(suite, 0, &["snooze", &task.id, "--for", "1h"]).await;
        assert!(snoozed.contains("(in 59 min"), "{snoozed}");
        let acknowledged = json(suite, &["ack", &task.id]).await;
        assert_eq!(acknowledged["nextReminderAt"], Value::Null, "{acknowledged}");
    });
}

#[test]
fn where_nobody_answers_a_command_says_so_and_ends() {
    gentle(async |suite| {
        let nobody = ["get", "milk", "--url", "http://127.0.0.1:1", "--timeout", "1s"];
        let said = ends(suite, 1, &nobody).await;
        assert!(said.contains("REMINDER_URL"), "{said}");
        ends(suite, 2, &["get", "not an id"]).await;
        ends(suite, 2, &["list", "--url", "ftp://x"]).await;
    });
}

/// What the ids of a user's tasks begin with.
fn name_of(user: &str) -> &str {
    user.split('@').next().unwrap()
}

/// A file with tasks of one user, one of which cannot be understood and one is refused.
fn csv(user: &str, count: usize) -> String {
    let name = name_of(user);
    let rows = (0..count).map(|number| {
        let (id, title) = (format!("{name}-{number}"), format!("\"Number {number}, of many\""));
        format!("{id},{title},2030-03-01 18:00,Europe/Berlin,1d;15m,a; b,{user}")
    });
    let head = "taskId,title,dueDate,zone,reminders,tags,userId".to_owned();
    let wrong = "not an id,Wrong,,,,,".to_owned();
    let late = format!("{name}-late,Refused,2030-02-30,,,,{user}");
    let all = std::iter::once(head).chain(rows).chain([wrong, late]);
    all.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn an_import_is_cut_short_goes_on_and_names_what_it_cannot_do() {
    gentle(async |suite| {
        const COUNT: usize = 40;
        let (folder, user) =
            (Folder::new(suite), format!("{}@example.org", suite.unique("importer")));
        let (file, name) = (folder.file("tasks.csv"), name_of(&user));
        fs::write(&file, csv(&user, COUNT)).unwrap();
        let dry = ends(suite, 3, &["import", &file, "--dry-run"]).await;
        assert!(dry.contains("40 of 42 rows can be understood; nothing was sent"), "{dry}");
        ends(suite, 4, &["get", &format!("{name}-0")]).await;

        // One that was cut short leaves its place; this one is moved on by ten rows.
        let closed = ClosedPort::new();
        let url = format!("http://127.0.0.1:{}", closed.port);
        let here = ["import", &file, "--url", &url];
        let stopped = ends(suite, 1, &[&here[..], &["--timeout", "1s"]].concat()).await;
        assert!(stopped.contains("run it again to go on there"), "{stopped}");
        let kept = format!("{file}.checkpoint");
        let mut place: Value = serde_json::from_str(&fs::read_to_string(&kept).unwrap()).unwrap();
        assert_eq!(place["rows"], 0);
        place["rows"] = 10.into();
        fs::write(&kept, place.to_string()).unwrap();

        let report = folder.file("refused.csv");
        let _open = closed.open(suite.manifest().replica(1).unwrap().app_port);
        let said = ends(suite, 3, &[&here[..], &["--report", &report]].concat()).await;
        assert!(said.contains("going on after row 10 of 42"), "{said}");
        assert!(said.contains("an earlier run did 10 of the rows"), "{said}");
        assert!(said.contains("row 41, line 42, task \"not an id\": taskId"), "{said}");
        assert!(said.contains("row 42, line 43") && said.contains("2 refused"), "{said}");
        assert!(said.contains("30 of them new"), "{said}");
        assert!(fs::read_to_string(&report).unwrap().contains("42,43,"), "the report");
        assert!(!fs::exists(&kept).unwrap(), "it came to its end");
        ends(suite, 4, &["get", &format!("{name}-9")]).await;
        let got = json(suite, &["get", &format!("{name}-10")]).await;
        assert_eq!((&got["version"], &got["task"]["tags"][1]), (&1.into(), &"b".into()), "{got}");

        // The place at one address is none at another.
        fs::write(&kept, place.to_string()).unwrap();
        let elsewhere = ends(suite, 3, &["import", &file]).await;
        assert!(elsewhere.contains("beginning anew") && elsewhere.contains(&url), "{elsewhere}");

        // The whole of it: what is there stays as it is, by the names of the commands.
        let again = ends(suite, 3, &["import", &file, "--from-start", "--json"]).await;
        let summary: Value = again
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find_map(|line| line.get("summary").cloned())
            .unwrap();
        assert_eq!((&summary["good"], &summary["refused"]), (&40.into(), &2.into()), "{summary}");
        let got = json(suite, &["get", &format!("{name}-10")]).await;
        assert_eq!(got["version"], 1, "once: {got}");
    });
}

#[test]
fn what_is_exported_can_be_imported_in_any_format() {
    gentle(async |suite| {
        let (folder, user) =
            (Folder::new(suite), format!("{}@example.org", suite.unique("exporter")));
        let id = |name: &str| format!("{}-{name}", name_of(&user));
        let rule = [
            "--rrule",
            "FREQ=WEEKLY;BYDAY=MO",
            "--due",
            "2030-03-04T09:00",
            "--zone",
            "Asia/Tokyo",
        ];
        let put = [
            "put",
            &id("weekly"),
            "--title",
            "Weekly, \"with\" care",
            "--user",
            &user,
            "--remind",
            "1d",
        ];
        ends(suite, 0, &[&put[..], &rule].concat()).await;
        let put = [
            "put",
            &id("plain"),
            "--title",
            "Plain",
            "--user",
            &user,
            "--tag",
            "a;b",
            "--priority",
            "high",
        ];
        ends(suite, 0, &put).await;
        let tasks = async || {
            let mut found = Vec::new();
            for name in ["plain", "weekly"] {
                found.push(json(suite, &["get", &id(name)]).await["task"].clone());
            }
            found
        };
        let before = tasks().await;
        for format in ["csv", "jsonl", "ics"] {
            let file = folder.file(&format!("tasks.{format}"));
            let both = probe::until(EVENT_DEADLINE, || async {
                let said = ends(suite, 0, &["export", &file, "--user", &user]).await;
                said.contains("2 tasks were written").then_some(())
            });
            both.await.unwrap_or_else(|| panic!("{format}: both tasks"));
            for name in ["plain", "weekly"] {
                ends(suite, 0, &["delete", &id(name)]).await;
            }
            let said = ends(suite, 0, &["import", &file]).await;
            assert!(said.contains("2 of 2 rows are tasks now, 2 of them new"), "{format}: {said}");
            assert_eq!(tasks().await, before, "{format}");
        }
    });
}
