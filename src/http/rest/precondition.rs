//! `If-Match` and `If-None-Match` (RFC 9110 §13.1) as what a command expects of the version.

use axum::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use reminder_contract::Problem;

/// What a command expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Nothing.
    Anything,
    /// It must be there, at any version.
    Existing,
    /// It must be at this version.
    Version(u64),
    /// It must not be there.
    Absent,
    /// A weak tag, which names no version to the letter: it never holds.
    Never,
}

impl Expected {
    /// Reads the headers of a command.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        match (text(headers, &IF_MATCH)?, text(headers, &IF_NONE_MATCH)?) {
            (None, None) => Ok(Self::Anything),
            (Some(_), Some(_)) => {
                Err(Problem::invalid("if-none-match", "cannot be combined with if-match"))
            }
            (Some("*"), None) => Ok(Self::Existing),
            (Some(tag), None) => match (version(tag), tag.strip_prefix("W/").and_then(version)) {
                (Some(version), _) => Ok(Self::Version(version)),
                (None, Some(_)) => Ok(Self::Never),
                (None, None) => {
                    Err(Problem::invalid("if-match", "must be one ETag, such as \"3\", or *"))
                }
            },
            (None, Some("*")) => Ok(Self::Absent),
            (None, Some(_)) => Err(Problem::invalid("if-none-match", "must be * here")),
        }
    }

    /// The version that an actor is told; a version that is only known by reading it is none.
    pub(super) fn version(self) -> Option<u64> {
        match self {
            Self::Version(version) => Some(version),
            Self::Absent => Some(0),
            Self::Anything | Self::Existing | Self::Never => None,
        }
    }
}

/// Whether a caller who reads knows this version already. Weak tags are as good as strong ones here.
pub(super) fn is_known(headers: &HeaderMap, at: u64) -> Result<bool, Problem> {
    let Some(text) = text(headers, &IF_NONE_MATCH)? else { return Ok(false) };
    let known = |tag: &str| version(tag.trim_start_matches("W/")) == Some(at);
    Ok(text == "*" || text.split(',').map(str::trim).any(known))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let text = headers.get(name).map(|value| value.to_str().map(str::trim)).transpose();
    text.map_err(|_| Problem::invalid(name.as_str(), "must be visible ASCII characters"))
}

/// The version that a strong tag names.
fn version(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    // `+7` would be read as a number as well.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_command_expects_what_its_headers_say() {
        assert_eq!(Expected::of(&HeaderMap::new()).unwrap(), Expected::Anything);
        for (text, expected) in [
            ("\"3\"", Expected::Version(3)),
            (" \"3\" ", Expected::Version(3)),
            ("*", Expected::Existing),
            ("W/\"3\"", Expected::Never),
        ] {
            assert_eq!(Expected::of(&headers(IF_MATCH, text)).unwrap(), expected, "{text}");
        }
        assert_eq!(Expected::of(&headers(IF_NONE_MATCH, "*")).unwrap().version(), Some(0));
        for text in ["3", "\"3", "\"+3\"", "\"a\"", "\"1\", \"2\"", ""] {
            let problem = Expected::of(&headers(IF_MATCH, text)).unwrap_err();
            assert_eq!(problem.field.as_deref(), Some("if-match"), "{text}");
        }
        assert!(Expected::of(&headers(IF_NONE_MATCH, "\"3\"")).is_err());
    }

    #[test]
    fn a_reader_knows_the_versions_it_names() {
        let known = |text, at| is_known(&headers(IF_NONE_MATCH, text), at).unwrap();
        assert!(known("\"3\"", 3) && known("W/\"3\"", 3) && known("\"1\", \"3\"", 3));
        assert!(known("*", 3));
        assert!(!known("\"3\"", 4) && !known("3", 3));
        assert!(!is_known(&HeaderMap::new(), 3).unwrap());
    }
}
