//! Identifiers and short texts, valid by construction: each is parsed once, at the boundary.

use crate::limits;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that is not what its type promises; the message says what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidText(pub String);

/// Declares a newtype over `String` whose only constructor is a checking `parse`.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses the text; the error says what a valid one looks like.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidText> {
                let text = text.into();
                let check: fn(&str) -> Result<(), String> = $check;
                check(&text).map_err(InvalidText)?;
                Ok(Self(text))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;
            fn try_from(text: String) -> Result<Self, InvalidText> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_type!(
    /// The id of a task, which is also the actor id and the Kafka key.
    ///
    /// Only `[A-Za-z0-9][A-Za-z0-9_-]{0,127}`: an id with `||` breaks Dapr's reminder listing for
    /// the whole actor type, and `/ \ # ?` and spaces are refused by Dapr late, with a 500.
    TaskId,
    |text| check_id(text, limits::TASK_ID_MAX_CHARS)
);
text_type!(
    /// The id of a reminder, unique within its task.
    ReminderId,
    |text| check_id(text, limits::REMINDER_ID_MAX_CHARS)
);
text_type!(
    /// The name of a snooze preset, such as `later`.
    PresetName,
    |text| check_id(text, limits::PRESET_NAME_MAX_CHARS)
);
text_type!(
    /// A task's title: one line, not blank.
    Title,
    |text| {
        if text.trim().is_empty() {
            return Err("must not be empty".into());
        }
        check_line(text, limits::TITLE_MAX_CHARS)
    }
);
text_type!(
    /// A task's description; line breaks are allowed.
    Description,
    |text| check_chars(text, limits::DESCRIPTION_MAX_CHARS)
);
text_type!(
    /// A person or system: any one-line text, e-mail addresses included.
    Person,
    |text| {
        if text.trim().is_empty() {
            return Err("must not be empty; leave the field out instead".into());
        }
        check_line(text, limits::PERSON_MAX_CHARS)
    }
);
text_type!(
    /// A tag: one line, not blank.
    Tag,
    |text| {
        if text.trim().is_empty() {
            return Err("must not be empty".into());
        }
        check_line(text, limits::TAG_MAX_CHARS)
    }
);
text_type!(
    /// The caller's own id for a command or a flow: visible ASCII, so that it fits a header.
    CorrelationId,
    |text| {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("must be visible ASCII characters without spaces".into());
        }
        check_chars(text, limits::CORRELATION_MAX_CHARS)
    }
);
text_type!(
    /// A W3C trace context parent, `00-<32 hex>-<16 hex>-<2 hex>`
    /// (<https://www.w3.org/TR/trace-context/#traceparent-header>).
    Traceparent,
    |text| {
        let parts: Vec<&str> = text.split('-').collect();
        let lower_hex = |part: &&str| {
            part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        if lengths == [2, 32, 16, 2] && parts.iter().all(lower_hex) && parts[0] != "ff" {
            Ok(())
        } else {
            Err("must be a W3C traceparent of version 00".into())
        }
    }
);

fn check_id(text: &str, max: usize) -> Result<(), String> {
    let shape_ok = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if shape_ok && text.len() <= max {
        return Ok(());
    }
    Err(format!(
        "must be 1 to {max} characters of A-Z, a-z, 0-9, '_' and '-', starting with a letter or digit"
    ))
}

fn check_line(text: &str, max: usize) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        return Err("must be one line without control characters".into());
    }
    check_chars(text, max)
}

fn check_chars(text: &str, max: usize) -> Result<(), String> {
    let chars = text.chars().count();
    if chars > max {
        return Err(format!("must be at most {max} characters, but has {chars}"));
    }
    if text.contains('\0') {
        return Err("must not contain the character U+0000".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_ids_that_dapr_would_choke_on_are_refused() {
        for bad in ["", "a/b", "a||b", "a b", "a#b", "a?b", "a\\b", "a.b", "-a", "_a", "ä"] {
            assert!(TaskId::parse(bad).is_err(), "{bad:?} must be refused");
        }
        assert!(TaskId::parse("a".repeat(129)).is_err());
        for good in ["a", "7", "milk-7_B", &"a".repeat(128)] {
            assert!(TaskId::parse(good).is_ok(), "{good:?} must be accepted");
        }
    }

    #[test]
    fn traceparents_are_checked_whole() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(Traceparent::parse(good).is_ok());
        assert!(Traceparent::parse(good.to_uppercase()).is_err());
        assert!(Traceparent::parse(&good[1..]).is_err());
    }

    #[test]
    fn titles_are_one_line_and_bounded() {
        assert!(Title::parse("  ").is_err());
        assert!(Title::parse("a\nb").is_err());
        assert!(Title::parse("ä".repeat(limits::TITLE_MAX_CHARS)).is_ok());
        assert!(Title::parse("a".repeat(limits::TITLE_MAX_CHARS + 1)).is_err());
    }
}
