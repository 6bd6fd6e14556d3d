//! The calls of one topic that are on their way, and which of them hang.
//!
//! A call that gets no answer ends by its deadline, which is long. Well before that it counts as failed, and holds up
//! nobody but the lanes that are in it.

/// How long a call may take before it hangs, in ms: far longer than a broker takes that works, far shorter than the
/// deadline.
const HANGS_AFTER_MS: i64 = 2_000;

/// How a batch was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Of all that was ready.
    Together,
    /// Of this share only.
    Apart(usize),
    /// Of one lane of this share that had failed alone.
    Probe(usize),
}

/// A call that does not hang yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    id: u64,
    pub(super) way: Way,
    era: u64,
    sent_ms: i64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Those that do not hang.
    going: Vec<Call>,
    begun: u64,
    /// Counts what ends an era: what was acknowledged, and what failed of the topic as a whole.
    era: u64,
}

impl Calls {
    /// A call begins; what it returns names it.
    pub(super) fn begin(&mut self, way: Way, now_ms: i64) -> u64 {
        self.begun += 1;
        self.going.push(Call { id: self.begun, way, era: self.era, sent_ms: now_ms });
        self.begun
    }

    /// A call has returned; `None` if it was given up before.
    pub(super) fn end(&mut self, id: u64) -> Option<Call> {
        let index = self.going.iter().position(|call| call.id == id)?;
        Some(self.going.swap_remove(index))
    }

    /// One that hangs, which is given up. A clock that was set back makes them all hang, which does little harm.
    pub(super) fn give_up(&mut self, now_ms: i64) -> Option<Call> {
        let hangs =
            |call: &Call| !(0..HANGS_AFTER_MS).contains(&now_ms.saturating_sub(call.sent_ms));
        let index = self.going.iter().position(hangs)?;
        Some(self.going.swap_remove(index))
    }

    /// When the next one hangs, in ms since the epoch.
    pub(super) fn next_hangs_ms(&self) -> Option<i64> {
        let sent = self.going.iter().map(|call| call.sent_ms);
        sent.min().map(|sent_ms| sent_ms.saturating_add(HANGS_AFTER_MS))
    }

    /// How many are of all that was ready.
    pub(super) fn together(&self) -> usize {
        self.going.iter().filter(|call| call.way == Way::Together).count()
    }

    /// How many began in this era.
    pub(super) fn of_this_era(&self) -> usize {
        self.going.iter().filter(|call| self.is_of_this_era(call)).count()
    }

    /// Whether nothing has ended the era in which it began.
    pub(super) fn is_of_this_era(&self, call: &Call) -> bool {
        call.era == self.era
    }

    /// Another era begins.
    pub(super) fn end_era(&mut self) {
        self.era += 1;
    }
}
