//! What keeps other sites away, where callers show no token: being on this host is all that is asked then, and
//! a page of any site that runs in a browser on this host is there as well.

use crate::config::ServerConfig;
use crate::http::rest::answer::Refusal;
use crate::http::rest::observe::Refuser;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use reminder_contract::{Problem, ProblemKind};
use std::net::IpAddr;
use std::sync::Arc;

/// In which browsers say where a call comes from (W3C Fetch Metadata). No script can set it.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

const OTHER_HOST: &str = "without a token this service answers as localhost or 127.0.0.1 only, and as what REST_HOSTS names";
const OTHER_SITE: &str = "without a token nothing is done for pages of other sites";
const A_PAGE: &str = "this is for the sidecar alone: without APP_API_TOKEN nothing is taken from a page in a browser";

/// Under which names callers are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum Hosts {
    /// Under any: who asks shows a token.
    Any,
    /// As this host alone, or by one of these names. Else a site whose name leads here could have its visitors
    /// read and change everything (DNS rebinding).
    Loopback(Arc<[String]>),
}

impl Hosts {
    /// As the settings say.
    pub(in crate::http) fn of(server: &ServerConfig) -> Self {
        // With the sidecar's token alone, nobody is answered without one.
        let tokens = [&server.rest_token, &server.token];
        if tokens.iter().any(|token| token.is_some()) || server.tokens.is_some() {
            Self::Any
        } else {
            Self::Loopback(server.rest_hosts.clone().into())
        }
    }

    fn judge(&self, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
        let Self::Loopback(others) = self else { return Ok(()) };
        let forbidden = |detail: &str| Err(Problem::new(ProblemKind::Forbidden, detail));
        let host = text(headers, &HOST);
        if !is_loopback(host) && !others.iter().any(|other| other.eq_ignore_ascii_case(name(host)))
        {
            return forbidden(OTHER_HOST);
        }
        if !method.is_safe() && is_cross_site(headers, host) {
            return forbidden(OTHER_SITE);
        }
        Ok(())
    }
}

/// Whether a page of another site makes the call. Older browsers say the origin only; who says neither is none.
fn is_cross_site(headers: &HeaderMap, host: &str) -> bool {
    match text(headers, &FETCH_SITE) {
        "same-origin" | "none" => false,
        "" => {
            let origin = text(headers, &ORIGIN);
            let of = origin.split_once("://").map(|(_, authority)| authority);
            !origin.is_empty() && of.is_none_or(|of| !of.eq_ignore_ascii_case(host))
        }
        _ => true,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A `Host` header without its port; empty when it is none.
fn name(host: &str) -> &str {
    host.parse::<Authority>().map_or("", |_| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    })
}

/// Whether a `Host` header names this host: by an address or by `localhost`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = name(host);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Puts the guard before routes.
pub(in crate::http) fn guarded(routes: Router, hosts: Hosts) -> Router {
    routes.layer(middleware::from_fn_with_state(hosts, guard))
}

async fn guard(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    match hosts.judge(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            Refuser::Guard.refuses();
            tracing::warn!(reason = %problem.detail, "a call that a page of another site may have made");
            Refusal(problem).into_response()
        }
    }
}

/// Closes what the sidecar alone calls to pages, where it shows no token. None has anything to say there, so the
/// site does not matter, nor the name under which it reaches us.
pub(in crate::http) fn closed_to_pages(routes: Router) -> Router {
    routes.layer(middleware::from_fn(no_page))
}

/// Browsers say of themselves that they call for a page, by `Origin` with all that may change something, and the
/// sidecar does not. It does hand on the headers of who calls an actor through it: a page that reaches the sidecar's
/// own port, where that asks for no token either, gets no further than here.
async fn no_page(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !headers.contains_key(FETCH_SITE) && !headers.contains_key(ORIGIN) {
        return next.run(request).await;
    }
    tracing::warn!(path = request.uri().path(), "a call for the sidecar that a page made");
    Refusal(Problem::new(ProblemKind::Forbidden, A_PAGE)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

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
            "evil.example:80@localhost",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    fn status(hosts: &Hosts, method: &Method, headers: &[(&'static str, &'static str)]) -> u16 {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let judged = hosts.judge(method, &headers.collect());
        judged.map_or_else(|problem| problem.status, |()| 200)
    }

    #[test]
    fn other_names_are_answered_where_they_are_told_or_a_token_is_shown() {
        let hosts = Hosts::Loopback(["reminders.example".to_owned()].into());
        let of = |hosts, host| status(hosts, &Method::GET, &[("host", host)]);
        assert_eq!(of(&hosts, "reminders.example:80"), 200);
        assert_eq!(of(&hosts, "evil.example"), 403);
        assert_eq!(of(&hosts, "reminders.example.evil.example"), 403);
        assert_eq!(status(&hosts, &Method::GET, &[]), 403);
        assert_eq!(of(&Hosts::Any, "evil.example"), 200);
    }

    #[test]
    fn nothing_is_changed_for_pages_of_other_sites() {
        let hosts = Hosts::Loopback([].into());
        let of = |method, name, value| {
            status(&hosts, method, &[("host", "localhost:80"), (name, value)])
        };
        for (name, value, put) in [
            ("origin", "http://localhost:80", 200),
            ("origin", "http://localhost:81", 403),
            ("origin", "http://evil.example", 403),
            ("origin", "null", 403),
            ("sec-fetch-site", "same-origin", 200),
            ("sec-fetch-site", "none", 200),
            ("sec-fetch-site", "same-site", 403),
            ("sec-fetch-site", "cross-site", 403),
            ("x-nothing", "of a program", 200),
        ] {
            assert_eq!(of(&Method::PUT, name, value), put, "{name}: {value}");
            assert_eq!(
                of(&Method::GET, name, value),
                200,
                "a browser shows no answer to other sites"
            );
        }
    }
}
