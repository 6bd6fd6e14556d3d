//! docker-compose.yml: that its services fit together, and that nothing listens beyond loopback.

use reminder_contract::names;
use serde_json::Value;

use crate::deployment::{ENVIRONMENT, seconds};
use crate::documents::{Document, document, keys, root};
use crate::members::MEMBERS;
use crate::sidecar::flag;

/// What there is beside the members and their sidecars.
const SERVICES: [&str; 8] =
    ["secrets", "postgres", "redpanda", "topics", "placement", "scheduler", "app", "daprd"];

fn services() -> Vec<String> {
    let members = MEMBERS.iter().flat_map(|(id, _)| [(*id).to_owned(), format!("{id}-daprd")]);
    SERVICES.map(str::to_owned).into_iter().chain(members).collect()
}

fn compose() -> Document {
    document("docker-compose.yml")
}

/// The texts of a list of a service; none when it has no such list.
fn list<'a>(compose: &'a Document, service: &str, key: &str) -> Vec<&'a str> {
    let value = compose.value.pointer(&format!("/services/{service}/{key}"));
    let items = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn it_has_every_part() {
    let compose = compose();
    let mut expected = services();
    expected.sort_unstable();
    let mut actual = keys(compose.at("/services"));
    actual.sort_unstable();
    assert_eq!(actual, expected);
}

#[test]
fn volumes_and_dependencies_exist() {
    let compose = compose();
    let volumes = keys(compose.at("/volumes"));
    for service in &services() {
        for mount in list(&compose, service, "volumes") {
            let source = mount.split(':').next().unwrap();
            if source.starts_with('.') {
                assert!(root().join(source).exists(), "{service}: {source} does not exist");
            } else {
                assert!(volumes.contains(&source), "{service}: no volume {source}");
            }
        }
        let Some(dependencies) = compose.value.pointer(&format!("/services/{service}/depends_on"))
        else {
            continue;
        };
        for (name, dependency) in dependencies.as_object().unwrap() {
            assert!(services().contains(name), "{service} depends on {name}");
            // A condition that can never come true keeps everything from starting.
            let needs = match dependency["condition"].as_str().unwrap() {
                "service_healthy" => "healthcheck",
                "service_started" => "restart",
                "service_completed_successfully" => "entrypoint",
                other => panic!("{service} waits until {name} is {other}"),
            };
            compose.at(&format!("/services/{name}/{needs}"));
        }
    }
}

#[test]
fn ports_are_published_on_loopback_only() {
    let compose = compose();
    for service in &services() {
        for port in list(&compose, service, "ports") {
            let parts: Vec<_> = port.split(':').collect();
            assert!(matches!(parts[..], ["127.0.0.1", a, b] if a == b), "{service}: {port}");
        }
    }
    // The sidecar lives in the app's network, so the app's entry publishes its ports.
    assert_eq!(compose.text("/services/daprd/network_mode"), "service:app");
    let expected =
        [names::DEFAULT_APP_PORT, names::DEFAULT_DAPR_HTTP_PORT, names::DEFAULT_DAPR_GRPC_PORT]
            .map(|port| format!("127.0.0.1:{port}:{port}"));
    assert_eq!(list(&compose, "app", "ports"), expected);
}

#[test]
fn the_service_is_configured_as_it_reads() {
    let compose = compose();
    let environment = compose.at("/services/app/environment");
    for name in keys(environment) {
        assert!(ENVIRONMENT.contains(&name), "the service does not read {name}");
    }
    assert_eq!(environment["APP_PORT"], names::DEFAULT_APP_PORT.to_string());
    assert_eq!(environment["DAPR_GRPC_PORT"], names::DEFAULT_DAPR_GRPC_PORT.to_string());
    let drain = seconds(environment["SHUTDOWN_GRACE"].as_str().unwrap());
    let killed = seconds(compose.text("/services/app/stop_grace_period"));
    assert!(drain < killed, "{drain:?} {killed:?}");
}

#[test]
fn the_sidecar_finds_placement_and_the_scheduler() {
    let compose = compose();
    let port = flag(&compose, "scheduler", "port").unwrap();
    let scheduler = format!("scheduler:{port}");
    assert_eq!(flag(&compose, "daprd", "scheduler-host-address").unwrap(), scheduler);
    assert_eq!(flag(&compose, "scheduler", "override-broadcast-host-port").unwrap(), scheduler);
    let port = flag(&compose, "placement", "port").unwrap();
    assert_eq!(
        flag(&compose, "daprd", "placement-host-address").unwrap(),
        format!("placement:{port}")
    );
    // The scheduler's data must be on the volume that was made writable for it.
    let data = flag(&compose, "scheduler", "etcd-data-dir").unwrap();
    assert!(data.starts_with("/data/"), "{data}");
    assert_eq!(list(&compose, "scheduler", "volumes"), ["scheduler-data:/data"]);
}

#[test]
fn the_database_is_the_one_that_the_secrets_name() {
    let compose = compose();
    assert_eq!(compose.text("/services/postgres/environment/POSTGRES_DB"), names::DATABASE);
    let user = compose.text("/services/postgres/environment/POSTGRES_USER");
    let script = crate::documents::read("docker/secrets.sh");
    let url = format!("postgres://{user}:%s@%s:%s/{}?", names::DATABASE);
    assert!(script.contains(&url), "docker/secrets.sh does not print {url}");
}
