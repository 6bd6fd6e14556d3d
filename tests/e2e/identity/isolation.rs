//! What a user may see and do: each operation of the `OpenAPI` document, tried with a task of somebody else.

use super::provider::{ADMIN_SCOPE, Answered, Call, Provider, REST_TOKEN, claims};
use crate::process::Service;
use crate::suite::{Suite, gentle};
use serde_json::{Value, json};

const DUE: &str = "2031-01-01T09:00:00.000Z";

/// How the operation is called about a task and its owner.
pub(super) fn case(operation: &str, task: &str, owner: &str) -> Option<Call> {
    let (method, path) = operation.split_once(' ')?;
    let call = Call::new(
        method,
        path.replace("{taskId}", task).replace("{userId}", owner).replace("{reminderId}", "due"),
    );
    let add = |call: Call, query: &str| Call { path: format!("{}?{query}", call.path), ..call };
    Some(match path {
        "/v1/tasks" | "/v1/reminders" => add(call, &format!("user={owner}")),
        "/v1/tasks:batch" => call.json(&json!({ "items": [
            { "method": "complete", "taskId": task, "asUser": owner },
            { "method": "put", "taskId": task, "task": { "title": "t" }, "ifVersion": 7 },
        ] })),
        "/v1/tasks/{taskId}" => match method {
            "put" => call.json(&json!({ "title": "taken over" })),
            "patch" => call.typed("application/merge-patch+json", json!({ "title": "t" }).to_string()),
            _ => call,
        },
        "/v1/tasks/{taskId}/snooze" => call.json(&json!({ "for": "PT5M" })),
        "/v1/tasks/{taskId}/complete"
        | "/v1/tasks/{taskId}/reopen"
        | "/v1/tasks/{taskId}/skip"
        | "/v1/tasks/{taskId}/acknowledge"
        | "/v1/tasks/{taskId}/dismiss"
        | "/v1/tasks/{taskId}/pause"
        | "/v1/tasks/{taskId}/resume"
        | "/v1/tasks/{taskId}/preview"
        | "/v1/tasks/{taskId}/reminders/{reminderId}"
        | "/v1/tasks/{taskId}/calendar"
        | "/v1/users/{userId}"
        | "/v1/users/{userId}/erasure"
        | "/v1/users/{userId}/export"
        | "/v1/users/{userId}/pause"
        | "/v1/users/{userId}/resume"
        | "/v1/users/{userId}/preferences" if method != "put" => call,
        "/v1/tasks/{taskId}/explain" => add(call, &format!("reminderId=due&scheduledFor={DUE}")),
        "/v1/tasks/{taskId}/reminders/{reminderId}" if method == "put" => call.json(&json!({ "before": "PT5M" })),
        "/v1/tasks/{taskId}/calendar" if method == "put" => call.typed(
            "text/calendar",
            "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:t\r\nSUMMARY:t\r\nEND:VTODO\r\nEND:VCALENDAR\r\n".into(),
        ),
        "/v1/users/{userId}/preferences" if method == "put" => call.json(&json!({ "zone": "Asia/Tokyo" })),
        _ => return None,
    })
}

/// What only those may who may see everything.
const NOT_FOR_USERS: [&str; 2] = ["delete /v1/users/{userId}", "get /v1/users/{userId}/erasure"];

/// What commands may say of versions and keys; the task is at version 1.
const PRECONDITIONS: [&[(&str, &str)]; 6] = [
    &[],
    &[("if-match", "\"1\"")],
    &[("if-match", "\"9\"")],
    &[("if-match", "*")],
    &[("if-match", "W/\"1\"")],
    &[("idempotency-key", "the-key-of-ada")],
];

/// A service that takes the provider's tokens, and two users.
pub(super) struct World<'a> {
    pub(super) suite: &'static Suite,
    pub(super) service: Service,
    pub(super) provider: &'a Provider,
    pub(super) ada: String,
    pub(super) eve: String,
}

impl<'a> World<'a> {
    pub(super) async fn new(suite: &'static Suite, provider: &'a Provider) -> Self {
        let service = provider.service(suite, &[]);
        service.becomes_ready().await;
        let person = |name: &str| format!("{}@example.org", suite.unique(name));
        let (ada, eve) = (person("ada"), person("eve"));
        Self { suite, service, provider, ada, eve }
    }
}

