//! Secrets as they are given: as a text, or as the name of a file that holds it.

use crate::config::Secret;
use std::path::{Path, PathBuf};

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSecret {
    /// Nobody can say which of the two counts.
    #[error("{0} and {0}_FILE are both set: choose one")]
    Both(&'static str),
    /// There is no such file, or none that may be read.
    #[error("{name}_FILE ({}) cannot be read: {source}", file.display())]
    Unreadable {
        /// The name of the setting.
        name: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file with nothing in it is a mistake; no file at all is not.
    #[error("{name}_FILE ({}) is empty", file.display())]
    Empty {
        /// The name of the setting.
        name: &'static str,
        /// The file.
        file: PathBuf,
    },
}

/// The secret `name` from its variable, or from its file, without the end of its line.
///
/// # Errors
/// When both are given, or the file is of no use.
pub fn given(
    name: &'static str,
    text: String,
    file: Option<&Path>,
) -> Result<Option<Secret>, InvalidSecret> {
    let Some(file) = file else { return Ok(Secret::non_empty(text)) };
    if !text.is_empty() {
        return Err(InvalidSecret::Both(name));
    }
    let unreadable = |source| InvalidSecret::Unreadable { name, file: file.to_owned(), source };
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let secret = Secret::non_empty(text.trim_end().to_owned());
    secret.ok_or_else(|| InvalidSecret::Empty { name, file: file.to_owned() }).map(Some)
}
