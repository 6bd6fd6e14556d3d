//! What is told of a dead letter goes into the address of a call, and has to fit there.
//!
//! The metadata of a message stand in the query string of the call that publishes it. The sidecar reads the line and
//! the headers of a call up to 4 KiB (its `--http-read-buffer-size`) with little more, and refuses a longer one with
//! 431, however often it is tried: such a letter could never be published, and would hold up its partition for ever.
//! So what others have written is cut short, measured as it is written there. The bounds together leave a good KiB
//! for the path, the names and the headers.

/// The longest reason in words, in bytes of a query string.
pub const DETAIL_MAX_BYTES: usize = 1_200;

/// The longest id of an event, in bytes of a query string. Ours have less than 200.
pub const EVENT_ID_MAX_BYTES: usize = 600;

/// The longest key of a record, in bytes of a query string. The id of a task, which it is, always fits. Records
/// whose keys begin with the same so many are kept in order with each other as well, which does no harm.
pub const KEY_MAX_BYTES: usize = 600;

/// The longest number of a partition or an offset, in bytes: of 64 bits, with a sign.
pub const PLACE_MAX_BYTES: usize = 20;

/// As much of a text as takes so many bytes of a query string, and on one line, for it becomes a header.
pub fn fitting(text: &str, max_bytes: usize) -> String {
    let mut left = max_bytes;
    let on_one_line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let fits = |c: &char| {
        let rest = left.checked_sub(encoded_bytes(*c));
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    on_one_line.take_while(fits).collect()
}

/// How long a character is there: each byte of one that is not taken as it is becomes three, `%C3`.
/// (<https://url.spec.whatwg.org/#urlencoded-serializing>)
fn encoded_bytes(c: char) -> usize {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '*' | '-' | '.' | '_' | ' ' => 1,
        _ => 3 * c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::Url;

    fn encoded(text: &str) -> usize {
        let mut url: Url = "http://127.0.0.1/".parse().unwrap();
        url.query_pairs_mut().append_key_only(text);
        url.query().unwrap().len()
    }

    #[test]
    fn every_character_is_as_long_as_it_is_written() {
        for c in (0..=0x2fff).chain([0xffff, 0x1_f95b]).filter_map(char::from_u32) {
            assert_eq!(encoded_bytes(c), encoded(&c.to_string()), "{c:?}");
        }
    }

    #[test]
    fn as_much_is_kept_as_fits_and_on_one_line() {
        assert_eq!(fitting("milk:1:reminders-2", 600), "milk:1:reminders-2");
        assert_eq!(fitting("a\r\nb\u{85}c", 600), "a  b c");
        assert_eq!(fitting("übel", 5), "", "no part of a character");
        assert_eq!(fitting("übel", 7), "üb");
        for text in ["x", "/", "ü", "牛", "🥛"] {
            let kept = fitting(&text.repeat(10_000), 600);
            assert!(encoded(&kept) <= 600 && encoded(&kept) + 12 > 600, "{text}");
        }
    }
}
