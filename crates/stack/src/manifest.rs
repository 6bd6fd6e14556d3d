//! `stack.json`: everything that is known about an instance, and the only place where it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use reminder_contract::names;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::layout::{Kafka, Placement, Replica, Scheduler, pick};
use crate::member::Member;
use crate::options::{AppSource, Options, PubSub};
use crate::part::Part;
use crate::process::{Process, User};

const FILE: &str = "stack.json";

/// Raised when the layout changes; an instance of another layout is not read.
const SCHEMA: u32 = 1;

/// Bytes of a generated password.
const PASSWORD_BYTES: usize = 16;

/// An instance of the stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    schema: u32,
    /// The folder of the instance.
    pub dir: PathBuf,
    /// How it was brought up.
    pub options: Options,
    /// The executables it uses.
    pub tools: Tools,
    /// The database.
    pub postgres: Postgres,
    /// The broker; its ports are kept even while it is not used.
    pub kafka: Kafka,
    /// Dapr's placement service.
    pub placement: Placement,
    /// Dapr's scheduler service.
    pub scheduler: Scheduler,
    /// Service and sidecar, by number from 1.
    pub replicas: BTreeMap<u32, Replica>,
    /// The services around the scheduler, each with its sidecar.
    #[serde(default)]
    pub members: BTreeMap<Member, Replica>,
    /// What was started last, by part; it may have ended since.
    pub processes: BTreeMap<Part, Process>,
}

/// The executables an instance uses; found, installed or built by `up`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Tools {
    pub daprd: PathBuf,
    pub placement: PathBuf,
    pub scheduler: PathBuf,
    pub dapr_version: String,
    pub postgres_bin: Option<PathBuf>,
    pub java: Option<PathBuf>,
    pub kafka_lib: Option<PathBuf>,
    pub app: Option<PathBuf>,
    /// More environment for it than the options have.
    #[serde(default)]
    pub app_env: BTreeMap<String, String>,
    #[serde(default)]
    pub members: BTreeMap<Member, PathBuf>,
}

/// The database: somebody else's, or our own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Postgres {
    /// The port of our own server.
    pub port: u16,
    /// Its data directory.
    pub data: PathBuf,
    /// Whom it runs as, for it refuses to run as root.
    pub user: Option<User>,
    /// Of the role that owns the database.
    pub password: String,
    /// Of the role `postgres`.
    pub admin_password: String,
}

impl Manifest {
    pub(crate) fn new(options: Options) -> Result<Self> {
        let dir = options.dir();
        let [p1, p2, p3, p4, s1, s2, s3, s4, s5, postgres_port, k1, k2] = pick(&[])?;
        let placement = Placement { port: p1, raft_port: p2, health_port: p3, metrics_port: p4 };
        let scheduler = Scheduler {
            port: s1,
            health_port: s2,
            metrics_port: s3,
            etcd_client_port: s4,
            etcd_peer_port: s5,
        };
        Ok(Self {
            schema: SCHEMA,
            postgres: Postgres {
                port: postgres_port,
                data: dir.join("postgres"),
                user: None,
                password: files::random_hex(PASSWORD_BYTES)?,
                admin_password: files::random_hex(PASSWORD_BYTES)?,
            },
            kafka: Kafka { port: k1, controller_port: k2 },
            placement,
            scheduler,
            replicas: BTreeMap::new(),
            members: BTreeMap::new(),
            processes: BTreeMap::new(),
            tools: Tools::default(),
            dir,
            options,
        })
    }

