//! Refusals of the core, as problems.

use super::{Problem, ProblemKind};
use reminder_domain::Rejection;
use reminder_domain::user::UserRejection;

impl From<&Rejection> for Problem {
    fn from(rejection: &Rejection) -> Self {
        let new = |kind| Self::new(kind, rejection.to_string());
        match rejection {
            Rejection::UnknownTask(id) => new(ProblemKind::UnknownTask).with_task_id(id),
            Rejection::VersionConflict { actual, .. } => {
                new(ProblemKind::VersionConflict).at("ifVersion").at_version(*actual)
            }
            Rejection::CommandIdReused => new(ProblemKind::CommandIdReused).at("commandId"),
            Rejection::Invalid { field, reason } => Self::invalid(field.clone(), reason),
            Rejection::Inapplicable(_) => new(ProblemKind::Inapplicable),
            Rejection::TooManyPending(_) => new(ProblemKind::Overloaded),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self::from(&rejection)
    }
}

impl From<UserRejection> for Problem {
    fn from(rejection: UserRejection) -> Self {
        let new = |kind| Self::new(kind, rejection.to_string());
        match rejection {
            UserRejection::VersionConflict { actual, .. } => {
                new(ProblemKind::VersionConflict).at("ifVersion").at_version(actual)
            }
            UserRejection::CommandIdReused => new(ProblemKind::CommandIdReused).at("commandId"),
        }
    }
}
