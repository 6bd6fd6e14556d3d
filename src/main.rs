//! The `reminder-scheduler` binary.
fn main() {}
