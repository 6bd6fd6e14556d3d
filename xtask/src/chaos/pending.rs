//! What a script has yet to see fire. A moment that is overdue is waited for before it is called off,
//! as by somebody who looks at what rings: else nobody could say whether it had to fire.

use std::collections::BTreeSet;

use super::consumer::Seen;
use super::history::Ms;
use super::model::NEAR_MS;

/// So long after a moment is owed a command may be sent without having seen it, in milliseconds. The
/// judge allows for more, for a command has to be sent as well.
const OVERLOOKED_MS: Ms = NEAR_MS / 2;

/// The moments of one task.
#[derive(Debug, Default)]
pub(super) struct Pending {
    moments: BTreeSet<Seen>,
    /// When the command was answered that asked for them.
    promised: Ms,
}

impl Pending {
    /// A `put` asks for these.
    pub(super) fn asked(&mut self, moments: BTreeSet<Seen>) {
        self.moments = moments;
    }

    /// The `put` was answered.
    pub(super) const fn promised(&mut self, at: Ms) {
        self.promised = at;
    }

    /// One has fired, and stands for earlier ones of its reminder.
    pub(super) fn fired(&mut self, (reminder, at): &Seen) {
        self.moments.retain(|(other, moment)| other != reminder || moment > at);
    }

    /// What was due until then is called off, or all of it.
    pub(super) fn called_off(&mut self, until: Ms) {
        self.moments.retain(|(_, at)| *at > until);
    }

    /// Whether all of them have fired.
    pub(super) fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// Whether one should have fired a while ago.
    pub(super) fn is_overdue(&self, now: Ms) -> bool {
        self.moments.iter().any(|(_, at)| self.promised.max(*at) + OVERLOOKED_MS < now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(reminder: &str, at: Ms) -> Seen {
        (reminder.to_owned(), at)
    }

    #[test]
    fn a_moment_is_overdue_a_while_after_it_is_owed_until_it_fires() {
        let mut pending = Pending::default();
        pending.asked(BTreeSet::from([seen("a", 5_000), seen("a", 9_000), seen("b", 6_000)]));
        pending.promised(5_500);
        let limit = 5_500 + OVERLOOKED_MS;
        assert!(!pending.is_overdue(limit) && pending.is_overdue(limit + 1));
        pending.fired(&seen("b", 6_000));
        assert!(pending.is_overdue(limit + 1));
        pending.fired(&seen("a", 9_000));
        assert!(pending.is_empty() && !pending.is_overdue(Ms::MAX));
    }

    #[test]
    fn what_is_called_off_is_not_waited_for() {
        let mut pending = Pending::default();
        pending.asked(BTreeSet::from([seen("a", 5_000), seen("a", 9_000)]));
        pending.called_off(8_000);
        assert!(!pending.is_overdue(9_000) && !pending.is_empty());
        pending.called_off(Ms::MAX);
        assert!(pending.is_empty());
    }
}
