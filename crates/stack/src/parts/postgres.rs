//! A Postgres server of the stack's own, as packaged but for its place, its port and its passwords.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reminder_contract::names;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::tool;
use crate::manifest::Manifest;
use crate::probe;
use crate::process::{Launch, User, is_zombie};
use crate::progress::{Progress, done};
use crate::tools;

/// `initdb` syncs a few dozen megabytes to disk.
const INIT_DEADLINE: Duration = Duration::from_secs(120);

/// Only its owner may enter a data directory.
const DATA_MODE: u32 = 0o700;

pub(super) async fn is_ready(m: &Manifest) -> bool {
    probe::postgres("127.0.0.1", m.postgres.port).await
}

pub(super) fn launch(m: &Manifest) -> Result<Launch> {
    let bin = tool(m.tools.postgres_bin.as_ref(), "Postgres")?;
    let data = m.postgres.data.clone();
    Ok(Launch {
        program: bin.join("postgres"),
        args: vec![
            "-D".into(),
            data.to_string_lossy().into_owned(),
            "-p".into(),
            m.postgres.port.to_string(),
            "-c".into(),
            "listen_addresses=127.0.0.1".into(),
            // The packaged socket folder may belong to another server.
            "-c".into(),
            "unix_socket_directories=".into(),
        ],
        cwd: data,
        user: m.postgres.user.clone(),
        ..Launch::default()
    })
}

/// Initialises the data directory. It gets its name when it is complete, so that an interrupted
/// attempt is never taken for a database.
pub(super) async fn prepare(m: &Manifest, progress: &Progress) -> Result<()> {
    let data = &m.postgres.data;
    if data.join("PG_VERSION").exists() {
        return forget_zombie(data);
    }
    let began = Instant::now();
    let parent = data.parent().context("the data directory has no parent")?;
    let user = m.postgres.user.as_ref();
    // A folder of the user's own, for it may not write to ours.
    let fresh = parent.join("postgres-new");
    fs::remove_dir_all(&fresh).ok();
    fs::create_dir_all(&fresh).with_context(|| format!("cannot create {}", fresh.display()))?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(DATA_MODE))?;
    let password_file = fresh.with_extension("password");
    crate::files::write_secret(&password_file, m.postgres.admin_password.as_bytes())?;
    if let Some(user) = user {
        for path in [&fresh, &password_file] {
            chown(path, Some(user.uid), Some(user.gid))?;
        }
    }
    let bin = tool(m.tools.postgres_bin.as_ref(), "Postgres")?;
    let initialised = initialise(m, &bin, &fresh, &password_file).await;
    fs::remove_file(&password_file).ok();
    initialised.context("the database cannot be initialised")?;
    // What is left of a wiped or half-made one.
    fs::remove_dir_all(data).ok();
    fs::rename(&fresh, data)?;
    done(progress, "postgres", "initialised the database", began);
    Ok(())
}

/// After a crash the server's process may stay as a zombie, until whoever has inherited it looks
/// after it. A new server takes that for a living predecessor and refuses to start.
fn forget_zombie(data: &Path) -> Result<()> {
    let file = data.join("postmaster.pid");
    let Ok(content) = fs::read_to_string(&file) else { return Ok(()) };
    let pid: Option<u32> = content.lines().next().and_then(|line| line.trim().parse().ok());
    match pid {
        Some(pid) if is_zombie(pid) => {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

async fn initialise(m: &Manifest, bin: &Path, data: &Path, password_file: &Path) -> Result<()> {
    let user = m.postgres.user.as_ref();
    let mut initdb = as_user(bin.join("initdb"), user, data);
    initdb
        .args(["--username", "postgres", "--encoding", "UTF8", "--no-locale"])
        .args(["--auth", "scram-sha-256", "--pwfile"])
        .arg(password_file)
        .arg("--pgdata")
        .arg(data);
    tools::run(initdb, INIT_DEADLINE).await?;

    // In single-user mode, for then nobody has to wait for a server and its port.
    let mut single = as_user(bin.join("postgres"), user, data);
    single.args(["--single", "-j", "-D"]).arg(data).arg("postgres");
    single.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = single.spawn().context("cannot run postgres --single")?;
    let name = names::DATABASE;
    let password = &m.postgres.password;
    // `-j`: statements end with a semicolon and an empty line.
    let statements = format!(
        "CREATE ROLE {name} LOGIN PASSWORD '{password}';\n\nCREATE DATABASE {name} OWNER {name};\n\n"
    );
    let mut stdin = child.stdin.take().context("postgres --single has no input")?;
    stdin.write_all(statements.as_bytes()).await?;
    drop(stdin);
    let output = tokio::time::timeout(INIT_DEADLINE, child.wait_with_output())
        .await
        .context("postgres --single did not end in time")??;
    let said = String::from_utf8_lossy(&output.stderr);
    // It ends well even when a statement fails.
    ensure!(output.status.success() && !said.contains("ERROR"), "postgres --single says: {said}");
    Ok(())
}

fn as_user(program: PathBuf, user: Option<&User>, cwd: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(cwd);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Where the data goes: into the instance's folder, unless the server's user cannot reach it there,
/// as in a checkout below `/root`.
pub(crate) async fn place(dir: &Path, user: Option<&User>) -> Result<PathBuf> {
    let inside = dir.join("postgres");
    let Some(user) = user else { return Ok(inside) };
    let mut probe = as_user("true".into(), Some(user), dir);
    probe.stdin(Stdio::null());
    if probe.status().await.is_ok_and(|status| status.success()) {
        return Ok(inside);
    }
    let mut hash = crate::files::ContentHash::default();
    hash.add("instance", dir.as_os_str().as_encoded_bytes());
    let outside = PathBuf::from(format!("/var/tmp/reminder-stack-{}", &hash.hex()[..12]));
    fs::create_dir_all(&outside).with_context(|| format!("cannot create {}", outside.display()))?;
    Ok(outside.join("postgres"))
}
