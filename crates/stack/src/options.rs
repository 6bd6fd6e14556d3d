//! What the caller of [`Stack::up`](crate::Stack::up) chooses.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::member::{Member, MemberOptions};

/// The instance that `cargo xtask up` uses unless told otherwise.
pub const DEFAULT_INSTANCE: &str = "local";

/// The folder of all instances and of what they share, below the workspace.
const STACK_FOLDER: &str = ".stack";

/// A file that only the root of the workspace has at this place.
const RUNTIME_MODULE: &str = "runtime/go.mod";

/// What instances share lies beside them, under these names.
const RESERVED: [&str; 2] = ["bin", "kafka"];

/// Longest name of an instance: it is part of paths.
const INSTANCE_NAME_MAX: usize = 40;

/// Names an existing Postgres server, which is then used instead of one of our own.
pub const POSTGRES_URL_VARIABLE: &str = "REMINDER_POSTGRES_URL";

/// What carries the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PubSub {
    /// A Kafka broker of the stack's own.
    #[default]
    Kafka,
    /// The sidecar's memory: nothing to install, and nothing outside the sidecar sees the events.
    InMemory,
}

/// Where the service comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppSource {
    /// No service: the sidecar has no application.
    None,
    /// Somebody else runs an application on the port reserved for it; the sidecar waits for it.
    External,
    /// This executable, run with `serve`.
    Binary(PathBuf),
    /// The workspace's own, built by cargo first.
    Cargo {
        /// Optimised.
        release: bool,
    },
}

/// The tokens that sidecar and service show each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiTokens {
    /// Callers of the sidecar need this one.
    pub dapr: Option<String>,
    /// The sidecar shows this one to the service.
    pub app: Option<String>,
}

/// How a stack is brought up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The workspace.
    pub root: PathBuf,
    /// The name of the folder below `.stack/`; instances share nothing but executables.
    pub instance: String,
    /// What carries the events.
    pub pubsub: PubSub,
    /// Where the service comes from.
    pub app: AppSource,
    /// Replicas of service and sidecar to begin with.
    pub replicas: u32,
    /// More environment for the service, such as `ARM_HORIZON`.
    pub app_env: BTreeMap<String, String>,
    /// More arguments for the sidecar.
    pub sidecar_args: Vec<String>,
    /// Tokens between sidecar and service.
    pub api_tokens: Option<ApiTokens>,
    /// An existing Postgres server, by URL.
    pub postgres_url: Option<String>,
    /// The services around the scheduler, each with a sidecar of its own.
    #[serde(default)]
    pub members: BTreeMap<Member, MemberOptions>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            root: workspace_root(),
            instance: DEFAULT_INSTANCE.to_owned(),
            pubsub: PubSub::default(),
            app: AppSource::Cargo { release: false },
            replicas: 1,
            app_env: BTreeMap::new(),
            sidecar_args: Vec::new(),
            api_tokens: None,
            postgres_url: std::env::var(POSTGRES_URL_VARIABLE).ok().filter(|url| !url.is_empty()),
            members: BTreeMap::new(),
        }
    }
}

impl Options {
    /// The defaults for an instance of that name.
    pub fn instance(name: impl Into<String>) -> Self {
        Self { instance: name.into(), ..Self::default() }
    }

    /// The folder of the instance.
    pub fn dir(&self) -> PathBuf {
        instance_dir(&self.root, &self.instance)
    }

    /// The folder of what instances share.
    pub fn shared_dir(&self) -> PathBuf {
        self.root.join(STACK_FOLDER)
    }

    pub(crate) fn check(&self) -> Result<()> {
        let name = &self.instance;
        ensure!(
            !name.is_empty()
                && name.len() <= INSTANCE_NAME_MAX
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "`{name}` cannot name an instance: use up to {INSTANCE_NAME_MAX} letters, digits, - and _"
        );
        ensure!(
            !RESERVED.contains(&name.as_str()),
            "`{name}` cannot name an instance: the folder .stack/{name} is shared by all of them"
        );
        ensure!(self.replicas >= 1, "a stack has at least one replica");
        if let AppSource::Binary(path) = &self.app {
            ensure!(path.is_file(), "there is no service at {}", path.display());
        }
        for path in self.members.values().filter_map(|member| member.binary.as_ref()) {
            ensure!(path.is_file(), "there is no member at {}", path.display());
        }
        ensure!(
            self.members.is_empty() || self.pubsub == PubSub::Kafka,
            "the members hear of each other through Kafka: events in memory stay in one sidecar"
        );
        Ok(())
    }
}

/// The folder of an instance of that name, in the workspace at `root`.
pub fn instance_dir(root: &Path, instance: &str) -> PathBuf {
    root.join(STACK_FOLDER).join(instance)
}

/// The workspace this crate was built in; if that is not there, because the executable was carried
/// elsewhere, the one around the current directory.
pub fn workspace_root() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_path_buf);
    let current = std::env::current_dir().unwrap_or_default();
    let around = current.ancestors().find(|folder| is_root(folder)).map(Path::to_path_buf);
    built.filter(|folder| is_root(folder)).or(around).unwrap_or(current)
}

fn is_root(folder: &Path) -> bool {
    folder.join(RUNTIME_MODULE).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_have_plain_names() {
        for good in ["local", "e2e-2", "Test_1"] {
            Options::instance(good).check().unwrap();
        }
        for bad in ["", "bin", "kafka", "../x", "a b", "ä", &"x".repeat(41)] {
            assert!(Options::instance(bad).check().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_root_is_the_workspace() {
        assert!(is_root(&workspace_root()));
    }
}
