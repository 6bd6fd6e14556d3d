//! The pub/sub component in its variants: the same limits everywhere, and credentials by reference.

use reminder_contract::names;
use reminder_contract::size::{BROKER_MAX_BYTES, MESSAGE_MAX_BYTES};
use serde_json::{Value, json};

use crate::documents::{Document, document, documents_below};

const PLAIN: [&str; 4] = [
    "components/kafka-pubsub.yaml",
    "k8s/base/kafka-pubsub.yaml",
    "components/kafka-tail.yaml",
    "k8s/base/kafka-tail.yaml",
];
const SECURED: [&str; 4] = [
    "components/variants/sasl-tls/kafka-pubsub.yaml",
    "k8s/kafka-sasl-tls/kafka-pubsub.yaml",
    "components/variants/sasl-tls/kafka-tail.yaml",
    "k8s/kafka-sasl-tls/kafka-tail.yaml",
];

/// What has to do with security.
const CREDENTIALS: [&str; 5] =
    ["authType", "saslUsername", "saslPassword", "saslMechanism", "caCert"];

fn fields(component: &Document) -> Vec<Value> {
    component.at("/spec/metadata").as_array().unwrap().clone()
}

fn field(component: &Document, name: &str) -> Value {
    let found = fields(component).into_iter().find(|field| field["name"] == name);
    found.unwrap_or_else(|| panic!("{}: no {name}", component.file.display()))
}

#[test]
fn every_component_has_the_limit_of_the_contract_below_that_of_the_broker() {
    let mut components = documents_below("components");
    components.extend(documents_below("k8s"));
    components.retain(|one| one.value.pointer("/spec/type") == Some(&json!("pubsub.kafka")));
    assert!(components.len() >= 4);
    for component in components {
        let limit = field(&component, "maxMessageBytes")["value"].as_str().unwrap().to_owned();
        assert_eq!(limit, MESSAGE_MAX_BYTES.to_string(), "{}", component.file.display());
    }
    // No topic of ours asks for another limit than the broker's.
    let topics = reminder_contract::topics::TOPICS;
    let config = topics.iter().flat_map(|topic| topic.config(3));
    assert!(config.into_iter().all(|(name, _)| name != "max.message.bytes"));
    const { assert!(MESSAGE_MAX_BYTES < BROKER_MAX_BYTES) };
}

#[test]
fn a_secured_component_differs_by_its_credentials_alone() {
    for (plain, secured) in PLAIN.into_iter().zip(SECURED) {
        let (plain, secured) = (document(plain), document(secured));
        let rest = |component: &Document| -> Vec<Value> {
            let mut fields = fields(component);
            fields.retain(|field| !CREDENTIALS.iter().any(|name| field["name"] == *name));
            fields
        };
        assert_eq!(rest(&plain), rest(&secured));
        for pointer in ["/metadata", "/auth", "/scopes", "/spec/type", "/spec/version"] {
            assert_eq!(plain.at(pointer), secured.at(pointer), "{pointer}");
        }
        assert!([names::PUBSUB, names::TAIL_PUBSUB].contains(&secured.name()));
        let value = |name| field(&secured, name)["value"].clone();
        assert_eq!(
            (value("authType"), value("saslMechanism")),
            (json!("password"), json!("SHA-512"))
        );
        for secret in ["saslUsername", "saslPassword", "caCert"] {
            assert_eq!(field(&secured, secret)["secretKeyRef"]["key"], secret);
        }
        // Either would take the sense out of TLS.
        for weak in ["skipVerify", "disableTls"] {
            assert!(fields(&secured).iter().all(|field| field["name"] != weak), "{weak}");
        }
    }
}

#[test]
fn the_secured_deployment_is_the_base_with_another_component() {
    let kustomization = document("k8s/kafka-sasl-tls/kustomization.yaml");
    assert_eq!(kustomization.at("/resources"), &json!(["../base"]));
    let patches = json!([{ "path": "kafka-pubsub.yaml" }, { "path": "kafka-tail.yaml" }]);
    assert_eq!(kustomization.at("/patches"), &patches);
    for pair in SECURED.chunks(2) {
        let local = document(pair[0]);
        assert_eq!(local.at("/spec/metadata"), document(pair[1]).at("/spec/metadata"));
    }
}

#[test]
fn a_tail_differs_from_the_broker_of_the_service_by_its_group_and_where_that_begins() {
    for (pubsub, tail) in [PLAIN[0], PLAIN[1], SECURED[0], SECURED[1]]
        .into_iter()
        .zip([PLAIN[2], PLAIN[3], SECURED[2], SECURED[3]])
    {
        let (pubsub, tail) = (document(pubsub), document(tail));
        let rest = |component: &Document| -> Vec<Value> {
            let mut fields = fields(component);
            fields.retain(|field| {
                !["consumerGroup", "initialOffset"].iter().any(|name| field["name"] == *name)
            });
            fields
        };
        assert_eq!(rest(&pubsub), rest(&tail), "{}", tail.file.display());
        // In the group of the service it would take its events; a fixed one would be shared by replicas.
        assert_eq!(field(&tail, "consumerGroup")["value"], "{appID}-tail-{uuid}");
        assert_eq!(field(&tail, "initialOffset")["value"], "newest");
        assert_eq!(tail.at("/scopes"), &json!([names::APP_ID]));
    }
}
