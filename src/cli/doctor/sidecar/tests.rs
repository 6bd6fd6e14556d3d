//! Verdicts on what sidecars say.

use super::super::finding::Status;
use super::*;
use crate::dapr::outbound::{ActorFacts, Component, Subscription};

/// Makes one thing wrong.
type Spoil = fn(&mut SidecarFacts);

fn config() -> SidecarConfig {
    SidecarConfig {
        grpc_port: 50001,
        token: None,
        state_store: "postgresql-statestore".into(),
        pubsub: "kafka-pubsub".into(),
    }
}

fn component(name: &str, kind: &str, version: &str) -> Component {
    let capabilities = vec!["ETAG".to_owned(), ACTOR_CAPABILITY.to_owned()];
    Component { name: name.into(), kind: kind.into(), version: version.into(), capabilities }
}

fn healthy() -> SidecarFacts {
    let subscription = |topic: &str| Subscription {
        pubsub: "kafka-pubsub".into(),
        topic: topic.into(),
        streaming: false,
    };
    SidecarFacts {
        app_id: APP_ID.into(),
        version: "1.18.1".into(),
        components: vec![
            component("postgresql-statestore", "state.postgresql", "v2"),
            component("kafka-pubsub", "pubsub.kafka", "v1"),
        ],
        subscriptions: topics()
            .map(|topic| topic.name)
            .chain([TASK_EVENTS])
            .map(subscription)
            .collect(),
        actors: ActorFacts {
            running: true,
            host_ready: true,
            placement: "placement: connected".into(),
            types: vec![(ACTOR_TYPE.into(), 2), (USER_ACTOR_TYPE.into(), 0)],
        },
        schedulers: vec!["127.0.0.1:50006".into()],
    }
}

fn judged(facts: &SidecarFacts) -> Vec<(&'static str, Status)> {
    let config = config();
    let wanted = Wanted { config: &config, http_port: 3500, ingest: true, publish: true };
    let all = [
        itself(50001, facts),
        components(&config, facts),
        super::judged(facts, Ok(false)),
        actors(facts),
        subscriptions(&wanted, facts),
    ];
    all.iter().map(|found| (found.check, found.status)).collect()
}

#[test]
fn a_healthy_sidecar_is_found_so() {
    assert!(judged(&healthy()).iter().all(|(_, status)| *status == Status::Ok));
}

#[test]
fn each_thing_that_is_wrong_is_found_at_its_place() {
    let spoiled: [(&str, Spoil); 11] = [
        ("sidecar", |facts| facts.app_id = "todo-api".into()),
        ("sidecar", |facts| facts.version = "1.17.9".into()),
        ("components", |facts| drop(facts.components.remove(0))),
        ("components", |facts| drop(facts.components.remove(1))),
        ("components", |facts| facts.components[0].version = "v1".into()),
        ("components", |facts| facts.components[0].capabilities.clear()),
        ("scheduler", |facts| facts.schedulers.clear()),
        ("actors", |facts| facts.actors.host_ready = false),
        ("actors", |facts| facts.actors.placement = "placement: disconnected".into()),
        ("subscriptions", |facts| drop(facts.subscriptions.remove(0))),
        // A client that streams has taken the place of the service.
        ("subscriptions", |facts| facts.subscriptions[0].streaming = true),
    ];
    for (index, (check, spoil)) in spoiled.into_iter().enumerate() {
        let mut facts = healthy();
        spoil(&mut facts);
        for (name, status) in judged(&facts) {
            let expected = if name == check { Status::Fail } else { Status::Ok };
            assert_eq!(status, expected, "{index}: {name}");
        }
    }
}

#[test]
fn a_scheduler_that_does_not_answer_is_away_whatever_addresses_are_known() {
    let refused = super::judged(&healthy(), Err(CallError("Unavailable".into())));
    assert_eq!(refused.status, Status::Fail);
}

#[test]
fn what_needs_a_silent_sidecar_is_skipped() {
    let away = Silence::Away(CallError("Unavailable: tcp connect error".into()));
    let found = silent(50001, &away);
    assert_eq!(found.len(), BEHIND.len() + 1);
    assert!(found[0].advice.as_deref().unwrap().contains("DAPR_GRPC_PORT"));
    assert!(found[1..].iter().all(|one| one.status == Status::Skipped));
    let token = Silence::Token(CallError("Unauthenticated: no".into()));
    assert!(silent(1, &token)[0].advice.as_deref().unwrap().contains("DAPR_API_TOKEN"));
}

#[test]
fn versions_are_compared_by_their_numbers() {
    assert_eq!(parsed("1.18.1"), Some((1, 18)));
    assert_eq!(parsed("v1.9.0-rc.1"), Some((1, 9)));
    assert!(parsed("1.9.0").unwrap() < DAPR_MIN && parsed("2.0").unwrap() > DAPR_MIN);
    assert_eq!(parsed("edge"), None);
}