impl World<'_> {
    pub(super) async fn of(&self, user: &str, call: &Call) -> Answered {
        call.by(&self.service, &self.provider.token(user)).await
    }

    /// A new task of ada's, at version 1, put under a key.
    pub(super) async fn task(&self) -> String {
        let id = self.suite.unique("isolated");
        let put =
            Call::new("PUT", format!("/v1/tasks/{id}")).with("idempotency-key", "the-key-of-ada");
        let put = put.json(&json!({ "title": "A secret of ada", "dueDate": DUE, "recurrence": { "rule": "FREQ=DAILY" } }));
        let answer = self.of(&self.ada, &put).await;
        assert_eq!((answer.status, answer.header("etag")), (201, Some("\"1\"")), "{answer:?}");
        id
    }

    pub(super) async fn operations(&self) -> Vec<String> {
        let document = Call::new("GET", "/openapi.json").by(&self.service, "").await.json();
        let paths = document["paths"].as_object().unwrap();
        paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object().unwrap().keys().map(move |verb| format!("{verb} {path}"))
            })
            .collect()
    }
}

#[test]
fn to_a_user_the_tasks_of_others_are_not_there() {
    gentle(async |suite| {
        let provider = Provider::start().await;
        let world = World::new(suite, &provider).await;
        let operations = world.operations().await;
        assert!(operations.len() > 20, "{operations:?}");
        for operation in operations {
            assert!(
                case(&operation, "a", "b").is_some(),
                "{operation} has no case here: who may call it?"
            );
            if operation.contains("{taskId}") {
                hides_the_task(&world, &operation).await;
            } else if NOT_FOR_USERS.contains(&operation.as_str()) {
                is_for_no_user(&world, &operation).await;
            } else if operation.contains("/v1/users/") || operation.starts_with("get ") {
                is_for_the_user_alone(&world, &operation).await;
            } else {
                assert_eq!(operation, "post /v1/tasks:batch");
                hides_tasks_of_items(&world, &operation, &world.task().await).await;
            }
        }
        lists_are_of_the_user(&world).await;
        puts_are_of_the_user(&world).await;
        // The console is for those who may see everything.
        let overview = Call::new("GET", "/console/api/overview");
        assert_eq!(world.of(&world.eve, &overview).await.status, 403);
        assert_eq!(overview.by(&world.service, REST_TOKEN).await.status, 200);
        world.service.terminate();
        world.service.ended().await;
    });
}

/// Every answer about ada's task is that about no task, to the letter; it stays as it is; and it is there for
/// ada, and for who may see everything.
async fn hides_the_task(world: &World<'_>, operation: &str) {
    let task = world.task().await;
    looks_absent(world, operation, &task).await;
    let read = Call::new("GET", format!("/v1/tasks/{task}"));
    let untouched = world.of(&world.ada, &read).await;
    assert_eq!(untouched.header("etag"), Some("\"1\""), "{operation}: {untouched:?}");
    let admin = provider_admin(world.provider);
    // Who may see everything puts for nobody, unless the body says for whom.
    let makes_it_nobodys = operation.starts_with("put ") && !operation.contains("reminders");
    let by_ada = world.provider.token(&world.ada);
    for token in [&*by_ada, REST_TOKEN, &admin] {
        let call = if makes_it_nobodys && token != by_ada {
            read.clone()
        } else {
            case(operation, &task, &world.ada).unwrap()
        };
        let answer = call.by(&world.service, token).await;
        let is_gone = operation == "delete /v1/tasks/{taskId}" && answer.status == 404;
        let nothing_rang = answer.status == 409;
        let reminder_is_gone = operation.starts_with("delete") && answer.status == 422;
        assert!(
            answer.status < 300 || is_gone || nothing_rang || reminder_is_gone,
            "{operation}: {answer:?}"
        );
    }
}

/// Every answer to eve about the task is that about no task, to the letter.
pub(super) async fn looks_absent(world: &World<'_>, operation: &str, task: &str) {
    let absent = world.suite.unique("absent0");
    for said in PRECONDITIONS {
        let with = |id: &str| {
            let call = case(operation, id, &world.ada).unwrap();
            said.iter().fold(call, |call, (name, value)| call.with(name, value))
        };
        let (there, nowhere) =
            (world.of(&world.eve, &with(task)).await, world.of(&world.eve, &with(&absent)).await);
        if nowhere.status == 201 {
            // That it creates nothing is the one thing that a put cannot hide; it says no more than that.
            assert_eq!(there.status, 404, "{operation} {said:?}: {there:?}");
            let gone = Call::new("DELETE", format!("/v1/tasks/{absent}"));
            assert_eq!(world.of(&world.eve, &gone).await.status, 200);
            continue;
        }
        assert!([404, 412].contains(&there.status), "{operation} {said:?}: {there:?}");
        let told = there.about(task, "X");
        assert_eq!(told, nowhere.about(&absent, "X"), "{operation} {said:?}");
        assert!(!told.body.contains("secret") && !told.body.contains(&world.ada), "{told:?}");
    }
}

