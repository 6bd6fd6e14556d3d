//! A far simpler model of a task, to hold the core against: its calendar adds days and tries minutes,
//! its alarms are told as plainly as possible, and it shares no code with the core.
//!
//! | Module | Holds |
//! |---|---|
//! | [`calendar`] | times, zones, rules, quiet hours, without the core |
//! | [`words`] | tasks and commands as scenarios tell them, and as the core takes them |
//! | [`model`] | what a task should be after a sequence of commands and wakes |
//! | [`compare`] | both sides in the same words |
//!
//! The properties of the domain and the simulation use it; nothing of the service does.

#![expect(clippy::unwrap_used, reason = "it is part of tests: a panic is the report")]
#![allow(missing_docs, reason = "read by tests only, and its names say it")]

pub mod calendar;
pub mod compare;
pub mod model;
pub mod words;
