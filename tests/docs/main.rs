//! Keeps the documentation honest: what it links to, names, configures and shows must be so.
//!
//! A few conventions make that possible. A code span of four or more words joined by `_` is the name
//! of a test. A code span that begins with a folder of the repository is a path. Shell blocks are
//! marked `sh`, JSON blocks `json`; an answer or event in a JSON block is one that was really given.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod book;
mod cli;
mod configuration;
mod json;
mod kubernetes;
mod lines;
mod links;
mod names;
mod openapi;
mod pages;
mod reference;
mod runners;
mod scale;
mod shell;
mod time;
