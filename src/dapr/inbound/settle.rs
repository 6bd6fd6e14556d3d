//! The internal actor method `settle`: both of its ends are this service.

use serde::{Deserialize, Serialize};

/// The method's name.
pub const METHOD: &str = "settle";

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The version that the task must reach.
    #[serde(default)]
    pub at_least: u64,
}

impl Request {
    /// Its JSON.
    pub fn to_json(self) -> Vec<u8> {
        format!(r#"{{"atLeast":{}}}"#, self.at_least).into_bytes()
    }
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The version that the task is at; 0 when there is none.
    pub version: u64,
}
