//! `cargo xtask demo --all`: one task through every service, told as it happens. A call to the todo-api,
//! its event, the scheduler, the reminder, the notification, the live front end; then it is done, and all
//! hear of it. One correlation id goes through everything.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use hyper::Method;
use reminder_contract::names::{REMINDERS, TASK_EVENTS, TASK_UPDATES};
use reminder_stack::events::{Reader, Record};
use reminder_stack::{Manifest, Member, Part, Stack, logs};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::api::Address;
use crate::ui::{Style, paint};

/// From the call to the reminder.
const DUE_IN: TimeDelta = TimeDelta::seconds(6);

/// For all that must come of a call, the wait until it is due included.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sightings between those who watch and the timeline.
const BUFFER: usize = 1_024;

/// Between two looks into a log.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The columns of the timeline.
const TIME_WIDTH: usize = 8;
const WHERE_WIDTH: usize = 21;
const WHAT_WIDTH: usize = 24;

/// What must be seen of the task, in the order in which it is told here.
const RINGS: [(&str, &str); 5] = [
    (TASK_EVENTS, "task.created"),
    (REMINDERS, "reminder.scheduled"),
    (REMINDERS, "reminder.triggered"),
    ("notification-service", "console"),
    ("frontend-sync", "rang"),
];
const DONE: [(&str, &str); 2] = [(TASK_EVENTS, "task.completed"), ("frontend-sync", "completed")];

/// Something that was seen of the task.
struct Seen {
    at: DateTime<Utc>,
    place: String,
    what: String,
    correlation: Option<String>,
    says: String,
}

/// Shows the whole flow on a stack with all members. Answers whether everything was seen, all of it with
/// the one correlation id.
pub(crate) async fn show(stack: &Stack) -> Result<bool> {
    let manifest = stack.manifest()?;
    let began = Utc::now();
    let run = format!("demo-{:x}", began.timestamp_millis());
    let (user, task) = (format!("user-{run}"), format!("task-{run}"));
    let (sender, seen) = mpsc::channel(BUFFER);
    let mut watchers = JoinSet::new();
    watch(&manifest, stack, &user, &task, &sender, &mut watchers).await?;
    let mut timeline =
        Timeline { began, correlation: run.clone(), seen, history: Vec::new(), strays: 0 };
    timeline.header(&task);

    let mut todo = Address::of_member(&manifest, Member::TodoApi)?.connect().await?;
    let due = (began + DUE_IN).to_rfc3339_opts(SecondsFormat::Millis, true);
    let body = json!({ "title": "Water the plants", "userId": user, "dueDate": due });
    let path = format!("/v1/tasks/{task}");
    let reply = todo.request(Method::PUT, &path, Some(&run), &body).await?;
    timeline.call("PUT", reply.took, &reply.outcome);
    let rang = timeline.until(&RINGS).await?;
    let reply =
        todo.request(Method::POST, &format!("{path}/complete"), Some(&run), &Value::Null).await?;
    timeline.call("complete", reply.took, &reply.outcome);
    let done = timeline.until(&DONE).await?;

    let good = rang && done && timeline.strays == 0;
    timeline.summary(good);
    Ok(good)
}

async fn watch(
    manifest: &Manifest,
    stack: &Stack,
    user: &str,
    task: &str,
    sender: &mpsc::Sender<Seen>,
    watchers: &mut JoinSet<()>,
) -> Result<()> {
    let broker = manifest.kafka_access()?.context("the demo needs a stack with Kafka")?;
    let topics = [TASK_EVENTS, REMINDERS, TASK_UPDATES];
    let mut tail = Reader::connect(broker).await?.live(&topics).await?;
    let (events, id) = (sender.clone(), task.to_owned());
    watchers.spawn(async move {
        while let Ok(record) = tail.next().await {
            let of_task = record.key.as_deref() == Some(&id);
            if let Some(seen) = of_task.then(|| event(&record)).flatten()
                && events.send(seen).await.is_err()
            {
                break;
            }
        }
    });
    let log = logs::path(stack.dir(), Part::Member(Member::NotificationService));
    let from = tokio::fs::metadata(&log).await.map_or(0, |file| file.len());
    watchers.spawn(follow_log(log, from, task.to_owned(), sender.clone()));
    let address = Address::of_member(manifest, Member::FrontendSync)?;
    let mut stream = address.connect().await?.stream(&format!("/api/stream?user={user}")).await?;
    let (pages, id) = (sender.clone(), task.to_owned());
    watchers.spawn(async move {
        let mut text = String::new();
        while let Some(bytes) = stream.next().await {
            text.push_str(&String::from_utf8_lossy(&bytes));
            while let Some((message, rest)) = text.split_once("\n\n") {
                let seen = message.contains(&id).then(|| page(message));
                text = rest.to_owned();
                if let Some(seen) = seen
                    && pages.send(seen).await.is_err()
                {
                    return;
                }
            }
        }
    });
    Ok(())
}

/// An event as it was read from the broker.
fn event(record: &Record) -> Option<Seen> {
    let event = record.json().ok()?;
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let source = text("/source").unwrap_or_default();
    let version =
        event.pointer("/data/version").map_or_else(String::new, |v| format!("version {v}"));
    let when = text("/data/scheduledFor").map_or_else(String::new, |when| format!(", for {when}"));
    Some(Seen {
        at: Utc::now(),
        place: record.topic.clone(),
        what: text("/type")?,
        correlation: text("/correlationid"),
        says: format!("by {source}, {version}{when}"),
    })
}

