//! What small made-up ledgers demand.

use super::Fate::{May, Must, MustNot};
use super::*;

fn command(ask: Ask, sent: Ms, answered: Ms) -> Command {
    let answer = Some((answered, Answer::Accepted { version: 1 }));
    Command { ask, sent, attempts: 1, answer, took: 1 }
}

fn put(moments: &[Ms], sent: Ms, answered: Ms) -> Command {
    let reminders = vec![Planned { id: "due".into(), moments: moments.to_vec() }];
    command(Ask::Put { title: "t".into(), reminders }, sent, answered)
}

fn fates(commands: &[Command]) -> Vec<(Ms, Fate)> {
    Model::of(commands).demands.iter().map(|demand| (demand.at, demand.fate)).collect()
}

#[test]
fn a_moment_called_off_in_time_is_silent_and_near_it_either_is_right() {
    let asked = put(&[10_000], 0, 10);
    let done =
        |sent, answered| fates(&[asked.clone(), command(Ask::Complete, sent, answered)])[0].1;
    assert_eq!(done(5_000, 9_999), Fate::MustNot);
    assert_eq!(done(5_000, 10_000), Fate::May);
    assert_eq!(done(12_000, 12_001), Fate::May);
    assert_eq!(done(12_001, 12_002), Fate::Must);
    assert_eq!(fates(&[asked])[0].1, Fate::Must);
}

#[test]
fn a_promise_that_came_late_is_owed_from_then() {
    let late = [put(&[10_000], 0, 30_000), command(Ask::Delete, 31_000, 31_001)];
    assert_eq!(fates(&late)[0].1, Fate::May);
    assert_eq!(Model::of(&late).end(), End::Deleted);
}

#[test]
fn a_put_moves_what_differs_and_keeps_what_is_the_same() {
    let moved = [put(&[10_000], 0, 1), put(&[20_000], 5_000, 5_001)];
    assert_eq!(fates(&moved), [(10_000, Fate::MustNot), (20_000, Fate::Must)]);
    let same = [put(&[10_000], 0, 1), put(&[10_000], 5_000, 5_001)];
    assert_eq!(fates(&same), [(10_000, Fate::Must)]);
    let again = [put(&[9], 0, 1), command(Ask::Delete, 2, 3), put(&[9], 4, 5)];
    assert_eq!(fates(&again), [(9, Fate::MustNot), (9, Fate::Must)]);
}

#[test]
fn reopening_brings_back_what_is_to_come_only() {
    let until_reopened = |at| {
        let commands = [
            put(&[at], 0, 1),
            command(Ask::Complete, 2_000, 2_001),
            command(Ask::Reopen, 6_000, 6_100),
        ];
        fates(&commands)
    };
    assert_eq!(until_reopened(9_000), [(9_000, Fate::MustNot), (9_000, Fate::Must)]);
    assert_eq!(until_reopened(6_050), [(6_050, Fate::MustNot), (6_050, Fate::May)]);
    assert_eq!(until_reopened(6_000), [(6_000, Fate::MustNot)]);
}

#[test]
fn snoozes_ring_unless_they_are_acknowledged() {
    let snooze = Ask::Snooze { reminder: "due".into(), until: 20_000 };
    let begin = [put(&[1_000], 0, 1), command(snooze, 9_000, 9_001)];
    assert_eq!(fates(&begin), [(1_000, Fate::Must), (20_000, Fate::Must)]);
    let seen = [&begin[..], &[command(Ask::Acknowledge, 15_000, 15_001)]].concat();
    assert_eq!(fates(&seen), [(1_000, Fate::Must), (20_000, Fate::MustNot)]);
}

#[test]
fn completing_a_recurring_task_calls_off_what_lies_before_its_next_occurrence() {
    let series = put(&[10_000, 15_000, 20_000, Ms::MAX], 0, 1);
    let early = [series.clone(), command(Ask::Complete, 5_000, 5_001)];
    let fate = |commands: &[Command]| fates(commands).into_iter().map(|(_, fate)| fate);
    assert!(fate(&early).eq([MustNot, Must, Must, Must]));
    // Heard at 5 s it moves on to the second, heard at 16 s to the third.
    let unclear = [series, command(Ask::Complete, 5_000, 16_000)];
    assert!(fate(&unclear).eq([May, May, Must, Must]));
    // Should it have moved on to the second, that one fires after the answer as well.
    let until: Vec<_> = Model::of(&unclear).demands.iter().map(|demand| demand.until).collect();
    assert_eq!(until, [Some(16_000), None, None, None]);
}

#[test]
fn what_was_refused_has_no_effect_and_must_be_explained() {
    let mut snooze = command(Ask::Snooze { reminder: "due".into(), until: 20_000 }, 9_000, 9_001);
    let refusal = |at| Some((at, Answer::Refused { status: 422, detail: "past".into() }));
    snooze.answer = refusal(20_000);
    assert!(Model::of(&[put(&[1], 0, 1), snooze.clone()]).wrongly_refused.is_empty());
    snooze.answer = refusal(19_999);
    let model = Model::of(&[put(&[1], 0, 1), snooze]);
    assert_eq!((model.wrongly_refused.len(), model.demands.len()), (1, 1));
}

#[test]
fn without_an_answer_everything_may_be() {
    let unanswered = Command { answer: None, ..put(&[1_000], 0, 1) };
    let model = Model::of(&[unanswered]);
    assert_eq!((model.demands[0].fate, model.end()), (Fate::May, End::Unknown));
}
