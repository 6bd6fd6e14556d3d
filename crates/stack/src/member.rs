//! The services around the scheduler that a stack can have.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use reminder_contract::names;
use serde::{Deserialize, Serialize};

/// One of the services around the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Member {
    /// Owns the tasks.
    TodoApi,
    /// Delivers what fired.
    NotificationService,
    /// Serves live front ends.
    FrontendSync,
}

impl Member {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TodoApi, Self::NotificationService, Self::FrontendSync];

    /// Its Dapr app id; its package and its executable are called the same.
    pub const fn app_id(self) -> &'static str {
        match self {
            Self::TodoApi => names::TODO_API_APP_ID,
            Self::NotificationService => names::NOTIFICATION_APP_ID,
            Self::FrontendSync => names::FRONTEND_APP_ID,
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.app_id())
    }
}

impl FromStr for Member {
    type Err = UnknownMember;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|member| member.app_id() == text);
        found.ok_or_else(|| UnknownMember(text.to_owned()))
    }
}

impl From<Member> for String {
    fn from(member: Member) -> Self {
        member.app_id().to_owned()
    }
}

impl TryFrom<String> for Member {
    type Error = UnknownMember;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A name that no member has.
#[derive(Debug, thiserror::Error)]
#[error("no member is called `{0}`")]
pub struct UnknownMember(String);

/// How one member is run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberOptions {
    /// This executable; without it, the workspace's own, built by cargo first.
    pub binary: Option<PathBuf>,
    /// More environment, beside what every member is told.
    pub env: BTreeMap<String, String>,
}

/// All members, as the workspace builds them.
pub fn all() -> BTreeMap<Member, MemberOptions> {
    Member::ALL.map(|member| (member, MemberOptions::default())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for member in Member::ALL {
            assert_eq!(member.to_string().parse::<Member>().unwrap(), member);
        }
        assert!("scheduler".parse::<Member>().is_err());
    }
}
