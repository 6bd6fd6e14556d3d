//! `cargo xtask demo`: a handful of tasks on the real stack, from command to event.

mod judge;
mod mesh;
mod script;
mod timeline;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use clap::Args;
use reminder_contract::names;
use reminder_stack::access::Access;
use reminder_stack::events::{Reader, Record};
use reminder_stack::{AppSource, Manifest, Member, PubSub, Stack};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use self::judge::{Evidence, judge};
use self::script::{Call, Script};
use self::timeline::Timeline;
use crate::api::{Address, Caller};
use crate::ledger;
use crate::session::{Session, is_running};

/// The topics that are read.
const TOPICS: [&str; 3] = [names::REMINDERS, names::TASK_EVENTS, names::TASK_UPDATES];

/// The topics on which every change of a task is told.
const VERSIONED: [&str; 2] = [names::TASK_EVENTS, names::TASK_UPDATES];

/// After the last moment of the script, how long what must come may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Records between the reader and the timeline.
const BUFFER: usize = 1024;

#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask demo                  bring the stack up, show, and stop it again
  cargo xtask demo --all            one task through every service of the mesh
  cargo xtask demo --keep           leave the stack running

A stack that runs already is used as it is and left running. Exits with 0 only if exactly the right
reminders fired, each of them once.")]
pub(crate) struct Options {
    #[command(flatten)]
    instance: crate::Instance,

    /// With the services of `examples/`: one task through all of them
    #[arg(long)]
    all: bool,

    /// Leave the stack running afterwards
    #[arg(long)]
    keep: bool,
}

pub(crate) async fn run(options: Options) -> Result<bool> {
    let name = options.instance.instance.clone();
    let mut stack_options = stack_options(&name)?;
    if options.all {
        for member in Member::ALL {
            let member = stack_options.members.entry(member).or_default();
            // The timeline reads what they write.
            member.env.insert("LOG_FORMAT".to_owned(), "json".to_owned());
        }
    }
    let session = Session::up(stack_options).await?;
    let outcome = if options.all {
        session.run(mesh::show(session.stack())).await
    } else {
        session.run(show(session.stack())).await
    };
    if !session.is_ours() {
        println!("The stack `{name}` was running already and is left running.");
    } else if options.keep {
        println!(
            "The stack `{name}` keeps running; `cargo xtask down --instance {name}` stops it."
        );
    } else {
        session.stack().down().await?;
        println!("The stack `{name}` is stopped again; `--keep` would have left it running.");
    }
    outcome
}

/// As the instance was brought up last, as far as the demo can work with it.
fn stack_options(name: &str) -> Result<reminder_stack::Options> {
    let fresh = reminder_stack::Options::instance(name);
    let Ok(manifest) = Manifest::read(&fresh.dir()) else { return Ok(fresh) };
    let mut last = manifest.options;
    let usable =
        last.pubsub == PubSub::Kafka && !matches!(last.app, AppSource::None | AppSource::External);
    if !usable {
        ensure!(
            !is_running(&last),
            "the stack `{name}` runs without Kafka or without the service, and the demo needs both: \
             stop it with `cargo xtask down --instance {name}`, or take another `--instance`"
        );
        last.pubsub = fresh.pubsub;
        last.app = fresh.app;
    }
    Ok(last)
}

/// Runs the demo on a stack that is up.
pub(crate) async fn show(stack: &Stack) -> Result<bool> {
    let manifest = stack.manifest()?;
    let broker = manifest.kafka_access()?.context("the demo needs a stack with Kafka")?;
    let mut caller = Address::of(&manifest)?.connect().await?;
    let mut events = Events::read(broker).await?;

    let script = Script::new(Utc::now());
    let timeline = Timeline::new(&script);
    timeline.header();
    let mut evidence = Evidence::default();
    let began = Instant::now();
    for call in &script.calls {
        events.show_until(began + call.at, &script, &timeline, &mut evidence).await?;
        make(&mut caller, call, &script, &timeline, &mut evidence).await?;
    }

    let last = script.firings.iter().map(|firing| firing.due).max().unwrap_or(script.start);
    let last = (last - script.start).to_std().unwrap_or_default();
    let deadline = began + last + PATIENCE;
    while !evidence.is_complete(&script, &VERSIONED) && Instant::now() < deadline {
        events.show_one(deadline, &script, &timeline, &mut evidence).await?;
    }
    // A silence is read off the versions as well: firing would have raised them.
    for call in &script.closing {
        make(&mut caller, call, &script, &timeline, &mut evidence).await?;
    }
    let verdict = judge(&script, &evidence);
    timeline.summary(&verdict);
    Ok(verdict.faults.is_empty())
}

async fn make(
    caller: &mut Caller,
    call: &Call,
    script: &Script,
    timeline: &Timeline<'_>,
    evidence: &mut Evidence,
) -> Result<()> {
    let sent = Utc::now();
    let reply = caller.call(&script.id(call.task), call.method, &call.body).await?;
    timeline.call(sent, call, &reply);
    evidence.answer(call, &reply.outcome);
    Ok(())
}

/// The records of all topics, each with the moment of its arrival.
struct Events(mpsc::Receiver<(DateTime<Utc>, Record)>);

impl Events {
    /// Reads what is written from now on.
    async fn read(broker: Access) -> Result<Self> {
        let mut tail = Reader::connect(broker).await?.live(&TOPICS).await?;
        let (sender, receiver) = mpsc::channel(BUFFER);
        // Stamped by a task of its own, for the timeline may be waiting for an answer.
        tokio::spawn(async move {
            while let Ok(record) = tail.next().await {
                if record.is_canary() {
                    continue;
                }
                if sender.send((Utc::now(), record)).await.is_err() {
                    break;
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Shows events until a moment.
    async fn show_until(
        &mut self,
        moment: Instant,
        script: &Script,
        timeline: &Timeline<'_>,
        evidence: &mut Evidence,
    ) -> Result<()> {
        // What came during the last call is shown even when that has outlasted the moment.
        while !self.0.is_empty() || Instant::now() < moment {
            self.show_one(moment, script, timeline, evidence).await?;
        }
        Ok(())
    }

    /// Shows the next event, if it comes before a moment.
    async fn show_one(
        &mut self,
        moment: Instant,
        script: &Script,
        timeline: &Timeline<'_>,
        evidence: &mut Evidence,
    ) -> Result<()> {
        let Ok(next) = timeout_at(moment, self.0.recv()).await else { return Ok(()) };
        let Some((arrived, record)) = next else { bail!("reading from Kafka has ended") };
        let event = ledger::read(&record)?;
        // Others may use the same stack.
        let Some(task) = script.short(ledger::task_of(&event)) else { return Ok(()) };
        let noted = evidence.event(task, &record, &event, arrived);
        timeline.event(arrived, task, &record, &event, noted);
        Ok(())
    }
}
