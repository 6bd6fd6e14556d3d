//! The bodies of a user's actor methods, both ways.

use super::body::{Plain, PutPreferencesBody, ResumeBody};
use super::command::{parse_plain, required};
use super::or_empty;
use super::read::read;
use super::{check_size, to_json};
use crate::data::shown;
use crate::problem::Problem;
use reminder_domain::Timestamp;
use reminder_domain::ids::Person;
use reminder_domain::limits::PAYLOAD_MAX_BYTES;
use reminder_domain::preferences::{KnownPreferences, Preferences};
use reminder_domain::user::{UserCommand, UserCommandKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use xxhash_rust::xxh3::xxh3_64;

/// Parses the body of a user's `put`, as strictly as those of tasks.
///
/// # Errors
/// A problem that names the field at fault, as a path such as `preferences.quietHours.to`.
pub fn parse_user_put(body: &[u8]) -> Result<UserCommand, Problem> {
    check_size(body, PAYLOAD_MAX_BYTES)?;
    let mut body: PutPreferencesBody = required(body, "preferences")?;
    let plain = body.plain();
    if plain.as_user.is_some() {
        return Err(Problem::invalid("asUser", "is for tasks: a user's actor is that of the user"));
    }
    let preferences = Preferences::try_from(body.preferences).map_err(|error| {
        Problem::invalid(format!("preferences.{}", error.field()), &error.to_string())
    })?;
    let said = to_json(&(plain.if_version, &preferences));
    Ok(command(plain, UserCommandKind::Put(Box::new(preferences)), &said))
}

/// Parses the body of a user's `pause`.
///
/// # Errors
/// A problem that names the field at fault.
pub fn parse_user_pause(body: &[u8]) -> Result<UserCommand, Problem> {
    check_size(body, PAYLOAD_MAX_BYTES)?;
    let plain = parse_plain(body)?;
    let said = to_json(&("pause", plain.if_version));
    Ok(command(plain, UserCommandKind::Pause, &said))
}

/// Parses the body of a user's `resume`.
///
/// # Errors
/// A problem that names the field at fault.
pub fn parse_user_resume(body: &[u8]) -> Result<UserCommand, Problem> {
    check_size(body, PAYLOAD_MAX_BYTES)?;
    let mut body: ResumeBody = read(or_empty(body))?;
    let (plain, missed) = (body.plain(), body.missed);
    let said = to_json(&("resume", plain.if_version, missed));
    Ok(command(plain, UserCommandKind::Resume { missed }, &said))
}

/// A command by what it asks for, as it was understood: spelling, the order of keys and defaults left
/// out make no difference.
fn command(plain: Plain, kind: UserCommandKind, said: &[u8]) -> UserCommand {
    UserCommand {
        id: plain.id(),
        fingerprint: xxh3_64(said),
        if_version: plain.if_version,
        origin: plain.origin(),
        kind,
    }
}

/// The answer to a `put` that was applied, now or before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserAnswer<'a> {
    /// The user.
    #[schemars(with = "String")]
    pub user_id: Cow<'a, Person>,
    /// The version that the command led to.
    pub version: u64,
}

impl UserAnswer<'_> {
    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// The answer to a `pause` or a `resume` that was applied, now or before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserPaused<'a> {
    /// The user.
    #[schemars(with = "String")]
    pub user_id: Cow<'a, Person>,
    /// The version that the command led to.
    pub version: u64,
    /// Since when everything of the user is paused; missing when nothing is.
    #[schemars(with = "Option<shown::Instant>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_since: Option<Timestamp>,
    /// How many tasks have yet to follow.
    pub tasks: UserTasks,
}

impl UserPaused<'_> {
    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// The answer to a user's `get`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserView<'a> {
    /// The user.
    #[schemars(with = "String")]
    pub user_id: Cow<'a, Person>,
    /// Counts the changes of the preferences, pauses and resumptions; 0 when the user never said
    /// anything.
    pub version: u64,
    /// Since when everything of the user is paused; missing when nothing is.
    #[schemars(with = "Option<shown::Instant>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_since: Option<Timestamp>,
    /// What holds, the defaults included.
    #[schemars(with = "crate::rest::shown::Preferences")]
    pub preferences: Cow<'a, Preferences>,
    /// How far the tasks have followed.
    pub tasks: UserTasks,
}

/// How far a user's tasks have followed the last change, of the preferences or of a pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserTasks {
    /// Tasks that are pending or in progress.
    pub open: u64,
    /// Those of them that still follow older preferences, or older rules of their zones.
    pub outdated: u64,
}

