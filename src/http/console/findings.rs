//! What the audit found and mended, the latest first.

use super::Console;
use crate::http::rest::answer::Refusal;
use crate::http::rest::asked::Asked;
use crate::http::rest::lists::unanswered;
use crate::read_model::KeptFinding;
use axum::Json;
use axum::extract::State;
use serde::Serialize;

/// Findings of a page.
const PAGE: i64 = 50;

/// A page of findings.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FindingsPage {
    /// The findings, the latest first.
    items: Vec<KeptFinding>,
    /// The `before` of the next page.
    next_before: Option<i64>,
}

/// A page of what the audit found.
pub(super) async fn list(
    State(console): State<Console>,
    mut asked: Asked,
) -> Result<Json<FindingsPage>, Refusal> {
    let before = asked.params.number("before")?;
    asked.without_query()?;
    let items = console.model.findings(before, PAGE).await.map_err(|error| unanswered(&error))?;
    let full = i64::try_from(items.len()) == Ok(PAGE);
    let next_before = items.last().filter(|_| full).map(|last| last.id);
    Ok(Json(FindingsPage { items, next_before }))
}
