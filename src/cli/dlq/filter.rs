//! Which letters are meant, as the command line says it.

use crate::cli::CliError;
use crate::clock::{Clock, SystemClock};
use crate::dead_letters::{Status, origin_of, topics};
use crate::read_model::LetterFilter;
use clap::Args;
use reminder_domain::Timestamp;

/// Every status.
const ALL: &str = "all";

/// What a letter must be like.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct FilterArgs {
    /// On this topic, which may be named with or without "-dlq"; may be repeated
    #[arg(long)]
    topic: Vec<String>,
    /// With this reason, in a word
    #[arg(long)]
    reason: Option<String>,
    /// About this task
    #[arg(long)]
    task: Option<String>,
    /// Of the event with this id
    #[arg(long)]
    event_id: Option<String>,
    /// Of events of this type, such as task.created
    #[arg(long = "type")]
    event_type: Option<String>,
    /// That came at this time or later: RFC 3339, or how long ago, such as 2h
    #[arg(long)]
    since: Option<String>,
    /// That came before this time: RFC 3339, or how long ago
    #[arg(long)]
    until: Option<String>,
    /// Of this status: open, replayed, dropped, or all
    #[arg(long, default_value = "open")]
    status: String,
}

impl FilterArgs {
    /// Whether it leaves anything out but by the status.
    pub(super) fn narrows(&self) -> bool {
        !self.topic.is_empty()
            || [&self.reason, &self.task, &self.event_id, &self.event_type]
                .iter()
                .any(|text| text.is_some())
            || self.since.is_some()
            || self.until.is_some()
    }

    /// As the read model asks.
    pub(super) fn checked(self) -> Result<LetterFilter, CliError> {
        let topics = self.topic.iter().map(|name| dead_letter_topic(name));
        let now = SystemClock.now();
        let time = |option: &str, text: Option<String>| {
            text.map(|text| moment(option, &text, now)).transpose()
        };
        Ok(LetterFilter {
            ids: Vec::new(),
            topics: topics.collect::<Result<_, _>>()?,
            reason: self.reason,
            task: self.task,
            event_id: self.event_id,
            event_type: self.event_type,
            since: time("--since", self.since)?,
            until: time("--until", self.until)?,
            status: status(&self.status)?,
        })
    }

    /// The one status that a change goes out from.
    pub(super) fn one_status(&self) -> Result<Status, CliError> {
        status(&self.status)?
            .ok_or_else(|| CliError::Usage("--status all is for `list` only".to_owned()))
    }
}

fn dead_letter_topic(name: &str) -> Result<String, CliError> {
    let found = topics().find(|topic| topic.name == name || origin_of(topic.name) == Some(name));
    found.map(|topic| topic.name.to_owned()).ok_or_else(|| {
        let known: Vec<&str> = topics().map(|topic| topic.name).collect();
        CliError::Usage(format!("--topic {name} is none of {}", known.join(", ")))
    })
}

fn status(text: &str) -> Result<Option<Status>, CliError> {
    if text == ALL {
        return Ok(None);
    }
    let usage = || {
        let names = Status::ALL.map(Status::as_str).join(", ");
        CliError::Usage(format!("--status {text} is none of {names}, {ALL}"))
    };
    Status::parse(text).map(Some).ok_or_else(usage)
}

fn moment(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    if let Ok(time) = Timestamp::parse(text) {
        return Ok(time);
    }
    let ago = humantime::parse_duration(text).map_err(|_| {
        CliError::Usage(format!("{option} {text} is neither RFC 3339 nor how long ago, such as 2h"))
    })?;
    Ok(now.saturating_add_ms(-i64::try_from(ago.as_millis()).unwrap_or(i64::MAX)))
}

/// The letters that a change is about: named one by one, or all that a filter leaves.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches of a command line")]
pub(super) struct WhichArgs {
    /// These letters
    #[arg(value_name = "ID", conflicts_with = "all")]
    ids: Vec<i64>,
    /// All that the filters leave
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: FilterArgs,
    /// At most so many, those that came first
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(i64).range(1..))]
    pub(super) limit: i64,
    /// Only say what would be done
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Who does it, for those who look later
    #[arg(long, env = "USER", default_value = "unknown")]
    pub(super) by: String,
    /// Why, for those who look later
    #[arg(long)]
    pub(super) note: Option<String>,
    /// One line of JSON for each letter, and one at the end
    #[arg(long)]
    pub(super) json: bool,
}

impl WhichArgs {
    /// The filter, and the status that they must have.
    pub(super) fn checked(&self) -> Result<(LetterFilter, Status), CliError> {
        let status = self.filter.one_status()?;
        match (self.ids.is_empty(), self.all) {
            (true, false) => {
                let usage = "name letters by their ids, or say --all, with filters or without";
                Err(CliError::Usage(usage.to_owned()))
            }
            (false, _) if self.filter.narrows() => {
                let usage = "filters go with --all; letters that are named need none";
                Err(CliError::Usage(usage.to_owned()))
            }
            _ => {
                let filter = self.filter.clone().checked()?;
                Ok((LetterFilter { ids: self.ids.clone(), ..filter }, status))
            }
        }
    }

    /// The letters that were named.
    pub(super) fn named(&self) -> &[i64] {
        &self.ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        which: WhichArgs,
    }

    fn which(args: &[&str]) -> Result<(LetterFilter, Status), CliError> {
        Cli::parse_from(std::iter::once(&"test").chain(args)).which.checked()
    }

    #[test]
    fn topics_go_by_either_name() {
        let (filter, status) =
            which(&["--all", "--topic=task-events", "--topic=reminders-dlq"]).unwrap();
        assert_eq!(filter.topics, ["task-events-dlq", "reminders-dlq"]);
        assert_eq!((filter.status, status), (Some(Status::Open), Status::Open));
        assert!(which(&["--all", "--topic=tasks"]).unwrap_err().is_usage());
    }

    #[test]
    fn times_are_said_or_counted_back() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let read = |text| moment("--since", text, now).map(Timestamp::as_millis);
        assert_eq!(read("2h").unwrap(), 1_790_000_000_000 - 7_200_000);
        assert_eq!(read("2026-09-21T14:13:20Z").unwrap(), 1_790_000_000_000);
        assert!(read("yesterday").unwrap_err().is_usage());
    }

    #[test]
    fn what_is_meant_must_be_said_without_doubt() {
        assert_eq!(which(&["7", "8"]).unwrap().0.ids, [7, 8]);
        for doubtful in
            [&[][..], &["7", "--task=milk"], &["--all", "--status=all"], &["--all", "--status=new"]]
        {
            assert!(which(doubtful).unwrap_err().is_usage(), "{doubtful:?}");
        }
        assert_eq!(which(&["7", "--status=dropped"]).unwrap().1, Status::Dropped);
    }
}
