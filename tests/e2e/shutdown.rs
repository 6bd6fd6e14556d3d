//! SIGTERM while a reminder fires: the firing is finished, and the process ends well and in time.

use crate::api::in_ms;
use crate::process::Service;
use crate::proxy::ClosedPort;
use crate::restarts::{AHEAD_MS, all_fire, tasks_due};
use crate::suite::{RECOVERY_DEADLINE, Suite, disruptive};
use chrono::Utc;
use reminder_contract::names::METRICS_PATH;
use reminder_stack::{Part, Signal, probe};
use serde_json::json;
use std::time::{Duration, Instant};

/// The service's default `SHUTDOWN_GRACE`, and a little for a busy machine.
const GRACE: Duration = Duration::from_secs(12);

/// Until the reminder fires.
const FLIGHT_DEADLINE: Duration = Duration::from_secs(20);

/// Until the service says that it drains.
const DRAIN_DEADLINE: Duration = Duration::from_secs(5);

/// Waits until the service says that it drains.
async fn stops(service: &Service) {
    let drains = probe::until(DRAIN_DEADLINE, || async {
        let answer = service.get("/readyz", &[]).await?;
        (answer.status == 503 && answer.body.contains("\"stopping\":true")).then_some(())
    });
    assert!(drains.await.is_some(), "it drains and says so");
}

#[test]
fn sigterm_lets_a_firing_in_flight_finish() {
    disruptive(async |suite| {
        // Started by hand, for the stack would not tell its exit code.
        suite.stop(Part::App(1)).await;
        let task = suite.task("in-flight");
        let sidecar = ClosedPort::new();
        let mut environment = suite.stack.app_environment(1).unwrap();
        environment.insert("DAPR_GRPC_PORT".to_owned(), sidecar.port.to_string());
        let grpc_port = suite.manifest().replica(1).unwrap().grpc_port;
        let sidecar = sidecar.open_watching(grpc_port, &task.id);
        let service = Service::start(suite, &environment);
        service.becomes_ready().await;
        suite.stack.wait_ready(Part::Sidecar(1)).await.unwrap();
        let due = in_ms(AHEAD_MS);
        let task = task.due(due);
        task.put_until_answered().await;
        task.event_within("task.sync", 1, RECOVERY_DEADLINE).await;
        let others = tasks_due(suite, "in-flight", 3, due).await;

        // The turn stands still in the middle: it has asked for the state and gets no answer.
        suite.stack.kill(Part::Postgres, Signal::Stop).await.unwrap();
        let before = sidecar.passed();
        let in_flight =
            probe::until(FLIGHT_DEADLINE, || async { (sidecar.passed() > before).then_some(()) });
        assert!(in_flight.await.is_some() && Utc::now() >= due, "the reminder fires");
        let began = Instant::now();
        service.terminate();
        stops(&service).await;
        suite.stack.kill(Part::Postgres, Signal::Cont).await.unwrap();
        let ended = service.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
        assert!(began.elapsed() < GRACE, "{:?}", began.elapsed());
        // Published before the end, by the process that fired it: nobody else is there.
        task.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;

        suite.start(Part::App(1)).await;
        all_fire(&[task], due).await;
        all_fire(&others, due).await;
    });
}

/// A service of the test's own in the place of the stack's, whose exit code and output can be seen.
async fn in_its_place(suite: &Suite, grace: &str) -> Service {
    suite.stop(Part::App(1)).await;
    let mut environment = suite.stack.app_environment(1).unwrap();
    environment.insert("SHUTDOWN_GRACE".to_owned(), grace.to_owned());
    let service = Service::start(suite, &environment);
    service.becomes_ready().await;
    suite.stack.wait_ready(Part::Sidecar(1)).await.unwrap();
    service
}

/// Events of this task that the broker cannot take wait in the process, and it says since when.
async fn has_events_that_wait(service: &Service) {
    let waiting = probe::until(FLIGHT_DEADLINE, || async {
        let text = service.get(METRICS_PATH, &[]).await?.body;
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse::<f64>().ok()
        };
        let events = value("reminder_outbox_events ")?;
        let age = value("reminder_outbox_oldest_event_age_seconds ")?;
        (events >= 1.0 && age > 0.1).then_some(())
    });
    assert!(waiting.await.is_some(), "nothing waits for the broker");
}

#[test]
fn a_process_that_ends_takes_no_turns_and_empties_its_outbox() {
    disruptive(async |suite| {
        let service = in_its_place(suite, "20s").await;
        let task = suite.task("flushed").due(in_ms(3_600_000));
        suite.stack.kill(Part::Kafka, Signal::Stop).await.unwrap();
        task.put_until_answered().await;
        has_events_that_wait(&service).await;
        let began = Instant::now();
        service.terminate();
        stops(&service).await;
        // The sidecar still leads here, for turns under way need it; no other begins.
        let refused = task.call("get", &json!({})).await.refused(503, None);
        assert!(refused["detail"].as_str().unwrap().contains("stopping"), "{refused}");
        suite.stack.kill(Part::Kafka, Signal::Cont).await.unwrap();
        let ended = service.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
        assert!(!ended.output.contains("events are left"), "{}", ended.output);
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        // By the process that is gone: no other runs.
        task.event_within("task.sync", 1, RECOVERY_DEADLINE).await;
    });
}

#[test]
fn a_broker_that_stays_away_does_not_hold_up_the_end_and_its_events_follow() {
    disruptive(async |suite| {
        let service = in_its_place(suite, "6s").await;
        let task = suite.task("left-at-the-end").due(in_ms(3_600_000));
        suite.stack.kill(Part::Kafka, Signal::Stop).await.unwrap();
        task.put_until_answered().await;
        has_events_that_wait(&service).await;
        let began = Instant::now();
        service.terminate();
        let ended = service.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
        assert!(ended.output.contains("events are left"), "{}", ended.output);
        assert!(began.elapsed() < GRACE, "{:?}", began.elapsed());
        suite.stack.kill(Part::Kafka, Signal::Cont).await.unwrap();
        suite.start(Part::App(1)).await;
        // Nobody touches the task: the audit of the next process finds what was left.
        task.event_within("task.sync", 1, RECOVERY_DEADLINE).await;
    });
}
