//! What is done with a task, and asked about it.

use crate::send::Call;
use crate::{CallOptions, Client, Error, Ring, Snooze, TaskId, Timestamp};
use reminder_contract::rest::{Batch, BatchAnswer, CALENDAR, MERGE_PATCH};
use reminder_contract::wire::{CommandAnswer, ExplanationView, PreviewView, TaskView};
use reminder_domain::ids::ReminderId;
use reminder_domain::pause::IfMissed;
use reminder_domain::recurrence::LocalMoment;
use reminder_domain::reminder::Reminder;
use reqwest::header::IF_NONE_MATCH;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;

impl Client {
    /// Creates the task or replaces all of it. `task` is a [`Task`](reminder_domain::Task), or anything that
    /// is written as one.
    pub async fn put(
        &self,
        id: &TaskId,
        task: &(impl Serialize + ?Sized),
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        let call = Call::command(Method::PUT, self.task(id, &[]), options).json(task)?;
        self.read(call).await
    }

    /// Changes some fields of the task by a JSON Merge Patch (RFC 7396): null takes a field away.
    pub async fn patch(
        &self,
        id: &TaskId,
        patch: &(impl Serialize + ?Sized),
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        let patch = serde_json::to_vec(patch).map_err(Error::Unwritable)?;
        let call = Call::command(Method::PATCH, self.task(id, &[]), options);
        self.read(call.with(MERGE_PATCH, patch)).await
    }

    /// The task as it is.
    pub async fn get(&self, id: &TaskId) -> Result<TaskView<'static>, Error> {
        self.read(Call::get(self.task(id, &[]))).await
    }

    /// The task as it is, unless it still is at that version.
    pub async fn get_if_changed(
        &self,
        id: &TaskId,
        since: u64,
    ) -> Result<Option<TaskView<'static>>, Error> {
        let mut call = Call::get(self.task(id, &[]));
        call.headers.push((IF_NONE_MATCH, format!("\"{since}\"")));
        let answer = self.send(&call).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        serde_json::from_slice(&answer.body).map(Some).map_err(Error::Unreadable)
    }

    /// Deletes the task: nothing of it fires any more.
    pub async fn delete(
        &self,
        id: &TaskId,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        self.read(Call::command(Method::DELETE, self.task(id, &[]), options)).await
    }

    /// The task is done; a recurring one moves on to its next occurrence.
    pub async fn complete(
        &self,
        id: &TaskId,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        self.act(id, "complete", None, options).await
    }

    /// The task is not done after all.
    pub async fn reopen(
        &self,
        id: &TaskId,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        self.act(id, "reopen", None, options).await
    }

    /// An occurrence does not take place: the present one, or one that is to come.
    pub async fn skip(
        &self,
        id: &TaskId,
        occurrence: Option<LocalMoment>,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        let body = occurrence.map(|occurrence| json!({ "occurrence": occurrence }));
        self.act(id, "skip", body, options).await
    }

    /// What rang fires again later.
    pub async fn snooze(
        &self,
        id: &TaskId,
        snooze: &Snooze,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        self.act(id, "snooze", Some(snooze.body()), options).await
    }

    /// What rang was seen.
    pub async fn acknowledge(
        &self,
        id: &TaskId,
        ring: &Ring,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        self.act(id, "acknowledge", Some(ring.body()), options).await
    }

    /// What rang was seen, and what has not rung will not.
    pub async fn dismiss(
        &self,
        id: &TaskId,
        ring: &Ring,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        self.act(id, "dismiss", Some(ring.body()), options).await
    }

    /// Nothing of the task fires until it is resumed.
    pub async fn pause(
        &self,
        id: &TaskId,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        self.act(id, "pause", None, options).await
    }

    /// The task fires again; what fell due meanwhile does so at once, or is skipped.
    pub async fn resume(
        &self,
        id: &TaskId,
        missed: IfMissed,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        self.act(id, "resume", Some(json!({ "missed": missed })), options).await
    }

    /// Adds a reminder, or changes the one of its id.
    pub async fn put_reminder(
        &self,
        id: &TaskId,
        reminder: &Reminder,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        let url = self.task(id, &["reminders", reminder.id.as_str()]);
        self.read(Call::command(Method::PUT, url, options).json(reminder)?).await
    }

    /// Takes a reminder off.
    pub async fn remove_reminder(
        &self,
        id: &TaskId,
        reminder: &ReminderId,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        let url = self.task(id, &["reminders", reminder.as_str()]);
        self.read(Call::command(Method::DELETE, url, options)).await
    }

    /// What fires next, and by which rules.
    pub async fn preview(
        &self,
        id: &TaskId,
        count: Option<usize>,
    ) -> Result<PreviewView<'static>, Error> {
        let mut url = self.task(id, &["preview"]);
        if let Some(count) = count {
            url.query_pairs_mut().append_pair("count", &count.to_string());
        }
        self.read(Call::get(url)).await
    }

    /// Why a moment fired when it did, or did not.
    pub async fn explain(
        &self,
        id: &TaskId,
        reminder: &ReminderId,
        scheduled_for: Timestamp,
    ) -> Result<ExplanationView<'static>, Error> {
        let mut url = self.task(id, &["explain"]);
        url.query_pairs_mut()
            .append_pair("reminderId", reminder.as_str())
            .append_pair("scheduledFor", &scheduled_for.to_string());
        self.read(Call::get(url)).await
    }

    /// The task as an iCalendar `VTODO`.
    pub async fn export_calendar(&self, id: &TaskId) -> Result<String, Error> {
        let answer = self.send(&Call::get(self.task(id, &["calendar"]))).await?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// Creates the task or replaces all of it, by a calendar with one `VTODO`.
    pub async fn import_calendar(
        &self,
        id: &TaskId,
        calendar: &str,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        let call = Call::command(Method::PUT, self.task(id, &["calendar"]), options);
        self.read(call.with(CALENDAR, calendar.into())).await
    }

    /// Sends up to a thousand commands at once; each has a result of its own.
    pub async fn batch(&self, batch: &Batch, options: &CallOptions) -> Result<BatchAnswer, Error> {
        let call = Call::command(Method::POST, self.url(&["tasks:batch"]), options).json(batch)?;
        self.read(call).await
    }

    async fn act(
        &self,
        id: &TaskId,
        action: &str,
        body: Option<serde_json::Value>,
        options: &CallOptions,
    ) -> Result<CommandAnswer<'static>, Error> {
        let call = Call::command(Method::POST, self.task(id, &[action]), options);
        self.read(match body {
            Some(body) => call.json(&body)?,
            None => call,
        })
        .await
    }

    fn task(&self, id: &TaskId, rest: &[&str]) -> reqwest::Url {
        let parts: Vec<&str> = ["tasks", id.as_str()].iter().chain(rest).copied().collect();
        self.url(&parts)
    }
}
