//! `doctor`, on a stack that is well and on stacks that are not.

use crate::operations::environment_of;
use crate::process::{Ended, Service};
use crate::runtime_facts::sidecar::{DAPR_TOKEN, sidecar};
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, Suite, disruptive, gentle};
use reminder_stack::{Part, probe};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_postgres::NoTls;

/// What other tests on the same stack may bring about meanwhile.
const OF_OTHERS: [&str; 5] = ["overdue", "parked", "firing", "dead letters", "clocks"];

fn settings(suite: &Suite) -> BTreeMap<String, String> {
    let manifest = suite.manifest();
    let replica = manifest.replica(1).unwrap();
    let mut settings = environment_of(suite);
    settings.insert("DAPR_HTTP_PORT".into(), replica.http_port.to_string());
    settings.insert("APP_PORT".into(), replica.app_port.to_string());
    settings
}

/// What it says with these settings, and how it ends.
async fn says(suite: &Suite, settings: &BTreeMap<String, String>) -> (Value, Ended) {
    let ended = Service::command(suite, &["doctor", "--json"], settings).ended().await;
    let line = ended.output.lines().next().unwrap_or_default();
    let report = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    (report, ended)
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut checks = report["checks"].as_array().unwrap().iter();
    checks.find(|found| found["check"] == name).unwrap_or_else(|| panic!("no {name}: {report}"))
}

/// What it finds in one of its checks, where these settings are given besides.
pub(crate) async fn finding(suite: &Suite, besides: &[(&str, &str)], name: &str) -> Value {
    let mut settings = settings(suite);
    settings.extend(besides.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    check(&says(suite, &settings).await.0, name).clone()
}

/// Asks again and again until each of these checks has that status; what to do is said where it fails.
pub(crate) async fn until(suite: &Suite, limit: Duration, wanted: &[(&str, &str)]) -> Value {
    let settings = settings(suite);
    let seen = probe::until(limit, || async {
        let (report, ended) = says(suite, &settings).await;
        let fails = report["status"] == "fail";
        assert_eq!(ended.code, Some(i32::from(fails)), "{ended:?}");
        let is = |(name, status): &(&str, &str)| check(&report, name)["status"] == *status;
        wanted.iter().all(is).then_some(report)
    });
    let Some(report) = seen.await else {
        panic!("{wanted:?} was not seen, but {}", says(suite, &settings).await.0);
    };
    for (name, _) in wanted.iter().filter(|(_, status)| *status == "fail") {
        let advice = check(&report, name)["whatToDo"].as_str();
        assert!(advice.is_some_and(|text| !text.is_empty()), "{name}: {report}");
    }
    report
}

/// The names of all checks but those of others.
async fn healthy_checks(suite: &Suite) -> Vec<String> {
    let (report, _) = says(suite, &settings(suite)).await;
    let names = report["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str());
    let names: Vec<String> = names.map(|name| name.unwrap().to_owned()).collect();
    assert!(names.len() >= 20, "{report}");
    names.into_iter().filter(|name| !OF_OTHERS.contains(&&**name)).collect()
}

#[test]
fn a_healthy_stack_is_found_so() {
    gentle(async |suite| {
        let names = healthy_checks(suite).await;
        let wanted: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "ok")).collect();
        // A test that broke something may have ended just before; rounds of the audit mend the rest.
        until(suite, RECOVERY_DEADLINE, &wanted).await;
        // For people, and with what others bring about for a while.
        let told = probe::until(RECOVERY_DEADLINE, || async {
            let ended = Service::command(suite, &["doctor"], &settings(suite)).ended().await;
            (ended.code == Some(0) && ended.output.contains("0 FAIL, 0 skipped")).then_some(ended)
        });
        let ended = told.await.expect("nothing fails");
        let url = suite.manifest().database_url();
        let password = url.split(':').nth(2).unwrap().split('@').next().unwrap().to_owned();
        assert!(!ended.output.contains(&password), "{}", ended.output);
    });
}

#[test]
fn a_probe_of_the_broker_is_no_dead_letter() {
    gentle(async |suite| {
        let settings = settings(suite);
        let list = ["dlq", "list", "--topic", "task-updates", "--json", "--limit", "10000"];
        let newest = async || {
            let list = Service::command(suite, &list, &settings).ended().await.output;
            list.lines().last().map_or(0, |line| {
                serde_json::from_str::<Value>(line).unwrap()["id"].as_i64().unwrap()
            })
        };
        let before = newest().await.to_string();
        for _ in 0..3 {
            let (report, _) = says(suite, &settings).await;
            assert_eq!(check(&report, "broker")["status"], "ok", "{report}");
        }
        // A letter that came behind them shows that they were looked at.
        let marker = suite.unique("after-the-probes");
        let api = format!(
            "http://127.0.0.1:{}/v1.0/publish/kafka-pubsub/task-updates-dlq?metadata.rawPayload=true&metadata.partitionKey=doctor",
            settings["DAPR_HTTP_PORT"]
        );
        let sent = reqwest::Client::new().post(api).body(marker.clone()).send().await.unwrap();
        assert!(sent.status().is_success());
        let listed = probe::until(EVENT_DEADLINE, || async {
            let new = [&list[..], &["--after", &before]].concat();
            let list = Service::command(suite, &new, &settings).ended().await.output;
            let mut found = None;
            for line in list.lines() {
                let id = serde_json::from_str::<Value>(line).unwrap()["id"].to_string();
                let show = ["dlq", "show", &id, "--value"];
                let value = Service::command(suite, &show, &settings).ended().await.output;
                assert_ne!(value, "doctor", "a probe was kept");
                if value == marker {
                    found = Some(id);
                }
            }
            found
        });
        let id = listed.await.expect("the letter behind the probes is kept");
        let drop = ["dlq", "drop", &id, "--yes"];
        assert_eq!(Service::command(suite, &drop, &settings).ended().await.code, Some(0));
    });
}

