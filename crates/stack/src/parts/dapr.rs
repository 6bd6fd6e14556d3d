//! Dapr's control plane: placement and scheduler, one of each.

use std::path::PathBuf;

use super::{flags, sidecar};
use crate::manifest::Manifest;
use crate::probe;
use crate::process::Launch;

const LOOPBACK: &str = "127.0.0.1";

const HEALTH: &str = "/healthz";
const METRICS: &str = "/metrics";

/// Counts the sidecars' streams; absent until the first one.
const CONNECTED_METRIC: &str = "dapr_scheduler_sidecars_connected ";

/// Both name themselves in their cluster of one.
const PLACEMENT_ID: &str = "dapr-placement-0";
const SCHEDULER_ID: &str = "dapr-scheduler-server-0";

pub(super) async fn placement_is_ready(m: &Manifest) -> bool {
    probe::ok(m.placement.health_port, HEALTH, &[]).await
}

/// The health endpoint alone does not tell: after a crash it is well at once, while the scheduler
/// still waits out its predecessor's lease and takes no sidecar. So, if there is a sidecar that
/// should be connected, one has to be.
pub(super) async fn scheduler_is_ready(m: &Manifest) -> bool {
    if !probe::ok(m.scheduler.health_port, HEALTH, &[]).await {
        return false;
    }
    for number in m.replicas.keys() {
        if sidecar::should_be_connected(m, *number).await {
            return sidecars_are_connected(m).await;
        }
    }
    true
}

async fn sidecars_are_connected(m: &Manifest) -> bool {
    let metrics = probe::get(m.scheduler.metrics_port, METRICS, &[]).await;
    metrics.is_ok_and(|answer| connected(&answer.body) > 0)
}

/// The number of connected sidecars, out of the scheduler's metrics.
fn connected(metrics: &str) -> u64 {
    let value = metrics.lines().find_map(|line| line.strip_prefix(CONNECTED_METRIC));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

pub(super) fn scheduler_data(m: &Manifest) -> PathBuf {
    m.dir.join("scheduler")
}

/// `healthz-listen-address` is accepted and ignored by Dapr 1.18 (`pkg/healthz/server` binds to all
/// addresses), here and below; it is given for the version that heeds it.
pub(super) fn placement(m: &Manifest) -> Launch {
    let ports = &m.placement;
    let args = flags(&[
        ("id", PLACEMENT_ID.into()),
        ("initial-cluster", format!("{PLACEMENT_ID}={LOOPBACK}:{}", ports.raft_port)),
        ("listen-address", LOOPBACK.into()),
        ("port", ports.port.to_string()),
        ("healthz-listen-address", LOOPBACK.into()),
        ("healthz-port", ports.health_port.to_string()),
        ("metrics-listen-address", LOOPBACK.into()),
        ("metrics-port", ports.metrics_port.to_string()),
        ("log-level", "info".into()),
    ]);
    Launch { program: m.tools.placement.clone(), args, cwd: m.dir.clone(), ..Launch::default() }
}

pub(super) fn scheduler(m: &Manifest) -> Launch {
    let ports = &m.scheduler;
    let peer = ports.etcd_peer_port;
    let args = flags(&[
        ("id", SCHEDULER_ID.into()),
        ("listen-address", LOOPBACK.into()),
        ("port", ports.port.to_string()),
        // Or sidecars would be told to come to the machine's outer address.
        ("override-broadcast-host-port", format!("{LOOPBACK}:{}", ports.port)),
        ("healthz-listen-address", LOOPBACK.into()),
        ("healthz-port", ports.health_port.to_string()),
        ("metrics-listen-address", LOOPBACK.into()),
        ("metrics-port", ports.metrics_port.to_string()),
        ("etcd-data-dir", scheduler_data(m).to_string_lossy().into_owned()),
        ("etcd-client-listen-address", LOOPBACK.into()),
        ("etcd-client-port", ports.etcd_client_port.to_string()),
        ("etcd-initial-cluster", format!("{SCHEDULER_ID}=http://{LOOPBACK}:{peer}")),
        ("identity-directory-write", m.dir.join("identity").to_string_lossy().into_owned()),
        ("log-level", "info".into()),
    ]);
    Launch { program: m.tools.scheduler.clone(), args, cwd: m.dir.clone(), ..Launch::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connected_sidecars_are_counted() {
        let metrics = "# TYPE dapr_scheduler_sidecars_connected gauge\n\
                       dapr_scheduler_sidecars_connected 3\ngo_info 1\n";
        assert_eq!(connected(metrics), 3);
        assert_eq!(connected("go_info 1\n"), 0);
    }
}
