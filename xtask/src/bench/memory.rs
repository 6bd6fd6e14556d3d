//! The memory of parts of a stack while it is under load, by `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reminder_stack::{Manifest, Part};
use tokio::task::JoinHandle;

/// Between two looks.
const SAMPLE_EVERY: Duration = Duration::from_millis(250);

/// How much more memory the service may take than at the beginning, in MiB: the bodies of the
/// commands that wait (32 MiB at most), 50,000 remembered states of a few KiB each, and what the
/// allocator keeps.
const SERVICE_GROWTH_MAX_MIB: u64 = 768;

/// The same for the sidecar, which holds every call that is under way, and knows every actor that
/// was called within the hour.
const SIDECAR_GROWTH_MAX_MIB: u64 = 2_048;

/// What one part took, in MiB, and how many files it had open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Use {
    before: u64,
    most: u64,
    last: u64,
    open_most: usize,
}

impl Use {
    fn add(&mut self, mib: u64, open: usize) {
        if self.before == 0 {
            self.before = mib;
        }
        self.most = self.most.max(mib);
        self.last = mib;
        self.open_most = self.open_most.max(open);
    }
}

/// Looks again and again until it is dropped.
pub(super) struct Watch {
    uses: Arc<Mutex<BTreeMap<Part, Use>>>,
    looking: JoinHandle<()>,
}

impl Watch {
    /// Watches service, sidecar and scheduler.
    pub(super) fn begin(manifest: &Manifest) -> Self {
        let parts = [Part::App(1), Part::Sidecar(1), Part::Scheduler, Part::Placement];
        let parts = parts.into_iter().filter_map(|part| Some((part, manifest.alive(part)?.pid)));
        let parts: Vec<(Part, u32)> = parts.collect();
        let uses = Arc::<Mutex<BTreeMap<Part, Use>>>::default();
        let seen = Arc::clone(&uses);
        let looking = tokio::spawn(async move {
            let mut timer = tokio::time::interval(SAMPLE_EVERY);
            loop {
                timer.tick().await;
                for (part, pid) in &parts {
                    let Some(mib) = resident_mib(*pid) else { continue };
                    let mut uses = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    uses.entry(*part).or_default().add(mib, open_files(*pid));
                }
            }
        });
        Self { uses, looking }
    }

    /// What was seen, for people.
    pub(super) fn notes(&self) -> Vec<String> {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |(part, used): (&Part, &Use)| {
            let Use { before, most, last, open_most } = used;
            format!(
                "{part}: {before} MiB before, {most} MiB at most, {last} MiB at the end; \
                 {open_most} open files at most"
            )
        };
        uses.iter().map(told).collect()
    }

    /// Which bounds were not kept.
    pub(super) fn errors(&self) -> Vec<String> {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        judge(&uses)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

fn judge(uses: &BTreeMap<Part, Use>) -> Vec<String> {
    let bounds =
        [(Part::App(1), SERVICE_GROWTH_MAX_MIB), (Part::Sidecar(1), SIDECAR_GROWTH_MAX_MIB)];
    let mut errors = Vec::new();
    for (part, bound) in bounds {
        match uses.get(&part) {
            None => errors.push(format!("{part}: its memory could not be seen")),
            Some(seen) if seen.most - seen.before > bound => errors.push(format!(
                "{part}: grew by {} MiB, beyond the bound of {bound} MiB",
                seen.most - seen.before
            )),
            Some(_) => {}
        }
    }
    errors
}

fn resident_mib(pid: u32) -> Option<u64> {
    resident_kib(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?).map(|kib| kib / 1024)
}

fn resident_kib(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    value.trim().strip_suffix(" kB")?.trim().parse().ok()
}

fn open_files(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read() {
        assert_eq!(resident_kib("Name:\tx\nVmRSS:\t    2048 kB\nVmSwap: 0 kB\n"), Some(2048));
        assert_eq!(resident_kib("Name:\tx\n"), None);
        assert!(resident_mib(std::process::id()).is_some_and(|mib| mib > 0));
    }

    #[test]
    fn growth_beyond_a_bound_is_an_error_and_the_peak_counts() {
        let mut service = Use::default();
        for (mib, open) in [(100, 5), (100 + SERVICE_GROWTH_MAX_MIB, 9), (120, 2)] {
            service.add(mib, open);
        }
        let expected = Use { before: 100, most: 868, last: 120, open_most: 9 };
        assert_eq!(service, expected);
        let mut uses = BTreeMap::from([(Part::App(1), service)]);
        let errors = judge(&uses);
        assert!(errors.len() == 1 && errors[0].starts_with("sidecar-1"), "{errors:?}");
        uses.insert(Part::Sidecar(1), Use { before: 1, most: 1, last: 1, open_most: 1 });
        assert!(judge(&uses).is_empty());
        service.add(101 + SERVICE_GROWTH_MAX_MIB, 1);
        uses.insert(Part::App(1), service);
        assert!(judge(&uses)[0].contains("grew by 769 MiB"));
    }
}
