//! The settings of retention: how long what is over is kept.

use super::Check;
use super::parse::positive;
use crate::retention::settings::{EVERY_MIN, Settings, TOPICS_KEEP};
use clap::Args;
use reminder_domain::Retention;
use std::time::Duration;

/// How long what is over is kept. Texts are checked by [`RetentionArgs::checked`].
#[derive(Args, Clone, Debug)]
pub struct RetentionArgs {
    /// How long a completed task is kept after its last change, such as 90d, or "off": for ever
    #[arg(long = "retention-completed", env = "RETENTION_COMPLETED", default_value = "off")]
    completed: String,
    /// How long it is remembered that a task was deleted, or "off": for ever. Shorter than topics keep
    /// their records, an old event that is delivered again may bring the task back
    #[arg(long = "retention-tombstones", env = "RETENTION_TOMBSTONES", default_value = "8d")]
    tombstones: String,
    /// How long the history of a task's reminders is kept, or "off": as long as there is room. What is
    /// older goes with the task's next change
    #[arg(long = "retention-history", env = "RETENTION_HISTORY", default_value = "off")]
    history: String,
    /// How often Dapr's scheduler has what is over purged
    #[arg(long = "retention-every", env = "RETENTION_EVERY", default_value = "1h")]
    every: String,
}

impl RetentionArgs {
    /// How long what is over is kept.
    pub(super) fn checked(&self, check: &mut Check) -> Settings {
        let completed = kept_ms(&self.completed);
        let tombstones = kept_ms(&self.tombstones);
        let history = kept_ms(&self.history);
        let retention = Retention {
            completed_ms: check.get("RETENTION_COMPLETED", completed, None),
            tombstones_ms: check.get("RETENTION_TOMBSTONES", tombstones, None),
        };
        let history_ms = check.get("RETENTION_HISTORY", history, None);
        let every = check.get("RETENTION_EVERY", every(&self.every), EVERY_MIN);
        Settings { retention, history_ms, every }
    }

    /// The same for a command that only purges.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn retention(&self) -> Result<Retention, super::InvalidConfig> {
        let mut check = Check::default();
        let settings = self.checked(&mut check);
        if check.0.is_empty() { Ok(settings.retention) } else { Err(super::InvalidConfig(check.0)) }
    }
}

fn kept_ms(text: &str) -> Result<Option<i64>, String> {
    if text == "off" {
        return Ok(None);
    }
    let kept =
        positive(text).map_err(|reason| format!("is neither \"off\" nor usable: it {reason}"))?;
    i64::try_from(kept.as_millis()).map(Some).map_err(|_| "is too long; use off".into())
}

fn every(text: &str) -> Result<Duration, String> {
    let every = positive(text)?;
    // Dapr's scheduler counts in whole seconds.
    if every < EVERY_MIN || every.subsec_nanos() != 0 {
        return Err("must be whole seconds, one at least".into());
    }
    Ok(every)
}

/// Says once that tombstones go while what they guard against may still come.
pub(crate) fn warn_if_short(retention: Retention) {
    let topics_keep_ms = i64::try_from(TOPICS_KEEP.as_millis()).unwrap_or(i64::MAX);
    if retention.tombstones_ms.is_some_and(|kept| kept < topics_keep_ms) {
        tracing::warn!(
            "RETENTION_TOMBSTONES is shorter than topics keep their records: an old event that is \
             delivered again may bring back a deleted task"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(completed: &str, tombstones: &str, every: &str) -> Result<Settings, Vec<String>> {
        let args = RetentionArgs {
            completed: completed.into(),
            tombstones: tombstones.into(),
            history: "off".into(),
            every: every.into(),
        };
        let mut check = Check::default();
        let settings = args.checked(&mut check);
        if check.0.is_empty() { Ok(settings) } else { Err(check.0) }
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let settings = checked("off", "8d", "1h").unwrap();
        assert_eq!(settings.retention.tombstones_ms, Some(8 * 86_400_000));
        assert_eq!(settings.retention.completed_ms, None);
        let wrong = checked("soon", "0s", "1500ms").unwrap_err();
        let names = ["RETENTION_COMPLETED", "RETENTION_TOMBSTONES", "RETENTION_EVERY"];
        assert!(wrong.iter().zip(names).all(|(text, name)| text.starts_with(name)), "{wrong:?}");
    }
}
