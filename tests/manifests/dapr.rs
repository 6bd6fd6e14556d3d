//! Dapr's resources: only what Dapr 1.18 knows, and what our code relies on. The lists come from
//! the `metadata.yaml` of each component and from the resource definitions of that release.

use reminder_contract::names;
use serde_json::{Value, json};
use std::path::Path;

use crate::documents::{Document, document, documents_below, keys};

/// One type of component: its version, the fields it knows (those we may want), and those that it
/// does not start without.
struct Known {
    kind: &'static str,
    version: &'static str,
    fields: &'static [&'static str],
    required: &'static [&'static str],
}

const COMPONENTS: [Known; 4] = [
    Known {
        kind: "pubsub.kafka",
        version: "v1",
        fields: &[
            "authType",
            "brokers",
            "caCert",
            "clientCert",
            "clientConnectionKeepAliveInterval",
            "clientConnectionTopicMetadataRefreshInterval",
            "clientID",
            "clientKey",
            "compression",
            "consumeRetryEnabled",
            "consumeRetryInterval",
            "consumerFetchDefault",
            "consumerFetchMin",
            "consumerGroup",
            "consumerGroupRebalanceStrategy",
            "disableTls",
            "escapeHeaders",
            "excludeHeaderMetaRegex",
            "heartbeatInterval",
            "initialOffset",
            "maxMessageBytes",
            "saslMechanism",
            "saslPassword",
            "saslUsername",
            "sessionTimeout",
            "skipVerify",
            "version",
        ],
        required: &["brokers", "authType"],
    },
    Known { kind: "pubsub.in-memory", version: "v1", fields: &[], required: &[] },
    Known {
        kind: "state.postgresql",
        version: "v2",
        fields: &[
            // Belongs to every state store, not to this one.
            "actorStateStore",
            "cleanupInterval",
            "connectionMaxIdleTime",
            "connectionString",
            "maxConns",
            "metadataTableName",
            "queryExecMode",
            "tablePrefix",
            "timeout",
        ],
        required: &["connectionString"],
    },
    Known {
        kind: "secretstores.local.file",
        version: "v1",
        fields: &["secretsFile", "nestedSeparator", "multiValued"],
        required: &["secretsFile"],
    },
];

/// The secret store that every Dapr sidecar has on Kubernetes.
const KUBERNETES_SECRETS: &str = "kubernetes";

fn all(kind: &str) -> Vec<Document> {
    let mut found = documents_below("components");
    found.extend(documents_below("k8s"));
    found.retain(|document| document.kind() == kind);
    found
}

fn field<'a>(component: &'a Document, name: &str) -> Option<&'a Value> {
    component.at("/spec/metadata").as_array().unwrap().iter().find(|entry| entry["name"] == name)
}

/// Who may use a component: each service what it needs, and no other.
fn scopes(component: &str, file: &Path) -> Value {
    let scheduler = [names::APP_ID];
    let members = [names::TODO_API_APP_ID, names::NOTIFICATION_APP_ID, names::FRONTEND_APP_ID];
    match component {
        // Events in memory stay in one sidecar.
        names::PUBSUB if file.starts_with("components/variants/in-memory") => json!(scheduler),
        names::PUBSUB | names::SECRET_STORE => json!([&scheduler[..], &members[..]].concat()),
        names::MEMBERS_STATE_STORE => json!(members),
        _ => json!(scheduler),
    }
}

#[test]
fn components_use_only_what_dapr_knows() {
    for component in all("Component") {
        let file = component.file.display();
        // `scopes` and `auth` stand beside `spec`; inside it they are ignored without a word.
        component.only("", &["apiVersion", "kind", "metadata", "spec", "auth", "scopes"]);
        component.only("/spec", &["type", "version", "initTimeout", "metadata"]);
        assert_eq!(component.at("/scopes"), &scopes(component.name(), &component.file), "{file}");

        let kind = component.text("/spec/type");
        let known = COMPONENTS
            .iter()
            .find(|known| known.kind == kind)
            .unwrap_or_else(|| panic!("{file}: unknown component type {kind}"));
        assert_eq!(component.text("/spec/version"), known.version, "{file}");
        for required in known.required {
            assert!(field(&component, required).is_some(), "{file}: {required} is missing");
        }
        for entry in component.at("/spec/metadata").as_array().unwrap() {
            let name = entry["name"].as_str().unwrap();
            assert!(known.fields.contains(&name), "{file}: {kind} has no field {name}");
            let sources: Vec<_> = keys(entry).into_iter().filter(|key| *key != "name").collect();
            assert!(
                matches!(sources[..], ["value" | "secretKeyRef" | "envRef"]),
                "{file}: {name} takes its value from {sources:?}"
            );
            // Dapr reads text; a bare number or boolean depends on who parsed the YAML.
            assert!(entry.get("value").is_none_or(Value::is_string), "{file}: quote {name}");
        }
    }
}

