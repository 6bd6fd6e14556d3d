//! What the tests need of the machine beyond what building us has needed already. The parts of the
//! stack are found, installed or built by the stack itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::process::Command;

use super::process::{self, Log};

/// For asking a tool whether it is there.
const QUESTION_DEADLINE: Duration = Duration::from_secs(60);

/// For a download and an installation.
const INSTALL_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Cargo's commands that a minimal toolchain lacks, by the component that brings them.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// The manifests are checked by a Python package, installed into an environment of its own.
const PYTHON_PACKAGES: [&str; 2] = ["python3", "python3-venv"];

/// What recurrence is compared with; the zones are of the version that chrono-tz has compiled in,
/// which the test checks.
const DATEUTIL: [&str; 2] = ["python-dateutil==2.9.0.post0", "tzdata==2025.2"];

/// What reads and makes events beside us, in the same environment.
const SDK: &str = "tests/conformity/requirements.txt";

/// What tries the REST edge, in an environment of its own: it needs many packages.
const SCHEMATHESIS: &str = "tests/conformity/schemathesis.txt";
const SCHEMATHESIS_FOLDER: &str = "target/schemathesis";
/// What judges what we depend on, in the same environment.
const SUPPLY: &str = "tests/supply/requirements.txt";

/// Where Python's packages are installed, below the workspace.
const PYTHON_FOLDER: &str = "target/python";

/// The list of packages for the parser of `AsyncAPI`, and where they are installed.
const NODE_LIST: &str = "tests/conformity/package.json";
const NODE_FOLDER: &str = "target/asyncapi";

/// Dapr's SDK for Python with all it needs, and its environment, below the workspace: what the others
/// need is of other versions.
const DAPR_PYTHON: &str = "tests/sdk/python/requirements.txt";
const DAPR_PYTHON_FOLDER: &str = "target/python-dapr";

/// Dapr's SDK for JavaScript, by its lock file.
const DAPR_NODE_FOLDER: &str = "tests/sdk/node";

/// What counts instructions, and the symbols of the C library that it needs.
const VALGRIND_PACKAGES: [&str; 2] = ["valgrind", "libc6-dbg"];

/// What runs that parser.
const NODE_PACKAGES: [&str; 2] = ["nodejs", "npm"];

/// Sees to it that everything is there.
pub(super) async fn ensure(log: &Log) -> Result<()> {
    for (subcommand, component) in COMPONENTS {
        if works(log, "cargo", &[subcommand, "--version"]).await {
            continue;
        }
        println!("      installing {component}");
        if !does(log, "rustup", &["component", "add", component]).await {
            bail!("{component} is missing, and `rustup component add {component}` does not help");
        }
    }
    if !has_venv(log).await {
        install(log, "Python's venv", &PYTHON_PACKAGES).await?;
        if !has_venv(log).await {
            bail!(
                "the python3 on PATH has no venv, though {} are installed",
                PYTHON_PACKAGES.join(" and ")
            );
        }
    }
    Ok(())
}

/// Sees to it that there is a python with the pinned dateutil, the SDK of `CloudEvents` and what judges
/// dependencies, and says where.
pub(super) async fn python(log: &Log, root: &Path) -> Result<PathBuf> {
    let [sdk, supply] = [SDK, SUPPLY].map(|list| root.join(list).to_string_lossy().into_owned());
    let wanted = [&DATEUTIL[..], &["-r", &sdk, "-r", &supply]].concat();
    environment(log, &root.join(PYTHON_FOLDER), &wanted).await
}

/// Sees to it that there is the pinned schemathesis, and says where.
pub(super) async fn schemathesis(log: &Log, root: &Path) -> Result<PathBuf> {
    let list = root.join(SCHEMATHESIS).to_string_lossy().into_owned();
    let folder = root.join(SCHEMATHESIS_FOLDER);
    environment(log, &folder, &["-r", &list]).await?;
    Ok(folder.join("bin/st"))
}

/// Sees to it that Dapr's official SDKs are there, and says which python has its one; that for
/// JavaScript lies beside the program that uses it.
pub(super) async fn sdks(log: &Log, root: &Path) -> Result<PathBuf> {
    let list = root.join(DAPR_PYTHON).to_string_lossy().into_owned();
    let python = environment(log, &root.join(DAPR_PYTHON_FOLDER), &["-r", &list]).await?;
    let folder = root.join(DAPR_NODE_FOLDER);
    let wanted = std::fs::read(folder.join("package-lock.json"))?;
    // npm makes everything anew each time, so what was installed is noted.
    let installed = folder.join("node_modules/.installed-lock.json");
    if std::fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    let prefix = folder.to_string_lossy();
    // None of its packages needs a script of its own to be installed.
    let args = ["ci", "--prefix", &prefix, "--ignore-scripts", "--no-audit", "--no-fund"];
    if !does(log, "npm", &args).await {
        bail!("Dapr's SDK for JavaScript cannot be installed: see {}", log.path().display());
    }
    std::fs::write(installed, wanted)?;
    Ok(python)
}

