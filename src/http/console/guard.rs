//! What keeps other sites away from the console, and the console from other sites.

use crate::config::ServerConfig;
use crate::http::rest::answer::Refusal;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use reminder_contract::{Problem, ProblemKind};
use std::net::IpAddr;

/// Only our own files, nothing inline, no frame around us, and no markup made by script.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// Adds the headers that keep browsers from doing more than they should. Nothing is kept: what the console
/// shows is of this moment, and of others.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fixed = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Under which names the console answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hosts {
    /// Under any: who asks shows a token.
    Any,
    /// As this host alone. Without a token, a site whose name leads here could have its visitors read the
    /// console (DNS rebinding).
    Loopback,
}

impl Hosts {
    pub(super) fn of(server: &ServerConfig) -> Self {
        if server.rest_token.is_some() { Self::Any } else { Self::Loopback }
    }

    fn admit(self, headers: &HeaderMap) -> bool {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        self == Self::Any || is_loopback(host)
    }
}

/// Whether a `Host` header names this host: by an address or by `localhost`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Lets a call through that names one of the hosts.
pub(super) async fn host(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if hosts.admit(request.headers()) {
        return next.run(request).await;
    }
    let detail = "without REST_TOKEN the console answers as localhost or 127.0.0.1 only";
    Refusal(Problem::new(ProblemKind::Forbidden, detail)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_token_only_names_of_this_host_are_answered() {
        for host in
            ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "[::1]", "127.1.2.3"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "10.0.0.1:80",
            "localhost:evil",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
        let other = HeaderMap::from_iter([(HOST, HeaderValue::from_static("evil.example"))]);
        assert!(Hosts::Any.admit(&other) && !Hosts::Loopback.admit(&other));
    }
}
