//! Neighbouring versions of the service: rolled forward and back, replica by replica, while commands
//! and firings go on; and what a version that is too old does with states that it cannot read.

use crate::api::{Task, clock_shows, in_ms};
use crate::replicas::second_replica;
use crate::restarts::{AHEAD_MS, all_fire};
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, Suite, disruptive};
use chrono::{DateTime, Utc};
use reminder_stack::{Part, logs, probe};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Until commands were answered in the middle of a roll.
const FLOW_DEADLINE: Duration = Duration::from_secs(60);
/// Where the log is looked at for a refusal of a moment ago.
const LOG_LINES: usize = 200;
/// Commands to be answered with each mix of versions.
const ANSWERED: usize = 8;
/// Due times are this far ahead of their commands at most, in turns.
const SPREAD_MS: i64 = 6_000;

/// The version of the tests' own binary that reads and writes these schemas.
struct Version {
    reads: u32,
    writes: u32,
}

/// Reads the next schema, and writes that of today: the first of the two releases.
const READS_NEXT: Version = Version { reads: 2, writes: 1 };
/// Writes the next schema: the second one.
const WRITES_NEXT: Version = Version { reads: 2, writes: 2 };

/// Restarts one replica of the service as another version; `None`: as the real one.
async fn roll_one(suite: &Suite, replica: u32, version: Option<&Version>) {
    let (program, environment) = match version {
        None => (suite.program.clone(), BTreeMap::new()),
        Some(Version { reads, writes }) => {
            let said = [("NEIGHBOUR_READS", reads), ("NEIGHBOUR_WRITES", writes)];
            let said = said.map(|(name, value)| (name.to_owned(), value.to_string()));
            (PathBuf::from(env!("CARGO_BIN_EXE_neighbour")), BTreeMap::from(said))
        }
    };
    suite.stack.run_app_as(&program, &environment).unwrap();
    suite.stop(Part::App(replica)).await;
    suite.start_and_wait(Part::App(replica)).await;
    suite.stack.wait_hosting(replica).await.unwrap();
}

/// Tasks whose command was answered, each with its due time.
type Answered = Vec<(Task, DateTime<Utc>)>;

/// Commands that go on and on, each for a task of its own.
struct Flow {
    answered: Arc<Mutex<Answered>>,
    stop: oneshot::Sender<()>,
    sender: JoinHandle<()>,
}

impl Flow {
    fn start(suite: &'static Suite) -> Self {
        let answered = Arc::new(Mutex::new(Vec::new()));
        let (stop, mut stopped) = oneshot::channel();
        let list = Arc::clone(&answered);
        let sender = tokio::spawn(async move {
            let mut number = 0;
            while stopped.try_recv().is_err() {
                number += 1;
                let due = in_ms(AHEAD_MS + number * 997 % SPREAD_MS);
                let replica = if number % 2 == 0 { 1 } else { 2 };
                let task = suite.task("rolled").due(due).through(suite.api_of(replica));
                task.put_until_answered().await;
                list.lock().unwrap().push((task.through(suite.api()), due));
            }
        });
        Self { answered, stop, sender }
    }

    /// Waits until some more were answered.
    async fn goes_on(&self) {
        let count = || self.answered.lock().unwrap().len();
        let enough = count() + ANSWERED;
        let wait = probe::until(FLOW_DEADLINE, || async { (count() >= enough).then_some(()) });
        assert!(wait.await.is_some(), "commands are not answered any more");
    }

    async fn end(self) -> Answered {
        self.stop.send(()).unwrap();
        self.sender.await.unwrap();
        Arc::into_inner(self.answered).unwrap().into_inner().unwrap()
    }
}

/// The schema that a task is stored in.
async fn stored_schema(suite: &Suite, task: &Task) -> String {
    let url = suite.manifest().database_url();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql = "SELECT split_part(convert_from(value, 'UTF8'), chr(10), 1)::jsonb ->> 's'
               FROM reminder_state WHERE key LIKE '%||' || $1 || '||task'";
    client.query_one(sql, &[&task.id]).await.unwrap().get(0)
}

#[test]
fn replicas_are_rolled_to_the_next_schema_and_back_and_nothing_is_lost() {
    disruptive(async |suite| {
        second_replica(suite).await;
        let far = suite.task("far").due(in_ms(3_600_000));
        far.put().await;
        let flow = Flow::start(suite);
        flow.goes_on().await;
        // Forward by two releases, and back by one.
        for version in [&READS_NEXT, &WRITES_NEXT, &READS_NEXT] {
            for replica in [1, 2] {
                roll_one(suite, replica, Some(version)).await;
                flow.goes_on().await;
            }
            if version.writes == 2 {
                far.call("reopen", &json!({ "commandId": "touched" })).await.accepted();
                assert_eq!(stored_schema(suite, &far).await, "2");
            }
        }
        let rolled_back = far.call("complete", &json!({})).await.accepted();
        assert_eq!(rolled_back["status"], "completed", "what the newer one wrote is read");
        assert_eq!(stored_schema(suite, &far).await, "1", "and written as before");
        let tasks = flow.end().await;
        assert!(tasks.len() > 6 * ANSWERED);
        for (task, due) in tasks {
            all_fire(&[task], due).await;
        }
    });
}

#[test]
fn what_is_too_new_is_refused_and_kept_and_fires_after_rolling_forward() {
    disruptive(async |suite| {
        roll_one(suite, 1, Some(&WRITES_NEXT)).await;
        let due = in_ms(3 * AHEAD_MS);
        let newer = suite.task("too-new").due(due);
        newer.put_until_answered().await;
        assert_eq!(stored_schema(suite, &newer).await, "2");
        // Rolled back by two releases, which is one too many.
        roll_one(suite, 1, None).await;
        let other = suite.task("not-too-new").due(due);
        other.put_until_answered().await;
        for method in ["get", "complete"] {
            newer.call(method, &json!({})).await.refused(503, None);
        }
        let log = logs::path(suite.stack.dir(), Part::App(1));
        let said = logs::tail(&log, LOG_LINES).unwrap().join("\n");
        let why = "the stored state has schema 2, newer than 1: run the newer version";
        assert!(said.lines().any(|line| line.contains(&newer.id) && line.contains(why)), "{said}");
        clock_shows(due).await;
        all_fire(&[other], due).await;
        assert_eq!(newer.triggered(), 0, "it cannot be read");
        assert_eq!(stored_schema(suite, &newer).await, "2", "nor was it overwritten");
        roll_one(suite, 1, Some(&READS_NEXT)).await;
        let fired = newer.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
        assert_eq!(fired.time("scheduledFor").timestamp_millis(), due.timestamp_millis());
        newer.event_within("task.updated", 2, EVENT_DEADLINE).await;
        assert_eq!(newer.complete().await["status"], "completed");
    });
}
