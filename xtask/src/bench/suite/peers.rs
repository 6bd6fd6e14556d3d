//! What a user would pick instead, in the same run: each peer's harness is a program of its own that is
//! given how many reminders, how long until the first is due and over how long they are spread, and
//! prints a line of JSON at its end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reminder_stack::{Manifest, logs};
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;

use super::fire::Spaced;
use super::spread::Spread;

/// The rate at which lateness is compared.
pub(super) const RATE: f64 = 500.0;

/// A small run first: a harness installs and builds then what it lacks.
const FIRST: usize = 200;
const FIRST_DEADLINE: Duration = Duration::from_secs(15 * 60);
const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Until the first is due, in seconds: a fixed time, and as long as scheduling so many a second takes.
const DELAY: usize = 10;
const SLOWEST_PER_SECOND: usize = 300;

/// A peer: its name, its folder, what its harness is told, and what it keeps, keys and delivers.
type Harness = (&'static str, &'static str, Option<(&'static str, &'static str)>, &'static str);

const PEERS: [Harness; 5] = [
    (
        "restate",
        "restate",
        None,
        "a log on disk of one node, synced; keyed by object; pushed to a Node handler, which records",
    ),
    (
        "restate-rust",
        "restate",
        Some(("HANDLER", "rust")),
        "a log on disk of one node, synced; keyed by object; pushed to a Rust handler, which records",
    ),
    (
        "db-scheduler",
        "db-scheduler",
        None,
        "a row in Postgres, committed with sync; keyed by task instance; polled, a Java handler records",
    ),
    (
        "river",
        "river",
        None,
        "a row in Postgres, committed with sync; unique by task id; polled, a Go handler records",
    ),
    (
        "graphile-worker",
        "graphile-worker",
        None,
        "a row in Postgres, committed with sync; job key is the task id; polled, a Node handler records",
    ),
];

/// What a harness tells at its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) version: String,
    n: usize,
    schedule_per_s: f64,
    sched_p99_ms: f64,
    fire_per_s: f64,
    late_p50_ms: f64,
    late_p99_ms: f64,
    fired: usize,
    dups: usize,
    rss_mb: f64,
    scheduled_before_first_due: bool,
}

impl Line {
    fn read(output: &str) -> Result<Self> {
        let last = output.lines().rev().find(|line| line.starts_with('{'));
        let line: Self = serde_json::from_str(last.context("it has told no figures")?)?;
        ensure!(line.fired == line.n, "{} of {} have fired", line.fired, line.n);
        ensure!(line.scheduled_before_first_due, "scheduling took longer than there was time");
        Ok(line)
    }
}

/// A peer, all repetitions.
#[derive(Debug, Serialize)]
pub(in crate::bench) struct Peer {
    pub(super) name: &'static str,
    /// What it makes durable, keys and delivers.
    pub(super) keeps: &'static str,
    /// All due in one instant, and at [`RATE`].
    herds: Vec<Line>,
    spaced: Vec<Line>,
}

impl Peer {
    fn of(lines: &[Line], figure: impl Fn(&Line) -> f64) -> Option<Spread> {
        Spread::of(&lines.iter().map(figure).collect::<Vec<_>>())
    }

    /// Version, tasks scheduled a second, their p99 in ms, firings a second, lateness in ms p50 and p99,
    /// memory in MiB.
    pub(super) fn figures(&self) -> Option<(&str, [Spread; 6])> {
        let version = &self.herds.first()?.version;
        let figures = [
            Self::of(&self.herds, |line| line.schedule_per_s)?,
            Self::of(&self.herds, |line| line.sched_p99_ms)?,
            Self::of(&self.herds, |line| line.fire_per_s)?,
            Self::of(&self.spaced, |line| line.late_p50_ms)?,
            Self::of(&self.spaced, |line| line.late_p99_ms)?,
            Self::of(&self.herds, |line| line.rss_mb)?,
        ];
        Some((version, figures))
    }
}

/// All of them, and ours at the same rate.
#[derive(Debug, Default, Serialize)]
pub(in crate::bench) struct Peers {
    pub(super) measured: Vec<Peer>,
    pub(super) ours: Vec<Spaced>,
    /// Why some have no figures; that says nothing of ours.
    pub(super) notes: Vec<String>,
    #[serde(skip)]
    folder: PathBuf,
    #[serde(skip)]
    logs: PathBuf,
}

