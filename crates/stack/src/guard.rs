//! What one `up` has started, so that it can be undone: when a part fails, and when the caller
//! loses patience and drops the future.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::part::{Part, Signal};
use crate::parts;
use crate::stack::Stack;

/// How long parts may take to finish when the caller has gone; then they are killed.
const FINISH: Duration = Duration::from_secs(5);

/// Between two looks whether they have.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(crate) struct Started {
    stack: Stack,
    parts: Mutex<Vec<Part>>,
}

impl Started {
    pub(crate) fn new(stack: Stack) -> Self {
        Self { stack, parts: Mutex::default() }
    }

    /// Remembers a part, before it is started.
    pub(crate) fn note(&self, part: Part) {
        self.lock().push(part);
    }

    /// All went well: nothing is undone.
    pub(crate) fn keep(self) -> Vec<Part> {
        self.take()
    }

    /// Stops what was started, the last first.
    pub(crate) async fn undo(self) {
        for part in self.take().into_iter().rev() {
            // The failure that led here matters more than one of the clean-up.
            self.stack.stop(part).await.ok();
        }
    }

    fn take(&self) -> Vec<Part> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Part>> {
        self.parts.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Started {
    /// Nobody can be awaited here, so this blocks, for a bounded time and only after an
    /// interruption.
    fn drop(&mut self) {
        let parts = self.take();
        let Ok(manifest) = self.stack.manifest() else { return };
        let alive = || parts.iter().filter_map(|part| Some((*part, manifest.alive(*part)?)));
        for (part, process) in alive() {
            process.signal_tree(Signal::Cont);
            process.ask_to_finish(parts::finish(part).0);
        }
        let deadline = Instant::now() + FINISH;
        while alive().next().is_some() && Instant::now() < deadline {
            thread::sleep(LOOK_EVERY);
        }
        for (_, process) in alive() {
            process.signal_tree(Signal::Kill);
        }
    }
}
