//! What the service shows to the outside, and nothing of how it works.
//!
//! | Module | Holds |
//! |---|---|
//! | [`names`], [`topics`] | the names and topic settings shared with components and manifests |
//! | [`wire`] | bodies of the actor methods: parsing commands, answers |
//! | [`problem`] | refusals, as RFC 9457 problem details |
//! | [`cloud_event`] | encoding and reading events, their ids and keys |
//! | [`data`] | the payload of each event type |
//! | [`dead_letter`] | the headers of what could not be handled |
//! | [`incoming`] | what others publish on `task-events`, read leniently |
//! | [`user_id`] | ids of users as actor ids |
//! | [`schemas`] | the JSON Schema of each event type, as committed under `schemas/` |

pub mod cloud_event;
pub mod data;
pub mod dead_letter;
pub mod incoming;
pub mod names;
pub mod problem;
pub mod schemas;
pub mod topics;
pub mod user_id;
mod vocabulary;
pub mod wire;

pub use cloud_event::{CloudEvent, EventType};
pub use problem::{Problem, ProblemKind};
