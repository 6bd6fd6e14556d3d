//! Places for turns: how many run at the same time, and how many may wait for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A bounded number of places, with a queue before them that is bounded as well.
#[derive(Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

/// So many wait already that one more is turned away at once: it would only wait in vain, and what it
/// carries takes memory meanwhile.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

impl Places {
    pub(crate) fn new(places: usize, waiting_max: usize) -> Self {
        let free = Arc::new(Semaphore::new(places));
        Self { free, waiting: AtomicUsize::new(0), waiting_max }
    }

    /// How many wait for a place.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Takes a place, waiting for it if need be. It is given back when it is dropped.
    pub(crate) async fn take(&self) -> Result<OwnedSemaphorePermit, Crowded> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::enter(&self.waiting, self.waiting_max)?;
        // The semaphore is never closed, so this only ever waits.
        Arc::clone(&self.free).acquire_owned().await.map_err(|_| Crowded)
    }
}

/// One that waits, until it is dropped: when it has its place, or gives up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize, max: usize) -> Result<Self, Crowded> {
        let entered = waiting.fetch_add(1, Ordering::AcqRel) < max;
        let guard = Self(waiting);
        if entered { Ok(guard) } else { Err(Crowded) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn only_so_many_wait_and_the_next_is_turned_away_at_once() {
        let places = Places::new(1, 2);
        let mut context = Context::from_waker(Waker::noop());
        let first = pin!(places.take()).poll(&mut context);
        assert!(matches!(first, Poll::Ready(Ok(_))));
        {
            let mut second = pin!(places.take());
            let mut third = pin!(places.take());
            assert!(second.as_mut().poll(&mut context).is_pending());
            assert!(third.as_mut().poll(&mut context).is_pending());
            let fourth = pin!(places.take()).poll(&mut context);
            assert!(matches!(fourth, Poll::Ready(Err(Crowded))));
            drop(first);
            assert!(matches!(second.poll(&mut context), Poll::Ready(Ok(_))), "in their order");
        }
        // Who gave up waits no more.
        let _held = pin!(places.take()).poll(&mut context);
        let mut fifth = pin!(places.take());
        let mut sixth = pin!(places.take());
        assert!(fifth.as_mut().poll(&mut context).is_pending());
        assert!(sixth.as_mut().poll(&mut context).is_pending());
        assert_eq!(places.waiting(), 2);
    }
}
