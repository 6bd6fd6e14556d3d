//! The states that are kept between turns, packed, and no more of them than there is room for.

use super::packed::Packed;
use hashlink::LruCache;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where states are kept. Of too many, those go whose actors have had no turn for the longest time.
#[derive(Clone, Debug)]
pub(super) struct Shelf(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    texts: LruCache<u64, Packed>,
    /// The number of the last one; none is given twice, so a place is never somebody else's.
    last: u64,
}

/// One state on the shelf, as long as it is not taken or pushed out. Dropped, it frees its place.
#[derive(Debug)]
pub(super) struct Place {
    shelf: Shelf,
    number: u64,
}

impl Shelf {
    /// One with room for so many.
    pub(super) fn new(room: usize) -> Self {
        Self(Arc::new(Mutex::new(Kept { texts: LruCache::new(room), last: 0 })))
    }

    /// Keeps a text, in place of the oldest one if there is no room.
    pub(super) fn keep(&self, text: Packed) -> Place {
        let mut kept = self.lock();
        kept.last += 1;
        let number = kept.last;
        kept.texts.insert(number, text);
        Place { shelf: self.clone(), number }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Whatever a panic has left of it, a text that is there is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().texts.len()
    }
}

impl Place {
    /// What was kept, unless it had to make room.
    pub(super) fn take(self) -> Option<Packed> {
        self.shelf.lock().texts.remove(&self.number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shelf.lock().texts.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Packed {
        Packed::of(text.as_bytes())
    }

    #[test]
    fn what_is_kept_is_taken_once_and_frees_its_place_also_when_nobody_takes_it() {
        let shelf = Shelf::new(2);
        let (a, b) = (shelf.keep(text("a")), shelf.keep(text("b")));
        assert_eq!((shelf.len(), a.take()), (2, Some(text("a"))));
        assert_eq!(shelf.len(), 1);
        drop(b);
        assert_eq!(shelf.len(), 0);
    }

    #[test]
    fn of_too_many_the_oldest_goes_and_the_newest_stays() {
        let shelf = Shelf::new(2);
        let places = ["a", "b", "c"].map(|of| shelf.keep(text(of)));
        assert_eq!(shelf.len(), 2);
        let taken = places.map(Place::take);
        assert_eq!(taken, [None, Some(text("b")), Some(text("c"))]);
    }
}
