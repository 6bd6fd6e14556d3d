//! When a turn asks whether its user may have the command done, and what it does then.

use super::*;
use crate::quota::OverQuota;
use crate::turn::effect::Finish;
use std::num::NonZeroU32;

const OVER: OverQuota = OverQuota::OpenTasks(NonZeroU32::MIN);

fn put_for(user: &str, id: Option<u64>) -> Request {
    let json = format!(r#"{{"title":"t","userId":"{user}","dueDate":"{}"}}"#, at(3 * HOUR_MS));
    let task: Task = serde_json::from_str(&json).unwrap();
    let put = Put { task, if_past: IfPast::Fire, restored: Vec::new() };
    let Request::Command(mut command) = command(CommandKind::Put(Box::new(put))) else {
        panic!("a command")
    };
    command.id = id;
    Request::Command(command)
}

/// A turn on what is stored, of which the process knows something else: what it asked for, what it read and
/// committed, and how it ended.
fn asked(
    request: Request,
    known: Known,
    stored: Option<&Arc<TaskState>>,
    may: bool,
) -> (Vec<String>, Option<Arc<TaskState>>, Box<Finish>) {
    let mut outbox = Outbox::new(1);
    let id = TaskId::parse("t").unwrap();
    let mut machine = Machine::new(id, request, known, Some(HOUR_MS), 0).with_quotas(true);
    let (mut outcome, mut calls, mut committed) = (Outcome::Start, Vec::new(), None);
    loop {
        assert!(calls.len() < 20, "{calls:?}");
        outcome = match machine.step(outcome, &mut outbox, at(0)) {
            Effect::Admit { user, opens } => {
                calls.push(format!("admit {user} {opens}"));
                if may { Outcome::Done } else { Outcome::OverQuota(OVER) }
            }
            Effect::Load => {
                calls.push("load".into());
                Outcome::Loaded(stored.map(Arc::clone))
            }
            Effect::LoadPreferences { .. } => Outcome::Preferences(Box::new(preferences())),
            Effect::Commit(state) | Effect::Create(state) => {
                committed = Some(state);
                Outcome::Done
            }
            Effect::Finish(finish) => return (calls, committed, finish),
            _ => Outcome::Done,
        };
    }
}

fn stored_for(user: &str, id: Option<u64>) -> Arc<TaskState> {
    let (_, state, _) = asked(put_for(user, id), Known::Nothing, None, true);
    state.expect("a commit")
}

#[test]
fn one_more_open_task_is_told_apart_from_other_commands() {
    let (calls, state, _) = asked(put_for("ada", None), Known::Nothing, None, true);
    assert_eq!(calls, ["load", "admit ada true"], "once");
    let state = state.unwrap();
    let again = |request| asked(request, Known::Nothing, Some(&state), true).0;
    assert_eq!(again(put_for("bob", None))[1], "admit bob true", "it is another user's now");
    assert_eq!(again(command(CommandKind::Complete))[1], "admit ada false");
    let (_, done, _) = asked(command(CommandKind::Complete), Known::Nothing, Some(&state), true);
    let reopened = asked(command(CommandKind::Reopen), Known::Nothing, done.as_ref(), true);
    assert_eq!(reopened.0[1], "admit ada true");
}

#[test]
fn nobody_is_asked_for_what_changes_nothing_or_was_not_asked_for() {
    let state = stored_for("ada", None);
    for request in [put_for("ada", None), Request::Get, Request::Wake, Request::Refresh] {
        let (calls, ..) = asked(request, Known::Nothing, Some(&state), false);
        assert_eq!(calls, ["load"]);
    }
    let (calls, ..) = play(put_for("ada", None), None, at(0), "");
    assert!(!calls.contains(&"admit".to_owned()), "without quotas: {calls:?}");
}

#[test]
fn what_is_refused_changes_nothing() {
    let (calls, state, finish) = asked(put_for("ada", None), Known::Nothing, None, false);
    assert_eq!(calls, ["load", "admit ada true"]);
    assert!(state.is_none() && matches!(finish.reply, Reply::OverQuota(OVER)));
    assert!(finish.recovery.is_none());
}

#[test]
fn a_known_command_is_answered_whatever_its_user_has_had() {
    let stored = stored_for("ada", Some(7));
    let (calls, state, finish) =
        asked(put_for("ada", Some(7)), Known::Nothing, Some(&stored), false);
    assert_eq!(calls, ["load"]);
    assert!(state.is_none() && matches!(finish.reply, Reply::Answer(_)));
    // It was applied by another process; what this one remembers is from before.
    let (calls, _, finish) = asked(put_for("ada", Some(7)), Known::Absent, Some(&stored), false);
    assert_eq!(calls, ["admit ada true", "load"]);
    assert!(matches!(finish.reply, Reply::Answer(_)), "{:?}", finish.reply);
}
