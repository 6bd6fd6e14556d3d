//! How large a message may be, and why no event of the scheduler ever is.
//!
//! One limit holds everywhere: [`MESSAGE_MAX_BYTES`] is the `maxMessageBytes` of the pub/sub component,
//! and less than what a broker takes by default. The sidecar refuses more before it publishes. What a
//! task may hold is bounded ([`limits`]), so the largest event that any command can lead to is a sum,
//! [`EVENT_MAX_BYTES`]; that it keeps to the limit is checked when this file is compiled. A committed
//! event that cannot be published would block its task's lane for ever.

use reminder_domain::ids::Person;
use reminder_domain::limits;
use reminder_domain::state::Snapshot;
use reminder_domain::{Fact, Origin};

/// Most bytes of one message, with its key and its headers: the component's `maxMessageBytes`.
pub const MESSAGE_MAX_BYTES: usize = 1_000_000;

/// Kafka's own limit for a batch of messages (`message.max.bytes`) unless somebody sets another. A batch
/// of one message is some dozens of bytes larger than the message.
pub const BROKER_MAX_BYTES: usize = 1_048_588;

/// What may come to a message on its way: the attributes that the sidecar adds to an event, the key, the
/// headers, and Kafka's own framing. A dead letter has its reason in the headers.
pub const ADDED_MAX_BYTES: usize = 16 * 1024;

/// Most bytes of an event of the scheduler, in any way of escaping it.
pub const EVENT_MAX_BYTES: usize = ENVELOPE_BYTES
    + ESCAPED_BYTES
        * (limits::TITLE_MAX_CHARS
            + limits::DESCRIPTION_MAX_CHARS
            + limits::TAGS_MAX * limits::TAG_MAX_CHARS
            + PERSONS * limits::PERSON_MAX_CHARS
            + limits::CORRELATION_MAX_CHARS)
    + limits::TAGS_MAX * SEPARATORS_BYTES
    + RECURRENCE_BYTES
    + limits::REMINDERS_MAX * REMINDER_BYTES;

const _: () = assert!(EVENT_MAX_BYTES + ADDED_MAX_BYTES <= MESSAGE_MAX_BYTES);
const _: () = assert!(MESSAGE_MAX_BYTES + ADDED_MAX_BYTES <= BROKER_MAX_BYTES);

/// Most bytes that JSON makes of one character: `\u001f`. So does a sidecar with `<`, `>` and `&`, where it
/// writes an event anew: those of our neighbours, and a dead letter that is replayed.
const ESCAPED_BYTES: usize = 6;

/// Quotes and a comma.
const SEPARATORS_BYTES: usize = 3;

/// Everything but texts, recurrence and reminders: the names of all attributes and fields, ids, times.
const ENVELOPE_BYTES: usize = 2 * 1024;

/// `userid`, and assignee, creator and user in the data.
const PERSONS: usize = 4;

/// One date or time of a recurrence, with its separators.
const OCCURRENCE_BYTES: usize = 32;

/// The text of a rule is of capitals, digits and punctuation that nobody escapes.
const RECURRENCE_BYTES: usize =
    limits::RECURRENCE_RULE_MAX_CHARS + 2 * limits::RECURRENCE_EXCEPTIONS_MAX * OCCURRENCE_BYTES;

/// One reminder of a snapshot: its id, its state and up to five times, each with its name.
const REMINDER_BYTES: usize = limits::REMINDER_ID_MAX_CHARS + 448;

/// A message that would be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of {bytes} bytes, where {} are the most", MESSAGE_MAX_BYTES - ADDED_MAX_BYTES)]
pub struct TooLarge {
    /// How large it would be on its way.
    pub bytes: usize,
}

/// Refuses an event that would be too large on its way, before it is published. Our neighbours' events
/// have other texts than ours, which are not all bounded.
///
/// # Errors
/// When it is.
pub fn check(event: &[u8]) -> Result<(), TooLarge> {
    let bytes = published(event);
    if bytes + ADDED_MAX_BYTES <= MESSAGE_MAX_BYTES { Ok(()) } else { Err(TooLarge { bytes }) }
}

/// The size of JSON once the sidecar has written it anew: Go escapes what HTML gives a meaning to, and
/// two separators of lines that JavaScript once stumbled over.
pub fn published(json: &[u8]) -> usize {
    let html = json.iter().filter(|byte| matches!(byte, b'<' | b'>' | b'&')).count();
    let lines = json.windows(3).filter(|three| matches!(three, [0xe2, 0x80, 0xa8 | 0xa9])).count();
    json.len() + html * (ESCAPED_BYTES - 1) + lines * (ESCAPED_BYTES - 3)
}

/// At least the size of an event as it is published, without writing it out.
pub fn bound(origin: &Origin, snapshot: &Snapshot, fact: &Fact) -> usize {
    let task = &snapshot.task;
    let tags: usize = task.tags.iter().map(|tag| text(tag.as_str()) + SEPARATORS_BYTES).sum();
    let person = |person: &Option<Person>| person.as_ref().map_or(0, |one| text(one.as_str()));
    let recurrence = task.recurrence.as_ref().map_or(0, |recurrence| {
        recurrence.rule.to_string().len()
            + (recurrence.exdates.len() + recurrence.rdates.len()) * OCCURRENCE_BYTES
    });
    let reminders = match fact {
        Fact::TaskSync => snapshot.alarms.len() * REMINDER_BYTES,
        _ => 0,
    };
    ENVELOPE_BYTES
        + origin.correlation_id.as_ref().map_or(0, |id| text(id.as_str()))
        + text(task.title.as_str())
        + task.description.as_ref().map_or(0, |words| text(words.as_str()))
        + tags
        + person(&task.assignee)
        + person(&task.created_by)
        // In the envelope and in the data.
        + 2 * person(&task.user_id)
        + recurrence
        + reminders
}

/// Most bytes of a text between its quotes.
fn text(text: &str) -> usize {
    let escaped = text.bytes().map(|byte| match byte {
        0..0x20 | b'<' | b'>' | b'&' => ESCAPED_BYTES,
        b'"' | b'\\' => 2,
        // The first byte of the two separators of lines among others.
        0xe2 => ESCAPED_BYTES - 2,
        _ => 1,
    });
    escaped.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_refused_by_its_size_on_the_way() {
        let room = MESSAGE_MAX_BYTES - ADDED_MAX_BYTES;
        assert_eq!(check(&vec![b'a'; room]), Ok(()));
        let refused = check(&vec![b'a'; room + 1]).unwrap_err();
        assert_eq!(refused, TooLarge { bytes: room + 1 });
        assert!(refused.to_string().contains(&room.to_string()), "{refused}");
        // A sixth of it, once escaped.
        assert!(check(&vec![b'<'; room / 6]).is_ok() && check(&vec![b'<'; room / 6 + 1]).is_err());
        let separators = "\u{2028}\u{2029}";
        assert_eq!((published(separators.as_bytes()), text(separators)), (12, 12));
        assert_eq!(published("äöü".as_bytes()), "äöü".len());
    }
}
