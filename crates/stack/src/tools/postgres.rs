//! A Postgres server's executables: the newest installed, else the distribution's package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::version::Version;
use super::{install, on_path};
use crate::process::User;
use crate::progress::Progress;

/// Where distributions put servers they can have several versions of.
const VERSIONED: &str = "/usr/lib/postgresql";

/// Debian's package makes and starts a cluster for the whole machine unless told not to.
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

/// Whom a server of ours runs as when we are root, by preference.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// The folder with `postgres` and `initdb`.
pub(crate) async fn provide(progress: &Progress) -> Result<PathBuf> {
    if let Some(bin) = find() {
        return Ok(bin);
    }
    if super::is_root() && on_path("apt-get").is_some() {
        let settings = Path::new(CLUSTER_SETTINGS);
        if !settings.exists() {
            fs::create_dir_all(settings.parent().unwrap_or(Path::new("/")))?;
            fs::write(settings, "create_main_cluster = false\n")?;
        }
    }
    install(progress, "postgres", &["postgresql"]).await?;
    find().context("the package postgresql is installed, but has no initdb where it should be")
}

fn find() -> Option<PathBuf> {
    let versioned = fs::read_dir(VERSIONED).into_iter().flatten().flatten();
    let mut found: Vec<(Option<Version>, PathBuf)> = versioned
        .map(|entry| {
            let version = Version::find(&entry.file_name().to_string_lossy());
            (version, entry.path().join("bin"))
        })
        .collect();
    found.sort();
    let elsewhere = on_path("initdb").and_then(|initdb| initdb.parent().map(Path::to_path_buf));
    found.into_iter().rev().map(|(_, bin)| bin).chain(elsewhere).find(|bin| is_complete(bin))
}

fn is_complete(bin: &Path) -> bool {
    ["postgres", "initdb"].iter().all(|name| bin.join(name).is_file())
}

/// Whom the server runs as: nobody but us, unless we are root, whom it refuses.
pub(crate) fn user() -> Result<Option<User>> {
    if !super::is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let user = USERS.iter().find_map(|name| parse_user(&passwd, name));
    Ok(Some(user.context("Postgres refuses to run as root, and there is no user `nobody`")?))
}

fn parse_user(passwd: &str, name: &str) -> Option<User> {
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [found, _, uid, gid, ..] = fields[..] else { return None };
        (found == name).then_some(())?;
        Some(User { name: name.to_owned(), uid: uid.parse().ok()?, gid: gid.parse().ok()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_from_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres:x:107:115::/var/lib:/bin/bash\n";
        let user = parse_user(passwd, "postgres").unwrap();
        assert_eq!(user, User { name: "postgres".into(), uid: 107, gid: 115 });
        assert!(parse_user(passwd, "post").is_none());
    }
}
