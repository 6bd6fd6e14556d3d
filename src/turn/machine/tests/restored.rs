//! What a turn makes of a state that comes from a backup.

use super::*;
use reminder_domain::Rejection;
use reminder_domain::state::Lifecycle;

const RESTORED: u32 = 1_795_347_173;
/// The last number before those of that incarnation.
const BASE: u64 = 1_795_347_172_000;

fn outbox(epoch: u64) -> Outbox {
    let mut outbox = Outbox::new(epoch);
    outbox.restored_in(RESTORED);
    outbox
}

/// The events of a state's pending commits: incarnation, version and sequence of each.
fn told(state: &Arc<TaskState>) -> Vec<(u32, u64, u64)> {
    let commits = (0..state.pending.len()).map(|n| Handover::new(Arc::clone(state), n));
    let of_commit = |handover: Handover| -> Vec<(u32, u64, u64)> {
        let events = handover.commit().events.iter();
        let version = handover.snapshot().version;
        events.map(|event| (handover.incarnation(), version, event.sequence)).collect()
    };
    commits.flat_map(of_commit).collect()
}

#[test]
fn what_was_pending_in_the_backup_is_told_as_it_was_and_the_rest_under_later_numbers() {
    // Its process may have told the events of the first commit before the restore undid that.
    let backup = stored(at(60_000));
    assert_eq!(told(&backup), [(1, 1, 1); 3], "one event on each topic");
    let mut outbox = outbox(2);
    let settle = Request::Settle { at_least: 0 };
    // A watermark below the stamp: nobody knows whether the broker has them.
    let mut machine = Machine::new(TaskId::parse("t").unwrap(), settle, Known::Nothing, None, 0);
    let mut outcome = Outcome::Start;
    let (mut committed, mut loads) = (None, 0);
    for _ in 0..10 {
        outcome = match machine.step(outcome, &mut outbox, at(120_000)) {
            Effect::Load => {
                loads += 1;
                Outcome::Loaded(Some(Arc::clone(&backup)))
            }
            Effect::LoadWatermark(_) => Outcome::Watermark(0),
            Effect::Commit(state) => {
                committed = Some(state);
                Outcome::Done
            }
            Effect::Finish(_) => break,
            _ => Outcome::Done,
        };
    }
    let state = committed.expect("it is overdue, so it fires");
    assert_eq!((loads, state.version, state.incarnation), (1, BASE + 1, RESTORED));
    let (old, new) = (vec![(1, 1, 1); 3], vec![(RESTORED, BASE + 1, BASE + 1); 3]);
    assert_eq!(told(&state), [old, new].concat());
    assert_eq!(state.pending[0].stamp.epoch, 2, "stamped anew, so that it is published");
}

#[test]
fn a_task_that_the_restore_undid_is_made_again_under_later_numbers() {
    let (_, state, finish) = play_with(&mut outbox(1), put(at(60_000)), None, at(0), "");
    let state = state.unwrap();
    assert_eq!((state.version, state.incarnation), (BASE + 1, RESTORED));
    assert_eq!(told(&state), [(RESTORED, BASE + 1, BASE + 1); 3]);
    let Reply::Answer(answer) = finish.reply else { panic!("a put is answered") };
    assert_eq!((answer.version, answer.created), (BASE + 1, Some(true)));
}

#[test]
fn a_task_that_is_not_there_is_as_unknown_as_before() {
    for request in [Request::Get, command(CommandKind::Complete), command(CommandKind::Delete)] {
        let (calls, state, finish) = play_with(&mut outbox(1), request, None, at(0), "");
        assert_eq!((calls, state), (vec!["load".to_owned()], None));
        assert!(matches!(finish.reply, Reply::Rejected(Rejection::UnknownTask(_))));
    }
    let (calls, ..) = play_with(&mut outbox(1), Request::Wake, None, at(0), "");
    assert_eq!(calls, ["load"]);
}

#[test]
fn nothing_counts_as_registered_that_the_backup_says() {
    let backup = stored(at(60_000));
    assert!(backup.armed.is_some());
    // Later than what the backup believes to be registered, which is enough otherwise.
    let Request::Command(mut later) = put(at(90_000)) else { panic!("a put is a command") };
    later.if_version = Some(BASE);
    let request = Request::Command(later);
    let (calls, state, finish) = play_with(&mut outbox(2), request, Some(&backup), at(0), "");
    assert!(
        matches!(finish.reply, Reply::Answer(_)),
        "at the version that `get` shows: {finish:?}"
    );
    assert_eq!(calls, ["load", "load watermark", "arm +90s", "commit", "publish"]);
    assert!(matches!(state.unwrap().lifecycle, Lifecycle::Live(_)));
}
