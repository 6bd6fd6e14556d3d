//! Made-up histories: one in which all is well, and one for each way in which it is not.

use reminder_stack::events::Record;

use super::super::history::{Ask, Planned, TaskView};
use super::*;
use crate::ledger::tests::triggered;

/// When the made-up run begins, in milliseconds; dates make poor reading.
const DUE: Ms = 1_800_000_010_000;
const ENDED: Ms = DUE + 100_000;

fn stamp(at: Ms) -> String {
    super::super::body::rfc3339(at)
}

/// A run of one task, `t`.
struct Run(History);

impl Run {
    /// A task that is put, fires in time, and stands as it should.
    fn well() -> Self {
        let mut run = Self(History { run: "t".into(), ended: ENDED, ..History::default() });
        run.put(&[DUE], -9_000, 1);
        run.synced(1);
        run.fires(2, 5);
        run.stands(Some(("pending", 2)));
        run
    }

    fn command(&mut self, ask: Ask, at: Ms, version: u64) -> &mut Command {
        let answer = Some((DUE + at + 10, Answer::Accepted { version }));
        let command = Command { ask, sent: DUE + at, attempts: 1, answer, took: 10 };
        let commands = self.0.commands.entry("t".into()).or_default();
        commands.push(command);
        commands.last_mut().unwrap()
    }

    fn put(&mut self, moments: &[Ms], at: Ms, version: u64) {
        let reminders = vec![Planned { id: "due".into(), moments: moments.to_vec() }];
        self.command(Ask::Put { title: "x".into(), reminders }, at, version);
    }

    /// The task fires on the version so long after it is due, and says so.
    fn fires(&mut self, sequence: u64, late: Ms) {
        let trigger = trigger(sequence, DUE, DUE + late);
        self.note(&trigger, late + 1);
        self.told().updated.push(2);
        self.synced(2);
    }

    fn note(&mut self, record: &Record, late: Ms) {
        self.0.journal.note(record, DUE + late);
    }

    fn told(&mut self) -> &mut Told {
        self.0.journal.told.entry("t".into()).or_default()
    }

    fn synced(&mut self, version: u64) {
        self.told().synced.push(version);
    }

    fn stands(&mut self, how: Option<(&str, u64)>) {
        let task = how.map(|(status, version)| TaskView {
            version,
            title: "x".into(),
            status: status.into(),
            reminders: vec!["due".into()],
        });
        self.0.views.insert("t".into(), View { task });
    }

    /// The verdicts that something was found for.
    fn found(&self) -> Vec<(&'static str, usize)> {
        let verdicts = judge(&self.0).verdicts();
        let found = verdicts.iter().map(|verdict| (verdict.name, verdict.violations.len()));
        found.filter(|(_, count)| *count > 0).collect()
    }
}

/// The firing with that number; the first number belongs to `reminder.scheduled`.
fn trigger(sequence: u64, due: Ms, fired: Ms) -> Record {
    let written = chrono::DateTime::from_timestamp_millis(fired + 1).unwrap();
    Record { timestamp: written, ..triggered("t", sequence - 1, &stamp(due), &stamp(fired)) }
}

#[test]
fn a_clean_history_is_clean_and_counted() {
    let run = Run::well();
    assert_eq!(run.found(), []);
    let judgement = judge(&run.0);
    assert_eq!((judgement.must, judgement.may, judgement.silent), (1, 0, 0));
    assert_eq!(judgement.firings, [Firing { owed: DUE, fired: DUE + 5, arrived: DUE + 6 }]);
}

#[test]
fn a_repeat_is_clean_and_a_firing_that_is_not_owed_yet_is_not_missed() {
    let mut run = Run::well();
    run.note(&trigger(2, DUE, DUE + 5), 900);
    assert_eq!((run.found(), run.0.journal.ledger.repeats()), (vec![], 1));
    let mut run = Run::well();
    run.put(&[ENDED + 1], 20_000, 3);
    run.synced(3);
    run.stands(Some(("pending", 3)));
    assert_eq!(run.found(), []);
}

#[test]
fn a_moment_that_does_not_fire_is_lost() {
    let mut run = Run::well();
    run.told().triggers.clear();
    assert_eq!(run.found(), [("lost", 1)]);
    assert_eq!(judge(&run.0).never, [DUE]);
}

#[test]
fn a_firing_or_a_command_that_is_not_told_on_every_topic_is_lost() {
    let mut run = Run::well();
    run.told().updated.clear();
    assert_eq!(run.found(), [("lost", 1)]);
    let mut run = Run::well();
    run.told().synced.retain(|version| *version != 1);
    assert_eq!(run.found(), [("lost", 1)]);
}

#[test]
fn a_firing_before_its_time_is_early_by_its_own_word_and_by_the_broker() {
    let mut run = Run::well();
    run.told().triggers[0].fired_at = DUE - 1;
    assert_eq!(run.found(), [("early", 1)]);
    let mut run = Run::well();
    run.told().triggers[0].written = DUE - 1;
    assert_eq!(run.found(), [("early", 1)]);
}

#[test]
fn a_due_time_that_only_the_service_knows_is_unasked_and_the_right_one_lost() {
    let mut run = Run::well();
    run.told().triggers[0].scheduled_for = DUE + 1;
    assert_eq!(run.found(), [("lost", 1), ("unasked", 1)]);
}

