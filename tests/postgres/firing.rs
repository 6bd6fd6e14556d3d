//! The switch that stops firing, as rows.

use crate::support::{Database, Value, WAKE_MS, key, upsert, value};
use reminder_domain::ids::Person;
use reminder_domain::{TaskId, Timestamp};
use reminder_scheduler::read_model::{
    FiringSwitch, ReadModel, STOPPED_USERS_MAX, Stop, TaskIndex, Waking,
};
use reminder_scheduler::turn::firing::FiringStop;

async fn model() -> (Database, ReadModel) {
    let database = Database::migrated().await;
    let model = ReadModel::new(&database.url, "public".into()).unwrap();
    (database, model)
}

fn person(name: &str) -> Person {
    Person::parse(name).unwrap()
}

async fn overdue(model: &ReadModel) -> Vec<String> {
    let start = Waking { at: Timestamp::from_millis(0), task: TaskId::parse("0").unwrap() };
    let page = model.overdue(&start, Timestamp::from_millis(WAKE_MS), 10).await.unwrap();
    page.into_iter().map(|waking| waking.task.to_string()).collect()
}

#[tokio::test]
async fn what_is_stopped_is_left_out_and_found_again() {
    let (database, model) = model().await;
    for task in ["a", "b", "nobodys"] {
        upsert(&database.client, &key(task), &value(1).bytes()).await.unwrap();
    }
    let users =
        "UPDATE task_index SET user_id = CASE task_id WHEN 'a' THEN 'ada' WHEN 'b' THEN 'bob' END";
    database.client.batch_execute(users).await.unwrap();
    let all = ["a", "b", "nobodys"];
    assert_eq!(overdue(&model).await, all);

    let ada = person("ada");
    assert_eq!(model.stop_firing(Some(&ada), "she asked").await.unwrap(), Stop::Now);
    assert_eq!(model.stop_firing(Some(&ada), "she asked again").await.unwrap(), Stop::Before);
    let stop = model.firing_stop().await.unwrap();
    assert!(stop.stops(Some(&ada)) && !stop.stops(Some(&person("bob"))) && !stop.everyone());
    assert_eq!(overdue(&model).await, ["b", "nobodys"]);

    assert_eq!(model.stop_firing(None, "maintenance").await.unwrap(), Stop::Now);
    assert!(model.firing_stop().await.unwrap().everyone());
    assert_eq!(overdue(&model).await, [""; 0]);
    let stops = model.list_stops(2).await.unwrap();
    let told: Vec<_> = stops.iter().map(|stop| (stop.user.as_deref(), &*stop.reason)).collect();
    assert_eq!(told, [(None, "maintenance"), (Some("ada"), "she asked again")]);
    assert!(stops.iter().all(|stop| stop.waiting == 0), "nothing is overdue by the real clock");

    assert!(model.resume_firing(None).await.unwrap());
    assert!(!model.resume_firing(None).await.unwrap());
    assert_eq!(overdue(&model).await, ["b", "nobodys"], "ada's stop is another one");
    assert!(model.resume_firing(Some(&ada)).await.unwrap());
    assert_eq!(overdue(&model).await, all);
    assert_eq!(model.firing_stop().await.unwrap(), FiringStop::default());
}

#[tokio::test]
async fn the_status_counts_what_waits_up_to_a_bound() {
    let (database, model) = model().await;
    for task in ["a", "b", "c"] {
        let past = Value { wake: Some(1_700_000_000_000), ..value(1) };
        upsert(&database.client, &key(task), &past.bytes()).await.unwrap();
    }
    model.stop_firing(None, "test").await.unwrap();
    model.stop_firing(Some(&person("u@example.org")), "test").await.unwrap();
    model.stop_firing(Some(&person("other")), "test").await.unwrap();
    let waiting = async |max| {
        let stops = model.list_stops(max).await.unwrap();
        stops.iter().map(|stop| stop.waiting).collect::<Vec<_>>()
    };
    assert_eq!(waiting(10).await, [3, 0, 3], "everyone, other, u@example.org");
    assert_eq!(waiting(2).await, [2, 0, 2]);
}

#[tokio::test]
async fn only_so_many_users_are_stopped_one_by_one() {
    let (database, model) = model().await;
    let fill = format!(
        "INSERT INTO firing_stop (app_id, user_id, reason)
         SELECT 'reminder-scheduler', 'u' || n, 'test' FROM generate_series(1, {STOPPED_USERS_MAX}) AS n"
    );
    database.client.batch_execute(&fill).await.unwrap();
    assert_eq!(model.stop_firing(Some(&person("one")), "more").await.unwrap(), Stop::TooMany);
    assert_eq!(model.stop_firing(Some(&person("u1")), "known").await.unwrap(), Stop::Before);
    assert_eq!(model.stop_firing(None, "everyone").await.unwrap(), Stop::Now);
}
