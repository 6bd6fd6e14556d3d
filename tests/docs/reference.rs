//! The reference of the actor API against the code: limits, problems, topics, log lines.

use crate::pages::{page, root};
use reminder_contract::{ProblemKind, rest};
use reminder_domain::limits;
use reminder_icalendar::limits::CALENDAR_MAX_BYTES;
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn the_limits_are_those_of_the_code() {
    let page = page("docs/actor-api.md");
    let told: BTreeMap<&str, &str> = page
        .rows_under("Limits")
        .iter()
        .map(|cells| (cells[0].as_str(), cells[1].as_str()))
        .collect();
    let kib = limits::PAYLOAD_MAX_BYTES / 1024;
    let years = limits::HORIZON_MS / (36_525 * 24 * 36_000);
    let expected = [
        ("Body of a command", format!("{kib} KiB")),
        ("Body of importCalendar", format!("{} KiB", CALENDAR_MAX_BYTES / 1024)),
        ("taskId", format!("{} characters", limits::TASK_ID_MAX_CHARS)),
        ("title", format!("{} characters, one line", limits::TITLE_MAX_CHARS)),
        ("description", format!("{} characters", limits::DESCRIPTION_MAX_CHARS)),
        ("assignee, createdBy, userId", format!("{} characters each", limits::PERSON_MAX_CHARS)),
        (
            "nag",
            format!("every {} s or more, {} times", limits::NAG_EVERY_MIN_SECONDS, limits::NAG_MAX),
        ),
        (
            "rule",
            format!(
                "{} characters, COUNT up to {}, at most once a minute, an occurrence within {} years",
                limits::RECURRENCE_RULE_MAX_CHARS,
                limits::RECURRENCE_COUNT_MAX,
                limits::RECURRENCE_SEARCH_YEARS
            ),
        ),
        ("exdates, rdates", format!("{} each", limits::RECURRENCE_EXCEPTIONS_MAX)),
        (
            "preview",
            format!(
                "{} firings, {} unless asked otherwise",
                limits::PREVIEW_MAX,
                limits::PREVIEW_DEFAULT
            ),
        ),
        ("History per task", format!("{} entries", limits::HISTORY_MAX)),
        ("tags", format!("{}, of {} characters each", limits::TAGS_MAX, limits::TAG_MAX_CHARS)),
        (
            "reminders",
            format!(
                "{}, ids of {} characters",
                limits::REMINDERS_MAX,
                limits::REMINDER_ID_MAX_CHARS
            ),
        ),
        ("commandId, correlationId", format!("{} characters", limits::CORRELATION_MAX_CHARS)),
        ("Any time", format!("{years} years ahead")),
        ("Commands remembered per task", limits::COMMANDS_REMEMBERED.to_string()),
        ("Unpublished changes per task", limits::PENDING_COMMITS_MAX.to_string()),
    ];
    let expected: BTreeMap<&str, &str> =
        expected.iter().map(|(name, text)| (*name, text.as_str())).collect();
    assert_eq!(told, expected);
}

#[test]
fn the_limits_of_users_are_those_of_the_code() {
    let page = page("docs/actor-api.md");
    let told: Vec<&[String]> = page.rows_under("Limits of users");
    let (presets, name) = (limits::SNOOZE_PRESETS_MAX, limits::PRESET_NAME_MAX_CHARS);
    let expected = [
        ["User id".into(), format!("{} characters, one line", limits::PERSON_MAX_CHARS)],
        ["defaultReminders".into(), limits::REMINDERS_MAX.to_string()],
        ["snoozePresets".into(), format!("{presets}, names of {name} characters")],
        ["Commands remembered per user".into(), limits::USER_COMMANDS_REMEMBERED.to_string()],
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_limits_of_the_edge_are_those_of_the_code() {
    let page = page("docs/rest-api.md");
    let told: Vec<&[String]> = page.rows_under("Limits of the edge");
    let mib = rest::BATCH_MAX_BYTES / (1024 * 1024);
    let expected = [
        ("Body of a batch", format!("{mib} MiB, {} commands", rest::BATCH_MAX)),
        ("Nesting of JSON", format!("{} levels", rest::JSON_DEPTH_MAX)),
        (
            "Page",
            format!("{} items, {} unless asked otherwise", rest::PAGE_MAX, rest::PAGE_DEFAULT),
        ),
    ];
    for (what, limit) in expected {
        assert!(told.iter().any(|cells| cells[0] == what && cells[1] == limit), "{what}: {limit}");
    }
}

#[test]
fn the_problems_are_those_of_the_code() {
    let of_page = |path: &str| -> Vec<(String, String)> {
        let page = page(path);
        let rows = page.rows_under("Refusals");
        rows.iter().map(|cells| (cells[0].clone(), cells[1].clone())).collect()
    };
    let slug = |kind: &ProblemKind| kind.type_uri().rsplit('/').next().unwrap().to_owned();
    let all = |of_http: bool| -> Vec<(String, String)> {
        let kinds = ProblemKind::ALL.iter().filter(|kind| kind.is_of_http() == of_http);
        kinds.map(|kind| (slug(kind), kind.status().to_string())).collect()
    };
    assert_eq!(of_page("docs/actor-api.md"), all(false));
    assert_eq!(of_page("docs/rest-api.md"), all(true));
}

#[test]
fn the_topics_are_those_of_the_code() {
    let page = page("docs/events.md");
    let told: Vec<(String, u16, u64, String)> = page
        .rows_under("Topics")
        .iter()
        .map(|cells| {
            let hours = cells[2].strip_suffix(" h").unwrap().parse().unwrap();
            (cells[0].clone(), cells[1].parse().unwrap(), hours, cells[3].clone())
        })
        .collect();
    let all: Vec<(String, u16, u64, String)> = reminder_contract::topics::TOPICS
        .iter()
        .map(|topic| {
            let hours = topic.retention.as_secs() / 3600;
            (topic.name.into(), topic.partitions, hours, topic.cleanup.as_str().into())
        })
        .collect();
    assert_eq!(told, all);
}

#[test]
fn the_metrics_are_those_of_the_code() {
    let page = page("docs/operations.md");
    let rows = page.rows_under("Metrics");
    let told: Vec<[&str; 3]> =
        rows.iter().map(|cells| [&*cells[0], &*cells[1], &*cells[2]]).collect();
    let all: Vec<[&str; 3]> = reminder_scheduler::metrics::TABLE
        .iter()
        .map(|(name, kind, labels)| [*name, *kind, *labels])
        .collect();
    assert_eq!(told, all);
}

#[test]
fn the_log_lines_to_watch_are_logged() {
    let page = page("docs/operations.md");
    let rows = page.rows_under("Logs to watch");
    let mut sources = String::new();
    read_all(&root().join("src"), &mut sources);
    for row in &rows {
        assert!(sources.contains(&row[0]), "nothing logs {:?}", row[0]);
    }
    assert!(!rows.is_empty());
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, text);
        } else {
            *text += &std::fs::read_to_string(path).unwrap();
        }
    }
}
