//! Settings from the texts they are given as; a reason reads on from the name of its setting.

use super::Secret;
use crate::watch::settings as watch;
use std::path::Path;
use std::time::Duration;

/// The URL of the database, given or in a file, but not both.
pub(crate) fn database_url(file: Option<&Path>, given: &str) -> Result<Secret, String> {
    let text = match (file, given) {
        (Some(_), given) if !given.is_empty() => {
            return Err("and DATABASE_URL_FILE are both given: use one".into());
        }
        (Some(file), _) => std::fs::read_to_string(file)
            .map_err(|error| format!("_FILE {} cannot be read: {error}", file.display()))?,
        (None, "") => {
            return Err("is missing: give it, or a file with it as DATABASE_URL_FILE".into());
        }
        (None, given) => given.to_owned(),
    };
    let url = text.trim();
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(Secret::new(url.to_owned()))
    } else {
        Err("must start with postgres:// or postgresql://".into())
    }
}

/// The token of direct callers, given or in a file, but not both. It travels in a header.
pub(super) fn rest_token(file: Option<&Path>, given: String) -> Result<Option<Secret>, String> {
    let text = match file {
        Some(_) if !given.is_empty() => {
            return Err("and REST_TOKEN_FILE are both given: use one".into());
        }
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| format!("_FILE {} cannot be read: {error}", file.display()))?,
        None => given,
    };
    let token = text.trim();
    if file.is_some() && token.is_empty() {
        return Err("_FILE holds no token".into());
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be visible ASCII characters without spaces".into());
    }
    Ok(Secret::non_empty(token.to_owned()))
}

/// Names of hosts, separated by commas, as a `Host` header has them without its port.
pub(super) fn host_names(text: &str) -> Result<Vec<String>, String> {
    let name = |name: &str| {
        let fits =
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte));
        let port = name.rsplit_once(':').is_some_and(|(name, _)| !name.contains(':'));
        if fits && !port {
            return Ok(name.to_ascii_lowercase());
        }
        Err(format!("must be names such as reminders.example, without ports, but has {name:?}"))
    };
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(name).collect()
}

/// What the console offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleMode {
    /// There is none.
    Off,
    /// Whoever may call the REST edge may look.
    Read,
    /// And may repair, snooze and complete.
    Act,
}

/// What the console offers; `token`: direct callers show one; `open`: those of this host need none.
pub(super) fn console(text: &str, token: bool, open: bool) -> Result<ConsoleMode, &'static str> {
    let answered = token || open;
    match text {
        "" | "read" if answered => Ok(ConsoleMode::Read),
        "" | "off" => Ok(ConsoleMode::Off),
        "act" if token => Ok(ConsoleMode::Act),
        "act" => Err("act needs REST_TOKEN or JWT_JWKS"),
        "read" => Err(
            "read needs REST_TOKEN or JWT_JWKS, since direct callers are not answered without it",
        ),
        _ => Err("must be off, read or act"),
    }
}

pub(crate) fn horizon_ms(text: &str) -> Result<Option<i64>, String> {
    if text == "infinite" {
        return Ok(None);
    }
    let horizon = humantime::parse_duration(text)
        .map_err(|error| format!("is neither \"infinite\" nor a duration such as 1h: {error}"))?;
    i64::try_from(horizon.as_millis()).map(Some).map_err(|_| "is too long; use infinite".into())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("is no duration: {error}"))
}

pub(super) fn positive(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration.is_zero() { Err("must be longer than nothing".into()) } else { Ok(duration) }
}

pub(super) fn quiet(text: &str) -> Result<Option<Duration>, String> {
    if text == "off" {
        return Ok(None);
    }
    let quiet = duration(text)?;
    if quiet < watch::QUIET_MIN {
        Err("must be off, or 1s or more".into())
    } else {
        Ok(Some(quiet))
    }
}

pub(super) fn otlp_endpoint(text: String) -> Result<Option<String>, &'static str> {
    if text.is_empty() || text.starts_with("http://") || text.starts_with("https://") {
        Ok((!text.is_empty()).then_some(text))
    } else {
        Err("must be a URL such as http://127.0.0.1:4317")
    }
}

pub(super) fn component(name: String) -> Result<String, &'static str> {
    if name.trim().is_empty() { Err("must name a Dapr component") } else { Ok(name) }
}

pub(super) fn count(count: usize) -> Result<usize, &'static str> {
    let bounds = 1..=100_000;
    if bounds.contains(&count) { Ok(count) } else { Err("must lie between 1 and 100000") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_there_where_callers_are_answered_and_acts_by_a_token_alone() {
        let of = |text, token, open| console(text, token, open);
        assert_eq!(of("", false, true), Ok(ConsoleMode::Read));
        assert_eq!(of("", true, false), Ok(ConsoleMode::Read));
        assert_eq!(of("", false, false), Ok(ConsoleMode::Off));
        assert_eq!(of("off", true, true), Ok(ConsoleMode::Off));
        assert_eq!(of("act", true, false), Ok(ConsoleMode::Act));
        assert!(of("act", false, true).is_err());
        assert!(of("read", false, false).is_err());
        assert!(of("on", true, true).is_err());
    }
}
