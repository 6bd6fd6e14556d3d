//! What can be set: what every member has, and what the page offers.

use clap::Parser;
use reminder_domain::time::{CalendarOffset, InvalidOffset};
use reminder_member::secrets::InvalidSecret;
use reminder_member::{MemberArgs, MemberConfig};

/// A live page of a user's tasks and reminders, beside a Dapr sidecar.
#[derive(Clone, Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Every option can be given as the environment variable named beside it."
)]
pub struct Args {
    #[command(flatten)]
    member: MemberArgs,
    /// How long a reminder can be put off, ISO 8601 durations; the first one is offered first
    #[arg(long, env = "SNOOZE_CHOICES", value_delimiter = ',', value_parser = duration,
          default_value = "PT10M,PT1H,PT3H,P1D")]
    snooze_choices: Vec<String>,
}

/// What the page is told at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a reminder can be put off.
    pub snooze_choices: Vec<String>,
}

impl Args {
    /// The settings, sorted.
    ///
    /// # Errors
    /// When those that every member has cannot be used.
    pub fn config(self) -> Result<(MemberConfig, Settings), InvalidSecret> {
        Ok((self.member.config()?, Settings { snooze_choices: self.snooze_choices }))
    }
}

fn duration(text: &str) -> Result<String, InvalidOffset> {
    CalendarOffset::parse(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_durations() {
        let args = |choices| Args::try_parse_from(["frontend-sync", choices]);
        let (_, settings) = args("--snooze-choices=PT5S,P1D").unwrap().config().unwrap();
        assert_eq!(settings.snooze_choices, ["PT5S", "P1D"]);
        assert!(args("--snooze-choices=soon").is_err());
    }
}
