//! How much is tried at the same time: in all, and to one receiver.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Attempts to one receiver at a time: one that does not answer must not have all places.
const PER_RECEIVER: usize = 2;

/// Receivers that are remembered before those nobody goes to are forgotten.
const REMEMBERED_MAX: usize = 1_024;

/// Places for attempts.
pub(crate) struct Crowd {
    all: Arc<Semaphore>,
    receivers: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place; leaving it is dropping it.
#[derive(Debug)]
pub(crate) struct Place {
    _of_all: Option<OwnedSemaphorePermit>,
    _of_receiver: Option<OwnedSemaphorePermit>,
}

impl Crowd {
    /// With so many places.
    pub(crate) fn new(places: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(places.max(1))), receivers: Mutex::default() }
    }

    /// Waits for a place. First one at the receiver, so that who waits for a slow one takes no place
    /// from others.
    pub(crate) async fn enter(&self, receiver: &str) -> Place {
        let places = self.places_of(receiver);
        // Neither is ever closed, so there is always a permit in the end.
        let of_receiver = places.acquire_owned().await.ok();
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok();
        Place { _of_all: of_all, _of_receiver: of_receiver }
    }

    fn places_of(&self, receiver: &str) -> Arc<Semaphore> {
        let mut receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        if receivers.len() >= REMEMBERED_MAX {
            receivers.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let places = receivers.entry(receiver.to_owned());
        Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(PER_RECEIVER))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    fn has_place(crowd: &Crowd, receiver: &str) -> Option<Place> {
        let mut entering = pin!(crowd.enter(receiver));
        match entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(place) => Some(place),
            std::task::Poll::Pending => None,
        }
    }

    #[test]
    fn a_slow_receiver_leaves_places_to_others() {
        let crowd = Crowd::new(3);
        let mut slow = vec![has_place(&crowd, "slow").unwrap(), has_place(&crowd, "slow").unwrap()];
        assert!(has_place(&crowd, "slow").is_none());
        let other = has_place(&crowd, "other");
        assert!(other.is_some() && has_place(&crowd, "third").is_none());
        slow.pop();
        assert!(has_place(&crowd, "slow").is_some());
    }

    #[test]
    fn receivers_that_nobody_goes_to_are_forgotten() {
        let crowd = Crowd::new(3);
        let _kept = has_place(&crowd, "kept").unwrap();
        for n in 0..3 * REMEMBERED_MAX {
            drop(has_place(&crowd, &format!("receiver {n}")));
        }
        let receivers = crowd.receivers.lock().unwrap();
        assert!(receivers.len() <= REMEMBERED_MAX && receivers.contains_key("kept"));
    }
}
