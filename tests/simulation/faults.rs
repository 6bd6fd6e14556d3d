//! A fault at every step, in every way, alone and in pairs; the promises hold each time.

use crate::calls::{Fault, Record};
use crate::scripts::{self, Script};
use crate::world::World;
use reminder_contract::cloud_event::CloudEvent;
use reminder_contract::cloud_event::EventData;
use reminder_domain::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Of all pairs of faults, one in so many is tried; `SIMULATION_PAIRS=all` tries every one.
const PAIRS_SAMPLED: u64 = 40;

/// What a consumer that drops known ids has seen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Reminder id and due time, relative to the start of the run, of every trigger.
    triggers: BTreeSet<(String, Timestamp)>,
}

fn run(script: &Script, faults: BTreeMap<usize, Fault>, audited: bool) -> World {
    let mut world = World::new(faults, audited);
    (script.run)(&mut world);
    world
}

/// Reads the broker's log as a consumer does and checks what must hold whatever happened.
fn consume(log: &[Record]) -> Result<Seen, String> {
    let mut bodies: HashMap<&str, &[u8]> = HashMap::new();
    let mut last: HashMap<_, u64> = HashMap::new();
    let mut seen = Seen::default();
    for record in log {
        if let Some(known) = bodies.insert(&record.id, &record.body) {
            if known != record.body {
                return Err(format!("{} was published with two contents", record.id));
            }
            continue;
        }
        let event = CloudEvent::<EventData>::read(&record.body).map_err(|e| e.to_string())?;
        let sequence: u64 = event.sequence.parse().map_err(|_| "a sequence is no number")?;
        let expected = last.entry(record.topic).or_default();
        // A life that follows a purge begins far above the one before.
        let begins = sequence > *expected && sequence % 1_000 == 1;
        *expected = if begins { sequence } else { *expected + 1 };
        if sequence != *expected {
            return Err(format!("{}: sequence {sequence}, expected {expected}", record.id));
        }
        if let EventData::ReminderTriggered(trigger) = &event.data {
            if trigger.fired_at < trigger.scheduled_for {
                return Err(format!("{} fired early", record.id));
            }
            let key = (trigger.reminder_id.to_string(), trigger.scheduled_for);
            if !seen.triggers.insert(key) {
                return Err(format!("{} fired twice", record.id));
            }
        }
    }
    Ok(seen)
}

/// Due times depend on when a command was answered, so they are compared by their count per
/// reminder; the exact times are checked against the stored ones by the machine's own `scheduledFor`.
fn shape(seen: &Seen) -> Vec<&str> {
    seen.triggers.iter().map(|(reminder, _)| reminder.as_str()).collect()
}

fn check(script: &Script, faults: &BTreeMap<usize, Fault>, expected: &Seen, audited: bool) {
    let mut world = run(script, faults.clone(), audited);
    // The next turns of the task, whatever they are, publish what a dead process left pending.
    for _ in 0..=faults.len() {
        world.read_task();
        world.advance(60_000);
    }
    let verdict = consume(&world.log).and_then(|seen| {
        if shape(&seen) == shape(expected) {
            Ok(())
        } else {
            Err(format!("fired {:?}, expected {:?}", seen.triggers, expected.triggers))
        }
    });
    if let Err(error) = verdict {
        panic!("{}: {error}\nfaults {faults:?}\n{}", script.name, world.trace.join("\n"));
    }
}

#[test]
fn without_faults_each_script_fires_what_it_should() {
    let counts: Vec<usize> = scripts::ALL
        .iter()
        .map(|script| consume(&run(script, BTreeMap::new(), false).log).unwrap().triggers.len())
        .collect();
    assert_eq!(counts, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
}

#[test]
fn without_later_births_a_purge_would_use_ids_twice() {
    let mut world = World::new(BTreeMap::new(), false);
    world.raises_births = false;
    scripts::purged_and_remade(&mut world);
    let error = consume(&world.log).unwrap_err();
    assert!(error.contains("two contents"), "{error}");
}

/// One fault, whatever and wherever it is, is healed without any audit; what a dead process left
/// pending is published by the next turn of the task.
#[test]
fn one_fault_at_every_step() {
    for script in scripts::ALL {
        let reference = run(script, BTreeMap::new(), false);
        let expected = consume(&reference.log).unwrap();
        for step in 1..=reference.calls {
            for fault in Fault::ALL {
                check(script, &BTreeMap::from([(step, fault)]), &expected, false);
            }
        }
    }
}

/// Two faults may lose what only the process knew (a registration that failed, then a crash); the
/// audit finds that. Everything else still holds.
#[test]
fn two_faults_at_pairs_of_steps() {
    let every = std::env::var("SIMULATION_PAIRS").is_ok_and(|which| which == "all");
    for script in scripts::ALL {
        let reference = run(script, BTreeMap::new(), false);
        let expected = consume(&reference.log).unwrap();
        // A fault adds calls, so the second one may come later than the last call without any.
        let last = reference.calls + 4;
        for first in 1..=reference.calls {
            for second in first + 1..=last {
                for (a, b) in pairs().filter(|pair| every || sampled(script, first, second, *pair))
                {
                    check(script, &BTreeMap::from([(first, a), (second, b)]), &expected, true);
                }
            }
        }
    }
}

/// A fixed sample, spread over everything.
fn sampled(script: &Script, first: usize, second: usize, pair: (Fault, Fault)) -> bool {
    let key = format!("{} {first} {second} {pair:?}", script.name);
    xxhash_rust::xxh3::xxh3_64(key.as_bytes()).is_multiple_of(PAIRS_SAMPLED)
}

/// Each kind with each kind, late ones only by two calls to keep the number of runs down.
fn pairs() -> impl Iterator<Item = (Fault, Fault)> {
    let kinds = &Fault::ALL[..6];
    kinds.iter().flat_map(|a| kinds.iter().map(|b| (*a, *b)))
}
