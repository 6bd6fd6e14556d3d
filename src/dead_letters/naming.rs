//! Whether a letter names a user, for an erasure.
//!
//! An id may be as short as `42`, so it does not do that its bytes stand somewhere. In JSON a whole text must be
//! the id, however it is escaped; in anything else it must stand as a word. What we say of a letter ourselves has
//! numbers of its own: a partition is nobody's name.

use reminder_contract::dead_letter::{
    ATTEMPTS, CORRELATION_ID, EVENT_ID, HEADERS, PROBE, REPLAY_OF,
};
use reminder_domain::ids::Person;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// How many times a text within JSON is read as JSON itself: the sidecar wraps an envelope that was published
/// as plain JSON in one of its own. A bound, for each costs stack.
const WRAPPED_MAX: u8 = 4;

/// Whether a value names a user.
pub fn value_names(value: &[u8], user: &Person) -> bool {
    Seeker::of(user).in_json(value).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(value);
        words_name(&text, user) || text.contains('\\') && words_name(&unescaped(&text), user)
    })
}

/// Whether the headers of a letter name a user: those that the publisher has chosen.
pub fn headers_name(headers: &BTreeMap<String, String>, user: &Person) -> bool {
    let chosen = |name: &&str| [EVENT_ID, CORRELATION_ID].contains(name);
    let ours = |name: &str| HEADERS.iter().any(|our| !chosen(our) && *our == name);
    let of_ours = |name: &str| ours(name) || [ATTEMPTS, REPLAY_OF, PROBE].contains(&name);
    let is = |text: &str| Seeker::of(user).is_or_wraps(text);
    headers.iter().any(|(name, text)| !of_ours(name) && is(text))
}

/// Whether what is said of a letter names a user. A number counts only as a quotation, for there are lines, columns and
/// limits in such a sentence.
pub fn detail_names(detail: &str, user: &Person) -> bool {
    let id = user.as_str();
    if !id.chars().all(|c| c.is_ascii_digit()) {
        return words_name(detail, user);
    }
    ['"', '`', '\''].iter().any(|mark| detail.contains(&format!("{mark}{id}{mark}")))
}

/// Whether the id of a user stands in words: it is no part of a longer id, before or after.
fn words_name(text: &str, user: &Person) -> bool {
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

/// The text with the escapes of JSON undone, where it is no JSON as a whole: its end may have been cut off.
fn unescaped(text: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let escape = (c == '\\').then(|| rest.clone().next()).flatten();
        match escape {
            Some('u') => {
                let digits = rest.as_str().get(1..5);
                let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
                units.push(unit.unwrap_or(u16::from(b'u')));
                rest.by_ref().take(if unit.is_some() { 5 } else { 1 }).for_each(drop);
            }
            Some(plain @ ('"' | '\\' | '/')) => {
                units.extend(plain.encode_utf16(&mut [0; 2]).iter());
                rest.next();
            }
            // The others stand for white space: what is on either side is a word of its own.
            Some('b' | 'f' | 'n' | 'r' | 't') => {
                units.push(u16::from(b' '));
                rest.next();
            }
            _ => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
        }
    }
    String::from_utf16_lossy(&units)
}

/// Looks for a text in JSON, at any depth, names of fields as well. Not in a `Value`, which keeps only one of
/// several fields of the same name.
#[derive(Clone, Copy)]
struct Seeker<'a> {
    user: &'a str,
    wrapped: u8,
}

impl<'a> Seeker<'a> {
    fn of(user: &'a Person) -> Self {
        Self { user: user.as_str(), wrapped: WRAPPED_MAX }
    }

    /// Whether a text is the one that is looked for, or is JSON that has it.
    fn is_or_wraps(self, text: &str) -> bool {
        let within = |wrapped| Self { wrapped, ..self }.in_json(text.as_bytes()).unwrap_or(false);
        text == self.user || self.wrapped.checked_sub(1).is_some_and(within)
    }

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
        Ok(self.is_or_wraps(text))
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
    fn what_is_said_of_a_letter_is_no_name_unless_somebody_is_quoted() {
        let headers = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let user = Person::parse("42").unwrap();
        for name in HEADERS.into_iter().chain([ATTEMPTS, REPLAY_OF, PROBE]) {
            let chosen = [EVENT_ID, CORRELATION_ID].contains(&name);
            assert_eq!(headers_name(&headers(&[(name, "42")]), &user), chosen, "{name}");
        }
        assert!(headers_name(&headers(&[("by", "42")]), &user));
        assert!(headers_name(&headers(&[("by", r#"{"user":"42"}"#)]), &user));
        assert!(!headers_name(&headers(&[("by", "142"), ("42", "by")]), &user));
        for detail in ["is not JSON: at line 1 column 42", "at most 64, but there are 42"] {
            assert!(!detail_names(detail, &user), "{detail}");
        }
        for detail in [r#"the user "42" is nobody"#, "unknown variant `42`", "user '42'"] {
            assert!(detail_names(detail, &user), "{detail}");
        }
        let ada = Person::parse("ada@example.org").unwrap();
        assert!(detail_names("nothing reaches ada@example.org.", &ada));
    }

    #[test]
    fn escapes_are_undone_in_what_is_no_json_as_well() {
        for (value, user) in [
            (r#"{"userId":"Zo\u00eb","title":"cut"#, "Zoë"),
            (r#"{"userId":"\ud83d\ude00","title":"cut"#, "😀"),
            (r#"{"userId":"CORP\\ada","title":"cut"#, r"CORP\ada"),
            (r#"{"text":"a\nada\tb"#, "ada"),
            (r#"{"userId":"a\/b""#, "a/b"),
        ] {
            assert!(names(value, user), "{value}");
        }
        assert!(!names(r#"{"userId":"\u0061da"#, "da"));
        assert!(names("\\u12", "u12") && !names("\\", "a"), "what is no escape stays");
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
