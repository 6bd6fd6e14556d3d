//! Processes that outlive us: launched detached, recognised later, signalled with their children.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use rustix::process::{Pid, kill_process};
use serde::{Deserialize, Serialize};

use crate::files::ContentHash;
use crate::logs;
use crate::part::Signal;

/// Of our own environment, what a part gets to see; everything else is written in its launch.
const INHERITED: [&str; 9] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "RUST_BACKTRACE",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_INSECURE",
];

/// A user other than ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
}

/// How a process is started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: PathBuf,
    pub(crate) user: Option<User>,
    /// Files it reads at its start: when one changes, a running process is out of date.
    pub(crate) inputs: Vec<PathBuf>,
}

impl Launch {
    /// Changes when a process started now would differ from one started then.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hash = ContentHash::default();
        let program = fs::metadata(&self.program).ok().and_then(|meta| {
            let changed = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some(format!("{} {}", meta.len(), changed.as_nanos()))
        });
        hash.add(&self.program.to_string_lossy(), program.unwrap_or_default().as_bytes());
        self.args.iter().for_each(|arg| hash.add("arg", arg.as_bytes()));
        self.env.iter().for_each(|(name, value)| hash.add(name, value.as_bytes()));
        for input in &self.inputs {
            hash.add(&input.to_string_lossy(), &fs::read(input).unwrap_or_default());
        }
        hash.hex()
    }

    /// Starts it, detached from our terminal and our life.
    pub(crate) fn spawn(&self, log: &Path) -> Result<Process> {
        let output = logs::open(log).with_context(|| format!("cannot open {}", log.display()))?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs(&self.env)
            .current_dir(&self.cwd)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Or Ctrl-C on us would end it as well.
            .process_group(0);
        if let Some(user) = &self.user {
            command.uid(user.uid).gid(user.gid);
        }
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let stat = Stat::read(child.id()).context("the process was gone at once")?;
        let process = Process {
            pid: child.id(),
            start_ticks: stat.start_ticks,
            boot: boot(),
            since: Utc::now(),
            fingerprint: self.fingerprint(),
        };
        // Somebody has to collect it when it ends, or it would stay as a zombie as long as we live.
        let log = log.to_path_buf();
        std::thread::Builder::new().name(format!("reap-{}", process.pid)).spawn(move || {
            if let Ok(status) = child.wait() {
                // Worth a line, but nobody to tell if it cannot be written.
                logs::note_end(&log, &status.to_string()).ok();
            }
        })?;
        Ok(process)
    }
}

/// A process we started, by what no later process shares with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    start_ticks: u64,
    /// Which boot that was.
    boot: String,
    /// When it started, for people.
    pub since: DateTime<Utc>,
    /// Of the launch it came from.
    pub(crate) fingerprint: String,
}

impl Process {
    /// Whether it runs, or is at least stopped; a zombie does not count.
    pub fn is_alive(&self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| stat.start_ticks == self.start_ticks)
            && is_running(self.pid)
            && self.boot == boot()
    }

    /// Sends a signal to it and to all its descendants: a killed Postgres leaves no backend behind,
    /// and a stopped one has no backend that still answers. Gives their numbers.
    pub(crate) fn signal_tree(&self, signal: Signal) -> Vec<u32> {
        let signal = match signal {
            Signal::Kill => rustix::process::Signal::KILL,
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Stop => rustix::process::Signal::STOP,
            Signal::Cont => rustix::process::Signal::CONT,
        };
        if !self.is_alive() {
            return Vec::new();
        }
        // Found before the first signal, for orphans would no longer be known as descendants; and
        // parents first, so that none replaces a child it sees dying.
        let tree = descendants(self.pid);
        for pid in &tree {
            send(*pid, signal);
        }
        tree
    }

    /// Asks it alone to finish.
    pub(crate) fn ask_to_finish(&self, how: Finish) {
        if self.is_alive() {
            send(
                self.pid,
                match how {
                    Finish::Term => rustix::process::Signal::TERM,
                    Finish::Interrupt => rustix::process::Signal::INT,
                },
            );
        }
    }
}

/// How a process wants to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Term,
    /// For Postgres, where TERM means "when the last client has gone".
    Interrupt,
}

/// Whether a process of that number exists and is more than a zombie. Its first thread may be one
/// before the others have ended, and until then its ports are taken.
pub(crate) fn is_running(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let stats = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    stats.filter_map(|line| Stat::parse(&line)).any(|stat| stat.is_alive())
}

/// Whether a process of that number has ended and nobody has collected it yet.
pub(crate) fn is_zombie(pid: u32) -> bool {
    Stat::read(pid).is_some() && !is_running(pid)
}

fn send(pid: u32, signal: rustix::process::Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended in the meantime, which is as good.
        kill_process(pid, signal).ok();
    }
}

/// A process and those below it, parents first.
fn descendants(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some((pid, stat)) = pid.and_then(|pid| Some((pid, Stat::read(pid)?))) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        found.extend(children.get(&found[next]).into_iter().flatten());
        next += 1;
    }
    found
}

/// What we need of `/proc/<pid>/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    parent: u32,
    start_ticks: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(line: &str) -> Option<Self> {
        // The command, in brackets, may hold brackets and spaces itself.
        let (_, rest) = line.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            start_ticks: fields.get(19)?.parse().ok()?,
        })
    }

    fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shell(script: &str) -> Launch {
        Launch {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            cwd: "/".into(),
            ..Launch::default()
        }
    }

    #[test]
    fn stat_is_read_with_any_command_name() {
        let fields = (5..=21).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let line = format!("42 (a) b) S 7 {fields} 12345 99");
        let stat = Stat::parse(&line).unwrap();
        assert_eq!(stat, Stat { state: 'S', parent: 7, start_ticks: 12345 });
        assert!(Stat::parse("nonsense").is_none());
    }

    #[tokio::test]
    async fn a_process_is_known_killed_with_its_children_and_not_confused() {
        let folder = crate::files::scratch("process");
        let log = folder.join("x.log");
        let process = shell("sleep 60 & echo child $!; wait").spawn(&log).unwrap();
        assert!(process.is_alive());
        assert!(!Process { start_ticks: process.start_ticks + 1, ..process.clone() }.is_alive());
        assert!(!Process { boot: "other".into(), ..process.clone() }.is_alive());

        let limit = Duration::from_secs(5);
        let child = crate::probe::until(limit, || async {
            let lines = logs::tail(&log, 5).ok()?;
            lines.iter().find_map(|line| line.strip_prefix("child ")?.parse::<u32>().ok())
        });
        let child = child.await.unwrap();
        process.signal_tree(Signal::Kill);
        let gone = crate::probe::until(limit, || async {
            (!process.is_alive() && !is_running(child)).then_some(())
        });
        assert!(gone.await.is_some());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn fingerprints_follow_arguments_environment_and_inputs() {
        let folder = crate::files::scratch("fingerprint");
        let input = folder.join("input");
        fs::write(&input, "1").unwrap();
        let launch = Launch { inputs: vec![input.clone()], ..shell("true") };
        let first = launch.fingerprint();
        assert_eq!(first, launch.clone().fingerprint());
        let env = [("A".to_owned(), "b".to_owned())].into();
        assert_ne!(first, Launch { env, ..launch.clone() }.fingerprint());
        assert_ne!(first, Launch { inputs: vec![], ..launch.clone() }.fingerprint());
        fs::write(&input, "2").unwrap();
        assert_ne!(first, launch.fingerprint());
        fs::remove_dir_all(folder).unwrap();
    }
}
