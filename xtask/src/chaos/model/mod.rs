//! What the commands of one task demand: which moments must fire, may fire, and must not.
//!
//! It knows the promises of the documentation and nothing of the service. A command takes effect at
//! some moment from when it was first sent to when it was answered; where the outcome depends on when
//! exactly, both are right:
//!
//! - a moment that is called off by a command which was *answered before* it was due must not fire;
//! - one that is called off by a command which was *sent* before it was due, or up to [`NEAR_MS`]
//!   after that (or after the answer to the command that asked for it, should that be later), may;
//! - any other moment must, and so must one whose task was called off later: the scripts do that only
//!   once they have seen the firing.

#[cfg(test)]
mod tests;

use super::history::{Answer, Ask, Command, Ms, Planned};

/// So long after a moment is due a command may still be meant to come before it, in milliseconds:
/// the longest time by which a script races a moment, and the time to send a command.
pub(super) const NEAR_MS: Ms = 2_000;

/// Whether a moment fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Must,
    May,
    MustNot,
}

/// A moment that a command asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) reminder: String,
    pub(super) at: Ms,
    /// When the command was sent that asked for it, and when it was answered.
    pub(super) asked: Ms,
    pub(super) promised: Ms,
    pub(super) fate: Fate,
    /// When the command was answered that called it off.
    pub(super) until: Option<Ms>,
    /// Whether it may be left out for a later one, which then says so.
    pub(super) recurs: bool,
    snooze: bool,
}

impl Demand {
    /// From when on it is owed: its time, or the answer that promised it if that came later.
    pub(super) const fn owed(&self) -> Ms {
        if self.promised > self.at { self.promised } else { self.at }
    }
}

/// How the task must stand at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Its last command was not answered.
    Unknown,
    Deleted,
    Stands {
        status: &'static str,
        title: String,
        reminders: Vec<String>,
        version: u64,
    },
}

/// A task as its commands say.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) demands: Vec<Demand>,
    /// Refusals that no rule explains.
    pub(super) wrongly_refused: Vec<String>,
    live: Option<Live>,
    version: u64,
    unknown: bool,
}

#[derive(Debug)]
struct Live {
    title: String,
    alarms: Vec<Planned>,
    /// The demands that still hold, by index.
    holds: Vec<usize>,
    /// Those that completing has called off.
    shelved: Vec<usize>,
    open: bool,
    /// Where a recurring task is at least and at most, as an index into its moments.
    present: (usize, usize),
}

impl Model {
    /// Goes through the commands of a task.
    pub(super) fn of(commands: &[Command]) -> Self {
        let mut model = Self::default();
        for command in commands {
            model.apply(command);
        }
        model
    }

    /// How the task must stand.
    pub(super) fn end(&self) -> End {
        match &self.live {
            _ if self.unknown => End::Unknown,
            None => End::Deleted,
            Some(live) => End::Stands {
                status: if live.open { "pending" } else { "completed" },
                title: live.title.clone(),
                reminders: live.alarms.iter().map(|alarm| alarm.id.clone()).collect(),
                version: self.version,
            },
        }
    }

    fn apply(&mut self, command: &Command) {
        if let Some((at, Answer::Refused { status, detail })) = &command.answer {
            // Its end has come before it was heard: there is nothing to put off to.
            let excused = matches!(command.ask, Ask::Snooze { until, .. } if until <= *at);
            if !excused {
                let method = command.ask.method();
                self.wrongly_refused.push(format!("{method} was refused: {status} {detail}"));
            }
            return;
        }
        match &command.answer {
            Some((_, Answer::Accepted { version })) => self.version = self.version.max(*version),
            _ => self.unknown = true,
        }
        match &command.ask {
            Ask::Put { title, reminders } => self.put(title, reminders, command),
            Ask::Complete => self.complete(command),
            Ask::Reopen => self.reopen(command),
            Ask::Delete => {
                let live = self.live.take();
                self.call_off(live.map(|live| live.holds).unwrap_or_default(), command);
            }
            Ask::Dismiss => {
                let holds = self.live.as_mut().map(|live| std::mem::take(&mut live.holds));
                self.call_off(holds.unwrap_or_default(), command);
            }
            Ask::Acknowledge => {
                let snoozes = self.take_holds(|demand| demand.snooze);
                self.call_off(snoozes, command);
            }
            Ask::Snooze { reminder, until } => {
                let before =
                    self.take_holds(|demand| demand.snooze && demand.reminder == *reminder);
                self.call_off(before, command);
                let demand = Self::demand(reminder, *until, command);
                self.demands.push(Demand { snooze: true, ..demand });
                self.hold_last();
            }
        }
    }

