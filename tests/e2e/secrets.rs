//! No secret is told: not in a log at the level that says most, not in an answer, a metric, a span, nor in
//! what commands print. Every secret that the service can be given begins with the same words.

use crate::api::in_ms;
use crate::identity::provider::{Call, Provider, claims, now};
use crate::operations::{rewrite, succeeds};
use crate::process::Service;
use crate::suite::{EVENT_DEADLINE, Suite, gentle};
use reminder_stack::spans::Collector;
use reminder_stack::{Part, logs, probe};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What every secret here begins with.
const WORDS: &str = "tell-nobody";

/// The secrets of the service, each another one. The last it does not know: the broker is the sidecar's, and its
/// password (`tests/kafka/security.rs`) may at most lie about in the environment.
const SECRETS: [(&str, &str); 4] = [
    ("APP_API_TOKEN", "tell-nobody-app"),
    ("DAPR_API_TOKEN", "tell-nobody-dapr"),
    ("REST_TOKEN", "tell-nobody-rest"),
    ("KAFKA_SASL_PASSWORD", "tell-nobody-kafka"),
];
/// After this version there is none. Who adds one to it panics, for the stack runs a build that looks for
/// overflows; only past the fence a state can come to it.
const LAST_VERSION: &str = "\"version\":18446744073709551615";
/// Time enough to bring it there before it is due.
const PANICS_IN_MS: i64 = 4_000;

/// Everything that was told, by where.
#[derive(Default)]
struct Told(BTreeMap<String, String>);

impl Told {
    fn add(&mut self, place: &str, text: &str) {
        self.0.entry(place.to_owned()).or_default().push_str(text);
    }

    fn assert_silent(&self, others: &[String]) {
        let secrets: Vec<&str> = others.iter().map(String::as_str).chain([WORDS]).collect();
        for (place, text) in &self.0 {
            assert!(!text.is_empty(), "{place} says nothing, so nothing was looked at");
            for secret in &secrets {
                let found = text.lines().find(|line| line.contains(secret));
                assert!(found.is_none(), "{place} tells {secret}: {found:?}");
            }
        }
    }
}

