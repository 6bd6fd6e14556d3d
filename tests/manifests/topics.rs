//! The topics in the manifests are those of `reminder_contract::topics`.

use std::collections::BTreeMap;

use reminder_contract::topics::{REPLICATION_FACTOR, TOPICS};
use serde_json::Value;

use crate::documents::documents;

/// Enough brokers for every setting to be as in production.
pub(crate) const PRODUCTION_BROKERS: u16 = REPLICATION_FACTOR;

#[test]
fn kafka_topics_are_those_of_the_contract() {
    let documents = documents("k8s/topics/topics.yaml");
    assert_eq!(documents.len(), TOPICS.len());
    for topic in &TOPICS {
        let document = documents
            .iter()
            .find(|document| document.name() == topic.name)
            .unwrap_or_else(|| panic!("no KafkaTopic {}", topic.name));
        document.only("", &["apiVersion", "kind", "metadata", "spec"]);
        document.only("/spec", &["partitions", "replicas", "config"]);
        // Without this label no operator looks at the resource.
        assert!(!document.text("/metadata/labels/strimzi.io~1cluster").is_empty());
        assert_eq!(document.at("/spec/partitions"), topic.partitions, "{}", topic.name);
        assert_eq!(
            document.at("/spec/replicas"),
            topic.replication_factor(PRODUCTION_BROKERS),
            "{}",
            topic.name
        );
        let config: BTreeMap<_, _> = topic.config(PRODUCTION_BROKERS).into_iter().collect();
        let actual: BTreeMap<_, _> = document
            .at("/spec/config")
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| (key.as_str(), plain(value)))
            .collect();
        assert_eq!(actual, config, "{}", topic.name);
    }
}

/// Kafka's settings are text; YAML may hold them as numbers.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
