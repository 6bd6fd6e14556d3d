//! Readiness while the service runs: what goes away shows, and what it means for callers.

use crate::process::{Service, environment};
use crate::proxy::ClosedPort;
use crate::suite::gentle;

#[test]
fn a_part_that_goes_away_later_shows_in_readiness_until_it_is_back() {
    gentle(async |suite| {
        let (to_sidecar, to_database) = (ClosedPort::new(), ClosedPort::new());
        let ports = (to_sidecar.port, to_database.port);
        let manifest = suite.manifest();
        let (grpc_port, postgres) =
            (manifest.replica(1).unwrap().grpc_port, manifest.postgres.port);
        let url = manifest.database_url();
        let url = url.replace(&format!(":{postgres}/"), &format!(":{}/", ports.1));
        let (sidecar, database) = (to_sidecar.open(grpc_port), to_database.open(postgres));
        let service = Service::start(
            suite,
            &environment(&[("DAPR_GRPC_PORT", &ports.0.to_string()), ("DATABASE_URL", &url)]),
        );
        service.becomes_ready().await;

        // Every replica has the same database: it goes on taking calls, and says what is wrong.
        drop(database);
        let body = service.readiness_is(200, "/checks/database", "lost").await;
        assert!(body["waitingFor"]["database"].as_str().is_some_and(|why| !why.is_empty()));
        assert_eq!(body["checks"]["sidecar"], "ok");
        let _database = ClosedPort::at(ports.1).open(postgres);
        service.readiness_is(200, "/checks/database", "ok").await;

        // The sidecar is its own: calls should go to another replica.
        drop(sidecar);
        let body = service.readiness_is(503, "/checks/sidecar", "lost").await;
        assert_eq!((&body["ready"], &body["stopping"]), (&false.into(), &false.into()));
        // Dapr asks another question: whether turns can run once it is back.
        assert_eq!(service.get("/healthz", &[]).await.unwrap().status, 200);
        assert_eq!(service.get("/livez", &[]).await.unwrap().status, 200);
        let _sidecar = ClosedPort::at(ports.0).open(grpc_port);
        service.readiness_is(200, "/checks/sidecar", "ok").await;
        service.terminate();
        let ended = service.ended().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.output.contains("panicked"), "{}", ended.output);
    });
}
