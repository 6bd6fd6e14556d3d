//! The executables of the workspace, built by cargo.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
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

/// Builds executables of the workspace, each called like its package, and tells where cargo has put
/// them.
pub(crate) async fn build(
    progress: &Progress,
    root: &Path,
    names: &[&str],
    release: bool,
) -> Result<BTreeMap<String, PathBuf>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let began = Instant::now();
    // Below `cargo run` and `cargo test` this names the cargo that runs us.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["build", "--message-format", "json-render-diagnostics"]);
    for name in names {
        command.args(["--package", name, "--bin", name]);
    }
    if release {
        command.arg("--release");
    }
    let list = names.join(", ");
    let output = work(progress, "app", &format!("building {list}"), command).await?;
    let mut built = BTreeMap::new();
    let messages = String::from_utf8_lossy(&output.stdout);
    for name in names {
        let path = executable(&messages, name)
            .with_context(|| format!("cargo built no executable called {name}"))?;
        built.insert((*name).to_owned(), path);
    }
    done(progress, "app", format!("built {list}"), began);
    Ok(built)
}

fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.target.as_ref().is_some_and(|target| target.name == name))
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
        let found = |text, name| executable(text, name);
        assert_eq!(found(messages, "reminder-scheduler"), Some("/t/debug/x".into()));
        assert_eq!(found(messages, "todo-api"), None);
        assert_eq!(found("", "reminder-scheduler"), None);
    }
}
