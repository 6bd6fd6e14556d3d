//! The operations of the REST edge: their names in the `OpenAPI` document are those in metrics.

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Its name, which no other has.
    pub name: &'static str,
    /// The verb of HTTP.
    pub verb: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
}

const fn operation(name: &'static str, verb: &'static str, path: &'static str) -> Operation {
    Operation { name, verb, path }
}

/// All of them.
pub const OPERATIONS: &[Operation] = &[
    operation("listTasks", "GET", "/v1/tasks"),
    operation("listReminders", "GET", "/v1/reminders"),
    operation("sendBatch", "POST", "/v1/tasks:batch"),
    operation("getTask", "GET", "/v1/tasks/{taskId}"),
    operation("putTask", "PUT", "/v1/tasks/{taskId}"),
    operation("patchTask", "PATCH", "/v1/tasks/{taskId}"),
    operation("deleteTask", "DELETE", "/v1/tasks/{taskId}"),
    operation("completeTask", "POST", "/v1/tasks/{taskId}/complete"),
    operation("reopenTask", "POST", "/v1/tasks/{taskId}/reopen"),
    operation("skipOccurrence", "POST", "/v1/tasks/{taskId}/skip"),
    operation("snoozeTask", "POST", "/v1/tasks/{taskId}/snooze"),
    operation("acknowledgeTask", "POST", "/v1/tasks/{taskId}/acknowledge"),
    operation("dismissTask", "POST", "/v1/tasks/{taskId}/dismiss"),
    operation("pauseTask", "POST", "/v1/tasks/{taskId}/pause"),
    operation("resumeTask", "POST", "/v1/tasks/{taskId}/resume"),
    operation("previewTask", "GET", "/v1/tasks/{taskId}/preview"),
    operation("explainReminder", "GET", "/v1/tasks/{taskId}/explain"),
    operation("putReminder", "PUT", "/v1/tasks/{taskId}/reminders/{reminderId}"),
    operation("removeReminder", "DELETE", "/v1/tasks/{taskId}/reminders/{reminderId}"),
    operation("exportCalendar", "GET", "/v1/tasks/{taskId}/calendar"),
    operation("importCalendar", "PUT", "/v1/tasks/{taskId}/calendar"),
    operation("getPreferences", "GET", "/v1/users/{userId}/preferences"),
    operation("putPreferences", "PUT", "/v1/users/{userId}/preferences"),
    operation("pauseUser", "POST", "/v1/users/{userId}/pause"),
    operation("resumeUser", "POST", "/v1/users/{userId}/resume"),
    operation("exportUser", "GET", "/v1/users/{userId}/export"),
    operation("eraseUser", "DELETE", "/v1/users/{userId}"),
    operation("getErasure", "GET", "/v1/users/{userId}/erasure"),
];

/// The operation of a verb and a path, if there is one.
pub fn find_operation(verb: &str, path: &str) -> Option<Operation> {
    OPERATIONS.iter().find(|one| one.verb == verb && one.path == path).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = OPERATIONS.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), OPERATIONS.len());
        assert_eq!(find_operation("PUT", "/v1/tasks/{taskId}").unwrap().name, "putTask");
        assert_eq!(find_operation("PUT", "/v1/tasks"), None);
    }
}
