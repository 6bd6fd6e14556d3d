//! Running a tool: all it says goes to a log, and now and then a line tells that it goes on.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::ui::{self, Style, paint};

/// How often a long step says that it goes on; CI services take half a minute of silence for granted,
/// but not much more.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Longest piece of the tool's last line in a heartbeat, in characters.
const SHOWN_CHARS: usize = 90;

/// What a tool may say after it has ended: its children may hold the pipe.
const DRAIN: Duration = Duration::from_secs(5);

/// How a tool ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Whether it ended by itself and well.
    pub(super) good: bool,
    /// How, in words.
    pub(super) how: String,
    /// What it wrote to standard output.
    pub(super) lines: Vec<String>,
}

/// The log of a step; tools of one step share it.
#[derive(Debug, Clone)]
pub(super) struct Log {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

impl Log {
    /// An empty log.
    pub(super) fn create(path: PathBuf) -> Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let file = OpenOptions::new().create(true).write(true).truncate(true).open(&path);
        let file = file.with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path, file: Arc::new(Mutex::new(file)) })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its last lines.
    pub(super) fn tail(&self, lines: usize) -> Vec<String> {
        reminder_stack::logs::tail(&self.path, lines).unwrap_or_default()
    }

    fn write(&self, line: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk shows elsewhere soon enough.
        writeln!(file, "{line}").ok();
    }
}

/// Runs a tool to its end, or to the limit. Dropping the future kills it and its children.
pub(super) async fn run(mut command: Command, log: &Log, limit: Duration) -> Result<Ended> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    log.write(&format!("$ {:?}", command.as_std()));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .process_group(0);
    let mut child = command.spawn().with_context(|| format!("cannot run {program}"))?;
    let group = Group::of(&child);
    let last = Arc::new(Mutex::new(String::new()));
    let stdout = child.stdout.take().context("no standard output")?;
    let stderr = child.stderr.take().context("no standard error")?;
    let stdout = collect(stdout, log.clone(), Arc::clone(&last), true);
    let stderr = collect(stderr, log.clone(), Arc::clone(&last), false);

    let ended = tokio::select! {
        status = child.wait() => {
            let status = status.with_context(|| format!("cannot wait for {program}"))?;
            (status.success(), format!("{program} ended with {status}"))
        }
        () = sleep(limit) => (false, format!("{program} did not end within {}", ui::seconds(limit))),
        () = heartbeat(&last) => unreachable!("the heart does not stop"),
    };
    drop(group);
    let lines = timeout(DRAIN, stdout).await.map(Result::unwrap_or_default).unwrap_or_default();
    timeout(DRAIN, stderr).await.ok();
    Ok(Ended { good: ended.0, how: ended.1, lines })
}

fn collect(
    pipe: impl AsyncRead + Unpin + Send + 'static,
    log: Log,
    last: Arc<Mutex<String>>,
    keep: bool,
) -> JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let mut kept = Vec::new();
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).await.is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned();
            // Cargo's messages for machines are no reading.
            if !line.starts_with('{') {
                log.write(&line);
                if !line.trim().is_empty() {
                    last.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&line);
                }
            }
            if keep {
                kept.push(line);
            }
            bytes.clear();
        }
        kept
    })
}

async fn heartbeat(last: &Mutex<String>) {
    let began = Instant::now();
    loop {
        sleep(HEARTBEAT).await;
        let last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let shown: String = last.trim().chars().take(SHOWN_CHARS).collect();
        let text = format!("      … {} {shown}", ui::seconds(began.elapsed()));
        println!("{}", paint(Style::Quiet, text));
    }
}

/// A tool with its children, killed when we lose interest.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Usually it is empty by now.
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, limit: Duration) -> (Ended, String) {
        let name = format!("xtask-process-{}-{}", std::process::id(), script.len());
        let log = Log::create(std::env::temp_dir().join(name)).unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let ended = run(command, &log, limit).await.unwrap();
        let text = log.tail(99).join("\n");
        fs::remove_file(log.path()).unwrap();
        (ended, text)
    }

    #[tokio::test]
    async fn output_is_kept_and_logged() {
        let limit = Duration::from_secs(10);
        let (ended, log) = shell("echo one; echo two >&2; echo '{}'; exit 3", limit).await;
        assert!(!ended.good && ended.how.contains('3'), "{}", ended.how);
        assert_eq!(ended.lines, ["one", "{}"]);
        assert!(log.contains("one") && log.contains("two") && !log.contains("\n{}"), "{log}");
    }

    #[tokio::test]
    async fn a_tool_that_takes_too_long_is_ended_with_its_children() {
        let began = Instant::now();
        let (ended, _) = shell("sleep 60 & sleep 60", Duration::from_millis(300)).await;
        assert!(!ended.good && ended.how.contains("did not end"), "{}", ended.how);
        assert!(began.elapsed() < DRAIN);
    }
}
