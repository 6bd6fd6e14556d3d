//! The `kubectl` lines of the pages, run word for word by kubectl, against an API server of the test's own that is made
//! of what the pages and the manifests bring.
//!
//! No cluster is proven by it. What is: that kubectl takes the lines, and that whatever they name is there when their
//! turn comes (namespaces, objects, labels, containers, what pods need to start), and is named as they name it.

mod api;
mod cluster;
mod kinds;
mod merge;
mod protobuf;
mod workload;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::Parser;
use reminder_scheduler::cli::command::Cli;
use serde_json::{Value, json};

use self::api::{NO_STREAMS, Server};
use self::cluster::Cluster;
use crate::command;
use crate::documents::root;
use crate::lines;
use crate::pages::{self, Page};
use crate::tools;

/// For one line; all that is waited for is there.
const LINE_DEADLINE: Duration = Duration::from_secs(30);

/// How often the clock is looked at.
const POLL: Duration = Duration::from_millis(20);

/// The page that begins with an empty cluster; every other goes on where it ends.
const FIRST: &str = "docs/how-to/kubernetes.md";

/// What is there before: Kubernetes' own, what Strimzi's quick start makes, and Dapr.
const NAMESPACES: [&str; 3] = ["default", "kafka", DAPR];
const DAPR: &str = "dapr-system";

/// The service's objects.
const OURS: (&str, &str) = ("reminders", "reminder-scheduler");

/// Where the sidecar of a pod listens, which no manifest says.
const SIDECAR_PORT: u64 = 3500;

/// The secrets that the pages have one make after those of the first.
const SECRETS: [&str; 2] = ["k8s/secrets.example.yaml", "k8s/kafka-sasl-tls/secrets.example.yaml"];

/// A reader at a terminal, in a copy of the repository's manifests, with a cluster.
struct Reader {
    server: Server,
    folder: PathBuf,
    path: String,
}

