//! The invariants of the code's shape, which no compiler checks: who may depend on whom, who reads
//! the clock, who knows Dapr, and what every file looks like. See `docs/architecture.md`.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest source file of the service and its crates, in lines.
const LINES_MAX: usize = 350;
/// Longest source file of tests, in lines.
const TEST_LINES_MAX: usize = 450;

/// Where durations are measured with a clock that is never set, which `clock` does not hide.
const MEASURES_DURATIONS: &[&str] = &[
    "src/cli/after_restore.rs",
    "src/cli/dlq/replay.rs",
    "src/cli/rearm.rs",
    "src/cli/task/transfer/export.rs",
    "src/cli/task/transfer/import.rs",
    "src/cli/user/erase.rs",
    "src/cli/user/export.rs",
    "src/audit/mod.rs",
    "src/audit/pending.rs",
    "src/erasure/mod.rs",
    "src/metrics/kinds.rs",
    "src/outbox/measure.rs",
    "src/http/console/cached.rs",
    "src/http/rest/batch.rs",
    "src/http/rest/observe.rs",
    "src/ingest/follow.rs",
    "src/turn/measure.rs",
    "src/serve.rs",
    "src/dapr/inbound/registry.rs",
    "src/read_model/migrate.rs",
    "src/read_model/waiting.rs",
    "src/retention/tests.rs",
    "src/tokens/provider.rs",
    "src/watch/mod.rs",
];

/// What a file of the repository must not name: other people's machines.
const MACHINE_PATHS: &[&str] = &["/home/", "/Users/", "/root/", "C:\\"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).current_dir(root()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every file of the repository that is not ignored, below its root.
fn files() -> Vec<PathBuf> {
    let listed = output("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let files = listed.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from);
    // A deleted file stays in the list until the deletion is committed.
    files.filter(|path| root().join(path).is_file()).collect()
}

/// The Rust files below some folders, with their text.
fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let wanted = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "rs")
            && folders.iter().any(|folder| path.starts_with(folder))
    };
    let sources: Vec<_> = files().into_iter().filter(wanted).map(read).collect();
    assert!(!sources.is_empty(), "no sources in {folders:?}");
    sources
}

fn read(path: PathBuf) -> (String, String) {
    let text = std::fs::read_to_string(root().join(&path)).unwrap();
    (path.into_os_string().into_string().unwrap(), text)
}