fn provider_admin(provider: &Provider) -> String {
    let mut all = claims("root");
    all["scope"] = json!(ADMIN_SCOPE);
    provider.sign(&all)
}

async fn is_for_the_user_alone(world: &World<'_>, operation: &str) {
    let of_ada = case(operation, "a", &world.ada).unwrap();
    let refused = world.of(&world.eve, &of_ada).await;
    assert_eq!(refused.status, 403, "{operation}: {refused:?}");
    let nobody = case(operation, "a", &world.suite.unique("ada")).unwrap();
    assert_eq!(world.of(&world.eve, &nobody).await.status, 403, "{operation}");
    for answer in [world.of(&world.ada, &of_ada).await, of_ada.by(&world.service, REST_TOKEN).await]
    {
        assert_eq!(answer.status, 200, "{operation}: {answer:?}");
    }
}

async fn is_for_no_user(world: &World<'_>, operation: &str) {
    for user in [&world.ada, &world.eve] {
        let refused = world.of(user, &case(operation, "a", &world.ada).unwrap()).await;
        assert_eq!(refused.status, 403, "{operation}: {refused:?}");
    }
    // Of somebody of whom there is nothing, so that the others have what they had.
    let nobody = case(operation, "a", &world.suite.unique("nobody")).unwrap();
    let answer = nobody.by(&world.service, REST_TOKEN).await;
    assert!(answer.status < 300, "{operation}: {answer:?}");
}

/// Also if an item says on whose behalf it is.
pub(super) async fn hides_tasks_of_items(world: &World<'_>, operation: &str, task: &str) {
    let absent = world.suite.unique("absent0");
    let results = async |id: &str| {
        let answer = world.of(&world.eve, &case(operation, id, &world.ada).unwrap()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.about(id, "X").json()
    };
    let told = results(task).await;
    assert_eq!(told, results(&absent).await);
    let statuses: Vec<&Value> =
        told["results"].as_array().unwrap().iter().map(|result| &result["status"]).collect();
    assert_eq!(statuses, [&json!(404), &json!(409)], "{told}");
}

async fn lists_are_of_the_user(world: &World<'_>) {
    let task = world.task().await;
    for path in ["/v1/tasks", "/v1/reminders"] {
        let all = Call::new("GET", path);
        let items = |answer: Answered| answer.json()["items"].as_array().unwrap().clone();
        let (of_ada, of_eve) =
            (items(world.of(&world.ada, &all).await), items(world.of(&world.eve, &all).await));
        assert!(of_ada.iter().any(|item| item["taskId"] == *task), "{path}");
        assert!(of_ada.iter().all(|item| item["userId"] == *world.ada), "{path}: {of_ada:?}");
        assert!(of_eve.iter().all(|item| item["userId"] == *world.eve), "{path}: {of_eve:?}");
    }
}

async fn puts_are_of_the_user(world: &World<'_>) {
    let id = world.suite.unique("own");
    let put = |task: Value| Call::new("PUT", format!("/v1/tasks/{id}")).json(&task);
    let refused = world.of(&world.eve, &put(json!({ "title": "t", "userId": world.ada }))).await;
    assert_eq!(
        (refused.status, refused.json()["field"].as_str()),
        (403, Some("userId")),
        "{refused:?}"
    );
    assert_eq!(world.of(&world.eve, &put(json!({ "title": "t" }))).await.status, 201);
    let read = Call::new("GET", format!("/v1/tasks/{id}"));
    assert_eq!(world.of(&world.eve, &read).await.json()["task"]["userId"], *world.eve);
    // Nobody gives a task away, and nobody takes it into no hands.
    let patch = |user: Value| {
        let body = json!({ "userId": user }).to_string();
        Call::new("PATCH", format!("/v1/tasks/{id}")).typed("application/merge-patch+json", body)
    };
    assert_eq!(world.of(&world.eve, &patch(json!(world.ada))).await.status, 403);
    assert_eq!(world.of(&world.eve, &patch(Value::Null)).await.status, 200);
    assert_eq!(world.of(&world.eve, &read).await.json()["task"]["userId"], *world.eve);
    // Once it is another's, it is gone for her.
    let given = put(json!({ "title": "t", "userId": world.ada }));
    assert_eq!(given.by(&world.service, REST_TOKEN).await.status, 200);
    assert_eq!(world.of(&world.eve, &read).await.status, 404);
    assert_eq!(world.of(&world.ada, &read).await.status, 200);
}
