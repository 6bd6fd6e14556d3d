//! What the conformity tests are given: the tools of others, and events of the running stack.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reminder_contract::names::{REMINDERS, TASK_EVENTS, TASK_UPDATES};
use reminder_stack::Stack;
use reminder_stack::events::{Positions, Reader};

use super::process::Log;
use super::setup;

/// Where the events go, below the workspace.
const EVENTS: &str = "target/xtask-test/events.jsonl";

/// No more events than this of each topic: the tests shall not take longer with every step before them.
const EVENTS_MAX: usize = 500;

/// The variables of the tests.
pub(super) async fn settings(
    log: &Log,
    root: &Path,
    stack: &Stack,
) -> Result<[(&'static str, String); 5]> {
    let python = setup::python(log, root).await?;
    let parser = setup::asyncapi(log, root).await?;
    let sdk = setup::sdks(log, root).await?;
    let events = root.join(EVENTS);
    std::fs::write(&events, told(stack).await?)?;
    Ok([
        ("CONFORMITY_PYTHON", python.to_string_lossy().into_owned()),
        ("CONFORMITY_NODE", parser.to_string_lossy().into_owned()),
        ("CONFORMITY_EVENTS", events.to_string_lossy().into_owned()),
        ("SDK_INSTANCE", stack.manifest()?.options.instance),
        ("SDK_PYTHON", sdk.to_string_lossy().into_owned()),
    ])
}

/// The last events of each topic as they lie in Kafka, one a line.
async fn told(stack: &Stack) -> Result<String> {
    let bootstrap = stack.manifest()?.kafka_bootstrap().context("the stack has no Kafka")?;
    let reader = Reader::connect(&bootstrap).await?;
    let mut lines = String::new();
    for topic in [TASK_EVENTS, REMINDERS, TASK_UPDATES] {
        let mut records = reader.read(&[topic], &Positions::new()).await?;
        records.retain(|record| !record.is_canary());
        ensure!(!records.is_empty(), "nothing was told on {topic}");
        for record in records.iter().rev().take(EVENTS_MAX) {
            lines += &record.json()?.to_string();
            lines.push('\n');
        }
    }
    Ok(lines)
}
