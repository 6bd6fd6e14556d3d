//! Lists of tasks and of what fires next, by the page or as a stream over all pages.

use crate::send::Call;
use crate::{Client, Error, Timestamp};
use futures_util::stream::{self, Stream, TryStreamExt};
use reminder_contract::rest::{Page, ReminderItem, ReminderStatus, StatusFilter, TaskItem};
use reqwest::Url;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;

/// Which tasks to list; all that are not deleted by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TasksQuery {
    /// Those of this user.
    pub user: Option<String>,
    /// Those that stand there.
    pub status: Option<StatusFilter>,
    /// Most entries of a page.
    pub limit: Option<usize>,
    /// Where the page begins: the `next_cursor` of the one before.
    pub cursor: Option<String>,
}

/// Which reminders to list; all by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemindersQuery {
    /// Those of this user.
    pub user: Option<String>,
    /// Those due at this time or later.
    pub from: Option<Timestamp>,
    /// Those due before this time.
    pub to: Option<Timestamp>,
    /// Those still to come, or those overdue.
    pub status: Option<ReminderStatus>,
    /// Most entries of a page.
    pub limit: Option<usize>,
    /// Where the page begins: the `next_cursor` of the one before.
    pub cursor: Option<String>,
}

impl Client {
    /// One page of tasks, ordered by their ids.
    pub async fn tasks_page(&self, query: &TasksQuery) -> Result<Page<TaskItem>, Error> {
        self.page(self.tasks_url(query), query.cursor.as_deref()).await
    }

    /// All tasks, page after page.
    pub fn tasks(&self, query: TasksQuery) -> impl Stream<Item = Result<TaskItem, Error>> + use<> {
        self.pages(self.tasks_url(&query), query.cursor)
    }

    /// One page of what fires next, ordered by its time.
    pub async fn reminders_page(
        &self,
        query: &RemindersQuery,
    ) -> Result<Page<ReminderItem>, Error> {
        self.page(self.reminders_url(query), query.cursor.as_deref()).await
    }

    /// All that fires next, page after page.
    pub fn reminders(
        &self,
        query: RemindersQuery,
    ) -> impl Stream<Item = Result<ReminderItem, Error>> + use<> {
        self.pages(self.reminders_url(&query), query.cursor)
    }

    fn tasks_url(&self, query: &TasksQuery) -> Url {
        let mut url = self.url(&["tasks"]);
        append(&mut url, "user", query.user.clone());
        append(&mut url, "status", query.status.map(|status| status.as_str().to_owned()));
        append(&mut url, "limit", query.limit.map(|limit| limit.to_string()));
        url
    }

    fn reminders_url(&self, query: &RemindersQuery) -> Url {
        let mut url = self.url(&["reminders"]);
        append(&mut url, "user", query.user.clone());
        append(&mut url, "from", query.from.map(|from| from.to_string()));
        append(&mut url, "to", query.to.map(|to| to.to_string()));
        append(&mut url, "status", query.status.map(|status| status.as_str().to_owned()));
        append(&mut url, "limit", query.limit.map(|limit| limit.to_string()));
        url
    }

    async fn page<T: DeserializeOwned>(
        &self,
        mut url: Url,
        cursor: Option<&str>,
    ) -> Result<Page<T>, Error> {
        append(&mut url, "cursor", cursor.map(str::to_owned));
        self.read(Call::get(url)).await
    }

    fn pages<T: DeserializeOwned>(
        &self,
        url: Url,
        cursor: Option<String>,
    ) -> impl Stream<Item = Result<T, Error>> + use<T> {
        let client = self.clone();
        // The cursor of the next page; none after the last one.
        let first = Some(cursor);
        let pages = stream::try_unfold(first, move |next| {
            let (client, url) = (client.clone(), url.clone());
            async move {
                let Some(cursor) = next else { return Ok(None) };
                let page: Page<T> = client.page(url, cursor.as_deref()).await?;
                Ok(Some((VecDeque::from(page.items), page.next_cursor.map(Some))))
            }
        });
        pages.map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten()
    }
}

fn append(url: &mut Url, name: &str, value: Option<String>) {
    if let Some(value) = value {
        url.query_pairs_mut().append_pair(name, &value);
    }
}
