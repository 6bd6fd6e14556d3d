//! On what a benchmark ran: without it, its figures mean nothing.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use chrono::{DateTime, SecondsFormat, Utc};
use reminder_stack::Manifest;
use serde::Serialize;

/// The machine, the versions, and how busy it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    at: DateTime<Utc>,
    cpu: String,
    cores: usize,
    memory_mib: u64,
    kernel: String,
    /// Load averages of 1, 5 and 15 minutes before the first measurement.
    load_before: String,
    load_after: String,
    rustc: String,
    /// How the service was built.
    build: &'static str,
    dapr: String,
    postgres: String,
    commit: String,
    /// Settings of the service that differ from its defaults.
    settings: String,
}

impl Machine {
    /// Looks around.
    pub(crate) fn of(manifest: &Manifest, release: bool) -> Self {
        let root = &manifest.options.root;
        let settings =
            manifest.options.app_env.iter().map(|(name, value)| format!("{name}={value}"));
        Self {
            at: Utc::now(),
            cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
            cores: available_parallelism().map_or(0, usize::from),
            memory_mib: memory(&read("/proc/meminfo")),
            kernel: read("/proc/sys/kernel/osrelease"),
            load_before: load(),
            load_after: String::new(),
            rustc: ask(root, "rustc", &["--version"]),
            build: if release { "release" } else { "debug" },
            dapr: manifest.tools.dapr_version.clone(),
            postgres: manifest.tools.postgres_bin.as_ref().map_or_else(
                || "not ours".to_owned(),
                |bin| ask(root, &bin.join("postgres").to_string_lossy(), &["--version"]),
            ),
            commit: ask(root, "git", &["describe", "--always", "--dirty"]),
            settings: settings.collect::<Vec<_>>().join(" "),
        }
    }

    /// Looks at the load again, after the last measurement.
    pub(crate) fn finish(&mut self) {
        self.load_after = load();
    }

    /// For people.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("at", self.at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            (
                "machine",
                format!(
                    "{} cores, {}, {} MiB, Linux {}",
                    self.cores, self.cpu, self.memory_mib, self.kernel
                ),
            ),
            (
                "load",
                format!(
                    "{} before, {} after (1, 5, 15 minutes)",
                    self.load_before, self.load_after
                ),
            ),
            ("service", format!("{} build of {}, {}", self.build, self.commit, self.rustc)),
            ("settings", self.settings.clone()),
            (
                "runtime",
                format!(
                    "Dapr {}, {}, Kafka of the stack, all on this machine",
                    self.dapr, self.postgres
                ),
            ),
        ]
    }
}

/// The three averages.
fn load() -> String {
    read("/proc/loadavg").split_ascii_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn memory(text: &str) -> u64 {
    let kib =
        field(text, "MemTotal").and_then(|total| total.strip_suffix(" kB")?.trim().parse().ok());
    kib.map_or(0, |kib: u64| kib / 1024)
}

/// The value of the first line of that name, in files of `name: value`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    })
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn ask(folder: &Path, program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(folder).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proc_are_read() {
        let text = "processor\t: 0\nmodel name\t: A: B\nMemTotal:       2048 kB\n";
        assert_eq!(field(text, "model name").as_deref(), Some("A: B"));
        assert_eq!(memory(text), 2);
        assert_eq!(memory(""), 0);
    }
}
