//! Stored states load for ever: those of every schema that was ever written.
//!
//! What lies in the database may be years old when it is read next, and may have been written by a
//! neighbouring version a moment ago. See [`fixtures`] for the files. When the stored state gets a new
//! field, `what_is_written_today_has_a_fixture` says so; then run
//!
//! ```text
//! WRITE_STATE_FIXTURES=1 cargo test --test compatibility
//! ```
//!
//! which adds values with it and their checksums, and changes none that is there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod fixtures;
mod play;
mod scripts;
mod shape;

use fixtures::Fixture;
use reminder_domain::Timestamp;
use reminder_domain::decide::fence;
use reminder_scheduler::turn::record::{self, UnreadableState};
use reminder_scheduler::turn::schema;
use reminder_scheduler::users::record as user_record;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

const WRITE_VARIABLE: &str = "WRITE_STATE_FIXTURES";
/// Checksums of all files, one a line.
const CHECKSUMS: &str = "released.txt";
/// Fields without which a value of the schema cannot be read, one a line.
const REQUIRED: &str = "required.txt";

fn kind(is_user: bool) -> &'static str {
    if is_user { "user" } else { "task" }
}

/// What the code of today stores, by name.
fn written_today() -> Vec<(&'static str, bool, Vec<u8>)> {
    let of = |all: Vec<(&'static str, Vec<u8>)>, is_user| {
        all.into_iter().map(move |(name, bytes)| (name, is_user, bytes))
    };
    of(scripts::tasks(), false).chain(of(scripts::users(), true)).collect()
}

#[test]
fn every_stored_state_means_today_what_it_meant_when_it_was_written() {
    let all = fixtures::all();
    assert!(all.len() > 10, "only {} fixtures", all.len());
    for Fixture { schema, name, bytes, meaning } in all {
        let today = fixtures::meaning(&name, &bytes);
        assert_eq!(today.as_ref(), Ok(&meaning), "v{schema}/{name}");
    }
}

#[test]
fn what_is_loaded_and_stored_again_means_the_same() {
    for fixture in fixtures::all() {
        let name = &fixture.name;
        let again = if fixture.is_user() {
            user_record::encode(&user_record::decode(&fixture.bytes).unwrap())
        } else {
            record::encode(&record::decode(&fixture.bytes).unwrap())
        };
        assert_eq!(fixtures::meaning(name, &again), Ok(fixture.meaning), "{name}");
        let (line, _) = shape::lines(&again);
        let (before, _) = shape::lines(&fixture.bytes);
        for field in ["v", "u", "st", "w", "e", "n", "t", "i"] {
            assert_eq!(line.get(field), before.get(field), "{name}: {field} of the index line");
        }
    }
}

#[test]
fn every_schema_has_fixtures_of_tasks_and_users() {
    let mut all: BTreeMap<u32, BTreeSet<bool>> = BTreeMap::new();
    for fixture in fixtures::all() {
        let (line, _) = shape::lines(&fixture.bytes);
        assert_eq!(line["s"], fixture.schema, "{} is in the wrong folder", fixture.name);
        all.entry(fixture.schema).or_default().insert(fixture.is_user());
    }
    for schema in 1..=schema::READ {
        let kinds = all.get(&schema).map(BTreeSet::len);
        assert_eq!(kinds, Some(2), "schema {schema} has no fixtures of both kinds");
    }
    assert_eq!(all.keys().max(), Some(&schema::READ), "a schema that cannot be read");
}

#[test]
fn what_is_written_today_has_a_fixture() {
    let known = || -> BTreeSet<String> {
        let today = fixtures::all().into_iter().filter(|fixture| fixture.schema == schema::WRITTEN);
        today.flat_map(|fixture| shape::shape(kind(fixture.is_user()), &fixture.bytes)).collect()
    };
    let write = std::env::var_os(WRITE_VARIABLE).is_some();
    let mut new = BTreeSet::new();
    for (name, is_user, bytes) in written_today() {
        let shape = shape::shape(kind(is_user), &bytes);
        let mut unknown: BTreeSet<String> = shape.difference(&known()).cloned().collect();
        if write && (!unknown.is_empty() || !fixtures::exists(schema::WRITTEN, name)) {
            fixtures::write(schema::WRITTEN, name, &bytes);
            add_checksums();
            unknown.clear();
        }
        new.append(&mut unknown);
    }
    assert!(
        new.is_empty(),
        "no fixture of schema {} has what is stored now. If older versions can do without \
         these fields, add fixtures with {WRITE_VARIABLE}=1; else raise it first, see \
         src/turn/schema.rs:\n{new:#?}",
        schema::WRITTEN
    );
}

