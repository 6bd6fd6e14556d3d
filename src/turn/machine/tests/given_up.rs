//! A command that nobody waits for any more changes nothing, and is answered where it was done before.

use super::*;
use crate::turn::effect::Finish;

/// A put with this id, on what is stored, given up while the state is read: whether it committed, and how it ended.
fn put_given_up(id: u64, stored: Option<&Arc<TaskState>>) -> (bool, Box<Finish>) {
    let mut outbox = Outbox::new(1);
    let mut machine =
        Machine::new(TaskId::parse("t").unwrap(), put_with(id), Known::Nothing, None, 0);
    let effect = machine.step(Outcome::Start, &mut outbox, at(0));
    assert!(matches!(effect, Effect::Load), "{effect:?}");
    machine.give_up();
    let (mut outcome, mut committed) = (Outcome::Loaded(stored.map(Arc::clone)), false);
    loop {
        outcome = match machine.step(outcome, &mut outbox, at(0)) {
            Effect::Commit(_) | Effect::Create(_) => {
                committed = true;
                Outcome::Done
            }
            Effect::Finish(finish) => return (committed, finish),
            _ => Outcome::Done,
        };
    }
}

fn put_with(id: u64) -> Request {
    let Request::Command(mut command) = put(at(HOUR_MS)) else { panic!("a command") };
    command.id = Some(id);
    Request::Command(command)
}

#[test]
fn a_command_given_up_begins_no_commit() {
    let (committed, finish) = put_given_up(1, None);
    assert!(matches!(finish.reply, Reply::Unavailable(_)), "{:?}", finish.reply);
    assert!(!committed);
    assert_eq!(finish.recovery, None, "nothing of it is on its way");
}

#[test]
fn a_command_given_up_while_its_wake_is_registered_begins_no_commit_and_leaves_the_wake_to_be_settled()
 {
    let state = stored(at(2 * HOUR_MS));
    let mut outbox = Outbox::new(1);
    let known = Known::State(Arc::clone(&state));
    let mut machine =
        Machine::new(TaskId::parse("t").unwrap(), put(at(60_000)), known, Some(HOUR_MS), 0);
    let mut outcome = Outcome::Start;
    let finish = loop {
        outcome = match machine.step(outcome, &mut outbox, at(0)) {
            Effect::Arm(_) => {
                machine.give_up();
                Outcome::Done
            }
            Effect::Finish(finish) => break finish,
            Effect::LoadPreferences { .. } => Outcome::Preferences(Box::new(preferences())),
            other => panic!("{other:?}"),
        };
    };
    assert!(matches!(finish.reply, Reply::Unavailable(_)), "{:?}", finish.reply);
    assert!(finish.recovery.is_some_and(|recovery| recovery.misarmed));
}

#[test]
fn a_command_given_up_that_is_known_is_answered() {
    let (_, state, _) = play(put_with(1), None, at(0), "");
    let (committed, finish) = put_given_up(1, state.as_ref());
    assert!(matches!(finish.reply, Reply::Answer(_)), "{:?}", finish.reply);
    assert!(!committed);
}
