//! How the read model does with many tasks: each question's plan and time, what the trigger costs a
//! commit, and what is left of it once all tasks are done.
//!
//! `cargo xtask bench index --rows 1000000` runs it on a Postgres of its own; by hand, with
//! `TEST_POSTGRES_URL` as for `tests/postgres`:
//!
//! ```text
//! INDEX_ROWS=100000 cargo bench --profile dev --features postgres-tests --bench index
//! ```

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[path = "../../tests/scale/mod.rs"]
#[expect(dead_code, reason = "the test needs more of it")]
mod many;
#[path = "../../tests/postgres/support.rs"]
#[expect(dead_code, reason = "tests need more of it")]
mod support;
mod trigger;

use many::explain;
use many::fill::fill;
use many::questions::{ALL, Asker};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::Database;
use tokio_postgres::Client;

const ROWS_VARIABLE: &str = "INDEX_ROWS";
const ROWS_DEFAULT: u64 = 100_000;
/// How often each question is timed.
const TIMES: usize = 200;
/// Tasks that are done at once, as a long day's work is.
const DONE_BATCH: u64 = 50_000;

#[tokio::main]
async fn main() {
    let rows = std::env::var(ROWS_VARIABLE).map_or(ROWS_DEFAULT, |rows| rows.parse().unwrap());
    let began = Instant::now();
    let database = Database::migrated().await;
    trigger::fill_states(&database.client, rows).await;
    fill(&database.client, rows).await;
    let version = "SELECT current_setting('server_version')";
    let version: String = database.client.query_one(version, &[]).await.unwrap().get(0);
    println!("{rows} tasks, Postgres {version}, filled in {:.0?}", began.elapsed());
    sizes(&database.client).await;

    ask_all(&database, "as they are after years").await;
    trigger::measure(&database, rows).await;

    // All that is open is completed: the front of every index is full of what was there.
    for first in (0..rows).step_by(usize::try_from(DONE_BATCH).unwrap()) {
        let done = format!(
            "UPDATE task_index SET status = 'completed', next_wake = NULL, version = version + 1
             WHERE status IN ('pending', 'in_progress') AND substr(task_id, 2)::bigint
                 BETWEEN {first} AND {}",
            first + DONE_BATCH - 1
        );
        database.client.batch_execute(&done).await.unwrap();
    }
    ask_all(&database, "all completed, before any vacuum").await;
    sizes(&database.client).await;
    database.client.batch_execute("VACUUM ANALYZE task_index").await.unwrap();
    ask_all(&database, "all completed, after a vacuum").await;
    sizes(&database.client).await;
    let name = "SELECT current_database()";
    let name: String = database.client.query_one(name, &[]).await.unwrap().get(0);
    let server = std::env::var("TEST_POSTGRES_URL").unwrap();
    let admin = support::connect(&server).await;
    admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
}

/// Times each question, then has the server explain it once.
async fn ask_all(database: &Database, when: &str) {
    println!("\n{when}\n");
    println!("| Question | Rows | First, ms | p50, ms | p99, ms | Pages | Plan |");
    println!("|---|---|---|---|---|---|---|");
    let asker = Asker::new(&database.url);
    let mut timed = Vec::new();
    for question in ALL {
        let mut took = Vec::new();
        let mut rows = 0;
        for _ in 0..TIMES {
            let began = Instant::now();
            rows = asker.ask(question).await;
            took.push(began.elapsed());
        }
        let first = took[0];
        took.sort_unstable();
        timed.push((question, rows, first, took[TIMES / 2], took[TIMES * 99 / 100]));
    }
    drop(asker);
    explain::tell_plans(&database.client).await;
    let asker = Asker::new(&database.url);
    for (question, rows, first, p50, p99) in timed {
        let plans = plans(&asker, question).await;
        let pages: u64 = plans.iter().map(explain::Plan::pages).sum();
        let mut summary: Vec<String> = plans.iter().map(explain::Plan::summary).collect();
        summary.dedup();
        println!(
            "| {question} | {rows} | {} | {} | {} | {pages} | {} |",
            millis(first),
            millis(p50),
            millis(p99),
            summary.join("; ")
        );
    }
    explain::be_quiet(&database.client).await;
}

/// The plans of one question. Notices are told by another task, so they may come a little later.
async fn plans(asker: &Asker, question: &str) -> Vec<explain::Plan> {
    let told = Mutex::new(Vec::new());
    asker.ask(question).await;
    support::eventually("the server tells its plans", async || {
        let mut told = told.lock().unwrap();
        let before = told.len();
        told.extend(explain::told());
        before > 0 && told.len() == before
    })
    .await;
    told.into_inner().unwrap()
}

async fn sizes(client: &Client) {
    let sql = "SELECT relname, pg_size_pretty(pg_relation_size(oid)) FROM pg_class
               WHERE relname LIKE 'task_index%' OR relname LIKE 'reminder_state%'
               ORDER BY pg_relation_size(oid) DESC LIMIT 8";
    let rows = client.query(sql, &[]).await.unwrap();
    let each =
        rows.iter().map(|row| format!("{} {}", row.get::<_, &str>(0), row.get::<_, &str>(1)));
    println!("sizes: {}", each.collect::<Vec<_>>().join(", "));
}

pub(crate) fn millis(took: Duration) -> String {
    format!("{:.2}", took.as_secs_f64() * 1_000.0)
}
