//! What users prefer, remembered from turn to turn, so that a new task asks nobody.
//!
//! What is remembered may be outdated. It serves only for tasks that are made, since the fence refuses a
//! first version whose copy of the preferences is not the one that the user has by then; the turn reads
//! them and decides anew. Preferences change seldom, so nearly always that is one question less. A user who was
//! erased and speaks again begins above all earlier versions, so what is remembered never passes for the new ones.

use super::effect::Outcome;
use crate::ports::Users;
use hashlink::LruCache;
use reminder_domain::ids::Person;
use reminder_domain::preferences::KnownPreferences;
use std::sync::{Arc, Mutex, PoisonError};

/// Users who are remembered, some hundred bytes each; those not asked about for the longest time go first.
const REMEMBERED_MAX: usize = 10_000;

/// Preferences by user.
pub(super) struct Recall {
    users: Arc<dyn Users>,
    remembered: Mutex<LruCache<Person, KnownPreferences>>,
}

impl Recall {
    /// Nothing is remembered yet.
    pub(super) fn new(users: Arc<dyn Users>) -> Self {
        Self { users, remembered: Mutex::new(LruCache::new(REMEMBERED_MAX)) }
    }

    /// What a user prefers: as it is remembered, if that will do, or as it is read.
    pub(super) async fn preferences(&self, user: &Person, may_be_old: bool) -> Outcome {
        if may_be_old && let Some(known) = self.remembered(|known| known.get(user).cloned()) {
            return Outcome::Recalled(Box::new(known));
        }
        match self.users.preferences(user).await {
            Ok(known) => {
                self.remembered(|all| all.insert(user.clone(), known.clone()));
                Outcome::Preferences(Box::new(known))
            }
            Err(error) => Outcome::Failed(error.0),
        }
    }

    /// Where it is read, for what is not remembered.
    pub(super) fn read(&self) -> &dyn Users {
        &*self.users
    }

    fn remembered<T>(&self, work: impl FnOnce(&mut LruCache<Person, KnownPreferences>) -> T) -> T {
        // Nobody panics while holding it, and there is nothing to be half done.
        work(&mut self.remembered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
