//! Whose reminders shall not fire now: an operator's switch, as a value.

use reminder_domain::ids::Person;
use std::collections::BTreeSet;

/// Whose reminders shall not fire now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FiringStop {
    everyone: bool,
    users: BTreeSet<Person>,
}

impl FiringStop {
    /// A stop for everyone, or for these users, or for nobody.
    pub fn new(everyone: bool, users: impl IntoIterator<Item = Person>) -> Self {
        Self { everyone, users: users.into_iter().collect() }
    }

    /// Whether nothing fires at all.
    pub fn everyone(&self) -> bool {
        self.everyone
    }

    /// How many users it names.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// Whether the tasks of this user fire nothing.
    pub fn stops(&self, user: Option<&Person>) -> bool {
        self.everyone || user.is_some_and(|user| self.users.contains(user))
    }

    /// Whether somebody whom it stops is not stopped by the next one.
    pub fn is_released_by(&self, next: &Self) -> bool {
        let everyone = self.everyone && !next.everyone;
        everyone || (!next.everyone && !self.users.is_subset(&next.users))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(names: &[&str]) -> FiringStop {
        FiringStop::new(false, names.iter().map(|name| Person::parse(*name).unwrap()))
    }

    #[test]
    fn a_stop_concerns_everyone_or_the_users_that_it_names() {
        let ada = Person::parse("ada").unwrap();
        assert!(!FiringStop::default().stops(Some(&ada)) && !FiringStop::default().stops(None));
        assert!(
            FiringStop::new(true, []).stops(Some(&ada)) && FiringStop::new(true, []).stops(None)
        );
        assert!(users(&["ada"]).stops(Some(&ada)) && !users(&["bob"]).stops(Some(&ada)));
        assert!(!users(&["ada"]).stops(None), "a task of nobody");
    }

    #[test]
    fn only_what_lets_somebody_fire_is_a_release() {
        let (nobody, everyone) = (FiringStop::default(), FiringStop::new(true, []));
        assert!(everyone.is_released_by(&nobody) && everyone.is_released_by(&users(&["ada"])));
        assert!(users(&["ada", "bob"]).is_released_by(&users(&["bob"])));
        assert!(!users(&["ada"]).is_released_by(&everyone));
        assert!(!nobody.is_released_by(&everyone) && !everyone.is_released_by(&everyone));
    }
}
