//! The Kubernetes Deployment and what belongs to it: probes, ports, grace periods, references.

use std::path::Path;
use std::time::Duration;

use reminder_contract::names;
use serde_json::{Value, json};

use crate::documents::{Document, document, documents, files_below, keys};

/// What the service reads from its environment, as far as manifests set it.
pub(crate) const ENVIRONMENT: [&str; 11] = [
    "APP_API_TOKEN",
    "APP_HOST",
    "APP_PORT",
    "DAPR_API_TOKEN",
    "DAPR_GRPC_PORT",
    "DATABASE_URL_FILE",
    "LOG_FILTER_FILE",
    "LOG_FORMAT",
    "REST_TOKEN_FILE",
    "RUST_LOG",
    "SHUTDOWN_GRACE",
];

const POD: &str = "/spec/template/spec";
const CONTAINER: &str = "/spec/template/spec/containers/0";

fn deployment() -> Document {
    document("k8s/base/deployment.yaml")
}

fn environment(deployment: &Document) -> Vec<(&str, &Value)> {
    let entries = deployment.value.pointer(&format!("{CONTAINER}/env")).unwrap();
    entries.as_array().unwrap().iter().map(|e| (e["name"].as_str().unwrap(), e)).collect()
}

fn variable<'a>(deployment: &'a Document, name: &str) -> &'a str {
    let (_, entry) = environment(deployment).into_iter().find(|(n, _)| *n == name).unwrap();
    entry["value"].as_str().unwrap_or_else(|| panic!("{name} has no quoted value"))
}

/// Whole seconds as Go and our configuration write them.
pub(crate) fn seconds(text: &str) -> Duration {
    let number = text.strip_suffix('s').unwrap_or_else(|| panic!("{text} is not in seconds"));
    Duration::from_secs(number.parse().unwrap())
}

#[test]
fn ports_agree_from_the_service_to_the_process() {
    let deployment = deployment();
    let port = json!(names::DEFAULT_APP_PORT);
    let ports = deployment.at(&format!("{CONTAINER}/ports")).as_array().unwrap();
    assert_eq!(ports.len(), 1);
    assert_eq!(ports[0]["containerPort"], port);
    assert_eq!(variable(&deployment, "APP_PORT"), port.to_string());
    assert_eq!(variable(&deployment, "DAPR_GRPC_PORT"), names::DEFAULT_DAPR_GRPC_PORT.to_string());
    let service = document("k8s/base/service.yaml");
    assert_eq!(service.at("/spec/ports/0/port"), &port);
    assert_eq!(service.at("/spec/ports/0/targetPort"), &ports[0]["name"]);
}

#[test]
fn selectors_find_the_pods() {
    let deployment = deployment();
    let service = document("k8s/base/service.yaml");
    let labels = deployment.at("/spec/template/metadata/labels");
    for selector in [deployment.at("/spec/selector/matchLabels"), service.at("/spec/selector")] {
        assert!(!keys(selector).is_empty());
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(labels.get(key), Some(value), "{key}");
        }
    }
    let account = document("k8s/base/serviceaccount.yaml");
    assert_eq!(deployment.text(&format!("{POD}/serviceAccountName")), account.name());
}

#[test]
fn probes_ask_the_paths_that_the_service_answers() {
    let deployment = deployment();
    for (probe, path) in [
        ("startupProbe", names::LIVENESS_PATH),
        ("livenessProbe", names::LIVENESS_PATH),
        ("readinessProbe", names::READINESS_PATH),
    ] {
        let get = deployment.at(&format!("{CONTAINER}/{probe}/httpGet"));
        assert_eq!(get["path"], path, "{probe}");
        assert_eq!(&get["port"], deployment.at(&format!("{CONTAINER}/ports/0/name")), "{probe}");
    }
}

