//! The statements of docs/how-to/migrate.md, run as the page says, on reminders of all sorts.

use crate::support::Database;
use chrono::{DateTime, TimeDelta, Utc};
use reminder_contract::rest::parse_batch;
use reminder_contract::wire;
use reminder_domain::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;
use tokio_postgres::{Client, SimpleQueryMessage};

const PAGE: &str = include_str!("../../docs/how-to/migrate.md");

/// The statements of the block that begins with a comment of this name.
fn statement(name: &str) -> &'static str {
    let mut blocks = PAGE.split("```sql\n").skip(1);
    let head = format!("-- {name}\n");
    let block = blocks.find(|block| block.starts_with(&head));
    block.unwrap_or_else(|| panic!("no block {name}")).split("```").next().unwrap()
}

async fn put(client: &Client, id: i64, title: &str, remind_at: DateTime<Utc>) {
    let sql =
        "INSERT INTO reminder (id, email, title, remind_at) VALUES ($1, 'ada@example.org', $2, $3)";
    client.execute(sql, &[&id, &title, &SystemTime::from(remind_at)]).await.unwrap();
}

/// What the scheduler would be told, by task, each line read as the service reads it.
async fn export(client: &Client) -> BTreeMap<String, (Timestamp, Value)> {
    let read =
        client.simple_query(statement("export")).await.unwrap().into_iter().filter_map(|row| {
            // As psql shows it.
            let SimpleQueryMessage::Row(row) = row else { return None };
            let line: Value = serde_json::from_str(row.get(0).unwrap()).unwrap();
            let mut item = json!({ "method": "put", "ifPast": "skip" });
            item.as_object_mut().unwrap().extend(line.as_object().unwrap().clone());
            let batch = json!({ "items": [item] }).to_string();
            let batch = parse_batch(batch.as_bytes()).unwrap();
            let body = Value::Object(batch[0].body().unwrap()).to_string();
            wire::parse_command(batch[0].method, body.as_bytes()).unwrap();
            let due = Timestamp::parse(line["task"]["dueDate"].as_str().unwrap()).unwrap();
            Some((line["taskId"].as_str().unwrap().to_owned(), (due, line["task"].clone())))
        });
    read.collect()
}

async fn by_cron(client: &Client) -> Vec<i64> {
    let rows = client.query(statement("take by cron"), &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What a consumer does with `reminder.triggered`; answers whether it sends.
async fn by_event(client: &Client, id: i64, due: DateTime<Utc>) -> bool {
    let due = SystemTime::from(due);
    client.execute(statement("seen"), &[&id, &due]).await.unwrap();
    client.query_opt(statement("take by event"), &[&id, &due]).await.unwrap().is_some()
}

/// The due time of a reminder as the scheduler has it.
async fn due(client: &Client, id: i64) -> DateTime<Utc> {
    let sql = "SELECT reminder_due(remind_at) FROM reminder WHERE id = $1";
    client.query_one(sql, &[&id]).await.unwrap().get::<_, SystemTime>(0).into()
}

async fn ids(client: &Client, name: &str) -> Vec<i64> {
    let rows = client.query(statement(name), &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn move_time(client: &Client, id: i64, by: TimeDelta) {
    let sql = "UPDATE reminder SET remind_at = remind_at + make_interval(secs => $2) WHERE id = $1";
    let seconds = f64::from(i32::try_from(by.num_seconds()).unwrap());
    client.execute(sql, &[&id, &seconds]).await.unwrap();
}

#[tokio::test]
async fn a_polling_table_is_left_without_a_lost_or_doubled_reminder() {
    let database = Database::empty().await;
    let (client, other) = (&database.client, &database.connect().await);
    for name in ["have", "prepare"] {
        client.batch_execute(statement(name)).await.unwrap();
    }
    let began = Utc::now() - TimeDelta::hours(1);
    let minutes = |n: i64| Utc::now() + TimeDelta::minutes(n);
    let odd = DateTime::from_timestamp_micros(minutes(-4).timestamp_micros() / 1000 * 1000 + 1);
    put(client, 1, "Call \"Bo\"\nat \\ home", odd.unwrap()).await;
    put(client, 2, &"long ".repeat(200), minutes(-3)).await;
    put(client, 3, "later", minutes(5)).await;
    put(client, 4, "much later", minutes(30)).await;

    // The export is understood, and names the moment that the events will name.
    let told = export(client).await;
    assert_eq!(told.len(), 4);
    for id in 1..=4 {
        let (told, task) = &told[&format!("legacy-{id}")];
        let due = due(client, id).await;
        assert_eq!(told.to_string(), Timestamp::parse(&due.to_rfc3339()).unwrap().to_string());
        assert_eq!(task["userId"], "ada@example.org");
    }
    assert!(due(client, 1).await > odd.unwrap(), "rounded up");

    // Both run: the scheduler fires and nobody sends by it; what it misses is found.
    assert!(!by_event(client, 1, due(client, 1).await).await);
    assert_eq!(by_cron(client).await.into_iter().collect::<BTreeSet<_>>(), [1, 2].into());
    let missing = client.query(statement("missing"), &[&SystemTime::from(began)]).await.unwrap();
    assert_eq!(missing.iter().map(|row| row.get::<_, i64>(0)).collect::<Vec<_>>(), [2]);

    // Switched over ten minutes ahead: what is due before is the cron job's, the rest the scheduler's.
    client.batch_execute(statement("switch")).await.unwrap();
    assert!(!by_event(client, 3, due(client, 3).await).await, "still the cron job's");
    move_time(client, 3, TimeDelta::minutes(-6)).await;
    let fourth = due(client, 4).await;
    let (cron, event) = tokio::join!(by_cron(client), by_event(other, 4, fourth));
    assert_eq!((cron, event), (vec![3], true));
    assert!(!by_event(client, 4, fourth).await, "an event that comes again");
    assert!(by_cron(client).await.is_empty());

    // Time goes by: of what is due after the switch, the cron job takes nothing.
    client
        .execute("UPDATE reminder_switch SET at = now() - interval '20 minutes'", &[])
        .await
        .unwrap();
    put(client, 5, "the scheduler's", minutes(-5)).await;
    put(client, 6, "moved", minutes(-6)).await;
    assert!(by_cron(client).await.is_empty());
    assert_eq!(ids(client, "overdue").await.into_iter().collect::<BTreeSet<_>>(), [5, 6].into());
    let before = due(client, 6).await;
    move_time(client, 6, TimeDelta::minutes(60)).await;
    assert!(!by_event(client, 6, before).await, "an event of before it was moved");
    let fifth = due(client, 5).await;
    let (one, two) = tokio::join!(by_event(client, 5, fifth), by_event(other, 5, fifth));
    assert!(one != two, "one of two consumers takes it");
    assert!(ids(client, "overdue").await.is_empty());

    // Back again: the cron job has what is not sent yet, and nothing else.
    put(client, 7, "overdue when switched back", minutes(-2)).await;
    client.batch_execute(statement("back")).await.unwrap();
    assert!(!by_event(client, 7, due(client, 7).await).await);
    assert_eq!(by_cron(client).await, [7]);
}
