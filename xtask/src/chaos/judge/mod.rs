//! Whether the promises were kept: a pure function of what was asked and what was told.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::history::{Answer, Command, History, Ms, Told, Trigger, View};
use super::model::{Demand, End, Fate, Model};

/// A promise, and what broke it.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) name: &'static str,
    pub(super) rule: &'static str,
    pub(super) violations: Vec<Violation>,
}

/// One thing that was not as promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) task: String,
    pub(super) what: String,
}

/// A firing that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Firing {
    /// Its time, or when the answer came that promised it, should that be later.
    pub(super) owed: Ms,
    pub(super) fired: Ms,
    pub(super) arrived: Ms,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    lost: Vec<Violation>,
    early: Vec<Violation>,
    stale: Vec<Violation>,
    disorder: Vec<Violation>,
    unasked: Vec<Violation>,
    broken: Vec<Violation>,
    doubts: Vec<Violation>,
    pub(super) firings: Vec<Firing>,
    /// Moments that must fire, may fire, and must not.
    pub(super) must: usize,
    pub(super) may: usize,
    pub(super) silent: usize,
    /// Missed moments of recurring tasks that a later firing stands for.
    pub(super) coalesced: usize,
    /// When moments were owed that never fired.
    pub(super) never: Vec<Ms>,
}

impl Judgement {
    /// The verdicts, in the order of the promises.
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        let verdict = |name, rule, violations: &Vec<Violation>| Verdict {
            name,
            rule,
            violations: violations.clone(),
        };
        vec![
            verdict(
                "lost",
                "every moment that must fire has its `reminder.triggered` with the right \
                 `scheduledFor` and the `task.updated` of the same version, and every answered \
                 command the `task.sync` of its version, in Kafka",
                &self.lost,
            ),
            verdict(
                "early",
                "no `firedAt` and no record's timestamp lies before the due time as the ledger \
                 works it out",
                &self.early,
            ),
            verdict(
                "stale",
                "no `firedAt` lies after the answer to the command that called the moment off",
                &self.stale,
            ),
            verdict(
                "order broken",
                "who drops known ids sees, per task and topic, the numbers 1, 2, 3, … under the \
                 task's key in one partition; a known id tells the same",
                &self.disorder,
            ),
            verdict(
                "unasked",
                "every firing belongs to a moment that a command asked for, and each fires once",
                &self.unasked,
            ),
            verdict(
                "answer not kept",
                "every command is answered, none is refused without a reason, versions do not go \
                 back, and `get` agrees with the commands at the end",
                &self.broken,
            ),
            verdict(
                "reading in doubt",
                "every record was read, and is an event of ours",
                &self.doubts,
            ),
        ]
    }

    /// Moments that were owed at that time or before, and have not fired.
    pub(super) fn is_missing(&self) -> bool {
        !self.lost.is_empty()
    }
}

/// Judges a run.
pub(super) fn judge(history: &History) -> Judgement {
    let mut found = Judgement::default();
    let nothing = Told::default();
    for (task, commands) in &history.commands {
        let told = history.journal.told.get(task).unwrap_or(&nothing);
        let view = history.views.get(task);
        Case { task, commands, told, view, ended: history.ended, found: &mut found }.judge();
    }
    for (task, told) in &history.journal.told {
        if task.starts_with(&history.run) && !history.commands.contains_key(task) {
            for event in &told.lines {
                found.unasked.push(violation(task, format!("nobody made this task: {event}")));
            }
        }
    }
    for fault in history.journal.ledger.faults() {
        let task = fault.split(':').next().unwrap_or_default();
        found.disorder.push(violation(task, fault.clone()));
    }
    found.doubts.extend(history.journal.doubts.iter().map(|doubt| violation("-", doubt.clone())));
    found
}

fn violation(task: &str, what: String) -> Violation {
    Violation { task: task.to_owned(), what }
}

/// One task.
struct Case<'a> {
    task: &'a str,
    commands: &'a [Command],
    told: &'a Told,
    view: Option<&'a View>,
    ended: Ms,
    found: &'a mut Judgement,
}

/// What was asked for one reminder at one time, and what came of it.
#[derive(Default)]
struct Moment<'a> {
    demands: Vec<&'a Demand>,
    triggers: Vec<&'a Trigger>,
}

impl Moment<'_> {
    fn count(&self, fate: Fate) -> usize {
        self.demands.iter().filter(|demand| demand.fate == fate).count()
    }

    fn recurs(&self) -> bool {
        self.demands.iter().any(|demand| demand.recurs)
    }
}

