//! Whether every reminder fired once, not early and in order, and how late: a pure function of the
//! records that were read.

use anyhow::Result;
use chrono::{DateTime, Utc};
use reminder_contract::cloud_event::EventData;
use reminder_stack::events::Record;

use super::report::Measure;
use super::samples::Samples;
use super::tasks::Names;
use crate::ledger::{self, Ledger, Noted};

/// Errors shown of each kind; the rest is counted.
const SHOWN: usize = 5;

/// What was read of the reminders of one run.
pub(super) struct Tally {
    names: Names,
    /// When the reminder of each task is due; `None`: it must not fire, for it does not exist.
    due: Vec<Option<DateTime<Utc>>>,
    /// How often each fired.
    fired: Vec<u32>,
    missing: usize,
    ledger: Ledger,
    wrong: Vec<String>,
    to_turn: Samples,
    to_broker: Samples,
    to_consumer: Samples,
}

impl Tally {
    pub(super) fn new(names: Names, due: Vec<DateTime<Utc>>) -> Self {
        Self::of_some(names, due.into_iter().map(Some).collect())
    }

    /// The same where some tasks must not exist.
    pub(super) fn of_some(names: Names, due: Vec<Option<DateTime<Utc>>>) -> Self {
        Self {
            names,
            fired: vec![0; due.len()],
            missing: due.iter().flatten().count(),
            due,
            ledger: Ledger::default(),
            wrong: Vec::new(),
            to_turn: Samples::default(),
            to_broker: Samples::default(),
            to_consumer: Samples::default(),
        }
    }

    /// Takes a record; those of others are none of our business.
    pub(super) fn add(&mut self, record: &Record, arrived: DateTime<Utc>) -> Result<()> {
        let event = ledger::read(record)?;
        let Some(number) = self.names.number(ledger::task_of(&event)) else { return Ok(()) };
        let known = self.due.get(number).copied().flatten();
        if self.ledger.note(record, &event) == Noted::Repeat {
            return Ok(());
        }
        let EventData::ReminderTriggered(data) = &event.data else { return Ok(()) };
        let due = data.scheduled_for.to_datetime();
        let late = data.fired_at.millis_since(data.scheduled_for);
        if known.map(|due| due.timestamp_millis()) != Some(due.timestamp_millis()) {
            self.wrong.push(format!("{}: fired for {due}, which nobody asked for", event.id));
            return Ok(());
        }
        if late < 0 {
            self.wrong.push(format!("{}: fired {} ms early", event.id, -late));
        }
        self.fired[number] += 1;
        if self.fired[number] > 1 {
            self.wrong.push(format!("{}: fired again", event.id));
            return Ok(());
        }
        self.missing -= 1;
        self.to_turn.add_millis(late);
        self.to_broker.add_millis((record.timestamp - due).num_milliseconds());
        self.to_consumer.add_millis((arrived - due).num_milliseconds());
        Ok(())
    }

    /// Whether every reminder has fired.
    pub(super) const fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// Events that were delivered again.
    pub(super) const fn repeats(&self) -> usize {
        self.ledger.repeats()
    }

    /// What was wrong.
    pub(super) fn errors(&self) -> Vec<String> {
        let silent = self.fired.iter().zip(&self.due).enumerate();
        let silent = silent.filter(|(_, (fired, due))| **fired == 0 && due.is_some());
        let silent = silent.map(|(number, _)| format!("{}: has not fired", self.names.id(number)));
        let silent: Vec<String> = silent.collect();
        [&silent[..], &self.wrong[..], self.ledger.faults()].into_iter().flat_map(shown).collect()
    }

    /// How late the firing turns, the records in Kafka and the arrivals at the consumer were.
    pub(super) const fn latenesses(&self) -> [&Samples; 3] {
        [&self.to_turn, &self.to_broker, &self.to_consumer]
    }

    /// The latenesses.
    pub(super) fn measures(&self) -> Vec<Measure> {
        [
            ("lateness to the firing turn", &self.to_turn),
            ("lateness to Kafka's record", &self.to_broker),
            ("lateness to a consumer", &self.to_consumer),
        ]
        .into_iter()
        .filter_map(|(name, samples)| Some(Measure::new(name, samples.summary()?)))
        .collect()
    }
}

/// The first few, and how many more there are.
pub(super) fn shown(errors: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = errors.iter().take(SHOWN).cloned().collect();
    if errors.len() > SHOWN {
        shown.push(format!("… and {} more of this kind", errors.len() - SHOWN));
    }
    shown
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, SecondsFormat};

    use super::*;
    use crate::ledger::tests::triggered;

    struct Run {
        tally: Tally,
        due: DateTime<Utc>,
    }

    impl Run {
        fn of(count: usize) -> Self {
            let due = "2027-01-01T00:00:00Z".parse().unwrap();
            Self { tally: Tally::new(Names::new("test"), vec![due; count]), due }
        }

        fn fire(&mut self, number: usize, sequence: u64, late: i64) {
            let stamp = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
            let at = self.due + Duration::milliseconds(late);
            let id = self.tally.names.id(number);
            let mut record = triggered(&id, sequence, &stamp(self.due), &stamp(at));
            record.timestamp = at + Duration::milliseconds(2);
            self.tally.add(&record, at + Duration::milliseconds(5)).unwrap();
        }
    }

    #[test]
    fn each_fired_once_is_right_and_measured() {
        let mut run = Run::of(2);
        run.fire(1, 1, 4);
        assert!(!run.tally.is_complete());
        run.fire(0, 1, 2);
        // Delivered again, which is allowed.
        run.fire(0, 1, 2);
        assert!(run.tally.is_complete());
        assert_eq!((run.tally.errors(), run.tally.repeats()), (vec![], 1));
        let max: Vec<f64> = run.tally.measures().iter().map(|m| m.summary.max_ms).collect();
        assert_eq!(max, [4.0, 6.0, 9.0]);
    }

    #[test]
    fn missing_early_double_and_disordered_firings_are_errors() {
        let mut run = Run::of(12);
        assert_eq!(run.tally.errors().len(), SHOWN + 1);
        run.fire(0, 1, -1);
        run.fire(1, 1, 1);
        run.fire(1, 2, 1);
        run.fire(2, 2, 1);
        let errors = run.tally.errors().join("\n");
        for part in ["early", "fired again", "came right after number 0", "and 4 more"] {
            assert!(errors.contains(part), "{part}: {errors}");
        }
    }

    #[test]
    fn a_moment_nobody_asked_for_is_an_error_and_strangers_are_none() {
        let mut run = Run::of(1);
        let stranger = triggered("demo-1", 1, "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        run.tally.add(&stranger, Utc::now()).unwrap();
        run.fire(0, 1, 1);
        assert!(run.tally.errors().is_empty());
        run.due += Duration::milliseconds(1);
        run.fire(0, 2, 1);
        run.fire(7, 1, 1);
        assert_eq!(run.tally.errors().len(), 2);
    }

    #[test]
    fn a_task_that_must_not_exist_is_not_waited_for_and_must_not_fire() {
        let mut run = Run::of(2);
        run.tally = Tally::of_some(Names::new("some"), vec![Some(run.due), None]);
        run.fire(0, 1, 1);
        assert!(run.tally.is_complete() && run.tally.errors().is_empty());
        run.fire(1, 1, 1);
        assert_eq!(run.tally.errors().len(), 1);
    }
}
