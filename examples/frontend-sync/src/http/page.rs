//! The page and its parts, all of them in the binary: nothing is fetched from anywhere else.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::hash::{DefaultHasher, Hash, Hasher};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

macro_rules! files {
    ($($path:literal = $file:literal as $kind:expr;)*) => {
        /// Path, media type and text of each file.
        const FILES: &[(&str, &str, &str)] =
            &[$(($path, $kind, include_str!(concat!("../../page/", $file))),)*];
    };
}

files! {
    "/" = "index.html" as HTML;
    "/style.css" = "style.css" as STYLE;
    "/icon.svg" = "icon.svg" as IMAGE;
    "/bell.svg" = "bell.svg" as IMAGE;
    "/app.js" = "app.js" as SCRIPT;
    "/actions.js" = "actions.js" as SCRIPT;
    "/api.js" = "api.js" as SCRIPT;
    "/dom.js" = "dom.js" as SCRIPT;
    "/feed.js" = "feed.js" as SCRIPT;
    "/form.js" = "form.js" as SCRIPT;
    "/list.js" = "list.js" as SCRIPT;
    "/model.js" = "model.js" as SCRIPT;
    "/time.js" = "time.js" as SCRIPT;
    "/toasts.js" = "toasts.js" as SCRIPT;
}

pub(super) fn router() -> Router {
    FILES.iter().fold(Router::new(), |router, (path, kind, text)| {
        let tag = tag(text);
        router.route(
            path,
            get(move |request: Request| async move { serve(&request, kind, text, &tag) }),
        )
    })
}

/// Asked for each time, and sent only if it is another one: after an update all parts fit together.
fn serve(request: &Request, kind: &'static str, text: &'static str, tag: &HeaderValue) -> Response {
    let fresh = [(CACHE_CONTROL, HeaderValue::from_static("no-cache")), (ETAG, tag.clone())];
    if request.headers().get(IF_NONE_MATCH) == Some(tag) {
        return (StatusCode::NOT_MODIFIED, fresh).into_response();
    }
    (fresh, [(CONTENT_TYPE, kind)], text).into_response()
}

fn tag(text: &str) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    // Hexadecimal digits in quotes are a header.
    HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish()))
        .unwrap_or(HeaderValue::from_static("\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the policy would forbid, or would let in what nobody checked.
    const FORBIDDEN: &[&str] = &[
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
    ];

    #[test]
    fn scripts_make_no_markup() {
        for (path, _, text) in FILES.iter().filter(|(_, kind, _)| *kind == SCRIPT) {
            let found = FORBIDDEN.iter().find(|word| text.contains(**word));
            assert_eq!(found, None, "{path}");
        }
    }

    #[test]
    fn the_page_has_nothing_inline_and_nothing_from_elsewhere() {
        for (path, kind, text) in FILES {
            let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!elsewhere.contains("http://") && !elsewhere.contains("https://"), "{path}");
            if *kind == HTML {
                assert!(!text.contains("style=") && !text.contains(" on"), "{path}");
                assert_eq!(text.matches("<script").count(), 1);
                assert!(text.contains("<script type=\"module\" src=\"/app.js\"></script>"));
            }
        }
    }

    #[test]
    fn every_module_that_is_imported_is_served() {
        for (path, _, text) in FILES.iter().filter(|(_, kind, _)| *kind == SCRIPT) {
            for (_, rest) in text.match_indices("from './").map(|(at, _)| text.split_at(at + 8)) {
                let module = rest.split('\'').next().unwrap_or_default();
                assert!(FILES.iter().any(|(path, ..)| path[1..] == *module), "{path}: {module}");
            }
        }
    }
}
