//! A stack for the time of one command: one that runs already is left running, any other is stopped
//! afterwards.

use anyhow::{Context, Result, bail};
use reminder_stack::{Manifest, Options, Stack};

use crate::ui;

/// A stack, and whether it is ours to stop.
pub(crate) struct Session {
    stack: Stack,
    ours: bool,
}

impl Session {
    /// Brings an instance up.
    pub(crate) async fn up(options: Options) -> Result<Self> {
        let ours = !is_running(&options);
        let stack = tokio::select! {
            stack = Stack::up(options, ui::progress()) => stack?,
            () = interrupted() => bail!("interrupted; what was started is stopped again"),
        };
        Ok(Self { stack, ours })
    }

    /// The stack.
    pub(crate) const fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Whether nothing of it ran before.
    pub(crate) const fn is_ours(&self) -> bool {
        self.ours
    }

    /// Does something with the stack; Ctrl-C ends it early.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            result = work => result,
            () = interrupted() => bail!("interrupted"),
        }
    }
}

/// Whether any part of an instance runs.
pub(crate) fn is_running(options: &Options) -> bool {
    let Ok(manifest) = Manifest::read(&options.dir()) else { return false };
    manifest.parts().into_iter().any(|part| manifest.alive(part).is_some())
}

/// Returns when somebody wants us to end.
pub(crate) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()).context("no handler for SIGTERM") {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
