//! Ids of users as actor ids.
//!
//! A user id is any one-line text, often an e-mail address; an actor id must hold none of `| / \ # ?`,
//! spaces and dots. So letters, digits and `-` stay, and every other byte of the UTF-8 text becomes
//! `_` and two lower-case hexadecimal digits: `ada@example.org` is `ada_40example_2eorg`. Each user
//! has exactly one actor id, and the other way round.

use crate::problem::Problem;
use reminder_domain::ids::Person;

/// The actor id of a user.
pub fn to_actor_id(user: &Person) -> String {
    let mut id = String::with_capacity(user.as_str().len() + 16);
    for byte in user.as_str().bytes() {
        if stays(byte) {
            id.push(byte.into());
        } else {
            id.push('_');
            id.push(digit(byte >> 4));
            id.push(digit(byte & 0xf));
        }
    }
    id
}

/// The user of an actor id. Only the one spelling that [`to_actor_id`] writes is accepted, since
/// another one would be another actor for the same user.
///
/// # Errors
/// A problem with `userId` as its field.
pub fn from_actor_id(id: &str) -> Result<Person, Problem> {
    let invalid = |reason: &str| Problem::invalid("userId", reason);
    let bytes = decode(id.as_bytes()).ok_or_else(|| {
        invalid(
            "must be written with letters, digits and '-' as they are and any other byte of its \
             UTF-8 text as '_' and two lower-case hexadecimal digits: ada_40example_2eorg",
        )
    })?;
    let text = String::from_utf8(bytes).map_err(|_| invalid("must be UTF-8 text"))?;
    Person::parse(text).map_err(|error| invalid(&error.to_string()))
}

fn stays(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).expect("four bits are one digit")
}

fn decode(mut id: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(id.len());
    while let Some((&first, rest)) = id.split_first() {
        if stays(first) {
            bytes.push(first);
            id = rest;
            continue;
        }
        let (&[b'_', high, low], rest) = id.split_first_chunk()? else { return None };
        let byte = value(high)? << 4 | value(low)?;
        if stays(byte) {
            return None;
        }
        bytes.push(byte);
        id = rest;
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn person(text: &str) -> Person {
        Person::parse(text).unwrap()
    }

    #[test]
    fn known_ids() {
        for (user, actor) in [
            ("ada@example.org", "ada_40example_2eorg"),
            ("Ada-7", "Ada-7"),
            ("a_b c", "a_5fb_20c"),
            ("a||b/ü", "a_7c_7cb_2f_c3_bc"),
        ] {
            assert_eq!(to_actor_id(&person(user)), actor);
            assert_eq!(from_actor_id(actor).unwrap(), person(user));
        }
    }

    #[test]
    fn other_spellings_are_refused_by_field() {
        for bad in [
            "", "a_41", "a_2E", "a_2", "a_", "a__", "a_zz", "a.b", "a@b", "ä", "_20", "_ff", "_0a",
            "a_00", "a_c2_85",
        ] {
            let problem = from_actor_id(bad).unwrap_err();
            assert_eq!((problem.status, problem.field.as_deref()), (422, Some("userId")), "{bad}");
        }
        assert!(from_actor_id(&"a".repeat(257)).is_err());
    }

    proptest! {
        #[test]
        fn every_user_has_an_id_that_leads_back(text in "\\PC{1,256}") {
            if let Ok(user) = Person::parse(text) {
                let id = to_actor_id(&user);
                prop_assert!(id.bytes().all(|byte| stays(byte) || byte == b'_'), "{}", id);
                prop_assert_eq!(from_actor_id(&id).unwrap(), user);
            }
        }

        #[test]
        fn whatever_is_accepted_is_how_it_is_written(id in "([a-zA-Z0-9-]|_[0-9a-fA-F]{2}|_|.){0,12}") {
            if let Ok(user) = from_actor_id(&id) {
                prop_assert_eq!(to_actor_id(&user), id);
            }
        }
    }
}
