//! All that is kept of a user: complete over several pages, of nobody else, and whole in spite of one that
//! cannot be read.

use crate::api::{Task, in_ms, rfc3339};
use crate::operations::{damage, succeeds};
use crate::process::{Service, environment};
use crate::suite::{EVENT_DEADLINE, Suite, gentle};
use reminder_client::rest::{Batch, ExportLine};
use reminder_client::{CallOptions, Client, Export, Person, TaskId};
use reminder_stack::probe;
use serde_json::{Value, json};

/// More than two pages of the read model.
const TASKS: usize = 405;
const DELETED: usize = 3;

async fn lines(client: &Client, user: &Person) -> Vec<ExportLine> {
    let mut export = client.export_user(user).await.unwrap();
    let mut all = Vec::new();
    while let Some(line) = export.next_line().await.unwrap() {
        all.push(Export::read(&line).unwrap());
    }
    all
}

async fn batch(client: &Client, items: Vec<Value>) {
    let batch: Batch = serde_json::from_value(json!({ "items": items })).unwrap();
    let results = client.batch(&batch, &CallOptions::default()).await.unwrap().results;
    assert!(results.iter().all(|result| result.status < 300), "{results:?}");
}

/// Puts the tasks of the user; some of them are deleted again, and one has fired.
async fn put(suite: &Suite, client: &Client, user: &Person) -> Vec<String> {
    let ids: Vec<String> = (0..TASKS).map(|n| suite.unique(&format!("exported-{n}"))).collect();
    let due = |n: usize| if n == 0 { in_ms(0) } else { in_ms(86_400_000) };
    let put = |(n, id): (usize, &String)| {
        json!({ "method": "put", "taskId": id,
                "task": { "title": format!("Task {n}"), "userId": user, "dueDate": rfc3339(due(n)) } })
    };
    batch(client, ids.iter().enumerate().map(put).collect()).await;
    let gone = ids[TASKS - DELETED..].iter();
    batch(client, gone.map(|id| json!({ "method": "delete", "taskId": id })).collect()).await;
    let first = TaskId::parse(ids[0].as_str()).unwrap();
    let fired = || async { (!client.get(&first).await.ok()?.history.is_empty()).then_some(()) };
    assert!(probe::until(EVENT_DEADLINE, fired).await.is_some(), "it never fired");
    ids
}

#[test]
fn an_export_has_all_of_a_user_and_of_nobody_else() {
    gentle(async |suite| {
        let service = service(suite).await;
        let url = format!("http://127.0.0.1:{}", service.port);
        let client = Client::direct(&url).unwrap().build().unwrap();
        let user = Person::parse(suite.unique("exported/é") + "@example.org").unwrap();
        let other = suite.task("not-exported");
        other.put().await;
        let any = CallOptions::default();
        client.put_preferences(&user, &json!({ "zone": "Asia/Tokyo" }), &any).await.unwrap();
        let ids = put(suite, &client, &user).await;

        let all = lines(&client, &user).await;
        let [
            ExportLine::Export { format, user_id, .. },
            ExportLine::Preferences { user: preferred },
            rest @ ..,
            end,
        ] = &all[..]
        else {
            panic!("{all:?}");
        };
        assert_eq!((*format, user_id.as_str()), (1, user.as_str()));
        assert_eq!(preferred["preferences"]["zone"], "Asia/Tokyo");
        let (tasks, deleted) = (TASKS - DELETED, DELETED);
        let counted = json!({ "kind": "end", "tasks": tasks, "deleted": deleted, "failed": 0, "complete": true });
        assert_eq!(serde_json::to_value(end).unwrap(), counted);
        let told: Vec<(bool, &str)> = rest
            .iter()
            .map(|line| match line {
                ExportLine::Task { task } => (true, task["taskId"].as_str().unwrap()),
                ExportLine::Deleted { task_id, version: 2, .. } => (false, task_id.as_str()),
                other => panic!("{other:?}"),
            })
            .collect();
        let mut put: Vec<(bool, &str)> =
            ids.iter().enumerate().map(|(n, id)| (n < tasks, id.as_str())).collect();
        put.sort_unstable_by_key(|(_, id)| *id);
        assert_eq!(told, put, "every task once, by its id");
        // As the task itself is shown, its history included.
        for line in rest {
            let ExportLine::Task { task } = line else { continue };
            if [&ids[0], &ids[1]].iter().all(|id| task["taskId"] != ***id) {
                continue;
            }
            let id = TaskId::parse(task["taskId"].as_str().unwrap()).unwrap();
            assert_eq!(*task, serde_json::to_value(client.get(&id).await.unwrap()).unwrap());
        }
        service.terminate();
        service.ended().await;
    });
}

#[test]
fn a_task_that_cannot_be_read_is_named_and_the_file_has_the_others() {
    gentle(async |suite| {
        let service = service(suite).await;
        let user = suite.unique("half-exported") + "@example.org";
        let tasks = ["bad", "good"]
            .map(|name| suite.task(name).due(in_ms(86_400_000)).with("userId", user.as_str()));
        for task in &tasks {
            task.put().await;
        }
        let [bad, good]: &[Task; 2] = &tasks;
        damage(suite, std::slice::from_ref(bad)).await;
        let file = std::env::temp_dir().join(suite.unique("export"));
        let environment =
            [("REMINDER_URL".to_owned(), format!("http://127.0.0.1:{}", service.port))].into();
        let arguments = ["user", "export", &*user, "--out", file.to_str().unwrap()];
        let ended = Service::command(suite, &arguments, &environment).ended().await;
        succeeds(suite, &["repair", &bad.id, "--forget"]).await;
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.output.contains(&bad.id) && ended.output.contains("1 tasks"), "{ended:?}");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let kinds: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].take())
            .collect();
        assert_eq!(kinds, ["export", "preferences", "failed", "task", "end"]);
        assert!(text.contains("damaged-state") && text.contains(&good.id), "{text}");
        // Who cannot be reached leaves no file behind.
        service.terminate();
        service.ended().await;
        let ended =
            Service::command(suite, &[&arguments[..], &["--timeout", "1s"]].concat(), &environment)
                .ended()
                .await;
        assert_eq!((ended.code, file.exists()), (Some(1), false), "{ended:?}");
    });
}

/// One of this very build, beside the stack's own.
async fn service(suite: &Suite) -> Service {
    let manifest = suite.manifest();
    let grpc_port = manifest.replica(1).unwrap().grpc_port.to_string();
    let settings = [("DAPR_GRPC_PORT", &*grpc_port), ("DATABASE_URL", &*manifest.database_url())];
    let service = Service::start(suite, &environment(&settings));
    service.becomes_ready().await;
    service
}
