//! The state that takes the place of one that cannot be read.

use super::{RepairError, Replacement};
use crate::read_model::Stored;
use crate::serve::new_epoch;
use reminder_domain::ids::Person;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::state::{Lifecycle, PendingCommit, Stamp};
use reminder_domain::{TaskId, TaskState, Timestamp, Turn, decide};
use serde::Deserialize;

/// As much of an index line as the fence goes by.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Numbers {
    v: Option<u64>,
    i: Option<u32>,
}

/// The state that follows what is stored, as the fence wants it of a repair; `present` is the incarnation
/// that everything goes on in.
pub(super) fn successor(
    task: &TaskId,
    stored: &Stored,
    present: u32,
    replacement: &Replacement,
    preferences: Option<&KnownPreferences>,
    now: Timestamp,
) -> Result<TaskState, RepairError> {
    let line = stored.value.as_deref().and_then(|value| value.split(|byte| *byte == b'\n').next());
    let line: Numbers = line.and_then(|line| serde_json::from_slice(line).ok()).unwrap_or_default();
    let index = stored.index.as_ref();
    // The fence goes by the line if it can read it, else by the index; a row that is gone begins
    // at version 1. The incarnation is one that neither has used.
    let version = match (&stored.value, line.v.zip(line.i)) {
        (None, _) => 0,
        (Some(_), Some((version, _))) => version,
        (Some(_), None) => index.map_or(0, |row| row.version),
    };
    let known = line.i.into_iter().chain(index.map(|row| row.incarnation)).max().unwrap_or(1);
    let erases = matches!(replacement, Replacement::Erased);
    let user_id = index.and_then(|row| row.user.clone()).filter(|_| !erases);
    let user_id = user_id.and_then(|user| Person::parse(user).ok());
    let incarnation = known.saturating_add(1);
    // What was told before is lost with the state; the numbers of a later incarnation lie above it.
    let sequences = TaskState::unborn(incarnation, now).sequences;
    let mut state = TaskState {
        version,
        incarnation,
        updated_at: now,
        lifecycle: Lifecycle::Deleted { deleted_at: now, user_id },
        sequences,
        commands: Vec::new(),
        followed: None,
        armed: None,
        pending: Vec::new(),
    };
    state.go_on_in(present);
    let command = match replacement {
        Replacement::Tombstone | Replacement::Erased => {
            state.version += 1;
            return Ok(state);
        }
        Replacement::Task(command) => command,
    };
    match decide(task, Some(&state), command, preferences, now) {
        Ok(Turn::Commit(change)) => {
            let mut next = change.state;
            // This command's own epoch is never alive, so the audit publishes for it.
            let stamp = Stamp { epoch: new_epoch(), n: 1 };
            let (origin, events) = (command.origin.clone(), change.events);
            let commit = PendingCommit {
                stamp,
                at: now,
                origin,
                snapshot: None,
                events,
                incarnation: None,
                trace: None,
            };
            next.pending.push(commit);
            Ok(next)
        }
        Ok(Turn::Answer(_)) => Err(RepairError::Refused("the put changes nothing".into())),
        Err(rejection) => Err(RepairError::Refused(format!("the task is refused: {rejection}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::pause::{Paused, carry_over};
    use super::super::refuse_unless_broken;
    use super::*;
    use crate::read_model::IndexRow;
    use crate::turn::record;
    use reminder_contract::wire::{Method, parse_command};
    use reminder_domain::restored::FIRST_INCARNATION;

    const BODY: &str = r#"{"task":{"title":"t","dueDate":"2027-01-15T08:00:00Z"}}"#;

    fn stored(value: Option<&[u8]>) -> Stored {
        let index = IndexRow {
            version: 7,
            incarnation: 3,
            user: Some("ada@example.org".into()),
            status: "pending".into(),
            next_wake: None,
            paused: false,
            updated_at: String::new(),
        };
        Stored { value: value.map(<[u8]>::to_vec), index: Some(index), parked: None }
    }

    fn next(stored: &Stored, replacement: &Replacement) -> TaskState {
        next_in(FIRST_INCARNATION, stored, replacement)
    }

    fn next_in(present: u32, stored: &Stored, replacement: &Replacement) -> TaskState {
        let (task, now) = (TaskId::parse("t").unwrap(), Timestamp::from_millis(1_800_000_000_000));
        successor(&task, stored, present, replacement, None, now).unwrap()
    }

    fn put() -> Replacement {
        Replacement::Task(Box::new(parse_command(Method::Put, BODY.as_bytes()).unwrap()))
    }

    #[test]
    fn after_a_restore_a_repair_goes_on_in_its_incarnation() {
        let state = next_in(1_795_347_173, &stored(Some(b"damaged")), &put());
        assert_eq!(state.incarnation, 1_795_347_173);
        assert!(state.version > 1_000_000 && state.sequences.reminders > 1_000_000);
    }

    #[test]
    fn a_repair_follows_what_the_fence_goes_by_and_never_reuses_an_incarnation() {
        for (value, version, incarnation) in [
            (Some(&b"damaged"[..]), 8, 4),
            (Some(&b""[..]), 8, 4),
            (Some(&b"{\"s\":1,\"v\":9,\"i\":2}\n{damaged"[..]), 10, 4),
            (Some(&b"{\"s\":1,\"v\":9,\"i\":5}\n{damaged"[..]), 10, 6),
            (Some(&b"{\"s\":1,\"v\":9}\n{damaged"[..]), 8, 4),
            (None, 1, 4),
        ] {
            for replacement in [put(), Replacement::Tombstone] {
                let next = next(&stored(value), &replacement);
                assert_eq!((next.version, next.incarnation), (version, incarnation), "{value:?}");
            }
        }
    }

    #[test]
    fn a_new_task_has_its_events_pending_and_a_tombstone_has_none() {
        let task = next(&stored(Some(b"damaged")), &put());
        let events: Vec<u64> = task.pending[0].events.iter().map(|event| event.sequence).collect();
        assert_eq!(events, [3_001; 3], "above all that were given before, one on each topic");
        assert_eq!(task.commands.len(), 1);
        let deleted = next(&stored(Some(b"damaged")), &Replacement::Tombstone);
        assert!(deleted.live().is_none() && deleted.pending.is_empty());
        assert_eq!(record::decode(&record::encode(&deleted)).unwrap(), deleted);
        assert_eq!(deleted.user().map(Person::as_str), Some("ada@example.org"));
        let erased = next(&stored(Some(b"damaged")), &Replacement::Erased);
        assert!(erased.live().is_none() && erased.user().is_none());
    }

    #[test]
    fn a_pause_of_its_own_goes_on_and_one_that_may_not_have_been_is_told() {
        let own = br#"{"s":1,"v":9,"i":2,"h":true}
{"version":"damaged","lifecycle":{"is":"live","pausedSince":"2027-01-10T08:00:00.000Z"}}"#;
        let of_its_user = br#"{"s":1,"v":9,"i":2,"h":true}
{"version":"damaged","lifecycle":{"is":"live","preferences":{"pausedSince":"2027-01-10T08:00:00.000Z"}}}"#;
        let repaired = |value: &[u8], paused: bool, replacement: &Replacement| {
            let mut stored = stored(Some(value));
            stored.index.as_mut().unwrap().paused = paused;
            let mut state = next(&stored, replacement);
            let told = carry_over(&stored, &mut state);
            (told, state.live().and_then(|live| live.paused_since).is_some())
        };
        assert_eq!(repaired(own, true, &put()), (Paused::Still, true));
        assert_eq!(repaired(of_its_user, true, &put()), (Paused::NoMore, false));
        assert_eq!(repaired(b"damaged", true, &put()), (Paused::NoMore, false));
        assert_eq!(repaired(b"damaged", false, &put()), (Paused::No, false));
        assert_eq!(repaired(own, true, &Replacement::Tombstone), (Paused::No, false));
    }

    #[test]
    fn only_what_is_broken_is_repaired() {
        let task = TaskId::parse("t").unwrap();
        let refused =
            |stored: &Stored| refuse_unless_broken(&task, stored).unwrap_err().to_string();
        assert!(refused(&Stored::default()).contains("there is no task t"));
        let well = record::encode(&next(&stored(None), &put()));
        assert!(refused(&stored(Some(&well))).contains("nothing is wrong with task t"));
        assert!(refused(&stored(Some(b"{\"s\":9}\n{}"))).contains("not damaged"));
        for broken in [None, Some(&b""[..]), Some(b"{\"s\":1}\n{"), Some(b"x")] {
            assert!(refuse_unless_broken(&task, &stored(broken)).is_ok(), "{broken:?}");
        }
        let panicked = Stored { parked: Some("panicked".into()), ..stored(Some(&well)) };
        assert!(refuse_unless_broken(&task, &panicked).is_ok());
    }
}
