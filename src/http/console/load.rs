//! What is to come, as histograms: by minutes, hours and days.

use super::Console;
use crate::clock::{Clock, SystemClock};
use crate::http::rest::answer::Refusal;
use crate::http::rest::lists::unanswered;
use crate::read_model::{Bucket, ConsoleModel, QueryError};
use axum::Json;
use axum::extract::State;
use reminder_domain::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// Name, seconds of a bar, and how many bars.
const SCALES: [(&str, i64, i32); 3] = [("hour", 60, 60), ("day", 3_600, 24), ("month", 86_400, 30)];

/// All histograms.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Load {
    /// When it was counted.
    at: Timestamp,
    /// The histograms.
    scales: Vec<Scale>,
}

/// One histogram.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scale {
    /// What it spans.
    span: &'static str,
    /// How long a bar is.
    seconds: i64,
    /// The bars.
    buckets: Vec<Bucket>,
}

/// The load to come.
pub(super) async fn read(State(console): State<Console>) -> Result<Json<Arc<Load>>, Refusal> {
    let counted = console.load.get(count(&console.model, SystemClock.now())).await;
    Ok(Json(counted.map_err(|error| unanswered(&error))?))
}

async fn count(model: &ConsoleModel, now: Timestamp) -> Result<Load, QueryError> {
    let mut scales = Vec::with_capacity(SCALES.len());
    for (span, seconds, bars) in SCALES {
        let buckets = model.load(begin(now, seconds), now, seconds, bars).await?;
        scales.push(Scale { span, seconds, buckets });
    }
    Ok(Load { at: now, scales })
}

/// When the bar of this moment began: at a whole minute, hour or day of UTC.
fn begin(now: Timestamp, seconds: i64) -> Timestamp {
    let millis = now.as_millis();
    Timestamp::from_millis(millis - millis.rem_euclid(seconds * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_begin_at_whole_minutes_hours_and_days() {
        let now = Timestamp::parse("2027-03-04T05:06:07.890Z").unwrap();
        let starts = SCALES.map(|(_, seconds, _)| begin(now, seconds).to_string());
        assert_eq!(
            starts.map(|start| start[..19].to_owned()),
            ["2027-03-04T05:06:00", "2027-03-04T05:00:00", "2027-03-04T00:00:00"]
        );
    }
}
