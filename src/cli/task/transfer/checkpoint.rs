//! How far an import came, kept beside the file, so that the next one goes on there.

use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// What is read of a file at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// How far it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checkpoint {
    /// Which file, by its contents.
    pub(super) file: String,
    /// Rows that are done, from the first one on without a gap.
    pub(super) rows: u64,
    /// How many of them made a task.
    pub(super) created: u64,
    /// How many were refused.
    pub(super) refused: u64,
}

/// What a file is known by: its contents.
pub(super) fn fingerprint(file: &Path) -> io::Result<String> {
    let mut reader = fs::File::open(file)?;
    let mut hash = Xxh3::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match reader.read(&mut chunk)? {
            0 => return Ok(format!("{:032x}", hash.digest128())),
            read => hash.update(&chunk[..read]),
        }
    }
}

/// Where it is kept, unless asked otherwise.
pub(super) fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".checkpoint");
    file.with_file_name(name)
}

impl Checkpoint {
    /// The one of this file, or the beginning: one of other contents says nothing about these.
    pub(super) fn load(at: &Path, fingerprint: &str) -> Self {
        let kept = fs::read(at).ok().and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        kept.filter(|kept| kept.file == fingerprint)
            .unwrap_or_else(|| Self { file: fingerprint.to_owned(), ..Self::default() })
    }

    /// Keeps it. Whoever is cut short in between leaves the one before.
    pub(super) fn save(&self, at: &Path) -> io::Result<()> {
        let mut name = at.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = at.with_file_name(name);
        fs::write(&new, serde_json::to_vec(self)?)?;
        fs::rename(new, at)
    }

    /// Names the command of a row: the same row of the same file is one command, however often it is
    /// sent.
    pub(super) fn command_id(&self, row: u64) -> String {
        format!("import-{}-{row}", self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_again_for_the_same_contents_only() {
        let folder = std::env::temp_dir().join(format!("checkpoint-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("tasks.csv");
        fs::write(&file, "one").unwrap();
        let at = beside(&file);
        assert_eq!(at.file_name().unwrap(), "tasks.csv.checkpoint");
        let print = fingerprint(&file).unwrap();
        let mut kept = Checkpoint::load(&at, &print);
        assert_eq!((kept.rows, &kept.file), (0, &print));
        kept.rows = 7;
        kept.save(&at).unwrap();
        assert_eq!(Checkpoint::load(&at, &print), kept);
        fs::write(&file, "two").unwrap();
        let other = fingerprint(&file).unwrap();
        assert_eq!(Checkpoint::load(&at, &other).rows, 0);
        assert_ne!(kept.command_id(1), Checkpoint::load(&at, &other).command_id(1));
        fs::remove_dir_all(&folder).unwrap();
    }
}