#[test]
fn a_wrong_token_and_a_sidecar_of_another_app_are_named() {
    gentle(async |suite| {
        let sidecar = sidecar(suite).await;
        let mut settings = settings(suite);
        settings.insert("DAPR_GRPC_PORT".into(), sidecar.grpc_port.to_string());
        settings.insert("DAPR_API_TOKEN".into(), "wrong".into());
        let (report, ended) = says(suite, &settings).await;
        let found = check(&report, "sidecar");
        assert_eq!((ended.code, &found["status"]), (Some(1), &"fail".into()), "{report}");
        assert!(found["whatToDo"].as_str().unwrap().contains("DAPR_API_TOKEN"), "{found}");
        assert_eq!(check(&report, "actors")["status"], "skipped");
        assert!(!ended.output.contains(DAPR_TOKEN), "{}", ended.output);

        settings.insert("DAPR_API_TOKEN".into(), DAPR_TOKEN.into());
        let (report, _) = says(suite, &settings).await;
        let found = check(&report, "sidecar");
        assert!(found["seen"].as_str().unwrap().contains("e2e-probe"), "{found}");
        assert_eq!(found["status"], "fail", "{found}");
        assert_eq!(check(&report, "components")["status"], "fail", "{report}");
    });
}

#[test]
fn settings_that_cannot_be_used_are_all_named() {
    gentle(async |suite| {
        let mut settings = settings(suite);
        settings.insert("ARM_HORIZON".into(), "soon".into());
        settings.insert("AUDIT_GRACE".into(), "late".into());
        for command in [&["doctor"][..], &["config", "show"]] {
            let ended = Service::command(suite, command, &settings).ended().await;
            assert_eq!(ended.code, Some(2), "{ended:?}");
            for name in ["ARM_HORIZON", "AUDIT_GRACE"] {
                assert!(ended.output.contains(&format!("- {name}")), "{}", ended.output);
            }
        }
    });
}

#[test]
fn a_part_of_dapr_or_the_service_that_is_away_is_named() {
    disruptive(async |suite| {
        suite.kill(Part::Scheduler).await;
        let away = [("scheduler", "fail"), ("canary", "fail"), ("broker", "ok"), ("call", "ok")];
        until(suite, EVENT_DEADLINE, &away).await;
        suite.start_and_wait(Part::Scheduler).await;
        until(suite, RECOVERY_DEADLINE, &[("scheduler", "ok"), ("canary", "ok")]).await;

        suite.kill(Part::Placement).await;
        until(suite, EVENT_DEADLINE, &[("actors", "fail"), ("call", "fail")]).await;
        suite.start_and_wait(Part::Placement).await;
        until(suite, RECOVERY_DEADLINE, &[("actors", "ok"), ("call", "ok")]).await;

        suite.stop(Part::App(1)).await;
        let away =
            [("service", "fail"), ("outbox", "skipped"), ("actors", "fail"), ("sidecar", "ok")];
        until(suite, EVENT_DEADLINE, &away).await;
    });
}

#[test]
fn a_store_or_a_broker_that_is_away_is_named() {
    disruptive(async |suite| {
        suite.stop(Part::Kafka).await;
        until(suite, EVENT_DEADLINE, &[("broker", "fail"), ("call", "ok"), ("database", "ok")])
            .await;
        suite.start_and_wait(Part::Kafka).await;
        until(suite, RECOVERY_DEADLINE, &[("broker", "ok")]).await;

        let url = suite.manifest().admin_database_url().expect("the stack's own server");
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let switch =
            |word: &str| format!("ALTER TABLE reminder_state {word} TRIGGER task_fence_update");
        client.batch_execute(&switch("DISABLE")).await.unwrap();
        let report = until(suite, EVENT_DEADLINE, &[("fence", "fail"), ("schema", "ok")]).await;
        assert!(check(&report, "fence")["seen"].as_str().unwrap().contains("task_fence_update"));
        client.batch_execute(&switch("ENABLE")).await.unwrap();
        until(suite, EVENT_DEADLINE, &[("fence", "ok")]).await;
        drop(client);

        suite.stop(Part::Postgres).await;
        let away =
            [("database", "fail"), ("call", "fail"), ("schema", "skipped"), ("broker", "ok")];
        until(suite, EVENT_DEADLINE, &away).await;
    });
}
