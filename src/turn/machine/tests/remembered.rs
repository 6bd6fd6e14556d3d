//! Wakes of tasks whose state this process knows from an earlier turn.

use super::*;
use crate::turn::effect::Finish;
use reminder_domain::Fact;

/// A wake that knows one state while another is stored, and the fence between them: its calls, what is
/// stored in the end, and how it ended.
fn wake(
    remembered: &Arc<TaskState>,
    stored: &Arc<TaskState>,
    now: Timestamp,
) -> (Vec<&'static str>, Arc<TaskState>, Box<Finish>) {
    let id = TaskId::parse("t").unwrap();
    let known = Known::State(Arc::clone(remembered));
    let mut machine = Machine::new(id, Request::Wake, known, Some(HOUR_MS), 0);
    let (mut outbox, mut stored, mut calls) = (Outbox::new(1), Arc::clone(stored), Vec::new());
    let mut outcome = Outcome::Start;
    loop {
        outcome = match machine.step(outcome, &mut outbox, now) {
            Effect::Load => {
                calls.push("load");
                Outcome::Loaded(Some(Arc::clone(&stored)))
            }
            Effect::Commit(state) if state.version == stored.version + 1 => {
                calls.push("commit");
                stored = state;
                Outcome::Done
            }
            Effect::Commit(_) => {
                calls.push("refused");
                Outcome::Fenced
            }
            Effect::Publish(handovers) => {
                let mut facts = handovers.iter().flat_map(|one| &one.commit().events);
                let fires = facts.any(|event| matches!(event.fact, Fact::ReminderTriggered(_)));
                calls.push(if fires { "tell that it fired" } else { "tell" });
                Outcome::Done
            }
            Effect::Arm(_) => {
                calls.push("arm");
                Outcome::Done
            }
            Effect::Finish(finish) => return (calls, stored, finish),
            other => panic!("{other:?}"),
        };
    }
}

#[test]
fn what_is_due_fires_without_a_read_and_the_fence_judges_it() {
    let due = stored(at(0));
    let (calls, after, finish) = wake(&due, &due, at(5));
    assert_eq!(calls, ["commit", "tell that it fired"]);
    assert!(matches!(finish.reply, Reply::Awake(version) if version == after.version));
}

#[test]
fn what_was_done_elsewhere_meanwhile_does_not_fire() {
    let due = stored(at(0));
    let complete = command(CommandKind::Complete);
    let done = play(complete, Some(&due), at(1), "").1.expect("it is completed");
    let (calls, _, finish) = wake(&due, &done, at(5));
    // The other host's events are told again, for nobody here knows whether they were.
    assert_eq!(calls, ["refused", "load", "commit", "tell"]);
    assert!(finish.recovery.is_none());
}

#[test]
fn that_nothing_is_due_is_believed_to_the_store_alone() {
    let later = stored(at(600_000));
    assert_eq!(wake(&later, &later, at(0)).0, ["load", "arm"]);
    let earlier = play(put(at(1)), Some(&later), at(0), "").1.expect("it is advanced");
    assert_eq!(wake(&later, &earlier, at(5)).0, ["load", "commit", "tell that it fired"]);
}
