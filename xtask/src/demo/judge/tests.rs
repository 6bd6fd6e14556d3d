//! The judge, with what is right and with everything that can be wrong.

use chrono::{Duration, SecondsFormat};
use serde_json::json;

use super::*;
use crate::ledger::{self, tests::triggered};

fn script() -> Script {
    Script::new(Utc::now())
}

fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn fire(
    evidence: &mut Evidence,
    script: &Script,
    task: &'static str,
    reminder: &str,
    due: DateTime<Utc>,
    late: i64,
) {
    let at = due + Duration::milliseconds(late);
    let sequence = 1 + evidence.fired.iter().filter(|f| f.task == task).count();
    let mut record = triggered(&script.id(task), sequence as u64, &stamp(due), &stamp(at));
    let text = String::from_utf8(record.payload).unwrap();
    record.payload =
        text.replace(r#""reminderId":"due""#, &format!(r#""reminderId":"{reminder}""#)).into();
    let event = ledger::read(&record).unwrap();
    evidence.event(task, &record, &event, at + Duration::milliseconds(7));
}

fn all_right(script: &Script) -> Evidence {
    let mut evidence = Evidence::default();
    for firing in &script.firings {
        fire(&mut evidence, script, firing.task, firing.reminder, firing.due, 3);
    }
    evidence
}

#[test]
fn the_right_firings_are_found_right() {
    let script = script();
    let verdict = judge(&script, &all_right(&script));
    assert_eq!(verdict.faults, Vec::<String>::new());
    assert_eq!(verdict.rows.len(), script.firings.len() + script.silences.len());
    assert_eq!(verdict.rows[0].fate, Fate::Fired { fired_after: 3, arrived_after: 10 });
}

#[test]
fn a_missing_firing_is_a_fault() {
    let script = script();
    let mut evidence = all_right(&script);
    evidence.fired.retain(|f| f.task != "train");
    assert_eq!(
        judge(&script, &evidence).faults,
        ["train: has not fired (on time, before the due date)"]
    );
    assert!(!evidence.is_complete(&script, &[]));
}

#[test]
fn firing_early_or_twice_is_a_fault() {
    let script = script();
    let mut evidence = all_right(&script);
    evidence.fired[0].at = script.firings[0].due - Duration::milliseconds(1);
    assert_eq!(judge(&script, &evidence).faults, ["milk: fired early (on time)"]);

    let mut evidence = all_right(&script);
    fire(&mut evidence, &script, "milk", "due", script.firings[0].due, 9);
    assert_eq!(judge(&script, &evidence).faults, ["milk: fired twice (on time)"]);
}

#[test]
fn breaking_a_silence_is_a_fault_for_each_reason_to_be_silent() {
    let script = script();
    for silence in &script.silences {
        let mut evidence = all_right(&script);
        let due = silence.due.unwrap_or(script.start);
        fire(&mut evidence, &script, silence.task, "due", due, 1);
        let faults = judge(&script, &evidence).faults;
        assert_eq!(faults, [format!("{}: fired ({})", silence.task, silence.why)]);
    }
}

#[test]
fn a_firing_nobody_asked_for_is_a_fault() {
    let script = script();
    let mut evidence = all_right(&script);
    fire(&mut evidence, &script, "milk", "other", script.firings[0].due, 1);
    assert_eq!(judge(&script, &evidence).faults.len(), 1);
    let mut evidence = all_right(&script);
    fire(&mut evidence, &script, "party", "due", script.start, 1);
    assert!(judge(&script, &evidence).faults[0].contains("nobody asked for"));
}

#[test]
fn a_repeated_delivery_is_no_fault_and_a_gap_is_one() {
    let script = script();
    let mut evidence = all_right(&script);
    let due = stamp(script.firings[0].due);
    let mut deliver = |sequence| {
        let record = triggered(&script.id("milk"), sequence, &due, &due);
        evidence.event("milk", &record, &ledger::read(&record).unwrap(), Utc::now())
    };
    assert_eq!(deliver(1), Noted::Repeat);
    assert_eq!(deliver(3), Noted::New);
    let verdict = judge(&script, &evidence);
    assert_eq!(verdict.repeats, 1);
    assert!(verdict.faults.iter().any(|fault| fault.contains("reminders-3")), "{verdict:?}");
}

#[test]
fn answers_must_be_those_expected() {
    let script = script();
    let mut evidence = all_right(&script);
    let put = &script.calls[0];
    let refused = script.calls.iter().find(|call| call.task == "rover").unwrap();
    evidence.answer(put, &Ok(json!({ "version": 1 })));
    evidence.answer(refused, &Err(Problem::invalid("task.dueDate.zone", "is unknown")));
    assert!(judge(&script, &evidence).faults.is_empty());
    evidence.answer(put, &Ok(json!({ "version": 2 })));
    evidence.answer(put, &Err(Problem::invalid("task.title", "is missing")));
    evidence.answer(refused, &Ok(json!({ "version": 1 })));
    evidence.answer(refused, &Err(Problem::invalid("task.title", "is missing")));
    evidence.answer(put, &Ok(json!({})));
    assert_eq!(judge(&script, &evidence).faults.len(), 5);
}

#[test]
fn the_end_waits_for_the_last_version_of_every_task() {
    let script = script();
    let mut evidence = all_right(&script);
    let topics = ["task-events", "task-updates"];
    assert!(!evidence.is_complete(&script, &topics));
    for (task, version) in script.final_versions() {
        for topic in topics {
            evidence.versions.insert((topic.to_owned(), task), version);
        }
    }
    assert!(evidence.is_complete(&script, &topics));
    evidence.versions.insert((topics[1].to_owned(), "party"), 1);
    assert!(!evidence.is_complete(&script, &topics));
}
