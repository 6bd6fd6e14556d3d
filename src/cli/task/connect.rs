//! Where the service is, what is shown to it, and what its refusals come to.

use crate::cli::CliError;
use clap::Args;
use reminder_client::{Client, Error, ProblemKind};
use std::path::PathBuf;

/// Where to, and as whom.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ClientArgs {
    // As attributes, for help is no Markdown.
    #[arg(
        long,
        help = "Address of the service, or of its invocation through a sidecar, such as \
                http://127.0.0.1:3500/v1.0/invoke/reminder-scheduler/method",
        env = "REMINDER_URL",
        default_value = "http://127.0.0.1:8080",
        global = true
    )]
    url: String,
    /// File that holds the token which the service asks for
    #[arg(long, env = "REMINDER_TOKEN_FILE", global = true)]
    token_file: Option<PathBuf>,
    /// The token itself, which a list of processes shows: better a file, or the variable
    #[arg(long, env = "REMINDER_TOKEN", hide_env_values = true, default_value = "", global = true)]
    token: String,
    /// Token that a sidecar asks of us
    #[arg(long, env = "DAPR_API_TOKEN", hide_env_values = true, default_value = "", global = true)]
    dapr_api_token: String,
    /// How long a call may take, its retries included, such as 30s
    #[arg(long, default_value = "30s", global = true)]
    timeout: String,
}

impl ClientArgs {
    pub(in crate::cli) fn build(&self) -> Result<Client, CliError> {
        let usage =
            |what: &str, why: &dyn std::fmt::Display| CliError::Usage(format!("{what} {why}"));
        let timeout = humantime::parse_duration(&self.timeout)
            .map_err(|error| usage("--timeout is no duration:", &error))?;
        let token = self.token()?;
        let mut client =
            Client::direct(&self.url).map_err(|error| usage("--url:", &error))?.deadline(timeout);
        if !token.is_empty() {
            client = client.bearer(&token);
        }
        if !self.dapr_api_token.is_empty() {
            client = client.sidecar_token(&self.dapr_api_token);
        }
        client.build().map_err(|error| usage("no client:", &error))
    }

    fn token(&self) -> Result<String, CliError> {
        match &self.token_file {
            Some(_) if !self.token.is_empty() => Err(CliError::Usage(
                "REMINDER_TOKEN and REMINDER_TOKEN_FILE are both given: use one".to_owned(),
            )),
            None => Ok(self.token.clone()),
            Some(file) => {
                let text = std::fs::read_to_string(file).map_err(|error| {
                    CliError::Usage(format!("REMINDER_TOKEN_FILE {}: {error}", file.display()))
                })?;
                Ok(text.trim().to_owned())
            }
        }
    }
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Refused(problem) if problem.kind() == Some(ProblemKind::UnknownTask) => {
                Self::Absent(problem.detail.clone())
            }
            Error::Unanswered(_) => Self::GaveUp(format!(
                "{error}; is REMINDER_URL right? What was not answered may have been done all the \
                 same; repeated, it does no harm"
            )),
            _ => Self::Refused(error.to_string()),
        }
    }
}
