//! The parts of a stack and the signals they can be sent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::member::Member;

/// One process of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Part {
    /// The database with the state and the read model.
    Postgres,
    /// The broker; absent with the in-memory pub/sub.
    Kafka,
    /// Dapr's placement service: which sidecar hosts which actor.
    Placement,
    /// Dapr's scheduler service: the store of registered reminders.
    Scheduler,
    /// The sidecar of a replica.
    Sidecar(u32),
    /// The service itself, of a replica.
    App(u32),
    /// The sidecar of a service around the scheduler.
    MemberSidecar(Member),
    /// A service around the scheduler.
    Member(Member),
}

/// What the name of a member's sidecar ends with.
const SIDECAR_SUFFIX: &str = "-sidecar";

impl Part {
    /// The number of the replica this part belongs to.
    pub const fn replica(self) -> Option<u32> {
        match self {
            Self::App(n) | Self::Sidecar(n) => Some(n),
            Self::Postgres
            | Self::Kafka
            | Self::Placement
            | Self::Scheduler
            | Self::MemberSidecar(_)
            | Self::Member(_) => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres => f.pad("postgres"),
            Self::Kafka => f.pad("kafka"),
            Self::Placement => f.pad("placement"),
            Self::Scheduler => f.pad("scheduler"),
            Self::Sidecar(n) => f.pad(&format!("sidecar-{n}")),
            Self::App(n) => f.pad(&format!("app-{n}")),
            Self::MemberSidecar(member) => f.pad(&format!("{member}{SIDECAR_SUFFIX}")),
            Self::Member(member) => member.fmt(f),
        }
    }
}

impl FromStr for Part {
    type Err = UnknownPart;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownPart(text.to_owned());
        if let Ok(member) = text.parse() {
            return Ok(Self::Member(member));
        }
        if let Some(Ok(member)) = text.strip_suffix(SIDECAR_SUFFIX).map(str::parse) {
            return Ok(Self::MemberSidecar(member));
        }
        let (name, number) = match text.split_once('-') {
            Some((name, number)) => (name, Some(number.parse().map_err(|_| unknown())?)),
            None => (text, None),
        };
        match (name, number) {
            ("postgres", None) => Ok(Self::Postgres),
            ("kafka", None) => Ok(Self::Kafka),
            ("placement", None) => Ok(Self::Placement),
            ("scheduler", None) => Ok(Self::Scheduler),
            ("sidecar", n) => Ok(Self::Sidecar(n.unwrap_or(1))),
            ("app", n) => Ok(Self::App(n.unwrap_or(1))),
            _ => Err(unknown()),
        }
    }
}

impl From<Part> for String {
    fn from(part: Part) -> Self {
        part.to_string()
    }
}

impl TryFrom<String> for Part {
    type Error = UnknownPart;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A name that no part has.
#[derive(Debug, thiserror::Error)]
#[error(
    "no part is called `{0}`: there are postgres, kafka, placement, scheduler, sidecar[-N], \
     app[-N], and todo-api, notification-service and frontend-sync, each with its own -sidecar"
)]
pub struct UnknownPart(String);

/// What a part can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// A crash: no chance to clean up.
    Kill,
    /// A request to finish. Postgres gets its own kind, which does not wait for its clients.
    Term,
    /// A stall: the process stays, with its connections, and does nothing.
    Stop,
    /// The end of a stall.
    Cont,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for part in [
            Part::Postgres,
            Part::Kafka,
            Part::Placement,
            Part::Scheduler,
            Part::Sidecar(1),
            Part::App(12),
            Part::Member(Member::TodoApi),
            Part::MemberSidecar(Member::NotificationService),
        ] {
            assert_eq!(part.to_string().parse::<Part>().unwrap(), part);
        }
    }

    #[test]
    fn the_first_replica_needs_no_number() {
        assert_eq!("app".parse::<Part>().unwrap(), Part::App(1));
        assert_eq!("sidecar".parse::<Part>().unwrap(), Part::Sidecar(1));
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["", "redis", "app-", "app-x", "kafka-1", "app-1-2", "redis-sidecar"] {
            assert!(name.parse::<Part>().is_err(), "{name}");
        }
    }
}
