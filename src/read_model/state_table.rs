//! The name of the table in which Dapr's state store keeps the actors.

use reminder_contract::names::STATE_TABLE;
use std::fmt;
use std::str::FromStr;

/// A table name, with or without its schema, that can stand in SQL as it is.
///
/// Dapr writes the same text into its statements unquoted, so only names that mean the same
/// quoted and unquoted are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateTable(String);

/// A table name that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the state table {0:?} must be a name such as reminder_state or app.reminder_state \
     (a-z, 0-9 and '_', not starting with a digit, at most 63 characters)"
)]
pub struct InvalidStateTable(String);

/// Postgres cuts longer names off without a word.
const NAME_MAX_BYTES: usize = 63;

impl StateTable {
    /// Parses `table` or `schema.table`.
    pub fn parse(text: &str) -> Result<Self, InvalidStateTable> {
        let parts: Vec<&str> = text.split('.').collect();
        if parts.len() <= 2 && parts.iter().all(|part| is_plain_name(part)) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidStateTable(text.to_owned()))
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for StateTable {
    /// The table of the component in `components/`.
    fn default() -> Self {
        Self(STATE_TABLE.to_owned())
    }
}

fn is_plain_name(text: &str) -> bool {
    text.len() <= NAME_MAX_BYTES
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

impl FromStr for StateTable {
    type Err = InvalidStateTable;
    fn from_str(text: &str) -> Result<Self, InvalidStateTable> {
        Self::parse(text)
    }
}

impl fmt::Display for StateTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_need_no_quotes_are_accepted() {
        for good in ["reminder_state", "app.reminder_state", "_a1", &"a".repeat(63)] {
            assert!(StateTable::parse(good).is_ok(), "{good:?} must be accepted");
        }
        let long = "a".repeat(64);
        for bad in ["", ".", "a.", "a.b.c", "1a", "A", "a b", "a;drop table b", "a\"", &long] {
            assert!(StateTable::parse(bad).is_err(), "{bad:?} must be refused");
        }
    }
}
