//! Who may call the edge: the sidecar by its token, others by a bearer token or as a user by a token of the
//! identity provider, and without any token only what runs on the same host.

use super::answer::Refusal;
use super::observe::Refuser;
use crate::config::{Secret, ServerConfig};
use crate::tokens::{Caller, Refused, Tokens};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue};
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

/// What a caller with a token that is none is told, where those of an identity provider are asked for.
const NO_TOKEN: &str = "show a token of the identity provider as `Authorization: Bearer …`";

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
    /// Tokens of users.
    tokens: Option<Arc<Tokens>>,
}

/// Who calls, and how it was shown.
#[derive(Debug)]
struct Admitted {
    by: Option<ShownBySidecar>,
    caller: Caller,
}

/// Why a call may not be made.
#[derive(Debug)]
struct Denied {
    problem: Problem,
    /// What is wrong with the token that was shown, in the words of the header (RFC 6750 §3).
    token: Option<String>,
}

impl Access {
    /// As the settings say.
    pub fn new(server: &ServerConfig, tokens: Option<Arc<Tokens>>) -> Self {
        Self {
            sidecar: server.token.clone(),
            bearer: server.rest_token.clone(),
            loopback: server.listen.ip().is_loopback(),
            tokens,
        }
    }

    /// Whether the call may be made, and by whom. A user's token holds wherever it is shown: who calls through
    /// the sidecar on behalf of a user has no more than the user.
    async fn judge(&self, headers: &HeaderMap) -> Result<Admitted, Denied> {
        let of_sidecar = headers.get(SIDECAR_TOKEN_HEADER).map(HeaderValue::as_bytes);
        let vouched = self.sidecar.as_ref().is_some_and(|token| shows(token, of_sidecar));
        let (by, caller) = (vouched.then_some(ShownBySidecar), Caller::Everything);
        let shown = bearer(headers);
        if self.bearer.as_ref().is_some_and(|token| shows(token, shown)) {
            return Ok(Admitted { by, caller });
        }
        if let (Some(tokens), Some(shown)) = (&self.tokens, shown) {
            let verified = tokens.verify(shown).await;
            return verified
                .map(|caller| Admitted { by, caller })
                .map_err(|refused| Denied::of_token(&refused));
        }
        if vouched || (self.loopback && self.asks_for_nothing()) {
            return Ok(Admitted { by, caller });
        }
        Err(Denied::nothing_shown(match (&self.bearer, &self.tokens) {
            (_, Some(_)) => Problem::new(ProblemKind::Unauthorized, NO_TOKEN),
            (Some(_), None) => Problem::new(ProblemKind::Unauthorized, WRONG_TOKEN),
            (None, None) => Problem::new(ProblemKind::Forbidden, NOT_OFFERED),
        }))
    }

    fn asks_for_nothing(&self) -> bool {
        self.bearer.is_none() && self.sidecar.is_none() && self.tokens.is_none()
    }
}

impl Denied {
    fn nothing_shown(problem: Problem) -> Self {
        Self { problem, token: None }
    }

    fn of_token(refused: &Refused) -> Self {
        let said = refused.to_string();
        if refused.is_undecided() {
            return Self::nothing_shown(Problem::unavailable(said));
        }
        // A claim's name comes from the settings or from RFC 7519; no quote may end the text early.
        let quoted = said.replace(['"', '\\'], "'");
        let token = Some(format!(r#"Bearer error="invalid_token", error_description="{quoted}""#));
        Self { problem: Problem::new(ProblemKind::Unauthorized, said), token }
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
    let Denied { problem, token } = match access.judge(request.headers()).await {
        Ok(Admitted { by, caller }) => {
            if let Some(sidecar) = by {
                request.extensions_mut().insert(sidecar);
            }
            request.extensions_mut().insert(caller);
            return next.run(request).await;
        }
        Err(denied) => denied,
    };
    Refuser::Token.refuses();
    let (status, reason) = (problem.status, problem.detail.clone());
    tracing::warn!(status, reason, "a call of the REST edge without a right token");
    let mut response = Refusal(problem).into_response();
    if let Some(value) = token.and_then(|token| HeaderValue::from_str(&token).ok()) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn access(sidecar: &str, bearer: &str, loopback: bool) -> Access {
        let secret = |text: &str| Secret::non_empty(text.to_owned());
        Access { sidecar: secret(sidecar), bearer: secret(bearer), loopback, tokens: None }
    }

    fn judged(access: &Access, headers: &[(&'static str, &'static str)]) -> u16 {
        let headers = headers.iter().map(|(name, value)| {
            (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        // Without tokens to verify there is nothing to wait for.
        let judged = access.judge(&headers.collect::<HeaderMap>()).now_or_never().unwrap();
        judged.map_or_else(|denied| denied.problem.status, |_| 200)
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
