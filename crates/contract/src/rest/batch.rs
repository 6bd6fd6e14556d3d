//! Many commands in one call, each with a result of its own.

use crate::problem::Problem;
use crate::wire::{CommandAnswer, Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The method of an item: one of the actor methods that change a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct BatchMethod(pub Method);

impl TryFrom<String> for BatchMethod {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = Method::ALL.iter().find(|method| method.as_str() == name);
        known.copied().map(Self).ok_or_else(|| {
            let all: Vec<&str> = Method::ALL.iter().map(|method| method.as_str()).collect();
            format!("must be one of {}", all.join(", "))
        })
    }
}

impl From<BatchMethod> for &'static str {
    fn from(method: BatchMethod) -> Self {
        method.0.as_str()
    }
}

/// The body of a batch, as a caller writes it; [`parse_batch`](super::parse_batch) reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The commands.
    pub items: Vec<BatchItem>,
}

/// One command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItem {
    /// What to do.
    pub method: BatchMethod,
    /// With which task.
    pub task_id: String,
    /// The body of the actor method: `task`, `ifVersion`, `commandId` and so on.
    #[serde(flatten)]
    pub body: Map<String, Value>,
}

/// The answer to a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchAnswer {
    /// One for each item, in their order.
    pub results: Vec<BatchResult>,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchResult {
    /// The task, as it was named.
    pub task_id: String,
    /// The status that the command alone would have been answered with.
    pub status: u16,
    /// The answer, when it was applied, now or before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<CommandAnswer<'static>>,
    /// Why not, otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}