    /// Reads the manifest of an instance.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let text = fs::read(&path).with_context(|| {
            format!("there is no stack in {}: bring one up with `cargo xtask up`", dir.display())
        })?;
        let damaged = || {
            format!(
                "{} cannot be read; `cargo xtask down --clean` removes the instance",
                path.display()
            )
        };
        let manifest: Self = serde_json::from_slice(&text).with_context(damaged)?;
        ensure!(manifest.schema == SCHEMA, damaged());
        // Its data and logs are named by absolute paths, so a copy would work on the original.
        ensure!(
            manifest.dir == dir || fs::canonicalize(dir).is_ok_and(|real| manifest.dir == real),
            "the stack in {} was brought up as {}; `cargo xtask down --clean` removes it here",
            dir.display(),
            manifest.dir.display()
        );
        Ok(manifest)
    }

    pub(crate) fn exists(dir: &Path) -> bool {
        dir.join(FILE).exists()
    }

    pub(crate) fn write(&self) -> Result<()> {
        files::write_secret(&self.dir.join(FILE), &serde_json::to_vec_pretty(self)?)
    }

    /// Changes the manifest on disk; two processes take turns.
    pub(crate) fn update<T>(
        dir: &Path,
        change: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<(Self, T)> {
        let _lock = files::lock_briefly(&dir.join("stack.lock"))?;
        let mut manifest = Self::read(dir)?;
        let result = change(&mut manifest)?;
        manifest.write()?;
        Ok((manifest, result))
    }

    /// The parts this instance consists of, those that others need first.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.options.postgres_url.is_none() {
            parts.push(Part::Postgres);
        }
        if self.options.pubsub == PubSub::Kafka {
            parts.push(Part::Kafka);
        }
        parts.extend([Part::Placement, Part::Scheduler]);
        for replica in self.replicas.keys() {
            parts.push(Part::Sidecar(*replica));
            if self.runs_app() {
                parts.push(Part::App(*replica));
            }
        }
        for member in self.options.members.keys() {
            parts.extend([Part::MemberSidecar(*member), Part::Member(*member)]);
        }
        parts
    }

    /// Whether the service is ours to start.
    pub(crate) fn runs_app(&self) -> bool {
        matches!(self.options.app, AppSource::Binary(_) | AppSource::Cargo { .. })
    }

    /// The process of a part, if it lives.
    pub fn alive(&self, part: Part) -> Option<&Process> {
        self.processes.get(&part).filter(|process| process.is_alive())
    }

    /// The ports of one replica.
    pub fn replica(&self, number: u32) -> Result<&Replica> {
        self.replicas.get(&number).with_context(|| format!("there is no replica {number}"))
    }

    /// The ports of a service around the scheduler.
    pub fn member(&self, member: Member) -> Result<&Replica> {
        self.members.get(&member).with_context(|| format!("this stack has no {member}"))
    }

    /// The database, as the service sees it.
    pub fn database_url(&self) -> String {
        self.options.postgres_url.clone().unwrap_or_else(|| {
            let Postgres { port, password, .. } = &self.postgres;
            let database = names::DATABASE;
            format!("postgres://{database}:{password}@127.0.0.1:{port}/{database}?sslmode=disable")
        })
    }

    /// The database as its superuser; nobody's business with a server that is not ours.
    pub fn admin_database_url(&self) -> Option<String> {
        let Postgres { port, admin_password, .. } = &self.postgres;
        let database = names::DATABASE;
        self.options.postgres_url.is_none().then(|| {
            format!(
                "postgres://postgres:{admin_password}@127.0.0.1:{port}/{database}?sslmode=disable"
            )
        })
    }

    /// The broker's address, if there is one.
    pub fn kafka_bootstrap(&self) -> Option<String> {
        (self.options.pubsub == PubSub::Kafka).then(|| format!("127.0.0.1:{}", self.kafka.port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(name: &str) -> Options {
        Options { root: files::scratch(name), postgres_url: None, ..Options::instance("test") }
    }

    #[test]
    fn a_manifest_is_read_back_and_updated() {
        let options = options("manifest");
        let dir = options.dir();
        fs::create_dir_all(&dir).unwrap();
        assert!(Manifest::read(&dir).unwrap_err().to_string().contains("xtask up"));
        let mut manifest = Manifest::new(options.clone()).unwrap();
        manifest.ensure_replicas(2).unwrap();
        manifest.write().unwrap();
        let (updated, ()) = Manifest::update(&dir, |m| {
            m.tools.dapr_version = "1".into();
            Ok(())
        })
        .unwrap();
        let read = Manifest::read(&dir).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&updated).unwrap());
        assert_eq!(read.tools.dapr_version, "1");
        assert_eq!(read.replicas.len(), 2);
        fs::remove_dir_all(options.root).unwrap();
    }

    #[test]
    fn a_manifest_is_not_read_elsewhere() {
        let options = options("moved");
        let dir = options.dir();
        fs::create_dir_all(&dir).unwrap();
        Manifest::new(options.clone()).unwrap().write().unwrap();
        let moved = options.root.join("elsewhere");
        fs::rename(&dir, &moved).unwrap();
        assert!(Manifest::read(&moved).unwrap_err().to_string().contains("was brought up as"));
        fs::remove_dir_all(options.root).unwrap();
    }

    #[test]
    fn parts_follow_the_options() {
        let mut manifest = Manifest::new(options("parts")).unwrap();
        manifest.ensure_replicas(1).unwrap();
        assert_eq!(manifest.parts().len(), 6);
        manifest.options.pubsub = PubSub::InMemory;
        manifest.options.app = AppSource::None;
        manifest.options.postgres_url = Some("postgres://elsewhere/db".into());
        assert_eq!(manifest.parts(), [Part::Placement, Part::Scheduler, Part::Sidecar(1)]);
        assert_eq!(manifest.database_url(), "postgres://elsewhere/db");
        assert!(manifest.kafka_bootstrap().is_none() && manifest.admin_database_url().is_none());
    }
}
