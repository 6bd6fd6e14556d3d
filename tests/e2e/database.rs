//! Postgres goes away across the due time.

use crate::api::{clock_shows, in_ms};
use crate::restarts::{AHEAD_MS, all_fire, tasks_due};
use crate::suite::disruptive;
use reminder_stack::Part;
use serde_json::json;

#[test]
fn reminders_due_while_postgres_is_away_fire_when_it_is_back() {
    disruptive(async |suite| {
        let due = in_ms(AHEAD_MS);
        let tasks = tasks_due(suite, "postgres-killed", 5, due).await;
        suite.kill(Part::Postgres).await;
        clock_shows(due).await;
        let refused = suite.task("postgres-away").due(due);
        let mut body = refused.body();
        body["commandId"] = json!(format!("put-{}", refused.id));
        refused.call("put", &body).await.refused(503, None);
        suite.start(Part::Postgres).await;
        all_fire(&tasks, due).await;
        // The caller repeats what it could not know the outcome of: it is applied once.
        assert_eq!(refused.put_until_answered().await["version"], 1);
        all_fire(&[refused], due).await;
    });
}
