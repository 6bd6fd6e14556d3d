//! The tools and schemas of others, each from the registry of its language, installed once below target/:
//! kustomize and the schemas of Dapr and the Prometheus operator from Go modules, Strimzi's from its own
//! generator, Prometheus' grammar from npm, promtool from the distribution.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use crate::command::succeed;
use crate::documents::{read, root};

const KUSTOMIZE: &str = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1";
const PROMETHEUS_OPERATOR: &str = "github.com/prometheus-operator/prometheus-operator@v0.85.0";
const DAPR: &str = "github.com/dapr/dapr";

/// Fetching and building; a slow machine gets the most of it.
const INSTALL_DEADLINE: Duration = Duration::from_secs(600);

/// Where they are installed.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster-tools");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Makes something once: the file `made` is written last, and names what it was made from.
fn once(name: &str, source: &str, make: impl FnOnce(&Path)) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = folder().join(name);
    let done = folder.join("made");
    if fs::read_to_string(&done).is_ok_and(|from| from == source) {
        return folder;
    }
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    make(&folder);
    fs::write(done, source).unwrap();
    folder
}

/// Go, where its own installer puts it, or on PATH.
fn go() -> Command {
    let usual = Path::new("/usr/local/go/bin/go");
    let mut command = Command::new(if usual.is_file() { usual } else { Path::new("go") });
    // Whatever module this repository has must not be looked at.
    command.current_dir(folder()).env_remove("GOFLAGS").env_remove("GOROOT");
    command
}

/// The folder of a module's files.
fn module(name_and_version: &str) -> PathBuf {
    let mut command = go();
    command.args(["mod", "download", "-json", name_and_version]);
    let said: serde_json::Value =
        serde_json::from_str(&succeed(&mut command, INSTALL_DEADLINE)).unwrap();
    said["Dir"].as_str().unwrap().into()
}

/// kustomize.
pub(crate) fn kustomize() -> PathBuf {
    static MADE: LazyLock<PathBuf> = LazyLock::new(|| {
        once("kustomize", KUSTOMIZE, |folder| {
            let mut command = go();
            command.env("GOBIN", folder).args(["install", KUSTOMIZE]);
            succeed(&mut command, INSTALL_DEADLINE);
        })
    });
    MADE.join("kustomize")
}

/// The folders with the resource definitions of Dapr, in the release that the stack builds, and of the
/// Prometheus operator.
pub(crate) fn definitions() -> [PathBuf; 2] {
    let go_mod = read("runtime/go.mod");
    let required = go_mod.lines().find_map(|line| line.trim().strip_prefix(DAPR)).unwrap();
    let dapr = module(&format!("{DAPR}@{}", required.trim()));
    let operator = module(PROMETHEUS_OPERATOR);
    [dapr.join("charts/dapr/crds"), operator.join("example/prometheus-operator-crd")]
}

/// The file with the resource definition of a topic, by Strimzi's own generator from its own classes.
pub(crate) fn kafka_topic_definition() -> PathBuf {
    let pom = root().join("tests/cluster/strimzi.xml");
    let folder = once("strimzi", &fs::read_to_string(&pom).unwrap(), |folder| {
        let mut maven = Command::new("mvn");
        maven.args(["--batch-mode", "--quiet", "--file"]).arg(&pom);
        maven.arg("dependency:copy-dependencies");
        maven.arg(format!("-DoutputDirectory={}", folder.join("jars").display()));
        succeed(&mut maven, INSTALL_DEADLINE);
        let mut java = Command::new("java");
        java.arg("-cp").arg(folder.join("jars/*"));
        java.args(["io.strimzi.crdgenerator.CrdGenerator", "--yaml"]);
        let file = folder.join("topic.yaml");
        java.arg(format!("io.strimzi.api.kafka.model.topic.KafkaTopic={}", file.display()));
        succeed(&mut java, INSTALL_DEADLINE);
    });
    folder.join("topic.yaml")
}

/// The folder with Prometheus' grammar of its questions.
pub(crate) fn grammar() -> PathBuf {
    let lock = read("tests/cluster/promql/package-lock.json");
    once("promql", &lock, |folder| {
        for file in ["package.json", "package-lock.json"] {
            fs::write(folder.join(file), read(Path::new("tests/cluster/promql").join(file)))
                .unwrap();
        }
        let mut npm = Command::new("npm");
        npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        succeed(&mut npm, INSTALL_DEADLINE);
    })
}

/// promtool: the one on PATH, or that of the distribution's package, unpacked and not installed, for its
/// server must not be started.
pub(crate) fn promtool() -> PathBuf {
    let found = Command::new("promtool").arg("--version").output();
    if found.is_ok_and(|answer| answer.status.success()) {
        return "promtool".into();
    }
    let folder = once("promtool", "prometheus", |folder| {
        let download = |folder: &Path| {
            let mut apt = Command::new("apt-get");
            apt.current_dir(folder).args(["-q", "download", "prometheus"]);
            crate::command::run(&mut apt, INSTALL_DEADLINE).status.success()
        };
        if !download(folder) {
            succeed(Command::new("apt-get").args(["-q", "update"]), INSTALL_DEADLINE);
            assert!(
                download(folder),
                "promtool is missing: install it (on Debian or Ubuntu: package prometheus)"
            );
        }
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let package = files.into_iter().find(|file| file.extension().is_some_and(|e| e == "deb"));
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("--extract").arg(package.unwrap()).arg(folder.join("package"));
        succeed(&mut unpack, INSTALL_DEADLINE);
    });
    folder.join("package/usr/bin/promtool")
}
