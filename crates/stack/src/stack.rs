//! A stack that exists: its parts one by one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::error::PartFailed;
use crate::logs;
use crate::manifest::Manifest;
use crate::options::{DEFAULT_INSTANCE, Options, instance_dir, workspace_root};
use crate::part::{Part, Signal};
use crate::parts;
use crate::probe;
use crate::process::is_running;
use crate::progress::{Progress, done};

/// How long a killed process may take to be gone.
const KILL_DEADLINE: Duration = Duration::from_secs(10);

/// An instance of the stack. It holds no state of its own, so clones and other processes see the
/// same stack, and dropping it stops nothing.
#[derive(Clone)]
pub struct Stack {
    pub(crate) dir: PathBuf,
    pub(crate) progress: Progress,
    pub(crate) started: Vec<Part>,
}

impl Stack {
    /// Brings an instance up: starts what is not running, restarts what is out of date (a rebuilt
    /// service, changed components), and leaves alone what is as it should be.
    ///
    /// When a part fails, what this call has started is stopped again.
    pub async fn up(options: Options, progress: Progress) -> Result<Self> {
        Box::pin(crate::up::up(options, progress)).await
    }

    /// An instance that was brought up before, whether it runs or not.
    pub fn load(dir: &Path) -> Result<Self> {
        Manifest::read(dir)?;
        let progress = crate::progress::silent();
        Ok(Self { dir: dir.to_path_buf(), progress, started: Vec::new() })
    }

    /// The instance that `cargo xtask up` uses.
    pub fn load_default() -> Result<Self> {
        Self::load(&instance_dir(&workspace_root(), DEFAULT_INSTANCE))
    }

    /// Says what it does from now on.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// What [`Stack::up`] has started or restarted; nothing when all was running.
    pub fn started(&self) -> &[Part] {
        &self.started
    }

    /// The instance's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is known about it now.
    pub fn manifest(&self) -> Result<Manifest> {
        Manifest::read(&self.dir)
    }

    /// The environment a service of that replica needs, for one that is run by hand.
    pub fn app_environment(
        &self,
        replica: u32,
    ) -> Result<std::collections::BTreeMap<String, String>> {
        parts::app_environment(&self.manifest()?, replica)
    }

    /// Has every service that is started from now on run this executable, with this environment
    /// beside that of the options. Answers whether that is a change.
    pub fn run_app_as(&self, program: &Path, env: &BTreeMap<String, String>) -> Result<bool> {
        let (_, changed) = Manifest::update(&self.dir, |manifest| {
            let tools = &mut manifest.tools;
            let before = (tools.app.replace(program.to_path_buf()), tools.app_env.clone());
            tools.app_env.clone_from(env);
            Ok(before != (Some(program.to_path_buf()), env.clone()))
        })?;
        Ok(changed)
    }

    /// Starts a part, on the ports it has always had; does not wait until it is ready.
    pub async fn start(&self, part: Part) -> Result<()> {
        let manifest = self.known(part)?;
        ensure!(manifest.alive(part).is_none(), "{part} is running already");
        let log = logs::path(&self.dir, part);
        parts::prepare(&manifest, part, &self.progress).await?;
        let launch = parts::launch(&manifest, part)?;
        let process = launch
            .spawn(&log)
            .with_context(|| format!("{part} cannot be started; its log is {}", log.display()))?;
        Manifest::update(&self.dir, |manifest| {
            manifest.processes.insert(part, process);
            Ok(())
        })?;
        Ok(())
    }

    /// Waits until a part does its work; fails at once when its process ends.
    pub async fn wait_ready(&self, part: Part) -> Result<()> {
        self.wait_ready_within(part, parts::ready_deadline(part)).await
    }

    /// The same, with a deadline of the caller's.
    pub async fn wait_ready_within(&self, part: Part, limit: Duration) -> Result<()> {
        let manifest = self.known(part)?;
        let log = logs::path(&self.dir, part);
        let Some(process) = manifest.alive(part) else {
            return Err(PartFailed::new(part, "is not running", &log).into());
        };
        let outcome = probe::until(limit, || async {
            if parts::help_along(&manifest, part).await {
                return Some(true);
            }
            (!process.is_alive()).then_some(false)
        });
        match outcome.await {
            Some(true) => Ok(()),
            Some(false) => Err(PartFailed::new(part, "has ended", &log).into()),
            None => {
                let reason = format!("is not ready after {} s", limit.as_secs());
                Err(PartFailed::new(part, reason, &log).into())
            }
        }
    }

