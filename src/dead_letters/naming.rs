//! Whether a letter names a user, for an erasure.
//!
//! An id may be as short as `42`, so it does not do that its bytes stand somewhere. In JSON a whole text must be
//! the id, however it is escaped; in anything else it must stand as a word.

use reminder_domain::ids::Person;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// How many times a text within JSON is read as JSON itself: the sidecar wraps an envelope that was published
/// as plain JSON in one of its own. A bound, for each costs stack.
const WRAPPED_MAX: u8 = 4;

/// Whether a value names a user, or headers do, which are kept as JSON.
pub fn value_names(value: &[u8], user: &Person) -> bool {
    Seeker { user: user.as_str(), wrapped: WRAPPED_MAX }
        .in_json(value)
        .unwrap_or_else(|| words_name(&String::from_utf8_lossy(value), user))
}

/// Whether the id of a user stands in words: it is no part of a longer id, before or after.
pub fn words_name(text: &str, user: &Person) -> bool {
    let id = user.as_str();
    // At each place, for an id may begin again within itself.
    text.char_indices().any(|(at, _)| {
        let after = text[at..].strip_prefix(id);
        after.is_some_and(|after| !goes_on(after.chars()) && !goes_on(text[..at].chars().rev()))
    })
}

/// Whether what stands beside an id makes it a longer one. A full stop or a dash does only with more of an id behind
/// it: a sentence may end with the name.
fn goes_on(mut beside: impl Iterator<Item = char>) -> bool {
    let of_ids = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@');
    match beside.next() {
        Some('.' | '-') => beside.next().is_some_and(of_ids),
        next => next.is_some_and(of_ids),
    }
}

/// Looks for a text in JSON, at any depth, names of fields as well. Not in a `Value`, which keeps only one of
/// several fields of the same name.
#[derive(Clone, Copy)]
struct Seeker<'a> {
    user: &'a str,
    wrapped: u8,
}

impl Seeker<'_> {
    /// Whether it is there; `None`: this is no JSON, or nothing but a number or a word.
    fn in_json(self, bytes: &[u8]) -> Option<bool> {
        if !matches!(bytes.trim_ascii_start().first()?, b'{' | b'[' | b'"') {
            return None;
        }
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let found = json.deserialize_any(self).ok()?;
        json.end().ok()?;
        Some(found)
    }
}

impl<'de> DeserializeSeed<'de> for Seeker<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seeker<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        let within = |wrapped| Self { wrapped, ..self }.in_json(text.as_bytes()).unwrap_or(false);
        Ok(text == self.user || self.wrapped.checked_sub(1).is_some_and(within))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(item) = items.next_element_seed(self)? {
            found |= item;
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(name) = fields.next_key_seed(self)? {
            found |= name | fields.next_value_seed(self)?;
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(value: &str, user: &str) -> bool {
        value_names(value.as_bytes(), &Person::parse(user).unwrap())
    }

    #[test]
    fn a_whole_text_of_json_names_a_user_however_it_is_written() {
        for value in [
            r#"{"userId":"Zoë"}"#,
            r#"{"userId":"Zo\u00eb"}"#,
            r#" {"data":[{"by":{"\u005ao\u00EB":true}}]} "#,
            r#"{"userId":"Zoë","userId":"Bob"}"#,
            r#"["Zoë",{"n":[1,-1,1.5,null,true]}]"#,
            r#""Zo\u00eb""#,
            r#"{"data":"{\"userId\":\"Zo\\u00eb\"}"}"#,
        ] {
            assert!(names(value, "Zoë"), "{value}");
        }
        for value in [
            r#"{"userId":"Zoë B"}"#,
            r#"{"title":"call Zoë"}"#,
            r#"{"data":"{\"title\":\"call Zoë\"}"}"#,
            r#"{"title":"{ Zoë"}"#,
            "[]",
        ] {
            assert!(!names(value, "Zoë"), "{value}");
        }
        assert!(names(r#"{"u":"a\"d\\e"}"#, r#"a"d\e"#), "what has to be escaped");
        assert!(names(r#"{"u":"\ud83d\ude00"}"#, "😀"), "in two halves");
    }

    #[test]
    fn a_short_id_is_not_found_in_numbers_nor_in_other_texts() {
        let of_other = r#"{"id":"0042-42-b","time":"2027-03-01T09:42:00Z","n":42,"userId":"7"}"#;
        assert!(!names(of_other, "42"));
        assert!(names(of_other, "7"));
    }

    #[test]
    fn in_what_is_no_json_an_id_must_stand_as_a_word() {
        for value in [
            "42",
            "user 42 failed",
            "(42)",
            "user=42;",
            "of 42.",
            "42 - no",
            "42...",
            "-42-",
            r#"{"userId":"42""#,
            "x42 42",
        ] {
            assert!(names(value, "42"), "{value}");
        }
        for value in ["142", "42nd", "4-42", "42.5", "42@example.org", "_42", "é42", "42é", ""] {
            assert!(!names(value, "42"), "{value}");
        }
        assert!(names("xa a a", "a a"), "where it begins within itself");
        assert!(
            value_names(b"\xff42\xff", &Person::parse("42").unwrap()),
            "whatever else there is"
        );
    }

    #[test]
    fn json_within_json_is_looked_into_up_to_a_bound() {
        let wrap = |json: String| serde_json::json!([json]).to_string();
        let wrapped = |times: u8| (0..times).fold(r#"["ada"]"#.to_owned(), |json, _| wrap(json));
        assert!(names(&wrapped(WRAPPED_MAX), "ada"));
        assert!(!names(&wrapped(WRAPPED_MAX + 1), "ada"));
        // Too deep for JSON that is read: words, then.
        let deep = "[".repeat(100_000) + r#""ada""#;
        assert!(names(&deep, "ada") && !names(&deep, "ad"));
    }
}