/// A message of the page's stream.
fn page(message: &str) -> Seen {
    let field =
        |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let data: Value = field("data:").and_then(|d| serde_json::from_str(d).ok()).unwrap_or_default();
    let text = data.to_string();
    let what = if text.contains("\"status\":\"completed\"") {
        "completed"
    } else if text.contains("\"firedAt\":\"") || text.contains("\"state\":\"fired\"") {
        "rang"
    } else {
        "shown"
    };
    Seen {
        at: Utc::now(),
        place: "frontend-sync".to_owned(),
        what: what.to_owned(),
        correlation: None,
        says: format!("the page is told `{}`", field("event:").unwrap_or("message")),
    }
}

/// Lines about the task that the notification service writes.
async fn follow_log(path: PathBuf, mut from: u64, task: String, sender: mpsc::Sender<Seen>) {
    let mut rest = String::new();
    while !sender.is_closed() {
        tokio::time::sleep(LOOK_EVERY).await;
        let Ok(fresh) = read_from(&path, from).await else { continue };
        from += fresh.len() as u64;
        rest.push_str(&String::from_utf8_lossy(&fresh));
        while let Some((line, after)) = rest.split_once('\n') {
            let line: Value = serde_json::from_str(line).unwrap_or_default();
            rest = after.to_owned();
            if line["task.id"] != task.as_str() || line["channel"] != "console" {
                continue;
            }
            let seen = Seen {
                at: Utc::now(),
                place: "notification-service".to_owned(),
                what: "console".to_owned(),
                correlation: line["correlation.id"].as_str().map(str::to_owned),
                says: format!("tells {}: {}", line["user.id"], line["title"]),
            };
            if sender.send(seen).await.is_err() {
                return;
            }
        }
    }
}

async fn read_from(path: &PathBuf, from: u64) -> std::io::Result<Vec<u8>> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(std::io::SeekFrom::Start(from)).await?;
    let mut fresh = Vec::new();
    file.read_to_end(&mut fresh).await?;
    Ok(fresh)
}

struct Timeline {
    began: DateTime<Utc>,
    correlation: String,
    seen: mpsc::Receiver<Seen>,
    /// What was seen so far.
    history: Vec<(String, String)>,
    /// What was seen with another correlation id.
    strays: usize,
}

impl Timeline {
    fn header(&self, task: &str) {
        println!("\nThe task is {task}, the correlation id {}.\n", self.correlation);
        let line = format!(
            "{:>TIME_WIDTH$}  {:<WHERE_WIDTH$} {:<WHAT_WIDTH$} details",
            "seconds", "where", "what"
        );
        println!("{}", paint(Style::Quiet, line));
    }

    fn line(&self, at: DateTime<Utc>, place: &str, what: &str, says: &str) {
        let seconds = self.seconds(at);
        println!("{seconds:>TIME_WIDTH$.3}  {place:<WHERE_WIDTH$} {what:<WHAT_WIDTH$} {says}");
    }

    fn seconds(&self, at: DateTime<Utc>) -> f64 {
        (at - self.began).as_seconds_f64()
    }

    fn call(
        &self,
        what: &str,
        took: Duration,
        outcome: &Result<Value, reminder_contract::Problem>,
    ) {
        let says = match outcome {
            Ok(task) => format!("→ version {}, {}", task["version"], task["status"]),
            Err(problem) => paint(Style::Bad, format!("→ {problem}")),
        };
        let says = format!("{says} ({:.1} ms)", took.as_secs_f64() * 1_000.0);
        self.line(Utc::now(), "todo-api", what, &says);
    }

    /// Shows what comes until all of it was seen, or patience ends.
    async fn until(&mut self, wanted: &[(&str, &str)]) -> Result<bool> {
        let deadline = Instant::now() + PATIENCE;
        while !self.missing(wanted).is_empty() {
            let Ok(seen) = timeout_at(deadline, self.seen.recv()).await else { break };
            let Some(seen) = seen else { bail!("nobody watches any more") };
            let other = seen.correlation.as_ref().filter(|id| **id != self.correlation);
            self.strays += usize::from(other.is_some());
            let flow =
                other.map_or_else(String::new, |id| paint(Style::Bad, format!(" (flow {id})")));
            self.line(seen.at, &seen.place, &seen.what, &format!("{}{flow}", seen.says));
            self.history.push((seen.place, seen.what));
        }
        for (place, what) in self.missing(wanted) {
            println!("{}", paint(Style::Bad, format!("not seen: {what} at {place}")));
        }
        Ok(self.missing(wanted).is_empty())
    }

    fn missing<'a>(&self, wanted: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let seen =
            |one: &(&str, &str)| self.history.iter().any(|(p, w)| (p.as_str(), w.as_str()) == *one);
        wanted.iter().copied().filter(|one| !seen(one)).collect()
    }

    fn summary(&self, good: bool) {
        let verdict = if good {
            paint(Style::Good, "Every service has told its part, all in one flow.")
        } else {
            paint(
                Style::Bad,
                format!("Not all of it was seen, or {} of it in another flow.", self.strays),
            )
        };
        println!("\n{verdict}\n");
    }
}
