//! What we depend on: licences, sources, advisories; and what is in each service, as a document.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use reminder_contract::names::{FRONTEND_APP_ID, NOTIFICATION_APP_ID, TODO_API_APP_ID};
use tokio::process::Command;

use super::binaries::show;
use super::parse::Counts;
use super::process::{self, Log};
use super::setup;
use super::work::Outcome;
use crate::sbom;

/// What images are made of.
const SERVICES: [&str; 4] =
    ["reminder-scheduler", FRONTEND_APP_ID, NOTIFICATION_APP_ID, TODO_API_APP_ID];

/// Where the documents go, below the workspace.
const FOLDER: &str = "target/sbom";

/// What validates them.
const VALIDATOR: &str = "tests/supply/validate.py";

/// How cargo-deny says that it cannot get the advisories, within its last so many lines.
const NO_ADVISORIES: &str = "failed to fetch advisory database";
const TOLD_LINES: usize = 20;

const DEADLINE: Duration = Duration::from_secs(5 * 60);

/// Runs all of it.
pub(super) async fn check(log: &Log, root: &Path) -> Result<Outcome> {
    let python = setup::python(log, root).await?;
    let deny = python.with_file_name("cargo-deny");
    let judged = async |what: &[&str]| {
        let mut command = Command::new(&deny);
        command.current_dir(root).args(["--workspace", "--all-features", "check"]).args(what);
        process::run(command, log, DEADLINE).await
    };
    let dependencies = judged(&["bans", "licenses", "sources"]).await?;
    if !dependencies.good {
        show(log);
        return Ok(Outcome::failed(Counts::check(false), dependencies.how));
    }
    let mut counts = Counts::check(true);
    let advisories = judged(&["advisories"]).await?;
    // It says so as an error, which only the log has.
    let said = log.tail(TOLD_LINES);
    let unknown = !advisories.good && said.iter().any(|line| line.contains(NO_ADVISORIES));
    let note = unknown.then(|| "the advisories could not be had".to_owned());
    if !advisories.good && !unknown {
        show(log);
        return Ok(Outcome::failed(counts, advisories.how));
    }
    counts = counts.plus(if unknown { Counts::default() } else { Counts::check(true) });
    let documents = documents(log, root, &python).await?;
    if !documents.good {
        show(log);
        return Ok(Outcome::failed(counts, documents.how));
    }
    Ok(Outcome { note, ..Outcome::of(counts.plus(Counts::check(true))) })
}

/// Writes the document of each service, and has all of them validated.
async fn documents(log: &Log, root: &Path, python: &Path) -> Result<process::Ended> {
    std::fs::create_dir_all(root.join(FOLDER))?;
    let mut validate = Command::new(python);
    validate.arg(root.join(VALIDATOR));
    for service in SERVICES {
        let document = sbom::of(root, service, sbom::TARGET).await?;
        let file = root.join(FOLDER).join(format!("{service}.cdx.json"));
        std::fs::write(&file, serde_json::to_string_pretty(&document)?)?;
        validate.arg(file);
    }
    process::run(validate, log, DEADLINE).await
}
