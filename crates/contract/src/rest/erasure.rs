//! How the erasure of a user stands.

use crate::data::shown;
use reminder_domain::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the erasure of a user stands. With `erasing` false and no tasks, nothing of the user is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasureView {
    /// The user.
    pub user_id: String,
    /// Whether it is under way.
    pub erasing: bool,
    /// When it was asked for; missing when none is under way.
    #[schemars(with = "Option<shown::Instant>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<Timestamp>,
    /// Tasks erased so far.
    pub erased: u64,
    /// Tasks of the user that are there, done and deleted ones included; at most 100,000 are counted.
    pub tasks: u64,
}
