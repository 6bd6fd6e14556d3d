//! Turns that take for granted, as their command does, that there is no such task yet.

use super::*;
use crate::turn::draft::Ledger;
use crate::turn::effect::Finish;
use reminder_domain::Rejection;

fn new_task(due: Timestamp) -> Request {
    let Request::Command(mut command) = put(due) else { panic!("a command") };
    command.if_version = Some(0);
    Request::Command(command)
}

#[test]
fn a_new_task_is_written_without_being_read() {
    let (calls, state, finish) = play(new_task(at(2 * HOUR_MS)), None, at(0), "");
    assert_eq!(calls, ["commit", "publish"]);
    assert_eq!(state.unwrap().version, 1);
    assert!(matches!(finish.reply, Reply::Answer(_)) && finish.recovery.is_none());
}

/// A turn on a task that is there although its command says it is not: the fence refuses the first commit.
fn refused_once(request: Request, stored: &Arc<TaskState>) -> (usize, Box<Finish>) {
    let mut outbox = Outbox::new(1);
    let id = TaskId::parse("t").unwrap();
    let mut machine = Machine::new(id, request, Known::Nothing, Some(HOUR_MS), 0);
    let (mut outcome, mut loads) = (Outcome::Start, 0);
    loop {
        outcome = match machine.step(outcome, &mut outbox, at(0)) {
            Effect::Commit(state) | Effect::Create(state)
                if state.version == stored.version + 1 =>
            {
                Outcome::Done
            }
            Effect::Commit(_) | Effect::Create(_) => Outcome::Fenced,
            Effect::Load => {
                loads += 1;
                Outcome::Loaded(Some(Arc::clone(stored)))
            }
            Effect::Finish(finish) => return (loads, finish),
            _ => Outcome::Done,
        };
    }
}

#[test]
fn a_task_that_is_there_after_all_is_read_and_the_command_refused() {
    let (loads, finish) = refused_once(new_task(at(2 * HOUR_MS)), &stored(at(3 * HOUR_MS)));
    assert_eq!(loads, 1);
    assert!(matches!(finish.reply, Reply::Rejected(Rejection::VersionConflict { .. })));
    assert!(finish.recovery.is_none(), "nothing was registered");
}

#[test]
fn the_wake_of_a_near_one_is_registered_only_where_there_is_none() {
    let (calls, state, finish) = play(new_task(at(60_000)), None, at(0), "");
    assert_eq!(calls, ["arm +60s if absent", "commit", "publish"]);
    assert_eq!(state.unwrap().armed, Some(at(60_000)));
    assert!(finish.recovery.is_none());
}

#[test]
fn where_a_wake_is_registered_the_task_is_read() {
    // `wake` has one time only: an earlier one, of a task that is there after all, must stay.
    let mut outbox = Outbox::new(1);
    let id = TaskId::parse("t").unwrap();
    let mut machine = Machine::new(id, new_task(at(60_000)), Known::Nothing, Some(HOUR_MS), 0);
    let first = machine.step(Outcome::Start, &mut outbox, at(0));
    assert!(matches!(first, Effect::ArmIfAbsent(_)));
    let next = machine.step(Outcome::ArmedAlready, &mut outbox, at(0));
    assert!(matches!(next, Effect::Load));
    // It had been left behind: the task is new all the same, and the wake is put in its place.
    let next = machine.step(Outcome::Loaded(None), &mut outbox, at(0));
    assert!(matches!(next, Effect::Arm(due) if due == at(60_000)));
}

#[test]
fn one_that_is_there_after_all_has_lost_no_wake() {
    // Its own lies beyond the horizon, so none was registered, and the fence tells.
    let (loads, finish) = refused_once(new_task(at(60_000)), &stored(at(3 * HOUR_MS)));
    assert_eq!(loads, 1);
    assert!(finish.recovery.is_none(), "what was registered is one wake too many, and harmless");
}

#[test]
fn a_guess_is_made_where_the_command_says_nothing() {
    let guessing = |request, guess| {
        let (id, mut outbox) = (TaskId::parse("t").unwrap(), Outbox::new(1));
        let machine = Machine::new(id, request, Known::Nothing, Some(HOUR_MS), 0);
        machine.presuming_new(guess).step(Outcome::Start, &mut outbox, at(0))
    };
    let far = || put(at(2 * HOUR_MS));
    assert!(matches!(guessing(far(), true), Effect::Commit(_) | Effect::Create(_)));
    assert!(matches!(guessing(far(), false), Effect::Load));
}

#[test]
fn a_wake_registered_for_a_state_that_is_refused_is_put_right() {
    let (known, stored) = (stored(at(3 * HOUR_MS)), stored(at(60_000)));
    let mut outbox = Outbox::new(1);
    let id = TaskId::parse("t").unwrap();
    let known = Known::State(known);
    let mut machine = Machine::new(id, put(at(600_000)), known, Some(HOUR_MS), 0);
    let (mut outcome, mut refused) = (Outcome::Start, false);
    let finish = loop {
        outcome = match machine.step(outcome, &mut outbox, at(0)) {
            Effect::Commit(_) | Effect::Create(_) if !refused => {
                refused = true;
                Outcome::Fenced
            }
            Effect::Load => Outcome::Loaded(Some(Arc::clone(&stored))),
            Effect::Finish(finish) => break finish,
            _ => Outcome::Done,
        };
    };
    assert!(refused && finish.recovery.expect("a settle turn is asked for").misarmed);
}

#[test]
fn after_a_restore_or_a_purge_a_new_task_is_not_read_either() {
    // The fence refuses what begins a task that is there, whatever the incarnation.
    let (mut restored, mut purged) = (Outbox::new(1), Outbox::new(1));
    restored.restored_in(1_795_347_173);
    purged.raise_births(1_795_347_173);
    for mut outbox in [restored, purged] {
        let (calls, state, _) = play_with(&mut outbox, new_task(at(2 * HOUR_MS)), None, at(0), "");
        assert_eq!(calls, ["commit", "publish"]);
        assert_eq!(state.unwrap().version, 1_795_347_172_001);
    }
}

#[test]
fn what_was_only_guessed_is_not_known_to_the_next_turn() {
    let mut outbox = Outbox::new(1);
    let id = TaskId::parse("t").unwrap();
    let mut machine = Machine::new(id, new_task(at(60_000)), Known::Nothing, Some(HOUR_MS), 0);
    machine.give_up();
    let mut outcome = Outcome::Start;
    let finish = loop {
        outcome = match machine.step(outcome, &mut outbox, at(0)) {
            Effect::Finish(finish) => break finish,
            Effect::LoadPreferences { .. } => Outcome::Preferences(Box::new(preferences())),
            Effect::Commit(_) | Effect::Create(_) | Effect::Load => panic!("given up"),
            _ => Outcome::Done,
        };
    };
    assert!(matches!(finish.reply, Reply::Unavailable(_)), "{:?}", finish.reply);
    assert!(matches!(finish.known, Known::Nothing), "{:?}", finish.known);
}
