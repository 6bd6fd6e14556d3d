//! What is logged follows a file while the process runs: on Kubernetes a config map, so that one edit
//! reaches every replica and outlives restarts. There is no route for it, and nobody to be let in.

use reminder_telemetry::logs::LogFilter;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the file is read.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);

/// A longer file is no filter.
const FILTER_MAX_BYTES: usize = 4 * 1024;

/// Reads the file for ever. While there is none, or it is empty, what held at the start holds; while it
/// holds no filter, the last one does.
pub(super) async fn follow(file: PathBuf, filter: LogFilter) {
    let mut timer = tokio::time::interval(FOLLOW_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen: Result<String, String> = Ok(filter.original().to_owned());
    loop {
        timer.tick().await;
        let wanted = read(&file, filter.original()).await;
        if wanted == seen {
            continue;
        }
        match &wanted {
            Err(error) => tracing::warn!(error, "the file with the log filter cannot be used"),
            Ok(wanted) => match filter.set(wanted) {
                Ok(()) => tracing::info!(filter = wanted, "another log filter holds"),
                Err(error) => tracing::warn!(%error, "the file with the log filter cannot be used"),
            },
        }
        seen = wanted;
    }
}

/// What the file wants; `original` where it says nothing.
async fn read(file: &Path, original: &str) -> Result<String, String> {
    let file = file.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(file));
    match read.await.map_err(|error| error.to_string())? {
        Ok(text) if text.len() > FILTER_MAX_BYTES => Err("it is too long".into()),
        Ok(text) if text.trim().is_empty() => Ok(original.to_owned()),
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(original.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
