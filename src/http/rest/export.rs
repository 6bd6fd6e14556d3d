//! All that is kept of one user: preferences and tasks, a line each, as they are read.
//!
//! Tasks are found page by page in the read model and asked of their actors, on behalf of the user: one that has
//! become somebody else's meanwhile is in it no more. Nothing is held but the lines that the reader has not taken.

use super::Rest;
use super::answer::Refusal;
use super::asked::{Asked, Meta};
use super::body::MethodBody;
use super::lists::unanswered;
use crate::clock::{Clock, SystemClock};
use crate::read_model::{Listed, ListedPage, QueryError};
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream;
use reminder_contract::rest::{EXPORT_FORMAT, ExportLine, JSON_LINES, PAGE_MAX};
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};

/// Exports under way at the same time.
const EXPORTS_AT_ONCE: usize = 4;
/// How long one may take, however slowly it is read.
const EXPORT_DEADLINE: Duration = Duration::from_secs(60 * 60);
/// Tasks that one asks for at the same time.
const TASKS_AT_ONCE: usize = 8;
/// Lines that wait for the reader.
const LINES_WAITING: usize = 16;
/// How often a page is asked for before the export ends without the rest.
const PAGE_ATTEMPTS: u32 = 4;
/// The pause before a page is asked for again.
const PAGE_PAUSE: Duration = Duration::from_secs(1);

/// Of deleted tasks too, as far as anything is left of them.
const STATUSES: [&str; 4] = ["pending", "in_progress", "completed", "deleted"];

/// The places for exports.
pub(super) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(EXPORTS_AT_ONCE))
}

/// All that is kept of a user.
#[utoipa::path(get, path = "/v1/users/{userId}/export", tag = "users", responses((status = 200, description = "JSON Lines: a header, the preferences, each task, and what they count to", content_type = "application/jsonl", body = ref("#/components/schemas/ExportLine"))))]
pub(super) async fn export(
    rest: Rest,
    user: Person,
    mut asked: Asked,
) -> Result<Response, Refusal> {
    asked.without_query()?;
    let place = Arc::clone(&rest.exports).try_acquire_owned();
    let place = place.map_err(|_| {
        Problem::overloaded(format!("{EXPORTS_AT_ONCE} exports are under way already"))
    })?;
    // What is not there now is a refusal; later it could only be an export that is not whole.
    let preferences = rest.user(&user, "get", MethodBody::empty()).await?.body;
    let first = page(&rest, &user, "").await.map_err(|error| unanswered(&error))?;
    let (lines, told) = mpsc::channel(LINES_WAITING);
    let export = Export { rest, meta: Meta::on_behalf_of(&user), user, lines };
    tokio::spawn(async move {
        let _place = place;
        let whole = tokio::time::timeout(EXPORT_DEADLINE, export.write(preferences, first)).await;
        if whole.is_err() {
            tracing::warn!("an export took too long and was broken off");
        }
    });
    let lines = stream::unfold(told, async |mut told: mpsc::Receiver<Bytes>| {
        told.recv().await.map(|line| (Ok::<_, Infallible>(line), told))
    });
    Ok(([(CONTENT_TYPE, JSON_LINES)], Body::from_stream(lines)).into_response())
}

async fn page(rest: &Rest, user: &Person, after: &str) -> Result<ListedPage<String>, QueryError> {
    rest.listing.tasks(Some(user), &STATUSES, "", after, PAGE_MAX).await
}

/// An export under way.
struct Export {
    rest: Rest,
    meta: Meta,
    user: Person,
    lines: mpsc::Sender<Bytes>,
}

/// The reader has gone.
struct Gone;

#[derive(Default)]
struct Counts {
    tasks: u64,
    deleted: u64,
    failed: u64,
}

impl Export {
    async fn write(&self, preferences: Vec<u8>, first: ListedPage<String>) -> Result<(), Gone> {
        let (format, user_id) = (EXPORT_FORMAT, self.user.to_string());
        let exported_at = SystemClock.now();
        self.tell(&ExportLine::Export { format, user_id, exported_at }).await?;
        let user: Value = serde_json::from_slice(&preferences).unwrap_or_default();
        self.tell(&ExportLine::Preferences { user }).await?;
        let (mut counts, mut next) = (Counts::default(), Some(first));
        let mut complete = true;
        while let Some(ListedPage { rows, next: after }) = next.take() {
            self.tasks(rows, &mut counts).await?;
            let Some(after) = after else { break };
            next = self.page_after(&after).await;
            complete = next.is_some();
        }
        let Counts { tasks, deleted, failed } = counts;
        self.tell(&ExportLine::End { tasks, deleted, failed, complete }).await
    }

    async fn page_after(&self, after: &str) -> Option<ListedPage<String>> {
        for attempt in 1..=PAGE_ATTEMPTS {
            match page(&self.rest, &self.user, after).await {
                Ok(page) => return Some(page),
                Err(error) => {
                    tracing::warn!(attempt, %error, "a page of an export was not answered");
                }
            }
            tokio::time::sleep(PAGE_PAUSE).await;
        }
        None
    }

    async fn tasks(&self, rows: Vec<Listed>, counts: &mut Counts) -> Result<(), Gone> {
        let mut lines = stream::iter(rows).map(|row| self.line(row)).buffered(TASKS_AT_ONCE);
        while let Some(line) = lines.next().await {
            // One that is gone since it was listed.
            let Some(line) = line else { continue };
            match &line {
                ExportLine::Deleted { .. } => counts.deleted += 1,
                ExportLine::Failed { .. } => counts.failed += 1,
                _ => counts.tasks += 1,
            }
            self.tell(&line).await?;
        }
        Ok(())
    }

    async fn line(&self, row: Listed) -> Option<ExportLine> {
        let task_id = row.task;
        if row.status == "deleted" {
            return Some(ExportLine::Deleted {
                task_id,
                version: row.version,
                deleted_at: row.updated,
            });
        }
        match self.task(&task_id).await {
            Ok(task) => Some(ExportLine::Task { task }),
            Err(problem) if problem.kind() == Some(ProblemKind::UnknownTask) => None,
            Err(problem) => Some(ExportLine::Failed { task_id, problem }),
        }
    }

    async fn task(&self, id: &str) -> Result<Value, Problem> {
        let id =
            TaskId::parse(id).map_err(|error| Problem::invalid("taskId", &error.to_string()))?;
        let view = self.rest.ask(&id, "get", MethodBody::question(&self.meta)).await?;
        serde_json::from_slice(&view.body)
            .map_err(|_| Problem::unavailable("the task could not be read"))
    }

    async fn tell(&self, line: &ExportLine) -> Result<(), Gone> {
        let mut text = serde_json::to_vec(line).expect("texts, numbers and JSON always serialise");
        text.push(b'\n');
        self.lines.send(text.into()).await.map_err(|_| Gone)
    }
}
