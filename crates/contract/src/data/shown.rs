//! How JSON shows the types of the domain; only the schemas use these. So `skipped` is no function: it
//! tells schemars that a field is not always there.

use schemars::{JsonSchema, Schema};

/// An instant, RFC 3339 in UTC with milliseconds.
#[derive(JsonSchema)]
#[schemars(
    inline,
    extend("format" = "date-time", "examples" = ["2027-01-15T12:00:00.000Z"])
)]
pub(crate) struct Instant(#[expect(dead_code, reason = "only its schema is used")] String);

/// The id of a task, which is also its actor id and the key of its records.
#[derive(JsonSchema)]
#[schemars(
    inline,
    extend("pattern" = "^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$", "examples" = ["milk-7"])
)]
pub(crate) struct TaskId(#[expect(dead_code, reason = "only its schema is used")] String);

/// The id of a reminder within its task.
#[derive(JsonSchema)]
#[schemars(
    inline,
    extend("pattern" = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", "examples" = ["due", "soon"])
)]
pub(crate) struct ReminderId(#[expect(dead_code, reason = "only its schema is used")] String);

/// What a clock on the wall shows.
#[derive(JsonSchema)]
#[schemars(
    inline,
    extend(
        "pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?$",
        "examples" = ["2027-03-01T09:00:00"]
    )
)]
pub(crate) struct WallTime(#[expect(dead_code, reason = "only its schema is used")] String);

/// A wall time or a date.
#[derive(JsonSchema)]
#[schemars(
    inline,
    extend(
        "pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?)?$",
        "examples" = ["2027-03-01T09:00:00", "2027-03-01"]
    )
)]
pub(crate) struct LocalMoment(#[expect(dead_code, reason = "only its schema is used")] String);

/// An ISO 8601 duration of weeks, days, hours, minutes and seconds.
#[derive(JsonSchema)]
#[schemars(
    inline,
    extend(
        "pattern" = concat!(
            "^P(([0-9]+W([0-9]+D)?|[0-9]+D)",
            "(T([0-9]+H([0-9]+M)?([0-9]+S)?|[0-9]+M([0-9]+S)?|[0-9]+S))?",
            "|T([0-9]+H([0-9]+M)?([0-9]+S)?|[0-9]+M([0-9]+S)?|[0-9]+S))$"
        ),
        "examples" = ["PT15M", "P1D", "P1DT2H", "P2W"]
    )
)]
pub(crate) struct Duration(#[expect(dead_code, reason = "only its schema is used")] String);

/// An instant (RFC 3339), a local time in an IANA zone or wherever the user is, or a date.
#[derive(JsonSchema)]
#[schemars(untagged, transform = exactly_one)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum DueDate {
    /// A point on the time line.
    Instant(
        #[schemars(extend("format" = "date-time", "examples" = ["2027-03-01T08:00:00.000Z"]))]
        String,
    ),
    /// What a clock on the wall shows, of the zone, or without one wherever the user is.
    Local {
        /// The wall time.
        local: WallTime,
        /// The IANA zone.
        #[schemars(extend("examples" = ["Europe/Berlin", "Asia/Kathmandu"]))]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
    },
    /// A day; the user's default time is meant.
    Date {
        /// The day.
        #[schemars(extend("format" = "date", "examples" = ["2027-03-01"]))]
        date: String,
    },
}

/// The variants exclude each other, which schemars cannot know.
fn exactly_one(schema: &mut Schema) {
    if let Some(variants) = schema.remove("anyOf") {
        schema.insert("oneOf".into(), variants);
    }
}

/// How much the task matters.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

/// When the task comes again.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Recurrence {
    /// The rule, RFC 5545 §3.3.10.
    #[schemars(extend("examples" = ["FREQ=WEEKLY;BYDAY=MO", "FREQ=DAILY;COUNT=5"]))]
    rule: String,
    /// The wall time of the first occurrence, which the rule counts from.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<WallTime>,
    /// Wall times or dates of occurrences that do not take place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exdates: Vec<LocalMoment>,
    /// Wall times or dates of occurrences beside those of the rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rdates: Vec<LocalMoment>,
    /// What the next occurrence follows: the rule alone, unless said otherwise, or the completion.
    #[serde(skip_serializing_if = "skipped")]
    from: RecursFrom,
}

/// What the next occurrence follows.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum RecursFrom {
    Due,
    Completion,
}

/// When to remind: `at` a time, or so long `before` or `after` the due date or the start.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", transform = exactly_one_trigger)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Reminder {
    /// Names it within its task.
    id: ReminderId,
    /// At this time.
    #[serde(skip_serializing_if = "skipped")]
    at: DueDate,
    /// So long before the anchor.
    #[serde(skip_serializing_if = "skipped")]
    before: Duration,
    /// So long after the anchor.
    #[serde(skip_serializing_if = "skipped")]
    after: Duration,
    /// What it counts from: the due date, unless said otherwise.
    #[serde(skip_serializing_if = "skipped")]
    anchor: Anchor,
    /// How it goes on until somebody acknowledges it.
    #[serde(skip_serializing_if = "skipped")]
    nag: Nag,
    /// After how long it is of no use.
    #[serde(skip_serializing_if = "skipped")]
    late_limit: Duration,
}

/// Exactly one of the three says when; `at` counts from nothing.
fn exactly_one_trigger(schema: &mut Schema) {
    let ways = serde_json::json!([
        { "required": ["at"], "not": { "required": ["anchor"] } },
        { "required": ["before"] },
        { "required": ["after"] },
    ]);
    schema.insert("oneOf".into(), ways);
}

/// What a reminder counts from.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum Anchor {
    Due,
    Start,
}

/// Firing again until somebody acknowledges or completes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Nag {
    /// The pause between two firings, in hours, minutes and seconds; five seconds or more.
    #[schemars(extend("examples" = ["PT5M"]))]
    every: Duration,
    /// How many times after the first firing.
    #[schemars(range(min = 1, max = 1000))]
    max: u16,
}
