//! What is over goes for good, and what is made anew has other numbers.

use super::*;
use crate::turn::draft::Ledger;
use crate::turn::effect::Numbers;
use reminder_domain::Retention;
use std::collections::VecDeque;

const BIRTHS: u32 = 1_795_347_173;
const KEPT_MS: i64 = 60_000;
const RETENTION: Retention =
    Retention { completed_ms: Some(KEPT_MS), tombstones_ms: Some(KEPT_MS) };

/// A task that was deleted, with its events on their way from this outbox or not.
fn tombstone() -> Arc<TaskState> {
    let delete = command(CommandKind::Delete);
    let (_, state, _) =
        play_with(&mut Outbox::new(9), delete, Some(&stored(at(HOUR_MS))), at(0), "");
    state.expect("a delete commits")
}

/// Plays a turn whose loads answer `stored`, whose watermarks say that everything is published up to
/// `watermark`, and whose writes are answered in this order.
fn play_writes(
    outbox: &mut Outbox,
    request: Request,
    stored: Option<&Arc<TaskState>>,
    watermark: u64,
    writes: &[Outcome],
) -> (Vec<String>, Box<crate::turn::effect::Finish>) {
    let mut machine =
        Machine::new(TaskId::parse("t").unwrap(), request, Known::Nothing, Some(HOUR_MS), 0);
    let mut writes: VecDeque<Outcome> = writes.iter().cloned().collect();
    let (mut calls, mut outcome) = (Vec::new(), Outcome::Start);
    loop {
        assert!(calls.len() < 30, "{calls:?}");
        outcome = match machine.step(outcome, outbox, at(2 * KEPT_MS)) {
            Effect::Finish(finish) => return (calls, finish),
            Effect::Load => {
                calls.push("load".into());
                Outcome::Loaded(stored.map(Arc::clone))
            }
            Effect::LoadWatermark(_) => Outcome::Watermark(watermark),
            Effect::LoadBirths => {
                calls.push("load births".into());
                Outcome::Births(BIRTHS)
            }
            Effect::Remove(Numbers { version, incarnation }) => {
                calls.push(format!("remove {incarnation}:{version}"));
                writes.pop_front().unwrap_or(Outcome::Done)
            }
            Effect::Create(state) => {
                calls.push(format!("create {}:{}", state.incarnation, state.version));
                writes.pop_front().unwrap_or(Outcome::Done)
            }
            Effect::Commit(_) => panic!("nothing is stored"),
            _ => Outcome::Done,
        };
    }
}

#[test]
fn what_is_over_and_told_goes_by_its_stored_numbers() {
    let (tombstone, purge) = (tombstone(), Request::Purge(RETENTION));
    let mut outbox = Outbox::new(1);
    // A restore since then raises the numbers in memory, and not those in the store.
    outbox.restored_in(BIRTHS);
    let (calls, finish) =
        play_writes(&mut outbox, purge, Some(&tombstone), u64::MAX, &[Outcome::Done]);
    assert_eq!(calls, ["load", "remove 1:2"]);
    assert!(matches!(finish.reply, Reply::Awake(0)) && matches!(finish.known, Known::Absent));
}

#[test]
fn what_the_broker_may_not_have_stays() {
    let (tombstone, purge) = (tombstone(), Request::Purge(RETENTION));
    let (calls, finish) = play_writes(&mut Outbox::new(1), purge, Some(&tombstone), 0, &[]);
    assert_eq!(calls, ["load"]);
    assert!(matches!(finish.reply, Reply::Awake(2)));
}

#[test]
fn what_is_open_or_young_or_not_there_stays() {
    let long = Retention { completed_ms: None, tombstones_ms: Some(3 * KEPT_MS) };
    let open = stored(at(HOUR_MS));
    for (state, retention) in
        [(Some(&open), RETENTION), (Some(&tombstone()), long), (None, RETENTION)]
    {
        let purge = Request::Purge(retention);
        let (calls, finish) = play_writes(&mut Outbox::new(1), purge, state, u64::MAX, &[]);
        assert_eq!(calls, ["load"]);
        let version = state.map_or(0, |state| state.version);
        assert!(matches!(finish.reply, Reply::Awake(answered) if answered == version));
    }
}

#[test]
fn a_removal_that_is_refused_or_not_confirmed_is_forgotten() {
    let tombstone = tombstone();
    for outcome in [Outcome::Fenced, Outcome::Failed("no answer".into())] {
        let purge = Request::Purge(RETENTION);
        let (calls, finish) =
            play_writes(&mut Outbox::new(1), purge, Some(&tombstone), u64::MAX, &[outcome]);
        assert_eq!(calls, ["load", "remove 1:2"]);
        assert!(matches!(finish.reply, Reply::Unavailable(_)));
        assert!(matches!(finish.known, Known::Nothing), "the next turn reads what became of it");
        assert!(finish.recovery.is_none(), "whatever became of it, nothing is to be put in order");
    }
}

#[test]
fn a_task_made_anew_is_born_in_a_later_incarnation() {
    let mut outbox = Outbox::new(1);
    let writes = [Outcome::Fenced, Outcome::Done];
    let (calls, finish) = play_writes(&mut outbox, put(at(3 * HOUR_MS)), None, 0, &writes);
    let base = u64::from(BIRTHS - 1) * 1_000;
    assert_eq!(
        calls,
        [
            "load".to_owned(),
            "create 1:1".into(),
            "load".into(),
            "load births".into(),
            format!("create {BIRTHS}:{}", base + 1),
        ]
    );
    let Reply::Answer(answer) = finish.reply else { panic!("a put is answered") };
    assert_eq!((answer.version, answer.created), (base + 1, Some(true)));
    // The next new task knows.
    let (calls, _) = play_writes(&mut outbox, put(at(3 * HOUR_MS)), None, 0, &[Outcome::Done]);
    assert_eq!(calls, ["load".to_owned(), format!("create {BIRTHS}:{}", base + 1)]);
    assert_eq!(outbox.births(), BIRTHS);
}

#[test]
fn history_goes_with_the_next_commit() {
    let mut fired = Arc::unwrap_or_clone(
        play(Request::Wake, Some(&stored(at(0))), at(0), "").1.expect("it fires"),
    );
    fired.pending.clear();
    let fired = Arc::new(fired);
    assert_eq!(fired.live().unwrap().history.len(), 1);
    for (history_ms, left) in [(None, 1), (Some(2 * KEPT_MS), 1), (Some(KEPT_MS), 0)] {
        let id = TaskId::parse("t").unwrap();
        let request = command(CommandKind::Complete);
        let known = Known::State(Arc::clone(&fired));
        let mut machine =
            Machine::new(id, request, known, Some(HOUR_MS), 0).keeping_history(history_ms);
        let (mut outbox, mut outcome, mut entries) = (Outbox::new(1), Outcome::Start, None);
        for _ in 0..10 {
            outcome = match machine.step(outcome, &mut outbox, at(KEPT_MS + 1)) {
                Effect::Commit(state) => {
                    entries = Some(state.live().unwrap().history.len());
                    Outcome::Done
                }
                Effect::Finish(_) => break,
                _ => Outcome::Done,
            };
        }
        assert_eq!(entries, Some(left), "{history_ms:?}");
    }
}
