//! Cursors: the place after which a page begins, opaque to callers and checked when it comes back.

use crate::read_model::Waking;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reminder_contract::Problem;
use reminder_domain::{TaskId, Timestamp};

/// The place after a task.
pub(super) fn of_task(task: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("t:{task}"))
}

/// The place after a task at its time.
pub(super) fn of_waking(place: &Waking) -> String {
    URL_SAFE_NO_PAD.encode(format!("r:{}:{}", place.at.as_millis(), place.task))
}

/// The task of [`of_task`].
pub(super) fn read_task(cursor: &str) -> Result<String, Problem> {
    let read = || {
        let text = decoded(cursor)?;
        TaskId::parse(text.strip_prefix("t:")?).ok().map(|task| task.to_string())
    };
    read().ok_or_else(invalid)
}

/// The place of [`of_waking`].
pub(super) fn read_waking(cursor: &str) -> Result<Waking, Problem> {
    let read = || {
        let text = decoded(cursor)?;
        let (at, task) = text.strip_prefix("r:")?.split_once(':')?;
        let (at, task) = (Timestamp::from_millis(at.parse().ok()?), TaskId::parse(task).ok()?);
        Some(Waking { at, task })
    };
    read().ok_or_else(invalid)
}

fn decoded(cursor: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

fn invalid() -> Problem {
    Problem::invalid("cursor", "must be the nextCursor of a page of the same list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_and_to_no_other_list() {
        let place =
            Waking { at: Timestamp::from_millis(7_000), task: TaskId::parse("a-1").unwrap() };
        assert_eq!(read_waking(&of_waking(&place)).unwrap(), place);
        assert_eq!(read_task(&of_task("a-1")).unwrap(), "a-1");
        assert!(read_task(&of_waking(&place)).is_err() && read_waking(&of_task("a-1")).is_err());
        for text in ["", "t:a", "%", &of_task("a b"), &of_task("")] {
            assert_eq!(read_task(text).unwrap_err().field.as_deref(), Some("cursor"), "{text}");
        }
    }
}
