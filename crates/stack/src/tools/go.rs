//! A Go that is recent enough for the runtime's module.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::process::Command;

use super::version::Version;
use super::{ask, install, on_path_all, work};
use crate::progress::Progress;

/// From this version on, Go fetches the toolchain a module asks for by itself.
const FETCHES_TOOLCHAINS: Version = Version(1, 21, 0);

/// Where Go's own installer puts it, which is not always on PATH.
const USUAL_PLACE: &str = "/usr/local/go/bin/go";

/// Toolchains are modules, so even an old Go can fetch one.
const TOOLCHAIN_MODULE: &str = "golang.org/toolchain";

/// A Go command that can build the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Go {
    program: PathBuf,
    /// The value of GOTOOLCHAIN.
    toolchain: &'static str,
}

impl Go {
    /// A command with the right toolchain.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("GOTOOLCHAIN", self.toolchain);
        // Would make a downloaded toolchain use another one's library.
        command.env_remove("GOROOT");
        command
    }
}

/// Finds, installs or fetches a Go for a module.
pub(crate) async fn provide(progress: &Progress, go_mod: &str, shared: &Path) -> Result<Go> {
    let wanted = wanted(go_mod).context("go.mod names no Go version")?;
    let mut found = find().await;
    if found.is_none() {
        install(progress, "go", &["golang-go"]).await?;
        found = find().await;
    }
    let (program, version) = found.context("the package golang-go has no `go`")?;
    if version >= wanted {
        return Ok(Go { program, toolchain: "local" });
    }
    if version >= FETCHES_TOOLCHAINS {
        return Ok(Go { program, toolchain: "auto" });
    }
    let program = fetch(progress, &program, wanted, shared).await?;
    Ok(Go { program, toolchain: "local" })
}

/// The newest Go there is.
async fn find() -> Option<(PathBuf, Version)> {
    let mut newest: Option<(PathBuf, Version)> = None;
    for program in on_path_all("go").into_iter().chain([USUAL_PLACE.into()]) {
        if !program.is_file() {
            continue;
        }
        let answer = ask(&program, &["version"]).await.unwrap_or_default();
        let version = answer.split("go version go").nth(1).and_then(Version::find);
        if let Some(version) = version
            && newest.as_ref().is_none_or(|(_, other)| version > *other)
        {
            newest = Some((program, version));
        }
    }
    newest
}

fn wanted(go_mod: &str) -> Option<Version> {
    go_mod.lines().find_map(|line| Version::find(line.strip_prefix("go ")?))
}

/// What `go mod download -json` says.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Download {
    dir: PathBuf,
}

/// Fetches a toolchain as an ordinary module, which is what newer Gos do.
async fn fetch(progress: &Progress, old: &Path, wanted: Version, shared: &Path) -> Result<PathBuf> {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => bail!("Go {wanted} or newer is needed, and none can be fetched for {other}"),
    };
    // Modules are downloaded in the context of one.
    let folder = shared.join("go");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("go.mod"), "module toolchain\n")?;
    let mut command = Command::new(old);
    command
        .current_dir(&folder)
        .env_remove("GOROOT")
        .env("GOFLAGS", "-mod=mod")
        .args(["mod", "download", "-json"])
        .arg(format!("{TOOLCHAIN_MODULE}@v0.0.1-go{wanted}.linux-{arch}"));
    let output = work(progress, "go", &format!("fetching Go {wanted}"), command).await?;
    let download: Download = serde_json::from_slice(&output.stdout)
        .context("`go mod download -json` gave an unexpected answer")?;
    // A module's files are never executable.
    for folder in ["bin", &format!("pkg/tool/linux_{arch}")] {
        let folder = download.dir.join(folder);
        let listed =
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in listed {
            let path = entry?.path();
            let mode = fs::metadata(&path)?.permissions().mode();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode | 0o111))?;
        }
    }
    let program = download.dir.join("bin/go");
    ensure!(program.is_file(), "the fetched Go has no {}", program.display());
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_version_is_the_modules() {
        assert_eq!(wanted("module x\n\ngo 1.26.4\n\nrequire y v1"), Some(Version(1, 26, 4)));
        assert_eq!(wanted("module x\n"), None);
    }

    #[test]
    fn downloads_are_read() {
        let text = r#"{"Path":"golang.org/toolchain","Version":"v","Dir":"/m/x","Sum":"h1:"}"#;
        assert_eq!(serde_json::from_str::<Download>(text).unwrap().dir, PathBuf::from("/m/x"));
    }
}
