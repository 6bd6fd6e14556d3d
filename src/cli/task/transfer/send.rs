//! Sending a row, and whose fault it is when that fails.

use super::rows::{Row, Said, Wish};
use crate::cli::CliError;
use reminder_client::{CallOptions, Client, CorrelationId, Error, IfPast, Problem};
use reminder_contract::wire::{Method, parse_command};

/// What became of a row.
pub(super) enum Outcome {
    Done {
        created: bool,
    },
    Refused(String),
    /// Not the row's fault: the rest would fare no better.
    Stopped(CliError),
}

/// Sends rows.
#[derive(Clone)]
pub(super) struct Sender {
    client: Client,
    if_past: IfPast,
    dry_run: bool,
}

impl Sender {
    pub(super) fn new(client: &Client, if_past: IfPast, dry_run: bool) -> Self {
        Self { client: client.clone(), if_past, dry_run }
    }

    pub(super) async fn send(&self, row: &Row, command: String) -> Outcome {
        let wish = match &row.wish {
            Ok(wish) => wish,
            Err(why) => return Outcome::Refused(why.clone()),
        };
        if self.dry_run { understood(wish) } else { self.put(wish, command).await }
    }

    async fn put(&self, wish: &Wish, command: String) -> Outcome {
        let options = CallOptions {
            idempotency_key: CorrelationId::parse(command).ok(),
            if_past: Some(self.if_past),
            ..CallOptions::default()
        };
        let answer = match &wish.task {
            Said::Json(task) => self.client.put(&wish.id, task, &options).await,
            Said::Calendar(text) => self.client.import_calendar(&wish.id, text, &options).await,
        };
        match answer {
            Ok(answer) => Outcome::Done { created: answer.created == Some(true) },
            Err(error) => unlucky(error),
        }
    }
}

/// What a failure is about: this row, or all that follow as well.
fn unlucky(error: Error) -> Outcome {
    match &error {
        Error::Refused(problem) if is_of_the_row(problem) && !error.is_transient() => {
            Outcome::Refused(problem.to_string())
        }
        _ => Outcome::Stopped(error.into()),
    }
}

/// Whether a refusal is of the row rather than of the caller.
fn is_of_the_row(problem: &Problem) -> bool {
    match problem.status {
        401 => false,
        // To a user the tasks of others are forbidden; the next row may be this one's.
        403 => problem.field.is_some(),
        _ => true,
    }
}

/// Whether the service would understand it, as far as that can be told without it.
fn understood(wish: &Wish) -> Outcome {
    let method = match wish.task {
        Said::Json(_) => Method::Put,
        Said::Calendar(_) => Method::ImportCalendar,
    };
    match parse_command(method, wish.task.body().to_string().as_bytes()) {
        Ok(_) => Outcome::Done { created: false },
        Err(problem) => Outcome::Refused(problem.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_client::ProblemKind;

    #[test]
    fn a_row_of_somebody_else_is_refused_alone_and_a_caller_who_is_not_let_in_stops() {
        let problem = |kind| Problem::new(kind, "as the test says");
        let refused = |problem| matches!(unlucky(Error::Refused(problem)), Outcome::Refused(_));
        assert!(refused(Problem::not_yours("userId")));
        assert!(refused(problem(ProblemKind::InvalidInput)));
        assert!(refused(problem(ProblemKind::PayloadTooLarge)));
        assert!(!refused(problem(ProblemKind::Forbidden)), "nothing is let in");
        assert!(!refused(problem(ProblemKind::Unauthorized)));
        assert!(!refused(problem(ProblemKind::TooManyRequests)), "later perhaps");
        assert!(!refused(problem(ProblemKind::Overloaded)));
    }
}
