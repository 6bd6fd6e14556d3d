//! Every name that a rendered object uses is one that there is: of another object, of a port, of a topic, of
//! a setting of the service.

use std::collections::BTreeSet;

use clap::Args;
use reminder_contract::names::APP_ID;
use reminder_contract::topics::TOPICS;
use reminder_scheduler::config::ServeArgs;
use serde_json::Value;

use crate::documents::{Document, documents, keys};
use crate::render::{self, Rendered};

/// With the Deployment of the scheduler.
const WITH_THE_SERVICE: [&str; 4] =
    ["k8s/base", "k8s/kafka-sasl-tls", "k8s/overlays/dev", "k8s/overlays/production"];

/// Where secrets are shown with their keys.
const EXAMPLES: [&str; 2] = ["k8s/secrets.example.yaml", "k8s/kafka-sasl-tls/secrets.example.yaml"];

const POD: &str = "/spec/template/spec";

fn services() -> impl Iterator<Item = &'static Rendered> {
    WITH_THE_SERVICE.into_iter().map(render::folder)
}

fn items<'a>(document: &'a Document, pointer: &str) -> &'a [Value] {
    document.value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// Whether the selector finds the pods of a Deployment.
fn finds(selector: &Value, deployment: &Document) -> bool {
    let labels = deployment.at("/spec/template/metadata/labels");
    let wanted = selector.as_object().unwrap();
    !wanted.is_empty() && wanted.iter().all(|(name, value)| labels.get(name) == Some(value))
}

#[test]
fn everything_is_in_one_namespace_which_is_made() {
    for rendered in services() {
        let namespace = rendered.the("Namespace").name();
        for document in rendered.documents.iter().filter(|one| one.kind() != "Namespace") {
            let of = document.text("/metadata/namespace");
            assert_eq!(of, namespace, "{}: {}", rendered.folder, document.name());
        }
    }
}

#[test]
fn what_a_pod_mounts_runs_as_and_is_configured_by_exists() {
    let secrets: BTreeSet<(String, String)> = EXAMPLES
        .iter()
        .flat_map(documents)
        .flat_map(|secret| {
            let all = keys(secret.at("/stringData")).into_iter().map(str::to_owned);
            all.map(|key| (secret.name().to_owned(), key)).collect::<Vec<_>>()
        })
        .collect();
    let has = |name: &str, key: &str| secrets.contains(&(name.to_owned(), key.to_owned()));
    let members = render::folder("k8s/members");
    for rendered in services().chain([members]) {
        let own = |kind: &'static str| {
            rendered.of_kind(kind).map(|one| one.name().to_owned()).collect::<BTreeSet<_>>()
        };
        // The members share the configuration of the base.
        let configurations: BTreeSet<String> = render::folder("k8s/base")
            .of_kind("Configuration")
            .map(|one| one.name().to_owned())
            .collect();
        for deployment in rendered.of_kind("Deployment") {
            let place = format!("{}: {}", rendered.folder, deployment.name());
            let account = deployment.text(&format!("{POD}/serviceAccountName"));
            assert!(own("ServiceAccount").contains(account), "{place}: {account}");
            let annotation = |name| {
                deployment.text(&format!("/spec/template/metadata/annotations/dapr.io~1{name}"))
            };
            assert!(configurations.contains(annotation("config")), "{place}");
            for name in ["api-token-secret", "app-token-secret"] {
                assert!(has(annotation(name), "token"), "{place}: {name}");
            }
            for volume in items(deployment, &format!("{POD}/volumes")) {
                if let Some(secret) = volume.get("secret") {
                    for item in secret["items"].as_array().unwrap() {
                        assert!(has(text(&secret["secretName"]), text(&item["key"])), "{volume}");
                    }
                }
                if let Some(map) = volume.get("configMap") {
                    assert!(own("ConfigMap").contains(text(&map["name"])), "{place}: {map}");
                }
            }
            for variable in items(deployment, &format!("{POD}/containers/0/env")) {
                if let Some(secret) = variable.pointer("/valueFrom/secretKeyRef") {
                    assert!(
                        has(text(&secret["name"]), text(&secret["key"])),
                        "{place}: {variable}"
                    );
                }
            }
        }
        for component in rendered.of_kind("Component") {
            for field in items(component, "/spec/metadata") {
                if let Some(secret) = field.get("secretKeyRef") {
                    assert!(has(text(&secret["name"]), text(&secret["key"])), "{field}");
                }
            }
        }
    }
}

#[test]
fn the_environment_is_that_of_the_settings() {
    let command = ServeArgs::augment_args(clap::Command::new("serve"));
    let settings: BTreeSet<String> = command
        .get_arguments()
        .filter_map(|one| Some(one.get_env()?.to_string_lossy().into_owned()))
        .chain(["RUST_LOG".to_owned()])
        .collect();
    for rendered in services() {
        let deployment = rendered.the("Deployment");
        let environment = items(deployment, &format!("{POD}/containers/0/env"));
        assert!(environment.len() > 5);
        for variable in environment {
            let name = text(&variable["name"]);
            assert!(settings.contains(name), "{}: the service reads no {name}", rendered.folder);
        }
    }
}

