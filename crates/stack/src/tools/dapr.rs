//! Dapr's processes: the official ones when they are recent enough, else built from `runtime/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use tokio::process::Command;

use super::version::Version;
use super::{ask, go, on_path_all, shared_lock, work};
use crate::files::ContentHash;
use crate::progress::{Progress, done};

/// Older ones keep reminders elsewhere or answer differently.
const OLDEST: Version = Version(1, 18, 0);

/// The module whose version in `go.mod` is the version of what we build.
const MODULE: &str = "github.com/dapr/dapr";

/// Raise it when the way of building changes, for the stamp cannot see that.
const RECIPE: &str = "1";

const PROGRAMS: [&str; 3] = ["daprd", "placement", "scheduler"];

/// The three executables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dapr {
    pub(crate) daprd: PathBuf,
    pub(crate) placement: PathBuf,
    pub(crate) scheduler: PathBuf,
    pub(crate) version: String,
}

impl Dapr {
    fn within(folder: &Path, version: String) -> Self {
        let [daprd, placement, scheduler] = PROGRAMS.map(|name| folder.join(name));
        Self { daprd, placement, scheduler, version }
    }
}

/// Finds the executables or builds them.
pub(crate) async fn provide(progress: &Progress, root: &Path, shared: &Path) -> Result<Dapr> {
    if let Some(dapr) = official().await {
        return Ok(dapr);
    }
    build(progress, &root.join("runtime"), shared).await
}

/// Official executables come together, by `dapr init --slim` or from a release: so all three must
/// lie in one folder. The version is daprd's, for the others do not tell theirs.
async fn official() -> Option<Dapr> {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".dapr/bin/daprd"));
    for daprd in on_path_all("daprd").into_iter().chain(home) {
        let Some(folder) = daprd.parent() else { continue };
        if !PROGRAMS.iter().all(|name| folder.join(name).is_file()) {
            continue;
        }
        let answer = ask(&daprd, &["--version"]).await.unwrap_or_default();
        if Version::find(&answer).is_some_and(|version| version >= OLDEST) {
            return Some(Dapr::within(folder, answer));
        }
    }
    None
}

async fn build(progress: &Progress, source: &Path, shared: &Path) -> Result<Dapr> {
    let bin = shared.join("bin");
    let stamp_file = bin.join("stamp");
    let _lock = shared_lock(progress, "dapr", &shared.join("dapr.lock")).await?;

    let go_mod = fs::read_to_string(source.join("go.mod"))
        .with_context(|| format!("cannot read go.mod in {}", source.display()))?;
    let version = required_version(&go_mod)
        .with_context(|| format!("go.mod in {} does not require {MODULE}", source.display()))?;
    let dapr = Dapr::within(&bin, version.to_string());
    let stamp = stamp(source)?;
    let built = PROGRAMS.iter().all(|name| bin.join(name).is_file());
    if built && fs::read_to_string(&stamp_file).is_ok_and(|found| found == stamp) {
        return Ok(dapr);
    }

    let go = go::provide(progress, &go_mod, shared).await?;
    let began = Instant::now();
    // Beside the place they go to, for a running executable cannot be overwritten but replaced.
    let fresh = bin.join("new");
    fs::create_dir_all(&fresh)?;
    let flags = format!(
        "-s -w -X {MODULE}/pkg/buildinfo.version={version} \
         -X github.com/dapr/kit/logger.DaprVersion={version}"
    );
    let mut command: Command = go.command();
    command
        .current_dir(source)
        .env("GOFLAGS", "-mod=readonly -buildvcs=false")
        .args(["build", "-trimpath", "-ldflags", &flags, "-o"])
        .arg(format!("{}/", fresh.display()))
        .arg("./cmd/...");
    let message =
        format!("building Dapr {version} from source, which takes minutes the first time");
    work(progress, "dapr", &message, command)
        .await
        .context("Dapr cannot be built; official binaries in ~/.dapr/bin would be used instead")?;
    for name in PROGRAMS {
        fs::rename(fresh.join(name), bin.join(name))?;
    }
    fs::remove_dir(&fresh).ok();
    fs::write(&stamp_file, stamp)?;
    done(progress, "dapr", format!("built Dapr {version}"), began);
    Ok(dapr)
}

fn required_version(go_mod: &str) -> Option<Version> {
    go_mod.lines().find_map(|line| {
        let line = line.trim().trim_start_matches("require ");
        Version::find(line.strip_prefix(MODULE)?.strip_prefix(" v")?)
    })
}

/// Changes with everything that is built.
fn stamp(source: &Path) -> Result<String> {
    let mut hash = ContentHash::default();
    hash.add("recipe", RECIPE.as_bytes());
    let mut files = vec![source.join("go.mod"), source.join("go.sum")];
    for name in PROGRAMS {
        let folder = source.join("cmd").join(name);
        let listed =
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut found = listed.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        found.retain(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".go") && !name.ends_with("_test.go")
        });
        found.sort();
        files.append(&mut found);
    }
    for file in files {
        let name = file.strip_prefix(source).unwrap_or(&file).to_string_lossy().into_owned();
        let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        hash.add(&name, &content);
    }
    Ok(hash.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_required() {
        let go_mod = "module x\n\nrequire (\n\tgithub.com/dapr/kit v0.18.1\n\
                      \tgithub.com/dapr/dapr v1.18.1\n)\n";
        assert_eq!(required_version(go_mod), Some(Version(1, 18, 1)));
        assert_eq!(required_version("require github.com/dapr/dapr v1.2.3"), Some(Version(1, 2, 3)));
        assert_eq!(required_version("module github.com/dapr/dapr-other v1"), None);
    }

    #[test]
    fn the_stamp_follows_sources_but_not_tests() {
        let folder = crate::files::scratch("stamp");
        for name in PROGRAMS {
            fs::create_dir_all(folder.join("cmd").join(name)).unwrap();
            fs::write(folder.join("cmd").join(name).join("main.go"), "package main").unwrap();
        }
        fs::write(folder.join("go.mod"), "module x").unwrap();
        fs::write(folder.join("go.sum"), "").unwrap();
        let first = stamp(&folder).unwrap();
        fs::write(folder.join("cmd/daprd/main_test.go"), "package main").unwrap();
        assert_eq!(stamp(&folder).unwrap(), first);
        fs::write(folder.join("cmd/daprd/main.go"), "package main // changed").unwrap();
        assert_ne!(stamp(&folder).unwrap(), first);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn our_own_module_can_be_stamped() {
        let source = crate::options::workspace_root().join("runtime");
        assert!(stamp(&source).is_ok());
        let go_mod = fs::read_to_string(source.join("go.mod")).unwrap();
        assert!(required_version(&go_mod).unwrap() >= OLDEST);
    }
}
