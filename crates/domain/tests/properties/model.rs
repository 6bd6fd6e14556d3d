//! The reference: what a task should be after a sequence of steps, told as simply as possible.

use crate::generate::{IfVersion, Kind, Request};
use reminder_domain::Timestamp;
use std::collections::BTreeMap;

/// What the model expects of one reminder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Alarm {
    /// It must fire at its time.
    Waits(Timestamp),
    /// It has fired for this time.
    Fired(Timestamp),
    /// It was silenced by a completion.
    Silent(Timestamp),
}

/// What a command must lead to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Expected {
    /// The answer that was given before, at this place among the remembered commands.
    Recorded(usize),
    Rejected,
    /// Accepted; whether it makes a commit.
    Applied {
        commits: bool,
    },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// `None`: there is no task, or none any more.
    pub(crate) alarms: Option<BTreeMap<String, Alarm>>,
    pub(crate) completed: bool,
    /// Whether anything was ever stored.
    pub(crate) stored: bool,
    /// Command ids and bodies applied, oldest first.
    pub(crate) remembered: Vec<(Option<u64>, u64)>,
}

impl Model {
    /// What is to come, by reminder.
    pub(crate) fn waiting(&self) -> BTreeMap<String, Timestamp> {
        let all = self.alarms.iter().flatten();
        all.filter_map(|(id, alarm)| match alarm {
            Alarm::Waits(at) => Some((id.clone(), *at)),
            _ => None,
        })
        .collect()
    }

    /// Fires what is due; returns it.
    pub(crate) fn wake(&mut self, now: Timestamp) -> BTreeMap<String, Timestamp> {
        let mut fired = self.waiting();
        fired.retain(|_, at| *at <= now);
        for (id, at) in &fired {
            self.alarms.as_mut().unwrap().insert(id.clone(), Alarm::Fired(*at));
        }
        fired
    }

    pub(crate) fn command(&mut self, request: &Request, body: u64, now: Timestamp) -> Expected {
        let known = match request.id {
            Some(_) => self.remembered.iter().rposition(|(id, _)| *id == request.id),
            None => self.remembered.len().checked_sub(1).filter(|n| self.remembered[*n].1 == body),
        };
        if let Some(n) = known {
            let same = self.remembered[n].1 == body;
            return if same { Expected::Recorded(n) } else { Expected::Rejected };
        }
        let absent = self.alarms.is_none() && !matches!(request.kind, Kind::Put(_));
        if absent || request.if_version == IfVersion::Wrong {
            return Expected::Rejected;
        }
        let idle = match &request.kind {
            Kind::Complete => self.completed,
            Kind::Reopen => !self.completed,
            _ => false,
        };
        if idle && request.id.is_none() {
            return Expected::Applied { commits: false };
        }
        if !idle {
            self.apply(&request.kind, now);
        }
        self.stored = true;
        self.remembered.push((request.id, body));
        if self.remembered.len() > 64 {
            self.remembered.remove(0);
        }
        Expected::Applied { commits: true }
    }

    fn apply(&mut self, kind: &Kind, now: Timestamp) {
        match kind {
            Kind::Put(spec) => {
                let old = self.alarms.take().unwrap_or_default();
                self.completed = spec.completed;
                let fate = |(id, at): (String, Timestamp)| {
                    let alarm = match old.get(&id) {
                        Some(Alarm::Fired(was)) if *was == at => Alarm::Fired(at),
                        _ if spec.completed => Alarm::Silent(at),
                        // What fell due while the task was done stays silent.
                        Some(Alarm::Silent(was)) if *was == at && at <= now => Alarm::Silent(at),
                        _ => Alarm::Waits(at),
                    };
                    (id, alarm)
                };
                self.alarms = Some(spec.moments().into_iter().map(fate).collect());
            }
            Kind::Complete => {
                self.completed = true;
                for alarm in self.alarms.iter_mut().flat_map(BTreeMap::values_mut) {
                    if let Alarm::Waits(at) = *alarm {
                        *alarm = Alarm::Silent(at);
                    }
                }
            }
            Kind::Reopen => {
                self.completed = false;
                for alarm in self.alarms.iter_mut().flat_map(BTreeMap::values_mut) {
                    match *alarm {
                        Alarm::Silent(at) if at > now => *alarm = Alarm::Waits(at),
                        _ => {}
                    }
                }
            }
            Kind::Delete => self.alarms = None,
        }
    }
}
