//! That every packaged file is YAML, and of a kind that is looked at.

use saphyr::{LoadableYamlNode, Yaml};

use crate::documents::{document, documents_below};

/// What the packaged files may contain, as (apiVersion, kind). A kind that is not listed is one
/// that no check here looks at.
const KINDS: [(&str, &str); 17] = [
    ("dapr.io/v1alpha1", "Component"),
    ("dapr.io/v1alpha1", "Configuration"),
    ("dapr.io/v1alpha1", "Resiliency"),
    ("dapr.io/v2alpha1", "Subscription"),
    ("kafka.strimzi.io/v1", "KafkaTopic"),
    ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
    ("monitoring.coreos.com/v1", "PodMonitor"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
    ("apps/v1", "Deployment"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
    ("v1", "ConfigMap"),
    ("v1", "Namespace"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
];

#[test]
fn every_file_parses_and_says_what_it_is() {
    for document in documents_below("components").iter().chain(&documents_below("k8s")) {
        let kind = (document.text("/apiVersion"), document.kind());
        assert!(KINDS.contains(&kind), "{}: unexpected {kind:?}", document.file.display());
        if kind.1 != "Kustomization" {
            assert!(!document.name().is_empty(), "{} has no name", document.file.display());
        }
    }
    document("docker-compose.yml");
    document("dapr.yaml");
}

#[test]
fn a_repeated_key_is_an_error() {
    // What the other checks rely on: that the last of two values does not win silently.
    assert!(Yaml::load_from_str("name: a\nname: b\n").is_err());
}
