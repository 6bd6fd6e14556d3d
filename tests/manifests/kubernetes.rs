//! Kubernetes' own kinds against Kubernetes' own schemas, by the Python package that carries them.

use std::process::Command;

use crate::command::succeed;
use crate::documents::{files_below, root};
use crate::python::{VALIDATE_DEADLINE, VERSIONS, python};

#[test]
fn manifests_follow_the_schemas_of_kubernetes() {
    let mut command = Command::new(python());
    command.arg(root().join("tests/manifests/validate.py")).arg(VERSIONS.join(","));
    command.args(files_below("k8s", &["yaml", "yml"]).iter().map(|file| root().join(file)));
    let said = succeed(&mut command, VALIDATE_DEADLINE);
    // A validator that looked at nothing is content, too.
    for kind in [
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Secret",
        "Service",
        "ServiceAccount",
    ] {
        assert!(said.lines().any(|line| line.starts_with(&format!("{kind} "))), "{said}");
    }
}