#[test]
fn the_service_drains_before_its_sidecar_and_both_before_they_are_killed() {
    let deployment = deployment();
    let annotation = |name: &str| {
        deployment.text(&format!("/spec/template/metadata/annotations/dapr.io~1{name}"))
    };
    let drain = seconds(variable(&deployment, "SHUTDOWN_GRACE"));
    let sidecar_waits = seconds(annotation("block-shutdown-duration"));
    let sidecar_ends =
        Duration::from_secs(annotation("graceful-shutdown-seconds").parse().unwrap());
    let killed = Duration::from_secs(
        deployment.at(&format!("{POD}/terminationGracePeriodSeconds")).as_u64().unwrap(),
    );
    assert!(drain < sidecar_waits, "{drain:?} {sidecar_waits:?}");
    assert!(sidecar_waits + sidecar_ends < killed, "{sidecar_waits:?} {sidecar_ends:?} {killed:?}");
}

#[test]
fn the_environment_is_one_that_the_service_reads() {
    let deployment = deployment();
    for (name, _) in environment(&deployment) {
        assert!(ENVIRONMENT.contains(&name), "the service does not read {name}");
    }
    // The files that variables name are those that are mounted.
    for (n, name) in ["DATABASE_URL_FILE", "LOG_FILTER_FILE"].iter().enumerate() {
        let file = Path::new(variable(&deployment, name));
        let mount = deployment.at(&format!("{CONTAINER}/volumeMounts/{n}"));
        let volume = deployment.at(&format!("{POD}/volumes/{n}"));
        assert_eq!(mount["name"], volume["name"]);
        assert_eq!(Path::new(mount["mountPath"].as_str().unwrap()), file.parent().unwrap());
        let file = file.file_name().unwrap().to_str().unwrap();
        match volume.get("configMap") {
            None => assert_eq!(volume["secret"]["items"][0]["path"], file),
            Some(map) => {
                let logs = document("k8s/base/logs.yaml");
                assert_eq!(map["name"], logs.name());
                assert_eq!(keys(logs.at("/data")), [file]);
            }
        }
    }
}

#[test]
fn the_container_has_no_rights_it_does_not_need() {
    let deployment = deployment();
    assert_eq!(deployment.at(&format!("{POD}/securityContext/runAsNonRoot")), true);
    let container = deployment.at(&format!("{CONTAINER}/securityContext"));
    assert_eq!(
        container,
        &json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        })
    );
    for what in ["requests/cpu", "requests/memory", "limits/memory"] {
        deployment.at(&format!("{CONTAINER}/resources/{what}"));
    }
}

#[test]
fn kustomizations_name_every_file_beside_them() {
    for folder in ["k8s/base", "k8s/members", "k8s/topics", "k8s/monitoring"] {
        let kustomization = document(format!("{folder}/kustomization.yaml"));
        let mut named: Vec<_> = kustomization
            .at("/resources")
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        named.sort();
        let present: Vec<_> = files_below(folder, &["yaml", "yml"])
            .iter()
            .map(|file| file.strip_prefix(folder).unwrap().to_str().unwrap().to_owned())
            .filter(|file| file != "kustomization.yaml")
            .collect();
        assert_eq!(named, present, "{folder}");
    }
}

#[test]
fn everything_is_in_the_namespace_that_is_made() {
    let namespace = document("k8s/base/namespace.yaml");
    let mut all: Vec<_> = files_below("k8s/base", &["yaml"]).iter().flat_map(documents).collect();
    all.extend(files_below("k8s/members", &["yaml"]).iter().flat_map(documents));
    all.extend(files_below("k8s/monitoring", &["yaml"]).iter().flat_map(documents));
    all.extend(documents("k8s/secrets.example.yaml"));
    for document in all {
        if !matches!(document.kind(), "Namespace" | "Kustomization") {
            assert_eq!(
                document.text("/metadata/namespace"),
                namespace.name(),
                "{}",
                document.file.display()
            );
        }
    }
}
