//! Judges that a command has registered its wake before it commits.

use crate::judge::Verdict;
use crate::plan::Class;
use reminder_domain::TaskId;

/// What is known of the wake where a commit is judged.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    /// The arm horizon, in ms.
    pub horizon_ms: Option<i64>,
    /// The registration that the scheduler has, and has not been answered for.
    pub registered: Option<Registered>,
    /// What may go wrong.
    pub class: Class,
}

/// A registration as it was asked for, in ms after the start. When the scheduler tries next is no part
/// of it: a try that was not answered is repeated later, and the wake is no less registered for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The time that was asked for.
    pub for_ms: i64,
    /// When it took effect.
    pub made_ms: i64,
}

impl Near {
    /// A command registers an earlier wake before it commits: should the process die in between, there
    /// is a wake in vain, and never a task without one. Judged where nothing but crashes interferes.
    pub fn registered_first(&self, task: &TaskId, due: i64, decided: i64) -> Verdict {
        let is_near = self.horizon_ms.is_none_or(|horizon| due - decided <= horizon);
        if self.class != Class::CrashesOnly || !is_near {
            return Ok(());
        }
        // What lay in the past when the command was decided was used up for all that it could know,
        // even where the scheduler happens to be repeating it.
        let counts = |wake: Registered| wake.made_ms >= decided || wake.for_ms > decided;
        match self.registered {
            Some(wake) if wake.for_ms <= due && counts(wake) => Ok(()),
            registered => Err(format!(
                "{task}: decided at {decided}, committed with a wake at {due}, and there was \
                 {registered:?}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A command that is decided at 27,961 and leads to a wake at 28,000.
    fn judged(registered: Option<(i64, i64)>) -> Verdict {
        let task = TaskId::parse("t1").expect("a letter and a number");
        let registered = registered.map(|(for_ms, made_ms)| Registered { for_ms, made_ms });
        let near = Near { horizon_ms: None, registered, class: Class::CrashesOnly };
        near.registered_first(&task, 28_000, 27_961)
    }

    #[test]
    fn a_registration_counts_however_late_the_commit_lands() {
        // Seed 323584: the commit landed at 28,729; the wake had been tried at 28,000, was not
        // answered since the process died, and came again at 29,000.
        assert_eq!(judged(Some((28_000, 27_965))), Ok(()));
    }

    #[test]
    fn an_earlier_wake_that_is_still_to_come_counts() {
        assert_eq!(judged(Some((27_990, 20_000))), Ok(()));
    }

    #[test]
    fn a_wake_that_was_over_when_the_command_was_decided_does_not_count() {
        assert!(judged(Some((27_961, 20_000))).is_err());
        assert!(judged(Some((27_000, 20_000))).is_err());
    }

    #[test]
    fn a_time_that_had_passed_counts_when_it_is_registered_again() {
        assert_eq!(judged(Some((27_000, 27_965))), Ok(()));
    }

    #[test]
    fn a_later_wake_does_not_count_and_neither_does_none() {
        assert!(judged(Some((28_001, 27_965))).is_err());
        assert!(judged(None).is_err());
    }
}
