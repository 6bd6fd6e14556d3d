//! Reading a batch: first which commands there are, and the body of each only when it is sent.
//!
//! A tree of JSON values takes many times the memory of its text, `[0,0,0]` the most. So of a whole batch
//! there is none, and of an item that is longer than a command may be neither.

use super::{BATCH_MAX, BatchMethod};
use crate::problem::Problem;
use crate::wire::Method;
use crate::wire::read::{malformed, read};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

const METHOD: &str = "method";
const TASK_ID: &str = "taskId";

/// A command of a batch whose body is still text.
#[derive(Clone, Debug)]
pub struct UnreadItem<'a> {
    /// What to do.
    pub method: Method,
    /// With which task.
    pub task_id: Cow<'a, str>,
    /// What its body has at least, in bytes.
    body_bytes: usize,
    /// The item.
    text: &'a str,
}

impl UnreadItem<'_> {
    /// Reads the body of the actor method: `task`, `ifVersion`, `commandId` and so on.
    ///
    /// # Errors
    /// A problem when it is longer than that of the method may be, or holds a number or a character that
    /// there is not.
    pub fn body(&self) -> Result<Map<String, Value>, Problem> {
        let max = self.method.body_max_bytes();
        if self.body_bytes > max {
            return Err(Problem::too_large(self.body_bytes, max));
        }
        let item: Result<Map<String, Value>, _> = serde_json::from_str(self.text);
        let mut body = item.map_err(|error| malformed(&error))?;
        body.remove(METHOD);
        body.remove(TASK_ID);
        Ok(body)
    }
}

/// Reads which commands a batch has, 1 to [`BATCH_MAX`]; their actors read the rest.
///
/// # Errors
/// A problem that names the field at fault, such as `items[3].method`.
pub fn parse_batch(body: &[u8]) -> Result<Vec<UnreadItem<'_>>, Problem> {
    let Heads { items: SomeHeads(heads) } = read(body)?;
    // What can be wrong was told by now, with its place, which is not known from the texts.
    let Texts { items: texts } = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    let items = heads.into_iter().zip(texts).map(|(head, text)| UnreadItem {
        method: head.method.0,
        task_id: head.task_id,
        body_bytes: head.body_bytes,
        text: text.get(),
    });
    Ok(items.collect())
}

/// The texts of the items.
#[derive(Deserialize)]
struct Texts<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

/// What names the items.
#[derive(Deserialize)]
struct Heads<'a> {
    #[serde(borrow)]
    items: SomeHeads<'a>,
}

/// As many as a batch may have.
struct SomeHeads<'a>(Vec<Head<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for SomeHeads<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(HeadsVisitor).map(Self)
    }
}

struct HeadsVisitor;

impl<'de> Visitor<'de> for HeadsVisitor {
    type Value = Vec<Head<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let refused = |count: &str| {
            Err(de::Error::custom(format!("must be 1 to {BATCH_MAX}, but there are {count}")))
        };
        let mut heads = Vec::new();
        while heads.len() < BATCH_MAX {
            match seq.next_element()? {
                Some(head) => heads.push(head),
                None if heads.is_empty() => return refused("none"),
                None => return Ok(heads),
            }
        }
        match seq.next_element::<&RawValue>()? {
            Some(_) => refused("more"),
            None => Ok(heads),
        }
    }
}

/// What names an item, and how long its body is.
struct Head<'a> {
    method: BatchMethod,
    task_id: Cow<'a, str>,
    body_bytes: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Head<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadVisitor)
    }
}

/// A text that is borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct HeadVisitor;

impl<'de> Visitor<'de> for HeadVisitor {
    type Value = Head<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut method, mut task_id) = (None, None);
        let mut body_bytes = "{}".len();
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                METHOD if method.is_some() => return Err(de::Error::duplicate_field(METHOD)),
                METHOD => method = Some(map.next_value()?),
                TASK_ID if task_id.is_some() => return Err(de::Error::duplicate_field(TASK_ID)),
                TASK_ID => task_id = Some(map.next_value::<Text<'de>>()?.0),
                _ => {
                    let value: &RawValue = map.next_value()?;
                    body_bytes += name.len() + bytes_at_least(value.get());
                }
            }
        }
        let method = method.ok_or_else(|| de::Error::missing_field(METHOD))?;
        let task_id = task_id.ok_or_else(|| de::Error::missing_field(TASK_ID))?;
        Ok(Head { method, task_id, body_bytes })
    }
}

