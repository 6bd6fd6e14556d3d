//! What calls do to the world; and the fence.

use crate::calls::Call;
use crate::world::World;
use reminder_domain::TaskState;
use reminder_scheduler::turn::effect::{Numbers, Outcome};
use reminder_scheduler::turn::record;

impl World {
    pub(crate) fn take_effect(&mut self, call: Call) -> Outcome {
        match call {
            Call::Commit(bytes) => return self.write(bytes, false),
            Call::Create(bytes) => return self.write(bytes, true),
            Call::Remove(numbers) => {
                let Some(stored) = self.stored() else { return Outcome::Fenced };
                let is = Numbers { version: stored.version, incarnation: stored.incarnation };
                if is != numbers || (self.raises_births && stored.incarnation >= self.births) {
                    return Outcome::Fenced;
                }
                self.store = None;
            }
            Call::ArmIfAbsent(_) if self.reminder.is_some() => return Outcome::ArmedAlready,
            Call::Arm(at) | Call::ArmIfAbsent(at) => self.reminder = Some(at),
            Call::Disarm => self.reminder = None,
            Call::Publish(records) => self.log.extend(records),
            Call::SaveWatermark(epoch, n) => {
                let saved = self.watermarks.entry(epoch).or_default();
                *saved = n.max(*saved);
            }
        }
        Outcome::Done
    }
}

impl World {
    fn stored(&self) -> Option<TaskState> {
        self.store.as_deref().map(|bytes| record::decode(bytes).unwrap())
    }

    /// A write reaches the table, with what the fence says of it.
    fn write(&mut self, bytes: Vec<u8>, begins: bool) -> Outcome {
        let next = record::decode(&bytes).unwrap();
        let accepted = match self.stored() {
            _ if self.store.as_deref() == Some(&bytes) => true,
            Some(stored) => !begins && next.version == stored.version + 1,
            None => next.incarnation >= self.births && (next.version == 1 || next.incarnation > 1),
        };
        if !accepted {
            return Outcome::Fenced;
        }
        self.store = Some(bytes);
        Outcome::Done
    }
}
