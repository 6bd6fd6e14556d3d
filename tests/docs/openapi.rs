//! The committed `OpenAPI` document against the service's own. `WRITE_OPENAPI=1` writes it anew.

use crate::pages::root;
use reminder_contract::schemas::pretty;
use reminder_scheduler::http::rest::openapi::document;
use serde_json::Value;

/// Where it is committed.
const FILE: &str = "schemas/openapi.json";

/// The verbs of a path item.
const VERBS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'_ Value)| -> Vec<String> {
        let verbs = VERBS.iter().filter(|verb| item.get(**verb).is_some());
        verbs.map(|verb| format!("{verb} {path}")).collect()
    };
    let names = paths.iter().flat_map(of_path);
    names
        .map(|name| {
            let (verb, path) = name.split_once(' ').unwrap();
            let operation = &document["paths"][path][verb];
            (name, operation)
        })
        .collect()
}

#[test]
fn the_committed_document_is_that_of_the_service() {
    let text = pretty(document());
    if std::env::var_os("WRITE_OPENAPI").is_some() {
        std::fs::write(root().join(FILE), &text).unwrap();
    }
    let committed = std::fs::read_to_string(root().join(FILE)).unwrap();
    assert!(committed == text, "{FILE} is not that of the code: run with WRITE_OPENAPI=1");
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for found in text.split("\"$ref\":\"#").skip(1) {
        let pointer = found.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn every_operation_says_who_it_is_and_what_may_go_wrong() {
    let document = document();
    let operations = operations(&document);
    assert_eq!(operations.len(), 28, "{operations:#?}");
    for (name, operation) in operations {
        assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{name}");
        let responses = operation["responses"].as_object().unwrap();
        let done = ["200", "202"].iter().any(|status| responses.contains_key(*status));
        assert!(done, "{name}");
        for status in ["401", "403", "422", "500", "503"] {
            assert!(responses.contains_key(status), "{name}: {status}");
        }
        let parameters = operation["parameters"].as_array().unwrap();
        let has = |name: &str| {
            let place = format!("#/components/parameters/{name}");
            parameters.iter().any(|parameter| parameter["$ref"] == place.as_str())
        };
        assert_eq!(has("taskId"), name.contains("{taskId}"), "{name}");
        assert_eq!(has("idempotencyKey"), !name.starts_with("get"), "{name}");
    }
}
