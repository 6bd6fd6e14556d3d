//! `events tail`: shows what is told on the topics as it is told.
//!
//! Through a streaming subscription of a sidecar. Dapr's Kafka component has one consumer group and one
//! handler for each topic: a stream over the component of the service would share its group, take its
//! place as the handler of the topic, and end its subscription when it ends. So a tail has a component of
//! its own, `kafka-tail`, whose group is that of one sidecar and nobody else, and is refused over any
//! component that others are subscribed with.

mod record;

use super::CliError;
use super::doctor::IN_MEMORY;
use super::sidecar::SidecarArgs;
use crate::clock::{Clock, SystemClock};
use crate::dapr::outbound::{Sidecar, SidecarFacts, Silence, Tail};
use crate::ports::CallError;
use clap::{Args, Subcommand};
use record::{Filter, Record};
use reminder_contract::names::{self, REMINDERS, TASK_EVENTS, TASK_UPDATES};
use reminder_domain::Timestamp;
use std::io::Write as _;
use std::time::Duration;
use tokio::sync::mpsc;

/// The topics that can be followed.
const TOPICS: [&str; 3] = [REMINDERS, TASK_UPDATES, TASK_EVENTS];
/// Records between the subscriptions and the output; more wait at the broker.
const WAITING_MAX: usize = 64;

const EXAMPLES: &str = "\
Examples:
  reminder-scheduler events tail                                      everything
  reminder-scheduler events tail --topic reminders --type reminder.triggered
  reminder-scheduler events tail --user ada@example.org --json | jq .event.data
  reminder-scheduler events tail --task milk --limit 1 --wait 5m      until the first event of a task

It runs beside a sidecar of the service. The broker takes some seconds to let a new consumer in; what is
told before that is not shown. One tail at a time can follow a topic through the same sidecar.

Exit codes:
  0  ended by --limit, by --wait without --limit, or by a signal
  1  the sidecar refused, or went away; --wait was over before --limit was reached
  2  the command line cannot be understood";

/// What to do about events.
#[derive(Args, Clone, Debug)]
pub struct EventsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Show events as they are told, until interrupted
    Tail(TailArgs),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
struct TailArgs {
    /// On this topic only; may be repeated
    #[arg(long, value_parser = TOPICS)]
    topic: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// End after so many events that were shown
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// End after this time, such as 5m
    #[arg(long)]
    wait: Option<String>,
    /// Show those as well that came to be before this command began: the sidecar's group goes on where
    /// an earlier tail through it has ended
    #[arg(long)]
    backlog: bool,
    /// One JSON object for each event, on a line
    #[arg(long)]
    json: bool,
    /// Dapr component to subscribe with, in whose consumer group nobody else is
    #[arg(long, default_value = names::TAIL_PUBSUB)]
    component: String,
    /// Dapr component of the broker, that the service uses
    #[arg(long, env = "PUBSUB", default_value = names::PUBSUB)]
    pubsub: String,
    #[command(flatten)]
    sidecar: SidecarArgs,
}

