//! A service whose parts are not there yet: it stays up, is not ready, says what it waits for, and
//! becomes ready when they come.

use crate::process::{Service, environment};
use crate::proxy::ClosedPort;
use crate::runtime_facts::sidecar::{APP_TOKEN, DAPR_TOKEN, sidecar};
use crate::suite::{Suite, gentle};

/// The database's URL with another port.
fn database_url(suite: &Suite, port: u16) -> String {
    let manifest = suite.manifest();
    let real = format!(":{}/", manifest.postgres.port);
    manifest.database_url().replace(&real, &format!(":{port}/"))
}

#[test]
fn without_its_sidecar_the_service_waits_until_it_comes() {
    gentle(async |suite| {
        let missing = ClosedPort::new();
        let environment = environment(&[
            ("DAPR_GRPC_PORT", &missing.port.to_string()),
            ("DATABASE_URL", &suite.manifest().database_url()),
        ]);
        let mut service = Service::start(suite, &environment);
        service.waits_for("sidecar", "").await;
        let _open = missing.open(suite.manifest().replica(1).unwrap().grpc_port);
        service.becomes_ready().await;
        service.terminate();
        assert_eq!(service.ended().await.code, Some(0));
    });
}

#[test]
fn without_its_database_the_service_waits_until_it_comes() {
    gentle(async |suite| {
        let missing = ClosedPort::new();
        let environment = environment(&[
            ("DAPR_GRPC_PORT", &suite.manifest().replica(1).unwrap().grpc_port.to_string()),
            ("DATABASE_URL", &database_url(suite, missing.port)),
        ]);
        let mut service = Service::start(suite, &environment);
        service.waits_for("database", "").await;
        let _open = missing.open(suite.manifest().postgres.port);
        service.becomes_ready().await;
    });
}

#[test]
fn a_service_that_waits_ends_well_when_asked() {
    gentle(async |suite| {
        let missing = ClosedPort::new();
        let url = format!("postgres://u:secret@127.0.0.1:{}/db", missing.port);
        let environment =
            environment(&[("DAPR_GRPC_PORT", &missing.port.to_string()), ("DATABASE_URL", &url)]);
        let mut service = Service::start(suite, &environment);
        service.waits_for("database", "").await;
        service.terminate();
        let ended = service.ended().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.output.contains("secret"), "the password is not logged: {}", ended.output);
    });
}

#[test]
fn with_the_wrong_token_for_the_sidecar_the_service_is_not_ready() {
    gentle(async |suite| {
        let sidecar = sidecar(suite).await;
        let (port, url) = (sidecar.grpc_port.to_string(), suite.manifest().database_url());
        let settings = |token| {
            [("DAPR_GRPC_PORT", &*port), ("DATABASE_URL", &*url), ("DAPR_API_TOKEN", token)]
        };
        let mut wrong = Service::start(suite, &environment(&settings("wrong")));
        wrong.waits_for("sidecar", "Unauthenticated").await;
        let right = Service::start(suite, &environment(&settings(DAPR_TOKEN)));
        right.becomes_ready().await;
    });
}

#[test]
fn callers_without_the_services_token_are_turned_away() {
    gentle(async |suite| {
        let environment = environment(&[
            ("DAPR_GRPC_PORT", &suite.manifest().replica(1).unwrap().grpc_port.to_string()),
            ("DATABASE_URL", &suite.manifest().database_url()),
            ("APP_API_TOKEN", APP_TOKEN),
        ]);
        let service = Service::start(suite, &environment);
        service.becomes_ready().await;
        for headers in [&[][..], &[("dapr-api-token", "wrong")]] {
            let refused = service.get("/dapr/config", headers).await.unwrap();
            assert_eq!(refused.status, 401);
            assert!(refused.body.contains("APP_API_TOKEN"), "{}", refused.body);
        }
        let shown = [("dapr-api-token", APP_TOKEN)];
        assert_eq!(service.get("/dapr/config", &shown).await.unwrap().status, 200);
        // Probes come from the kubelet, which has no token.
        assert_eq!(service.get("/healthz", &[]).await.unwrap().status, 200);
    });
}
