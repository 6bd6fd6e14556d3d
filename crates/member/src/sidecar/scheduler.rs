//! The scheduler, asked through the sidecar by its typed client: by Dapr's service invocation.

use super::{CALL_DEADLINE, InvalidSidecar, Sidecar, SidecarError, failed, unreachable};
use crate::config::Secret;
use crate::flow::Flow;
use axum::http::StatusCode;
use reminder_client::{BuildError, Client, CorrelationId, Error, ProblemKind, Traceparent};
use reminder_contract::names::APP_ID;

/// What is asked.
const ASK: &str = "ask the scheduler";

/// How often a call is tried again, within its deadline. Somebody waits for the answer.
const RETRIES: usize = 3;

/// A client over the connections of the sidecar.
pub(super) fn client(
    http: reqwest::Client,
    sidecar: &str,
    token: Option<&Secret>,
) -> Result<Client, InvalidSidecar> {
    let client = Client::through_sidecar(sidecar, APP_ID)?;
    let client = client.http_client(http).deadline(CALL_DEADLINE).retries(RETRIES);
    let client = token.into_iter().fold(client, |client, token| client.bearer(token.expose()));
    Ok(client.build()?)
}

impl Sidecar {
    /// The scheduler's client for the calls of a flow, whose correlation id and trace go with each of them.
    /// Its errors become those of the sidecar by `?`.
    pub fn scheduler(&self, flow: &Flow) -> Client {
        let correlation_id = CorrelationId::parse(flow.correlation_id()).ok();
        let traceparent = Traceparent::parse(flow.traceparent()).ok();
        self.scheduler.in_flow(correlation_id.as_ref(), traceparent.as_ref())
    }
}

impl From<BuildError> for InvalidSidecar {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Address(_) => Self::Address,
            BuildError::Token(_) => Self::SchedulerToken,
            BuildError::Http(error) => Self::Client(error),
        }
    }
}

impl From<Error> for SidecarError {
    fn from(error: Error) -> Self {
        let unavailable = |why: String| Self::Unavailable { what: ASK, why };
        match error {
            // It was we who were refused, not the person on whose behalf we ask: a fault of the settings.
            Error::Refused(problem)
                if matches!(
                    problem.kind(),
                    Some(ProblemKind::Unauthorized | ProblemKind::Forbidden)
                ) =>
            {
                let status = StatusCode::from_u16(problem.status);
                let status = status.unwrap_or(StatusCode::UNAUTHORIZED);
                Self::Rejected { what: ASK, status, why: problem.detail.clone() }
            }
            Error::Refused(problem) => Self::Refused(problem),
            Error::Unanswered(error) => unreachable(ASK, &error),
            Error::BrokenOff => unavailable(Error::BrokenOff.to_string()),
            Error::Unexpected { status, detail } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                failed(ASK, status, &detail)
            }
            Error::Unreadable(why) | Error::Unwritable(why) => Self::Unreadable { what: ASK, why },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_contract::Problem;

    fn told(kind: ProblemKind) -> SidecarError {
        Error::Refused(Problem::new(kind, "as the test says")).into()
    }

    #[test]
    fn what_the_scheduler_refuses_reaches_the_user_and_what_our_settings_do_wrong_does_not() {
        for kind in [ProblemKind::UnknownTask, ProblemKind::InvalidInput, ProblemKind::Unavailable]
        {
            let error = told(kind);
            assert!(
                matches!(&error, SidecarError::Refused(problem) if problem.kind() == Some(kind))
            );
            assert_eq!(error.is_transient(), kind == ProblemKind::Unavailable);
        }
        for kind in [ProblemKind::Unauthorized, ProblemKind::Forbidden] {
            assert!(matches!(told(kind), SidecarError::Rejected { .. }), "{kind:?}");
        }
        let away = Error::Unexpected { status: 500, detail: "ERR_DIRECT_INVOKE".into() };
        assert!(SidecarError::from(away).is_transient());
    }
}
