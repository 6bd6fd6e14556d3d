//! What the server says of each statement that it ran: its plan, as it was run.
//!
//! `auto_explain` tells it of whatever statement comes, with the parameters and the generic or custom
//! plan that it really had, so no statement stands here a second time. The plans arrive as notices,
//! which the client hands to the `log` crate.

use log::{LevelFilter, Log, Metadata, Record};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Mutex, Once, PoisonError};
use tokio_postgres::Client;

static PLANS: Mutex<Vec<Plan>> = Mutex::new(Vec::new());

/// How a statement was run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    root: Value,
}

/// Collects the notices that are plans.
struct Collector;

impl Log for Collector {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.target().starts_with("tokio_postgres")
    }

    fn log(&self, record: &Record) {
        let message = record.args().to_string();
        let Some((_, json)) = message.split_once("plan:\n") else { return };
        let root = serde_json::from_str(json).expect("auto_explain writes JSON");
        PLANS.lock().unwrap_or_else(PoisonError::into_inner).push(Plan { root });
    }

    fn flush(&self) {}
}

/// Has every later connection to the client's database tell its plans.
pub(crate) async fn tell_plans(client: &Client) {
    static COLLECT: Once = Once::new();
    COLLECT.call_once(|| {
        log::set_boxed_logger(Box::new(Collector)).expect("nobody else collects logs");
        log::set_max_level(LevelFilter::Info);
    });
    let name = database(client).await;
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_buffers = on",
        "auto_explain.log_format = 'json'",
        "auto_explain.log_level = 'notice'",
    ] {
        client.batch_execute(&format!("ALTER DATABASE {name} SET {setting}")).await.unwrap();
    }
}

/// Has later connections tell nothing again.
pub(crate) async fn be_quiet(client: &Client) {
    let name = database(client).await;
    client.batch_execute(&format!("ALTER DATABASE {name} RESET ALL")).await.unwrap();
}

async fn database(client: &Client) -> String {
    client.query_one("SELECT current_database()", &[]).await.unwrap().get(0)
}

/// The plans told since the last time.
pub(crate) fn told() -> Vec<Plan> {
    std::mem::take(&mut *PLANS.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Plan {
    /// Its nodes, the outermost first.
    fn nodes(&self) -> Vec<&Value> {
        let mut found = Vec::new();
        let mut open = vec![&self.root["Plan"]];
        while let Some(node) = open.pop() {
            found.push(node);
            open.extend(node["Plans"].as_array().into_iter().flatten());
        }
        found
    }

    /// Nodes whose cost grows with the tables and not with the answer: a table read from end to
    /// end, or more than so many rows put into order.
    pub(crate) fn faults(&self, sorted_max: f64) -> Vec<String> {
        // Tables of one row, one per process that lives, one per task that needs an operator, or bounded.
        let small = [
            "task_audit",
            "task_epoch",
            "task_restore",
            "task_parked",
            "firing_stop",
            "audit_finding",
        ];
        let mut faults = Vec::new();
        for node in self.nodes() {
            let kind = node["Node Type"].as_str().unwrap_or_default();
            let relation = node["Relation Name"].as_str().unwrap_or_default();
            // The catalogue of Postgres does not grow with the tasks.
            let is_small = small.contains(&relation) || relation.starts_with("pg_");
            let scans = kind == "Seq Scan" && !is_small;
            let rows = node["Actual Rows"].as_f64().unwrap_or(f64::MAX);
            let sorts = kind.contains("Sort") && rows > sorted_max;
            if scans || sorts {
                faults.push(format!("{kind} {relation}"));
            }
        }
        faults
    }

    /// The most rows that any node of it went through, those left aside included.
    pub(crate) fn rows_visited(&self) -> f64 {
        let number = |node: &Value, field: &str| node[field].as_f64().unwrap_or(0.0);
        let of_node = |node: &&Value| {
            let each = number(node, "Actual Rows") + number(node, "Rows Removed by Filter");
            each * number(node, "Actual Loops").max(1.0)
        };
        self.nodes().iter().map(of_node).fold(0.0, f64::max)
    }

    /// Pages read, from the cache or not.
    pub(crate) fn pages(&self) -> u64 {
        let node = &self.root["Plan"];
        let of = |field: &str| node[field].as_u64().unwrap_or(0);
        of("Shared Hit Blocks") + of("Shared Read Blocks")
    }

    /// How it was run, in a few words.
    pub(crate) fn summary(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        for node in self.nodes() {
            let kind = node["Node Type"].as_str().unwrap_or_default();
            let place = node["Index Name"].as_str().or(node["Relation Name"].as_str());
            let Some(place) = place else { continue };
            let part = format!("{kind} {place}");
            if seen.insert(part.clone()) {
                parts.push(part);
            }
        }
        parts.join(", ")
    }
}
