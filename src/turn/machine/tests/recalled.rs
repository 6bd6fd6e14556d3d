//! New tasks go by what is remembered of their user, which the fence judges.

use super::*;

/// Steps through a turn of which nothing is known, with preferences of version 2 remembered and of version 3
/// stored; the first commit is refused if `refused`. Answers the calls.
fn calls(request: Request, stored: Option<&Arc<TaskState>>, refused: bool) -> Vec<String> {
    let (id, mut outbox) = (TaskId::parse("t").unwrap(), Outbox::new(1));
    let mut machine =
        Machine::new(id, request, Known::Nothing, Some(HOUR_MS), 0).presuming_new(true);
    let (mut calls, mut outcome) = (Vec::new(), Outcome::Start);
    loop {
        assert!(calls.len() < 100, "the turn does not come to its end: {calls:?}");
        outcome = match machine.step(outcome, &mut outbox, at(0)) {
            Effect::Finish(finish) => {
                assert!(matches!(finish.reply, Reply::Answer(_)), "{:?}", finish.reply);
                return calls;
            }
            Effect::LoadPreferences { may_be_old: true, .. } => {
                calls.push("recall".into());
                Outcome::Recalled(Box::new(KnownPreferences { version: 2, ..preferences() }))
            }
            Effect::LoadPreferences { .. } => {
                calls.push("load preferences".into());
                Outcome::Preferences(Box::new(preferences()))
            }
            Effect::LoadBirths => Outcome::Births(1),
            Effect::Load => {
                calls.push("load".into());
                Outcome::Loaded(stored.map(Arc::clone))
            }
            Effect::Commit(state) | Effect::Create(state) => {
                let first = !calls.iter().any(|call| call.starts_with("commit"));
                calls.push(format!("commit {}", state.live().unwrap().preferences.version));
                if first && refused { Outcome::Fenced } else { Outcome::Done }
            }
            _ => Outcome::Done,
        };
    }
}

#[test]
fn a_new_task_goes_by_what_is_remembered_until_the_fence_says_otherwise() {
    assert_eq!(calls(put_for("ada", LOCAL), None, false), ["recall", "commit 2"]);
    assert_eq!(
        calls(put_for("ada", LOCAL), None, true),
        ["recall", "commit 2", "load", "load preferences", "commit 3"]
    );
}

#[test]
fn a_task_that_is_there_is_written_by_what_is_stored() {
    // The fence lets an older copy of it pass, so nothing else would tell.
    let there = play(put_for("ada", "2027-01-20T09:00:00"), None, at(0), "").1.unwrap();
    let mut there = Arc::unwrap_or_clone(there);
    there.pending.clear();
    assert_eq!(
        calls(put_for("ada", LOCAL), Some(&Arc::new(there)), true),
        ["recall", "commit 2", "load", "load preferences", "commit 3"]
    );
}
