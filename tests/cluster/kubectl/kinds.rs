//! The kinds that the API server of the test serves: those of Kubernetes itself that a manifest or a page names,
//! and those of Dapr, Strimzi and the Prometheus operator, as their own definitions name them.

use std::fs;

use serde_json::{Value, json};

use crate::documents;
use crate::tools;

/// Version, kind, plural, short names, and whether it is in namespaces.
const OF_KUBERNETES: &[(&str, &str, &str, &[&str], bool)] = &[
    ("v1", "Namespace", "namespaces", &["ns"], false),
    ("v1", "Pod", "pods", &["po"], true),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", &["pvc"], true),
    ("v1", "Secret", "secrets", &[], true),
    ("v1", "ConfigMap", "configmaps", &["cm"], true),
    ("v1", "Service", "services", &["svc"], true),
    ("v1", "ServiceAccount", "serviceaccounts", &["sa"], true),
    ("apps/v1", "Deployment", "deployments", &["deploy"], true),
    ("apps/v1", "ReplicaSet", "replicasets", &["rs"], true),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", &["pdb"], true),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", &["netpol"], true),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", &["hpa"], true),
];

const VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// One kind of object, in one version.
#[derive(Clone)]
pub(crate) struct Kind {
    /// With its group, if it has one.
    pub(crate) version: String,
    pub(crate) name: String,
    pub(crate) plural: String,
    singular: String,
    short: Vec<String>,
    pub(crate) namespaced: bool,
}

/// All of them.
pub(crate) fn all() -> Vec<Kind> {
    let own = OF_KUBERNETES.iter().map(|(version, name, plural, short, namespaced)| Kind {
        version: (*version).to_owned(),
        name: (*name).to_owned(),
        plural: (*plural).to_owned(),
        singular: name.to_lowercase(),
        short: short.iter().map(|name| (*name).to_owned()).collect(),
        namespaced: *namespaced,
    });
    own.chain(of_others()).collect()
}

fn of_others() -> Vec<Kind> {
    let mut found = Vec::new();
    for file in tools::definition_files() {
        for definition in documents::parse(&file, &fs::read_to_string(&file).unwrap()) {
            if definition.value["kind"] != "CustomResourceDefinition" {
                continue;
            }
            let names = definition.at("/spec/names");
            let short = names["shortNames"].as_array().into_iter().flatten();
            let short: Vec<String> = short.map(|name| name.as_str().unwrap().to_owned()).collect();
            for version in definition.at("/spec/versions").as_array().unwrap() {
                let served = version["served"] == true;
                let version = format!(
                    "{}/{}",
                    definition.text("/spec/group"),
                    version["name"].as_str().unwrap()
                );
                let name = definition.text("/spec/names/kind").to_owned();
                found.extend(served.then(|| Kind {
                    version,
                    singular: name.to_lowercase(),
                    name,
                    plural: definition.text("/spec/names/plural").to_owned(),
                    short: short.clone(),
                    namespaced: definition.text("/spec/scope") == "Namespaced",
                }));
            }
        }
    }
    found
}

/// The versions that there are, each once; those of Kubernetes' core have no group.
pub(crate) fn versions(kinds: &[Kind]) -> Vec<&str> {
    let mut versions: Vec<&str> = kinds.iter().map(|kind| kind.version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}

/// What `/apis` answers.
pub(crate) fn groups(kinds: &[Kind]) -> Value {
    let mut groups: Vec<(&str, Vec<Value>)> = Vec::new();
    for version in versions(kinds) {
        let Some((group, short)) = version.split_once('/') else { continue };
        let told = json!({ "groupVersion": version, "version": short });
        match groups.last_mut() {
            Some((last, versions)) if *last == group => versions.push(told),
            _ => groups.push((group, vec![told])),
        }
    }
    let group = |(name, versions): (&str, Vec<Value>)| {
        let preferred = versions.last().cloned();
        json!({ "name": name, "versions": versions, "preferredVersion": preferred })
    };
    let groups: Vec<Value> = groups.into_iter().map(group).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// What a version answers, if it is served.
pub(crate) fn resources(kinds: &[Kind], version: &str) -> Option<Value> {
    let of_version = kinds.iter().filter(|kind| kind.version == version);
    let mut resources: Vec<Value> = of_version
        .map(|kind| {
            json!({ "name": kind.plural, "singularName": kind.singular, "kind": kind.name,
                    "namespaced": kind.namespaced, "shortNames": kind.short, "verbs": VERBS })
        })
        .collect();
    if version == "apps/v1" {
        resources.push(
            json!({ "name": "deployments/scale", "singularName": "", "namespaced": true,
                               "group": "autoscaling", "version": "v1", "kind": "Scale",
                               "verbs": ["get", "patch", "update"] }),
        );
    }
    let told = json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
                       "resources": resources });
    (!resources.is_empty()).then_some(told)
}

/// What `/openapi/v3` answers: where the document of each version is.
pub(crate) fn documents_of_versions(kinds: &[Kind]) -> Value {
    let paths = versions(kinds).into_iter().map(|version| {
        let path = path(version);
        let place = json!({ "serverRelativeURL": format!("/openapi/v3/{path}") });
        (path, place)
    });
    json!({ "paths": paths.collect::<serde_json::Map<_, _>>() })
}

/// Where a version is served.
pub(crate) fn path(version: &str) -> String {
    if version.contains('/') { format!("apis/{version}") } else { format!("api/{version}") }
}

/// The document of a version, as far as kubectl reads it before it sends anything: that fields are validated where
/// they arrive. (Whether our objects follow the schemas is asked in [`crate::schemas`].)
pub(crate) fn document(kinds: &[Kind], version: &str) -> Value {
    let paths = kinds.iter().filter(|kind| kind.version == version).map(|kind| {
        let (group, short) = version.split_once('/').unwrap_or(("", version));
        let patch = json!({
            "parameters": [{ "name": "fieldValidation", "in": "query", "schema": { "type": "string" } }],
            "responses": { "200": { "description": "OK" } },
            "x-kubernetes-group-version-kind": { "group": group, "version": short, "kind": kind.name },
        });
        (format!("/{}/{}/{{name}}", path(version), kind.plural), json!({ "patch": patch }))
    });
    let paths: serde_json::Map<_, _> = paths.collect();
    json!({ "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "test" }, "paths": paths })
}
