//! What a caller does about what rang: snooze, acknowledge, dismiss.

use super::{Alarm, Changed, Plan, Refused, Rung, Task};
use crate::calendar::MINUTE;
use crate::words::Delay;

impl Task {
    fn meant_alarms(
        &mut self,
        id: Option<&str>,
    ) -> Result<impl Iterator<Item = &mut Alarm>, Refused> {
        if id.is_some_and(|id| self.alarms.iter().all(|alarm| alarm.id != id)) {
            return Err(Refused);
        }
        Ok(self.alarms.iter_mut().filter(move |alarm| id.is_none_or(|id| alarm.id == id)))
    }

    pub(crate) fn snooze(
        &mut self,
        id: Option<&str>,
        delay: Delay,
        now: i64,
    ) -> Result<Changed, Refused> {
        let until = match delay {
            Delay::Minutes(minutes) => now + minutes * MINUTE,
            Delay::Until(at) => at,
        };
        if !self.is_open() || until <= now {
            return Err(Refused);
        }
        let mut any = false;
        for alarm in self.meant_alarms(id)? {
            if let Some(rung) = alarm.rung.or(alarm.snooze.map(|(_, rung)| rung)) {
                let rung = Rung { nag_at: None, ..rung };
                (alarm.rung, alarm.snooze, any) = (Some(rung), Some((until, rung)), true);
            }
        }
        if any { Ok(Changed(true)) } else { Err(Refused) }
    }

    pub(crate) fn acknowledge(&mut self, id: Option<&str>) -> Result<Changed, Refused> {
        let mut any = false;
        for alarm in self.meant_alarms(id)? {
            any |= alarm.see();
        }
        Ok(Changed(any))
    }

    pub(crate) fn dismiss(&mut self, id: Option<&str>) -> Result<Changed, Refused> {
        let task = self.clone();
        let mut any = false;
        for alarm in self.meant_alarms(id)? {
            if alarm.see() {
                any = true;
                continue;
            }
            let Plan::Waits(moment) = alarm.plan else { continue };
            let is_later = moment.occurrence > task.present();
            if let Some(reminder) = task.reminder(alarm.id).filter(|_| id.is_some() || !is_later) {
                let next = task.along(&reminder, moment).nth(1);
                alarm.plan = next.map_or(Plan::Silent(moment), Plan::Waits);
                any = true;
            }
        }
        Ok(Changed(any))
    }
}

impl Alarm {
    /// What rang has been seen.
    fn see(&mut self) -> bool {
        let Some(rung) = self.rung.or(self.snooze.map(|(_, rung)| rung)) else { return false };
        self.acknowledged = self.acknowledged.max(Some(rung.fired_at));
        (self.rung, self.snooze) = (None, None);
        true
    }

    pub(super) fn fall_silent(&mut self, is_done: impl Fn(&Rung) -> bool) {
        if let Some(rung) = self.rung.take_if(|rung| is_done(rung)) {
            self.acknowledged = self.acknowledged.max(Some(rung.fired_at));
        }
        if let Some((_, rung)) = self.snooze.take_if(|(_, rung)| is_done(rung)) {
            self.acknowledged = self.acknowledged.max(Some(rung.fired_at));
        }
    }
}
