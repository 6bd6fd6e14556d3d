//! An actor as this process knows it between its turns.

use super::effect::Known;
use super::packed::Packed;
use super::shelf::{Place, Shelf};
use reminder_domain::{TaskId, TaskState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;

/// One actor as this process knows it.
#[derive(Debug)]
pub struct Cell {
    pub(super) id: TaskId,
    pub(super) memory: Mutex<Memory>,
    /// Set when the actor may have lived on another host meanwhile.
    pub(super) stale: AtomicBool,
}

/// What is kept between the turns of an actor.
#[derive(Debug, Default)]
pub(super) struct Memory {
    kept: Kept,
    pub(super) wake_failures: u32,
    /// Whether it is noted that its state cannot be used, so that every call need not note it again.
    pub(super) parked: bool,
}

/// What is known of a state between turns.
#[derive(Debug, Default)]
enum Kept {
    #[default]
    Nothing,
    Absent,
    State(Place),
}

/// A state and how it is written, so that a turn that leaves it as it was, or has written it already, need
/// not write it once more to keep it.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) state: Arc<TaskState>,
    pub(super) text: Packed,
}

impl Memory {
    /// What the last turn knew, and how it is written; it is known no more until the next one keeps it.
    pub(super) fn recall(&mut self) -> (Known, Option<Written>) {
        match std::mem::take(&mut self.kept) {
            Kept::Nothing => (Known::Nothing, None),
            Kept::Absent => (Known::Absent, None),
            // What had to make room, or cannot be read, is read from the store.
            Kept::State(place) => place.take().and_then(read).map_or_else(
                || (Known::Nothing, None),
                |written| (Known::State(Arc::clone(&written.state)), Some(written)),
            ),
        }
    }

    /// Keeps what is known of a state for the next turn.
    pub(super) fn keep(&mut self, known: &Known, written: Option<Written>, room: &Shelf) {
        self.kept = match known {
            Known::Nothing => Kept::Nothing,
            Known::Absent => Kept::Absent,
            Known::State(state) => {
                let same = written.filter(|written| Arc::ptr_eq(&written.state, state));
                let text = same.map(|written| written.text).or_else(|| write(state));
                text.map_or(Kept::Nothing, |text| Kept::State(room.keep(text)))
            }
        };
    }
}

fn read(text: Packed) -> Option<Written> {
    let state = serde_json::from_slice(&text.text()?).ok()?;
    Some(Written { state: Arc::new(state), text })
}

fn write(state: &TaskState) -> Option<Packed> {
    Some(Packed::of(&serde_json::to_vec(state).ok()?))
}

impl Cell {
    /// An actor of which nothing is known yet.
    pub fn new(id: TaskId) -> Arc<Self> {
        Arc::new(Self { id, memory: Mutex::default(), stale: AtomicBool::new(false) })
    }

    /// Makes the next turn load the state whatever is known of it.
    pub fn forget(&self) {
        self.stale.store(true, Ordering::Release);
    }

    /// The task it is.
    pub fn id(&self) -> &TaskId {
        &self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{
        "version": 3, "incarnation": 1, "updatedAt": "2027-03-01T08:00:00.000Z",
        "lifecycle": {"is": "live",
            "task": {"title": "Buy milk", "dueDate": "2027-03-01T09:00:00.000Z", "priority": "normal",
                     "tags": ["home"], "status": "pending", "userId": "ada"},
            "alarms": [{"reminderId": "due", "plan": {"is": "scheduled", "at": "2027-03-01T09:00:00.000Z"}}],
            "origin": {"correlationId": "flow"}, "zoneDatabase": "2025b"},
        "sequences": {"reminders": 1, "taskEvents": 2, "taskUpdates": 3}
    }"#;

    fn state() -> Arc<TaskState> {
        Arc::new(serde_json::from_str(STATE).unwrap())
    }

    #[test]
    fn what_is_kept_is_recalled_once() {
        let (shelf, mut memory) = (Shelf::new(1), Memory::default());
        memory.keep(&Known::State(state()), None, &shelf);
        let (Known::State(recalled), Some(written)) = memory.recall() else {
            panic!("nothing was kept");
        };
        assert_eq!((&recalled, &written.state), (&state(), &state()));
        assert!(matches!(memory.recall().0, Known::Nothing), "the turn has it now");
        memory.keep(&Known::Absent, None, &shelf);
        assert!(matches!(memory.recall().0, Known::Absent));
    }

    #[test]
    fn one_that_had_to_make_room_is_read_and_the_newer_one_is_known() {
        let shelf = Shelf::new(1);
        let (mut older, mut newer) = (Memory::default(), Memory::default());
        older.keep(&Known::State(state()), None, &shelf);
        newer.keep(&Known::State(state()), None, &shelf);
        assert!(matches!(older.recall().0, Known::Nothing));
        assert!(matches!(newer.recall().0, Known::State(_)));
    }

    #[test]
    fn a_text_is_kept_with_the_state_that_it_is_of_and_with_no_other() {
        let (shelf, mut memory, known) = (Shelf::new(1), Memory::default(), state());
        let written = |of: &Arc<TaskState>, text: &str| {
            Some(Written { state: Arc::clone(of), text: Packed::of(text.as_bytes()) })
        };
        memory.keep(&Known::State(Arc::clone(&known)), written(&known, STATE), &shelf);
        assert_eq!(memory.recall().1.unwrap().text, Packed::of(STATE.as_bytes()));
        let mut later = (*known).clone();
        later.version += 1;
        memory.keep(&Known::State(Arc::new(later)), written(&known, STATE), &shelf);
        assert_eq!(memory.recall().1.unwrap().state.version, known.version + 1);
    }

    #[test]
    fn a_task_at_rest_takes_a_quarter_of_a_kilobyte() {
        let packed = write(&state()).unwrap();
        assert!(packed.len() < 256, "{}", packed.len());
    }
}
