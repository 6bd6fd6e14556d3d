//! The two sides of each comparison, and the same calls to both.

use chrono::{DateTime, Duration as Span, Utc};
use reminder_contract::names;
use serde::Serialize;

use super::client::Job;
use super::floor_app;
use crate::bench::tasks::{self, Names};

/// Beyond the arm horizon, and within it but after the run.
const FAR_AHEAD: Span = Span::days(30);
const NEAR_AHEAD: Span = Span::hours(5);
/// The arm horizon of the service meanwhile.
pub(super) const ARM_HORIZON: &str = "6h";

/// Who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::bench) enum Side {
    /// Bare Dapr.
    Floor,
    /// The service.
    Ours,
}

impl Side {
    /// The floor goes first in each repetition.
    pub(super) const BOTH: [Self; 2] = [Self::Floor, Self::Ours];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Ours => "ours",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::bench) enum Work {
    /// Nothing; the floor only.
    Noop,
    /// A reminder beyond the arm horizon: one state transaction.
    Far,
    /// A reminder within it: a registration and one state transaction.
    Near,
    /// A registration whose firing does nothing; the floor only.
    Arm,
}

impl Work {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Far => "far",
            Self::Near => "near",
            Self::Arm => "arm",
        }
    }

    /// When what nobody waits for is due.
    pub(super) fn due(self) -> DateTime<Utc> {
        let ahead = if self == Self::Far { FAR_AHEAD } else { NEAR_AHEAD };
        Utc::now() + ahead
    }
}

/// The call that schedules a reminder of a new task. Both sides get the very same body.
pub(super) fn job(side: Side, work: Work, names: &Names, number: usize, due: DateTime<Utc>) -> Job {
    let (actor_type, method) = match side {
        Side::Floor => (floor_app::ACTOR_TYPE, work.name()),
        Side::Ours => (names::ACTOR_TYPE, "put"),
    };
    Job { actor_type, id: names.id(number), method, body: tasks::put(number, due) }
}
