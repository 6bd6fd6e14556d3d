//! Commands for people: those for operators talk to the database, the sidecar, or both.

pub mod after_restore;
pub mod command;
pub mod completions;
pub mod config;
mod connect;
pub mod dlq;
pub mod doctor;
pub mod events;
pub mod firing;
pub mod purge;
pub mod rearm;
pub mod repair;
mod sidecar;
pub mod task;
pub mod user;

use crate::config::{Secret, database_url};
use crate::read_model::{
    MigrateError, QueryError, ReadModel, StateTable, UserLookup, migrate_within,
};
use clap::Args;
use reminder_contract::names;
use std::path::PathBuf;
use std::time::Duration;

/// The exit code for what the command line or the settings got wrong, as clap has it.
pub const EXIT_USAGE: u8 = 2;

/// The exit code when everything was done but for what was named.
pub const EXIT_PARTLY: u8 = 3;

/// The exit code when there is no such task.
pub const EXIT_ABSENT: u8 = 4;

/// How long a command waits for the database.
const DATABASE_PATIENCE: Duration = Duration::from_secs(15);

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// It cannot be understood.
    #[error("{0}")]
    Usage(String),
    /// It makes no sense as things are; nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] MigrateError),
    /// The database does not answer, or refuses.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Another part does not answer.
    #[error("{0}")]
    Call(#[from] crate::ports::CallError),
    /// What was asked for did not come in time.
    #[error("{0}")]
    GaveUp(String),
    /// It was done but for a part, which was named.
    #[error("{0}")]
    Partly(String),
    /// What it is about is not there.
    #[error("{0}")]
    Absent(String),
}

impl CliError {
    /// Whether the command line is at fault.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_))
    }

    /// What cannot be written as JSON.
    #[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
    pub(crate) fn unprintable(error: serde_json::Error) -> Self {
        Self::Refused(format!("cannot write JSON: {error}"))
    }

    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => EXIT_USAGE,
            Self::Partly(_) => EXIT_PARTLY,
            Self::Absent(_) => EXIT_ABSENT,
            _ => 1,
        }
    }
}

/// Which database.
#[derive(Args, Clone, Debug)]
pub struct DatabaseArgs {
    /// URL of the Postgres database that holds the actor state store
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, default_value = "", global = true)]
    database_url: String,
    /// File that holds the database URL; an alternative to giving it directly
    #[arg(long, env = "DATABASE_URL_FILE", global = true)]
    database_url_file: Option<PathBuf>,
    /// Table of the actor state store: its `tablePrefix` followed by `state`
    #[arg(long, env = "STATE_TABLE", default_value = names::STATE_TABLE, global = true)]
    state_table: String,
}

/// The database, as commands use it.
pub(crate) struct Database {
    pub(crate) model: ReadModel,
    pub(crate) table: String,
    /// The incarnation that everything goes on in.
    pub(crate) incarnation: u32,
    url: Secret,
    schema: String,
}

impl DatabaseArgs {
    /// The URL, and the state table.
    pub(crate) fn checked(&self) -> Result<(Secret, StateTable), CliError> {
        let url = database_url(self.database_url_file.as_deref(), &self.database_url)
            .map_err(|reason| CliError::Usage(format!("DATABASE_URL {reason}")))?;
        let table = StateTable::parse(&self.state_table)
            .map_err(|error| CliError::Usage(format!("STATE_TABLE {error}")))?;
        Ok((url, table))
    }

    /// Connects, and installs what this version needs, as the service does at its start.
    pub(crate) async fn open(&self) -> Result<Database, CliError> {
        let (url, table) = self.checked()?;
        let tell = |reason: &str| eprintln!("waiting for {reason}");
        let migrated =
            migrate_within(url.expose(), table.as_str(), DATABASE_PATIENCE, &tell).await?;
        let model = ReadModel::new(url.expose(), migrated.schema.clone())?;
        let (incarnation, schema) = (migrated.incarnation, migrated.schema);
        Ok(Database { model, table: table.as_str().to_owned(), incarnation, url, schema })
    }
}

impl Database {
    /// What is known of users.
    pub(crate) fn users(&self) -> Result<UserLookup, CliError> {
        let users = UserLookup::default();
        users.open(self.url.expose(), self.schema.clone())?;
        Ok(users)
    }
}
