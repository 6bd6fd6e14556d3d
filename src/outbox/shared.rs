//! The outbox as the ledger of a turn: taken for each question by itself. A decision between two of them may go through
//! thousands of occurrences, and nobody else shall wait for that.

use super::lanes::Outbox;
use crate::turn::draft::{Ledger, Standing};
use reminder_domain::state::Stamp;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// See the module.
#[derive(Debug)]
pub struct SharedLedger<'a>(&'a Mutex<Outbox>);

impl<'a> SharedLedger<'a> {
    pub(super) fn new(outbox: &'a Mutex<Outbox>) -> Self {
        Self(outbox)
    }

    fn take(&self) -> MutexGuard<'a, Outbox> {
        // As in `Publisher::outbox`.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for SharedLedger<'_> {
    fn epoch(&self) -> u64 {
        self.take().epoch()
    }

    fn standing(&self, n: u64) -> Standing {
        self.take().standing(n)
    }

    fn reserve(&mut self) -> Stamp {
        self.take().reserve()
    }

    fn release(&mut self, stamp: Stamp) {
        self.take().release(stamp);
    }

    fn is_full(&self) -> bool {
        self.take().is_full()
    }

    fn incarnation(&self) -> u32 {
        self.take().incarnation()
    }

    fn births(&self) -> u32 {
        self.take().births()
    }

    fn raise_births(&mut self, births: u32) {
        self.take().raise_births(births);
    }
}
