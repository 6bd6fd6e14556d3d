//! The tools and schemas of others, each from the registry of its language, installed once below target/:
//! kustomize and the schemas of Dapr and the Prometheus operator from Go modules, Strimzi's from its own
//! generator, Prometheus' grammar from npm, promtool from the distribution; kubectl is the one on PATH, or built.

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

/// For asking a tool which one it is.
const QUESTION_DEADLINE: Duration = Duration::from_secs(30);

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

/// Dapr's release, the one that the stack builds, such as `v1.18.1`.
pub(crate) fn dapr_version() -> String {
    let go_mod = read("runtime/go.mod");
    let required = go_mod.lines().find_map(|line| line.trim().strip_prefix(DAPR)).unwrap();
    required.trim().to_owned()
}

/// The folder of Dapr's chart.
pub(crate) fn dapr_chart() -> PathBuf {
    module(&format!("{DAPR}@{}", dapr_version())).join("charts/dapr")
}

/// The folders with the resource definitions of Dapr and of the Prometheus operator.
fn definitions() -> [PathBuf; 2] {
    let operator = module(PROMETHEUS_OPERATOR);
    [dapr_chart().join("crds"), operator.join("example/prometheus-operator-crd")]
}

/// What is defined by Strimzi of what we use, each by a class of its own: a topic, and what a guide makes a cluster of.
const OF_STRIMZI: [(&str, &str); 3] = [
    ("topic.yaml", "topic.KafkaTopic"),
    ("kafka.yaml", "kafka.Kafka"),
    ("pool.yaml", "nodepool.KafkaNodePool"),
];

/// The files with Strimzi's resource definitions, by its own generator from its own classes.
fn definitions_of_strimzi() -> [PathBuf; 3] {
    let pom = root().join("tests/cluster/strimzi.xml");
    let source = format!("{}{OF_STRIMZI:?}", fs::read_to_string(&pom).unwrap());
    let folder = once("strimzi", &source, |folder| {
        let mut maven = Command::new("mvn");
        maven.args(["--batch-mode", "--quiet", "--file"]).arg(&pom);
        maven.arg("dependency:copy-dependencies");
        maven.arg(format!("-DoutputDirectory={}", folder.join("jars").display()));
        succeed(&mut maven, INSTALL_DEADLINE);
        let mut java = Command::new("java");
        java.arg("-cp").arg(folder.join("jars/*"));
        java.args(["io.strimzi.crdgenerator.CrdGenerator", "--yaml"]);
        for (file, class) in OF_STRIMZI {
            let file = folder.join(file);
            java.arg(format!("io.strimzi.api.kafka.model.{class}={}", file.display()));
        }
        succeed(&mut java, INSTALL_DEADLINE);
    });
    OF_STRIMZI.map(|(file, _)| folder.join(file))
}

/// The oldest minor release of kubectl whose own kustomize reads our overlays.
const KUBECTL_MINOR_MIN: u32 = 27;

/// kubectl: the first on PATH that is young enough, else one of its own library.
pub(crate) fn kubectl() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("kubectl"));
    let found =
        found.filter(|file| file.is_file()).find(|file| kubectl_minor(file) >= KUBECTL_MINOR_MIN);
    found.unwrap_or_else(built_kubectl)
}

fn built_kubectl() -> PathBuf {
    let source = "tests/cluster/kubectl/module";
    let versions = read(Path::new(source).join("go.mod"));
    let folder = once("kubectl", &versions, |folder| {
        let mut command = go();
        command
            .current_dir(root().join(source))
            .args(["build", "-o"])
            .arg(folder.join("kubectl"))
            .arg(".");
        succeed(&mut command, INSTALL_DEADLINE);
    });
    folder.join("kubectl")
}

fn kubectl_minor(program: &Path) -> u32 {
    let mut command = Command::new(program);
    command.args(["version", "--client", "--output", "json"]);
    let said: serde_json::Value =
        serde_json::from_str(&succeed(&mut command, QUESTION_DEADLINE)).unwrap_or_default();
    let minor = said["clientVersion"]["minor"].as_str().unwrap_or_default();
    minor.trim_end_matches('+').parse().unwrap_or_default()
}

/// Every file with resource definitions of others than Kubernetes.
pub(crate) fn definition_files() -> Vec<PathBuf> {
    let folders = definitions();
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    files.map(|file| file.unwrap().path()).chain(definitions_of_strimzi()).collect()
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
