//! What each command makes of the reference.

use super::{Alarm, Changed, Moment, Plan, Refused, Rung, Task};
use crate::calendar::{Prefs, Reminder, Time, Trigger};
use crate::words::{Skip, Spec};
use reminder_domain::command::IfPast;

impl Task {
    pub(crate) fn put(
        old: Option<&Self>,
        spec: &Spec,
        if_past: IfPast,
        (version, prefs): &(u64, Prefs),
        now: i64,
    ) -> Result<Self, Refused> {
        let mut known = (*version, prefs.clone());
        let mut released = old.cloned();
        if let Some(old) = released.as_mut().filter(|old| *version > old.prefs.0) {
            old.skip_as_its_user_says(prefs);
        }
        let old = released.as_ref();
        if let Some(old) = old {
            if old.prefs.0 > *version {
                known = old.prefs.clone();
            }
            known.1.defaults.clone_from(&old.prefs.1.defaults);
        }
        let nominal = spec.due.map_or(0, |due| due.nominal);
        let (mut first, mut number) = (nominal, 1);
        let same_series = |old: &&Self| {
            let of = |spec: &Spec| (spec.due, spec.rule, spec.from_completion);
            of(&old.spec) == of(spec)
        };
        if let Some(old) = old.filter(same_series) {
            (first, number) = (old.first, old.number);
        }
        first = spec.first.unwrap_or(first);
        let paused = old.and_then(|old| old.paused);
        let (spec, alarms) = (spec.clone(), Vec::new());
        let mut task = Self { spec, first, number, prefs: known, paused, alarms };
        if old.is_none() && task.is_never() {
            return Err(Refused);
        }
        // A due date that is an exception is that of the first occurrence that takes place.
        let excluded = task.spec.due.filter(|due| task.spec.exdates.contains(&due.nominal));
        if let Some(due) = excluded.filter(|_| task.recurs_by_itself() && task.is_open()) {
            // Where none is left, there is nothing more to do.
            let next = task.after(due.nominal).next();
            match next {
                Some(next) => task.spec.due = Some(Time { nominal: next, ..due }),
                None => task.spec.completed = true,
            }
        } else if task.recurs_by_itself() && task.is_never() {
            task.spec.completed = true;
        }
        task.placed(old, if_past, now)
    }

    /// Whether it is open and recurs, but no occurrence of it takes place.
    fn is_never(&self) -> bool {
        self.is_open() && self.spec.rule.is_some() && self.after(self.first - 1).next().is_none()
    }

    /// The same task with its alarms; those of the same schedule keep what became of them.
    fn placed(mut self, old: Option<&Self>, if_past: IfPast, now: i64) -> Result<Self, Refused> {
        if self.is_never() {
            return Err(Refused);
        }
        let place = |reminder: &Reminder| self.place(old, reminder, if_past, now);
        self.alarms = self.reminders().iter().map(place).collect::<Result<_, _>>()?;
        if !self.is_open() {
            self.silence();
        }
        Ok(self)
    }

    fn place(
        &self,
        old: Option<&Self>,
        reminder: &Reminder,
        if_past: IfPast,
        now: i64,
    ) -> Result<Alarm, Refused> {
        let before = old.and_then(|old| old.alarms.iter().find(|alarm| alarm.id == reminder.id));
        let acknowledged = before.and_then(|alarm| alarm.acknowledged);
        let anew = |plan| Alarm { acknowledged, ..Alarm::new(reminder.id, plan) };
        let Some(moment) = self.moment(reminder, self.present()) else {
            return Ok(anew(Plan::Asleep));
        };
        if let Some((old, before)) = old.zip(before) {
            let same = self.same_schedule(old, reminder)
                || before.plan.moment().is_some_and(|was| {
                    (was.occurrence, moment.occurrence) == (None, None)
                        && was.nominal == moment.nominal
                });
            if same {
                return Ok(self.kept(reminder, before, now));
            }
        }
        if !self.is_open() {
            return Ok(anew(Plan::Waits(moment)));
        }
        // What was acknowledged does not fire again.
        let mut later = self.along(reminder, moment);
        let Some(first) = later.find(|at| acknowledged.is_none_or(|seen| at.at > seen)) else {
            return Ok(anew(Plan::Silent(moment)));
        };
        if first.at > now {
            return Ok(anew(Plan::Waits(first)));
        }
        let (latest, _, next) = self.missed(reminder, first, now);
        let rang = before.and_then(|alarm| alarm.rung).map(|rung| rung.moment.nominal);
        match if_past {
            _ if rang == Some(latest.nominal) => {}
            IfPast::Fire => return Ok(anew(Plan::Waits(first))),
            IfPast::Reject => return Err(Refused),
            IfPast::Skip => {}
        }
        Ok(anew(next.map_or(Plan::Silent(latest), Plan::Waits)))
    }

    fn same_schedule(&self, old: &Self, reminder: &Reminder) -> bool {
        let of = |task: &Self| {
            let spec = &task.spec;
            let series = spec.rule.map(|rule| {
                (rule, task.first, spec.exdates.clone(), spec.from_completion, task.number)
            });
            let start = spec.due.zip(spec.start_before);
            let trigger = task.reminder(reminder.id).map(|reminder| reminder.trigger);
            (spec.due, start, series, trigger)
        };
        of(self) == of(old)
    }

    fn kept(&self, reminder: &Reminder, before: &Alarm, now: i64) -> Alarm {
        let again = |moment: Moment| self.moment(reminder, moment.occurrence).unwrap_or(moment);
        let mut alarm = *before;
        alarm.plan = match before.plan {
            Plan::Waits(moment) => Plan::Waits(again(moment)),
            Plan::Cancelled(moment) => {
                self.revived(reminder, moment, now).map_or(before.plan, Plan::Waits)
            }
            plan => plan,
        };
        if let Some(rung) = &mut alarm.rung
            && reminder.nag.is_none_or(|(_, max)| rung.nagged >= max)
        {
            rung.nag_at = None;
        }
        alarm
    }

