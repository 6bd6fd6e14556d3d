//! Dapr's sidecar of a replica.

use std::collections::BTreeMap;

use anyhow::Result;
use reminder_contract::names;
use serde_json::Value;

use super::{components, flags};
use crate::layout::Replica;
use crate::manifest::Manifest;
use crate::member::Member;
use crate::options::AppSource;
use crate::part::Part;
use crate::probe;
use crate::process::Launch;

const HEALTH: &str = "/v1.0/healthz";
const METADATA: &str = "/v1.0/metadata";

/// The health of the API alone: that of the application does not count.
const OUTBOUND_HEALTH: &str = "/v1.0/healthz/outbound";

const LOOPBACK: &str = "127.0.0.1";

/// How often the sidecar asks for the service's health; its unit cannot be smaller than a second.
const APP_HEALTH_INTERVAL_S: u32 = 1;

/// How long the service may take to answer; must be less than the interval.
const APP_HEALTH_TIMEOUT_MS: u32 = 900;

/// Failures in a row until the actors move elsewhere. One slow answer on a busy machine is not a
/// reason to move them all.
const APP_HEALTH_FAILURES: u32 = 3;

pub(super) fn launch(m: &Manifest, number: u32) -> Result<Launch> {
    let replica = m.replica(number)?;
    let mut args = arguments(m, names::APP_ID, replica);
    if m.options.app != AppSource::None {
        args.extend(app_arguments(replica));
        args.extend(health_arguments());
        args.extend(flags(&[(
            "app-max-concurrency",
            names::SIDECAR_APP_MAX_CONCURRENCY.to_string(),
        )]));
    }
    args.extend(m.options.sidecar_args.iter().cloned());
    Ok(process(m, args))
}

/// The sidecar of a service around the scheduler. It hosts no actors, so nothing is lost by not asking
/// for its health, and something is by asking: see [`health_arguments`].
pub(super) fn launch_for_member(m: &Manifest, member: Member) -> Result<Launch> {
    let ports = m.member(member)?;
    let mut args = arguments(m, member.app_id(), ports);
    args.extend(app_arguments(ports));
    Ok(process(m, args))
}

/// What every sidecar is told.
fn arguments(m: &Manifest, app_id: &str, ports: &Replica) -> Vec<String> {
    let mut args = flags(&[
        ("app-id", app_id.to_owned()),
        ("dapr-listen-addresses", LOOPBACK.into()),
        ("dapr-http-port", ports.http_port.to_string()),
        ("dapr-grpc-port", ports.grpc_port.to_string()),
        ("dapr-internal-grpc-listen-address", LOOPBACK.into()),
        ("dapr-internal-grpc-port", ports.internal_port.to_string()),
        ("metrics-listen-address", LOOPBACK.into()),
        ("metrics-port", ports.metrics_port.to_string()),
        ("placement-host-address", format!("{LOOPBACK}:{}", m.placement.port)),
        ("scheduler-host-address", format!("{LOOPBACK}:{}", m.scheduler.port)),
        ("resources-path", components::folder(m).to_string_lossy().into_owned()),
        ("max-body-size", names::SIDECAR_MAX_BODY_SIZE.into()),
        ("log-level", "info".into()),
    ]);
    for configuration in components::configurations(m) {
        args.extend(flags(&[("config", configuration.to_string_lossy().into_owned())]));
    }
    args
}

/// What a sidecar is told of its application.
fn app_arguments(ports: &Replica) -> Vec<String> {
    flags(&[
        ("app-port", ports.app_port.to_string()),
        ("app-channel-address", LOOPBACK.into()),
        ("app-protocol", "http".into()),
    ])
}

/// Has it ask for the application's health, and move its actors elsewhere when there is none.
///
/// It leaves its topics then, too, and where events are delivered one by one that goes wrong: with one
/// under way, leaving takes until the application is back, and joining again follows at once. The Kafka
/// component (1.18.0) takes the topic off its list in a task that ends after the new subscription was put
/// there, and from then on nothing is consumed, without a word. In bulk, as the scheduler takes its topics, a
/// delivery under way is cut short; and the scheduler watches (`src/watch`). Without the check, what cannot
/// be delivered is tried again until the application is back.
fn health_arguments() -> Vec<String> {
    let mut args = flags(&[
        ("app-health-check-path", names::APP_HEALTH_PATH.into()),
        ("app-health-probe-interval", APP_HEALTH_INTERVAL_S.to_string()),
        ("app-health-probe-timeout", APP_HEALTH_TIMEOUT_MS.to_string()),
        ("app-health-threshold", APP_HEALTH_FAILURES.to_string()),
    ]);
    args.push("--enable-app-health-check".into());
    args
}