#[test]
fn ports_and_pods_are_found_by_whoever_looks_for_them() {
    for rendered in services() {
        let deployment = rendered.the("Deployment");
        let ports: BTreeSet<&str> = items(deployment, &format!("{POD}/containers/0/ports"))
            .iter()
            .map(|port| text(&port["name"]))
            .collect();
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            let port = deployment.text(&format!("{POD}/containers/0/{probe}/httpGet/port"));
            assert!(ports.contains(port), "{probe}: {port}");
        }
        for service in rendered.of_kind("Service") {
            assert!(finds(service.at("/spec/selector"), deployment));
            assert!(ports.contains(service.text("/spec/ports/0/targetPort")));
        }
        for spread in items(deployment, &format!("{POD}/topologySpreadConstraints")) {
            assert!(finds(&spread["labelSelector"]["matchLabels"], deployment), "{spread}");
        }
        for budget in rendered.of_kind("PodDisruptionBudget") {
            assert!(finds(budget.at("/spec/selector/matchLabels"), deployment));
        }
        let policy = rendered.the("NetworkPolicy");
        assert!(finds(policy.at("/spec/podSelector/matchLabels"), deployment));
        let named = items(policy, "/spec/ingress")
            .iter()
            .flat_map(|rule| rule["ports"].as_array().unwrap())
            .filter_map(|port| port["port"].as_str());
        assert_eq!(named.collect::<BTreeSet<_>>(), ports, "{}", rendered.folder);
        for scaler in rendered.of_kind("HorizontalPodAutoscaler") {
            assert_eq!(scaler.text("/spec/scaleTargetRef/name"), deployment.name());
            assert_eq!(scaler.text("/spec/scaleTargetRef/kind"), deployment.kind());
            let container = scaler.at("/spec/metrics/0/containerResource/container");
            assert_eq!(container, deployment.at(&format!("{POD}/containers/0/name")));
            // Utilization is a share of what is requested.
            deployment.at(&format!("{POD}/containers/0/resources/requests/cpu"));
        }
        for monitor in rendered.of_kind("PodMonitor") {
            assert!(finds(monitor.at("/spec/selector/matchLabels"), deployment));
            assert!(ports.contains(monitor.text("/spec/podMetricsEndpoints/0/port")));
        }
    }
}

#[test]
fn dapr_is_told_of_components_topics_and_apps_that_there_are() {
    let (base, members) = (render::folder("k8s/base"), render::folder("k8s/members"));
    let apps: BTreeSet<&str> = [base, members]
        .iter()
        .flat_map(|rendered| rendered.of_kind("Deployment"))
        .map(|one| one.text("/spec/template/metadata/annotations/dapr.io~1app-id"))
        .collect();
    assert!(apps.contains(APP_ID) && apps.len() > 3);
    let components: BTreeSet<&str> = [base, members]
        .iter()
        .flat_map(|rendered| rendered.of_kind("Component"))
        .map(Document::name)
        .collect();
    let topics: BTreeSet<&str> =
        render::folder("k8s/topics").of_kind("KafkaTopic").map(Document::name).collect();
    assert_eq!(topics, TOPICS.iter().map(|topic| topic.name).collect());
    for rendered in services().chain([members]) {
        for document in &rendered.documents {
            for app in items(document, "/scopes") {
                assert!(apps.contains(text(app)), "{}: {app}", document.name());
            }
        }
        for subscription in rendered.of_kind("Subscription") {
            assert!(components.contains(subscription.text("/spec/pubsubname")));
            for topic in ["/spec/topic", "/spec/deadLetterTopic"] {
                assert!(topics.contains(subscription.text(topic)));
            }
        }
        for resiliency in rendered.of_kind("Resiliency") {
            for name in keys(resiliency.at("/spec/targets/components")) {
                assert!(components.contains(name), "{name}");
            }
        }
    }
}

#[test]
fn pods_have_no_rights_that_they_do_not_need() {
    for rendered in services().chain([render::folder("k8s/members")]) {
        for deployment in rendered.of_kind("Deployment") {
            let pod = deployment.at(&format!("{POD}/securityContext"));
            assert_eq!(pod["runAsNonRoot"], true);
            assert_ne!(pod["runAsUser"], 0);
            assert_eq!(pod["seccompProfile"]["type"], "RuntimeDefault");
            for container in items(deployment, &format!("{POD}/containers")) {
                let context = &container["securityContext"];
                assert_eq!(context["readOnlyRootFilesystem"], true);
                assert_eq!(context["allowPrivilegeEscalation"], false);
                assert_eq!(context["capabilities"]["drop"][0], "ALL");
                assert!(context["capabilities"].get("add").is_none());
            }
            for forbidden in ["hostNetwork", "hostPID", "hostIPC"] {
                assert!(deployment.at(POD).get(forbidden).is_none(), "{forbidden}");
            }
            let writable = items(deployment, &format!("{POD}/containers/0/volumeMounts"));
            assert!(writable.iter().all(|mount| mount["readOnly"] == true), "{writable:?}");
        }
    }
}
