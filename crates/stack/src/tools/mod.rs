//! Finding, installing and building the executables a stack runs on.

pub(crate) mod app;
pub(crate) mod dapr;
pub(crate) mod go;
pub(crate) mod kafka;
pub(crate) mod postgres;
pub(crate) mod version;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::files;
use crate::progress::{Progress, reminding};

/// For a tool that only answers a question.
const QUESTION_DEADLINE: Duration = Duration::from_secs(30);

/// For a download, an installation or a build; the first build of Dapr takes some four minutes.
const WORK_DEADLINE: Duration = Duration::from_secs(30 * 60);

/// Lines of a tool's output that are shown when it fails.
const SHOWN_LINES: usize = 20;

/// Runs a tool to its end; a failure shows the end of what it said.
pub(crate) async fn run(mut command: Command, limit: Duration) -> Result<Output> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(limit, command.output())
        .await
        .with_context(|| format!("{name} did not end within {limit:?}"))?
        .with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        bail!("{name} ended with {}:\n  | {}", output.status, shown.join("\n  | "));
    }
    Ok(output)
}

/// Asks a tool something; its answer is all it prints, wherever it prints it.
pub(crate) async fn ask(program: &Path, args: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(args);
    let output = run(command, QUESTION_DEADLINE).await?;
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

/// Runs a tool that may take minutes.
pub(crate) async fn work(
    progress: &Progress,
    what: &str,
    message: &str,
    command: Command,
) -> Result<Output> {
    reminding(progress, what, message, run(command, WORK_DEADLINE)).await
}

/// The first executable of that name on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    on_path_all(name).into_iter().next()
}

/// All executables of that name on PATH.
pub(crate) fn on_path_all(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|dir| dir.join(name)).filter(|file| file.is_file()).collect()
}

/// Whether we may do anything on this machine.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Parts are prepared at the same time, but dpkg serves one at a time.
/// It guards whether the package lists are up to date.
static APT: Mutex<bool> = Mutex::const_new(false);

/// Installs packages of the distribution, or says which are missing.
pub(crate) async fn install(progress: &Progress, what: &str, packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if on_path("apt-get").is_none() || !is_root() {
        bail!(
            "{what} is missing; install it (on Debian or Ubuntu: `sudo apt-get install {list}`) \
             and try again"
        );
    }
    let mut lists_are_fresh = APT.lock().await;

    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Options::=--force-confold"])
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    if !*lists_are_fresh {
        work(progress, what, "updating the package lists", apt(&["update"])).await?;
        *lists_are_fresh = true;
    }
    let message = format!("installing {list}");
    let args = [&["install", "-y", "--no-install-recommends"], packages].concat();
    work(progress, what, &message, apt(&args)).await?;
    Ok(())
}

/// Takes the lock on something that all instances share, so that it is built once.
pub(crate) async fn shared_lock(
    progress: &Progress,
    what: &str,
    path: &Path,
) -> Result<files::Lock> {
    files::lock(path, WORK_DEADLINE, || {
        crate::progress::doing(progress, what, "waiting for another process that builds it");
    })
    .await
}