#[test]
fn components_have_the_names_that_the_code_uses() {
    let name_of = |file: &str| document(file).name().to_owned();
    assert_eq!(name_of("components/local-secrets.yaml"), names::SECRET_STORE);
    for folder in ["components", "k8s/base"] {
        assert_eq!(name_of(&format!("{folder}/kafka-pubsub.yaml")), names::PUBSUB);
        assert_eq!(name_of(&format!("{folder}/kafka-tail.yaml")), names::TAIL_PUBSUB);
        assert_eq!(name_of(&format!("{folder}/postgresql-statestore.yaml")), names::STATE_STORE);
    }
    for folder in ["components", "k8s/members"] {
        let store = name_of(&format!("{folder}/members-statestore.yaml"));
        assert_eq!(store, names::MEMBERS_STATE_STORE);
    }
    assert_eq!(name_of("components/variants/in-memory/kafka-pubsub.yaml"), names::PUBSUB);
}

#[test]
fn the_state_store_is_the_one_that_the_migration_expects() {
    for folder in ["components", "k8s/base"] {
        let store = document(format!("{folder}/postgresql-statestore.yaml"));
        let value = |name| field(&store, name).and_then(|f| f["value"].as_str()).unwrap();
        assert_eq!(value("actorStateStore"), "true");
        assert_eq!(value("tablePrefix"), names::STATE_TABLE_PREFIX);
        assert_eq!(format!("{}state", value("tablePrefix")), names::STATE_TABLE);
        assert_eq!(value("metadataTableName"), names::STATE_METADATA_TABLE);
        assert!(value("maxConns").parse::<u16>().unwrap() >= 8, "the default of 4 is too few");
    }
}

#[test]
fn members_keep_their_state_apart_from_the_actors() {
    for folder in ["components", "k8s/members"] {
        let store = document(format!("{folder}/members-statestore.yaml"));
        let value = |name| field(&store, name).and_then(|f| f["value"].as_str());
        assert_eq!(value("tablePrefix"), Some(names::MEMBERS_STATE_TABLE_PREFIX));
        assert_ne!(names::MEMBERS_STATE_TABLE_PREFIX, names::STATE_TABLE_PREFIX);
        assert_ne!(value("metadataTableName"), Some(names::STATE_METADATA_TABLE));
        // A second actor state store would keep the sidecar from hosting actors.
        assert_eq!(value("actorStateStore"), None);
        // Rows with a TTL must go some day.
        assert_ne!(value("cleanupInterval"), Some("-1"));
    }
}

#[test]
fn each_service_is_a_consumer_group_of_its_own() {
    for folder in ["components", "k8s/base"] {
        let pubsub = document(format!("{folder}/kafka-pubsub.yaml"));
        assert_eq!(field(&pubsub, "consumerGroup").unwrap()["value"], "{appID}");
    }
}

#[test]
fn the_broker_speaks_a_protocol_that_current_kafka_accepts() {
    for folder in ["components", "k8s/base"] {
        let pubsub = document(format!("{folder}/kafka-pubsub.yaml"));
        let version = field(&pubsub, "version").unwrap()["value"].as_str().unwrap();
        let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
        assert!(parts[..] >= [2, 8, 0][..], "{version}");
    }
}

