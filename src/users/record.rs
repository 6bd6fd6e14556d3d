//! How a user's state is stored: two lines of JSON, as a task's is.
//!
//! The index line is `{"s":1,"v":…,"u":…,"p":{preferences},"t":…}`, and `"h"` and `"k"` of a pause: all of it goes into
//! `user_index`. The document holds the rest, the commands that the user remembers.

use crate::turn::record::{UnreadableState, join, lines};
use crate::turn::schema;
use reminder_domain::Timestamp;
use reminder_domain::ids::Person;
use reminder_domain::preferences::Preferences;
use reminder_domain::user::{UserCommandRecord, UserState};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What the trigger reads; `migrations/0003_users.sql` and `0010_pause.sql` document its keys.
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
    /// Until when what a pause missed is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
        k: state.skipped_until.map(Timestamp::as_millis),
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
        skipped_until: line.k.map(Timestamp::from_millis),
        commands: document.commands.into_owned(),
    })
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
            skipped_until: None,
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
        let (paused_since, skipped_until) = (at(1_790_000_000_000), at(1_780_000_000_000));
        let state = UserState { paused_since, skipped_until, ..state("ada", "{}") };
        let bytes = encode(&state);
        assert_eq!(decode(&bytes).unwrap(), state);
        let line = String::from_utf8(bytes).unwrap();
        assert!(line.contains(r#""h":1790000000000,"k":1780000000000}"#), "{line}");
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
