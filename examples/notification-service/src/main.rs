//! The notification service: consumes the topic `reminders` and tells users what fired.
//!
//! | Module | Holds |
//! |---|---|
//! | [`consume`] | what comes from the broker, and what is acknowledged to it |
//! | [`ledger`] | the durable memory: known facts, deliveries, who is at them |
//! | [`lanes`] | the worker: one lane per task and channel |
//! | [`courier`] | one step of one delivery |
//! | [`channels`] | the ways to a user: console, webhook, e-mail |
//! | [`retry`], [`crowd`] | when something is tried again, and how much at the same time |
//! | [`undeliverable`] | dead letters, and the event `reminder.failed` |
//! | [`message`], [`links`], [`act`] | the words, the links in them, and what these lead to |
//! | [`preferences`], [`api`] | which ways a user wants, and the REST API for it |

mod act;
mod api;
mod channels;
mod config;
mod consume;
mod courier;
mod crowd;
mod lanes;
mod ledger;
mod links;
mod message;
mod preferences;
mod retry;
mod undeliverable;

use crate::act::Actions;
use crate::api::Api;
use crate::channels::email::Mailer;
use crate::channels::webhook::Webhooks;
use crate::config::{Cli, Config};
use crate::consume::Consumer;
use crate::courier::{Courier, Parts};
use crate::crowd::Crowd;
use crate::lanes::Lanes;
use crate::ledger::Ledger;
use crate::links::Links;
use crate::preferences::{Allowed, PreferenceStore};
use anyhow::{Context, Result};
use clap::Parser;
use reminder_contract::names;
use reminder_member::config::MemberConfig;
use reminder_member::server::{self, Routes};
use reminder_member::{Sidecar, Subscriptions, telemetry};
use std::sync::Arc;

/// Where the sidecar delivers the events of the topic.
const REMINDERS_ROUTE: &str = "/events/reminders";

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let member = cli.member.clone().config()?;
    let _spans = telemetry::start(names::NOTIFICATION_APP_ID, &member)?;
    let config = cli.config()?;
    run(member, config).await
}

async fn run(member: MemberConfig, config: Config) -> Result<()> {
    let stop = server::termination()?;
    let sidecar = Sidecar::new(&member.sidecar)?;
    let preferences = PreferenceStore::new(sidecar.clone());
    let ledger = Arc::new(Ledger::new(sidecar.clone(), config.waiting_max, config.claim_lease));
    let links = Links::new(config.link_key, config.public_url, config.link_lifetime)?;
    let allowed =
        Allowed { private_webhooks: config.allow_private_webhooks, email: config.mailer.is_some() };
    let webhooks = Webhooks::new(
        config.webhook_secrets,
        config.allow_private_webhooks,
        config.attempt_deadline,
    );
    let webhooks = Arc::new(webhooks.context("no TLS for webhooks")?);
    let courier = Courier::new(Parts {
        sidecar: sidecar.clone(),
        ledger: Arc::clone(&ledger),
        preferences: preferences.clone(),
        links: links.clone(),
        log_format: member.log_format,
        webhooks: Arc::clone(&webhooks),
        mailer: config.mailer.map(Mailer::new).transpose()?,
        policy: config.policy,
        crowd: Crowd::new(config.concurrent_attempts),
        stop: stop.clone(),
    });
    let lanes = Lanes::new(courier, stop.clone());
    let follower = tokio::spawn({
        let lanes = lanes.clone();
        async move { lanes.follow_lists(config.list_interval).await }
    });

    let consumer = Arc::new(Consumer::new(ledger, preferences.clone(), lanes.clone()));
    let subscriptions = Subscriptions::new(sidecar.clone()).topic(
        names::REMINDERS,
        REMINDERS_ROUTE,
        move |delivered| {
            let consumer = Arc::clone(&consumer);
            async move { consumer.handle(delivered).await }
        },
    );
    let api = api::router(Api { preferences, allowed, webhooks });
    let routes = Routes {
        // Links are for whoever has them. Preferences are for other services, through the sidecar.
        public: act::router(Actions { sidecar: sidecar.clone(), links }),
        sidecar: subscriptions.router().merge(api),
    };
    let served = server::serve(routes, sidecar, &member.server, stop.clone()).await;
    stop.cancel();
    follower.await.context("the lists are not followed any more")?;
    lanes.finish(member.server.shutdown_grace).await;
    Ok(served?)
}
