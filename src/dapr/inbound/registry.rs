//! Keeps every actor alive as long as the SDK may still use it.
//!
//! The SDK's `#[actor]` hands a method a reference out of an `Arc` that it has dropped already,
//! before the body is read. So a second `Arc` of each actor stays here until well after its
//! deactivation, and an actor that comes back meanwhile is the same one, with the same lock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long an actor outlives its deactivation: longer than any request to it can take.
const OUTLIVES_DEACTIVATION: Duration = Duration::from_secs(120);
/// How often actors are looked through for those that may go.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// How long an actor that could not do something here is looked for elsewhere: much longer than the pause before
/// the next attempt, and not for ever, since it may well be here.
const DOUBTED_FOR: Duration = Duration::from_secs(60);

/// An actor that may go and come back.
pub trait Hosted {
    /// Told when it comes back: it may have lived on another host meanwhile.
    fn forget(&self);
}

/// The actors of one type in this process.
#[derive(Debug)]
pub struct Registry<A> {
    actors: Mutex<HashMap<String, Entry<A>>>,
}

#[derive(Debug)]
struct Entry<A> {
    actor: Arc<A>,
    deactivated: Option<Instant>,
    doubted: Option<Instant>,
}

impl<A> Default for Registry<A> {
    fn default() -> Self {
        Self { actors: Mutex::default() }
    }
}

impl<A: Hosted> Registry<A> {
    /// The actor of this id, made by `make` if it is not here.
    pub fn activate(&self, id: &str, make: impl FnOnce() -> A) -> Arc<A> {
        let mut actors = self.lock();
        if let Some(entry) = actors.get_mut(id) {
            entry.actor.forget();
            (entry.deactivated, entry.doubted) = (None, None);
            return Arc::clone(&entry.actor);
        }
        let actor = Arc::new(make());
        let entry = Entry { actor: Arc::clone(&actor), deactivated: None, doubted: None };
        actors.insert(id.to_owned(), entry);
        actor
    }

    /// The actor of this id, if the sidecar has it here, as far as is known.
    pub fn active(&self, id: &str) -> Option<Arc<A>> {
        let actors = self.lock();
        let entry = actors.get(id).filter(|entry| entry.deactivated.is_none())?;
        let doubted = entry.doubted.is_some_and(|since| since.elapsed() < DOUBTED_FOR);
        (!doubted).then(|| Arc::clone(&entry.actor))
    }

    /// Notes that the sidecar may not have an actor here any more: one that was killed deactivates none, and its
    /// successor may have found the actor another home.
    pub fn doubt(&self, id: &str) {
        if let Some(entry) = self.lock().get_mut(id) {
            entry.doubted = Some(Instant::now());
        }
    }

    /// Notes that the sidecar deactivated an actor.
    pub fn deactivate(&self, id: &str) {
        if let Some(entry) = self.lock().get_mut(id) {
            entry.deactivated = Some(Instant::now());
        }
    }

    /// Lets go of the actors that were deactivated long enough ago.
    pub fn sweep(&self) {
        self.lock().retain(|_, entry| {
            entry.deactivated.is_none_or(|since| since.elapsed() < OUTLIVES_DEACTIVATION)
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry<A>>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Hosted for Nobody {
        fn forget(&self) {}
    }

    #[tokio::test(start_paused = true)]
    async fn an_actor_in_doubt_is_not_taken_for_active_until_it_is_activated_or_after_a_while() {
        let registry = Registry::default();
        registry.activate("a", || Nobody);
        assert!(registry.active("a").is_some());
        registry.doubt("a");
        assert!(registry.active("a").is_none());
        registry.sweep();
        registry.activate("a", || panic!("it is still here"));
        assert!(registry.active("a").is_some());
        registry.doubt("a");
        tokio::time::advance(DOUBTED_FOR).await;
        assert!(registry.active("a").is_some());
    }
}
