//! What a pause and a resumption do to the registered wake.

use super::*;
use reminder_domain::Fact;
use reminder_domain::pause::IfMissed;

fn paused(due: Timestamp) -> Arc<TaskState> {
    let (_, state, _) = play(command(CommandKind::Pause), Some(&stored(due)), at(0), "");
    state.expect("a commit")
}

fn fired(state: &TaskState) -> bool {
    let mut events = state.pending.iter().flat_map(|commit| &commit.events);
    events.any(|event| matches!(event.fact, Fact::ReminderTriggered(_)))
}

#[test]
fn a_wake_that_is_far_away_is_taken_back_and_a_near_one_comes_in_vain() {
    let pause = || command(CommandKind::Pause);
    let (calls, ..) = play(pause(), Some(&stored(at(30 * 60_000))), at(0), "");
    assert_eq!(calls, ["load", "commit", "publish", "disarm"]);
    let (calls, ..) = play(pause(), Some(&stored(at(30_000))), at(0), "");
    assert_eq!(calls, ["load", "commit", "publish"]);
    let paused = paused(at(30_000));
    assert_eq!((next_wake(&paused), paused.armed), (None, None));
    for request in [Request::Wake, Request::Settle { at_least: 0 }] {
        let (calls, state, _) = play(request, Some(&paused), at(40_000), "");
        assert_eq!((calls, state.is_none()), (vec!["load".to_owned()], true));
    }
}

#[test]
fn what_is_overdue_at_a_resumption_is_registered_before_the_answer() {
    let paused = paused(at(30_000));
    let resume = |missed| command(CommandKind::Resume { missed });
    let (calls, state, _) = play(resume(IfMissed::Fire), Some(&paused), at(90_000), "");
    assert_eq!(calls, ["load", "arm +-60s", "commit", "publish"]);
    let (_, state, _) = play(Request::Wake, state.as_ref(), at(90_000), "");
    assert!(fired(&state.unwrap()));
    let (calls, state, _) = play(resume(IfMissed::Skip), Some(&paused), at(90_000), "");
    assert_eq!(calls, ["load", "commit", "publish"]);
    assert_eq!(next_wake(&state.unwrap()), None);
}