/// The scripts would prove little if they left something out.
#[test]
fn the_fixtures_have_every_word_that_is_stored() {
    let all: BTreeSet<String> = fixtures::all()
        .into_iter()
        .flat_map(|fixture| shape::shape(kind(fixture.is_user()), &fixture.bytes))
        .collect();
    for (field, words) in [
        ("task.lifecycle.is", "live deleted"),
        ("alarms[].plan.is", "asleep scheduled fired cancelled expired skipped dismissed"),
        ("alarms[].plan.adjustment", "gap overlap"),
        ("history[].is", "fired acknowledged expired dismissed"),
        ("history[].cause", "onTime late coalesced snooze nag"),
        ("lifecycle.task.status", "pending in_progress completed"),
        ("lifecycle.task.priority", "low normal high urgent"),
        ("lifecycle.task.recurrence.from", "completion"),
        ("line.st", "pending in_progress completed deleted"),
        (
            "events[].fact.is",
            "reminderScheduled reminderTriggered reminderSnoozed reminderAcknowledged \
             reminderExpired reminderRemoved taskUpdated taskSync",
        ),
        (
            "events[].fact.reason",
            "created replaced completed reopened deleted reminderTriggered advanced skipped \
             remindersChanged rescheduled removed dismissed",
        ),
    ] {
        for word in words.split_whitespace() {
            let entry = format!("{field} {word}");
            assert!(all.iter().any(|shape| shape.ends_with(&entry)), "no fixture has {entry}");
        }
    }
    for field in [
        "task.pending[].snapshot.deleted",
        "task.pending[].incarnation",
        "task.armed",
        "task.commands[].a[].a",
        "task.lifecycle.alarms[].rung.nagAt",
        "task.lifecycle.alarms[].snooze.rung.firedAt",
        "task.lifecycle.alarms[].acknowledged",
        "task.lifecycle.alarms[].plan.quietFrom",
        "task.lifecycle.occurrence",
        "task.lifecycle.preferences.preferences.quietHours.from",
        "user line.p.snoozePresets.*.days",
    ] {
        let start = format!("{field} ");
        assert!(all.iter().any(|shape| shape.starts_with(&start)), "no fixture has {field}");
    }
}

/// Fields that every version wrote where they are needed now, and without which a state was read, but of no
/// use: beside a deleted task, events that wait tell of its snapshot, and the outbox stopped without it.
const NEVER_OF_USE_WITHOUT: [&str; 1] = ["task.pending[].snapshot"];

#[test]
fn a_field_that_may_be_missing_may_always_be_missing() {
    for (schema, folder) in fixtures::schemas() {
        let mut needed = BTreeSet::new();
        for fixture in fixtures::all().into_iter().filter(|fixture| fixture.schema == schema) {
            let (line, document) = shape::lines(&fixture.bytes);
            for way in shape::fields(&document) {
                let changed = shape::without(&document, &way);
                let bytes = format!("{line}\n{changed}");
                if fixtures::meaning(&fixture.name, bytes.as_bytes()).is_err() {
                    let kind = kind(fixture.is_user());
                    needed.insert(format!("{kind}{}", shape::general(&document, &way)));
                }
            }
        }
        let path = folder.join(REQUIRED);
        let text = needed.iter().cloned().collect::<Vec<_>>().join("\n") + "\n";
        if std::env::var_os(WRITE_VARIABLE).is_some() && !path.exists() {
            std::fs::write(&path, &text).unwrap();
            add_checksums();
        }
        let required = std::fs::read_to_string(&path).unwrap();
        let required: BTreeSet<&str> = required.lines().collect();
        let was_of_use = |field: &&String| !NEVER_OF_USE_WITHOUT.contains(&field.as_str());
        let more = needed.iter().filter(|field| !required.contains(field.as_str()));
        let more: Vec<&String> = more.filter(was_of_use).collect();
        assert!(more.is_empty(), "stored states without these are not read any more: {more:#?}");
        assert!(!needed.is_empty(), "nothing is needed, so nothing was tried");
    }
}