impl<'a> UserView<'a> {
    /// Shows what is known of a user.
    pub fn new(user: &'a Person, known: &'a KnownPreferences, tasks: UserTasks) -> Self {
        Self {
            user_id: Cow::Borrowed(user),
            version: known.version,
            paused_since: known.paused_since,
            preferences: Cow::Borrowed(&known.preferences),
            tasks,
        }
    }

    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_domain::limits;

    fn refused(body: &str) -> (u16, Option<String>) {
        let problem = parse_user_put(body.as_bytes()).unwrap_err();
        (problem.status, problem.field.clone())
    }

    #[test]
    fn a_refusal_names_its_field() {
        let many = |count: usize, entry: &dyn Fn(usize) -> String| {
            (0..count).map(entry).collect::<Vec<_>>().join(",")
        };
        let reminders =
            many(limits::REMINDERS_MAX + 1, &|n| format!(r#"{{"id":"r{n}","before":"P1D"}}"#));
        let presets = many(limits::SNOOZE_PRESETS_MAX + 1, &|n| format!(r#""p{n}":"PT5M""#));
        for (preferences, field) in [
            (r#"{"zone":"Europe/Atlantis"}"#, "preferences.zone"),
            (r#"{"zoen":"Europe/Berlin"}"#, "preferences.zoen"),
            (r#"{"defaultTime":"25:00"}"#, "preferences.defaultTime"),
            (r#"{"defaultTime":9}"#, "preferences.defaultTime"),
            (r#"{"quietHours":{"from":"22:00","to":"7"}}"#, "preferences.quietHours.to"),
            (r#"{"quietHours":{"from":"22:00","to":"22:00"}}"#, "preferences.quietHours"),
            (r#"{"quietHours":["22:00","07:00"]}"#, "preferences.quietHours"),
            (r#"{"defaultReminders":[{"id":"a"}]}"#, "preferences.defaultReminders[0]"),
            (
                r#"{"defaultReminders":[{"id":"a","before":"P1D"},{"id":"a","before":"P2D"}]}"#,
                "preferences.defaultReminders[1].id",
            ),
            (&format!(r#"{{"defaultReminders":[{reminders}]}}"#), "preferences.defaultReminders"),
            (&format!(r#"{{"snoozePresets":{{{presets}}}}}"#), "preferences.snoozePresets"),
            (r#"{"snoozePresets":{"nap":"soon"}}"#, "preferences.snoozePresets.nap"),
            (
                r#"{"snoozePresets":{"nap":{"days":1,"time":"08:00"}}}"#,
                "preferences.snoozePresets.nap.time",
            ),
            ("[]", "preferences"),
            ("null", "preferences"),
        ] {
            let body = format!(r#"{{"preferences":{preferences}}}"#);
            assert_eq!(refused(&body), (422, Some(field.to_owned())), "{body}");
        }
        assert_eq!(refused(""), (422, Some("preferences".into())));
        assert_eq!(refused("{}"), (422, Some("preferences".into())));
        assert_eq!(
            refused(r#"{"preferences":{},"ifVersion":-1}"#),
            (422, Some("ifVersion".into()))
        );
        assert_eq!(refused("{"), (422, None));
        assert_eq!(refused(&" ".repeat(limits::PAYLOAD_MAX_BYTES + 1)), (413, None));
    }

    #[test]
    fn the_fingerprint_is_that_of_the_meaning() {
        let parse = |body: &str| parse_user_put(body.as_bytes()).unwrap();
        let one = parse(r#"{"commandId":"a","preferences":{"zone":"Asia/Tokyo"}}"#);
        let same =
            parse(r#"{"preferences":{"defaultTime":"09:00","zone":"Asia/Tokyo"},"commandId":"b"}"#);
        assert_eq!(one.fingerprint, same.fingerprint);
        assert_ne!(one.id, same.id);
        for other in [
            r#"{"preferences":{"zone":"Asia/Seoul"}}"#,
            r#"{"preferences":{"zone":"Asia/Tokyo"},"ifVersion":0}"#,
        ] {
            assert_ne!(one.fingerprint, parse(other).fingerprint, "{other}");
        }
    }

    #[test]
    fn a_view_shows_the_defaults() {
        let (user, known) = (Person::parse("ada").unwrap(), KnownPreferences::default());
        let view = UserView::new(&user, &known, UserTasks::default());
        let json = String::from_utf8(view.to_json()).unwrap();
        assert!(
            json.starts_with(r#"{"userId":"ada","version":0,"preferences":{"zone":"UTC""#),
            "{json}"
        );
        assert!(json.ends_with(r#""tasks":{"open":0,"outdated":0}}"#), "{json}");
        assert_eq!(serde_json::from_str::<UserView<'_>>(&json).unwrap(), view);
    }
}
