//! Paused reminders: a gate before everything that fires, which moves nothing behind it.

use crate::state::Live;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Who has paused the reminders of a task, and since when: the task is silent while anybody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when the task itself is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Timestamp>,
    /// Since when its user is paused, as far as the task knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Timestamp>,
}

/// A pause of a user that has ended with nothing to fire of what fell due in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkippedPause {
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub until: Timestamp,
}

/// What to do at a resumption with what fell due in the pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "String")]
pub enum IfMissed {
    /// It fires at once, by the rules for whatever was missed.
    #[default]
    Fire,
    /// It stays silent.
    Skip,
}

/// Through a string, so that nothing else is taken for one.
impl TryFrom<String> for IfMissed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "fire" => Ok(Self::Fire),
            "skip" => Ok(Self::Skip),
            _ => Err(format!("must be fire or skip, but is {text:?}")),
        }
    }
}

impl Live {
    /// Who has paused it; `None`: nobody.
    pub fn pause(&self) -> Option<Pause> {
        let pause = Pause { task: self.paused_since, user: self.preferences.paused_since };
        (pause.task.is_some() || pause.user.is_some()).then_some(pause)
    }
}
