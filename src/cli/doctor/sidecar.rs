//! What the sidecar says, and whether calls through it get to actors and to the broker.

use super::finding::Finding;
use super::service;
use crate::config::SidecarConfig;
use crate::dapr::outbound::{PROBE_TOPIC, Sidecar, SidecarFacts, Silence};
use crate::dead_letters::topics;
use crate::ports::{CallError, ReminderIndex as _};
use reminder_contract::names::{ACTOR_TYPE, APP_ID, TASK_EVENTS, USER_ACTOR_TYPE};

/// The kind of component that hands each record to whoever is subscribed.
pub(in crate::cli) const IN_MEMORY: &str = "pubsub.in-memory";
/// The oldest version of Dapr that will do.
const DAPR_MIN: (u32, u32) = (1, 18);
/// The number of a canary that was never released: to ask for it is to ask whether anybody answers.
const NO_CANARY: u64 = 0;
/// What the sidecar calls a store that can hold actors.
const ACTOR_CAPABILITY: &str = "ACTOR";

/// What cannot be looked at without the sidecar.
const BEHIND: [&str; 7] =
    ["health", "components", "scheduler", "actors", "call", "subscriptions", "broker"];

/// How the sidecar is to be looked at.
pub(super) struct Wanted<'a> {
    pub(super) config: &'a SidecarConfig,
    pub(super) http_port: u16,
    /// Whether the service follows what others publish.
    pub(super) ingest: bool,
    /// Whether the broker may be asked by publishing a probe.
    pub(super) publish: bool,
}

/// Everything about the sidecar.
pub(super) async fn look(wanted: &Wanted<'_>, sidecar: &Sidecar) -> Vec<Finding> {
    let facts = match sidecar.describe().await {
        Ok(facts) => facts,
        Err(silence) => return silent(wanted.config.grpc_port, &silence),
    };
    let (health, scheduler, call, broker) = tokio::join!(
        service::sidecar_health(wanted.http_port),
        sidecar.canary_is_alive(NO_CANARY),
        call(sidecar, &facts),
        broker(wanted, sidecar, &facts)
    );
    vec![
        itself(wanted.config.grpc_port, &facts),
        health,
        components(wanted.config, &facts),
        judged(&facts, scheduler),
        actors(&facts),
        call,
        subscriptions(wanted, &facts),
        broker,
    ]
}

fn silent(port: u16, silence: &Silence) -> Vec<Finding> {
    let advice = match silence {
        Silence::Token(_) => {
            "Give this command the DAPR_API_TOKEN that the sidecar was started with. The service \
             needs the same one."
        }
        Silence::Away(_) => {
            "Start the sidecar, or correct DAPR_GRPC_PORT; doctor runs beside a sidecar of the \
             service, in its pod for instance."
        }
    };
    let first = Finding::fail("sidecar", format!("127.0.0.1:{port}: {silence}"), advice);
    let rest = BEHIND.iter().map(|check| Finding::skipped(check, "needs the sidecar"));
    std::iter::once(first).chain(rest).collect()
}

fn itself(port: u16, facts: &SidecarFacts) -> Finding {
    let SidecarFacts { app_id, version, .. } = facts;
    let seen = format!("{app_id} at 127.0.0.1:{port}, Dapr {version}, takes our token");
    if app_id != APP_ID {
        let advice = format!(
            "Name the port of a sidecar whose app id is {APP_ID}; the app id is part of every \
             state key."
        );
        return Finding::fail("sidecar", seen, advice);
    }
    if parsed(version).is_some_and(|version| version < DAPR_MIN) {
        let (major, minor) = DAPR_MIN;
        let advice = format!("Use Dapr {major}.{minor} or later: what is relied on began there.");
        return Finding::fail("sidecar", seen, advice);
    }
    Finding::ok("sidecar", seen)
}

