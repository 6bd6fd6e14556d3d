//! What the service shows to the outside, and nothing of how it works.
//!
//! | Module | Holds |
//! |---|---|
//! | [`names`], [`topics`] | the names and topic settings shared with components and manifests |
//! | [`wire`] | bodies of the actor methods: parsing commands, answers |
//! | [`rest`] | paths, headers and bodies of the REST edge beside those of [`wire`] |
//! | [`problem`] | refusals, as RFC 9457 problem details |
//! | [`cloud_event`] | encoding and reading events, their ids and keys |
//! | [`data`] | the payload of each event type |
//! | [`size`] | how large a message may be |
//! | [`dead_letter`] | the headers of what could not be handled |
//! | [`incoming`] | what others publish on `task-events`, read leniently |
//! | [`user_id`] | ids of users as actor ids |
//! | [`schemas`] | the JSON Schema of each event type, as committed under `schemas/` |
//! | [`asyncapi`], [`pages`] | the `AsyncAPI` document and the pages of documentation, made of them |

pub mod asyncapi;
pub mod cloud_event;
pub mod data;
pub mod dead_letter;
pub mod incoming;
pub mod names;
pub mod pages;
pub mod problem;
pub mod rest;
pub mod schemas;
pub mod size;
pub mod topics;
pub mod user_id;
mod vocabulary;
pub mod wire;

pub use cloud_event::{CloudEvent, EventType};
pub use problem::{Problem, ProblemKind};
