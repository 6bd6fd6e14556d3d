//! Dapr's control plane: placement and scheduler, one of each.

use std::path::PathBuf;

use super::flags;
use crate::manifest::Manifest;
use crate::probe;
use crate::process::Launch;

const LOOPBACK: &str = "127.0.0.1";

/// Both name themselves in their cluster of one.
const PLACEMENT_ID: &str = "dapr-placement-0";
const SCHEDULER_ID: &str = "dapr-scheduler-server-0";

pub(super) async fn is_ready(health_port: u16) -> bool {
    probe::ok(health_port, "/healthz", &[]).await
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
