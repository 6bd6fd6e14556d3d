//! Lists and batches of the REST edge.

use crate::api::{in_ms, rfc3339};
use crate::suite::{Suite, gentle};
use futures_util::TryStreamExt;
use reminder_client::rest::{Batch, BatchAnswer, ReminderStatus, StatusFilter};
use reminder_client::{
    CallOptions, Client, CorrelationId, Error, ProblemKind, RemindersQuery, TasksQuery, Timestamp,
};
use serde_json::{Value, json};

/// Tasks of a list; more than two pages.
const TASKS: usize = 25;
const PAGE: usize = 10;

fn client(suite: &Suite) -> Client {
    let port = suite.manifest().replica(1).unwrap().app_port;
    Client::direct(&format!("http://127.0.0.1:{port}")).unwrap().build().unwrap()
}

async fn batch(client: &Client, items: Vec<Value>, options: &CallOptions) -> BatchAnswer {
    let batch: Batch = serde_json::from_value(json!({ "items": items })).unwrap();
    client.batch(&batch, options).await.unwrap()
}

#[test]
fn lists_are_paged_in_order_and_miss_nothing() {
    gentle(async |suite| {
        let (client, user) = (client(suite), suite.unique("lister") + "@example.org");
        let any = CallOptions::default();
        let ids: Vec<String> =
            (0..TASKS).map(|n| suite.unique(&format!("rest-list-{n}"))).collect();
        let hours = |n: usize| rfc3339(in_ms(3_600_000 * (i64::try_from(n).unwrap() + 1)));
        let puts = ids.iter().enumerate().map(|(n, id)| {
            json!({ "method": "put", "taskId": id,
                    "task": { "title": "t", "userId": user, "dueDate": hours(TASKS - n) } })
        });
        let answers = batch(&client, puts.collect(), &any).await.results;
        assert!(answers.iter().all(|result| result.status == 201), "{answers:?}");
        let done = [&ids[3], &ids[4]];
        let finishing = done.map(|id| json!({ "method": "complete", "taskId": id }));
        batch(&client, finishing.to_vec(), &any).await;

        let of_user =
            TasksQuery { user: Some(user.clone()), limit: Some(PAGE), ..TasksQuery::default() };
        let listed: Vec<_> = client.tasks(of_user.clone()).try_collect().await.unwrap();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        let told: Vec<&str> = listed.iter().map(|item| item.task_id.as_str()).collect();
        assert_eq!(told, sorted, "every task once, by id");
        let completed = TasksQuery { status: Some(StatusFilter::Completed), ..of_user.clone() };
        let completed: Vec<_> = client.tasks(completed).try_collect().await.unwrap();
        assert_eq!(completed.len(), done.len());
        assert!(completed.iter().all(|item| item.next_reminder_at.is_none()));
        let page = client.tasks_page(&of_user).await.unwrap();
        assert_eq!(page.items.len(), PAGE);

        let mine =
            RemindersQuery { user: Some(user), limit: Some(PAGE), ..RemindersQuery::default() };
        let all: Vec<_> = client.reminders(mine.clone()).try_collect().await.unwrap();
        assert_eq!(all.len(), TASKS - done.len());
        assert!(all.is_sorted_by_key(|item| item.scheduled_for), "by their times");
        let (from, to) = (all[5].scheduled_for, all[9].scheduled_for);
        let between = RemindersQuery { from: Some(from), to: Some(to), ..mine.clone() };
        let between: Vec<_> = client.reminders(between).try_collect().await.unwrap();
        assert_eq!(between, all[5..9], "from is within, to is not");
        let overdue = RemindersQuery { status: Some(ReminderStatus::Overdue), ..mine.clone() };
        assert!(client.reminders_page(&overdue).await.unwrap().items.is_empty());
        let upcoming = RemindersQuery { status: Some(ReminderStatus::Upcoming), ..mine.clone() };
        assert_eq!(client.reminders_page(&upcoming).await.unwrap().items.len(), PAGE);

        // A cursor of another list, and one that is none.
        for cursor in [page.next_cursor.unwrap(), "x".to_owned()] {
            let query = RemindersQuery { cursor: Some(cursor), ..mine.clone() };
            let Err(Error::Refused(problem)) = client.reminders_page(&query).await else {
                panic!("the cursor is taken");
            };
            assert_eq!(problem.field.as_deref(), Some("cursor"));
        }
        let never = RemindersQuery { from: Some(Timestamp::MAX), ..mine };
        assert_eq!(client.reminders_page(&never).await.unwrap().next_cursor, None);
    });
}

