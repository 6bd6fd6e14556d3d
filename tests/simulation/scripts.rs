//! What a client does to one task, with enough time between its commands for any fault to heal.

use crate::world::World;
use reminder_contract::wire::Method;
use reminder_domain::{Timestamp, Topic};

/// A named sequence of commands and waits.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut World),
}

/// Long enough for every retry and settle turn of the faults planned here.
const HEAL_MS: i64 = 120_000;
const SOON_MS: i64 = 300_000;
const LATER_MS: i64 = 900_000;
const HOUR_MS: i64 = 3_600_000;

pub(crate) const ALL: &[Script] = &[
    Script { name: "fires", run: fires },
    Script { name: "past due fires at once", run: past_due },
    Script { name: "moved later, then earlier", run: moved },
    Script { name: "completed, then reopened", run: completed_and_reopened },
    Script { name: "changed while one topic is down", run: while_a_topic_is_down },
    Script { name: "several reminders, deleted half way, made again", run: deleted_and_remade },
    Script { name: "deleted, purged, made again", run: purged_and_remade },
    Script { name: "recurs, completed twice", run: recurring },
    Script { name: "rings, snoozed, acknowledged", run: snoozed },
    Script { name: "nags until acknowledged", run: nagging },
];

/// Puts a task with these reminders; without any, it has the one at its due date.
fn put(world: &mut World, id: &str, due_in_ms: i64, reminders: &str) {
    let reminders =
        if reminders.is_empty() { String::new() } else { format!(r#","reminders":[{reminders}]"#) };
    put_with(world, id, due_in_ms, &reminders);
}

fn put_with(world: &mut World, id: &str, due_in_ms: i64, fields: &str) {
    let due = Timestamp::from_millis(world.now_ms + due_in_ms);
    let body =
        format!(r#"{{"commandId":"{id}","task":{{"title":"Milk","dueDate":"{due}"{fields}}}}}"#);
    world.command(Method::Put, &body);
}

fn plain(world: &mut World, method: Method, id: &str) {
    world.command(method, &format!(r#"{{"commandId":"{id}"}}"#));
}

fn fires(world: &mut World) {
    put(world, "a", SOON_MS, "");
    world.advance(SOON_MS + HEAL_MS);
}

fn past_due(world: &mut World) {
    put(world, "a", -60_000, "");
    world.advance(HEAL_MS);
}

fn moved(world: &mut World) {
    put(world, "a", SOON_MS, "");
    world.advance(HEAL_MS);
    put(world, "b", LATER_MS, "");
    world.advance(SOON_MS);
    put(world, "c", SOON_MS, "");
    world.advance(SOON_MS + HEAL_MS);
}

fn completed_and_reopened(world: &mut World) {
    put(world, "a", LATER_MS, r#"{"id":"early","before":"PT10M"},{"id":"due","before":"PT0S"}"#);
    world.advance(HEAL_MS);
    plain(world, Method::Complete, "b");
    world.advance(SOON_MS);
    plain(world, Method::Reopen, "c");
    world.advance(LATER_MS + HEAL_MS);
}

/// Events wait in the outbox while more commits follow and the watermark moves for other topics.
fn while_a_topic_is_down(world: &mut World) {
    world.silent_topic = Some(Topic::Reminders);
    put(world, "a", LATER_MS, r#"{"id":"early","before":"PT10M"},{"id":"due","before":"PT0S"}"#);
    world.advance(HEAL_MS);
    put(world, "b", LATER_MS, r#"{"id":"due","before":"PT0S"}"#);
    world.advance(HEAL_MS);
    world.silent_topic = None;
    world.read_task();
    world.advance(LATER_MS);
}

fn deleted_and_remade(world: &mut World) {
    put(world, "a", LATER_MS, r#"{"id":"r1","before":"PT10M"},{"id":"r2","before":"PT1M"}"#);
    world.advance(SOON_MS + HEAL_MS);
    plain(world, Method::Delete, "b");
    world.advance(LATER_MS);
    put(world, "c", SOON_MS, "");
    world.advance(SOON_MS + HEAL_MS);
}

/// A task goes for good, and another one of its name takes its place at once: of what the first life still
/// has on its way, nothing may come to the second one.
pub(crate) fn purged_and_remade(world: &mut World) {
    put(world, "a", SOON_MS, "");
    world.advance(SOON_MS + HEAL_MS);
    plain(world, Method::Delete, "b");
    world.advance(HEAL_MS);
    world.purge();
    put(world, "c", SOON_MS, "");
    world.advance(SOON_MS + HEAL_MS);
}

/// Two occurrences are completed, one before and one after it fired; the third one fires.
fn recurring(world: &mut World) {
    put_with(world, "a", SOON_MS, r#","recurrence":{"rule":"FREQ=HOURLY"}"#);
    world.advance(SOON_MS + HEAL_MS);
    plain(world, Method::Complete, "b");
    world.advance(HEAL_MS);
    plain(world, Method::Complete, "c");
    world.advance(2 * HOUR_MS);
    plain(world, Method::Delete, "d");
    world.advance(HOUR_MS);
}

fn snoozed(world: &mut World) {
    put(world, "a", SOON_MS, "");
    world.advance(SOON_MS + HEAL_MS);
    world.command(Method::Snooze, r#"{"commandId":"b","for":"PT10M"}"#);
    world.advance(LATER_MS);
    plain(world, Method::Acknowledge, "c");
    world.advance(HOUR_MS);
}

fn nagging(world: &mut World) {
    put(world, "a", SOON_MS, r#"{"id":"r","before":"PT0S","nag":{"every":"PT10M","max":5}}"#);
    world.advance(LATER_MS + HEAL_MS);
    plain(world, Method::Acknowledge, "b");
    world.advance(HOUR_MS);
}
