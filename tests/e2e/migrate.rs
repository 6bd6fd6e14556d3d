//! The import of the guide to leave a polling table: its commands move a table's reminders to the real service.
//! (What both sides do while they run beside each other is in `tests/postgres/polling.rs`.)

use crate::api::{Task, in_ms, rfc3339};
use crate::guide::Guide;
use crate::suite::{EVENT_DEADLINE, Suite, gentle};
use chrono::{DateTime, Utc};
use reminder_contract::names;
use reminder_stack::probe;
use serde_json::Value;
use std::time::SystemTime;
use tokio_postgres::{Client, NoTls};

const PAGE: &str = "docs/how-to/migrate.md";

/// The sidecar, as the page has it.
const SIDECAR: &str = "http://127.0.0.1:3500";

/// A database of an application that polls.
struct Polling {
    name: String,
    url: String,
    client: Client,
    admin: Client,
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Polling {
    async fn new(suite: &Suite) -> Self {
        let name = suite.unique("polling").replace('-', "_");
        let ours = suite.manifest().admin_database_url().unwrap();
        let admin = connect(&ours).await;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = ours.replace(&format!("/{}?", names::DATABASE), &format!("/{name}?"));
        Self { client: connect(&url).await, name, url, admin }
    }

    async fn insert(&self, id: i64, title: &str, remind_at: DateTime<Utc>, sent: bool) {
        let sql = "INSERT INTO reminder (id, email, title, remind_at, sent_at)
                   SELECT $1, 'ada@example.org', $2, at, CASE WHEN $4 THEN at END
                   FROM (SELECT $3::timestamptz AS at) AS one";
        let at = SystemTime::from(remind_at);
        self.client.execute(sql, &[&id, &title, &at, &sent]).await.unwrap();
    }

    async fn remove(self) {
        drop(self.client);
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        self.admin.batch_execute(&sql).await.unwrap();
    }
}

/// The state of its reminder.
fn state(view: &Value) -> &str {
    view["reminders"][0]["state"].as_str().unwrap_or_default()
}

#[test]
fn a_polling_table_is_imported_as_the_guide_says() {
    gentle(async |suite| {
        let polling = Polling::new(suite).await;
        let folder = suite.stack.dir().join(&polling.name);
        let manifest = suite.manifest();
        let replica = manifest.replica(1).unwrap();
        let addresses = [
            ("DATABASE_URL", polling.url.clone()),
            ("REMINDER_URL", format!("http://127.0.0.1:{}", replica.app_port)),
        ];
        let addresses = addresses.map(|(name, value)| (name.to_owned(), value));
        let sidecar = format!("http://127.0.0.1:{}", replica.http_port);
        let mut guide =
            Guide::open(suite, PAGE, &folder).with(addresses).reaching(SIDECAR, &sidecar);
        for name in ["-- have\n", "-- prepare\n"] {
            polling.client.batch_execute(guide.sql(name)).await.unwrap();
        }
        // No other run has tasks of these ids.
        let first = Utc::now().timestamp_micros();
        let [overdue, soon, far, sent] = [0, 1, 2, 3].map(|number| first + number);
        let due = DateTime::from_timestamp_millis(in_ms(6_000).timestamp_millis()).unwrap();
        polling.insert(overdue, "Over", in_ms(-300_000), false).await;
        polling.insert(soon, "Call \"Bo\"\nat \\ home", due, false).await;
        polling.insert(far, &"long ".repeat(200), in_ms(86_400_000), false).await;
        polling.insert(sent, "Sent", in_ms(-600_000), true).await;

        std::fs::write(folder.join("export.sql"), guide.sql("-- export\n")).unwrap();
        guide.follow("psql").await;
        let told = std::fs::read_to_string(folder.join("tasks.jsonl")).unwrap();
        assert_eq!(told.lines().count(), 3, "{told}");
        let refused = guide.follow("for batch in").await;
        assert_eq!(refused, "", "everything is taken");

        let task = |id: i64| Task::new(suite, format!("legacy-{id}"));
        let fired = probe::until(EVENT_DEADLINE, || async {
            Some(task(soon).get().await).filter(|view| state(view) == "fired")
        });
        let fired = fired.await.expect("what falls due fires");
        assert_eq!(fired["task"]["title"], "Call \"Bo\" at \\ home");
        assert_eq!(fired["reminders"][0]["scheduledFor"], rfc3339(due));
        let silent = task(overdue).get().await;
        assert_ne!(state(&silent), "fired", "the cron job has it: {silent}");
        let waiting = task(far).get().await;
        assert_eq!(state(&waiting), "scheduled", "{waiting}");
        task(sent).call_raw("get", "", &[]).await.refused(404, None);

        // The other way that the page names changes nothing of what is there already.
        let import = "reminder-scheduler task import tasks.jsonl --if-past skip";
        let said = guide.follow_span(import).await;
        assert!(said.contains("3 of 3 rows are tasks now, 0 of them new"), "{said}");
        for (id, before) in [(far, waiting), (overdue, silent)] {
            let view = task(id).get().await;
            assert_eq!((&view["task"], state(&view)), (&before["task"], state(&before)), "{view}");
        }
        guide.must_be_done();
        polling.remove().await;
        std::fs::remove_dir_all(folder).unwrap();
    });
}
