//! The page and its parts, all of them in the binary: nothing is fetched from anywhere else.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::Redirect;
use axum::routing::get;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

macro_rules! files {
    ($($path:literal = $file:literal as $kind:expr;)*) => {
        /// Path, media type and text of each file.
        const FILES: &[(&str, &str, &str)] =
            &[$(($path, $kind, include_str!(concat!("page/", $file))),)*];
    };
}

files! {
    "/console" = "index.html" as HTML;
    "/console/style.css" = "style.css" as STYLE;
    "/console/icon.svg" = "icon.svg" as IMAGE;
    "/console/app.js" = "app.js" as SCRIPT;
    "/console/actions.js" = "actions.js" as SCRIPT;
    "/console/api.js" = "api.js" as SCRIPT;
    "/console/chart.js" = "chart.js" as SCRIPT;
    "/console/elements.js" = "elements.js" as SCRIPT;
    "/console/findings.js" = "findings.js" as SCRIPT;
    "/console/overview.js" = "overview.js" as SCRIPT;
    "/console/parked.js" = "parked.js" as SCRIPT;
    "/console/search.js" = "search.js" as SCRIPT;
    "/console/task.js" = "task.js" as SCRIPT;
    "/console/user.js" = "user.js" as SCRIPT;
    "/console/words.js" = "words.js" as SCRIPT;
}

/// The page is open to all who can reach it: it asks for the token that everything else needs.
pub(super) fn routes() -> Router {
    let slash = get(async || Redirect::permanent("/console"));
    FILES.iter().fold(Router::new().route("/console/", slash), |router, (path, kind, text)| {
        router.route(path, get(async move || ([(CONTENT_TYPE, *kind)], *text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the policy would forbid, or would let in what nobody checked.
    const FORBIDDEN: [&str; 6] =
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"];

    fn scripts() -> impl Iterator<Item = (&'static str, &'static str)> {
        let scripts = FILES.iter().filter(|(_, kind, _)| *kind == SCRIPT);
        scripts.map(|(path, _, text)| (*path, *text))
    }

    #[test]
    fn scripts_make_no_markup_and_keep_to_the_policy() {
        for (path, text) in scripts() {
            let found = FORBIDDEN.iter().find(|word| text.contains(**word));
            assert_eq!(found, None, "{path}");
            assert!(!text.contains("localStorage"), "{path}: the token ends with its tab");
        }
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        for (path, kind, text) in FILES {
            let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!elsewhere.contains("http://") && !elsewhere.contains("https://"), "{path}");
            if *kind == HTML {
                assert!(!text.contains("style=") && !text.contains(" on"), "{path}");
                assert_eq!(text.matches("<script").count(), 1);
                assert!(text.contains("<script type=\"module\" src=\"/console/app.js\"></script>"));
            }
        }
    }

    #[test]
    fn every_module_that_is_imported_is_served() {
        for (path, text) in scripts() {
            for (at, begin) in text.match_indices("from './") {
                let module = text[at + begin.len()..].split('\'').next().unwrap_or_default();
                let served = format!("/console/{module}");
                assert!(FILES.iter().any(|(path, ..)| *path == served), "{path}: {module}");
            }
        }
    }
}
