//! What the fence and the index cost a commit: the same commits with and without the triggers, in
//! turns, so that what else the machine does meets both alike.

use crate::support::{DAPR_UPSERT, Database, upsert};
use reminder_contract::names::APP_ID;
use std::time::Instant;
use tokio_postgres::Client;

/// Pairs of rounds.
const PAIRS: usize = 24;
/// Commits in a round.
const COMMITS: u32 = 500;
/// Commits that the server explains.
const EXPLAINED: u64 = 500;
/// Bytes of the document of an ordinary task.
const DOCUMENT_BYTES: usize = 700;

fn key(n: u64) -> String {
    format!("{APP_ID}||TaskActor||t{n}||task")
}

/// A state for each task that [`fill`](crate::many::fill::fill) puts into the index.
pub(crate) async fn fill_states(client: &Client, rows: u64) {
    let document = "x".repeat(DOCUMENT_BYTES);
    let sql = format!(
        "SET session_replication_role = replica;
         INSERT INTO reminder_state (key, value)
         SELECT '{APP_ID}||TaskActor||t' || n || '||task',
                convert_to('{{\"s\":1,\"v\":1,\"i\":1,\"u\":null,\"st\":\"pending\",\"w\":null,\"e\":\"1\",\"n\":1,\"t\":1790000000123,\"p\":0,\"z\":\"2025b\"}}' || chr(10) || '{document}', 'UTF8')
         FROM generate_series(0::bigint, {rows} - 1) AS n;
         SET session_replication_role = origin;"
    );
    client.batch_execute(&sql).await.unwrap();
}

fn value(n: u64, version: u64) -> Vec<u8> {
    let wake = 1_900_000_000_000 + n * 7_919 + version;
    let (user, document) = (n % 1_000, "y".repeat(DOCUMENT_BYTES));
    let line = format!(
        r#"{{"s":1,"v":{version},"i":1,"u":"u{user}@example.org","st":"pending","w":{wake},"e":"2000000000000000000","n":{n},"t":1790000000123,"p":9,"z":"2025b"}}"#
    );
    format!("{line}\n{document}").into_bytes()
}

/// Commits the next version of tasks spread over all of them; seconds for all.
async fn round(client: &Client, rows: u64, version: u64) -> f64 {
    let began = Instant::now();
    for number in 0..u64::from(COMMITS) {
        let n = number * 7_919 % rows;
        upsert(client, &key(n), &value(n, version)).await.unwrap();
    }
    began.elapsed().as_secs_f64()
}

/// Tells how much longer a commit takes with the triggers.
pub(crate) async fn measure(database: &Database, rows: u64) {
    println!(
        "\n| Commits | With the triggers, ms | Without, ms | Ratio of pairs, median | Quartiles |"
    );
    println!("|---|---|---|---|---|");
    let client = &database.client;
    let mut version = 1;
    for (how, name) in [("on", "flushed to disk"), ("off", "not flushed")] {
        client.batch_execute(&format!("SET synchronous_commit = {how}")).await.unwrap();
        let mut pairs = Vec::new();
        for pair in 0..=PAIRS {
            let mut took = [0.0; 2];
            // Who goes first changes, too.
            let sides = [(0, "ENABLE"), (1, "DISABLE")];
            for turn in 0..2 {
                let (side, state) = sides[(turn + pair) % 2];
                let switch = format!("ALTER TABLE reminder_state {state} TRIGGER USER");
                client.batch_execute(&switch).await.unwrap();
                version += 1;
                took[side] = round(client, rows, version).await;
            }
            // The first pair warms up.
            if pair > 0 {
                pairs.push(took);
            }
        }
        client.batch_execute("ALTER TABLE reminder_state ENABLE TRIGGER USER").await.unwrap();
        let of = |value: fn(&[f64; 2]) -> f64| sorted(pairs.iter().map(value).collect());
        let ratios = of(|[with, without]| with / without);
        println!(
            "| {name} | {:.3} | {:.3} | {:.2} | {:.2} to {:.2} |",
            per_commit(of(|pair| pair[0])[PAIRS / 2]),
            per_commit(of(|pair| pair[1])[PAIRS / 2]),
            ratios[PAIRS / 2],
            ratios[PAIRS / 4],
            ratios[PAIRS * 3 / 4]
        );
    }
    explain(client, rows, version).await;
    client.batch_execute("RESET synchronous_commit").await.unwrap();
}

/// From seconds a round to milliseconds a commit.
fn per_commit(seconds: f64) -> f64 {
    seconds * 1_000.0 / f64::from(COMMITS)
}

fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_unstable_by(f64::total_cmp);
    figures
}

/// What the server itself says: how long the trigger took of each statement.
async fn explain(client: &Client, rows: u64, mut version: u64) {
    let sql = format!("EXPLAIN ANALYZE {DAPR_UPSERT}");
    let (mut triggers, mut whole) = (Vec::new(), Vec::new());
    version += 1;
    for number in 0..EXPLAINED {
        let n = number * 7_919 % rows;
        let plan = client.query(&sql, &[&key(n), &value(n, version)]).await.unwrap();
        let lines: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let figure = |start: &str, before: &str| -> f64 {
            let line = lines.iter().find(|line| line.starts_with(start));
            let figure = line.and_then(|line| line.split_once(before));
            let (_, rest) = figure.unwrap_or_else(|| panic!("no {start} in {lines:?}"));
            rest.split(' ').next().unwrap().parse().unwrap()
        };
        triggers.push(figure("Trigger task_fence_update", "time="));
        whole.push(figure("Execution Time", "Time: "));
    }
    let (triggers, whole) = (sorted(triggers), sorted(whole));
    let half = triggers.len() / 2;
    let most = triggers.len() * 99 / 100;
    println!(
        "\nBy EXPLAIN: the trigger takes {:.3} ms of a statement (p99 {:.3}), which takes {:.3} ms \
         (p99 {:.3}) without its commit.",
        triggers[half], triggers[most], whole[half], whole[most]
    );
}
