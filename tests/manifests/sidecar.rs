//! The sidecar is started in three ways: by annotations on Kubernetes, by flags in docker-compose,
//! by the Dapr CLI from dapr.yaml. All three must start the same one.

use reminder_contract::names;
use serde_json::{Value, json};

use crate::documents::{Document, document, keys, parse, root};

/// How often the sidecar asks whether the service is well, how long it waits for an answer, and
/// how many failures in a row count.
const HEALTH_INTERVAL_SECONDS: u32 = 3;
const HEALTH_TIMEOUT_MILLISECONDS: u32 = 2000;
const HEALTH_THRESHOLD: u32 = 3;

/// The annotations of Dapr 1.18 that we use or may come to use; the injector ignores others.
pub(crate) const ANNOTATIONS: [&str; 26] = [
    "dapr.io/api-token-secret",
    "dapr.io/app-health-check-path",
    "dapr.io/app-health-probe-interval",
    "dapr.io/app-health-probe-timeout",
    "dapr.io/app-health-threshold",
    "dapr.io/app-id",
    "dapr.io/app-max-concurrency",
    "dapr.io/app-port",
    "dapr.io/app-protocol",
    "dapr.io/app-token-secret",
    "dapr.io/block-shutdown-duration",
    "dapr.io/config",
    "dapr.io/disable-builtin-k8s-secret-store",
    "dapr.io/enable-app-health-check",
    "dapr.io/enabled",
    "dapr.io/enable-metrics",
    "dapr.io/env",
    "dapr.io/graceful-shutdown-seconds",
    "dapr.io/log-as-json",
    "dapr.io/log-level",
    "dapr.io/max-body-size",
    "dapr.io/sidecar-cpu-request",
    "dapr.io/sidecar-listen-addresses",
    "dapr.io/sidecar-memory-limit",
    "dapr.io/sidecar-memory-request",
    "dapr.io/sidecar-seccomp-profile-type",
];

/// What all three must say, by the names of daprd's flags.
fn expected() -> Vec<(&'static str, String)> {
    let mut flags = expected_of(names::APP_ID, names::DEFAULT_APP_PORT);
    flags.extend([
        ("enable-app-health-check", "true".to_owned()),
        ("app-health-check-path", names::APP_HEALTH_PATH.to_owned()),
        ("app-health-probe-interval", HEALTH_INTERVAL_SECONDS.to_string()),
        ("app-health-probe-timeout", HEALTH_TIMEOUT_MILLISECONDS.to_string()),
        ("app-health-threshold", HEALTH_THRESHOLD.to_string()),
    ]);
    flags.push(("app-max-concurrency", names::SIDECAR_APP_MAX_CONCURRENCY.to_string()));
    flags
}

/// What every sidecar must be told.
pub(crate) fn expected_of(app_id: &str, port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("app-id", app_id.to_owned()),
        ("app-port", port.to_string()),
        ("app-protocol", "http".to_owned()),
        ("max-body-size", names::SIDECAR_MAX_BODY_SIZE.to_owned()),
    ]
}

