//! An actor as this process knows it between its turns.

use super::effect::Known;
use reminder_domain::{TaskId, TaskState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

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
    /// As text: unfolded it takes three times as much, and nearly all actors are at rest. With it goes its
    /// place among those that are kept.
    State {
        text: Box<[u8]>,
        _place: OwnedSemaphorePermit,
    },
}

impl Memory {
    /// What the last turn knew; it is known no more until the next one keeps it.
    pub(super) fn recall(&mut self) -> Known {
        match std::mem::take(&mut self.kept) {
            Kept::Nothing => Known::Nothing,
            Kept::Absent => Known::Absent,
            // What cannot be read is read from the store, as if it had not been kept.
            Kept::State { text, .. } => serde_json::from_slice(&text)
                .map_or(Known::Nothing, |state| Known::State(Arc::new(state))),
        }
    }

    /// Keeps what is known of a state for the next turn, while there is room for it.
    pub(super) fn keep(&mut self, known: &Known, room: &Arc<Semaphore>) {
        let text = |state: &TaskState| serde_json::to_vec(state).ok();
        self.kept = match known {
            Known::Nothing => Kept::Nothing,
            Known::Absent => Kept::Absent,
            Known::State(state) => match Arc::clone(room).try_acquire_owned() {
                Ok(place) => text(state).map_or(Kept::Nothing, |text| Kept::State {
                    text: text.into_boxed_slice(),
                    _place: place,
                }),
                Err(_) => Kept::Nothing,
            },
        };
    }
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

    fn state() -> Known {
        Known::State(Arc::new(serde_json::from_str(STATE).unwrap()))
    }

    #[test]
    fn what_is_kept_is_recalled_once_and_gives_its_place_back() {
        let (room, mut memory) = (Arc::new(Semaphore::new(1)), Memory::default());
        memory.keep(&state(), &room);
        assert_eq!(room.available_permits(), 0);
        let (Known::State(recalled), Known::State(known)) = (memory.recall(), state()) else {
            panic!("nothing was kept");
        };
        assert_eq!(recalled, known);
        assert_eq!(room.available_permits(), 1);
        assert!(matches!(memory.recall(), Known::Nothing), "the turn has it now");
    }

    #[test]
    fn without_room_the_next_turn_reads_and_that_there_is_no_task_needs_none() {
        let (room, mut memory) = (Arc::new(Semaphore::new(0)), Memory::default());
        memory.keep(&state(), &room);
        assert!(matches!(memory.recall(), Known::Nothing));
        memory.keep(&Known::Absent, &room);
        assert!(matches!(memory.recall(), Known::Absent));
    }

    #[test]
    fn a_task_at_rest_takes_about_a_kilobyte() {
        let (room, mut memory) = (Arc::new(Semaphore::new(1)), Memory::default());
        memory.keep(&state(), &room);
        let Kept::State { text, .. } = &memory.kept else { panic!("nothing was kept") };
        assert!(text.len() < 1_024, "{}", text.len());
    }
}
