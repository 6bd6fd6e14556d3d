//! The tasks that are measured with: small, alike, and each run's own.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// Names the tasks of one run.
#[derive(Debug, Clone)]
pub(super) struct Names {
    run: String,
}

impl Names {
    pub(super) fn new(scenario: &str) -> Self {
        Self { run: format!("bench-{:x}-{scenario}", Utc::now().timestamp_millis()) }
    }

    /// The id of the task of that number.
    pub(super) fn id(&self, number: usize) -> String {
        format!("{}-{number}", self.run)
    }

    /// The number of a task of this run.
    pub(super) fn number(&self, id: &str) -> Option<usize> {
        id.strip_prefix(&self.run)?.strip_prefix('-')?.parse().ok()
    }
}

/// The body of a `put`: what a usual task says, with one reminder at its due date.
pub(super) fn put(number: usize, due: DateTime<Utc>) -> Value {
    json!({ "task": {
        "title": format!("Benchmark task {number}"),
        "description": "One of many, as long as a usual description is.",
        "dueDate": due.to_rfc3339_opts(SecondsFormat::Millis, true),
        "priority": "normal",
        "tags": ["bench", "home"],
        "userId": format!("user-{}@example.org", number % 100),
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_and_others_are_not() {
        let names = Names::new("far");
        assert_eq!(names.number(&names.id(17)), Some(17));
        assert_eq!(names.number("bench-1-far-17"), None);
        assert_eq!(names.number(&format!("{}x", names.id(17))), None);
    }
}
