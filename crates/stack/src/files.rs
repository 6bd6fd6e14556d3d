//! Small file operations that several modules share: atomic writes, locks, content hashes.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use xxhash_rust::xxh3::Xxh3;

use crate::probe;

/// Readable by its owner alone, because it holds passwords.
const SECRET_MODE: u32 = 0o600;

/// Replaces a file as a whole, so that a reader sees the old content or the new one.
pub(crate) fn write_secret(path: &Path, content: &[u8]) -> Result<()> {
    // A name of its own, for two threads of two processes may write at once.
    static WRITES: AtomicU32 = AtomicU32::new(0);
    let write = WRITES.fetch_add(1, Ordering::Relaxed);
    let new = path.with_extension(format!("new-{}-{write}", std::process::id()));
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(SECRET_MODE)
        .open(&new)
        .with_context(|| format!("cannot write {}", new.display()))?;
    file.write_all(content)?;
    fs::rename(&new, path).with_context(|| format!("cannot replace {}", path.display()))
}

/// An exclusive lock, held until dropped; the kernel releases it when the process dies.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

fn open_lock(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// Waits for a lock that is only ever held for a moment.
pub(crate) fn lock_briefly(path: &Path) -> Result<Lock> {
    let file = open_lock(path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(Lock(file))
}

/// Waits for a lock that may be held for minutes; `waiting` is called once if it is taken.
pub(crate) async fn lock(path: &Path, limit: Duration, waiting: impl FnOnce()) -> Result<Lock> {
    let file = open_lock(path)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        return Ok(Lock(file));
    }
    waiting();
    let taken = probe::until(limit, || async {
        flock(&file, FlockOperation::NonBlockingLockExclusive).ok()
    })
    .await;
    taken.with_context(|| {
        format!("{} is still locked by another process after {limit:?}", path.display())
    })?;
    Ok(Lock(file))
}

/// A hash of named contents; the names keep neighbours apart.
#[derive(Default)]
pub(crate) struct ContentHash(Xxh3);

impl ContentHash {
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) {
        for bytes in [name.as_bytes(), content] {
            self.0.update(&(bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        }
    }

    pub(crate) fn hex(&self) -> String {
        format!("{:032x}", self.0.digest128())
    }
}

/// Bytes that nobody can guess, as hexadecimal text.
pub(crate) fn random_hex(bytes: usize) -> Result<String> {
    let mut text = String::new();
    for byte in random(bytes)? {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

/// Bytes that nobody can guess.
pub(crate) fn random(bytes: usize) -> Result<Vec<u8>> {
    let mut buffer = vec![0; bytes];
    File::open("/dev/urandom")?.read_exact(&mut buffer)?;
    Ok(buffer)
}

/// A folder for one test.
#[cfg(test)]
pub(crate) fn scratch(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("reminder-stack-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_tell_boundaries_apart() {
        let hash = |parts: &[(&str, &str)]| {
            let mut hash = ContentHash::default();
            for (name, content) in parts {
                hash.add(name, content.as_bytes());
            }
            hash.hex()
        };
        assert_eq!(hash(&[("a", "b")]), hash(&[("a", "b")]));
        assert_ne!(hash(&[("a", "bc")]), hash(&[("ab", "c")]));
        assert_ne!(hash(&[("a", "b"), ("c", "d")]), hash(&[("a", "bcd")]));
        assert_eq!(hash(&[]).len(), 32);
    }

    #[tokio::test]
    async fn a_lock_is_held_by_one() {
        let folder = scratch("lock");
        let path = folder.join("lock");
        let held = lock_briefly(&path).unwrap();
        let mut told = false;
        let second = lock(&path, Duration::from_millis(50), || told = true).await;
        assert!(second.is_err() && told);
        drop(held);
        lock(&path, Duration::from_millis(50), || panic!("it is free")).await.unwrap();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn secrets_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = scratch("secret");
        let path = folder.join("s.json");
        write_secret(&path, b"one").unwrap();
        write_secret(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, SECRET_MODE);
        assert_eq!(random_hex(8).unwrap().len(), 16);
        fs::remove_dir_all(folder).unwrap();
    }
}
