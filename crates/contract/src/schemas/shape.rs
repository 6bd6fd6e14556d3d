//! What a schema allows, as a list of alternatives that can be compared one by one.

use serde_json::{Map, Value};

/// One of the things that a schema allows.
#[derive(Clone, Copy)]
pub(super) enum Alternative<'a> {
    /// This very value.
    Const(&'a Value),
    /// A value of a type, within the bounds that the keywords set.
    Typed(&'a str, &'a Map<String, Value>),
    /// Anything, but for keywords that are compared as they stand.
    Any(Option<&'a Map<String, Value>>),
}

/// What a schema allows. References lead into its own document.
pub(super) fn alternatives<'a>(schema: &'a Value, document: &'a Value) -> Vec<Alternative<'a>> {
    let Value::Object(keywords) = schema else { return vec![Alternative::Any(None)] };
    if let Some(target) = keywords.get("$ref").and_then(|target| resolve(target, document)) {
        return alternatives(target, document);
    }
    if let Some(value) = keywords.get("const") {
        return vec![Alternative::Const(value)];
    }
    if let Some(Value::Array(values)) = keywords.get("enum") {
        return values.iter().map(Alternative::Const).collect();
    }
    match keywords.get("type") {
        Some(Value::String(name)) => vec![Alternative::Typed(name, keywords)],
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.map(|name| Alternative::Typed(name, keywords)).collect()
        }
        _ => match variants(keywords) {
            Some(variants) => {
                variants.iter().flat_map(|variant| alternatives(variant, document)).collect()
            }
            None => vec![Alternative::Any(Some(keywords))],
        },
    }
}

fn variants(keywords: &Map<String, Value>) -> Option<&Vec<Value>> {
    ["anyOf", "oneOf"].iter().find_map(|keyword| keywords.get(*keyword)?.as_array())
}

fn resolve<'a>(target: &Value, document: &'a Value) -> Option<&'a Value> {
    document.pointer(target.as_str()?.strip_prefix('#')?)
}

/// The type of a value, as JSON Schema calls it.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a list of known words is open: it ends with an alternative that allows everything.
pub(super) fn is_open(keywords: &Map<String, Value>) -> bool {
    let allows_all = |variant: &Value| {
        let keywords = variant.as_object();
        keywords.is_some_and(|keywords| keywords.keys().all(|key| is_annotation(key)))
    };
    keywords.get("anyOf").and_then(Value::as_array).is_some_and(|all| all.iter().any(allows_all))
}

/// Whether a keyword only tells people something.
pub(super) fn is_annotation(keyword: &str) -> bool {
    matches!(keyword, "title" | "description" | "examples" | "$comment" | "deprecated" | "$defs")
}

/// A copy without what only tells people something, for keywords that are compared as they stand.
pub(super) fn bare(value: &Value) -> Value {
    match value {
        Value::Object(keywords) => {
            let kept = keywords.iter().filter(|(key, _)| !is_annotation(key));
            Value::Object(kept.map(|(key, value)| (key.clone(), bare(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(bare).collect()),
        plain => plain.clone(),
    }
}