fn parsed(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn components(config: &SidecarConfig, facts: &SidecarFacts) -> Finding {
    let find = |name: &str| facts.components.iter().find(|one| one.name == name);
    let (mut seen, mut wrong) = (Vec::new(), Vec::new());
    match find(&config.state_store) {
        None => wrong.push(format!("no component {} (STATE_STORE)", config.state_store)),
        Some(store) => {
            seen.push(format!("{} is {} {}", store.name, store.kind, store.version));
            if store.kind != "state.postgresql" || store.version != "v2" {
                wrong.push(format!("{} is not state.postgresql v2", store.name));
            }
            // Dapr tells the capability of the type. Whether this one was chosen shows when an actor
            // is called.
            if !store.capabilities.iter().any(|one| one == ACTOR_CAPABILITY) {
                wrong.push(format!("{} cannot hold actors", store.name));
            }
        }
    }
    match find(&config.pubsub) {
        None => wrong.push(format!("no component {} (PUBSUB)", config.pubsub)),
        Some(broker) if broker.kind.starts_with("pubsub.") => {
            seen.push(format!("{} is {}", broker.name, broker.kind));
        }
        Some(broker) => wrong.push(format!("{} is {}", broker.name, broker.kind)),
    }
    if wrong.is_empty() {
        return Finding::ok("components", seen.join(", "));
    }
    let advice = "Give the sidecar the folder with the components (--resources-path), or correct \
                  STATE_STORE and PUBSUB; a component's scopes must name the app. The sidecar's log \
                  says why one was not loaded.";
    Finding::fail("components", wrong.join(", "), advice)
}

/// The addresses that the sidecar tells stay when a scheduler is gone; whether it answers, a question
/// shows.
fn judged(facts: &SidecarFacts, answered: Result<bool, CallError>) -> Finding {
    let advice = "Start Dapr's scheduler, or correct the sidecar's --scheduler-host-address. Nothing \
                  is lost meanwhile: the audit fires what is overdue, some seconds late.";
    let addresses = facts.schedulers.join(", ");
    match answered {
        Err(error) => Finding::fail("scheduler", error.0, advice),
        Ok(_) if addresses.is_empty() => {
            let seen = "it answers, but the sidecar is connected to none for what is due";
            Finding::fail("scheduler", seen, advice)
        }
        Ok(_) => Finding::ok("scheduler", format!("{addresses} answers")),
    }
}

fn actors(facts: &SidecarFacts) -> Finding {
    let actors = &facts.actors;
    let hosted = |wanted: &str| actors.types.iter().any(|(name, _)| name == wanted);
    let types = actors.types.iter().map(|(name, count)| format!("{count} {name}"));
    let types = types.collect::<Vec<_>>().join(", ");
    let seen = format!("{}; active: {types}", actors.placement);
    let ours = hosted(ACTOR_TYPE) && hosted(USER_ACTOR_TYPE);
    // Dapr keeps "connected" in the words of the connection itself.
    let connected = actors.placement.contains("connected") && !actors.placement.contains("dis");
    match () {
        () if !actors.running => Finding::fail(
            "actors",
            format!("the sidecar runs no actors; {}", actors.placement),
            "Start the sidecar with --placement-host-address, and with a state store that has \
             actorStateStore set.",
        ),
        () if !connected => Finding::fail(
            "actors",
            seen,
            "Start Dapr's placement, or correct the sidecar's --placement-host-address. Calls to \
             actors hang until it is there.",
        ),
        () if !actors.host_ready || !ours => Finding::fail(
            "actors",
            format!("not hosted here: {seen}"),
            "The sidecar hosts actors while /healthz of the service is good: see the check of the \
             service. After a start that takes some seconds.",
        ),
        () => Finding::ok("actors", seen),
    }
}

async fn call(sidecar: &Sidecar, facts: &SidecarFacts) -> Finding {
    if !facts.actors.running {
        return Finding::skipped("call", "needs actors");
    }
    match sidecar.probe_actor().await {
        Ok(answer) if answer.contains("unknown-task") => {
            Finding::ok("call", "an actor was called, and answers from the state store")
        }
        Ok(answer) if answer.contains("unavailable") => Finding::fail(
            "call",
            format!("an actor answers that a part does not: {answer}"),
            "The service is there and cannot read the state store: see the checks of the database.",
        ),
        Ok(answer) => Finding::warn(
            "call",
            format!("an actor answers, but not as expected: {answer}"),
            "Is the service of the same version as this command?",
        ),
        Err(error) if error.0.contains("401") || error.0.contains("APP_API_TOKEN") => {
            Finding::fail(
                "call",
                error.0,
                "The service refuses its sidecar: start both with the same APP_API_TOKEN.",
            )
        }
        Err(error) => Finding::fail(
            "call",
            error.0,
            "No host answers: see the checks of actors and service. With placement away calls hang; \
             with the service away they are refused.",
        ),
    }
}

fn subscriptions(wanted: &Wanted<'_>, facts: &SidecarFacts) -> Finding {
    let there = |topic: &str| {
        let mut all = facts.subscriptions.iter();
        all.any(|one| one.pubsub == wanted.config.pubsub && one.topic == topic && !one.streaming)
    };
    let expected: Vec<&str> =
        topics().map(|topic| topic.name).chain(wanted.ingest.then_some(TASK_EVENTS)).collect();
    let in_memory = facts
        .components
        .iter()
        .any(|one| one.name == wanted.config.pubsub && one.kind == IN_MEMORY);
    let mut streams = facts
        .subscriptions
        .iter()
        .filter(|one| one.streaming && !in_memory && one.pubsub == wanted.config.pubsub);
    if let Some(stream) = streams.next() {
        return Finding::fail(
            "subscriptions",
            format!("a client streams {} through {}", stream.topic, stream.pubsub),
            "It gets what is meant for the service, and takes the subscription with it when it ends. End \
             it, restart the sidecar, and give such clients a component like kafka-tail.",
        );
    }
    let missing: Vec<&str> = expected.iter().copied().filter(|topic| !there(topic)).collect();
    if missing.is_empty() {
        return Finding::ok("subscriptions", expected.join(", "));
    }
    Finding::fail(
        "subscriptions",
        format!("not subscribed to {}", missing.join(", ")),
        "The sidecar asks the service for them when it starts: restart the sidecar while the service \
         runs. Nothing is lost; the offsets of the group stand where they were.",
    )
}

async fn broker(wanted: &Wanted<'_>, sidecar: &Sidecar, facts: &SidecarFacts) -> Finding {
    if !wanted.publish {
        return Finding::skipped("broker", "not asked, by --no-publish");
    }
    if !facts.components.iter().any(|one| one.name == wanted.config.pubsub) {
        return Finding::skipped("broker", "needs its component");
    }
    match sidecar.probe_broker().await {
        Ok(()) => Finding::ok(
            "broker",
            format!("took a probe on {PROBE_TOPIC}; which other topics it has, Dapr does not tell"),
        ),
        Err(error) => Finding::fail(
            "broker",
            error.0,
            "Start the broker, make its topics, or correct its component. Commands are answered \
             meanwhile, and their events follow in order when it is back.",
        ),
    }
}

#[cfg(test)]
mod tests;
