//! The internal actor methods: both of their ends are this service.

use reminder_domain::ids::Person;
use serde::{Deserialize, Serialize};

/// Puts a task in order.
pub const SETTLE: &str = "settle";
/// Has a task follow the present preferences and zones. Its body is empty.
pub const REFRESH: &str = "refresh";
/// Removes a task for good if it has been over for long enough. Its body says how long that is.
pub const PURGE: &str = "purge";

/// Leaves nothing of a user in a task. Its body says whose.
pub const ERASE: &str = "erase";

/// What `erase` is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EraseRequest {
    /// Whose tasks are erased; one that is another's stays, without the name.
    pub user_id: Person,
}

/// Has a task follow an event of its owner. Its body is the event as it was published: of all that two
/// versions of this service could agree on, that is what changes least.
pub const INGEST: &str = "ingest";

/// What `settle` is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SettleRequest {
    /// The version that the task must reach.
    #[serde(default)]
    pub at_least: u64,
}

impl SettleRequest {
    /// Its JSON.
    pub fn to_json(self) -> Vec<u8> {
        format!(r#"{{"atLeast":{}}}"#, self.at_least).into_bytes()
    }
}

/// Of a task without a state, or without one that can be used.
pub const NO_VERSION: u64 = 0;

/// What they answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The version that the task is at, or [`NO_VERSION`].
    pub version: u64,
}

/// What `ingest` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingested {
    /// The version that the task is at.
    pub version: u64,
    /// Whether the event was news.
    pub applied: bool,
}
