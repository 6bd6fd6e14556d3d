//! On behalf of a user, a task of somebody else is answered as one that is not there.

use super::*;
use crate::command::Delay;
use crate::ids::Person;
use crate::reminder::Reminder;

fn person(name: &str) -> Person {
    Person::parse(name).unwrap()
}

/// As [`stored`], the task being `u`'s; remembers the command of id 7.
fn of_u() -> TaskState {
    run(None, &Command { id: Some(7), ..put(task(&[("a", 60)])) }, NOW).state
}

fn every_command_but_put() -> Vec<CommandKind> {
    let reminder: Reminder =
        serde_json::from_str(r#"{"id":"b","at":"2027-01-01T09:00:00Z"}"#).unwrap();
    let tomorrow = serde_json::from_str(r#""P1D""#).unwrap();
    vec![
        CommandKind::Complete,
        CommandKind::Reopen,
        CommandKind::Delete,
        CommandKind::Skip { occurrence: None },
        CommandKind::PutReminder { reminder: Box::new(reminder), if_past: IfPast::Fire },
        CommandKind::RemoveReminder(reminder_id("a")),
        CommandKind::Snooze { reminder_id: None, delay: Delay::For(tomorrow) },
        CommandKind::Acknowledge { reminder_id: None },
        CommandKind::Dismiss { reminder_id: None },
    ]
}

#[test]
fn a_command_meets_anothers_task_as_one_that_is_not_there() {
    let (live, nobodys) = (of_u(), run(None, &put(parse(r#"{"title":"t"}"#)), NOW).state);
    let gone = run(Some(&live), &command(CommandKind::Delete), NOW).state;
    for kind in every_command_but_put() {
        for id in [None, Some(7), Some(8)] {
            for if_version in [None, Some(0), Some(1), Some(9)] {
                let as_user = Some(person("eve"));
                let asked = Command { id, if_version, as_user, ..command(kind.clone()) };
                let absent = reject(None, &asked);
                assert_eq!(absent, Rejection::UnknownTask(super::id()));
                for state in [&live, &nobodys, &gone] {
                    assert_eq!(reject(Some(state), &asked), absent, "{asked:?}");
                }
            }
        }
    }
}

#[test]
fn a_put_neither_takes_over_anothers_task_nor_learns_its_version() {
    let live = of_u();
    let of_eve = parse(r#"{"title":"t","userId":"eve"}"#);
    let put = |if_version| {
        let as_user = Some(person("eve"));
        Command { id: Some(7), if_version, as_user, ..put(of_eve.clone()) }
    };
    for expected in [1, 9] {
        let absent = reject(None, &put(Some(expected)));
        assert_eq!(absent, Rejection::VersionConflict { expected, actual: 0 });
        assert_eq!(reject(Some(&live), &put(Some(expected))), absent);
    }
    for if_version in [None, Some(0)] {
        let refused = reject(Some(&live), &put(if_version));
        assert_eq!(refused, Rejection::UnknownTask(id()));
    }
    // What is left of it keeps nobody else away, and says nothing of the command that it remembers.
    let gone = run(Some(&live), &command(CommandKind::Delete), NOW).state;
    let made = run(Some(&gone), &put(None), NOW);
    assert_eq!((made.state.owner(), made.answer.created), (Some(&person("eve")), Some(true)));
}

#[test]
fn the_owner_and_who_may_do_everything_meet_the_task() {
    let live = of_u();
    for as_user in [None, Some(person("u"))] {
        let complete = Command { as_user: as_user.clone(), ..command(CommandKind::Complete) };
        assert_eq!(run(Some(&live), &complete, NOW).state.version, 2);
        let delete =
            Command { id: Some(3), as_user: as_user.clone(), ..command(CommandKind::Delete) };
        let gone = run(Some(&live), &delete, NOW);
        let again = decide(&id(), Some(&gone.state), &delete, None, at(NOW));
        assert_eq!(again, Ok(Turn::Answer(gone.answer)), "the owner is answered as before");
    }
}
