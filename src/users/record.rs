//! How a user's state is stored: two lines of JSON, as a task's is.
//!
//! The index line is `{"s":1,"v":…,"u":…,"p":{preferences},"t":…}`, `"h"` of a pause and `"x"` of those before: all of it goes into
//! `user_index`. The document holds the rest, the commands that the user remembers.

use crate::turn::record::{UnreadableState, join, lines};
use crate::turn::schema;
use reminder_domain::Timestamp;
use reminder_domain::ids::Person;
use reminder_domain::pause::SkippedPause;
use reminder_domain::preferences::Preferences;
use reminder_domain::user::{UserCommandRecord, UserState};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What the trigger reads; `migrations/0003_users.sql`, `0010_pause.sql` and `0017_skipped_pauses.sql` document its keys.
#[derive(Serialize, Deserialize)]
struct IndexLine<'a> {
    s: u32,
    v: u64,
    u: Cow<'a, Person>,
    p: Cow<'a, Preferences>,
    /// Milliseconds since 1970.
    t: i64,
    /// Since when everything is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    h: Option<i64>,
    /// The pauses that are skipped, oldest first: when each began, and when it ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    x: Vec<(i64, i64)>,
    /// Instead of these, from releases before they were kept: when the last one ended.
    #[serde(default, skip_serializing)]
    k: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Document<'a> {
    #[serde(default)]
    commands: Cow<'a, [UserCommandRecord]>,
}

/// Writes a state.
pub fn encode(state: &UserState) -> Vec<u8> {
    let line = IndexLine {
        s: schema::written(),
        v: state.version,
        u: Cow::Borrowed(&state.user_id),
        p: Cow::Borrowed(&state.preferences),
        t: state.updated_at.as_millis(),
        h: state.paused_since.map(Timestamp::as_millis),
        x: written(&state.skipped),
        k: None,
    };
    let document = Document { commands: Cow::Borrowed(&state.commands) };
    join(&line, &document)
}

/// Reads a state.
pub fn decode(bytes: &[u8]) -> Result<UserState, UnreadableState> {
    let damaged = |error: serde_json::Error| UnreadableState::damaged(&error);
    let (line, document) = lines(bytes)?;
    let line: IndexLine<'_> = serde_json::from_slice(line).map_err(damaged)?;
    let document: Document<'_> = serde_json::from_slice(document).map_err(damaged)?;
    Ok(UserState {
        version: line.v,
        updated_at: Timestamp::from_millis(line.t),
        user_id: line.u.into_owned(),
        preferences: line.p.into_owned(),
        paused_since: line.h.map(Timestamp::from_millis),
        skipped: line.k.map_or_else(|| skipped(&line.x), |until| skipped(&[(0, until)])),
        commands: document.commands.into_owned(),
    })
}

/// As the line and the index have them.
fn written(skipped: &[SkippedPause]) -> Vec<(i64, i64)> {
    skipped.iter().map(|pause| (pause.from.as_millis(), pause.until.as_millis())).collect()
}

