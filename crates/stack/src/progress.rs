//! How the library tells its caller what it is doing, for it prints nothing itself.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One line for whoever waits.
#[derive(Debug, Clone)]
pub struct Update {
    /// What it is about: a part, or a tool.
    pub what: String,
    /// What is happening to it, or has.
    pub message: String,
    /// How long it took; present when it is done.
    pub took: Option<Duration>,
}

/// Receives every update, from any thread.
pub type Progress = Arc<dyn Fn(&Update) + Send + Sync>;

/// For callers who do not want to know.
pub fn silent() -> Progress {
    Arc::new(|_| {})
}

/// When a long step first says that it still goes on; the pause doubles each time.
const REMIND_AFTER: Duration = Duration::from_secs(10);

/// The longest pause: nobody should wonder for longer whether anything happens.
const REMIND_AT_LEAST_EVERY: Duration = Duration::from_secs(60);

pub(crate) fn doing(
    progress: &Progress,
    what: &(impl ToString + ?Sized),
    message: impl Into<String>,
) {
    progress(&Update { what: what.to_string(), message: message.into(), took: None });
}

pub(crate) fn done(
    progress: &Progress,
    what: &(impl ToString + ?Sized),
    message: impl Into<String>,
    since: Instant,
) {
    let took = Some(since.elapsed());
    progress(&Update { what: what.to_string(), message: message.into(), took });
}

/// Runs a step that may take minutes, saying now and then for how long it has.
pub(crate) async fn reminding<T>(
    progress: &Progress,
    what: &str,
    message: &str,
    step: impl Future<Output = T>,
) -> T {
    doing(progress, what, message);
    let began = Instant::now();
    let mut pause = REMIND_AFTER;
    tokio::pin!(step);
    loop {
        if let Ok(result) = tokio::time::timeout(pause, &mut step).await {
            return result;
        }
        doing(progress, what, format!("{message} … {} s", began.elapsed().as_secs()));
        pause = REMIND_AT_LEAST_EVERY.min(pause * 2);
    }
}