impl Peers {
    /// Finds those that are wanted, and has each install what it lacks.
    pub(super) async fn find(
        folder: &Path,
        wanted: &[String],
        manifest: &Manifest,
    ) -> Result<Self> {
        for name in wanted {
            let known = PEERS.iter().any(|(peer, ..)| peer == name);
            ensure!(known, "there is no peer called `{name}`: see --help");
        }
        let folder = folder.canonicalize().with_context(|| format!("no {}", folder.display()))?;
        let mut all = Self { folder, logs: logs::folder(&manifest.dir), ..Self::default() };
        for (name, _, _, keeps) in PEERS {
            if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
                continue;
            }
            println!("Preparing {name} …");
            match all.run(name, (FIRST, 0), FIRST_DEADLINE).await {
                Ok(_) => {
                    let (herds, spaced) = (Vec::new(), Vec::new());
                    all.measured.push(Peer { name, keeps, herds, spaced });
                }
                Err(error) => all.notes.push(format!("{name} has no figures: {error:#}")),
            }
        }
        Ok(all)
    }

    /// One repetition of each.
    pub(super) async fn repetition(&mut self, n: usize) {
        for index in 0..self.measured.len() {
            let name = self.measured[index].name;
            println!("  {name} …");
            let herd = self.run(name, (n, 0), DEADLINE).await;
            let spaced = self.run(name, (n, seconds(n)), DEADLINE).await;
            match (herd, spaced) {
                (Ok(herd), Ok(spaced)) => {
                    self.measured[index].herds.push(herd);
                    self.measured[index].spaced.push(spaced);
                }
                (Err(error), _) | (_, Err(error)) => {
                    self.notes.push(format!("{name}: a repetition is void: {error:#}"));
                }
            }
        }
    }

    async fn run(&self, name: &str, (n, spread): (usize, usize), limit: Duration) -> Result<Line> {
        let peer = PEERS.iter().find(|(peer, ..)| *peer == name);
        let (_, folder, told, _) = peer.context("it is a known one")?;
        let log = self.logs.join(format!("peer-{name}.log"));
        let delay = DELAY + n / SLOWEST_PER_SECOND;
        let mut command = Command::new(self.folder.join(folder).join("run.sh"));
        command.args([n, delay, spread].map(|argument| argument.to_string()));
        command.envs(told.iter().copied()).kill_on_drop(true);
        command.stdin(Stdio::null()).stderr(File::create(&log)?);
        let output = timeout(limit, command.output()).await.context("it takes too long")??;
        ensure!(output.status.success(), "it failed; its log is {}", log.display());
        Line::read(&String::from_utf8_lossy(&output.stdout))
    }

    /// The best lateness of a peer at [`RATE`], p50 and p99.
    pub(super) fn best_lateness(&self) -> Option<[f64; 2]> {
        let figures = self.measured.iter().filter_map(|peer| Some(peer.figures()?.1));
        figures
            .map(|figures| [figures[3].median, figures[4].median])
            .reduce(|best, next| [best[0].min(next[0]), best[1].min(next[1])])
    }

    /// The same of ours, to the start of the turn.
    pub(super) fn our_lateness(&self) -> Option<[Spread; 2]> {
        let of = |figure: fn(&crate::bench::samples::Summary) -> f64| {
            let late = self.ours.iter().filter_map(|spaced| Some(figure(spaced.begun.as_ref()?)));
            Spread::of(&late.collect::<Vec<_>>())
        };
        Some([of(|late| late.p50_ms)?, of(|late| late.p99_ms)?])
    }
}

/// Over how many seconds so many are spread, for [`RATE`].
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small constant")]
pub(super) const fn seconds(n: usize) -> usize {
    n.div_ceil(RATE as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"peer":"river","version":"0.51.1","n":200,"schedule_per_s":1340,
        "sched_p99_ms":81.5,"fire_per_s":3225,"late_p50_ms":61.2,"late_p99_ms":62.0,"fired":200,"dups":0,
        "rss_mb":203,"scheduled_before_first_due":true}"#;

    #[test]
    fn the_last_line_counts_and_what_is_void_is_refused() {
        let good = GOOD.replace('\n', "");
        let line = Line::read(&format!("progress\n{good}\n")).unwrap();
        assert_eq!((line.version.as_str(), line.fired), ("0.51.1", 200));
        assert!(Line::read("progress").is_err());
        assert!(Line::read(&good.replace(":true", ":false")).is_err());
        assert!(Line::read(&good.replace("\"fired\":200", "\"fired\":199")).is_err());
    }

    #[test]
    fn the_best_of_each_figure_is_what_ours_is_held_to() {
        let line = Line::read(&GOOD.replace('\n', "")).unwrap();
        let peer = |name, p50, p99| {
            let spaced = vec![Line { late_p50_ms: p50, late_p99_ms: p99, ..line.clone() }];
            Peer { name, keeps: "", herds: vec![line.clone()], spaced }
        };
        let measured = vec![peer("a", 6.0, 40.0), peer("b", 17.0, 31.0)];
        let peers = Peers { measured, ..Peers::default() };
        assert_eq!(peers.best_lateness(), Some([6.0, 31.0]));
        assert_eq!(Peers::default().best_lateness(), None);
        assert_eq!(seconds(10_000), 20);
    }
}