/// What the line and the index say of skipped pauses.
pub fn skipped(written: &[(i64, i64)]) -> Vec<SkippedPause> {
    let at = Timestamp::from_millis;
    written
        .iter()
        .map(|(from, until)| SkippedPause { from: at(*from), until: at(*until) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_domain::limits;

    /// Where the trigger expects the end of the index line at the latest; see the migration.
    const LINE_MAX_BYTES: usize = 32_768;

    fn state(user: &str, preferences: &str) -> UserState {
        UserState {
            version: 7,
            updated_at: Timestamp::from_millis(1_790_000_000_123),
            user_id: Person::parse(user).unwrap(),
            preferences: serde_json::from_str(preferences).unwrap(),
            paused_since: None,
            skipped: Vec::new(),
            commands: vec![UserCommandRecord { id: Some(u64::MAX), fingerprint: 1, version: 7 }],
        }
    }

    #[test]
    fn a_state_survives_and_its_line_says_what_the_trigger_reads() {
        let state = state("ada@example.org", r#"{"zone":"Europe/Berlin"}"#);
        let bytes = encode(&state);
        assert_eq!(decode(&bytes).unwrap(), state);
        let text = String::from_utf8(bytes).unwrap();
        let (line, document) = text.split_once('\n').unwrap();
        let start = r#"{"s":1,"v":7,"u":"ada@example.org","p":{"zone":"Europe/Berlin","#;
        assert!(line.starts_with(start) && line.ends_with(r#","t":1790000000123}"#), "{line}");
        assert_eq!(document, r#"{"commands":[{"i":18446744073709551615,"f":1,"v":7}]}"#);
    }

    #[test]
    fn a_pause_is_in_the_line_as_well() {
        let at = |ms| Some(Timestamp::from_millis(ms));
        let skipped = skipped(&[
            (1_770_000_000_000, 1_780_000_000_000),
            (1_781_000_000_000, 1_782_000_000_000),
        ]);
        let paused_since = at(1_790_000_000_000);
        let state = UserState { paused_since, skipped, ..state("ada", "{}") };
        let bytes = encode(&state);
        assert_eq!(decode(&bytes).unwrap(), state);
        let line = String::from_utf8(bytes).unwrap();
        assert!(line.contains(r#""h":1790000000000,"x":[[1770000000000,1780000000000],[1781000000000,1782000000000]]}"#), "{line}");
    }

    #[test]
    fn a_pause_that_an_older_release_skipped_is_one_of_unknown_beginning() {
        let line = r#"{"s":1,"v":7,"u":"ada","p":{},"t":1790000000123,"k":1780000000000}"#;
        let state = decode(format!("{line}\n{{}}").as_bytes()).unwrap();
        assert_eq!(state.skipped, skipped(&[(0, 1_780_000_000_000)]));
    }

    #[test]
    fn what_is_not_ours_is_told_apart() {
        assert!(matches!(decode(b"{\"s\":2}\n{}"), Err(UnreadableState::Newer { found: 2 })));
        for damaged in [&b""[..], b"{}", b"\n{}", b"{\"s\":1}\n{}"] {
            assert!(matches!(decode(damaged), Err(UnreadableState::Damaged(_))));
        }
    }

    #[test]
    fn the_largest_preferences_fit_the_index_line() {
        let id = |n: usize, max: usize| format!("{n:->max$}", max = max - 1);
        let far = limits::OFFSET_MAX_DAYS;
        let reminders: Vec<String> = (0..limits::REMINDERS_MAX)
            .map(|n| {
                let id = id(n, limits::REMINDER_ID_MAX_CHARS);
                format!(
                    r#"{{"id":"r{id}","at":{{"local":"2037-12-31T23:59:59.999","zone":"America/Argentina/ComodRivadavia"}},"nag":{{"every":"PT23H59M59S","max":{}}},"lateLimit":"P{far}DT23H59M59S"}}"#,
                    limits::NAG_MAX
                )
            })
            .collect();
        let presets: Vec<String> = (0..limits::SNOOZE_PRESETS_MAX)
            .map(|n| {
                let id = id(n, limits::PRESET_NAME_MAX_CHARS);
                format!(r#""p{id}":{{"days":7000,"at":"23:59"}}"#)
            })
            .collect();
        let preferences = format!(
            r#"{{"zone":"America/Argentina/ComodRivadavia","defaultTime":"23:59","defaultReminders":[{}],"quietHours":{{"from":"22:00","to":"07:00"}},"snoozePresets":{{{}}}}}"#,
            reminders.join(","),
            presets.join(",")
        );
        let user = "\"😀".repeat(limits::PERSON_MAX_CHARS / 2);
        let bytes = encode(&state(&user, &preferences));
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        assert!((LINE_MAX_BYTES / 4..LINE_MAX_BYTES / 2 + 2048).contains(&line), "{line} bytes");
    }
}
