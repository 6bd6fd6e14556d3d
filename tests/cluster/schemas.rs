//! Rendered objects against the schemas of whoever reads them: Kubernetes, Dapr, Strimzi, the Prometheus
//! operator. Strictly: a field that a schema does not know would be dropped by the cluster without a word.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::command::succeed;
use crate::documents::{self, Document, root};
use crate::pages;
use crate::python::{VALIDATE_DEADLINE, VERSIONS, python};
use crate::render;
use crate::tools;

/// What is told of a field that is free to have any content.
const FREE: &str = "x-kubernetes-preserve-unknown-fields";

/// The kinds of others that a guide makes and no folder.
const OF_GUIDES: [&str; 2] = ["Kafka", "KafkaNodePool"];

/// The kinds of others that we use.
const KINDS: [&str; 7] = [
    "Component",
    "Configuration",
    "KafkaTopic",
    "PodMonitor",
    "PrometheusRule",
    "Resiliency",
    "Subscription",
];

/// A validator for each version of each kind.
fn validators() -> BTreeMap<(String, String), Validator> {
    let mut found = BTreeMap::new();
    for file in tools::definition_files() {
        for definition in documents::parse(&file, &fs::read_to_string(&file).unwrap()) {
            if definition.value["kind"] == "CustomResourceDefinition" {
                found.extend(versions(&definition));
            }
        }
    }
    found
}

fn versions(definition: &Document) -> Vec<((String, String), Validator)> {
    let (group, kind) = (definition.text("/spec/group"), definition.text("/spec/names/kind"));
    if !KINDS.contains(&kind) && !OF_GUIDES.contains(&kind) {
        return Vec::new();
    }
    let versions = definition.at("/spec/versions").as_array().unwrap().iter();
    let served = versions.filter(|version| version["served"] == true);
    let validator = |version: &Value| {
        let mut schema = version["schema"]["openAPIV3Schema"].clone();
        be_strict(&mut schema);
        // Its `exclusiveMinimum` is a boolean, as it was in this draft.
        let validator = jsonschema::options().with_draft(Draft::Draft4).build(&schema);
        let name = format!("{group}/{}", version["name"].as_str().unwrap());
        ((name, kind.to_owned()), validator.unwrap())
    };
    served.map(validator).collect()
}

/// Has an object with named fields refuse others.
fn be_strict(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let named = object.get("properties").is_some_and(Value::is_object);
            let free = object.get(FREE) == Some(&json!(true));
            if named && !free && object.get("type") == Some(&json!("object")) {
                object.entry("additionalProperties").or_insert(json!(false));
            }
            // A flag within a pattern is Go's; JSON Schema has none, and we use no field of this kind.
            if object.get("pattern").and_then(Value::as_str).is_some_and(|one| one.contains("(?i)"))
            {
                object.remove("pattern");
            }
            object.values_mut().for_each(be_strict);
        }
        Value::Array(items) => items.iter_mut().for_each(be_strict),
        _ => {}
    }
}

fn errors(validator: &Validator, value: &Value) -> Vec<String> {
    let told = validator.iter_errors(value);
    told.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn objects_of_dapr_strimzi_and_prometheus_follow_their_schemas() {
    let validators = validators();
    let mut seen = BTreeSet::new();
    for rendered in render::all() {
        for document in &rendered.documents {
            let key = (document.text("/apiVersion").to_owned(), document.kind().to_owned());
            let Some(validator) = validators.get(&key) else { continue };
            seen.insert(document.kind().to_owned());
            let errors = errors(validator, &document.value);
            assert!(
                errors.is_empty(),
                "{}: {key:?} {}: {errors:#?}",
                rendered.folder,
                document.name()
            );
        }
    }
    assert_eq!(seen, KINDS.map(str::to_owned).into());
}

#[test]
fn the_kafka_of_the_guide_follows_its_schemas() {
    let validators = validators();
    let page = pages::page("docs/how-to/kubernetes.md");
    let mut seen = BTreeSet::new();
    for block in page.blocks.iter().filter(|block| block.text.contains("kafka.strimzi.io")) {
        for document in documents::parse(&page.path, &block.text) {
            let key = (document.text("/apiVersion").to_owned(), document.kind().to_owned());
            let errors = errors(&validators[&key], &document.value);
            assert!(errors.is_empty(), "{key:?}: {errors:#?}");
            seen.insert(document.kind().to_owned());
        }
    }
    assert_eq!(seen, OF_GUIDES.map(str::to_owned).into());
}

#[test]
fn what_a_schema_does_not_know_is_refused() {
    let validators = validators();
    let wrong = [
        ("k8s/base", "Component", "/spec", "typ", json!("pubsub.kafka")),
        ("k8s/base", "Configuration", "/spec/tracing", "samplingrate", json!("1")),
        ("k8s/base", "Resiliency", "/spec/policies", "retry", json!({})),
        ("k8s/base", "Subscription", "/spec", "deadletterTopic", json!("x")),
        ("k8s/topics", "KafkaTopic", "/spec", "partitions", json!("three")),
        ("k8s/monitoring", "PodMonitor", "/spec", "selectors", json!({})),
        ("k8s/monitoring", "PrometheusRule", "/spec/groups/0/rules/0", "exprs", json!("1")),
    ];
    for (folder, kind, pointer, field, value) in wrong {
        let document = render::folder(folder).of_kind(kind).next().unwrap();
        let key = (document.text("/apiVersion").to_owned(), kind.to_owned());
        let mut changed = document.value.clone();
        changed.pointer_mut(pointer).unwrap()[field] = value;
        let errors = errors(&validators[&key], &changed);
        assert!(!errors.is_empty(), "{kind}: {pointer}/{field} is taken");
    }
}

#[test]
fn objects_of_kubernetes_follow_its_schemas() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rendered");
    fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new(python());
    command.arg(root().join("tests/manifests/validate.py")).arg(VERSIONS.join(","));
    for rendered in render::all() {
        let file = folder.join(format!("{}.yaml", rendered.folder.replace('/', "-")));
        fs::write(&file, &rendered.text).unwrap();
        command.arg(file);
    }
    let said = succeed(&mut command, VALIDATE_DEADLINE);
    for kind in ["HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "ConfigMap"] {
        assert!(said.lines().any(|line| line.starts_with(&format!("{kind} "))), "{said}");
    }
}
