//! How JSON shows the types of the domain; only the schemas use these.

use schemars::JsonSchema;

/// An instant, RFC 3339 in UTC with milliseconds.
#[derive(JsonSchema)]
#[schemars(inline, extend("format" = "date-time"))]
pub(super) struct Instant(#[expect(dead_code, reason = "only its schema is used")] String);

/// An instant (RFC 3339), a local time in an IANA zone or wherever the user is, or a date.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum DueDate {
    /// A point on the time line.
    Instant(#[schemars(extend("format" = "date-time"))] String),
    /// What a clock on the wall shows, of the zone, or without one wherever the user is.
    Local {
        /// The wall time, such as `2027-03-01T09:00:00`.
        local: String,
        /// The IANA zone, such as `Europe/Berlin`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
    },
    /// A day; the user's default time is meant.
    Date {
        /// The day, such as `2027-03-01`.
        date: String,
    },
}

/// How much the task matters.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}
/// When the task comes again.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct Recurrence {
    /// The rule, RFC 5545 §3.3.10, such as `FREQ=WEEKLY;BYDAY=MO`.
    rule: String,
    /// The wall time of the first occurrence, which the rule counts from.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    /// Wall times or dates of occurrences that do not take place.
    #[serde(skip_serializing_if = "Option::is_none")]
    exdates: Option<Vec<String>>,
    /// Wall times or dates of occurrences beside those of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    rdates: Option<Vec<String>>,
    /// What the next occurrence follows: `due` (the rule alone, when left out) or `completion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

/// When to remind.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct Reminder {
    /// Names it within its task.
    id: String,
    /// At this time; one of `at`, `before` and `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<DueDate>,
    /// So long before the anchor, an ISO 8601 duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// So long after the anchor, an ISO 8601 duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// What it counts from: `due`, unless said otherwise, or `start`.
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor: Option<String>,
    /// How it goes on until somebody acknowledges it.
    #[serde(skip_serializing_if = "Option::is_none")]
    nag: Option<Nag>,
    /// After how long it is of no use, an ISO 8601 duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    late_limit: Option<String>,
}

/// Firing again until somebody acknowledges or completes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct Nag {
    /// The pause between two firings, an ISO 8601 duration.
    every: String,
    /// How many times after the first firing.
    max: u16,
}