impl Reader {
    fn new(runtime: &tokio::runtime::Runtime, name: &str) -> Self {
        let kubectl = tools::kubectl();
        let asked = command::succeed(
            Command::new(&kubectl).args(["version", "--client", "--output", "json"]),
            LINE_DEADLINE,
        );
        let version: Value = serde_json::from_str(&asked).unwrap();
        let mut cluster = Cluster::new(&NAMESPACES);
        install_dapr(&mut cluster);
        let server = Server::start(cluster, version["clientVersion"].clone());
        let server = runtime.block_on(server);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        copy(&root().join("k8s"), &folder.join("k8s"));
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "guide",
            "clusters": [{ "name": "guide", "cluster": { "server": format!("http://127.0.0.1:{}", server.port) } }],
            "users": [{ "name": "guide", "user": {} }],
            "contexts": [{ "name": "guide", "context": { "cluster": "guide", "user": "guide" } }],
        });
        fs::write(folder.join("config"), config.to_string()).unwrap();
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", kubectl.parent().unwrap().display());
        Self { server, folder, path }
    }

    /// Runs a line, which must go well and have found what it names.
    fn run(&self, place: &str, line: &str) {
        if line.contains(" rollout restart ") {
            self.await_another_second();
        }
        let mut bash = Command::new("bash");
        bash.args(["-c", line]).current_dir(&self.folder).env_clear();
        bash.env("PATH", &self.path).env("HOME", &self.folder);
        bash.env("KUBECONFIG", self.folder.join("config"));
        bash.env("KUBECACHEDIR", self.folder.join("cache"));
        let output = command::run(&mut bash, LINE_DEADLINE);
        let said =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        let said = said.concat();
        let mut cluster = self.server.cluster();
        let complaints = std::mem::take(&mut cluster.complaints);
        assert!(complaints.is_empty(), "{place}: {line}: {complaints:#?}\n{said}");
        let missing = workload::missing(&cluster, OURS.0);
        assert!(missing.is_empty(), "{place}: {line}: pods would not start: {missing:#?}");
        let streams = std::mem::take(&mut cluster.streams);
        if streams.is_empty() {
            assert!(output.status.success(), "{place}: {line}: {said}");
        } else {
            assert!(said.contains(NO_STREAMS), "{place}: {line}: {said}");
            Self::judge_stream(&cluster, place, line);
        }
    }

    /// A restart is a time stamp of seconds in the pod's template: two of one second are one, which kubectl refuses.
    /// No reader goes from page to page so fast.
    fn await_another_second(&self) {
        let deployment = self.deployment();
        let annotations = &deployment["spec"]["template"]["metadata"]["annotations"];
        let Some(last) = annotations["kubectl.kubernetes.io/restartedAt"].as_str() else { return };
        let last = DateTime::parse_from_rfc3339(last).unwrap().timestamp();
        let begun = Instant::now();
        while Utc::now().timestamp() <= last {
            assert!(
                begun.elapsed() < LINE_DEADLINE,
                "the second of the last restart does not pass"
            );
            std::thread::sleep(POLL);
        }
    }

    /// What of a line is for the pod alone, and never came to it.
    fn judge_stream(cluster: &Cluster, place: &str, line: &str) {
        if let Some((_, inside)) = line.split_once(" -- ") {
            // What is handed over by standard input is for the shell.
            let inside = inside.split_once(" < ").map_or(inside, |(inside, _)| inside);
            let understood = Cli::try_parse_from(inside.split(' '));
            assert!(understood.is_ok(), "{place}: {inside}: {:?}", understood.err());
            return;
        }
        let deployment = cluster.get("deployments", OURS.0, OURS.1).unwrap();
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let declared = container["ports"].as_array().unwrap();
        let port: u64 = line.rsplit([' ', ':']).next().unwrap().parse().unwrap();
        let known = declared.iter().any(|one| one["containerPort"] == port);
        assert!(known || port == SIDECAR_PORT, "{place}: nothing listens on {port}");
    }

    fn deployment(&self) -> Value {
        self.server.cluster().get("deployments", OURS.0, OURS.1).unwrap().clone()
    }

    fn image(&self) -> String {
        let image = &self.deployment()["spec"]["template"]["spec"]["containers"][0]["image"];
        image.as_str().unwrap().to_owned()
    }

    /// Writes a file that a page shows.
    fn write(&self, name: &str, text: &str) {
        let file = self.folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

/// What `dapr init` leaves, as far as a page asks for it.
fn install_dapr(cluster: &mut Cluster) {
    for number in 0..3 {
        let name = format!("dapr-scheduler-server-{number}");
        let claim = format!("dapr-scheduler-data-dir-{name}");
        cluster.put("pods", DAPR, json!({ "metadata": { "name": name } }));
        cluster.put("persistentvolumeclaims", DAPR, json!({ "metadata": { "name": claim } }));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The lines of a page in their order, in blocks and in its text, each with its place.
fn lines_of(page: &Page) -> Vec<(usize, String)> {
    let blocks = page.blocks.iter().filter(|block| block.language == "sh");
    let blocks = blocks.flat_map(|block| {
        lines::commands(&block.text).into_iter().map(|command| (block.line, command))
    });
    let spans = page.spans.iter().zip(&page.span_lines);
    let spans = spans.map(|(span, line)| (*line, span.clone()));
    let mut found: Vec<(usize, String)> = blocks.chain(spans).collect();
    found.retain(|(_, command)| command.starts_with("kubectl "));
    // Commands of one block stay as they are.
    found.sort_by_key(|(line, _)| *line);
    found
}

fn follow(reader: &Reader, page: &Page) -> usize {
    let lines = lines_of(page);
    for (line, command) in &lines {
        reader.run(&format!("{}:{line}", page.path.display()), command);
    }
    lines.len()
}

/// The only block of a page that has this text.
fn block<'a>(page: &'a Page, text: &str) -> &'a str {
    let mut found = page.blocks.iter().filter(|block| block.text.contains(text));
    let block = found.next().unwrap();
    assert!(found.next().is_none(), "{text}");
    &block.text
}

#[test]
fn every_kubectl_line_of_the_pages_is_run_and_finds_what_it_names() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reader = Reader::new(&runtime, "kubectl-pages");
    let first = pages::page(FIRST);
    let overlay = block(&first, "# k8s/mine/kustomization.yaml");
    reader.write("k8s/mine/kustomization.yaml", overlay);
    reader.write("kafka.yaml", block(&first, "kind: Kafka\n"));
    let mut count = follow(&reader, &first);
    assert_eq!(reader.image(), "registry.example/reminder-scheduler:0.1.0");
    assert_eq!(reader.deployment()["status"]["availableReplicas"], 2);

    // What a reader has at hand for a repair.
    reader.write("milk.json", r#"{"task": {"title": "Milk"}}"#);
    for file in SECRETS {
        reader.run(file, &format!("kubectl apply -f {file}"));
    }
    for page in pages::pages().iter().filter(|page| page.path != Path::new(FIRST)) {
        let upgrades = page.path == Path::new("docs/how-to/upgrade.md");
        if upgrades {
            // As the page has one do.
            reader.write("k8s/mine/kustomization.yaml", &overlay.replace("0.1.0", "0.2.0"));
            reader.run("the new release", "kubectl apply -k k8s/mine");
            assert!(reader.image().ends_with(":0.2.0"), "{}", reader.image());
        }
        count += follow(&reader, page);
        if upgrades {
            assert!(reader.image().ends_with(":0.1.0"), "rolled back: {}", reader.image());
        }
    }
    assert!(count > 25, "{count} lines");
    let cluster = reader.server.cluster();
    let filter = cluster.get("configmaps", OURS.0, "reminder-scheduler-logs").unwrap();
    assert_eq!(filter["data"]["filter"], "info,reminder_scheduler::turn=debug");
}

#[test]
fn a_kubectl_line_that_names_nothing_is_found() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reader = Reader::new(&runtime, "kubectl-wrong");
    reader.run("a", "kubectl apply -k k8s/topics");
    let fails = |line: &str| {
        let run = std::panic::AssertUnwindSafe(|| reader.run("here", line));
        assert!(std::panic::catch_unwind(run).is_err(), "{line} goes well");
        reader.server.cluster().complaints.clear();
    };
    for line in [
        "kubectl apply -k k8s/nothing",
        "kubectl --namespace kafka wait kafkatopics/nothing --for=condition=Ready",
        "kubectl --namespace kafka wait kafkatopic --all --for=condition=Ready --time=2m",
        "kubectl --namespace nowhere get pods",
        "kubectl --namespace dapr-system get pods --selector app=nothing",
        "kubectl --namespace kafka logs deploy/reminder-scheduler",
        // Its secrets are not there.
        "kubectl apply -k k8s/base",
    ] {
        fails(line);
    }
}
