//! A connection to Postgres from a URL, or what stands in its way.

use super::error::{MigrateError, Obstacle, passes_by_itself};
use std::error::Error as _;
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

/// How long one attempt to connect may take, all hosts and the login included.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// Where to connect; its texts leave the password out.
pub(super) struct Server {
    config: Config,
    name: String,
    user: String,
}

impl Server {
    /// Reads a `postgres://` URL or a `key=value` connection string, as Dapr's component takes it.
    pub(super) fn parse(database_url: &str) -> Result<Self, MigrateError> {
        let mut config: Config = database_url.trim().parse().map_err(invalid)?;
        // No TLS in this slice: the database is local or in the same trusted network. A demand for
        // it must not be ignored, and tokio-postgres would report it as a failed handshake.
        if config.get_ssl_mode() == SslMode::Require {
            return Err(MigrateError::TlsRequired);
        }
        if config.get_hosts().is_empty() {
            return Err(MigrateError::InvalidUrl("it names no host".into()));
        }
        let name = server_name(&config)?;
        let user = config.get_user().unwrap_or_default().to_owned();
        if config.get_application_name().is_none() {
            config.application_name("reminder-scheduler migration");
        }
        config.connect_timeout(CONNECT_DEADLINE);
        Ok(Self { config, name, user })
    }

    /// Connects once. The connection ends when the client is dropped.
    pub(super) async fn connect(&self) -> Result<Client, Obstacle> {
        let waiting = |why: &str| Obstacle::Passing(format!("Postgres at {} ({why})", self.name));
        let attempt = tokio::time::timeout(CONNECT_DEADLINE, self.config.connect(NoTls)).await;
        let (client, connection) = match attempt {
            Err(_) => return Err(waiting("no answer in time")),
            Ok(Err(error)) => return Err(self.judge(&error)),
            Ok(Ok(connected)) => connected,
        };
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the migration's connection ended");
            }
        });
        Ok(client)
    }

    fn judge(&self, error: &tokio_postgres::Error) -> Obstacle {
        let server = self.name.clone();
        let Some(db) = error.as_db_error() else {
            // "error connecting to server" alone says nothing; its cause does.
            let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            return Obstacle::Passing(format!("Postgres at {server} ({cause})"));
        };
        let message = db.message().to_owned();
        if passes_by_itself(db.code()) {
            return Obstacle::Passing(format!("Postgres at {server} ({message})"));
        }
        if [SqlState::INSUFFICIENT_PRIVILEGE].contains(db.code()) {
            let grant = format!("GRANT CONNECT ON DATABASE … TO {:?}", self.user);
            return MigrateError::MissingRight { message, grant }.into();
        }
        MigrateError::Refused { server, user: self.user.clone(), message }.into()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn invalid(error: tokio_postgres::Error) -> MigrateError {
    // The parser's messages name options, never their values.
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    MigrateError::InvalidUrl(format!("{cause}; it should be like postgres://user:password@host/db"))
}

/// Host and port of every server of the URL. A host with odd characters is refused instead of
/// shown: with an unescaped "@" in the password, its rest would be taken for the host.
fn server_name(config: &Config) -> Result<String, MigrateError> {
    let ports = config.get_ports();
    let mut names = Vec::new();
    for (index, host) in config.get_hosts().iter().enumerate() {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        let name = match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
        if !name.chars().all(plain) {
            return Err(MigrateError::InvalidUrl(
                "its host has characters that no host has; a special character in the password \
                 must be percent-encoded (\"@\" as %40)"
                    .into(),
            ));
        }
        names.push(format!("{name}:{port}"));
    }
    Ok(names.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        Server::parse(url).err().expect("must be refused").to_string()
    }

    #[test]
    fn urls_and_connection_strings_are_read() {
        let url = Server::parse("postgres://app:secret@db:5433/reminders").unwrap();
        assert_eq!((url.name.as_str(), url.user.as_str()), ("db:5433", "app"));
        let pairs = Server::parse("host=/run/pg user=app password=secret dbname=r").unwrap();
        assert_eq!(pairs.name, "/run/pg:5432");
    }

    #[test]
    fn a_refused_url_says_why_and_keeps_the_password() {
        for url in [
            "postgres://app:s3cr3t@db/r?nonsense=s3cr3t",
            "postgres://app:x@s3cr3t@db/r",
            "postgres://app:s3cr3t@/r",
            "postgres://app:s3cr3t@db:port/r",
            "postgres://app:s3cr3t@db/r?sslmode=verify-full",
            "postgres://app:s3cr3t@db/r?sslmode=require",
            "s3cr3t",
            "",
        ] {
            let text = refusal(url);
            assert!(text.contains("database URL") && !text.contains("s3cr3t"), "{url}: {text}");
        }
        assert!(refusal("postgres://app@db/r?sslmode=require").contains("sslmode=require"));
    }
}
