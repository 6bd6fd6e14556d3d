//! Counts the letters that are open, and forgets those that their topic has forgotten as well.
//!
//! Every replica does so: counting is a look into a narrow index, and forgetting is bounded and leaves
//! alone what another replica is forgetting.

use super::topics;
use crate::metrics::metrics;
use crate::read_model::{QueryError, ReadModel};
use std::sync::Arc;
use std::time::Duration;

/// How often it is done.
const EVERY: Duration = Duration::from_secs(15);
/// Letters forgotten by one statement.
const FORGOTTEN_PAGE: i64 = 200;
/// Such statements each time; the rest waits for the next time.
const PAGES_MAX: usize = 20;

/// How long letters are kept: as long as their topics keep them. Read again from its beginning, a topic
/// then tells of no letter that was forgotten here.
pub fn retention() -> Duration {
    topics().map(|topic| topic.retention).max().unwrap_or_default()
}

/// Counts and forgets for ever.
pub async fn keep(model: Arc<ReadModel>) {
    let mut timer = tokio::time::interval(EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut answers = true;
    loop {
        timer.tick().await;
        let done = look(&model).await;
        if let (Err(error), true) = (&done, answers) {
            tracing::warn!(%error, "cannot count the dead letters");
        }
        answers = done.is_ok();
    }
}

async fn look(model: &ReadModel) -> Result<(), QueryError> {
    let open = model.open_letters().await?;
    for topic in topics() {
        let count = open.get(topic.name).copied().unwrap_or(0);
        metrics().letters_open.get_or_create_owned(&[("topic", topic.name)]).set(count);
    }
    for _ in 0..PAGES_MAX {
        let (gone, open) = model.forget_letters(retention(), FORGOTTEN_PAGE).await?;
        if open > 0 {
            tracing::warn!(open, "dead letters were forgotten although nobody had looked at them");
        }
        if gone < usize::try_from(FORGOTTEN_PAGE).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_kept_as_long_as_their_topics_keep_them() {
        assert_eq!(retention(), Duration::from_secs(30 * 24 * 3600));
    }
}
