//! Who may call the edge: the sidecar by its token, others by a bearer token, and without any token only
//! what runs on the same host.

use super::answer::Refusal;
use crate::config::{Secret, ServerConfig};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use reminder_contract::names::SIDECAR_TOKEN_HEADER;
use reminder_contract::{Problem, ProblemKind};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// What a caller without any token is told where one is needed and none is set.
const NOT_OFFERED: &str = "direct calls are not accepted: set REST_TOKEN, and show it as a bearer token; or \
                           call through Dapr's service invocation, with APP_API_TOKEN set here and there";
/// What a caller with a wrong token is told, or with none.
const WRONG_TOKEN: &str = "show the token of REST_TOKEN as `Authorization: Bearer …`";

/// Marks a call that showed the sidecar's token: what its headers say of the caller is true.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShownBySidecar;

/// What callers must show.
#[derive(Debug)]
pub struct Access {
    /// The token of the sidecar.
    sidecar: Option<Secret>,
    /// The token of those who call directly.
    bearer: Option<Secret>,
    /// Whether only this host can reach the listener.
    loopback: bool,
}

impl Access {
    /// As the settings say.
    pub fn new(server: &ServerConfig) -> Self {
        Self {
            sidecar: server.token.clone(),
            bearer: server.rest_token.clone(),
            loopback: server.listen.ip().is_loopback(),
        }
    }

    /// Whether the call may be made, and whether it is the sidecar's.
    fn judge(&self, headers: &HeaderMap) -> Result<Option<ShownBySidecar>, Problem> {
        let of_sidecar = headers.get(SIDECAR_TOKEN_HEADER).map(|value| value.as_bytes());
        if self.sidecar.as_ref().is_some_and(|token| shows(token, of_sidecar)) {
            return Ok(Some(ShownBySidecar));
        }
        match &self.bearer {
            Some(token) if shows(token, bearer(headers)) => Ok(None),
            Some(_) => Err(Problem::new(ProblemKind::Unauthorized, WRONG_TOKEN)),
            None if self.loopback && self.sidecar.is_none() => Ok(None),
            None => Err(Problem::new(ProblemKind::Forbidden, NOT_OFFERED)),
        }
    }
}

fn shows(token: &Secret, shown: Option<&[u8]>) -> bool {
    token.expose().as_bytes().ct_eq(shown.unwrap_or_default()).into()
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

/// Lets a call through, or answers why not.
pub(super) async fn check(
    State(access): State<Arc<Access>>,
    mut request: Request,
    next: Next,
) -> Response {
    match access.judge(request.headers()) {
        Ok(sidecar) => {
            if let Some(sidecar) = sidecar {
                request.extensions_mut().insert(sidecar);
            }
            next.run(request).await
        }
        Err(problem) => {
            tracing::warn!(
                status = problem.status,
                "a call of the REST edge without a right token"
            );
            Refusal(problem).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn access(sidecar: &str, bearer: &str, loopback: bool) -> Access {
        let secret = |text: &str| Secret::non_empty(text.to_owned());
        Access { sidecar: secret(sidecar), bearer: secret(bearer), loopback }
    }

    fn judged(access: &Access, headers: &[(&'static str, &'static str)]) -> u16 {
        let headers = headers.iter().map(|(name, value)| {
            (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        access.judge(&HeaderMap::from_iter(headers)).map_or_else(|problem| problem.status, |_| 200)
    }

    #[test]
    fn without_tokens_only_this_host_may_call() {
        assert_eq!(judged(&access("", "", true), &[]), 200);
        assert_eq!(judged(&access("", "", false), &[]), 403);
        // An empty token is none.
        assert_eq!(judged(&access("", "", false), &[(SIDECAR_TOKEN_HEADER, "")]), 403);
        assert_eq!(judged(&access("", "", false), &[("authorization", "Bearer ")]), 403);
    }

    #[test]
    fn the_sidecar_shows_its_token_and_others_theirs() {
        let both = access("s", "b", false);
        assert_eq!(judged(&both, &[(SIDECAR_TOKEN_HEADER, "s")]), 200);
        assert_eq!(judged(&both, &[("authorization", "Bearer b")]), 200);
        assert_eq!(judged(&both, &[("authorization", "bearer b")]), 200);
        for wrong in [
            &[][..],
            &[(SIDECAR_TOKEN_HEADER, "b")],
            &[("authorization", "Bearer s")],
            &[("authorization", "Bearer bb")],
            &[("authorization", "Basic b")],
            &[("authorization", "b")],
        ] {
            assert_eq!(judged(&both, wrong), 401, "{wrong:?}");
        }
    }

    #[test]
    fn with_a_token_of_the_sidecar_alone_nobody_else_may_call() {
        for loopback in [true, false] {
            let access = access("s", "", loopback);
            assert_eq!(judged(&access, &[(SIDECAR_TOKEN_HEADER, "s")]), 200);
            assert_eq!(judged(&access, &[]), 403);
        }
        assert_eq!(
            judged(&access("", "b", true), &[]),
            401,
            "a token is asked for on loopback too"
        );
    }
}
