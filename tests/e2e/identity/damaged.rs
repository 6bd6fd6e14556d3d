//! A task whose state is damaged, so that it cannot say any more whose it is: its user is told that it is damaged,
//! and to other users it is not there.

use super::isolation::{World, case, hides_tasks_of_items, looks_absent};
use super::provider::{Provider, REST_TOKEN};
use crate::api::Task;
use crate::operations::{damage, succeeds};
use crate::suite::gentle;

#[test]
fn a_damaged_task_is_there_for_its_user_alone() {
    gentle(async |suite| {
        let provider = Provider::start().await;
        let world = World::new(suite, &provider).await;
        let task = world.task().await;
        damage(suite, &[Task::new(suite, task.clone())]).await;
        let mut about_tasks = 0;
        for operation in world.operations().await {
            if operation == "post /v1/tasks:batch" {
                hides_tasks_of_items(&world, &operation, &task).await;
            }
            if operation.contains("{taskId}") {
                about_tasks += 1;
                looks_absent(&world, &operation, &task).await;
                is_told_to_be_damaged(&world, &operation, &task).await;
            }
        }
        assert!(about_tasks > 10, "{about_tasks}");
        succeeds(suite, &["repair", &task, "--forget"]).await;
        world.service.terminate();
        world.service.ended().await;
    });
}

/// To its user, and to those who may see everything.
async fn is_told_to_be_damaged(world: &World<'_>, operation: &str, task: &str) {
    let by_ada = world.provider.token(&world.ada);
    for token in [&*by_ada, REST_TOKEN] {
        let answer = case(operation, task, &world.ada).unwrap().by(&world.service, token).await;
        assert_eq!(answer.status, 500, "{operation}: {answer:?}");
        let kind = answer.json()["type"].as_str().unwrap().to_owned();
        assert!(kind.ends_with("damaged-state"), "{operation}: {answer:?}");
    }
}
