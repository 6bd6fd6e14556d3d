//! What each process took of the machine: CPU, bytes written and memory, by `/proc`, children included.

use std::collections::BTreeMap;
use std::fs;

use reminder_stack::{Manifest, Part};
use serde::Serialize;

use super::floor::Floor;
use super::subject::Side;

/// Ticks of `/proc/PID/stat` in a second: Linux shows user space this many, whatever the kernel has.
const TICKS_PER_SECOND: f64 = 100.0;

/// Where the fields that follow the name are, counted from the state.
const PARENT: usize = 1;
const CPU: std::ops::Range<usize> = 11..15;

/// What a part has taken since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Taken {
    cpu_seconds: f64,
    written: u64,
}

/// What a part took of one thing that was done so many times.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Used {
    pub(in crate::bench) part: &'static str,
    /// Milliseconds of a core for each.
    pub(in crate::bench) cpu_ms: f64,
    /// Bytes that went to the disk for each.
    pub(in crate::bench) written_bytes: f64,
    /// Afterwards, shared pages counted once.
    pub(in crate::bench) memory_mib: f64,
}

/// The processes that one side needs.
pub(super) struct Parts(Vec<(&'static str, Vec<u32>)>);

/// A moment.
pub(super) struct Moment(BTreeMap<&'static str, Taken>);

impl Parts {
    /// One side with what both share.
    pub(super) fn of(side: Side, manifest: &Manifest, floor: &Floor) -> Self {
        let mut parts = match side {
            Side::Ours => own(manifest, [1]),
            Side::Floor => {
                let own = floor.processes().into_iter();
                own.filter_map(|(name, pid)| Some((name, vec![pid?]))).collect()
            }
        };
        parts.extend(shared(manifest));
        Self(parts)
    }

    /// Ours with all replicas, each kind of process together.
    pub(super) fn of_all(manifest: &Manifest) -> Self {
        let mut parts = own(manifest, manifest.replicas.keys().copied());
        parts.extend(shared(manifest));
        Self(parts)
    }

    pub(super) fn now(&self) -> Moment {
        let all = stats();
        let taken = |pids: &[u32]| taken(&trees(&all, pids), &all);
        Moment(self.0.iter().map(|(name, pids)| (*name, taken(pids))).collect())
    }

    /// What was taken since then, for each of so many.
    #[expect(clippy::cast_precision_loss, reason = "bytes and counts for people")]
    pub(super) fn since(&self, then: &Moment, count: usize) -> Vec<Used> {
        let (all, now, count) = (stats(), self.now(), count.max(1) as f64);
        let used = |(part, pids): &(&'static str, Vec<u32>)| {
            let (now, then) = (now.0.get(part)?, then.0.get(part)?);
            let memory: u64 = trees(&all, pids).iter().map(|pid| pss_kib(*pid)).sum();
            Some(Used {
                part,
                cpu_ms: (now.cpu_seconds - then.cpu_seconds) * 1_000.0 / count,
                written_bytes: now.written.saturating_sub(then.written) as f64 / count,
                memory_mib: memory as f64 / 1_024.0,
            })
        };
        self.0.iter().filter_map(used).collect()
    }

    /// The memory of one part now, in MiB.
    #[expect(clippy::cast_precision_loss, reason = "bytes for people")]
    pub(super) fn memory_mib(&self, part: &str) -> Option<f64> {
        let (_, pids) = self.0.iter().find(|(name, _)| *name == part)?;
        let kib: u64 = trees(&stats(), pids).iter().map(|pid| pss_kib(*pid)).sum();
        Some(kib as f64 / 1_024.0)
    }
}

type Named = Vec<(&'static str, Vec<u32>)>;

/// The processes of these replicas.
fn own(manifest: &Manifest, replicas: impl IntoIterator<Item = u32>) -> Named {
    let pid = |part| Some(manifest.alive(part)?.pid);
    let (mut apps, mut sidecars) = (Vec::new(), Vec::new());
    for replica in replicas {
        apps.extend(pid(Part::App(replica)));
        sidecars.extend(pid(Part::Sidecar(replica)));
    }
    vec![("app", apps), ("sidecar", sidecars)]
}

/// What all of them use.
fn shared(manifest: &Manifest) -> Named {
    let shared = [
        ("scheduler", Part::Scheduler),
        ("placement", Part::Placement),
        ("postgres", Part::Postgres),
        ("broker", Part::Kafka),
    ];
    let alive = |(name, part)| Some((name, vec![manifest.alive(part)?.pid]));
    shared.into_iter().filter_map(alive).collect()
}

/// Parent and ticks of every process.
type Stats = BTreeMap<u32, (u32, u64)>;

fn stats() -> Stats {
    let listed = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let read =
        |pid: u32| Some((pid, stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?));
    pids.filter_map(read).collect()
}

/// The name may hold anything, so what follows it is found from its end. The ticks are those of the
/// process and of those of its children that have ended.
fn stat(text: &str) -> Option<(u32, u64)> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks = fields.get(CPU)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some((fields.get(PARENT)?.parse().ok()?, ticks))
}

/// Processes and all that descend from them.
fn trees(all: &Stats, roots: &[u32]) -> Vec<u32> {
    let mut found = roots.to_vec();
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(all.iter().filter(|(_, (of, _))| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

#[expect(clippy::cast_precision_loss, reason = "ticks of some hours")]
fn taken(pids: &[u32], all: &Stats) -> Taken {
    let ticks: u64 = pids.iter().filter_map(|pid| all.get(pid)).map(|(_, ticks)| ticks).sum();
    let written = pids.iter().map(|pid| written(*pid)).sum();
    Taken { cpu_seconds: ticks as f64 / TICKS_PER_SECOND, written }
}

/// What went to the disk. Some file systems count a whole folio, many pages, where a part of it was written:
/// so no more than what the process has written.
fn written(pid: u32) -> u64 {
    let io = |name| number(&format!("/proc/{pid}/io"), name);
    io("write_bytes:").min(io("wchar:"))
}

fn pss_kib(pid: u32) -> u64 {
    number(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// The number behind a name in a file of `/proc`; 0 when the process is gone.
fn number(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|value| value.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_stat_is_read_whatever_the_name() {
        let line = "7 (a b) c) S 3 7 7 0 -1 4194560 1 2 3 4 100 20 7 3 20 0 1 0";
        assert_eq!(stat(line), Some((3, 130)));
        assert_eq!(stat("7 (x) S"), None);
    }

    #[test]
    fn a_tree_is_a_process_with_its_descendants() {
        let all = Stats::from([(1, (0, 5)), (2, (1, 7)), (3, (2, 1)), (4, (0, 9))]);
        assert_eq!(trees(&all, &[1]), [1, 2, 3]);
        assert!((taken(&[1, 2, 3], &all).cpu_seconds - 0.13).abs() < 1e-9);
    }

    #[test]
    fn memory_of_this_process_is_seen() {
        assert!(pss_kib(std::process::id()) > 0);
    }
}
