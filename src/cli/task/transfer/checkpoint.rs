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
    /// Which service, by its address: what is a task of one is none of another.
    pub(super) service: String,
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
    /// The beginning.
    pub(super) fn begin(file: String, service: String) -> Self {
        Self { file, service, ..Self::default() }
    }

    /// The one of an earlier run with this file; one of other contents says nothing about these.
    pub(super) fn load(at: &Path, file: &str) -> Option<Self> {
        let kept = fs::read(at).ok().and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        kept.filter(|kept| kept.file == file)
    }

    /// Goes on where the earlier run came to, unless that was at another service: then it begins here, and
    /// names the other one.
    pub(super) fn after(self, earlier: Option<Self>) -> (Self, Option<String>) {
        match earlier {
            Some(earlier) if earlier.service == self.service => (earlier, None),
            Some(earlier) => (self, Some(earlier.service)),
            None => (self, None),
        }
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
        assert_eq!(Checkpoint::load(&at, &print), None);
        let mut kept = Checkpoint::begin(print.clone(), "http://here/".into());
        kept.rows = 7;
        kept.save(&at).unwrap();
        assert_eq!(Checkpoint::load(&at, &print).as_ref(), Some(&kept));
        fs::write(&file, "two").unwrap();
        let other = fingerprint(&file).unwrap();
        assert_eq!(Checkpoint::load(&at, &other), None);
        let begun = Checkpoint::begin(other, "http://here/".into());
        assert_ne!(kept.command_id(1), begun.command_id(1));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_was_done_at_another_service_is_to_be_done_here() {
        let begun = |service: &str| Checkpoint::begin("file".into(), service.into());
        let earlier = Checkpoint { rows: 7, ..begun("http://staging/") };
        assert_eq!(begun("http://staging/").after(Some(earlier.clone())), (earlier.clone(), None));
        let (place, other) = begun("http://production/").after(Some(earlier));
        assert_eq!(place, begun("http://production/"));
        assert_eq!(other.as_deref(), Some("http://staging/"));
        assert_eq!(begun("http://staging/").after(None), (begun("http://staging/"), None));
    }
}
