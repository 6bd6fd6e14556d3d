//! Taking a stack down.

use std::fs;

use anyhow::{Context, Result};

use crate::manifest::Manifest;
use crate::part::Part;
use crate::stack::Stack;

impl Stack {
    /// Stops everything: first the service, which drains through its sidecar, then the sidecars,
    /// then what those need. Gives what was running. The data stays.
    pub async fn down(&self) -> Result<Vec<Part>> {
        let _turn = crate::up::turn(&self.dir, &self.progress).await?;
        let manifest = self.manifest()?;
        let running: Vec<Part> =
            manifest.processes.keys().copied().filter(|p| manifest.alive(*p).is_some()).collect();
        let in_wave = |wave: u8| running.iter().copied().filter(move |part| wave_of(*part) == wave);
        for wave in 0..=LAST_WAVE {
            let mut stops = tokio::task::JoinSet::new();
            for part in in_wave(wave) {
                let stack = self.clone();
                stops.spawn(async move { stack.stop(part).await });
            }
            while let Some(stopped) = stops.join_next().await {
                stopped.context("stopping was interrupted")??;
            }
        }
        Ok(running)
    }

    /// Stops everything and removes the instance, its data included.
    pub async fn remove(self) -> Result<()> {
        self.down().await?;
        let manifest: Manifest = self.manifest()?;
        let data = &manifest.postgres.data;
        // It may lie outside, in a folder of its own.
        if !data.starts_with(&self.dir)
            && let Some(outside) = data.parent()
            && outside.exists()
        {
            fs::remove_dir_all(outside)
                .with_context(|| format!("cannot remove {}", outside.display()))?;
        }
        fs::remove_dir_all(&self.dir)
            .with_context(|| format!("cannot remove {}", self.dir.display()))
    }
}

const LAST_WAVE: u8 = 2;

/// Parts of one wave stop at the same time.
const fn wave_of(part: Part) -> u8 {
    match part {
        Part::App(_) | Part::Member(_) => 0,
        Part::Sidecar(_) | Part::MemberSidecar(_) => 1,
        Part::Postgres | Part::Kafka | Part::Placement | Part::Scheduler => LAST_WAVE,
    }
}
