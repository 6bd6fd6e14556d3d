//! The argument of a method, as the SDKs of Dapr send it.

use axum::body::Bytes;
use serde_json::value::RawValue;

/// The one argument of a method. Dapr's SDK for JavaScript sends a list of all arguments, and its actor
/// proxies know no other way; the other SDKs send the argument itself.
pub(super) fn argument(body: Bytes) -> Bytes {
    if body.trim_ascii_start().first() != Some(&b'[') {
        return body;
    }
    match serde_json::from_slice::<[&RawValue; 1]>(&body) {
        Ok([only]) => body.slice_ref(only.get().as_bytes()),
        // What it is instead, the refusal says.
        Err(_) => body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(body: &'static str) -> Bytes {
        argument(Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn a_list_of_one_argument_is_that_argument() {
        assert_eq!(taken(" [ {\"for\":\"PT10M\"} ]\n"), "{\"for\":\"PT10M\"}");
        assert_eq!(taken("[\"text\"]"), "\"text\"");
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for body in ["", "{\"a\":[1]}", "[]", "[1,2]", "[{\"for\":}]", "[1] 2", "x"] {
            assert_eq!(taken(body), body);
        }
    }
}