fn process(m: &Manifest, args: Vec<String>) -> Launch {
    let secrets = components::secrets_file(m).to_string_lossy().into_owned();
    let mut env: BTreeMap<String, String> = [
        (components::SECRETS_FILE_VARIABLE.to_owned(), secrets),
        // The address that other sidecars and placement are told.
        ("DAPR_HOST_IP".to_owned(), LOOPBACK.to_owned()),
        (names::SIDECAR_GOGC.0.to_owned(), names::SIDECAR_GOGC.1.to_owned()),
    ]
    .into();
    if let Some(tokens) = &m.options.api_tokens {
        env.extend(tokens.dapr.clone().map(|token| ("DAPR_API_TOKEN".to_owned(), token)));
        env.extend(tokens.app.clone().map(|token| ("APP_API_TOKEN".to_owned(), token)));
    }
    Launch {
        program: m.tools.daprd.clone(),
        args,
        env,
        cwd: m.dir.clone(),
        inputs: components::inputs(m),
        ..Launch::default()
    }
}

/// With an application of ours: that its actors can be called. With somebody else's: that the API
/// answers, for the application may come at any time.
pub(super) async fn is_ready(m: &Manifest, number: u32) -> bool {
    let Ok(replica) = m.replica(number) else { return false };
    match m.options.app {
        AppSource::External => probe::ok(replica.http_port, OUTBOUND_HEALTH, &[]).await,
        AppSource::None => probe::ok(replica.http_port, HEALTH, &[]).await,
        AppSource::Binary(_) | AppSource::Cargo { .. } => {
            probe::ok(replica.http_port, HEALTH, &[]).await && hosts_actors(m, number).await
        }
    }
}

/// A member hosts no actors: its sidecar and the member's own health say all.
pub(super) async fn is_ready_for_member(m: &Manifest, member: Member) -> bool {
    let Ok(ports) = m.member(member) else { return false };
    probe::ok(ports.http_port, HEALTH, &[]).await
}

/// Whether the sidecar hosts its application's actors. Its health says nothing about that, and
/// calls to an actor fail or hang until then.
pub(crate) async fn hosts_actors(m: &Manifest, number: u32) -> bool {
    let Ok(replica) = m.replica(number) else { return false };
    let token = m.options.api_tokens.as_ref().and_then(|tokens| tokens.dapr.as_deref());
    let header = token.map(|token| ("dapr-api-token", token));
    match probe::get(replica.http_port, METADATA, header.as_slice()).await {
        Ok(answer) => is_hosting(&answer.body),
        Err(_) => false,
    }
}

fn is_hosting(metadata: &str) -> bool {
    let metadata: Value = serde_json::from_str(metadata).unwrap_or_default();
    let actors = &metadata["actorRuntime"];
    actors["runtimeStatus"] == "RUNNING" && actors["hostReady"] == true
}

/// Whether the sidecar runs and has a healthy application, or needs none: then it connects to the
/// scheduler.
pub(super) async fn should_be_connected(m: &Manifest, number: u32) -> bool {
    let (Ok(replica), Some(_)) = (m.replica(number), m.alive(Part::Sidecar(number))) else {
        return false;
    };
    m.options.app == AppSource::None
        || probe::ok(replica.app_port, names::APP_HEALTH_PATH, &[]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_are_hosted_when_the_runtime_says_so() {
        let starting = r#"{"actorRuntime":{"runtimeStatus":"INITIALIZING","hostReady":false}}"#;
        let running = r#"{"actorRuntime":{"runtimeStatus":"RUNNING","hostReady":true,
                          "activeActors":[{"type":"TaskActor"}]}}"#;
        assert!(!is_hosting(starting) && is_hosting(running));
        assert!(!is_hosting("") && !is_hosting("{}"));
    }
}
