//! What must not show up in logs.

/// A text that must not show up in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Any text, even an empty one.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, unless it is empty.
    pub fn non_empty(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
