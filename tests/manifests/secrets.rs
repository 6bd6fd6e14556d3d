//! No secret is in the repository, and every reference to one is answered.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::documents::{Document, document, documents, documents_below, files_below, read};
use crate::scripts;

/// What marks a field or a variable as one that holds a secret, in any case.
const SECRET_WORDS: [&str; 5] = ["password", "secret", "token", "connectionstring", "apikey"];

/// What stands for a secret in the example file.
const PLACEHOLDERS: [&str; 2] = ["CHANGE-ME", "USER:PASSWORD@"];

#[test]
fn components_take_secrets_by_reference() {
    let mut components = documents_below("components");
    components.extend(documents_below("k8s"));
    components.retain(|document| document.kind() == "Component");
    for component in components {
        let mut referred = false;
        for entry in component.at("/spec/metadata").as_array().unwrap() {
            let name = entry["name"].as_str().unwrap();
            // The brokers' address belongs to the credentials that may come with it.
            if is_secret(name) || name == "brokers" {
                let reference = entry.get("secretKeyRef");
                assert!(reference.is_some(), "{}: {name} is inline", component.file.display());
            }
            referred |= entry.get("secretKeyRef").is_some();
        }
        // Without a store, references are left empty without a word.
        assert_eq!(
            component.value.get("auth").is_some(),
            referred,
            "{}: auth.secretStore",
            component.file.display()
        );
    }
}

#[test]
fn the_service_takes_secrets_by_reference() {
    let deployment = document("k8s/base/deployment.yaml");
    let environment = deployment.at("/spec/template/spec/containers/0/env");
    for entry in environment.as_array().unwrap() {
        let name = entry["name"].as_str().unwrap();
        assert!(!is_secret(name) || entry.get("value").is_none(), "{name} is inline");
    }
    let compose = document("docker-compose.yml");
    for (service, definition) in compose.at("/services").as_object().unwrap() {
        for name in crate::documents::keys(&definition["environment"]) {
            assert!(!is_secret(name), "{service}: {name} is inline");
        }
    }
}

#[test]
fn no_file_holds_a_password() {
    let mut files = ["docker-compose.yml", "dapr.yaml", "Dockerfile"].map(PathBuf::from).to_vec();
    for folder in ["components", "k8s", "docker"] {
        files.extend(files_below(folder, &["yaml", "yml", "sh", "json", "env"]));
    }
    for file in files {
        for line in read(&file).lines() {
            let Some((_, rest)) = line.split_once("://") else { continue };
            let Some((credentials, _)) = rest.split_once('@') else { continue };
            assert!(
                credentials == "USER:PASSWORD" || credentials.ends_with(":%s"),
                "{}: {line}",
                file.display()
            );
        }
    }
}

#[test]
fn only_the_example_has_secret_resources_and_they_are_placeholders() {
    for document in documents_below("k8s") {
        if document.kind() != "Secret" {
            continue;
        }
        assert!(document.file.ends_with("secrets.example.yaml"), "{}", document.file.display());
        document.only("", &["apiVersion", "kind", "metadata", "type", "stringData"]);
        for (key, value) in document.at("/stringData").as_object().unwrap() {
            let value = value.as_str().unwrap();
            assert!(
                !is_secret(key) || PLACEHOLDERS.iter().any(|p| value.contains(p)),
                "{}: {key} looks real",
                document.name()
            );
        }
    }
}

/// Every (secret, key) of a file with examples.
fn examples(file: &str) -> BTreeSet<(String, String)> {
    documents(file)
        .iter()
        .flat_map(|secret| {
            let keys = crate::documents::keys(secret.at("/stringData"));
            keys.into_iter()
                .map(|key| (secret.name().to_owned(), key.to_owned()))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn the_credentials_of_the_broker_are_answered_on_kubernetes() {
    let mut used = BTreeSet::new();
    for file in ["kafka-pubsub", "kafka-tail"] {
        references(&document(format!("k8s/kafka-sasl-tls/{file}.yaml")).value, &mut used);
    }
    assert_eq!(used, examples("k8s/kafka-sasl-tls/secrets.example.yaml"));
}

#[test]
fn every_reference_is_answered_on_kubernetes() {
    let example = examples("k8s/secrets.example.yaml");
    let mut used = BTreeSet::new();
    for document in documents_below("k8s/base").iter().chain(&documents_below("k8s/members")) {
        references(&document.value, &mut used);
    }
    // The injector reads the key `token` of these.
    let deployment = document("k8s/base/deployment.yaml");
    for annotation in ["api-token-secret", "app-token-secret"] {
        let pointer = format!("/spec/template/metadata/annotations/dapr.io~1{annotation}");
        used.insert((deployment.text(&pointer).to_owned(), "token".to_owned()));
    }
    assert_eq!(used, example);
}

#[test]
fn every_reference_is_answered_by_compose() {
    let mut used = BTreeSet::new();
    // The broker of compose speaks in the clear.
    let variant = |document: &Document| document.file.starts_with("components/variants");
    for document in documents_below("components").iter().filter(|one| !variant(one)) {
        references(&document.value, &mut used);
    }
    let file = scripts::dapr_secrets();
    let made: BTreeSet<_> = file
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(name, keys)| {
            let keys = keys.as_object().unwrap().keys();
            keys.map(|key| (name.clone(), key.clone())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(used, made);
}

/// Every (secret, key) that a resource refers to.
fn references(value: &Value, found: &mut BTreeSet<(String, String)>) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("secretKeyRef") {
                found.insert((text(&reference["name"]), text(&reference["key"])));
            }
            if let (Some(name), Some(items)) = (object.get("secretName"), object.get("items")) {
                for item in items.as_array().unwrap() {
                    found.insert((text(name), text(&item["key"])));
                }
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// Whether something of that name holds a secret; the name of a file with one is not a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word)) && !name.ends_with("file")
}
