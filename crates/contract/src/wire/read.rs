//! Reading JSON so that whatever is wrong with it can be named.

use crate::problem::{Problem, ProblemKind};
use reminder_domain::object::object;
use serde::Deserialize;
use serde_json::error::Category;

/// Reads an object. Unknown fields are refused wherever they are: they are misspelt more often than
/// meant to be ignored. The types themselves must stay lenient, since stored states are read by
/// older versions too.
pub(crate) fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    let mut unknown = None;
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut note = |path: serde_ignored::Path<'_>| {
        unknown.get_or_insert_with(|| render(&path));
    };
    let value = object(serde_ignored::Deserializer::new(&mut json, &mut note));
    match (value.and_then(|value| json.end().map(|()| value)), unknown) {
        (Ok(value), None) => Ok(value),
        (Ok(_), Some(field)) => Err(unknown_field(field)),
        (Err(_), _) => Err(diagnose::<T>(body)),
    }
}

/// Reads once more what could not be read, keeping track of the path, which costs an allocation
/// for every key.
fn diagnose<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Problem {
    let mut unknown = None;
    let mut track = serde_path_to_error::Track::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut note = |path: serde_ignored::Path<'_>| {
        unknown.get_or_insert_with(|| render(&path));
    };
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let value: Result<T, _> = object(serde_ignored::Deserializer::new(tracked, &mut note));
    let error = match (value.and_then(|_| json.end()), unknown) {
        (Err(error), _) if error.classify() != Category::Data => {
            return malformed(&error);
        }
        // It came before the error, and is likely its cause: a misspelt field is missing as well.
        (_, Some(field)) => return unknown_field(field),
        (Err(error), None) => error,
        (Ok(()), None) => {
            return Problem::new(ProblemKind::MalformedJson, "the body could not be read");
        }
    };
    let path = track.path().to_string();
    worded(if path == "." { "" } else { &path }, &without_position(&error))
}

/// A body that is not JSON.
pub(crate) fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(ProblemKind::MalformedJson, format!("the body is not JSON: {error}"))
}

fn unknown_field(field: String) -> Problem {
    Problem::invalid(field, "is not a known field")
}

/// The message of an error about a value, whose place in the text its path says better.
pub(crate) fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&position).map(str::to_owned).unwrap_or(message)
}

/// Says in the words of JSON what serde says in those of Rust.
pub(crate) fn worded(path: &str, message: &str) -> Problem {
    let named = |prefix: &str| {
        let name = message.strip_prefix(prefix)?.strip_suffix('`')?;
        Some(if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") })
    };
    if let Some(field) = named("missing field `") {
        return Problem::invalid(field, "is missing");
    }
    if let Some(field) = named("duplicate field `") {
        return Problem::invalid(field, "is given twice");
    }
    let mismatch = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        // The first part may quote the caller, the last one never does.
        .and_then(|rest| rest.rsplit_once(", expected "));
    let reason = match mismatch {
        Some((found, wanted)) => format!("must be {}, but is {}", expected(wanted), given(found)),
        None => message.to_owned(),
    };
    if path.is_empty() {
        Problem::new(ProblemKind::InvalidInput, format!("the body {reason}"))
    } else {
        Problem::invalid(path, &reason)
    }
}

fn expected(wanted: &str) -> &str {
    match wanted {
        "u64" => "a whole number, not negative",
        "a sequence" => "an array",
        other => other,
    }
}

fn given(found: &str) -> String {
    let quoted = |prefix: &str| found.strip_prefix(prefix)?.strip_suffix('`');
    match found {
        "map" => "an object".into(),
        "sequence" => "an array".into(),
        _ => {
            let plain = quoted("integer `")
                .or_else(|| quoted("floating point `"))
                .or_else(|| quoted("boolean `"));
            plain.map_or_else(|| clip(found), str::to_owned)
        }
    }
}

/// Longest value quoted back, in characters; what was expected must stay readable beside it.
const QUOTE_MAX_CHARS: usize = 80;

fn clip(text: &str) -> String {
    match text.char_indices().nth(QUOTE_MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Writes a path as `task.reminders[2].at`, as the errors of values do.
fn render(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", render(parent)),
        Path::Map { parent, key } => {
            let parent = render(parent);
            if parent.is_empty() { key.clone() } else { format!("{parent}.{key}") }
        }
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => render(parent),
    }
}
