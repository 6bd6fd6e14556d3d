//! With many tasks, no question reads a table from end to end, or puts rows into order.

use crate::many::explain::{self, Plan};
use crate::many::fill::{fill, users};
use crate::many::questions::{ALL, Asker};
use crate::support::{Database, eventually};
use std::sync::Mutex;

/// Enough that the planner would not take a plan that grows with the table for one that does not.
const ROWS: u64 = 60_000;
/// A prepared statement may get another, general plan from its sixth use on.
const ROUNDS: usize = 7;
/// Rows that a node may go through for a page of 500: it and as many again.
const VISITED_MAX: f64 = 1_000.0;
/// Bars of the largest histogram.
const BARS_MAX: u32 = 60;

#[tokio::test]
async fn no_question_reads_more_than_it_answers() {
    let database = Database::migrated().await;
    fill(&database.client, ROWS).await;
    explain::tell_plans(&database.client).await;
    let asker = Asker::new(&database.url);
    for question in ALL {
        let mut rows = 0;
        for _ in 0..ROUNDS {
            rows = asker.ask(question).await;
        }
        // Notices arrive before the answer, but are told by another task.
        let told = Mutex::new(Vec::<Plan>::new());
        eventually("the server tells its plans", async || {
            let mut told = told.lock().unwrap();
            told.extend(explain::told());
            told.len() >= ROUNDS
        })
        .await;
        for plan in told.into_inner().unwrap() {
            let faults = plan.faults(VISITED_MAX);
            assert!(faults.is_empty(), "{question}: {faults:?}\n{plan:#?}");
            let visited = plan.rows_visited();
            let max = match question {
                // Each user once, when a replica begins.
                "users behind, first look" => f64::from(u32::try_from(users(ROWS)).unwrap()),
                // These are counts.
                "progress of a user with many tasks" | "how much waits, and until when" => {
                    f64::from(u32::try_from(rows).unwrap())
                }
                // So are these, bar by bar; the server tells the mean of all bars, rounded.
                load if load.starts_with("load of") => {
                    f64::from(u32::try_from(rows).unwrap() + BARS_MAX)
                }
                _ => VISITED_MAX,
            };
            assert!(visited <= max, "{question}: {visited} rows, {max} at most\n{plan:#?}");
        }
    }
}
