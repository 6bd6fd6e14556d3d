//! The pages with commands for a reader's own stack, from the first to the last.

use crate::reader::{Extent, Reader, steps};
use crate::suite::gentle;

/// Follows a page, after its reader has done what the page takes for granted. It must have at least so many
/// steps, and show so many answers.
fn follow_after(
    before: &'static str,
    page: &'static str,
    extent: Extent,
    tasks: &'static [&'static str],
    least: (usize, usize),
) {
    gentle(async move |suite| {
        let steps = steps(page);
        let shown: usize = steps.iter().map(|step| step.shown.len()).sum();
        assert!(steps.len() >= least.0 && shown >= least.1, "{} steps, {shown}", steps.len());
        let mut reader = Reader::of(suite, page, extent, tasks);
        reader.prepare(before).await;
        for step in &steps {
            reader.follow(step).await;
        }
    });
}

fn follow(
    page: &'static str,
    extent: Extent,
    tasks: &'static [&'static str],
    least: (usize, usize),
) {
    follow_after("", page, extent, tasks, least);
}

/// A task of the user that comes again each day.
const PILLS: &str = r#"
curl -s -X PUT http://127.0.0.1:3500/v1.0/actors/TaskActor/pills/method/put -d '{"task": {"title": "Pills",
    "userId": "ada@example.org", "dueDate": "2027-11-22T18:00:00Z", "recurrence": {"rule": "FREQ=DAILY"}}}'
"#;

/// A task, and where the actors are.
const MILK: &str = r#"
export TASKS=http://127.0.0.1:3500/v1.0/actors/TaskActor
curl -s -X PUT $TASKS/milk/method/put -d '{"task": {"title": "Milk", "dueDate": "2027-11-22T18:00:00Z"}}'
"#;

#[test]
fn the_tutorial_is_what_its_reader_sees() {
    follow("docs/tutorial.md", Extent::All, &["tea", "pills", "night"], (9, 9));
}

#[test]
fn the_tour_of_the_readme_is_what_its_reader_sees() {
    follow("README.md", Extent::Some, &["milk", "tea", "pills"], (9, 9));
}

#[test]
fn the_examples_of_the_rest_edge_are_what_their_reader_sees() {
    follow("docs/rest-api.md", Extent::Some, &["milk", "tea"], (5, 7));
}

#[test]
fn what_is_paused_is_as_the_page_shows() {
    follow_after(PILLS, "docs/how-to/pause-and-limit.md", Extent::Some, &["pills"], (3, 2));
}

#[test]
fn the_questions_about_time_are_answered() {
    follow_after(PILLS, "docs/time.md", Extent::Some, &["pills"], (1, 0));
}

#[test]
fn a_task_is_put_in_order_by_hand_as_the_page_says() {
    follow_after(MILK, "docs/operations.md", Extent::Some, &["milk"], (1, 0));
}

#[test]
fn the_reminder_at_the_end_of_the_guide_to_kubernetes_fires() {
    follow("docs/how-to/kubernetes.md", Extent::Some, &["hello"], (1, 0));
}