#[test]
fn a_firing_after_the_answer_that_called_it_off_is_stale() {
    for ask in [Ask::Complete, Ask::Delete, Ask::Dismiss] {
        let mut run = Run::well();
        run.command(ask, -5_000, 2);
        run.0.views.clear();
        assert_eq!(run.found(), [("stale", 1)]);
    }
    // Moved away: the old time is stale and the new one fires.
    let mut run = Run::well();
    run.put(&[DUE + 9], -5_000, 2);
    run.note(&trigger(3, DUE + 9, DUE + 10), 11);
    assert_eq!(run.found(), [("stale", 1)]);
}

#[test]
fn a_firing_that_raced_with_what_called_it_off_is_right_either_way_until_the_answer() {
    let mut run = Run::well();
    run.command(Ask::Complete, -4, 2);
    run.stands(Some(("completed", 2)));
    // The answer came at +6, it fired at +5.
    assert_eq!(run.found(), []);
    run.told().triggers[0].fired_at = DUE + 7;
    assert_eq!(run.found(), [("stale", 1)]);
    run.told().triggers.clear();
    assert_eq!(run.found(), []);
}

#[test]
fn gaps_disorder_and_an_id_with_two_contents_break_the_order() {
    let mut run = Run::well();
    run.note(&trigger(4, DUE, DUE + 5), 6);
    run.told().triggers.truncate(1);
    assert_eq!(run.found(), [("order broken", 1)], "a gap");

    let mut run = Run::well();
    run.note(&trigger(4, DUE, DUE + 5), 6);
    run.note(&trigger(3, DUE, DUE + 5), 6);
    run.told().triggers.truncate(1);
    assert_eq!(run.found(), [("order broken", 2)], "a gap, and what belongs into it too late");

    let mut run = Run::well();
    run.note(&trigger(2, DUE, DUE + 6), 7);
    assert_eq!(run.found(), [("order broken", 1)], "the same id with another content");
}

#[test]
fn what_nobody_asked_for_and_what_fires_twice_is_unasked() {
    let mut run = Run::well();
    run.note(&trigger(3, DUE, DUE + 30), 31);
    assert_eq!(run.found(), [("unasked", 1)]);

    let mut run = Run::well();
    let stranger = triggered("t-stranger", 1, &stamp(DUE), &stamp(DUE));
    run.note(&stranger, 1);
    assert_eq!(run.found(), [("unasked", 1)]);

    // What was made before this run may fire.
    let mut run = Run::well();
    run.note(&triggered("capacity-1", 1, &stamp(DUE), &stamp(DUE)), 1);
    assert_eq!(run.found(), []);
}

#[test]
fn an_answer_that_is_not_kept_is_found() {
    let mut run = Run::well();
    run.stands(None);
    assert_eq!(run.found(), [("answer not kept", 1)], "the task is gone");
    run.stands(Some(("completed", 2)));
    assert_eq!(run.found(), [("answer not kept", 1)], "its status is another");
    run.stands(Some(("pending", 0)));
    assert_eq!(run.found(), [("answer not kept", 1)], "its version is behind");
    run.stands(Some(("pending", 2)));
    run.0.views.get_mut("t").unwrap().task.as_mut().unwrap().title = "y".into();
    assert_eq!(run.found(), [("answer not kept", 1)], "its title is old");

    let mut run = Run::well();
    run.command(Ask::Delete, 20_000, 3);
    run.synced(3);
    assert_eq!(run.found(), [("answer not kept", 1)], "it was deleted and is there");
}

#[test]
fn commands_without_an_answer_refused_or_with_older_versions_are_found() {
    let mut run = Run::well();
    run.command(Ask::Complete, 20_000, 3).answer = None;
    assert_eq!(run.found(), [("answer not kept", 1)]);

    let mut run = Run::well();
    let refused = Answer::Refused { status: 409, detail: "no".into() };
    run.command(Ask::Acknowledge, 20_000, 3).answer = Some((DUE + 20_010, refused));
    assert_eq!(run.found(), [("answer not kept", 1)]);

    let mut run = Run::well();
    run.0.commands.get_mut("t").unwrap()[0].answer = Some((DUE, Answer::Accepted { version: 4 }));
    run.synced(4);
    run.command(Ask::Acknowledge, 20_000, 2);
    assert_eq!(run.found(), [("answer not kept", 2)], "versions went back, here and in the view");
}

#[test]
fn a_missed_occurrence_is_lost_unless_a_later_one_counts_it() {
    let series = |coalesced| {
        let mut run = Run::well();
        let Some(Command { ask: Ask::Put { reminders, .. }, .. }) =
            run.0.commands.get_mut("t").unwrap().first_mut()
        else {
            panic!("a put")
        };
        reminders[0].moments = vec![DUE - 2_000, DUE - 1_000, DUE, Ms::MAX];
        run.told().triggers[0].coalesced = coalesced;
        run
    };
    assert_eq!(series(2).found(), []);
    assert_eq!(judge(&series(2).0).coalesced, 2);
    assert_eq!(series(1).found(), [("lost", 1)]);
    assert_eq!(series(0).found(), [("lost", 2)]);
}

#[test]
fn what_cannot_be_read_puts_the_reading_in_doubt() {
    let mut run = Run::well();
    run.note(&Record { payload: b"{}".to_vec(), ..trigger(3, DUE, DUE) }, 1);
    assert_eq!(run.found(), [("reading in doubt", 1)]);
}
