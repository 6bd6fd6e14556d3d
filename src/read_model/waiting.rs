//! Says what is waited for: at once when it changes, and now and then while it lasts.

use std::time::Duration;
use tokio::time::Instant;

/// How often a reason that lasts is logged again.
const REPEAT_AFTER: Duration = Duration::from_secs(30);
/// The first pause after a reason came up.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// The longest pause; the database and Dapr's table come within seconds of each other.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// The current reason, and how long to pause for it.
pub(super) struct Waiting<'a> {
    tell: &'a (dyn Fn(&str) + Sync),
    since: Instant,
    reason: String,
    logged: Option<Instant>,
    pause: Duration,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(tell: &'a (dyn Fn(&str) + Sync)) -> Self {
        let since = Instant::now();
        Self { tell, since, reason: String::new(), logged: None, pause: PAUSE_FIRST }
    }

    /// Notes the reason and returns how long to pause: doubling while it stays the same.
    pub(super) fn note(&mut self, reason: String) -> Duration {
        let now = Instant::now();
        if self.reason == reason {
            self.pause = (self.pause * 2).min(PAUSE_MAX);
        } else {
            self.reason = reason;
            self.pause = PAUSE_FIRST;
            self.logged = None;
            (self.tell)(&self.reason);
        }
        if self.logged.is_none_or(|at| now.duration_since(at) >= REPEAT_AFTER) {
            self.logged = Some(now);
            let elapsed = now.duration_since(self.since);
            tracing::info!(?elapsed, reason = self.reason, "waiting");
        }
        self.pause
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    pub(super) fn into_reason(self) -> String {
        self.reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn a_reason_is_told_once_and_its_pauses_grow() {
        let told = Mutex::new(Vec::new());
        let tell = |reason: &str| told.lock().unwrap().push(reason.to_owned());
        let mut waiting = Waiting::new(&tell);
        let pauses: Vec<Duration> = (0..8).map(|_| waiting.note("a".into())).collect();
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(pauses.last(), Some(&PAUSE_MAX));
        assert_eq!(waiting.note("b".into()), PAUSE_FIRST);
        assert_eq!(*told.lock().unwrap(), ["a", "b"]);
    }
}