#[test]
fn kubernetes_has_the_same_components_with_its_own_secrets() {
    for (folder, file) in [
        ("base", "kafka-pubsub.yaml"),
        ("base", "kafka-tail.yaml"),
        ("base", "postgresql-statestore.yaml"),
        ("members", "members-statestore.yaml"),
    ] {
        let local = document(format!("components/{file}"));
        let kubernetes = document(format!("k8s/{folder}/{file}"));
        assert_eq!(local.at("/spec/metadata"), kubernetes.at("/spec/metadata"), "{file}");
        assert_eq!(local.text("/spec/type"), kubernetes.text("/spec/type"), "{file}");
        assert_eq!(local.text("/auth/secretStore"), names::SECRET_STORE, "{file}");
        assert_eq!(kubernetes.text("/auth/secretStore"), KUBERNETES_SECRETS, "{file}");
    }
    let (local, kubernetes) =
        (document("components/resiliency.yaml"), document("k8s/base/resiliency.yaml"));
    assert_eq!(local.at("/spec"), kubernetes.at("/spec"));
}

#[test]
fn resiliency_retries_nothing_but_deliveries() {
    for resiliency in all("Resiliency") {
        let file = resiliency.file.display();
        resiliency.only("", &["apiVersion", "kind", "metadata", "spec", "scopes"]);
        let scopes = scopes(names::PUBSUB, &resiliency.file);
        assert_eq!(resiliency.at("/scopes"), &scopes, "{file}");
        // Other retries and circuit breakers of the sidecar would work against ours. An entry for the
        // actor type would switch off the retries that Dapr has for actors on the move.
        resiliency.only("/spec/policies", &["timeouts", "retries"]);
        let redelivery = json!({ "redelivery": {"policy": "exponential", "maxInterval": "15s", "maxRetries": -1}});
        assert_eq!(resiliency.at("/spec/policies/retries"), &redelivery, "{file}");
        resiliency.only("/spec/targets", &["components"]);
        let policies = keys(resiliency.at("/spec/policies/timeouts"));
        assert!(policies.iter().all(|policy| !policy.starts_with("Default")), "{file}");

        let components = resiliency.at("/spec/targets/components");
        let known = [names::PUBSUB, names::MEMBERS_STATE_STORE, names::STATE_STORE];
        assert_eq!(keys(components), known, "{file}");
        for (name, target) in components.as_object().unwrap() {
            let inbound = target.get("inbound").is_some();
            assert_eq!(inbound, name == names::PUBSUB, "{file}: {name}");
            for (what, policy) in target["outbound"].as_object().unwrap() {
                let policy = policy.as_str().unwrap();
                assert!(what == "timeout" && policies.contains(&policy), "{file}: {policy}");
            }
        }
        let deliveries = json!({"outbound": {}, "inbound": {"retry": "redelivery"}});
        assert_eq!(components[names::PUBSUB], deliveries, "{file}");
    }
}

#[test]
fn configurations_are_valid_and_keep_metrics_small() {
    let configurations = all("Configuration");
    assert_eq!(configurations.len(), 2);
    for configuration in &configurations {
        let file = configuration.file.display();
        // This kind has no scopes.
        configuration.only("", &["apiVersion", "kind", "metadata", "spec"]);
        configuration.only("/spec", &["features", "tracing", "metrics", "secrets", "api"]);
        // What is not named is as Dapr has it, and that changes.
        let features = serde_json::json!([{ "name": "HotReload", "enabled": false }]);
        assert_eq!(configuration.at("/spec/features"), &features, "{file}");
        configuration.only("/spec/tracing", &["samplingRate", "otel"]);
        let rate: f64 = configuration.text("/spec/tracing/samplingRate").parse().unwrap();
        assert!((0.0..=1.0).contains(&rate), "{file}");
        if let Some(otel) = configuration.value.pointer("/spec/tracing/otel") {
            assert_eq!(keys(otel), ["endpointAddress", "isSecure", "protocol"], "{file}");
        }
        configuration.only("/spec/metrics", &["enabled", "http", "latencyDistributionBuckets"]);
        let http = json!({"increasedCardinality": false, "excludeVerbs": true});
        assert_eq!(configuration.at("/spec/metrics/http"), &http, "{file}");
        assert_eq!(configuration.at("/spec/metrics"), configurations[0].at("/spec/metrics"));
        assert_eq!(configuration.text("/spec/secrets/scopes/0/defaultAccess"), "deny", "{file}");
    }
    let store = |file| document(file).text("/spec/secrets/scopes/0/storeName").to_owned();
    assert_eq!(store("components/configuration.yaml"), names::SECRET_STORE);
    assert_eq!(store("k8s/base/configuration.yaml"), KUBERNETES_SECRETS);
}