/// The ports, where they are stated; on Kubernetes they are the injector's defaults.
fn expected_ports() -> [(&'static str, String); 2] {
    [
        ("dapr-http-port", names::DEFAULT_DAPR_HTTP_PORT.to_string()),
        ("dapr-grpc-port", names::DEFAULT_DAPR_GRPC_PORT.to_string()),
    ]
}

#[test]
fn the_health_probe_ends_before_the_next_begins() {
    // Or daprd refuses to start.
    const { assert!(HEALTH_TIMEOUT_MILLISECONDS < HEALTH_INTERVAL_SECONDS * 1000) };
}

#[test]
fn kubernetes_starts_it_by_annotations() {
    let deployment = document("k8s/base/deployment.yaml");
    let annotations = deployment.at("/spec/template/metadata/annotations");
    for (name, value) in annotations.as_object().unwrap() {
        assert!(ANNOTATIONS.contains(&name.as_str()), "unknown annotation {name}");
        assert!(value.is_string(), "{name} must be quoted");
    }
    assert_eq!(annotations["dapr.io/enabled"], "true");
    for (flag, value) in expected() {
        assert_eq!(annotations[format!("dapr.io/{flag}")], value, "{flag}");
    }
    let configuration = document("k8s/base/configuration.yaml");
    assert_eq!(annotations["dapr.io/config"], configuration.name());
}

/// How large a limit of memory is, in MiB.
fn mebibytes(text: &str) -> u32 {
    let (number, unit) = text.split_at(text.find(char::is_alphabetic).unwrap());
    let number: u32 = number.parse().unwrap();
    match unit {
        "Mi" | "MiB" => number,
        "Gi" | "GiB" => number * 1_024,
        _ => panic!("{text}"),
    }
}

#[test]
fn its_garbage_collector_is_told_the_same_everywhere_and_stays_below_the_limit_of_memory() {
    let (name, value) = names::SIDECAR_GOGC;
    let compose = document("docker-compose.yml");
    assert_eq!(compose.at(&format!("/services/daprd/environment/{name}")), value);
    let deployment = document("k8s/base/deployment.yaml");
    let base = deployment.at("/spec/template/metadata/annotations");
    let production = document("k8s/overlays/production/kustomization.yaml");
    let ops = parse(&production.file, production.text("/patches/0/patch")).remove(0).value;
    let patched = |annotation: &str| {
        let path = format!("/spec/template/metadata/annotations/dapr.io~1{annotation}");
        ops.as_array().unwrap().iter().find(|op| op["path"] == path).unwrap()["value"].clone()
    };
    let stated = ["env", "sidecar-memory-limit"];
    for [env, container] in
        [stated.map(|name| base[format!("dapr.io/{name}")].clone()), stated.map(patched)]
    {
        let (env, container) = (env.as_str().unwrap(), container.as_str().unwrap());
        let limit = env.strip_prefix(&format!("{name}={value},GOMEMLIMIT=")).unwrap();
        // What is no heap needs room as well.
        assert!(mebibytes(limit) * 10 <= mebibytes(container) * 8, "{env}, {container}");
    }
}

#[test]
fn compose_starts_it_by_flags() {
    let compose = document("docker-compose.yml");
    let flag = |name: &str| flag(&compose, "daprd", name);
    for (name, value) in expected().into_iter().chain(expected_ports()) {
        assert_eq!(flag(name), Some(value), "{name}");
    }
    // What is mounted, and what is read, is the same folder and file as elsewhere.
    assert_eq!(flag("resources-path").unwrap(), "/components");
    assert_eq!(flag("config").unwrap(), "/components/configuration.yaml");
    let mounts = compose.at("/services/daprd/volumes").as_array().unwrap();
    assert!(mounts.contains(&json!("./components:/components:ro")));
    // It takes its secrets from where the component looks for them.
    let variable = document("components/local-secrets.yaml");
    let variable = variable.text("/spec/metadata/0/envRef");
    assert_eq!(keys(compose.at("/services/daprd/environment")), [names::SIDECAR_GOGC.0, variable]);
}

#[test]
fn the_dapr_cli_starts_it_from_its_template() {
    let template = document("dapr.yaml");
    template.only("", &["version", "common", "apps"]);
    let app = &template.at("/apps/0");
    assert_eq!(template.at("/apps").as_array().unwrap().len(), 1);
    for (flag, value) in expected().into_iter().chain(expected_ports()) {
        let key = template_key(flag);
        let actual = app.get(&key).unwrap_or_else(|| panic!("{key} is missing"));
        assert_eq!(actual.as_str().map_or_else(|| actual.to_string(), str::to_owned), value);
    }
    for path in ["/common/resourcesPaths/0", "/common/configFilePath", "/apps/0/appDirPath"] {
        let path = root().join(template.text(path));
        assert!(path.exists(), "{} does not exist", path.display());
    }
    let command = app["command"].as_array().unwrap();
    assert!(command.contains(&json!(env!("CARGO_PKG_NAME"))), "{command:?}");
    assert_eq!(command.last(), Some(&json!("serve")));
    let script = crate::documents::read("docker/host-secrets.sh");
    for written in [".stack/dapr-run", "/database-url", "/secrets.json", "REMINDER_SECRETS_FILE="] {
        assert!(script.contains(written), "docker/host-secrets.sh does not write {written}");
    }
    assert_eq!(app["env"], json!({"DATABASE_URL_FILE": ".stack/dapr-run/database-url"}));
}

/// How the Dapr CLI's template spells one of daprd's flags.
fn template_key(flag: &str) -> String {
    match flag {
        "app-id" => "appID".to_owned(),
        "dapr-http-port" => "daprHTTPPort".to_owned(),
        "dapr-grpc-port" => "daprGRPCPort".to_owned(),
        _ => {
            let mut words = flag.split('-');
            let mut key = words.next().unwrap().to_owned();
            for word in words {
                key.push_str(&word[..1].to_uppercase());
                key.push_str(&word[1..]);
            }
            key
        }
    }
}

/// The value of a `--name=value` flag in the command of a compose service; a flag without a value
/// is `true`.
pub(crate) fn flag(compose: &Document, service: &str, name: &str) -> Option<String> {
    let command = compose.at(&format!("/services/{service}/command"));
    command.as_array().unwrap().iter().filter_map(Value::as_str).find_map(|argument| {
        let rest = argument.strip_prefix("--")?.strip_prefix(name)?;
        if rest.is_empty() {
            Some("true".to_owned())
        } else {
            Some(rest.strip_prefix('=')?.to_owned())
        }
    })
}
