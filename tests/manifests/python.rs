//! The Python package that has the schemas of Kubernetes' own kinds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::command::succeed;

/// The package, pinned: its release is that of the newest schemas in it.
const PACKAGE: &str = "kubernetes-validate==1.37.0";

/// The oldest and the newest Kubernetes that the manifests are for.
pub(crate) const VERSIONS: [&str; 2] = ["1.31", "1.37"];

/// How long it may take to make the environment (25 MB are fetched), and to validate.
const INSTALL_DEADLINE: Duration = Duration::from_secs(300);
pub(crate) const VALIDATE_DEADLINE: Duration = Duration::from_secs(120);

/// The Python of an environment with the package; made when it is not there.
pub(crate) fn python() -> PathBuf {
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
