//! Whether a put of a task that this process knows nothing of is likely to make a new one.
//!
//! Taking that for granted spares the read, for the fence refuses a first version of a task that is there.
//! A wrong guess costs a write that is refused, and the read after it; so it is made only where nearly all
//! such puts came to new tasks lately, as they do where each task has an id of its own from its start.

use super::effect::Reply;
use std::sync::atomic::{AtomicU32, Ordering};

/// All of them.
const WHOLE: u32 = 1 << 16;
/// The share of new ones from which on it is taken for granted, of [`WHOLE`].
const LIKELY: u32 = WHOLE / 10 * 9;
/// How much each put counts against those before it: one in so many.
const MEMORY: u32 = 16;

/// The share of new tasks among the last puts, the later ones counting more.
#[derive(Debug, Default)]
pub(super) struct Presumption(AtomicU32);

impl Presumption {
    /// Whether to take for granted that the task is new.
    pub(super) fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= LIKELY
    }

    /// Takes note of what a put came to, whether it was read first or not.
    pub(super) fn learn(&self, reply: &Reply) {
        let Reply::Answer(answer) = reply else { return };
        let Some(created) = answer.created else { return };
        let seen = if created { WHOLE } else { 0 };
        let learned = |share: u32| Some(share - share / MEMORY + seen / MEMORY);
        // Two at once may count as one: it is a guess.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, learned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_domain::Answer;

    fn put(created: bool) -> Reply {
        Reply::Answer(Answer {
            version: 1,
            status: None,
            next_reminder_at: None,
            created: Some(created),
            adjusted: Vec::new(),
        })
    }

    #[test]
    fn it_holds_after_many_new_tasks_and_not_while_one_in_five_was_there() {
        let presumption = Presumption::default();
        assert!(!presumption.holds(), "nothing is known at the start");
        for _ in 0..60 {
            presumption.learn(&put(true));
        }
        assert!(presumption.holds());
        presumption.learn(&put(false));
        assert!(presumption.holds(), "one is an exception");
        for n in 0..100 {
            presumption.learn(&put(n % 5 != 0));
        }
        assert!(!presumption.holds());
        for _ in 0..10_000 {
            presumption.learn(&put(true));
        }
        assert!(presumption.0.load(Ordering::Relaxed) <= WHOLE);
    }
}