#[test]
fn no_secret_is_told() {
    gentle(async |suite| {
        let (mut told, collector) = (Told::default(), Collector::start().await.unwrap());
        let provider = Provider::start().await;
        let (url, password) = (suite.manifest().database_url(), suite.manifest().postgres.password);
        let endpoint = collector.endpoint();
        let extra = [
            &SECRETS[..],
            &[
                ("DATABASE_URL", &*url),
                ("RUST_LOG", "trace"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
            ],
        ];
        let settings = provider.settings(suite, &extra.concat());
        let file = std::env::temp_dir().join(suite.unique("secrets"));
        let service = Service::writing_to(suite, &settings, &file);
        service.becomes_ready().await;
        let mut others = call(suite, &provider, &service, &mut told).await;
        told.add("metrics", &service.get("/metrics", &[]).await.unwrap().body);
        told.add("readiness", &service.get("/readyz", &[]).await.unwrap().body);
        service.stops().await;
        told.add("log", &std::fs::read_to_string(&file).unwrap());
        std::fs::remove_file(&file).unwrap();
        told.add("spans", &format!("{:?}", collector.spans()));
        assert!(told.0["log"].contains("TRACE"), "the log says most");
        assert!(told.0["spans"].contains("task.id"), "spans were exported: {}", told.0["spans"]);
        for arguments in [
            &["config", "show"][..],
            &["config", "show", "--json"],
            &["doctor"],
            &["firing", "status"],
        ] {
            let ended = Service::command(suite, arguments, &settings).ended().await;
            told.add(&arguments.join(" "), &ended.output);
        }
        begin_in_vain(suite, &settings, &mut told).await;
        others.push(password);
        told.assert_silent(&others);
    });
}

#[test]
fn a_turn_that_panics_tells_nothing_of_its_task() {
    gentle(async |suite| {
        let task = suite.task("panics").due(in_ms(PANICS_IN_MS));
        let task =
            task.with("title", "tell-nobody-title").with("userId", "tell-nobody-user@example.org");
        task.put().await;
        rewrite(suite, &task, r#""version":\d+"#, LAST_VERSION).await;
        // The wake goes by what this process knows, so it must have seen that.
        task.call("get", &json!({})).await;
        let (told, id) = (&mut Told::default(), task.id.as_str());
        let parked = || async {
            let list = succeeds(suite, &["repair", "list"]).await;
            list.contains(id).then_some(list)
        };
        let parked = probe::until(EVENT_DEADLINE, parked).await.expect("the wake panicked");
        assert!(parked.contains("panicked"), "{parked}");
        let answer = task.call("complete", &json!({})).await;
        assert_eq!(answer.body["status"], 503, "a command panics as well: {answer:?}");
        told.add("the answer", &answer.body.to_string());
        told.add("repair", &succeeds(suite, &["repair", id, "--forget"]).await);
        let log = std::fs::read_to_string(logs::path(suite.stack.dir(), Part::App(1))).unwrap();
        let panics = log.lines().filter(|line| line.contains("a panic")).count();
        assert!(panics >= 2 && log.contains("decide/"), "{panics} panics, with their places");
        told.add("the log", &log);
        told.assert_silent(&[]);
    });
}

/// Calls rightly and wrongly; answers with the signatures of the tokens, which nobody is to be told either.
async fn call(
    suite: &Suite,
    provider: &Provider,
    service: &Service,
    told: &mut Told,
) -> Vec<String> {
    let mut expired = claims("ada@example.org");
    expired["exp"] = json!(now() - 600);
    let tokens = [
        provider.token("ada@example.org"),
        provider.sign(&expired),
        SECRETS[2].1.to_owned(),
        "tell-nobody-wrong".to_owned(),
        "tell-nobody.wrong.token".to_owned(),
    ];
    let path = format!("/v1/tasks/{}", suite.unique("secret"));
    for token in &tokens {
        for (headers, body) in [
            (&[][..], json!({ "title": "t", "userId": "ada@example.org" }).to_string()),
            (&[("dapr-api-token", SECRETS[0].1)], "{".to_owned()),
            (&[("dapr-api-token", "tell-nobody-wrong")], "[1,2".to_owned()),
        ] {
            let call = Call::new("PUT", &path).typed("application/json", body);
            let call = headers.iter().fold(call, |call, (name, value)| call.with(name, value));
            told.add("answers", &format!("{:?}", call.by(service, token).await));
        }
        let read = Call::new("GET", "/console/api/overview");
        told.add("answers", &format!("{:?}", read.by(service, token).await));
        // As the sidecar calls, with its token and with a wrong one.
        for shown in [SECRETS[0].1, token] {
            let get = Call::new("PUT", "/actors/TaskActor/nobody/method/get")
                .with("dapr-api-token", shown);
            told.add("answers", &format!("{:?}", get.by(service, "").await));
        }
    }
    let signature =
        |token: &String| token.rsplit_once('.').map(|(_, signature)| signature.to_owned());
    tokens[..2].iter().filter_map(signature).collect()
}

/// Starts that come to nothing: a database that refuses, settings that cannot be used.
async fn begin_in_vain(suite: &Suite, settings: &BTreeMap<String, String>, told: &mut Told) {
    let (_, rest) = settings["DATABASE_URL"].split_once('@').unwrap();
    let refused = format!("postgres://reminders:tell-nobody-refused@{rest}");
    for (place, name, value) in [
        ("a refused password", "DATABASE_URL", refused),
        ("a URL that is none", "DATABASE_URL", "mysql://u:tell-nobody-url@h/d".into()),
        (
            "another URL that is none",
            "DATABASE_URL",
            "postgres://u:tell-nobody-url@h:port/d".into(),
        ),
        ("a token that no header holds", "REST_TOKEN", "tell-nobody two words".into()),
        ("keys with a password", "JWT_JWKS", "https://u:tell-nobody-keys@h/k".into()),
    ] {
        let mut wrong = settings.clone();
        wrong.insert(name.to_owned(), value);
        wrong.insert("RUST_LOG".into(), "info".into());
        let ended = Service::start(suite, &wrong).ended().await;
        assert_ne!(ended.code, Some(0), "{place}: {ended:?}");
        let mut all = String::new();
        write!(all, "{ended:?}").unwrap();
        told.add(place, &all);
    }
}
