//! The services around the scheduler, in docker-compose and on Kubernetes: each as the others.

use reminder_contract::names;
use serde_json::{Value, json};
use std::time::Duration;

use crate::deployment::seconds;
use crate::documents::{Document, document, documents, keys, root};
use crate::sidecar::{ANNOTATIONS, expected_of, flag};

/// Each with the port that compose publishes.
pub(crate) const MEMBERS: &[(&str, u16)] = &[
    (names::TODO_API_APP_ID, 8081),
    (names::NOTIFICATION_APP_ID, 8082),
    (names::FRONTEND_APP_ID, 8083),
];

/// What every member reads from its environment, as far as manifests set it; a member may read more.
const ENVIRONMENT: [&str; 8] = [
    "APP_API_TOKEN",
    "APP_HOST",
    "APP_PORT",
    "DAPR_API_TOKEN",
    "DAPR_HTTP_PORT",
    "LOG_FORMAT",
    "RUST_LOG",
    "SHUTDOWN_GRACE",
];

const POD: &str = "/spec/template/spec";

fn of_kind(id: &str, kind: &str) -> Document {
    let all = documents(format!("k8s/members/{id}.yaml"));
    all.into_iter()
        .find(|document| document.kind() == kind)
        .unwrap_or_else(|| panic!("{id}: {kind}"))
}

/// The variables of a container, each with where its value comes from.
fn environment(deployment: &Document) -> Vec<(String, Value)> {
    let entries = deployment.at(&format!("{POD}/containers/0/env")).as_array().unwrap();
    let named = entries.iter().map(|e| (e["name"].as_str().unwrap().to_owned(), e.clone()));
    named.collect()
}

#[test]
fn each_has_a_package_of_its_name() {
    for (id, _) in MEMBERS {
        assert!(root().join(format!("examples/{id}/Cargo.toml")).is_file(), "{id}");
    }
}

#[test]
fn kubernetes_starts_their_sidecars_by_annotations() {
    for (id, _) in MEMBERS {
        let deployment = of_kind(id, "Deployment");
        let annotations = deployment.at("/spec/template/metadata/annotations");
        for (name, value) in annotations.as_object().unwrap() {
            assert!(ANNOTATIONS.contains(&name.as_str()), "{id}: unknown annotation {name}");
            assert!(value.is_string(), "{id}: {name} must be quoted");
        }
        assert_eq!(annotations["dapr.io/enabled"], "true");
        for (flag, value) in expected_of(id, names::DEFAULT_APP_PORT) {
            assert_eq!(annotations[format!("dapr.io/{flag}")], value, "{id}: {flag}");
        }
        // Why: crates/stack/src/parts/sidecar.rs.
        let checked = annotations.as_object().unwrap().keys().any(|name| name.contains("health"));
        assert!(!checked, "{id}: a member's sidecar must not leave its topics");
        let configuration = document("k8s/base/configuration.yaml");
        assert_eq!(annotations["dapr.io/config"], configuration.name());
        let seconds_of = |name: &str| annotations[format!("dapr.io/{name}")].as_str().unwrap();
        let waits = seconds(seconds_of("block-shutdown-duration"));
        let ends = Duration::from_secs(seconds_of("graceful-shutdown-seconds").parse().unwrap());
        let killed =
            deployment.at(&format!("{POD}/terminationGracePeriodSeconds")).as_u64().unwrap();
        let env = environment(&deployment);
        let (_, drain) = env.iter().find(|(name, _)| name == "SHUTDOWN_GRACE").unwrap();
        assert!(seconds(drain["value"].as_str().unwrap()) < waits, "{id}");
        assert!(waits + ends < Duration::from_secs(killed), "{id}");
    }
}

