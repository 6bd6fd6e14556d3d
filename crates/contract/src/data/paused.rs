//! That nothing of a task fires for now.

use super::shown;
use reminder_domain::Timestamp;
use reminder_domain::object::object;
use reminder_domain::pause::Pause;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Since when the reminders of a task are paused: nothing of it fires while one of the two is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Paused {
    /// Since when the task is paused.
    #[schemars(with = "Option<shown::Instant>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Timestamp>,
    /// Since when its user is paused.
    #[schemars(with = "Option<shown::Instant>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Timestamp>,
}

impl From<Pause> for Paused {
    fn from(Pause { task, user }: Pause) -> Self {
        Self { task, user }
    }
}

/// Only from an object: a derived reader would take a list as well.
impl<'de> Deserialize<'de> for Paused {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default)]
            task: Option<Timestamp>,
            #[serde(default)]
            user: Option<Timestamp>,
        }
        object(deserializer).map(|Fields { task, user }| Self { task, user })
    }
}
