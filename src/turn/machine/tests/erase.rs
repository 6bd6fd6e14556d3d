//! Everything of a user goes: what is stored, and what is told from then on.

use super::*;
use crate::turn::record;
use reminder_contract::cloud_event;
use reminder_domain::event::Topic;

const USER: &str = "ada@example.org";
const SECRET: &str = "Call the clinic";

fn user() -> Person {
    Person::parse(USER).unwrap()
}

/// A task of the user's that has fired and was acknowledged, with its events on their way.
fn hers(outbox: &mut Outbox) -> Arc<TaskState> {
    let json = format!(
        r#"{{"title":"{SECRET}","userId":"{USER}","dueDate":"{}","tags":["clinic"]}}"#,
        at(0)
    );
    let task: Task = serde_json::from_str(&json).unwrap();
    let put = Put { task, if_past: IfPast::Fire, restored: Vec::new() };
    let Request::Command(mut put) = command(CommandKind::Put(Box::new(put))) else { panic!() };
    put.id = Some(7);
    put.origin.correlation_id = reminder_domain::ids::CorrelationId::parse("ada-1").ok();
    let (_, state, _) = play_with(outbox, Request::Command(put), None, at(0), "");
    let (_, state, _) = play_with(outbox, Request::Wake, state.as_ref(), at(0), "");
    state.expect("it fires")
}

/// Everything that is told of a state's pending commits, and everything that is stored of it.
fn words(state: &Arc<TaskState>) -> String {
    let id = TaskId::parse("t").unwrap();
    let mut all = String::from_utf8(record::encode(state)).unwrap();
    for index in 0..state.pending.len() {
        let handover = Handover::new(Arc::clone(state), index);
        for event in &handover.commit().events {
            let (incarnation, snapshot) = (handover.incarnation(), handover.snapshot());
            let told = cloud_event::encode(&id, incarnation, handover.commit(), snapshot, event);
            all.push_str(&String::from_utf8(told).unwrap());
        }
    }
    all
}

fn says_nothing(text: &str) {
    for word in [USER, SECRET, "clinic", "ada-1"] {
        assert!(!text.contains(word), "{word} is in {text}");
    }
}

#[test]
fn a_task_becomes_a_tombstone_of_nobodys_and_its_events_say_nothing() {
    let mut outbox = Outbox::new(1);
    let state = hers(&mut outbox);
    assert!(words(&state).contains(SECRET) && words(&state).contains(USER));
    let (calls, erased, finish) =
        play_with(&mut Outbox::new(1), Request::Erase(user()), Some(&state), at(1), "");
    assert_eq!(calls, ["load", "commit", "publish"]);
    let erased = erased.unwrap();
    assert!(matches!(finish.reply, Reply::Awake(3)) && erased.live().is_none());
    says_nothing(&words(&erased));
    let (before, after) = (state.sequences, erased.sequences);
    assert!(after.task_updates == before.task_updates + 1, "the last word goes on in sequence");
    assert!(words(&erased).contains("(erased)"), "and says that it is gone");
    // Once more there is nothing to do, and it is not known again by what it was made by.
    let (calls, ..) =
        play_with(&mut Outbox::new(1), Request::Erase(user()), Some(&erased), at(2), "");
    assert_eq!(calls, ["load"]);
    assert!(erased.commands.is_empty());
}

#[test]
fn what_a_process_has_left_behind_is_told_without_a_word() {
    let mut outbox = Outbox::new(1);
    let state = hers(&mut outbox);
    let mut machine = Machine::new(
        TaskId::parse("t").unwrap(),
        Request::Erase(user()),
        Known::Nothing,
        Some(HOUR_MS),
        0,
    );
    let (mut outbox, mut outcome) = (Outbox::new(2), Outcome::Start);
    let (mut committed, mut told) = (None, None);
    for _ in 0..10 {
        outcome = match machine.step(outcome, &mut outbox, at(1)) {
            Effect::Load => Outcome::Loaded(Some(Arc::clone(&state))),
            Effect::LoadWatermark(_) => Outcome::Watermark(0),
            Effect::Commit(state) => {
                committed = Some(state);
                Outcome::Done
            }
            Effect::Publish(handovers) => {
                told = Some(handovers);
                Outcome::Done
            }
            Effect::Finish(_) => break,
            _ => Outcome::Done,
        };
    }
    let told = told.expect("it is handed over");
    assert_eq!(told.len(), 3, "what was left, and the last word");
    let state = committed.expect("it is written");
    says_nothing(&words(&state));
    let numbers: Vec<u64> = state
        .pending
        .iter()
        .flat_map(|commit| &commit.events)
        .filter(|event| event.topic() == Topic::TaskUpdates)
        .map(|event| event.sequence)
        .collect();
    assert_eq!(numbers, [1, 2, 3], "no gap");
}

#[test]
fn a_task_of_anothers_is_left_alone_and_so_is_one_that_is_not_there() {
    let state = hers(&mut Outbox::new(1));
    let other = Request::Erase(Person::parse("grace@example.org").unwrap());
    for stored in [Some(&state), None] {
        let (calls, committed, _) =
            play_with(&mut Outbox::new(1), other.clone(), stored, at(1), "");
        assert_eq!((calls, committed), (vec!["load".to_owned()], None));
    }
}

#[test]
fn what_waits_in_the_outbox_goes_out_without_a_word() {
    let mut outbox = Outbox::new(1);
    let (state, id) = (hers(&mut outbox), TaskId::parse("t").unwrap());
    for index in 0..state.pending.len() {
        outbox.enqueue(&id, Handover::new(Arc::clone(&state), index));
    }
    let sends = |outbox: &mut Outbox| {
        let mut all = String::new();
        for topic in Topic::ALL {
            let crate::outbox::lanes::Next::Send(batch) = outbox.next(topic, NOW_MS) else {
                panic!("something waits")
            };
            for item in &batch.items {
                let (handover, event) =
                    (&item.handover, &item.handover.commit().events[item.index]);
                let (incarnation, snapshot) = (handover.incarnation(), handover.snapshot());
                let told =
                    cloud_event::encode(&id, incarnation, handover.commit(), snapshot, event);
                all.push_str(&String::from_utf8(told).unwrap());
            }
            outbox.finished(batch, false, NOW_MS - HOUR_MS);
        }
        all
    };
    assert!(sends(&mut outbox).contains(SECRET));
    let (waiting, watermark) = (outbox.waiting(), outbox.watermark());
    outbox.erase(&[Person::parse("grace@example.org").unwrap()]);
    assert!(sends(&mut outbox).contains(SECRET), "another user's erasure changes nothing");
    outbox.erase(&[user()]);
    let told = sends(&mut outbox);
    says_nothing(&told);
    assert!(told.contains(r#""id":"t:1:reminders-1""#), "{told}");
    assert_eq!((outbox.waiting(), outbox.watermark()), (waiting, watermark));
}
