//! Recurrence: known answers, properties, hostile input, and how much work old rules are.
//!
//! A failing property prints its inputs, and its seed is added to `regressions.txt` beside this
//! file: commit it, so that the case is tried first from then on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod rfc5545;