#[test]
fn a_batch_answers_for_each_of_its_commands() {
    gentle(async |suite| {
        let client = client(suite);
        let [one, other] = ["rest-batch-1", "rest-batch-2"].map(|name| suite.unique(name));
        let key = CorrelationId::parse(suite.unique("batch")).unwrap();
        let options = CallOptions { idempotency_key: Some(key), ..CallOptions::default() };
        let items = vec![
            json!({ "method": "put", "taskId": one, "task": { "title": "One", "userId": "u@example.org" } }),
            json!({ "method": "put", "taskId": other, "task": { "titel": "Other" } }),
            // After the put of the same task, in whatever order tasks are worked on.
            json!({ "method": "complete", "taskId": one }),
            json!({ "method": "complete", "taskId": other }),
            json!({ "method": "delete", "taskId": one, "ifVersion": 1 }),
            json!({ "method": "complete", "taskId": "a b" }),
        ];
        let first = batch(&client, items.clone(), &options).await;
        let told: Vec<u16> = first.results.iter().map(|result| result.status).collect();
        assert_eq!(told, [201, 422, 200, 404, 409, 422]);
        let problem = first.results[1].problem.as_ref().unwrap();
        assert_eq!(problem.field.as_deref(), Some("task.titel"));
        assert_eq!(first.results[2].answer.as_ref().unwrap().version, 2);
        // Sent again under its key, nothing is done twice.
        assert_eq!(batch(&client, items, &options).await.results[2], first.results[2]);

        let none: Batch = serde_json::from_value(json!({ "items": [] })).unwrap();
        let Err(Error::Refused(problem)) = client.batch(&none, &options).await else {
            panic!("an empty batch is taken");
        };
        assert_eq!(problem.kind(), Some(ProblemKind::InvalidInput));
    });
}

#[test]
fn a_task_has_one_row_among_what_fires_next_and_all_of_it_is_told_elsewhere() {
    gentle(async |suite| {
        let (client, user) = (client(suite), suite.unique("one-row") + "@example.org");
        let id = suite.unique("one-row");
        let due = in_ms(4 * 3_600_000);
        let [early, late] = [2, 1].map(|hours| rfc3339(due - chrono::TimeDelta::hours(hours)));
        let reminders =
            json!([{ "id": "early", "before": "PT2H" }, { "id": "late", "before": "PT1H" }]);
        let put = json!({ "method": "put", "taskId": id,
                          "task": { "title": "t", "userId": user, "dueDate": rfc3339(due),
                                    "reminders": reminders } });
        let answer = batch(&client, vec![put], &CallOptions::default()).await;
        assert_eq!(answer.results[0].status, 201, "{answer:?}");
        let mine = RemindersQuery { user: Some(user), ..RemindersQuery::default() };
        let rows = client.reminders_page(&mine).await.unwrap().items;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(json!(rows[0].scheduled_for), early);
        let late = Timestamp::parse(&late).unwrap();
        let within = RemindersQuery { from: Some(late), ..mine };
        assert!(
            client.reminders_page(&within).await.unwrap().items.is_empty(),
            "only what is next"
        );

        let id = reminder_client::TaskId::parse(id).unwrap();
        assert_eq!(client.get(&id).await.unwrap().reminders.len(), 2);
        let preview = client.preview(&id, None).await.unwrap();
        let told: Vec<&str> = preview.firings.iter().map(|one| &*one.reminder_id).collect();
        assert_eq!(told, ["early", "late"]);
    });
}
