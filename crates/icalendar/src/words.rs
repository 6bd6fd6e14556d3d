//! What a calendar says of a task in words.

use crate::alarm::json;
use crate::error::{ImportError, excerpt};
use crate::extra;
use crate::tree::{Component, Line};
use reminder_domain::ids::{Description, InvalidText, Person, Tag, Title};
use reminder_domain::task::{Priority, Status};

/// The title of a task that a calendar gives none.
const UNTITLED: &str = "Untitled";

/// A text of the calendar as one line.
fn one_line(text: &str) -> String {
    let line = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    line.collect()
}

/// A text of the calendar as one of ours.
fn parsed<T>(
    todo: &Component,
    name: &str,
    parsed: Result<T, InvalidText>,
) -> Result<T, ImportError> {
    parsed.map_err(|error| match todo.all(name).next() {
        Some(line) => line.refuse(error.to_string()),
        None => todo.refuse(format!("{name} {error}")),
    })
}

/// The title; without one, the first line of the description.
pub(crate) fn title(todo: &Component) -> Result<Title, ImportError> {
    for name in ["SUMMARY", "DESCRIPTION"] {
        let text = todo.one(name)?.map(|line| line.value.as_str()).unwrap_or_default();
        let first = if name == "SUMMARY" { text } else { text.lines().next().unwrap_or_default() };
        if !one_line(first).trim().is_empty() {
            return parsed(todo, name, Title::parse(one_line(first)));
        }
    }
    parsed(todo, "SUMMARY", Title::parse(UNTITLED))
}

/// The description, with all its characters if we know them.
pub(crate) fn description(todo: &Component) -> Result<Option<Description>, ImportError> {
    let text = todo.one("DESCRIPTION")?.map(|line| line.value.replace('\0', ""));
    let text = text.unwrap_or_default();
    let exact: Option<Description> = json(todo, extra::DESCRIPTION);
    if let Some(exact) = exact.filter(|exact| extra::plain(exact.as_str()) == text) {
        return Ok(Some(exact));
    }
    if text.is_empty() {
        return Ok(None);
    }
    parsed(todo, "DESCRIPTION", Description::parse(text)).map(Some)
}

/// Who has to do with the task in a way of ours.
pub(crate) fn person(todo: &Component, name: &str) -> Result<Option<Person>, ImportError> {
    let Some(line) = todo.one(name)? else { return Ok(None) };
    parsed(todo, name, Person::parse(line.value.as_str())).map(Some)
}

/// The tags, of all lines.
pub(crate) fn tags(todo: &Component) -> Result<Vec<Tag>, ImportError> {
    let texts = todo.all("CATEGORIES").flat_map(Line::texts);
    let texts = texts.map(|text| one_line(&text)).filter(|text| !text.trim().is_empty());
    texts.map(|text| parsed(todo, "CATEGORIES", Tag::parse(text))).collect()
}

/// Where the task stands.
pub(crate) fn status(todo: &Component) -> Result<Status, ImportError> {
    let Some(line) = todo.one("STATUS")? else {
        let done = todo.one("COMPLETED")?.is_some()
            || todo.one("PERCENT-COMPLETE")?.is_some_and(|line| line.value.trim() == "100");
        return Ok(if done { Status::Completed } else { Status::Pending });
    };
    match line.value.trim().to_ascii_uppercase().as_str() {
        "NEEDS-ACTION" => Ok(Status::Pending),
        "IN-PROCESS" => Ok(Status::InProgress),
        // Nothing of what was called off fires any more either.
        "COMPLETED" | "CANCELLED" => Ok(Status::Completed),
        other => Err(line.refuse(format!(
            "must be NEEDS-ACTION, IN-PROCESS, COMPLETED or CANCELLED, but is {}",
            excerpt(other)
        ))),
    }
}

/// By RFC 5545 §3.8.1.9: 1 to 4 is high. Only our own word is urgent, since it breaks quiet hours.
pub(crate) fn priority(todo: &Component) -> Result<Priority, ImportError> {
    let Some(line) = todo.one("PRIORITY")? else { return Ok(Priority::Normal) };
    let number: Option<u8> = line.value.trim().parse().ok();
    let word = todo.one(extra::PRIORITY)?.map(|line| Priority::try_from(line.value.clone()));
    if let Some(Ok(word)) = word
        && number == Some(extra::number_of(word))
    {
        return Ok(word);
    }
    match number {
        Some(0 | 5) => Ok(Priority::Normal),
        Some(1..=4) => Ok(Priority::High),
        Some(6..=9) => Ok(Priority::Low),
        _ => Err(line.refuse(format!("must be from 0 to 9, but is {}", excerpt(&line.value)))),
    }
}
