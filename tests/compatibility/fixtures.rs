//! The stored values of all schemas that were ever written, and what they mean.
//!
//! `state/v<schema>/<name>.state` is a value as it lies in the database, `<name>.json` what it means.
//! `state/released.txt` has a checksum of each: none of them ever changes.

use reminder_domain::state::{Lifecycle, PendingCommit};
use reminder_domain::{TaskState, next_wake};
use reminder_scheduler::turn::record;
use reminder_scheduler::users::record as user_record;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How a stored value ends.
const STATE: &str = "state";
/// How the file ends that says what a value means.
const MEANING: &str = "json";
/// Names of users' values begin with it; the others are tasks'.
const USER: &str = "user-";

/// One stored value.
pub(crate) struct Fixture {
    pub(crate) schema: u32,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// What it meant when it was written.
    pub(crate) meaning: Value,
}

impl Fixture {
    pub(crate) fn is_user(&self) -> bool {
        self.name.starts_with(USER)
    }
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility/state")
}

/// The folders of the schemas, by their numbers.
pub(crate) fn schemas() -> BTreeMap<u32, PathBuf> {
    let folders = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let numbered = folders.filter(|path| path.is_dir()).map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let number = name.strip_prefix('v').and_then(|number| number.parse().ok());
        (number.unwrap_or_else(|| panic!("{name} does not name a schema")), path)
    });
    numbered.collect()
}

/// Every file of a schema, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.collect();
    files.sort();
    files
}

/// All of them.
pub(crate) fn all() -> Vec<Fixture> {
    let states = schemas().into_iter().flat_map(|(schema, folder)| {
        let of_schema = files(&folder).into_iter();
        of_schema.filter(|path| path.extension().is_some_and(|end| end == STATE)).map(move |path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let meaning = std::fs::read(path.with_extension(MEANING)).unwrap();
            let meaning = serde_json::from_slice(&meaning).unwrap();
            Fixture { schema, name, bytes: std::fs::read(&path).unwrap(), meaning }
        })
    });
    states.collect()
}

/// Whether a schema has a value of that name.
pub(crate) fn exists(schema: u32, name: &str) -> bool {
    folder().join(format!("v{schema}/{name}.{STATE}")).exists()
}

/// Adds a value of today's schema, under a name that is free.
pub(crate) fn write(schema: u32, name: &str, bytes: &[u8]) {
    let folder = folder().join(format!("v{schema}"));
    std::fs::create_dir_all(&folder).unwrap();
    let names = std::iter::once(name.to_owned()).chain((2..).map(|n| format!("{name}-{n}")));
    let place = |name: String| folder.join(format!("{name}.{STATE}"));
    let free = names.map(place).find(|path| !path.exists()).unwrap();
    let meaning = meaning(name, bytes).unwrap();
    std::fs::write(&free, bytes).unwrap();
    let text = serde_json::to_string_pretty(&meaning).unwrap() + "\n";
    std::fs::write(free.with_extension(MEANING), text).unwrap();
}

/// What a stored value means to the code of today.
pub(crate) fn meaning(name: &str, bytes: &[u8]) -> Result<Value, String> {
    if name.starts_with(USER) {
        let state = user_record::decode(bytes).map_err(|error| error.to_string())?;
        return Ok(json!({
            "version": state.version,
            "updatedAt": state.updated_at,
            "userId": state.user_id,
            "preferences": state.preferences,
            "commands": state.commands.len(),
        }));
    }
    let state = record::decode(bytes).map_err(|error| error.to_string())?;
    Ok(task_meaning(&state))
}

fn task_meaning(state: &TaskState) -> Value {
    let task = match &state.lifecycle {
        Lifecycle::Deleted { deleted_at, user_id } => {
            json!({ "status": "deleted", "userId": user_id, "deletedAt": deleted_at })
        }
        Lifecycle::Live(live) => json!({
            "status": live.task.status,
            "userId": live.task.user_id,
            "task": live.task,
            "alarms": live.alarms,
            "occurrence": live.occurrence.map(|cursor| format!("{cursor:?}")),
            "preferences": live.preferences,
            "history": live.history,
            "origin": live.origin,
        }),
    };
    let pending = |commit: &PendingCommit| {
        json!({
            "epoch": commit.stamp.epoch.to_string(),
            "n": commit.stamp.n,
            "at": commit.at,
            "incarnation": commit.incarnation.unwrap_or(state.incarnation),
            "version": commit.snapshot.as_ref().map_or(state.version, |snapshot| snapshot.version),
            "title": commit.snapshot.as_ref().map(|snapshot| &snapshot.task.title),
            "events": commit.events,
        })
    };
    json!({
        "version": state.version,
        "incarnation": state.incarnation,
        "updatedAt": state.updated_at,
        "nextWake": next_wake(state),
        "armed": state.armed,
        "sequences": state.sequences,
        "commands": state.commands,
        "pending": state.pending.iter().map(pending).collect::<Vec<_>>(),
        "is": task,
    })
}
