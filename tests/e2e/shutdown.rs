//! SIGTERM while a reminder fires: the firing is finished, and the process ends well and in time.

use crate::api::in_ms;
use crate::process::Service;
use crate::proxy::ClosedPort;
use crate::restarts::{AHEAD_MS, all_fire, tasks_due};
use crate::suite::{RECOVERY_DEADLINE, disruptive};
use chrono::Utc;
use reminder_stack::{Part, Signal, probe};
use std::time::{Duration, Instant};

/// The service's default `SHUTDOWN_GRACE`, and a little for a busy machine.
const GRACE: Duration = Duration::from_secs(12);

/// Until the reminder fires.
const FLIGHT_DEADLINE: Duration = Duration::from_secs(20);

/// Until the service says that it drains.
const DRAIN_DEADLINE: Duration = Duration::from_secs(5);

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
        let drains = probe::until(DRAIN_DEADLINE, || async {
            let answer = service.get("/readyz", &[]).await?;
            (answer.status == 503 && answer.body.contains("\"stopping\":true")).then_some(())
        });
        assert!(drains.await.is_some(), "it drains and says so");
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
