//! Whether a schema may take the place of the released one within a version.
//!
//! Who reads events by the released schema must be able to read what is written by the present one: so
//! nothing may be allowed that was not, and nothing missing that was always there. Who writes events by
//! the released schema, where others do, must not break the present one: so nothing may be asked for
//! that was not. What an object did not name is free, so adding an optional field breaks nobody.

use super::shape::{Alternative, alternatives, bare, is_annotation, is_open, type_of};
use serde_json::{Map, Value};
use std::fmt;

/// Schemas refer to themselves seldom, and are never as deep as this otherwise.
const DEPTH_MAX: usize = 32;

/// Who writes events of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// We alone, so that writers change together with their schema.
    Ours,
    /// Others too, who go on writing by the released schema.
    Others,
}

/// A change that breaks somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// Where: names of fields, joined by dots; empty for the whole event.
    pub at: String,
    /// What.
    pub what: String,
    /// Whom: those who read, those who write, or both.
    pub effect: Effect,
}

/// What a change does to the set of what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// There is more of it, which breaks who reads.
    Looser,
    /// There is less of it, which breaks who writes.
    Tighter,
    /// It is another one.
    Other,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "the event" } else { &self.at };
        let whom = match self.effect {
            Effect::Looser => "who reads it",
            Effect::Tighter => "who writes it",
            Effect::Other => "who reads or writes it",
        };
        write!(f, "{at} {}, which breaks {whom}", self.what)
    }
}

/// What of the present schema breaks those who know the released one.
pub fn breaks(released: &Value, present: &Value, writers: Writers) -> Vec<Break> {
    let mut all = Comparison { released, present }.of("", released, present, 0);
    all.retain(|found| found.effect != Effect::Tighter || writers == Writers::Others);
    all
}

/// Two documents; parts of them are compared.
#[derive(Clone, Copy)]
struct Comparison<'a> {
    released: &'a Value,
    present: &'a Value,
}

type Keywords = Map<String, Value>;

impl Comparison<'_> {
    fn of(self, at: &str, before: &Value, now: &Value, depth: usize) -> Vec<Break> {
        if depth > DEPTH_MAX {
            return vec![found(at, Effect::Other, "is too deep to be compared")];
        }
        let (before, now) = (alternatives(before, self.released), alternatives(now, self.present));
        if let ([Alternative::Const(old)], [Alternative::Const(new)]) = (&before[..], &now[..]) {
            let same = (old == new).then(Vec::new);
            return same.unwrap_or_else(|| {
                vec![found(at, Effect::Other, format!("is {new} now, and not {old}"))]
            });
        }
        let mut all = consts(at, &before, &now);
        let mut met = vec![false; before.len()];
        for alternative in &now {
            let Alternative::Typed(kind, keywords) = alternative else { continue };
            let best = self.nearest(at, &before, kind, keywords, depth);
            match best {
                Some((index, differences)) => {
                    met[index] = true;
                    all.extend(differences);
                }
                None if has_any(&before) => {}
                None => all.push(found(at, Effect::Looser, format!("may be {} now", a(kind)))),
            }
        }
        for (alternative, _) in before.iter().zip(met).filter(|(_, met)| !met && !has_any(&now)) {
            let Alternative::Typed(kind, _) = alternative else { continue };
            let what = format!("cannot be any {kind} any more");
            all.push(found(at, Effect::Tighter, what));
        }
        all.extend(anything(at, &before, &now));
        all
    }

    /// The released alternative of that type which differs least from a present one.
    fn nearest(
        self,
        at: &str,
        before: &[Alternative<'_>],
        kind: &str,
        now: &Keywords,
        depth: usize,
    ) -> Option<(usize, Vec<Break>)> {
        let differences = |(index, alternative): (usize, &Alternative<'_>)| match alternative {
            Alternative::Typed(old, keywords) if *old == kind => {
                Some((index, self.typed(at, kind, keywords, now, depth)))
            }
            Alternative::Typed("number", keywords) if kind == "integer" => {
                let mut all = self.typed(at, kind, keywords, now, depth);
                all.push(found(at, Effect::Tighter, "cannot be any number any more"));
                Some((index, all))
            }
            _ => None,
        };
        before.iter().enumerate().filter_map(differences).min_by_key(|(_, all)| all.len())
    }

    /// Both are of one type: their keywords are compared.
    fn typed(
        self,
        at: &str,
        kind: &str,
        before: &Keywords,
        now: &Keywords,
        depth: usize,
    ) -> Vec<Break> {
        let mut all = Vec::new();
        if kind == "object" {
            all.extend(self.properties(at, before, now, depth));
        }
        if kind == "array" {
            let items = |keywords: &Keywords| keywords.get("items").cloned().unwrap_or(true.into());
            all.extend(self.of(&format!("{at}[]"), &items(before), &items(now), depth + 1));
        }
        for keyword in keys(before, now) {
            let (old, new) = (before.get(keyword), now.get(keyword));
            if !applies(keyword, kind) || is_structure(keyword) || is_annotation(keyword) {
                continue;
            }
            if keyword == "anyOf" && is_open(before) && is_open(now) {
                continue;
            }
            all.extend(rule(at, keyword, old, new));
        }
        all
    }

    fn properties(self, at: &str, before: &Keywords, now: &Keywords, depth: usize) -> Vec<Break> {
        let mut all = Vec::new();
        let (old, new) = (object(before, "properties"), object(now, "properties"));
        for (name, schema) in old.iter().flat_map(|old| old.iter()) {
            let inside = join(at, name);
            match new.and_then(|new| new.get(name)) {
                Some(present) => all.extend(self.of(&inside, schema, present, depth + 1)),
                None => all.push(found(&inside, Effect::Looser, "is not described any more")),
            }
        }
        let (old, new) = (names(before), names(now));
        for name in old.iter().filter(|name| !new.contains(name)) {
            all.push(found(&join(at, name), Effect::Looser, "may be missing now"));
        }
        for name in new.iter().filter(|name| !old.contains(name)) {
            all.push(found(&join(at, name), Effect::Tighter, "must be there now"));
        }
        all
    }
}

