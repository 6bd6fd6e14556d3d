//! The log file of each process: opened for appending, marked at each start, kept small.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};

use crate::part::Part;

/// A log larger than this is set aside when its process starts again.
const ROTATE_ABOVE_BYTES: u64 = 32 * 1024 * 1024;

/// Bytes per line that are enough to find the last lines without reading the whole file.
const BYTES_PER_LINE: u64 = 4096;

/// Begins the line that marks a start.
const START_MARK: &str = "--- started ";

/// Where the logs of an instance are, by the folder of the instance.
pub fn folder(instance: &Path) -> PathBuf {
    instance.join("logs")
}

/// The log of a part, in the folder of an instance.
pub fn path(instance: &Path, part: Part) -> PathBuf {
    folder(instance).join(format!("{part}.log"))
}

/// Opens a log for a process about to start.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::metadata(path).is_ok_and(|meta| meta.len() > ROTATE_ABOVE_BYTES) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    writeln!(file, "{START_MARK}{now}")?;
    Ok(file)
}

/// Notes in a log how its process has ended.
pub(crate) fn note_end(path: &Path, end: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    writeln!(file, "--- ended {now}: {end}")
}

/// Leaves out what earlier processes have said.
pub(crate) fn since_start(mut lines: Vec<String>) -> Vec<String> {
    if let Some(mark) = lines.iter().rposition(|line| line.starts_with(START_MARK)) {
        lines.drain(..=mark);
    }
    lines
}

/// The last lines of a log.
pub fn tail(path: &Path, lines: usize) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let window = (lines as u64).saturating_mul(BYTES_PER_LINE);
    let begin = length.saturating_sub(window);
    file.seek(SeekFrom::Start(begin))?;
    let mut last = VecDeque::with_capacity(lines + 1);
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        last.push_back(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
        if last.len() > lines {
            last.pop_front();
        }
        line.clear();
    }
    Ok(last.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_lines() {
        let folder = crate::files::scratch("logs");
        let path = folder.join("x.log");
        let text: Vec<String> = (0..1000).map(|n| format!("line {n} {}", "y".repeat(50))).collect();
        fs::write(&path, text.join("\n")).unwrap();
        assert_eq!(tail(&path, 3).unwrap(), text[997..]);
        assert_eq!(tail(&path, 2000).unwrap(), text);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_start_is_marked_and_what_was_there_stays() {
        let folder = crate::files::scratch("logs-open");
        let path = folder.join("logs/x.log");
        writeln!(open(&path).unwrap(), "first").unwrap();
        writeln!(open(&path).unwrap(), "second").unwrap();
        note_end(&path, "exit status: 0").unwrap();
        let lines = tail(&path, 9).unwrap();
        assert!(lines[0].starts_with(START_MARK) && lines[1] == "first");
        let lines = since_start(lines);
        assert!(lines.len() == 2 && lines[0] == "second" && lines[1].starts_with("--- ended "));
        fs::remove_dir_all(folder).unwrap();
    }
}
