//! How JSON shows what callers send; only the `OpenAPI` document uses these.

use crate::data::shown::{
    DueDate, Duration, LocalMoment, Priority, Recurrence, Reminder, ReminderId,
};
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// What to be reminded of.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Task {
    /// One line that says what it is.
    #[schemars(length(min = 1, max = 500), extend("examples" = ["Buy milk"]))]
    title: String,
    /// More words.
    #[schemars(length(max = 16384))]
    #[serde(skip_serializing_if = "skipped")]
    description: String,
    /// When it is due; of a recurring task, its present occurrence.
    #[serde(skip_serializing_if = "skipped")]
    due_date: DueDate,
    /// When it begins.
    #[serde(skip_serializing_if = "skipped")]
    start: DueDate,
    /// When it comes again.
    #[serde(skip_serializing_if = "skipped")]
    recurrence: Recurrence,
    /// How much it matters.
    #[serde(skip_serializing_if = "skipped")]
    priority: Priority,
    /// Labels.
    #[schemars(length(max = 50), inner(length(min = 1, max = 64)))]
    #[serde(skip_serializing_if = "skipped")]
    tags: Vec<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "skipped")]
    status: Status,
    /// Who shall do it.
    #[schemars(length(min = 1, max = 256))]
    #[serde(skip_serializing_if = "skipped")]
    assignee: String,
    /// Who asked for it.
    #[schemars(length(min = 1, max = 256))]
    #[serde(skip_serializing_if = "skipped")]
    created_by: String,
    /// Whose task it is.
    #[schemars(length(min = 1, max = 256), extend("examples" = ["ada@example.org"]))]
    #[serde(skip_serializing_if = "skipped")]
    user_id: String,
    /// When to remind. Without it, the default reminders of the user, or once at the due date; an empty
    /// list means never.
    #[schemars(length(max = 50))]
    #[serde(skip_serializing_if = "skipped")]
    reminders: Vec<Reminder>,
}

/// Where a task stands.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum Status {
    Pending,
    InProgress,
    Completed,
}

/// What a user prefers.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Preferences {
    /// The IANA zone: floating times, dates and quiet hours are read there.
    #[schemars(extend("examples" = ["Europe/Berlin"]))]
    #[serde(skip_serializing_if = "skipped")]
    zone: String,
    /// When something is due that is due on a date.
    #[serde(skip_serializing_if = "skipped")]
    default_time: TimeOfDay,
    /// The reminders of tasks that are put without any.
    #[schemars(length(max = 50))]
    #[serde(skip_serializing_if = "skipped")]
    default_reminders: Vec<Reminder>,
    /// When reminders wait, unless their task is urgent.
    #[serde(skip_serializing_if = "skipped")]
    quiet_hours: QuietHours,
    /// Names for snoozes.
    #[schemars(extend(
        "maxProperties" = 20,
        "propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$" }
    ))]
    #[serde(skip_serializing_if = "skipped")]
    snooze_presets: BTreeMap<String, SnoozeDelay>,
}

/// A time of day.
#[derive(JsonSchema)]
#[schemars(inline, extend("pattern" = "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples" = ["08:30"]))]
struct TimeOfDay(#[expect(dead_code, reason = "only its schema is used")] String);

/// A part of each day, past midnight when the second time is the earlier one.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct QuietHours {
    /// The first minute that is quiet.
    from: TimeOfDay,
    /// The first that is not.
    to: TimeOfDay,
}

/// A duration, or a time on a later day.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum SnoozeDelay {
    /// So long from now.
    For(Duration),
    /// A time of day.
    Day(Day),
}

/// A time some days later; without `at`, the user's default time.
#[derive(JsonSchema)]
#[schemars(inline, deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Day {
    /// How many; 0 is today.
    #[schemars(range(max = 7320))]
    days: u16,
    /// The time of day.
    #[serde(skip_serializing_if = "skipped")]
    at: TimeOfDay,
}

/// How long what rang is put off: exactly one of `for`, `until` and `preset`.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields, transform = exactly_one_delay)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Snooze {
    /// This reminder only; without it, all that rang.
    #[serde(skip_serializing_if = "skipped")]
    reminder_id: ReminderId,
    /// So long.
    #[schemars(rename = "for")]
    #[serde(skip_serializing_if = "skipped")]
    duration: SnoozeDelay,
    /// Until then.
    #[serde(skip_serializing_if = "skipped")]
    until: DueDate,
    /// As the user's preferences say under this name.
    #[schemars(extend("pattern" = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"))]
    #[serde(skip_serializing_if = "skipped")]
    preset: String,
}

fn exactly_one_delay(schema: &mut schemars::Schema) {
    let ways = ["for", "until", "preset"].map(|way| serde_json::json!({ "required": [way] }));
    schema.insert("oneOf".into(), ways.to_vec().into());
}

/// Which of the reminders that rang.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Ring {
    /// This one only; without it, all that rang.
    #[serde(skip_serializing_if = "skipped")]
    reminder_id: ReminderId,
}

/// Which occurrence does not take place.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Skip {
    /// One that is to come; without it, the present one.
    #[serde(skip_serializing_if = "skipped")]
    occurrence: LocalMoment,
}

/// What to do with what fell due in a pause.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Resume {
    /// Whether it fires at once, as it does unless told otherwise, or stays silent.
    #[serde(skip_serializing_if = "skipped")]
    missed: Missed,
}

/// What to do with what fell due in a pause.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum Missed {
    Fire,
    Skip,
}

/// Nothing to say.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Many commands.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Batch {
    /// The commands.
    #[schemars(length(min = 1, max = 1000))]
    items: Vec<BatchItem>,
}

/// One of them: the body of the actor method beside these two. What cannot be used of it is told in its
/// result, and keeps no other item back.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct BatchItem {
    /// The actor method.
    #[schemars(extend("enum" = methods()))]
    method: String,
    /// The task.
    task_id: String,
    /// Of `put`: the task.
    #[serde(skip_serializing_if = "skipped")]
    task: serde_json::Value,
    /// The version that the task must be at; 0: it must not exist.
    #[serde(skip_serializing_if = "skipped")]
    if_version: serde_json::Value,
    /// Names the command.
    #[serde(skip_serializing_if = "skipped")]
    command_id: serde_json::Value,
}

fn methods() -> Vec<&'static str> {
    crate::wire::Method::ALL.iter().map(|method| method.as_str()).collect()
}
