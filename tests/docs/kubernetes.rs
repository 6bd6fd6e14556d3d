//! docs/how-to/kubernetes.md against the manifests: the cluster, the secrets and their keys are named alike.

use crate::pages::{page, pages, root};
use crate::shell;
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeSet;

const GUIDE: &str = "docs/how-to/kubernetes.md";

/// The secrets of the manifests that the guide makes, with their keys; those of the members are their own affair.
const SECRETS: &str = "k8s/secrets.example.yaml";
const OURS: &str = "reminder-scheduler";

fn text<'a>(document: &'a Yaml<'_>, path: &[&str]) -> Option<&'a str> {
    let mut node = document;
    for name in path {
        node = node.as_mapping_get(name)?;
    }
    node.as_str()
}

/// A secret's name with one of its keys.
type Key = (String, String);

fn packaged() -> BTreeSet<Key> {
    let yaml = std::fs::read_to_string(root().join(SECRETS)).unwrap();
    let mut keys = BTreeSet::new();
    for document in Yaml::load_from_str(&yaml).unwrap() {
        let name = text(&document, &["metadata", "name"]).unwrap();
        let data = document.as_mapping_get("stringData").and_then(Yaml::as_mapping).unwrap();
        let of_this = data.keys().map(|key| (name.to_owned(), key.as_str().unwrap().to_owned()));
        keys.extend(of_this.filter(|(name, _)| name.starts_with(OURS)));
    }
    keys
}

#[test]
fn the_guide_makes_the_secrets_that_the_manifests_name() {
    let page = page(GUIDE);
    let mut made = BTreeSet::new();
    for block in page.blocks.iter().filter(|block| block.language == "sh") {
        for words in shell::commands(&block.text) {
            let Some(at) = words.iter().position(|word| word == "generic") else { continue };
            let literals = words.iter().filter_map(|word| word.strip_prefix("--from-literal="));
            let keys = literals.map(|literal| literal.split('=').next().unwrap().to_owned());
            made.extend(keys.map(|key| (words[at + 1].clone(), key)));
        }
    }
    assert_eq!(made, packaged());
}

#[test]
fn the_guide_makes_the_cluster_that_the_topics_belong_to() {
    let topics = std::fs::read_to_string(root().join("k8s/topics/topics.yaml")).unwrap();
    let topic = Yaml::load_from_str(&topics).unwrap().remove(0);
    let label = ["metadata", "labels", "strimzi.io/cluster"];
    let expected = (text(&topic, &label), text(&topic, &["metadata", "namespace"]));
    let page = page(GUIDE);
    let yaml = page.blocks.iter().filter(|block| block.language == "yaml");
    let documents: Vec<Yaml<'_>> =
        yaml.flat_map(|block| Yaml::load_from_str(&block.text).unwrap()).collect();
    let of_kind = |kind: &str| documents.iter().find(|one| text(one, &["kind"]) == Some(kind));
    let (kafka, pool) = (of_kind("Kafka").unwrap(), of_kind("KafkaNodePool").unwrap());
    let namespace = |one| text(one, &["metadata", "namespace"]);
    assert_eq!((text(kafka, &["metadata", "name"]), namespace(kafka)), expected);
    assert_eq!((text(pool, &label), namespace(pool)), expected);
}

#[test]
fn yaml_blocks_are_yaml() {
    for page in pages() {
        for block in page.blocks.iter().filter(|block| block.language == "yaml") {
            let read = Yaml::load_from_str(&block.text);
            assert!(read.is_ok_and(|documents| !documents.is_empty()), "{}", page.place(block));
        }
    }
}