/// Runs it.
///
/// # Errors
/// Says what is wrong with the command, or with the sidecar.
pub async fn run(args: EventsArgs) -> Result<(), CliError> {
    let Action::Tail(args) = args.action;
    let wait = args.wait.as_deref().map(humantime::parse_duration).transpose();
    let wait = wait.map_err(|error| CliError::Usage(format!("--wait is no duration: {error}")))?;
    let wanted = |topic: &&str| args.topic.is_empty() || args.topic.iter().any(|one| one == topic);
    let topics: Vec<&'static str> = TOPICS.into_iter().filter(wanted).collect();
    let sidecar = args.sidecar.clone().connect(args.pubsub.clone())?;
    let facts = sidecar.describe().await.map_err(|silence| {
        let hint = match &silence {
            Silence::Token(_) => "is DAPR_API_TOKEN the sidecar's?",
            Silence::Away(_) => "is DAPR_GRPC_PORT that of a sidecar that runs?",
        };
        CliError::GaveUp(format!("{silence}; {hint}"))
    })?;
    let component = choose(&facts, &args.component, &args.pubsub, &topics)?;
    let mut records = follow(&sidecar, &component, &topics).await?;
    eprintln!("following {} through {component}; the first may take seconds", topics.join(", "));
    let mut show = Show::new(&args);
    tokio::select! {
        ended = show.all(&mut records) => ended,
        () = over(wait) => match args.limit {
            Some(limit) => Err(CliError::GaveUp(format!(
                "{} of {limit} events came within the time of --wait", show.shown
            ))),
            None => Ok(()),
        },
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn over(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

/// The component to subscribe with, if that takes nothing from anybody.
fn choose(
    facts: &SidecarFacts,
    own: &str,
    pubsub: &str,
    topics: &[&str],
) -> Result<String, CliError> {
    let kind = |name: &str| {
        let found = facts.components.iter().find(|one| one.name == name);
        found.map(|one| one.kind.as_str())
    };
    if kind(pubsub) == Some(IN_MEMORY) {
        return Ok(pubsub.to_owned());
    }
    let used = facts.subscriptions.iter().any(|one| one.pubsub == own && !one.streaming);
    if used || own == pubsub {
        return Err(CliError::Refused(format!(
            "the service is subscribed with {own}: a tail would share its consumer group, take its \
             events, and end its subscription; use a component with a consumerGroup of its own, as \
             components/kafka-tail.yaml"
        )));
    }
    if kind(own).is_none() {
        return Err(CliError::Refused(format!(
            "the sidecar has no component {own}: give it components/kafka-tail.yaml, which has a \
             consumerGroup of its own"
        )));
    }
    let taken = |topic: &&&str| {
        facts.subscriptions.iter().any(|one| one.pubsub == own && one.topic == **topic)
    };
    if let Some(topic) = topics.iter().find(taken) {
        return Err(CliError::Refused(format!(
            "somebody follows {topic} through this sidecar already, and a second one would take its \
             place; use the sidecar of another replica, or --topic"
        )));
    }
    Ok(own.to_owned())
}

/// What is told on the topics, one record after the other.
async fn follow(
    sidecar: &Sidecar,
    component: &str,
    topics: &[&'static str],
) -> Result<mpsc::Receiver<Result<Record, CallError>>, CliError> {
    let (sender, records) = mpsc::channel(WAITING_MAX);
    for topic in topics {
        let tail = sidecar.tail(component, topic).await?;
        tokio::spawn(hand_on(topic, tail, sender.clone()));
    }
    Ok(records)
}

async fn hand_on(
    topic: &'static str,
    mut tail: Tail,
    records: mpsc::Sender<Result<Record, CallError>>,
) {
    loop {
        let record = match tail.next().await {
            Ok(Some(bytes)) => Ok(Record::new(topic, bytes)),
            Ok(None) => Err(CallError("the sidecar has ended the subscription".into())),
            Err(error) => Err(error),
        };
        let last = record.is_err();
        if records.send(record).await.is_err() || last {
            return;
        }
    }
}

/// Shows records.
struct Show<'a> {
    args: &'a TailArgs,
    began: Timestamp,
    shown: u64,
    left_out: bool,
}

impl<'a> Show<'a> {
    fn new(args: &'a TailArgs) -> Self {
        Self { args, began: SystemClock.now(), shown: 0, left_out: false }
    }

    async fn all(
        &mut self,
        records: &mut mpsc::Receiver<Result<Record, CallError>>,
    ) -> Result<(), CliError> {
        while let Some(record) = records.recv().await {
            let record = record?;
            if !record.is_wanted(&self.args.filter) || self.is_of_before(&record) {
                continue;
            }
            let text = if self.args.json { record.json() } else { record.line() };
            // Who reads has seen enough.
            if writeln!(std::io::stdout(), "{text}").is_err() {
                return Ok(());
            }
            self.shown += 1;
            if self.args.limit.is_some_and(|limit| self.shown >= limit) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn is_of_before(&mut self, record: &Record) -> bool {
        let before = !self.args.backlog && record.time().is_some_and(|time| time < self.began);
        if before && !self.left_out {
            self.left_out = true;
            eprintln!("events that came to be before now are left out; --backlog shows them");
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dapr::outbound::{Component, Subscription};

    fn facts(components: &[(&str, &str)], subscriptions: &[(&str, &str, bool)]) -> SidecarFacts {
        let component = |(name, kind): &(&str, &str)| Component {
            name: (*name).into(),
            kind: (*kind).into(),
            ..Component::default()
        };
        let subscription = |(pubsub, topic, streaming): &(&str, &str, bool)| Subscription {
            pubsub: (*pubsub).into(),
            topic: (*topic).into(),
            streaming: *streaming,
        };
        SidecarFacts {
            components: components.iter().map(component).collect(),
            subscriptions: subscriptions.iter().map(subscription).collect(),
            ..SidecarFacts::default()
        }
    }

    const KAFKA: (&str, &str) = ("kafka-pubsub", "pubsub.kafka");
    const TAIL: (&str, &str) = ("kafka-tail", "pubsub.kafka");
    const OURS: (&str, &str, bool) = ("kafka-pubsub", "task-events", false);

    #[test]
    fn a_tail_takes_nothing_from_anybody() {
        let both = facts(&[KAFKA, TAIL], &[OURS]);
        assert_eq!(choose(&both, "kafka-tail", "kafka-pubsub", &TOPICS).unwrap(), "kafka-tail");
        let refused = |facts: &SidecarFacts, own: &str| {
            choose(facts, own, "kafka-pubsub", &["reminders"]).unwrap_err().to_string()
        };
        assert!(refused(&both, "kafka-pubsub").contains("end its subscription"));
        assert!(refused(&facts(&[KAFKA], &[OURS]), "kafka-tail").contains("no component"));
        let shared = facts(&[KAFKA, TAIL], &[("kafka-tail", "other", false)]);
        assert!(refused(&shared, "kafka-tail").contains("end its subscription"));
        let taken = facts(&[KAFKA, TAIL], &[("kafka-tail", "reminders", true)]);
        assert!(refused(&taken, "kafka-tail").contains("already"));
    }

    #[test]
    fn in_memory_everybody_gets_everything() {
        let memory = facts(&[("kafka-pubsub", IN_MEMORY)], &[OURS]);
        assert_eq!(choose(&memory, "kafka-tail", "kafka-pubsub", &TOPICS).unwrap(), "kafka-pubsub");
    }
}