/// Sees to it that there is an environment with these packages; its python.
async fn environment(log: &Log, folder: &Path, wanted: &[&str]) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let (folder, program) = (folder.to_string_lossy(), python.to_string_lossy());
    // A python that has moved on leaves an environment that does not work.
    if !works(log, &program, &["-m", "pip", "--version"]).await
        && !does(log, "python3", &["-m", "venv", "--clear", &folder]).await
    {
        bail!("python3 cannot make an environment; the log is {}", log.path().display());
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    // Asks no registry when the versions are there.
    if !does(log, &program, &[&install[..], wanted].concat()).await {
        let list = wanted.join(" ");
        bail!("{list} cannot be installed; the log is {}", log.path().display());
    }
    Ok(python)
}

/// Sees to it that there is a Node.js with its package manager.
pub(super) async fn node(log: &Log) -> Result<()> {
    if works(log, "npm", &["--version"]).await {
        return Ok(());
    }
    install(log, "Node.js", &NODE_PACKAGES).await
}

/// Sees to it that there is what a guide makes batches with.
pub(super) async fn jq(log: &Log) -> Result<()> {
    if works(log, "jq", &["--version"]).await {
        return Ok(());
    }
    install(log, "jq", &["jq"]).await
}

/// Sees to it that there is what counts instructions.
pub(super) async fn valgrind(log: &Log) -> Result<()> {
    if works(log, "valgrind", &["--version"]).await {
        return Ok(());
    }
    install(log, "Valgrind", &VALGRIND_PACKAGES).await
}

/// Sees to it that the official parser of `AsyncAPI` is there, and says where.
pub(super) async fn asyncapi(log: &Log, root: &Path) -> Result<PathBuf> {
    node(log).await?;
    let folder = root.join(NODE_FOLDER);
    let list = folder.join("package.json");
    let wanted = std::fs::read(root.join(NODE_LIST))?;
    let parser = folder.join("node_modules/@asyncapi/parser/package.json");
    if parser.exists() && std::fs::read(&list).is_ok_and(|there| there == wanted) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder)?;
    std::fs::write(list, wanted)?;
    let prefix = folder.to_string_lossy();
    // None of its packages needs a script of its own to be installed.
    let args = ["install", "--prefix", &prefix, "--ignore-scripts", "--no-audit", "--no-fund"];
    if !does(log, "npm", &args).await {
        bail!("the parser of AsyncAPI cannot be installed; the log is {}", log.path().display());
    }
    Ok(folder)
}

async fn has_venv(log: &Log) -> bool {
    works(log, "python3", &["-c", "import venv, ensurepip"]).await
}

/// Installs packages of the distribution, as root or by sudo without a password.
async fn install(log: &Log, what: &str, packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let root = rustix::process::geteuid().is_root();
    let may = works(log, "apt-get", &["--version"]).await
        && (root || works(log, "sudo", &["--non-interactive", "true"]).await);
    if !may {
        bail!(
            "{what} is missing; install it (on Debian or Ubuntu: `sudo apt-get install {list}`) \
             and try again"
        );
    }
    println!("      installing {list}");
    let apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"];
    let apt = if root { apt[1..].to_vec() } else { [&["--non-interactive"], &apt[..]].concat() };
    let program = if root { "env" } else { "sudo" };
    let lock = ["-o", "DPkg::Lock::Timeout=120"];
    let update = [&apt[..], &lock[..], &["update"]].concat();
    let install = [&apt[..], &lock[..], &["install", "--no-install-recommends"], packages].concat();
    // Old lists may still do.
    does(log, program, &update).await;
    if !does(log, program, &install).await {
        bail!("{list} cannot be installed; the log is {}", log.path().display());
    }
    Ok(())
}

async fn works(log: &Log, program: &str, args: &[&str]) -> bool {
    good(log, program, args, QUESTION_DEADLINE).await
}

async fn does(log: &Log, program: &str, args: &[&str]) -> bool {
    good(log, program, args, INSTALL_DEADLINE).await
}

/// Whether a tool is there and ends well.
async fn good(log: &Log, program: &str, args: &[&str], limit: Duration) -> bool {
    let mut command = Command::new(program);
    command.args(args);
    process::run(command, log, limit).await.is_ok_and(|ended| ended.good)
}
