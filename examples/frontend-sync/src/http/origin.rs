//! Whether a request that changes something comes from our own page. There is no login here, hence no
//! token to bind a form to: what the browser says of the request's origin has to do, and does.

use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use reminder_contract::problem;
use serde_json::json;

/// <https://www.w3.org/TR/fetch-metadata/>
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another site's page sends.
pub(super) async fn check(request: Request, next: Next) -> Response {
    match judge(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(reason) => forbidden(&request, reason),
    }
}

fn forbidden(request: &Request, reason: &str) -> Response {
    tracing::warn!(
        path = request.uri().path(),
        reason,
        "a request is refused for where it is from"
    );
    let problem = json!({
        "type": "about:blank", "title": "Forbidden", "status": 403, "detail": reason,
    });
    let kind = [(CONTENT_TYPE, problem::CONTENT_TYPE)];
    (StatusCode::FORBIDDEN, kind, problem.to_string()).into_response()
}

fn judge(method: &Method, headers: &HeaderMap) -> Result<(), &'static str> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or(""));
    let same = match (text(SEC_FETCH_SITE), text(ORIGIN)) {
        // `none`: the user did it, not a page.
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(HOST)
        }
        // No browser of the last years sends neither: a program, which nobody can trick.
        (None, None) => true,
    };
    if !same {
        return Err("the request comes from a page of another site");
    }
    // A form cannot send this type, and another site's script not without asking first.
    let json = text(CONTENT_TYPE).is_some_and(|kind| {
        kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json")
    });
    if json { Ok(()) } else { Err("the body must be application/json") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(headers: &[(&'static str, &str)]) -> bool {
        let json = [("content-type", "application/json"), ("host", "front.example:8080")];
        let all = json.iter().chain(headers);
        let headers =
            all.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        judge(&Method::POST, &headers.collect()).is_ok()
    }

    #[test]
    fn our_own_page_may() {
        assert!(post(&[("sec-fetch-site", "same-origin")]));
        assert!(post(&[("sec-fetch-site", "none")]));
        assert!(post(&[("origin", "http://front.example:8080")]));
        assert!(post(&[("origin", "https://front.example:8080")]), "behind a proxy that ends TLS");
        assert!(post(&[]), "a program");
    }

    #[test]
    fn other_pages_may_not() {
        let honest = ("origin", "http://front.example:8080");
        assert!(!post(&[("sec-fetch-site", "cross-site"), honest]));
        assert!(!post(&[("sec-fetch-site", "same-site"), honest]));
        for origin in ["null", "", "http://front.example", "http://front.example:8080.evil.example"]
        {
            assert!(!post(&[("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_form_cannot_send_what_is_taken() {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_FETCH_SITE, "same-origin".parse().unwrap());
        assert!(judge(&Method::POST, &headers).is_err());
        headers.insert(CONTENT_TYPE, "text/plain".parse().unwrap());
        assert!(judge(&Method::POST, &headers).is_err());
        headers.insert(CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
        assert!(judge(&Method::POST, &headers).is_ok());
    }

    #[test]
    fn looking_is_free() {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_FETCH_SITE, "cross-site".parse().unwrap());
        assert!(judge(&Method::GET, &headers).is_ok());
    }
}
