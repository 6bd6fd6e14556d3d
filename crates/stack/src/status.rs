//! How the parts of a stack are.

use anyhow::Result;
use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use crate::part::Part;
use crate::parts;
use crate::stack::Stack;

/// How one part is.
#[derive(Debug, Clone)]
pub struct PartStatus {
    /// The part.
    pub part: Part,
    /// Its process, if it runs.
    pub pid: Option<u32>,
    /// Its ports by what they are for, the most interesting first.
    pub ports: Vec<(&'static str, u16)>,
    /// Whether it does its work.
    pub healthy: bool,
    /// Since when its process runs.
    pub since: Option<DateTime<Utc>>,
}

impl Stack {
    /// How all parts are, in the order they depend on each other.
    pub async fn status(&self) -> Result<Vec<PartStatus>> {
        let manifest = self.manifest()?;
        let mut probes = JoinSet::new();
        for part in manifest.parts() {
            let manifest = manifest.clone();
            probes.spawn(async move {
                let process = manifest.alive(part);
                let healthy = process.is_some() && parts::is_ready(&manifest, part).await;
                PartStatus {
                    part,
                    pid: process.map(|process| process.pid),
                    ports: manifest.ports(part),
                    healthy,
                    since: process.map(|process| process.since),
                }
            });
        }
        let mut all = probes.join_all().await;
        all.sort_by_key(|status| status.part);
        Ok(all)
    }
}
