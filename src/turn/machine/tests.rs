//! Which calls a turn makes, in which order, and what it stores about the registration.

use super::*;
use crate::outbox::lanes::Outbox;
use crate::turn::effect::Handover;
use crate::turn::firing::FiringStop;
use crate::turn::record::UnreadableState;
use reminder_domain::command::{IfPast, Put};
use reminder_domain::ids::Person;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::{Command, CommandKind, Task, Turn, decide, next_wake};

mod admission;
mod erase;
mod given_up;
mod paused;
mod presumed;
mod purge;
mod recalled;
mod remembered;
mod restored;

const NOW_MS: i64 = 1_800_000_000_000;
const HOUR_MS: i64 = 3_600_000;

fn at(after_ms: i64) -> Timestamp {
    Timestamp::from_millis(NOW_MS + after_ms)
}

fn put(due: Timestamp) -> Request {
    let json = format!(r#"{{"title":"t","dueDate":"{due}"}}"#);
    let task: Task = serde_json::from_str(&json).unwrap();
    let put = Put { task, if_past: IfPast::Fire, restored: Vec::new() };
    command(CommandKind::Put(Box::new(put)))
}

fn command(kind: CommandKind) -> Request {
    let fingerprint = xxhash_rust::xxh3::xxh3_64(format!("{kind:?}").as_bytes());
    let origin = Origin::default();
    Request::Command(Box::new(Command {
        kind,
        id: None,
        fingerprint,
        if_version: None,
        as_user: None,
        origin,
    }))
}

/// What every user prefers here.
fn preferences() -> KnownPreferences {
    let json = r#"{"version":3,"preferences":{"zone":"Asia/Tokyo"}}"#;
    serde_json::from_str(json).unwrap()
}

/// Plays a turn against a world where everything works but what `fails` names; returns the calls
/// and the state committed last.
fn play(
    request: Request,
    stored: Option<&Arc<TaskState>>,
    now: Timestamp,
    fails: &str,
) -> (Vec<String>, Option<Arc<TaskState>>, Box<crate::turn::effect::Finish>) {
    play_in(&mut Outbox::new(1), Arc::default(), request, stored, now, fails)
}

/// The same with an outbox of the caller's.
fn play_with(
    outbox: &mut Outbox,
    request: Request,
    stored: Option<&Arc<TaskState>>,
    now: Timestamp,
    fails: &str,
) -> (Vec<String>, Option<Arc<TaskState>>, Box<crate::turn::effect::Finish>) {
    play_in(outbox, Arc::default(), request, stored, now, fails)
}

/// The same while some reminders shall not fire.
fn play_while(
    stop: Arc<FiringStop>,
    request: Request,
    stored: Option<&Arc<TaskState>>,
    now: Timestamp,
    fails: &str,
) -> (Vec<String>, Option<Arc<TaskState>>, Box<crate::turn::effect::Finish>) {
    play_in(&mut Outbox::new(1), stop, request, stored, now, fails)
}

fn play_in(
    outbox: &mut Outbox,
    stop: Arc<FiringStop>,
    request: Request,
    stored: Option<&Arc<TaskState>>,
    mut now: Timestamp,
    fails: &str,
) -> (Vec<String>, Option<Arc<TaskState>>, Box<crate::turn::effect::Finish>) {
    let id = TaskId::parse("t").unwrap();
    let horizon_ms = Some(HOUR_MS);
    let mut machine = Machine::new(id, request, Known::Nothing, horizon_ms, 0).stopped_by(stop);
    let (mut calls, mut committed) = (Vec::new(), None);
    let mut outcome = Outcome::Start;
    loop {
        assert!(calls.len() < 100, "the turn does not come to its end: {calls:?}");
        let effect = machine.step(outcome, outbox, now);
        let call = match &effect {
            Effect::Load => "load".to_owned(),
            Effect::LoadWatermark(_) => "load watermark".into(),
            Effect::LoadPreferences { .. } => "load preferences".into(),
            Effect::Admit { .. } => "admit".into(),
            Effect::WaitUntil(_) => "wait".into(),
            Effect::Arm(at) => format!("arm +{}s", at.millis_since(now) / 1000),
            Effect::ArmIfAbsent(at) => format!("arm +{}s if absent", at.millis_since(now) / 1000),
            Effect::Disarm => "disarm".into(),
            Effect::Commit(_) | Effect::Create(_) => "commit".into(),
            Effect::LoadBirths => "load births".into(),
            Effect::Remove(_) => "remove".into(),
            Effect::Publish(_) => "publish".into(),
            Effect::Finish(_) => String::new(),
        };
        let failed = !fails.is_empty() && call.starts_with(fails);
        outcome = match effect {
            Effect::Finish(finish) => return (calls, committed, finish),
            _ if failed => Outcome::Failed("down".into()),
            Effect::WaitUntil(at) => {
                now = at;
                Outcome::Done
            }
            Effect::Load => Outcome::Loaded(stored.map(Arc::clone)),
            Effect::LoadWatermark(_) => Outcome::Watermark(u64::MAX),
            Effect::LoadPreferences { .. } => Outcome::Preferences(Box::new(preferences())),
            Effect::LoadBirths => Outcome::Births(1),
            Effect::Commit(state) | Effect::Create(state) => {
                committed = Some(state);
                Outcome::Done
            }
            _ => Outcome::Done,
        };
        calls.push(call);
    }
}

#[test]
fn a_state_that_cannot_be_read_ends_the_turn_at_once() {
    let why = UnreadableState::Newer { found: 2 };
    for request in [Request::Get, Request::Wake, Request::Settle { at_least: 3 }, put(at(60_000))] {
        let mut outbox = Outbox::new(1);
        let id = TaskId::parse("t").unwrap();
        let mut machine = Machine::new(id, request, Known::Nothing, None, 0);
        let effect = machine.step(Outcome::Start, &mut outbox, at(0));
        assert!(matches!(effect, Effect::Load));
        // No registration that would come back at once, and no doubt that would be looked after.
        match machine.step(Outcome::Unreadable(why.clone()), &mut outbox, at(0)) {
            Effect::Finish(finish) => {
                assert!(matches!(&finish.reply, Reply::Unreadable(told) if *told == why));
                assert_eq!((finish.recovery, finish.wake_failures), (None, 0));
            }
            other => panic!("{other:?}"),
        }
    }
}

fn stored(due: Timestamp) -> Arc<TaskState> {
    play(put(due), None, at(0), "").1.expect("a put commits")
}

#[test]
fn a_near_task_is_armed_before_its_commit_and_a_far_one_not_at_all() {
    let (calls, state, _) = play(put(at(60_000)), None, at(0), "");
    assert_eq!(calls, ["load", "arm +60s", "commit", "publish"]);
    assert_eq!(state.unwrap().armed, Some(at(60_000)));
    let (calls, state, _) = play(put(at(2 * HOUR_MS)), None, at(0), "");
    assert_eq!(calls, ["load", "commit", "publish"]);
    assert_eq!(state.unwrap().armed, None);
}

#[test]
fn a_registration_that_failed_is_not_on_record_and_is_looked_after() {
    let (calls, state, finish) = play(put(at(60_000)), None, at(0), "arm");
    assert_eq!(
        calls,
        ["load", "arm +60s", "commit", "publish"],
        "the command succeeds all the same"
    );
    assert_eq!(state.unwrap().armed, None);
    assert!(finish.recovery.expect("a settle turn is asked for").misarmed);
}

#[test]
fn postponing_leaves_the_early_wake_and_advancing_registers_an_earlier_one() {
    let before = stored(at(600_000));
    let (calls, state, _) = play(put(at(700_000)), Some(&before), at(0), "");
    assert_eq!(calls, ["load", "commit", "publish"]);
    assert_eq!(state.unwrap().armed, None, "it is left to fire, and nobody counts on it");
    let (calls, state, _) = play(put(at(500_000)), Some(&before), at(0), "");
    assert_eq!(calls, ["load", "arm +500s", "commit", "publish"]);
    assert_eq!(state.unwrap().armed, Some(at(500_000)));
}

#[test]
fn completing_unregisters_a_far_wake_and_leaves_a_near_one() {
    let complete = || command(CommandKind::Complete);
    let (calls, state, _) = play(complete(), Some(&stored(at(600_000))), at(0), "");
    assert_eq!(calls, ["load", "commit", "publish", "disarm"]);
    assert_eq!(state.unwrap().armed, None, "nobody may count on what is taken away");
    let (calls, ..) = play(complete(), Some(&stored(at(30_000))), at(0), "");
    assert_eq!(calls, ["load", "commit", "publish"]);
}

#[test]
fn a_wake_commits_before_it_publishes_and_counts_its_registration_as_used() {
    let (calls, state, _) = play(Request::Wake, Some(&stored(at(0))), at(5), "");
    assert_eq!(calls, ["load", "commit", "publish"]);
    assert_eq!(state.unwrap().armed, None);
}

#[test]
fn a_spurious_wake_registers_the_next_one_and_writes_nothing() {
    let (calls, state, _) = play(Request::Wake, Some(&stored(at(600_000))), at(0), "");
    assert_eq!(calls, ["load", "arm +600s"]);
    assert_eq!(state, None);
    let (calls, ..) = play(Request::Wake, None, at(0), "");
    assert_eq!(calls, ["load"], "a wake of a task that does not exist is nothing");
}

#[test]
fn a_wake_slightly_early_waits() {
    let (calls, ..) = play(Request::Wake, Some(&stored(at(50))), at(0), "");
    assert_eq!(calls, ["load", "wait", "commit", "publish"]);
}

#[test]
fn a_wake_that_fails_asks_to_be_woken_again_and_pauses_when_even_that_fails() {
    let (calls, _, finish) = play(Request::Wake, None, at(0), "load");
    assert_eq!(calls, ["load", "arm +1s"]);
    assert_eq!((finish.wake_failures, matches!(finish.reply, Reply::Awake(_))), (1, true));
    let (calls, _, finish) = play(Request::Wake, Some(&stored(at(600_000))), at(0), "arm");
    assert_eq!(calls, ["load", "arm +600s", "arm +1s", "wait"]);
    assert!(matches!(finish.reply, Reply::Unavailable(_)), "Dapr must repeat it");
}

#[test]
fn a_commit_that_is_never_confirmed_ends_in_doubt() {
    let (calls, _, finish) = play(put(at(2 * HOUR_MS)), None, at(0), "commit");
    assert_eq!(calls.iter().filter(|call| *call == "commit").count(), 4);
    let recovery = finish.recovery.expect("a settle turn is asked for");
    assert_eq!((recovery.at_least, recovery.stamps.len()), (1, 1), "one stamp for all attempts");
    assert!(matches!(finish.reply, Reply::Unavailable(_)));
}

#[test]
fn a_settle_turn_makes_sure_that_no_statement_can_still_take_effect() {
    let settle = |at_least| Request::Settle { at_least };
    let (calls, state, finish) = play(settle(2), Some(&stored(at(2 * HOUR_MS))), at(0), "");
    assert_eq!((calls, state.unwrap().version), (vec!["load".to_owned(), "commit".into()], 2));
    assert!(matches!(finish.reply, Reply::Awake(2)));
    // Nothing is stored: a tombstone takes the place of the first version.
    let (calls, state, _) = play(settle(1), None, at(0), "");
    assert_eq!((calls.len(), state.unwrap().version), (2, 1));
    let (calls, ..) = play(settle(1), Some(&stored(at(2 * HOUR_MS))), at(0), "");
    assert_eq!(calls, ["load"], "that version is taken");
}

/// A task of a user, due at a wall time of wherever that user is.
fn put_for(user: &str, local: &str) -> Request {
    let json = format!(r#"{{"title":"t","userId":"{user}","dueDate":{{"local":"{local}"}}}}"#);
    let task: Task = serde_json::from_str(&json).unwrap();
    command(CommandKind::Put(Box::new(Put { task, if_past: IfPast::Fire, restored: Vec::new() })))
}

/// A wall time, and its instant in Tokyo.
const LOCAL: &str = "2027-01-16T09:00:00";
const IN_TOKYO: &str = "2027-01-16T00:00:00.000Z";

#[test]
fn a_put_asks_for_the_preferences_of_its_user_once() {
    let (calls, state, _) = play(put_for("ada", LOCAL), None, at(0), "");
    assert_eq!(calls, ["load", "load preferences", "commit", "publish"]);
    let state = state.unwrap();
    assert_eq!(next_wake(&state).unwrap().to_string(), IN_TOKYO);
    assert_eq!(state.live().unwrap().preferences.version, 3);
}

#[test]
fn without_the_preferences_a_new_task_waits_and_a_known_one_keeps_its_copy() {
    let (calls, state, finish) = play(put_for("ada", LOCAL), None, at(0), "load preferences");
    assert_eq!(calls, ["load", "load preferences"]);
    assert!(state.is_none() && matches!(finish.reply, Reply::Unavailable(_)));

    let known = play(put_for("ada", LOCAL), None, at(0), "").1.unwrap();
    let moved = put_for("ada", "2027-01-17T09:00:00");
    let (_, state, _) = play(moved, Some(&known), at(0), "load preferences");
    assert_eq!(next_wake(&state.unwrap()).unwrap().to_string(), "2027-01-17T00:00:00.000Z");
    let (_, state, _) = play(put_for("bob", LOCAL), Some(&known), at(0), "load preferences");
    assert!(state.is_none(), "the copy is that of another user");
}

#[test]
fn a_refresh_takes_over_newer_preferences_and_registers_an_earlier_wake_first() {
    let now = Timestamp::parse("2027-01-15T23:30:00Z").unwrap();
    let Request::Command(command) = put_for("ada", LOCAL) else { panic!("a command") };
    let decided = decide(&TaskId::parse("t").unwrap(), None, &command, None, at(0));
    let Ok(Turn::Commit(change)) = decided else { panic!("a put commits") };
    let (calls, state, finish) = play(Request::Refresh, Some(&Arc::new(change.state)), now, "");
    assert_eq!(calls, ["load", "load preferences", "arm +1800s", "commit", "publish"]);
    assert!(matches!(finish.reply, Reply::Awake(2)));
    let state = state.unwrap();
    assert_eq!(next_wake(&state).unwrap().to_string(), IN_TOKYO);
    let (calls, state, _) = play(Request::Refresh, Some(&state), now, "");
    assert_eq!(calls, ["load", "load preferences"]);
    assert!(state.is_none(), "nothing is left to do");
}

#[test]
fn while_firing_is_stopped_what_is_due_waits_and_does_not_spin() {
    let everyone = || Arc::new(FiringStop::new(true, []));
    let stopped = |request, stored: &Arc<TaskState>, now| {
        play_while(everyone(), request, Some(stored), now, "").0
    };
    let due = stored(at(0));
    for request in [Request::Wake, Request::Settle { at_least: 0 }] {
        for late in [0, 5, HOUR_MS] {
            assert_eq!(stopped(request.clone(), &due, at(late)), ["load"], "no commit, no arm");
        }
        // What is still to come is registered as ever, and a wake slightly early waits for nothing.
        assert_eq!(stopped(request.clone(), &stored(at(600_000)), at(0)), ["load", "arm +600s"]);
        assert_eq!(stopped(request, &stored(at(50)), at(0)), ["load", "arm +0s"]);
    }
    // Doubts are settled and commands are done all the same.
    assert_eq!(stopped(Request::Settle { at_least: 2 }, &due, at(5)), ["load", "commit"]);
    assert_eq!(stopped(command(CommandKind::Complete), &due, at(5)), ["load", "commit", "publish"]);
    let calls = play(Request::Wake, Some(&due), at(5), "").0;
    assert_eq!(calls, ["load", "commit", "publish"], "released, it fires");
}

#[test]
fn a_stop_for_one_user_leaves_others_alone() {
    let now = Timestamp::parse(IN_TOKYO).unwrap();
    let ada = play(put_for("ada", LOCAL), None, at(0), "").1.unwrap();
    for (stopped, commits) in [("ada", false), ("bob", true)] {
        let stop = Arc::new(FiringStop::new(false, [Person::parse(stopped).unwrap()]));
        let (_, state, _) = play_while(stop, Request::Wake, Some(&ada), now, "");
        assert_eq!(state.is_some(), commits);
    }
}
