//! Wakes that are put off, since more came than can wait with their callers: a herd.
//!
//! Dapr's scheduler hands all wakes of a moment to the sidecar at once, and each that waits for its turn
//! holds one of the sidecar's connections to this service. Commands of that time would wait behind all
//! of them, until their callers give up. So a wake that is one too many is answered at once, and its
//! turn comes when there is a place. Should the process die first, the task is overdue like any other
//! whose wake was lost, and the audit settles it.

use super::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Wakes that are put off at most, some 10 MiB. Beyond that they wait with their callers.
const PUT_OFF_MAX: usize = 100_000;

/// Actors whose wakes were answered and are still to be done, first come, first served.
#[derive(Debug)]
pub(super) struct PutOff {
    queue: Mutex<Queue>,
    runners_max: usize,
}

#[derive(Debug, Default)]
struct Queue {
    cells: VecDeque<Arc<Cell>>,
    /// How many work it off now.
    runners: usize,
}

/// What became of one that is one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It waits; somebody works them off.
    Waits,
    /// It waits, and one more should work them off.
    NeedsRunner,
    /// So many are put off already that it has to wait with its caller.
    Refused,
}

impl PutOff {
    /// A queue that so many work off at the same time.
    pub(super) fn new(runners_max: usize) -> Self {
        Self { queue: Mutex::default(), runners_max }
    }

    pub(super) fn put(&self, cell: &Arc<Cell>) -> Put {
        let mut queue = self.lock();
        if queue.cells.len() >= PUT_OFF_MAX {
            return Put::Refused;
        }
        queue.cells.push_back(Arc::clone(cell));
        if queue.runners >= self.runners_max {
            return Put::Waits;
        }
        queue.runners += 1;
        Put::NeedsRunner
    }

    /// The next one, for a runner; `None` ends it.
    pub(super) fn next(&self) -> Option<Arc<Cell>> {
        let mut queue = self.lock();
        let next = queue.cells.pop_front();
        if next.is_none() {
            queue.runners -= 1;
        }
        next
    }

    /// Leaves all of them to the audit; how many there were.
    pub(super) fn abandon(&self) -> usize {
        std::mem::take(&mut self.lock().cells).len()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nobody panics while holding it, and there is nothing to be half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_domain::TaskId;

    fn cell(id: &str) -> Arc<Cell> {
        Cell::new(TaskId::parse(id).unwrap())
    }

    #[test]
    fn each_is_done_once_in_its_order_by_as_many_as_may() {
        let put_off = PutOff::new(2);
        assert_eq!(put_off.put(&cell("a")), Put::NeedsRunner);
        assert_eq!(put_off.put(&cell("b")), Put::NeedsRunner);
        assert_eq!(put_off.put(&cell("c")), Put::Waits);
        let ids: Vec<String> =
            std::iter::from_fn(|| put_off.next()).map(|cell| cell.id().to_string()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        // One runner has ended, the other one has not asked yet.
        assert_eq!(put_off.put(&cell("d")), Put::NeedsRunner);
        assert_eq!(put_off.put(&cell("e")), Put::Waits);
        assert_eq!(put_off.abandon(), 2);
        assert!(put_off.next().is_none());
    }

    #[test]
    fn there_is_a_bound() {
        let (put_off, one) = (PutOff::new(1), cell("a"));
        for _ in 0..PUT_OFF_MAX {
            assert_ne!(put_off.put(&one), Put::Refused);
        }
        assert_eq!(put_off.put(&one), Put::Refused);
    }
}