/// The lines of a file that are code, numbered.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Fails with a list of what breaks a rule.
fn none(rule: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

/// The crates that a package of the workspace depends on outside its tests.
fn dependencies(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let metadata =
        output(&cargo, &["metadata", "--format-version=1", "--no-deps", "--offline", "--locked"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|found| found["name"] == package).unwrap();
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
    normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_domain_depends_on_no_async_dapr_or_io_crate() {
    let allowed = ["chrono", "chrono-tz", "rrule", "serde", "thiserror"];
    none("reminder-domain may not depend on", {
        dependencies("reminder-domain")
            .into_iter()
            .filter(move |found| !allowed.contains(&found.as_str()))
    });
}

#[test]
fn crates_depend_in_one_direction() {
    let ours = |package: &str| -> Vec<String> {
        let all = dependencies(package).into_iter();
        all.filter(|name| name.starts_with("reminder-")).collect()
    };
    assert_eq!(ours("reminder-contract"), ["reminder-domain", "reminder-icalendar"]);
    assert_eq!(ours("reminder-icalendar"), ["reminder-domain"]);
    let of_scheduler = ["reminder-contract", "reminder-domain", "reminder-telemetry"];
    // The service itself needs no client; its commands for callers do.
    let all = [&["reminder-client"], &of_scheduler[..]].concat();
    assert_eq!(ours("reminder-scheduler"), all);
    assert!(ours("reminder-telemetry").is_empty());
    // The runner of the local stack knows the names that the parts share, not the service.
    assert_eq!(ours("reminder-stack"), ["reminder-contract"]);
    assert_eq!(ours("reminder-client"), ["reminder-contract", "reminder-domain"]);
    // The services around it know the contract, how to talk to a sidecar, and the client; each stands for itself.
    assert_eq!(ours("reminder-member"), all);
    for example in ["todo-api", "notification-service", "frontend-sync"] {
        let known = ["reminder-client", "reminder-contract", "reminder-domain", "reminder-member"];
        none("an example may not depend on", {
            ours(example).into_iter().filter(|name| !known.contains(&name.as_str()))
        });
    }
    assert!(!ours("xtask").contains(&"reminder-scheduler".to_owned()));
    let outside = ["tokio", "dapr", "axum", "tonic", "reqwest"];
    let contract = dependencies("reminder-contract");
    none("reminder-contract may not depend on", {
        outside.into_iter().filter(|name| contract.contains(*name)).map(str::to_owned)
    });
}

#[test]
fn one_module_reads_the_clock() {
    let mut found = Vec::new();
    for (path, text) in
        sources(&["src", "crates/domain/src", "crates/contract/src", "crates/icalendar/src"])
    {
        for (number, line) in code(&text) {
            let wall = ["Utc::now", "Local::now", "SystemTime"].iter().any(|c| line.contains(c));
            let steady = line.contains("Instant::now");
            let allowed =
                path == "src/clock.rs" || (!wall && MEASURES_DURATIONS.contains(&path.as_str()));
            if (wall || steady) && !allowed {
                found.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    none("only src/clock.rs reads the clock", found);
}

#[test]
fn only_the_dapr_module_names_the_sdk() {
    let sdk = ["dapr::", "dapr_macros", "tonic::", "prost_types::"];
    let mut found = Vec::new();
    for (path, text) in sources(&["src"]).iter().filter(|(path, _)| !path.starts_with("src/dapr/"))
    {
        for (number, line) in code(text) {
            let line = line.replace("crate::dapr::", "");
            if sdk.iter().any(|name| line.contains(name)) {
                found.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    none("only src/dapr names the SDK", found);
}

#[test]
fn the_turn_and_the_outbox_are_without_io() {
    let pure = ["src/turn/machine", "src/turn/draft.rs", "src/outbox/lanes.rs", "src/outbox/lanes"];
    let io = [".await", "async ", "tokio::", "std::fs", "std::net", "clock::"];
    let mut found = Vec::new();
    for (path, text) in sources(&pure) {
        for (number, line) in code(&text) {
            if io.iter().any(|name| line.contains(name)) {
                found.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    none("the machine decides, the driver acts", found);
}

#[test]
fn every_wait_is_a_named_constant() {
    let mut found = Vec::new();
    for (path, text) in sources(&["src"]) {
        let (text, _tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        for (number, line) in code(text) {
            let after = line.split("Duration::from_").nth(1).and_then(|rest| rest.split_once('('));
            let literal = after.is_some_and(|(_, value)| value.starts_with(char::is_numeric));
            if literal && !line.contains("const ") {
                found.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    none("deadlines, pauses and limits have names", found);
}

#[test]
fn files_say_what_they_are_for_and_are_short() {
    let mut found = Vec::new();
    for (path, text) in sources(&["src", "crates", "examples", "xtask", "tests"]) {
        if !text.starts_with("//!") {
            found.push(format!("{path} does not begin with a //! line"));
        }
        let is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
        let max = if is_test { TEST_LINES_MAX } else { LINES_MAX };
        let lines = text.lines().count();
        if lines > max {
            found.push(format!("{path} has {lines} lines, more than {max}"));
        }
    }
    none("every file is about one thing", found);
}

/// Hosts of registries that this machine is set up with, other than the public ones. They are read
/// where they are set, so that none has to stand here.
fn registry_hosts() -> BTreeSet<String> {
    let mut settings = String::new();
    for variable in ["GOPROXY", "PIP_INDEX_URL", "UV_INDEX_URL", "NPM_CONFIG_REGISTRY"] {
        settings += &std::env::var(variable).unwrap_or_default();
        settings.push('\n');
    }
    let home = std::env::var("HOME").unwrap_or_default();
    let cargo_home = std::env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    for file in [
        format!("{cargo_home}/config.toml"),
        format!("{home}/.config/pip/pip.conf"),
        format!("{home}/.m2/settings.xml"),
        format!("{home}/.npmrc"),
        "/etc/pip.conf".to_owned(),
    ] {
        settings += &std::fs::read_to_string(file).unwrap_or_default();
        settings.push('\n');
    }
    let public = ["crates.io", "golang.org", "pypi.org", "npmjs.org", "apache.org", "w3.org"];
    let hosts = settings.split("://").skip(1).map(|rest| {
        let end = rest.find(|c: char| "/\"'<,| \n".contains(c)).unwrap_or(rest.len());
        let host = rest[..end].rsplit('@').next().unwrap_or_default();
        host.split(':').next().unwrap_or_default().to_owned()
    });
    let known = |host: &String| public.iter().any(|public| host.ends_with(public));
    // Loopback stands in tests for good reasons; a bare name would match all sorts of words.
    let telling = |host: &String| host.contains('.') && !host.starts_with("127.");
    hosts.filter(|host| telling(host) && !known(host)).collect()
}

#[test]
fn no_file_names_a_machine_or_its_registries() {
    let hosts = registry_hosts();
    // As good as unique, unless the workspace lies right below the root of the file system.
    let here = root().to_str().filter(|here| here.matches('/').count() > 1);
    let mut found = Vec::new();
    for path in files() {
        let this = path == Path::new("tests/architecture.rs");
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        let machine = MACHINE_PATHS.iter().copied().filter(|_| !this).chain(here);
        for needle in machine.chain(hosts.iter().map(String::as_str)) {
            if text.contains(needle) {
                found.push(format!("{} names {needle}", path.display()));
            }
        }
    }
    none("the repository is the same everywhere", found);
}
