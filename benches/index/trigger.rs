//! What the fence and the index cost a commit: the same commits with and without the triggers, in
//! turns, so that what else the machine does meets both alike.

use crate::support::{Database, upsert};
use reminder_contract::names::APP_ID;
use std::time::Instant;
use tokio_postgres::Client;

/// Rounds of each kind.
const ROUNDS: usize = 8;
/// Commits in a round.
const COMMITS: u64 = 1_500;
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
    for number in 0..COMMITS {
        let n = number * 7_919 % rows;
        upsert(client, &key(n), &value(n, version)).await.unwrap();
    }
    began.elapsed().as_secs_f64()
}

/// Tells how much longer a commit takes with the triggers.
pub(crate) async fn measure(database: &Database, rows: u64) {
    println!(
        "\n| Commit | With the triggers, ms | Without, ms | Ratio, median of pairs | From, to |"
    );
    println!("|---|---|---|---|---|");
    let client = &database.client;
    let mut version = 1;
    for (how, name) in [("on", "flushed to disk"), ("off", "not flushed")] {
        client.batch_execute(&format!("SET synchronous_commit = {how}")).await.unwrap();
        let mut pairs = Vec::new();
        for pair in 0..=ROUNDS {
            let mut took = [0.0; 2];
            for (side, state) in [(0, "ENABLE"), (1, "DISABLE")] {
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
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let each = |seconds: f64| seconds * 1_000.0 / COMMITS as f64;
        let mut ratios: Vec<f64> = pairs.iter().map(|[with, without]| with / without).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let median = |side: usize| {
            let mut all: Vec<f64> = pairs.iter().map(|pair| pair[side]).collect();
            all.sort_unstable_by(f64::total_cmp);
            each(all[all.len() / 2])
        };
        println!(
            "| {name} | {:.3} | {:.3} | {:.2} | {:.2}, {:.2} |",
            median(0),
            median(1),
            ratios[ratios.len() / 2],
            ratios[0],
            ratios[ratios.len() - 1]
        );
    }
}
