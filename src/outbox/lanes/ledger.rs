//! What the turn machine sees of the outbox: its stamps, and whether there is room.

use super::{EVENTS_MAX, Outbox, Slot, WAITING_MAX_BYTES};
use crate::turn::draft::{Ledger, Standing};
use reminder_domain::state::Stamp;

impl Ledger for Outbox {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn standing(&self, n: u64) -> Standing {
        match self.slots.get(&n) {
            Some(Slot::Reserved) => Standing::Reserved,
            Some(Slot::Queued { .. }) => Standing::Queued,
            None => Standing::Published,
        }
    }

    fn reserve(&mut self) -> Stamp {
        self.last_n += 1;
        self.slots.insert(self.last_n, Slot::Reserved);
        Stamp { epoch: self.epoch, n: self.last_n }
    }

    fn release(&mut self, stamp: Stamp) {
        let reserved = matches!(self.slots.get(&stamp.n), Some(Slot::Reserved));
        if stamp.epoch == self.epoch && reserved {
            self.slots.remove(&stamp.n);
        }
    }

    fn is_full(&self) -> bool {
        self.waiting >= EVENTS_MAX || self.waiting_bytes >= WAITING_MAX_BYTES
    }

    fn incarnation(&self) -> u32 {
        self.incarnation
    }

    fn births(&self) -> u32 {
        self.births.max(self.incarnation)
    }

    fn raise_births(&mut self, births: u32) {
        self.births = self.births.max(births);
    }
}