/// Values that are allowed one by one.
fn consts(at: &str, before: &[Alternative<'_>], now: &[Alternative<'_>]) -> Vec<Break> {
    let extra = |ours: &[Alternative<'_>], theirs: &[Alternative<'_>]| -> Vec<Value> {
        let covered = |value: &Value| {
            theirs.iter().any(|other| match other {
                Alternative::Const(known) => *known == value,
                Alternative::Typed(kind, _) => *kind == type_of(value),
                Alternative::Any(_) => true,
            })
        };
        let values = ours.iter().filter_map(|alternative| match alternative {
            Alternative::Const(value) if !covered(value) => Some((*value).clone()),
            _ => None,
        });
        values.collect()
    };
    let added = extra(now, before).into_iter();
    let gone = extra(before, now).into_iter();
    added
        .map(|value| found(at, Effect::Looser, format!("may be {value} now")))
        .chain(gone.map(|value| found(at, Effect::Tighter, format!("cannot be {value} any more"))))
        .collect()
}

fn has_any(alternatives: &[Alternative<'_>]) -> bool {
    alternatives.iter().any(|alternative| matches!(alternative, Alternative::Any(_)))
}

/// What is not bound to a type.
fn anything(at: &str, before: &[Alternative<'_>], now: &[Alternative<'_>]) -> Option<Break> {
    let any = |all: &[Alternative<'_>]| {
        all.iter().find_map(|alternative| match alternative {
            Alternative::Any(keywords) => {
                Some(keywords.map(|keywords| bare(&Value::Object(keywords.clone()))))
            }
            _ => None,
        })
    };
    match (any(before), any(now)) {
        (None, Some(_)) => Some(found(at, Effect::Looser, "may be anything now")),
        (Some(_), None) => Some(found(at, Effect::Tighter, "cannot be anything any more")),
        (Some(old), Some(new)) if old != new => {
            Some(found(at, Effect::Other, "is described otherwise"))
        }
        _ => None,
    }
}

/// A keyword that bounds what is allowed.
fn rule(at: &str, keyword: &str, old: Option<&Value>, new: Option<&Value>) -> Option<Break> {
    if old.map(bare) == new.map(bare) {
        return None;
    }
    let more = |ascending: bool| {
        let (old, new) = (old.and_then(Value::as_f64), new.and_then(Value::as_f64));
        old.zip(new).map(
            |(old, new)| if (new > old) == ascending { Effect::Looser } else { Effect::Tighter },
        )
    };
    let effect = match (keyword, old, new) {
        // What a field means that is left out.
        ("default", None, Some(_)) => return None,
        ("$id" | "$schema" | "$anchor" | "default", ..) => Effect::Other,
        ("additionalProperties", _, Some(Value::Bool(false))) | (_, None, Some(_)) => {
            Effect::Tighter
        }
        ("additionalProperties", Some(Value::Bool(false)), _) | (_, Some(_), None) => {
            Effect::Looser
        }
        ("minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties", ..) => {
            more(false).unwrap_or(Effect::Other)
        }
        ("maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties", ..) => {
            more(true).unwrap_or(Effect::Other)
        }
        _ => Effect::Other,
    };
    let show = |value: Option<&Value>| value.map_or("none".to_owned(), Value::to_string);
    Some(found(at, effect, format!("has another {keyword}: {} and not {}", show(new), show(old))))
}

/// Whether a keyword says anything of values of a type.
fn applies(keyword: &str, kind: &str) -> bool {
    match keyword {
        "pattern" | "format" | "minLength" | "maxLength" => kind == "string",
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            matches!(kind, "integer" | "number")
        }
        "minItems" | "maxItems" | "uniqueItems" => kind == "array",
        "additionalProperties" | "minProperties" | "maxProperties" => kind == "object",
        _ => true,
    }
}

/// Whether a keyword is compared by its parts.
fn is_structure(keyword: &str) -> bool {
    matches!(keyword, "type" | "properties" | "required" | "items")
}

fn keys<'a>(before: &'a Keywords, now: &'a Keywords) -> impl Iterator<Item = &'a String> {
    before.keys().chain(now.keys().filter(|key| !before.contains_key(*key)))
}

fn object<'a>(keywords: &'a Keywords, name: &str) -> Option<&'a Keywords> {
    keywords.get(name).and_then(Value::as_object)
}

fn names(keywords: &Keywords) -> Vec<&str> {
    let names = keywords.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn a(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
    if kind == "null" { kind.to_owned() } else { format!("{article} {kind}") }
}

fn found(at: &str, effect: Effect, what: impl Into<String>) -> Break {
    Break { at: at.to_owned(), what: what.into(), effect }
}

#[cfg(test)]
mod tests;
