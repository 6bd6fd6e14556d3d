//! How the service does: tasks, lateness, what waits, who audits, what is stopped, what needs a hand.

use super::Console;
use super::lateness::Lateness;
use crate::clock::{Clock, SystemClock};
use crate::http::rest::answer::Refusal;
use crate::http::rest::lists::unanswered;
use crate::metrics::metrics;
use crate::read_model::{Holder, QueryError, Totals, epoch_name};
use axum::Json;
use axum::extract::State;
use reminder_domain::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything at a glance.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Overview {
    /// When it was asked.
    at: Timestamp,
    /// Tasks by status.
    totals: Totals,
    /// Tasks whose time has come and which have not fired.
    overdue: Bounded,
    /// Who sweeps and audits.
    audit: Option<Holder>,
    /// Whose firing is stopped.
    stops: Vec<Stop>,
    /// Dead letters that are open, by topic.
    dead_letters: BTreeMap<String, i64>,
    /// What this process knows of itself.
    replica: Replica,
}

/// A count that ends at a bound.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bounded {
    /// At most one more than the bound.
    count: i64,
    /// The bound.
    max: i64,
}

/// A stop of firing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stop {
    /// Whose; null: everyone's.
    user_id: Option<String>,
    /// Why.
    reason: String,
}

/// One process: that which answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replica {
    /// Its run, as logs have it.
    epoch: String,
    /// How late it fired.
    lateness: Lateness,
    /// Its events that wait for the broker.
    outbox: i64,
    /// When its last round of the audit was done; null: it never held the lease.
    last_round: Option<Timestamp>,
    /// Parked tasks that its last round counted.
    parked: i64,
}

/// The overview.
pub(super) async fn read(State(console): State<Console>) -> Result<Json<Arc<Overview>>, Refusal> {
    let told = console.overview.get(ask(&console, SystemClock.now())).await;
    Ok(Json(told.map_err(|error| unanswered(&error))?))
}

async fn ask(console: &Console, now: Timestamp) -> Result<Overview, QueryError> {
    let model = &console.model;
    let (count, max) = model.overdue(now).await?;
    let stop = |(user, reason): (String, String)| {
        let user_id = (!user.is_empty()).then_some(user);
        Stop { user_id, reason }
    };
    Ok(Overview {
        at: now,
        totals: model.totals().await?,
        overdue: Bounded { count, max },
        audit: model.holder().await?,
        stops: model.stops().await?.into_iter().map(stop).collect(),
        dead_letters: model.open_letters().await?,
        replica: Replica::now(console.epoch),
    })
}

impl Replica {
    fn now(epoch: u64) -> Self {
        let metrics = metrics();
        Self {
            epoch: epoch_name(epoch),
            lateness: Lateness::of(&metrics.text()),
            outbox: metrics.outbox.get(),
            last_round: moment(metrics.last_round.get()),
            parked: metrics.parked.get(),
        }
    }
}

/// A gauge of seconds since 1970 as a moment; 0 is none.
fn moment(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "the clock's milliseconds fit")]
    let millis = (seconds * 1_000.0).round() as i64;
    (millis > 0).then(|| Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_that_never_was_is_no_moment() {
        assert_eq!(moment(0.0), None);
        assert_eq!(moment(1.5), Some(Timestamp::from_millis(1_500)));
    }
}
