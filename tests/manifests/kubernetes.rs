//! Kubernetes' own kinds against Kubernetes' own schemas, by the Python package that carries them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::command::succeed;
use crate::documents::{files_below, root};

/// The package, pinned: its release is that of the newest schemas in it.
const PACKAGE: &str = "kubernetes-validate==1.37.0";

/// The oldest and the newest Kubernetes that the manifests are for.
const VERSIONS: [&str; 2] = ["1.31", "1.37"];

/// How long it may take to make the environment (25 MB are fetched), and to validate.
const INSTALL_DEADLINE: Duration = Duration::from_secs(300);
const VALIDATE_DEADLINE: Duration = Duration::from_secs(120);

/// The Python of an environment with the package; made when it is not there.
fn python() -> PathBuf {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kubernetes-validate");
    let python = environment.join("bin/python");
    // Written last, so an installation that was cut short is done again.
    let done = environment.join("installed");
    if fs::read_to_string(&done).is_ok_and(|installed| installed == PACKAGE) {
        return python;
    }
    let able = Command::new("python3").args(["-c", "import venv, ensurepip"]).status();
    assert!(
        able.is_ok_and(|status| status.success()),
        "python3 with venv is needed to validate the manifests (Debian: python3-venv)"
    );
    succeed(
        Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment),
        INSTALL_DEADLINE,
    );
    succeed(
        Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]),
        INSTALL_DEADLINE,
    );
    fs::write(done, PACKAGE).unwrap();
    python
}

#[test]
fn manifests_follow_the_schemas_of_kubernetes() {
    let mut command = Command::new(python());
    command.arg(root().join("tests/manifests/validate.py")).arg(VERSIONS.join(","));
    command.args(files_below("k8s", &["yaml", "yml"]).iter().map(|file| root().join(file)));
    let said = succeed(&mut command, VALIDATE_DEADLINE);
    // A validator that looked at nothing is content, too.
    for kind in ["Deployment", "Namespace", "Secret", "Service", "ServiceAccount"] {
        assert!(said.lines().any(|line| line.starts_with(&format!("{kind} "))), "{said}");
    }
}