/// How long a JSON text is at least once it is written anew: without white space between tokens, and each
/// escaped character as a single byte. So a caller may write it as it likes.
fn bytes_at_least(json: &str) -> usize {
    let (mut count, mut in_string) = (0, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' if !in_string => continue,
            b'"' => in_string = !in_string,
            // Four hexadecimal digits follow.
            b'\\' if bytes.next() == Some(b'u') => {
                let _digits = bytes.nth(3);
            }
            _ => {}
        }
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_domain::limits::PAYLOAD_MAX_BYTES;
    use serde_json::json;

    fn items(items: &str) -> String {
        format!(r#"{{"items":[{items}]}}"#)
    }

    fn refused(body: &str) -> (u16, Option<String>, String) {
        let problem = parse_batch(body.as_bytes()).unwrap_err();
        (problem.status, problem.field.clone(), problem.detail.clone())
    }

    #[test]
    fn what_is_longer_than_a_command_may_be_is_not_read() {
        let zeros = "0,".repeat(PAYLOAD_MAX_BYTES / 2);
        let item =
            |method: &str| format!(r#"{{"method":"{method}","taskId":"a","task":[{zeros}0]}}"#);
        let text = items(&[item("put"), item("importCalendar")].join(","));
        let read = parse_batch(text.as_bytes()).unwrap();
        let problem = read[0].body().unwrap_err();
        assert_eq!(problem.status, 413);
        let max = PAYLOAD_MAX_BYTES.to_string();
        assert!(problem.detail.contains(&max), "{}", problem.detail);
        assert!(read[1].body().unwrap().contains_key("task"), "a calendar may be longer");
    }

    #[test]
    fn how_a_body_is_written_does_not_make_it_too_long() {
        let title = "\\u00e4".repeat(PAYLOAD_MAX_BYTES / 4) + "\\\" \\\\";
        let space = " ".repeat(PAYLOAD_MAX_BYTES);
        let text =
            items(&format!(r#"{{"taskId":"\u0061","t":{space}{{"t":"{title}"}},"method":"put"}}"#));
        let read = parse_batch(text.as_bytes()).unwrap();
        assert_eq!((read[0].method, &*read[0].task_id), (Method::Put, "a"));
        let title = "ä".repeat(PAYLOAD_MAX_BYTES / 4) + "\" \\";
        assert_eq!(Value::Object(read[0].body().unwrap()), json!({ "t": { "t": title } }));
        assert_eq!(bytes_at_least(r#" { "a b" : "\u00e4\\\"" } "#), r#"{"a b":"..."}"#.len());
    }

    #[test]
    fn what_cannot_be_used_of_a_body_keeps_no_other_item_back() {
        let text = items(
            r#"{"method":"put","taskId":"a","task":1e999},{"method":"complete","taskId":"b","ifVersion":3}"#,
        );
        let read = parse_batch(text.as_bytes()).unwrap();
        assert_eq!(read[0].body().unwrap_err().status, 422);
        assert_eq!(Value::Object(read[1].body().unwrap()), json!({ "ifVersion": 3 }));
    }

    #[test]
    fn nothing_is_read_behind_what_a_batch_may_have() {
        let item = r#"{"method":"complete","taskId":"a"}"#;
        let most = vec![item; BATCH_MAX].join(",");
        assert_eq!(parse_batch(items(&most).as_bytes()).unwrap().len(), BATCH_MAX);
        let zeros = "0,".repeat(1_000_000);
        let told = refused(&items(&format!("{most},{zeros}0")));
        let reason = "items must be 1 to 1000, but there are more".to_owned();
        assert_eq!(told, (422, Some("items".into()), reason));
        assert_eq!(refused(r#"{"items":[]}"#).1.as_deref(), Some("items"));
    }

    #[test]
    fn what_names_an_item_is_told_with_its_place() {
        let good = r#"{"method":"complete","taskId":"a"}"#;
        for (item, field, reason) in [
            (r#"{"taskId":"a"}"#, "items[1].method", "is missing"),
            (r#"{"method":"put"}"#, "items[1].taskId", "is missing"),
            (r#"{"method":"get","taskId":"a"}"#, "items[1].method", "must be one of put, "),
            (r#"{"method":"put","taskId":7}"#, "items[1].taskId", "must be a string, but is 7"),
            (r#"{"method":"put","method":"put"}"#, "items[1].method", "is given twice"),
            (r#"{"taskId":"a","taskId":"a"}"#, "items[1].taskId", "is given twice"),
            ("0", "items[1]", "must be an object, but is 0"),
            (r#"["put","a"]"#, "items[1]", "must be an object, but is an array"),
        ] {
            let (status, told, detail) = refused(&items(&format!("{good},{item}")));
            assert_eq!((status, told.as_deref()), (422, Some(field)), "{item}: {detail}");
            assert!(detail.contains(reason), "{item}: {detail}");
        }
        assert_eq!(refused(r#"{"items":7}"#).2, "items must be an array, but is 7");
        assert_eq!(refused(r#"{"item":[]}"#).2, "item is not a known field");
        assert_eq!(refused(r#"{"items":[{"method""#).1, None);
    }
}
