//! The service's own executable, built by cargo.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use reminder_contract::names;
use serde::Deserialize;
use tokio::process::Command;

use super::work;
use crate::progress::{Progress, done};

/// What we need of cargo's messages.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the service and tells where cargo has put it.
pub(crate) async fn build(progress: &Progress, root: &Path, release: bool) -> Result<PathBuf> {
    let began = Instant::now();
    // Below `cargo run` and `cargo test` this names the cargo that runs us.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["build", "--package", names::APP_ID, "--bin", names::APP_ID])
        .args(["--message-format", "json-render-diagnostics"]);
    if release {
        command.arg("--release");
    }
    let output = work(progress, "app", "building the service", command).await?;
    let path = executable(&String::from_utf8_lossy(&output.stdout))
        .with_context(|| format!("cargo built no executable called {}", names::APP_ID))?;
    done(progress, "app", "built the service", began);
    Ok(path)
}

fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.target.as_ref().is_some_and(|t| t.name == names::APP_ID))
        .find_map(|message| message.executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_the_messages() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"reminder-scheduler"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"reminder-scheduler"},"executable":"/t/debug/x"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some("/t/debug/x".into()));
        assert_eq!(executable(""), None);
    }
}