#[test]
fn unknown_fields_are_left_aside() {
    for fixture in fixtures::all() {
        let (line, mut document) = shape::lines(&fixture.bytes);
        document["ofALaterVersion"] = Value::Bool(true);
        let bytes = format!("{line}\n{document}");
        let meaning = fixtures::meaning(&fixture.name, bytes.as_bytes());
        assert_eq!(meaning, Ok(fixture.meaning), "{}", fixture.name);
    }
}

#[test]
fn a_state_of_a_later_schema_is_told_apart_from_a_damaged_one() {
    for fixture in fixtures::all() {
        let text = std::str::from_utf8(&fixture.bytes).unwrap();
        let (line, _) = text.split_once('\n').unwrap();
        let later = line.replacen(&format!("\"s\":{}", fixture.schema), "\"s\":99", 1);
        let bytes = format!("{later}\nnothing that is known today");
        let refusals =
            [record::decode(bytes.as_bytes()).err(), user_record::decode(bytes.as_bytes()).err()];
        for refusal in refusals {
            let refusal = refusal.expect("it must not be read");
            assert!(matches!(refusal, UnreadableState::Newer { found: 99 }), "{refusal}");
        }
    }
}

#[test]
fn turns_go_on_from_every_stored_task() {
    let now = Timestamp::parse("2040-01-01T00:00:00Z").unwrap();
    for fixture in fixtures::all().into_iter().filter(|fixture| !fixture.is_user()) {
        let state = record::decode(&fixture.bytes).unwrap();
        let next = fence(Some(&state), now).state;
        assert_eq!(next.version, state.version + 1);
        assert_eq!(record::decode(&record::encode(&next)).unwrap(), next, "{}", fixture.name);
    }
}

#[test]
fn no_stored_state_was_ever_changed() {
    let list = std::fs::read_to_string(fixtures::folder().join(CHECKSUMS)).unwrap();
    let listed: BTreeMap<&str, &str> = list
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once("  ").map(|(sum, path)| (path, sum)).unwrap())
        .collect();
    for (path, sum) in &listed {
        let bytes = std::fs::read(fixtures::folder().join(path));
        let found = bytes.map(|bytes| checksum(&bytes)).ok();
        assert_eq!(found.as_deref(), Some(*sum), "{path} lies in databases as it was");
    }
    let files = fixtures::schemas().into_values().flat_map(|folder| fixtures::files(&folder));
    for path in files {
        let name = relative(&path);
        assert!(listed.contains_key(name.as_str()), "{name} has no checksum in {CHECKSUMS}");
    }
}

fn relative(path: &Path) -> String {
    path.strip_prefix(fixtures::folder()).unwrap().to_str().unwrap().to_owned()
}

fn checksum(bytes: &[u8]) -> String {
    format!("{:016x}", xxh3_64(bytes))
}

/// Lists the files that are not listed yet.
fn add_checksums() {
    let path = fixtures::folder().join(CHECKSUMS);
    let mut list = std::fs::read_to_string(&path).unwrap_or_else(|_| {
        "# XXH3 of every file of stored states. Lines are added, never changed or taken away.\n"
            .into()
    });
    for file in fixtures::schemas().into_values().flat_map(|folder| fixtures::files(&folder)) {
        let name = relative(&file);
        if !list.contains(&format!("  {name}\n")) {
            let sum = checksum(&std::fs::read(&file).unwrap());
            list.extend([&sum, "  ", &name, "\n"]);
        }
    }
    std::fs::write(path, list).unwrap();
}
