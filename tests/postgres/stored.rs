//! Every state that was ever stored (`tests/compatibility`), as the triggers of today read it.

use crate::support::{Database, key, upsert, value};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use tokio_postgres::Row;

/// Names of users' values begin with it.
const USER: &str = "user-";

/// The files of every schema: the value, what it means, and its name.
fn fixtures() -> Vec<(Vec<u8>, Json, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility/state");
    let below = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let files =
        below(&folder).into_iter().filter(|path| path.is_dir()).flat_map(|path| below(&path));
    let states = files.filter(|path| path.extension().is_some_and(|end| end == "state"));
    let all: Vec<_> = states
        .map(|path| {
            let meaning = std::fs::read(path.with_extension("json")).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (std::fs::read(&path).unwrap(), serde_json::from_slice(&meaning).unwrap(), name)
        })
        .collect();
    assert!(all.len() > 10, "only {} fixtures", all.len());
    all
}

/// What the row of the index says, as the meaning of a fixture has it.
fn indexed(row: &Row) -> [Json; 7] {
    [
        row.get::<_, Option<String>>(0).into(),
        row.get::<_, String>(1).into(),
        row.get::<_, Option<String>>(2).into(),
        row.get::<_, Option<String>>(3).into(),
        row.get::<_, Option<i64>>(4).into(),
        row.get::<_, i64>(5).into(),
        row.get::<_, i64>(6).into(),
    ]
}

fn meant(meaning: &Json) -> [Json; 7] {
    let last = meaning["pending"].as_array().and_then(|pending| pending.last());
    let of_last = |field: &str| last.map_or(Json::Null, |commit| commit[field].clone());
    [
        meaning["is"]["userId"].clone(),
        meaning["is"]["status"].clone(),
        meaning["nextWake"].clone(),
        of_last("epoch"),
        of_last("n"),
        meaning["version"].clone(),
        meaning["incarnation"].clone(),
    ]
}

#[tokio::test]
async fn every_stored_task_is_accepted_and_indexed_as_it_means() {
    let database = Database::migrated().await;
    for (bytes, meaning, name) in fixtures() {
        if name.starts_with(USER) {
            continue;
        }
        let version = meaning["version"].as_u64().unwrap();
        // New tasks have the copy of the preferences that their user has.
        let line: serde_json::Value =
            serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
        let user = "INSERT INTO user_index (app_id, user_id, version, preferences, updated_at)
                    SELECT 'reminder-scheduler', $1::text, $2::bigint, '{}', now() WHERE $1 <> '' AND $2 > 0
                    ON CONFLICT (app_id, user_id) DO UPDATE SET version = excluded.version";
        let (who, at) = (line["u"].as_str().unwrap_or_default(), line["p"].as_i64().unwrap_or(0));
        database.client.execute(user, &[&who, &at]).await.unwrap();
        if version > 1 {
            // The version before it, whatever the database knew of that one.
            let before = "SET session_replication_role = replica";
            database.client.batch_execute(before).await.unwrap();
            upsert(&database.client, &key(&name), &value(version - 1).bytes()).await.unwrap();
            database.client.batch_execute("SET session_replication_role = origin").await.unwrap();
        }
        upsert(&database.client, &key(&name), &bytes).await.unwrap();
        let sql = r#"SELECT user_id, status,
                            to_char(next_wake AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                            pending_epoch, pending_n, version, incarnation
                     FROM task_index WHERE task_id = $1"#;
        let row = database.client.query_one(sql, &[&name]).await.unwrap();
        assert_eq!(indexed(&row), meant(&meaning), "{name}");
    }
}

#[tokio::test]
async fn every_stored_user_is_accepted_and_indexed_as_it_means() {
    let database = Database::migrated().await;
    let mut found = 0;
    for (bytes, meaning, name) in fixtures() {
        if !name.starts_with(USER) {
            continue;
        }
        found += 1;
        let key = format!("reminder-scheduler||UserActor||{name}||user");
        for version in 1..meaning["version"].as_u64().unwrap() {
            let before = format!(r#"{{"s":1,"v":{version},"u":"u","p":{{}},"t":1}}"#);
            upsert(&database.client, &key, format!("{before}\n{{}}").as_bytes()).await.unwrap();
        }
        upsert(&database.client, &key, &bytes).await.unwrap();
        let user = meaning["userId"].as_str().unwrap();
        let sql = "SELECT version, preferences::text FROM user_index WHERE user_id = $1";
        let row = database.client.query_one(sql, &[&user]).await.unwrap();
        assert_eq!(Json::from(row.get::<_, i64>(0)), meaning["version"], "{name}");
        let preferences: Json = serde_json::from_str(row.get(1)).unwrap();
        assert_eq!(preferences, meaning["preferences"], "{name}");
        // Nobody has gone yet, for the next one.
        let anew = "DELETE FROM reminder_state; DELETE FROM user_index; DELETE FROM user_births";
        database.client.batch_execute(anew).await.unwrap();
    }
    assert!(found > 1, "only {found} fixtures of users");
}