    /// Waits until the sidecar of a replica hosts the service's actors, that is until they can be
    /// called. Unlike [`Stack::wait_ready`] of a sidecar it does not need the scheduler, and after a
    /// restart of the service it tells when the sidecar has noticed.
    pub async fn wait_hosting(&self, replica: u32) -> Result<()> {
        let manifest = self.manifest()?;
        let part = Part::Sidecar(replica);
        let limit = parts::ready_deadline(part);
        let hosting = || async { parts::hosts_actors(&manifest, replica).await.then_some(()) };
        let Some(()) = probe::until(limit, hosting).await else {
            let reason = format!("hosts no actors after {} s", limit.as_secs());
            return Err(PartFailed::new(part, reason, &logs::path(&self.dir, part)).into());
        };
        Ok(())
    }

    /// Sends a signal to a part and its child processes. After `Kill` the part is gone.
    pub async fn kill(&self, part: Part, signal: Signal) -> Result<()> {
        let manifest = self.known(part)?;
        let Some(process) = manifest.alive(part) else { bail!("{part} is not running") };
        match signal {
            Signal::Term => process.ask_to_finish(parts::finish(part).0),
            Signal::Stop | Signal::Cont => {
                process.signal_tree(signal);
            }
            Signal::Kill => {
                let tree = process.signal_tree(signal);
                let gone = || async { (!tree.iter().any(|pid| is_running(*pid))).then_some(()) };
                let gone = probe::until(KILL_DEADLINE, gone).await;
                gone.with_context(|| format!("{part} does not die"))?;
            }
        }
        Ok(())
    }

    /// Asks a part to finish and waits until it has; kills it when it takes too long. A part that
    /// is not running is fine.
    pub async fn stop(&self, part: Part) -> Result<()> {
        let manifest = self.known(part)?;
        let Some(process) = manifest.alive(part) else { return Ok(()) };
        let began = Instant::now();
        let (how, limit) = parts::finish(part);
        // A stalled one could not finish.
        process.signal_tree(Signal::Cont);
        process.ask_to_finish(how);
        let gone = probe::until(limit, async || (!process.is_alive()).then_some(())).await;
        if gone.is_none() {
            self.kill(part, Signal::Kill).await?;
        }
        let message = if gone.is_some() { "stopped" } else { "killed, for it did not stop" };
        done(&self.progress, &part, message, began);
        Ok(())
    }

    /// Stops a part, starts it again and waits until it is ready.
    pub async fn restart(&self, part: Part) -> Result<()> {
        self.stop(part).await?;
        self.start(part).await?;
        self.wait_ready(part).await
    }

    /// Removes the data of a part that is not running: the scheduler's, the broker's, the
    /// database's. The next start begins with nothing.
    pub fn wipe(&self, part: Part) -> Result<()> {
        let manifest = self.known(part)?;
        ensure!(manifest.alive(part).is_none(), "{part} is running: stop it first");
        let data = parts::data(&manifest, part)
            .with_context(|| format!("{part} has no data of its own"))?;
        if data.exists() {
            fs::remove_dir_all(&data)
                .with_context(|| format!("cannot remove {}", data.display()))?;
        }
        Ok(())
    }

    /// Adds a replica of service and sidecar, and waits until it is ready. Gives its number.
    pub async fn add_replica(&self) -> Result<u32> {
        let (_, number) = Manifest::update(&self.dir, |manifest| {
            let number = manifest.replicas.keys().max().map_or(1, |last| last + 1);
            manifest.add_replica(number)?;
            Ok(number)
        })?;
        crate::up::start_replica(self, number).await?;
        Ok(number)
    }

    /// Stops a replica and forgets it.
    pub async fn remove_replica(&self, number: u32) -> Result<()> {
        for part in [Part::App(number), Part::Sidecar(number)] {
            if self.manifest()?.parts().contains(&part) {
                self.stop(part).await?;
            }
        }
        Manifest::update(&self.dir, |manifest| {
            manifest.replicas.remove(&number);
            manifest.processes.remove(&Part::App(number));
            manifest.processes.remove(&Part::Sidecar(number));
            Ok(())
        })?;
        Ok(())
    }

    fn known(&self, part: Part) -> Result<Manifest> {
        let manifest = self.manifest()?;
        ensure!(
            manifest.parts().contains(&part) || manifest.processes.contains_key(&part),
            "this stack has no {part}"
        );
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests and commands run these on other threads.
    #[test]
    fn what_takes_long_can_be_spawned() {
        fn spawnable(_: impl Future + Send) {}
        let stack =
            Stack { dir: PathBuf::new(), progress: crate::progress::silent(), started: Vec::new() };
        spawnable(Stack::up(Options::default(), crate::progress::silent()));
        spawnable(stack.restart(Part::Kafka));
        spawnable(stack.kill(Part::Kafka, Signal::Kill));
        spawnable(stack.wait_hosting(1));
        spawnable(stack.add_replica());
        spawnable(stack.down());
        spawnable(stack.status());
    }
}
