//! How a state is stored: two lines of JSON, an index line and the document.
//!
//! The database trigger reads only the index line (version for the fence, the rest for
//! `task_index`), so its cost does not grow with the document.

use super::schema;
use reminder_domain::ids::Person;
use reminder_domain::state::Lifecycle;
use reminder_domain::{TaskState, Timestamp, next_wake};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

/// A stored value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableState {
    /// Written by a newer version of the service.
    #[error("the stored state has schema {found}, newer than {read}: run the newer version", read = schema::read())]
    Newer {
        /// Its schema.
        found: u32,
    },
    /// Not what this service writes.
    #[error("the stored state is damaged: {0}")]
    Damaged(String),
    /// The database knows the task, but there is no state.
    #[error("the task is known, but its state is not there")]
    Missing,
    /// A turn on it did not come to its end, for a reason that only the log tells.
    #[error("a turn on the stored state ended in a panic; the log has more")]
    Panicked,
}

impl UnreadableState {
    /// What is wrong with a stored text, and where. The error's own words would quote it, to logs and callers.
    pub(crate) fn damaged(error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Data => "a field is missing, or not what it should be",
            Category::Eof => "it ends too early",
            Category::Syntax | Category::Io => "it is not JSON",
        };
        Self::Damaged(format!("{what}, at character {}", error.column()))
    }

    /// The kind of reason, as it is stored and counted.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "newer",
            Self::Damaged(_) => "damaged",
            Self::Missing => "missing",
            Self::Panicked => "panicked",
        }
    }

    /// The schema of the state, where that is what is wrong.
    pub fn schema(&self) -> Option<u32> {
        match self {
            Self::Newer { found } => Some(*found),
            _ => None,
        }
    }
}

/// What the trigger reads. Its keys are short since every commit carries it;
/// the migrations document them.
#[derive(Serialize)]
struct IndexLine<'a> {
    s: u32,
    v: u64,
    i: u32,
    u: Option<&'a str>,
    st: &'static str,
    w: Option<i64>,
    /// Decimal text: JSON readers may not keep 64 bits.
    e: Option<String>,
    n: Option<u64>,
    t: i64,
    /// The version of the user's preferences that the task follows.
    p: u64,
    /// The zone database that its times were resolved by.
    z: Option<&'a str>,
    /// Whether it is paused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    h: bool,
    /// Whether the task begins with it, so that the fence refuses it where there is one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    b: bool,
}

#[derive(Deserialize)]
struct SchemaOnly {
    s: u32,
}

/// Writes a state.
pub fn encode(state: &TaskState) -> Vec<u8> {
    written(state, false)
}

/// Writes the first state of a task, which takes the place of none.
pub fn encode_first(state: &TaskState) -> Vec<u8> {
    written(state, true)
}

fn written(state: &TaskState, begins: bool) -> Vec<u8> {
    let (user, status) = match &state.lifecycle {
        Lifecycle::Live(live) => (live.task.user_id.as_ref(), live.task.status.as_str()),
        Lifecycle::Deleted { user_id, .. } => (user_id.as_ref(), "deleted"),
    };
    let last = state.pending.last().map(|commit| commit.stamp);
    let index = IndexLine {
        s: schema::written(),
        v: state.version,
        i: state.incarnation,
        u: user.map(Person::as_str),
        st: status,
        w: next_wake(state).map(Timestamp::as_millis),
        e: last.map(|stamp| stamp.epoch.to_string()),
        n: last.map(|stamp| stamp.n),
        t: state.updated_at.as_millis(),
        p: state.live().map_or(0, |live| live.preferences.version),
        z: state.live().map(|live| live.zone_database.as_str()),
        h: state.live().is_some_and(|live| live.pause().is_some()),
        b: begins,
    };
    join(&index, state)
}

/// Puts a stored value together from its index line and its document.
pub(crate) fn join(line: &impl Serialize, document: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    let written = serde_json::to_writer(&mut bytes, line)
        .map(|()| bytes.push(b'\n'))
        .and_then(|()| serde_json::to_writer(&mut bytes, document));
    written.expect("plain data with string keys always serialises into memory");
    bytes
}

/// The document of a written state.
pub(super) fn document(bytes: &[u8]) -> Option<&[u8]> {
    split(bytes).map(|(_, document)| document)
}

/// The two lines, without a look at either.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..line], &bytes[line + 1..]))
}

/// Reads a state.
pub fn decode(bytes: &[u8]) -> Result<TaskState, UnreadableState> {
    let (_, document) = lines(bytes)?;
    let state: TaskState =
        serde_json::from_slice(document).map_err(|error| UnreadableState::damaged(&error))?;
    // What waits for the broker is told of a task; beside a deleted one there is none to tell of.
    let can_be_told =
        state.live().is_some() || state.pending.iter().all(|commit| commit.snapshot.is_some());
    if !can_be_told {
        return Err(UnreadableState::Damaged("its events tell of a task that is not there".into()));
    }
    Ok(state)
}

/// Takes a stored value apart into its index line and its document.
pub(crate) fn lines(bytes: &[u8]) -> Result<(&[u8], &[u8]), UnreadableState> {
    let Some((line, document)) = split(bytes) else {
        return Err(UnreadableState::Damaged("there is no index line".into()));
    };
    let written: SchemaOnly =
        serde_json::from_slice(line).map_err(|error| UnreadableState::damaged(&error))?;
    if written.s > schema::read() {
        return Err(UnreadableState::Newer { found: written.s });
    }
    Ok((line, document))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_domain::Origin;
    use reminder_domain::state::{PendingCommit, Stamp};

    /// The outbox would stop for all tasks, at the first event that it cannot tell.
    #[test]
    fn events_that_cannot_be_told_are_damage() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let mut state = TaskState::unborn(1, now);
        state.pending.push(PendingCommit {
            stamp: Stamp { epoch: 1, n: 1 },
            at: now,
            origin: Origin::default(),
            snapshot: None,
            incarnation: None,
            trace: None,
            events: Vec::new(),
        });
        let why = decode(&encode(&state)).unwrap_err().to_string();
        assert!(why.contains("a task that is not there"), "{why}");
        state.pending.clear();
        assert_eq!(decode(&encode(&state)).unwrap(), state);
    }

    #[test]
    fn what_is_wrong_with_a_state_is_told_without_a_word_of_it() {
        for (stored, told) in [
            ("tell-nobody", "no index line"),
            ("tell-nobody\n{}", "not JSON, at character 2"),
            (r#"{"s":"tell-nobody"}"#, "no index line"),
            ("{\"s\":\"tell-nobody\"}\n{}", "not what it should be"),
            ("{\"s\":1}\n{\"version\":\"tell-nobody\"}", "not what it should be"),
            ("{\"s\":1}\n{\"version\":1,", "ends too early"),
        ] {
            let why = decode(stored.as_bytes()).unwrap_err().to_string();
            assert!(why.contains(told) && !why.contains("tell-nobody"), "{stored}: {why}");
        }
    }
}