#[test]
fn their_pods_are_found_probed_and_have_no_rights_they_do_not_need() {
    for (id, _) in MEMBERS {
        let (deployment, service) = (of_kind(id, "Deployment"), of_kind(id, "Service"));
        let labels = deployment.at("/spec/template/metadata/labels");
        for selector in [deployment.at("/spec/selector/matchLabels"), service.at("/spec/selector")]
        {
            assert_eq!(labels["app.kubernetes.io/name"], *id);
            assert_eq!(selector["app.kubernetes.io/name"], *id);
        }
        let account = of_kind(id, "ServiceAccount");
        assert_eq!(deployment.text(&format!("{POD}/serviceAccountName")), account.name());
        assert_eq!(deployment.at(&format!("{POD}/securityContext/runAsNonRoot")), true);
        let container = deployment.at(&format!("{POD}/containers/0"));
        assert_eq!(container["image"], *id);
        let rights = json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        });
        assert_eq!(container["securityContext"], rights, "{id}");
        let port = &container["ports"][0];
        assert_eq!(port["containerPort"], names::DEFAULT_APP_PORT);
        assert_eq!(service.at("/spec/ports/0/targetPort"), &port["name"]);
        for (probe, path) in [
            ("startupProbe", names::LIVENESS_PATH),
            ("livenessProbe", names::LIVENESS_PATH),
            ("readinessProbe", names::READINESS_PATH),
        ] {
            assert_eq!(container[probe]["httpGet"]["path"], path, "{id}: {probe}");
        }
        for what in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
            assert!(container["resources"].pointer(what).is_some(), "{id}: {what}");
        }
        let told = environment(&deployment);
        for needed in ENVIRONMENT.iter().filter(|name| **name != "DAPR_HTTP_PORT") {
            assert!(told.iter().any(|(name, _)| name == needed), "{id}: {needed}");
        }
        for (name, entry) in told {
            assert!(!name.contains("TOKEN") || entry.get("value").is_none(), "{id}: {name}");
        }
    }
}

#[test]
fn their_images_are_of_this_release() {
    let kustomization = document("k8s/members/kustomization.yaml");
    let images = kustomization.at("/images").as_array().unwrap();
    let compose = document("docker-compose.yml");
    let version = env!("CARGO_PKG_VERSION");
    for (id, _) in MEMBERS {
        assert!(images.contains(&json!({"name": id, "newTag": version})), "{id}");
        assert_eq!(compose.text(&format!("/services/{id}/image")), format!("{id}:{version}"));
        assert_eq!(compose.text(&format!("/services/{id}/build/args/PACKAGE")), *id);
    }
}

#[test]
fn compose_starts_them_with_a_sidecar_each_when_asked() {
    let compose = document("docker-compose.yml");
    for (id, port) in MEMBERS {
        let sidecar = format!("{id}-daprd");
        for service in [*id, &sidecar] {
            assert_eq!(compose.at(&format!("/services/{service}/profiles")), &json!(["all"]));
        }
        assert_eq!(
            compose.text(&format!("/services/{sidecar}/network_mode")),
            format!("service:{id}")
        );
        for (name, value) in expected_of(id, *port) {
            assert_eq!(flag(&compose, &sidecar, name), Some(value), "{id}: {name}");
        }
        let checked = flag(&compose, &sidecar, "app-health-check-path");
        assert_eq!(checked, None, "{id}: a member's sidecar must not leave its topics");
        // Where the others find what they need, so do these.
        for name in ["placement-host-address", "scheduler-host-address", "resources-path", "config"]
        {
            assert_eq!(
                flag(&compose, &sidecar, name),
                flag(&compose, "daprd", name),
                "{id}: {name}"
            );
        }
        let environment = compose.at(&format!("/services/{id}/environment"));
        assert_eq!(environment["APP_PORT"], port.to_string());
        assert_eq!(
            Some(environment["DAPR_HTTP_PORT"].as_str().unwrap().to_owned()),
            flag(&compose, &sidecar, "dapr-http-port")
        );
        for name in ENVIRONMENT.iter().filter(|name| !name.ends_with("TOKEN")) {
            assert!(keys(environment).contains(name), "{id}: {name}");
        }
        // Their sidecars have no APP_API_TOKEN here, so they show the scheduler what it asks of everybody.
        assert_eq!(
            environment["SCHEDULER_TOKEN_FILE"],
            compose.text("/services/app/environment/REST_TOKEN_FILE"),
            "{id}"
        );
        let mounted = compose.at(&format!("/services/{id}/volumes"));
        assert_eq!(mounted, &json!(["secrets:/secrets:ro"]), "{id}");
        let published = format!("127.0.0.1:{port}:{port}");
        assert_eq!(compose.at(&format!("/services/{id}/ports")), &json!([published]));
        let drain = seconds(environment["SHUTDOWN_GRACE"].as_str().unwrap());
        let killed = seconds(compose.text(&format!("/services/{id}/stop_grace_period")));
        assert!(drain < killed, "{id}");
    }
}
