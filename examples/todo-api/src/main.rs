//! The todo-api: it owns the tasks, keeps them in Dapr's state store, and tells of every change on
//! `task-events`.
//!
//! ```text
//! api ─► change (pure) ─► store ─► one transaction: task + events, user's list, what to publish
//!                           ▲                                  │
//! events (the scheduler's) ─┘                     outbox ◄─────┘ publishes, then takes them off
//! ```

mod answer;
mod api;
mod body;
mod change;
mod document;
mod events;
mod openapi;
mod outbox;
mod store;
#[cfg(test)]
mod tests;

use anyhow::Result;
use clap::Parser;
use reminder_contract::names::{TASK_EVENTS, TODO_API_APP_ID};
use reminder_member::server::{self, Routes};
use reminder_member::{MemberArgs, Sidecar, Subscriptions, telemetry};

/// The todo-api of the example mesh
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    member: MemberArgs,
}

#[tokio::main]
async fn main() -> Result<()> {
    let config = Cli::parse().member.config()?;
    let _spans = telemetry::start(TODO_API_APP_ID, &config)?;
    let stop = server::termination()?;
    let sidecar = Sidecar::new(&config.sidecar)?;
    let store = store::Store::new(sidecar.clone());
    let outbox = outbox::Outbox::new(store.clone(), sidecar.clone());
    let sweep = tokio::spawn(outbox.clone().sweep());
    let following = store.clone();
    let subscriptions = Subscriptions::new(sidecar.clone()).topic(
        TASK_EVENTS,
        "/events/task-events",
        move |delivered| events::handle(following.clone(), delivered),
    );
    let api = api::Api { store, outbox, sidecar: sidecar.clone() };
    let routes = Routes { public: api::routes(api), sidecar: subscriptions.router() };
    // What is not published by the end is published by the next process, or by another replica.
    let served = server::serve(routes, sidecar, &config.server, stop).await;
    sweep.abort();
    Ok(served?)
}