    fn put(&mut self, title: &str, reminders: &[Planned], command: &Command) {
        let old = self.live.take();
        let (alarms, holds) = old.map(|old| (old.alarms, old.holds)).unwrap_or_default();
        let same = |id: &str| {
            let new = reminders.iter().find(|reminder| reminder.id == id);
            new.is_some() && new == alarms.iter().find(|alarm| alarm.id == id)
        };
        let (kept, gone): (Vec<usize>, Vec<usize>) =
            holds.into_iter().partition(|index| same(&self.demands[*index].reminder));
        let fresh: Vec<Planned> =
            reminders.iter().filter(|reminder| !same(&reminder.id)).cloned().collect();
        self.call_off(gone, command);
        self.live = Some(Live {
            title: title.to_owned(),
            alarms: reminders.to_vec(),
            holds: kept,
            shelved: Vec::new(),
            open: true,
            present: (0, 0),
        });
        for reminder in &fresh {
            for at in &reminder.moments {
                let recurs = reminder.moments.len() > 1;
                let demand = Self::demand(&reminder.id, *at, command);
                self.demands.push(Demand { recurs, ..demand });
                self.hold_last();
            }
        }
    }

    fn complete(&mut self, command: &Command) {
        let Some(live) = &mut self.live else { return };
        let holds = std::mem::take(&mut live.holds);
        let Some(series) = live.alarms.iter().find(|alarm| alarm.moments.len() > 1) else {
            live.open = false;
            live.shelved.clone_from(&holds);
            self.call_off(holds, command);
            return;
        };
        // It moves on to the first occurrence after both the present one and the moment of the
        // command, which lies between these two.
        let after = |index: usize, now: Ms| {
            let passed = series.moments[index];
            series.moments.partition_point(|at| *at <= passed.max(now))
        };
        let end = series.moments.len() - 1;
        let (first, latest) = live.present;
        let earliest = after(first, command.sent).min(end);
        let most = after(latest, command.answered()).min(end);
        live.present = (earliest, most);
        let (from, to) = (series.moments[earliest], series.moments[most]);
        let mut gone = Vec::new();
        for index in holds {
            let demand = &mut self.demands[index];
            if demand.at < from {
                gone.push(index);
                continue;
            }
            if demand.at < to {
                // Nobody knows whether it is called off: if it is not, it fires in its time, which may
                // be after the answer.
                demand.fate = Fate::May;
            }
            live.holds.push(index);
        }
        self.call_off(gone, command);
    }

    /// What is still to come is back; what fell due meanwhile stays silent.
    fn reopen(&mut self, command: &Command) {
        let Some(live) = &mut self.live else { return };
        live.open = true;
        for index in std::mem::take(&mut live.shelved) {
            let before = self.demands[index].clone();
            if before.snooze || before.at <= command.sent {
                continue;
            }
            let fate = if before.at > command.answered() { Fate::Must } else { Fate::May };
            let again = Self::demand(&before.reminder, before.at, command);
            self.demands.push(Demand { fate, ..again });
            self.hold_last();
        }
    }

    fn demand(reminder: &str, at: Ms, command: &Command) -> Demand {
        let (asked, promised) = (command.sent, command.answered());
        let fate = if command.answer.is_some() { Fate::Must } else { Fate::May };
        let reminder = reminder.to_owned();
        Demand { reminder, at, asked, promised, fate, until: None, recurs: false, snooze: false }
    }

    fn hold_last(&mut self) {
        if let Some(live) = &mut self.live {
            live.holds.push(self.demands.len() - 1);
        }
    }

    fn take_holds(&mut self, wanted: impl Fn(&Demand) -> bool) -> Vec<usize> {
        let Some(live) = &mut self.live else { return Vec::new() };
        let (taken, left) =
            std::mem::take(&mut live.holds).into_iter().partition(|at| wanted(&self.demands[*at]));
        live.holds = left;
        taken
    }

    fn call_off(&mut self, indices: Vec<usize>, command: &Command) {
        for index in indices {
            let demand = &mut self.demands[index];
            demand.until = Some(command.answered());
            if command.answered() < demand.at {
                demand.fate = Fate::MustNot;
            } else if command.sent <= demand.owed().saturating_add(NEAR_MS) {
                demand.fate = Fate::May;
            }
        }
    }
}
