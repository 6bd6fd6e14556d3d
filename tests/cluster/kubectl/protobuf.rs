//! A Secret as kubectl's typed client sends it: the protobuf of Kubernetes, in its envelope. Only what our pages make
//! is read; everything else that kubectl sends is JSON.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

/// What the envelope begins with.
const MAGIC: &[u8] = b"k8s\0";

/// The kind of field that has a length and that many bytes.
const WITH_LENGTH: u64 = 2;

/// Reads a Secret; `None` where it is something else.
pub(crate) fn secret(body: &[u8]) -> Option<Value> {
    // The envelope: 1 what it is, 2 the object.
    let envelope = fields(body.strip_prefix(MAGIC)?)?;
    let is_secret = fields(field(&envelope, 1)?)?.contains(&(2, b"Secret".as_slice()));
    let object = fields(field(&envelope, 2).filter(|_| is_secret)?)?;
    // The object: 1 its metadata (1 its name), 2 entries of its data (1 the key, 2 the value), 3 its type.
    let name = text(field(&fields(field(&object, 1)?)?, 1)?)?;
    let mut data = Map::new();
    for (_, entry) in object.iter().filter(|(number, _)| *number == 2) {
        let entry = fields(entry)?;
        let value = BASE64_STANDARD.encode(field(&entry, 2)?);
        data.insert(text(field(&entry, 1)?)?, value.into());
    }
    let of_type = field(&object, 3).and_then(text);
    Some(json!({ "metadata": { "name": name }, "data": data, "type": of_type }))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn field<'a>(fields: &[(u64, &'a [u8])], number: u64) -> Option<&'a [u8]> {
    fields.iter().find(|(of, _)| *of == number).map(|(_, bytes)| *bytes)
}

/// The fields of a message that have a length, with their numbers.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        let value = number(&mut bytes)?;
        if tag & 7 == WITH_LENGTH {
            let (field, rest) = bytes.split_at_checked(usize::try_from(value).ok()?)?;
            found.push((tag >> 3, field));
            bytes = rest;
        } else if tag & 7 != 0 {
            return None;
        }
    }
    Some(found)
}

/// A number of variable length.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