impl Case<'_> {
    fn judge(mut self) {
        let model = Model::of(self.commands);
        let mut moments: BTreeMap<(&str, Ms), Moment<'_>> = BTreeMap::new();
        for demand in model.demands.iter().filter(|demand| demand.owed() <= self.ended) {
            match demand.fate {
                Fate::Must => self.found.must += 1,
                Fate::May => self.found.may += 1,
                Fate::MustNot => self.found.silent += 1,
            }
            moments.entry((&demand.reminder, demand.at)).or_default().demands.push(demand);
        }
        // Those that are not owed yet may have been called off, or fire while we look.
        for demand in model.demands.iter().filter(|demand| demand.owed() > self.ended) {
            moments.entry((&demand.reminder, demand.at)).or_default().demands.push(demand);
        }
        let told = self.told;
        for trigger in &told.triggers {
            let key = (&*trigger.reminder, trigger.scheduled_for);
            moments.entry(key).or_default().triggers.push(trigger);
        }
        for ((reminder, at), moment) in &moments {
            self.moment(reminder, *at, moment);
        }
        self.missing(&moments);
        self.answers(&model);
    }

    fn say(&self, what: String) -> Violation {
        violation(self.task, what)
    }

    fn moment(&mut self, reminder: &str, at: Ms, moment: &Moment<'_>) {
        use super::history::clock;
        let name = format!("`{reminder}` of {}", clock(at));
        let mut stale = 0;
        for trigger in &moment.triggers {
            let id = &trigger.id;
            if trigger.fired_at < at || trigger.written < at {
                let (fired, written) = (trigger.fired_at - at, trigger.written - at);
                let what = format!("{id}: {name} fired at {fired:+} ms, written at {written:+} ms");
                self.found.early.push(self.say(what));
            }
            if moment.demands.is_empty() {
                let what = format!("{id}: {name} was never asked for");
                self.found.unasked.push(self.say(what));
                continue;
            }
            let over = |demand: &Demand| demand.until.is_some_and(|end| trigger.fired_at > end);
            if moment.demands.iter().all(|demand| over(demand)) {
                stale += 1;
                let end = moment.demands.iter().filter_map(|demand| demand.until).max();
                let late = trigger.fired_at - end.unwrap_or_default();
                let what = format!("{id}: {name} fired {late} ms after it was called off");
                self.found.stale.push(self.say(what));
            }
            if !self.told.updated.contains(&trigger.version) {
                let what = format!("{id}: no task.updated of version {}", trigger.version);
                self.found.lost.push(self.say(what));
            }
        }
        let asked = moment.count(Fate::Must) + moment.count(Fate::May);
        if !moment.demands.is_empty() && moment.triggers.len() > asked + stale {
            let times = moment.triggers.len();
            let what = format!("{name} fired {times} times and was asked for {asked} times");
            self.found.unasked.push(self.say(what));
        }
        for (demand, trigger) in moment.demands.iter().rev().zip(moment.triggers.iter().rev()) {
            let (fired, arrived) = (trigger.fired_at, trigger.arrived);
            self.found.firings.push(Firing { owed: demand.owed(), fired, arrived });
        }
    }

    /// What must have fired and has not. A recurring reminder may leave moments out for a later one
    /// that says how many it stands for.
    fn missing(&mut self, moments: &BTreeMap<(&str, Ms), Moment<'_>>) {
        // From the last to the first, with what the later ones stand for.
        let mut stands_for: BTreeMap<&str, usize> = BTreeMap::new();
        for ((reminder, at), moment) in moments.iter().rev() {
            if let Some(trigger) = moment.triggers.last() {
                stands_for.insert(reminder, trigger.coalesced as usize);
            }
            let owed = moment.demands.iter().filter(|demand| demand.owed() <= self.ended);
            let must = owed.clone().filter(|demand| demand.fate == Fate::Must).count();
            for _ in moment.triggers.len()..must {
                let left = stands_for.entry(reminder).or_default();
                if moment.recurs() && *left > 0 {
                    *left -= 1;
                    self.found.coalesced += 1;
                    continue;
                }
                let owed = owed.clone().map(|demand| demand.owed()).max().unwrap_or(*at);
                let at = super::history::clock(*at);
                self.found.never.push(owed);
                self.found.lost.push(self.say(format!("`{reminder}` of {at} has not fired")));
            }
        }
    }

    fn answers(&mut self, model: &Model) {
        for refusal in &model.wrongly_refused {
            self.found.broken.push(self.say(refusal.clone()));
        }
        let mut last = 0;
        for (number, command) in self.commands.iter().enumerate() {
            let name = format!("command {} ({})", number + 1, command.ask.method());
            match &command.answer {
                None => self.found.broken.push(self.say(format!("{name} was never answered"))),
                Some((_, Answer::Refused { .. })) => {}
                Some((_, Answer::Accepted { version })) => {
                    if *version < last {
                        let what = format!("{name}: version {version} after {last}");
                        self.found.broken.push(self.say(what));
                    }
                    last = *version;
                    if !self.told.synced.contains(version) {
                        let what = format!("{name}: no task.sync of version {version}");
                        self.found.lost.push(self.say(what));
                    }
                }
            }
        }
        if let Some(view) = self.view
            && let Some(difference) = difference(&model.end(), view)
        {
            self.found.broken.push(self.say(difference));
        }
    }
}

/// How a task differs from what its commands say.
fn difference(end: &End, view: &View) -> Option<String> {
    let (status, title, reminders, version) = match (end, &view.task) {
        (End::Unknown, _) | (End::Deleted, None) => return None,
        (End::Deleted, Some(_)) => return Some("it was deleted and is there".into()),
        (End::Stands { .. }, None) => return Some("it is not there".into()),
        (End::Stands { status, title, reminders, version }, Some(_)) => {
            (status, title, reminders, version)
        }
    };
    let view = view.task.as_ref()?;
    if view.status != *status || view.title != *title || view.reminders != *reminders {
        return Some(format!(
            "it is {} with the title {:?} and the reminders {:?}, not {status}, {title:?} and \
             {reminders:?}",
            view.status, view.title, view.reminders
        ));
    }
    let behind = view.version < *version;
    behind.then(|| format!("it is at version {}, and version {version} was answered", view.version))
}