    /// The first moment from this one on that is still to come.
    fn revived(&self, reminder: &Reminder, moment: Moment, now: i64) -> Option<Moment> {
        let again = self.moment(reminder, moment.occurrence).unwrap_or(moment);
        self.along(reminder, again).find(|moment| moment.at > now)
    }

    fn silence(&mut self) {
        for alarm in &mut self.alarms {
            if let Plan::Waits(moment) = alarm.plan {
                alarm.plan = Plan::Cancelled(moment);
            }
            alarm.snooze = None;
            alarm.rung = alarm.rung.map(|rung| Rung { nag_at: None, ..rung });
        }
    }

    pub(crate) fn complete(&mut self, now: i64) -> Changed {
        if !self.is_open() {
            return Changed(false);
        }
        self.move_on(now);
        Changed(true)
    }

    /// To the next occurrence; the last one ends the task.
    fn move_on(&mut self, now: i64) {
        let Some((cursor, number)) = self.advanced(now) else {
            self.silence();
            self.spec.completed = true;
            return;
        };
        self.spec.due = self.spec.due.map(|due| crate::calendar::Time { nominal: cursor, ..due });
        if self.spec.from_completion {
            self.number = number;
        }
        let task = self.clone();
        for alarm in &mut self.alarms {
            let is_ahead = |occurrence: Option<i64>| {
                task.recurs_by_itself() && occurrence.is_some_and(|at| at >= cursor)
            };
            alarm.fall_silent(|rung| !is_ahead(rung.moment.occurrence));
            let Some(reminder) = task.reminder(alarm.id) else { continue };
            let moves = matches!(reminder.trigger, Trigger::From { .. });
            let occurrence = alarm.plan.moment().and_then(|moment| moment.occurrence);
            if moves && !is_ahead(occurrence) {
                alarm.plan = match task.moment(&reminder, Some(cursor)) {
                    None => Plan::Asleep,
                    Some(moment) if moment.at > now => Plan::Waits(moment),
                    Some(moment) => {
                        let (latest, _, next) = task.missed(&reminder, moment, now);
                        next.map_or(Plan::Silent(latest), Plan::Waits)
                    }
                };
            }
        }
    }

    pub(crate) fn reopen(&mut self, now: i64) -> Changed {
        if self.is_open() {
            return Changed(false);
        }
        self.spec.completed = false;
        let task = self.clone();
        for alarm in &mut self.alarms {
            if let (Plan::Cancelled(moment), Some(reminder)) = (alarm.plan, task.reminder(alarm.id))
            {
                let back = task.revived(&reminder, moment, now);
                alarm.plan = back.map_or(alarm.plan, Plan::Waits);
            }
        }
        Changed(true)
    }

    /// The occurrence that is meant.
    pub fn meant(&self, which: Skip) -> Option<i64> {
        match which {
            Skip::Present => self.present(),
            Skip::Ahead(n) => {
                let later = self.present().filter(|_| self.recurs_by_itself())?;
                self.after(later).nth(n - 1)
            }
            Skip::Wrong => None,
        }
    }

    pub(crate) fn skip(&mut self, which: Skip, now: i64) -> Result<Changed, Refused> {
        if !self.is_open() {
            return Err(Refused);
        }
        let (present, meant) = (self.present(), self.meant(which).ok_or(Refused)?);
        self.spec.exdates.push(meant);
        if Some(meant) == present {
            self.move_on(now);
            return Ok(Changed(true));
        }
        let task = self.clone();
        for alarm in &mut self.alarms {
            alarm.fall_silent(|rung| rung.moment.occurrence == Some(meant));
            if let (Plan::Waits(moment), Some(reminder)) = (alarm.plan, task.reminder(alarm.id))
                && moment.occurrence == Some(meant)
            {
                let next = task.along(&reminder, moment).nth(1);
                alarm.plan = next.map_or(Plan::Silent(moment), Plan::Waits);
            }
        }
        Ok(Changed(true))
    }

    pub(crate) fn put_reminder(
        &mut self,
        reminder: &Reminder,
        if_past: IfPast,
        now: i64,
    ) -> Result<Changed, Refused> {
        let mut reminders = self.reminders();
        match reminders.iter_mut().find(|known| known.id == reminder.id) {
            Some(known) => known.clone_from(reminder),
            None => reminders.push(reminder.clone()),
        }
        self.replace_reminders(reminders, if_past, now)
    }

    pub(crate) fn remove_reminder(&mut self, id: &str, now: i64) -> Result<Changed, Refused> {
        let mut reminders = self.reminders();
        reminders.retain(|reminder| reminder.id != id);
        if reminders.len() == self.reminders().len() {
            return Err(Refused);
        }
        self.replace_reminders(reminders, IfPast::Fire, now)
    }

    fn replace_reminders(
        &mut self,
        reminders: Vec<Reminder>,
        if_past: IfPast,
        now: i64,
    ) -> Result<Changed, Refused> {
        if reminders == self.reminders() {
            return Ok(Changed(false));
        }
        let spec = Spec { reminders: Some(reminders), ..self.spec.clone() };
        let next = Self { spec, ..self.clone() };
        *self = next.placed(Some(&self.clone()), if_past, now)?;
        Ok(Changed(true))
    }
}

impl Plan {
    pub fn moment(&self) -> Option<Moment> {
        match self {
            Self::Asleep => None,
            Self::Waits(moment)
            | Self::Fired(moment)
            | Self::Cancelled(moment)
            | Self::Silent(moment) => Some(*moment),
        }
    }
}
