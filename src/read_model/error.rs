//! Why the database could not be prepared. No message carries a password.

use super::state_table::InvalidStateTable;
use std::time::Duration;
use tokio_postgres::error::SqlState;

/// Why the database could not be prepared. Whatever may pass by itself is waited for and is none
/// of these, except [`MigrateError::GaveUp`].
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The URL cannot be read.
    #[error("the database URL cannot be used: {0}")]
    InvalidUrl(String),
    /// The state table's name cannot be used.
    #[error(transparent)]
    InvalidStateTable(#[from] InvalidStateTable),
    /// The URL demands an encrypted connection, which this build does not offer.
    #[error(
        "the database URL demands sslmode=require, but this build connects without TLS: use \
         sslmode=prefer or disable on a trusted network, or a local TLS proxy"
    )]
    TlsRequired,
    /// The server does not let this user in.
    #[error("Postgres at {server} refuses user {user:?}: {message}")]
    Refused {
        /// Host and port.
        server: String,
        /// The user of the URL.
        user: String,
        /// The server's words.
        message: String,
    },
    /// The server is older than the migrations need.
    #[error("Postgres {found} is too old: version 14 or later is needed")]
    ServerTooOld {
        /// The server's version.
        found: String,
    },
    /// The role lacks a right.
    #[error("the database role lacks a right: {message}; an administrator can run: {grant}")]
    MissingRight {
        /// What is missing, or the server's words.
        message: String,
        /// The statement that gives it.
        grant: String,
    },
    /// A migration that was applied is not the one of this build.
    #[error(
        "migration {name} was changed after it had been applied to this database; restore the \
         file and put the change into a new one"
    )]
    Changed {
        /// The migration.
        name: String,
    },
    /// A statement failed for a reason that will not pass by itself.
    #[error("a migration failed: {message}")]
    Failed {
        /// The server's words.
        message: String,
        /// Its error.
        #[source]
        source: tokio_postgres::Error,
    },
    /// What was waited for did not come in time.
    #[error("gave up after {waited:?} of waiting for {reason}")]
    GaveUp {
        /// How long.
        waited: Duration,
        /// For what.
        reason: String,
    },
}

/// What one attempt failed of.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// It may pass; the text completes "waiting for …".
    Passing(String),
    /// It will not.
    Final(Box<MigrateError>),
}

impl From<MigrateError> for Obstacle {
    fn from(error: MigrateError) -> Self {
        Self::Final(Box::new(error))
    }
}

impl From<tokio_postgres::Error> for Obstacle {
    /// Judges an error of a statement on an open connection.
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return Self::Passing(format!("a connection to Postgres that holds ({error})"));
        };
        let message = format!("{} (SQLSTATE {})", db.message(), db.code().code());
        if *db.code() == SqlState::INSUFFICIENT_PRIVILEGE {
            let grant = "GRANT CREATE, USAGE ON SCHEMA … and GRANT TRIGGER ON … to the role, or \
                         run the migration as the owner of what it names"
                .to_owned();
            return MigrateError::MissingRight { message, grant }.into();
        }
        if *db.code() == SqlState::LOCK_NOT_AVAILABLE {
            return Self::Passing(
                "a lock: another replica is migrating, or a long transaction holds the state table"
                    .into(),
            );
        }
        if passes_by_itself(db.code()) {
            return Self::Passing(format!("Postgres to be able to migrate: {message}"));
        }
        MigrateError::Failed { message, source: error }.into()
    }
}

/// Whether the server said "not now" rather than "no".
pub(super) fn passes_by_itself(code: &SqlState) -> bool {
    let class = &code.code()[..2];
    // Connection failures; out of memory, disk or connections; shut down, starting up, cancelled
    // by a timeout; serialisation failures and deadlocks.
    matches!(class, "08" | "53" | "57" | "40")
        // A replica that is being promoted; a database or table that is only just being made.
        || [
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::INVALID_CATALOG_NAME,
            SqlState::UNDEFINED_TABLE,
        ]
        .contains(code)
}
