//! Scenario: commands one after the other on an idle stack.

use anyhow::{Context, Result};
use chrono::{Duration as Span, Utc};

use super::report::{Measure, Scenario};
use super::samples::Samples;
use super::tasks::{self, Names};
use crate::api::Address;

/// Commands before the measured ones: they open connections and fill caches.
const WARM_UP: usize = 20;

/// How far ahead a reminder is due.
#[derive(Debug, Clone, Copy)]
pub(super) enum Due {
    /// Beyond the arm horizon: one row in the state store.
    Far,
    /// Within it: one row and one registration with the Dapr scheduler.
    Near,
}

impl Due {
    const fn name(self) -> &'static str {
        match self {
            Self::Far => "far",
            Self::Near => "near",
        }
    }

    fn ahead(self) -> Span {
        match self {
            Self::Far => Span::days(30),
            Self::Near => Span::minutes(30),
        }
    }
}

/// Puts new tasks, and measures each call.
pub(super) async fn run(address: &Address, due: Due, count: usize) -> Result<Scenario> {
    let names = Names::new(due.name());
    let mut caller = address.connect().await?;
    let mut samples = Samples::default();
    let mut errors = Vec::new();
    for number in 0..WARM_UP + count {
        let body = tasks::put(number, Utc::now() + due.ahead());
        let reply = caller.call(&names.id(number), "put", &body).await;
        match reply.map(|reply| (reply.took, reply.outcome)) {
            Ok((took, Ok(_))) if number >= WARM_UP => samples.add(took),
            Ok((_, Ok(_))) => {}
            Ok((_, Err(problem))) => errors.push(format!("{} {}", problem.status, problem.detail)),
            Err(error) => errors.push(format!("{error:#}")),
        }
    }
    let summary = samples.summary().context("no command was answered")?;
    Ok(Scenario {
        name: format!("put-{}", due.name()),
        setup: format!("{count} new tasks one after the other, after {WARM_UP} to warm up"),
        measures: vec![Measure::new(format!("put, due {}", due.name()), summary)],
        notes: Vec::new(),
        errors,
    })
}
