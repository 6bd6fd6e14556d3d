//! A user's token that comes by Dapr's service invocation: from a caller's sidecar to that of the scheduler, and
//! from there to the service, which judges it as one that is shown to it directly.

use super::provider::{ADMIN_SCOPE, Answered, Call, Provider, REST_TOKEN, claims, now};
use crate::process::free_port;
use crate::suite::{Suite, disruptive};
use reminder_contract::names::APP_ID;
use reminder_stack::{Part, probe};
use serde_json::json;
use std::fs::{self, File};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// Until a sidecar calls and is called.
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// A service that has a sidecar and nothing else: it only calls.
struct Caller {
    _daprd: Child,
    /// Where the scheduler is, through both sidecars.
    base: String,
}

impl Caller {
    async fn start(suite: &Suite) -> Self {
        let manifest = suite.manifest();
        let folder = manifest.dir.join("e2e-caller");
        fs::create_dir_all(&folder).unwrap();
        let log = File::create(manifest.dir.join("logs/e2e-caller.log")).unwrap();
        let http_port = free_port();
        let mut daprd = Command::new(&manifest.tools.daprd);
        for (name, value) in [
            ("app-id", "e2e-caller".to_owned()),
            ("dapr-listen-addresses", "127.0.0.1".to_owned()),
            ("dapr-http-port", http_port.to_string()),
            ("dapr-grpc-port", free_port().to_string()),
            ("dapr-internal-grpc-listen-address", "127.0.0.1".to_owned()),
            ("dapr-internal-grpc-port", free_port().to_string()),
            ("metrics-listen-address", "127.0.0.1".to_owned()),
            ("metrics-port", free_port().to_string()),
            ("resources-path", folder.display().to_string()),
            ("config", manifest.dir.join("local-configuration.yaml").display().to_string()),
        ] {
            daprd.arg(format!("--{name}")).arg(value);
        }
        daprd.env("DAPR_HOST_IP", "127.0.0.1").stdin(Stdio::null()).kill_on_drop(true);
        let daprd = daprd.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let path = format!("/v1.0/invoke/{APP_ID}/method");
        let answered = || async {
            let answer = probe::get(http_port, &format!("{path}/readyz"), &[]).await.ok()?;
            (answer.status == 200).then_some(())
        };
        let reached = probe::until(READY_DEADLINE, answered).await;
        assert!(reached.is_some(), "the caller reaches nobody; see logs/e2e-caller.log");
        Self { _daprd: daprd, base: format!("http://127.0.0.1:{http_port}{path}") }
    }
}

/// What of an answer is the service's own.
fn told(answer: &Answered) -> (u16, Option<&str>, Option<&str>, &str) {
    let (challenge, tag) = (answer.header("www-authenticate"), answer.header("etag"));
    (answer.status, challenge, tag, &answer.body)
}

#[test]
fn a_token_that_sidecars_forward_is_judged_as_one_that_is_shown_directly() {
    disruptive(async |suite| {
        let provider = Provider::start().await;
        suite.stack.run_app_as(&suite.program, &provider.takes_tokens()).unwrap();
        suite.stop(Part::App(1)).await;
        suite.start_and_wait(Part::App(1)).await;
        suite.stack.wait_hosting(1).await.unwrap();
        let caller = Caller::start(suite).await;
        let direct = format!("http://127.0.0.1:{}", suite.manifest().replica(1).unwrap().app_port);

        let [ada, eve] = ["ada", "eve"].map(|name| format!("{}@example.org", suite.unique(name)));
        let path = format!("/v1/tasks/{}", suite.unique("invoked"));
        let put = Call::new("PUT", &path).json(&json!({ "title": "t" }));
        let made = put.at(&caller.base, &provider.token(&ada)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let read = Call::new("GET", &path);
        let seen = read.at(&caller.base, &provider.token(&ada)).await;
        assert_eq!(seen.json()["task"]["userId"], *ada, "the caller's user is the token's");
        let taken = put.at(&caller.base, &provider.token(&eve)).await;
        assert_eq!(taken.status, 404, "{taken:?}");
        let for_ada = Call::new("PUT", &path).json(&json!({ "title": "t", "userId": ada }));
        assert_eq!(for_ada.at(&caller.base, &provider.token(&eve)).await.status, 403);

        let with = |name: &str, value: serde_json::Value| {
            let mut all = claims(&ada);
            all[name] = value;
            provider.sign(&all)
        };
        let tokens = [
            provider.token(&ada),
            provider.token(&eve),
            with("scope", json!(ADMIN_SCOPE)),
            with("exp", json!(now() - 600)),
            with("aud", json!("others")),
            REST_TOKEN.to_owned(),
            "nonsense".to_owned(),
            // To come through a sidecar is no right of its own.
            String::new(),
        ];
        let reads = [
            read,
            Call::new("GET", format!("/v1/tasks?user={ada}")),
            Call::new("GET", format!("/v1/users/{ada}/erasure")),
            Call::new("GET", "/console/api/overview"),
        ];
        let mut statuses = Vec::new();
        for token in &tokens {
            for read in &reads {
                let (forwarded, shown) =
                    (read.at(&caller.base, token).await, read.at(&direct, token).await);
                assert_eq!(forwarded.status, shown.status, "{read:?} by {token}: {forwarded:?}");
                // The overview tells what goes on just now.
                if !read.path.starts_with("/console") {
                    assert_eq!(told(&forwarded), told(&shown), "{read:?} by {token}");
                }
                statuses.push(forwarded.status);
            }
        }
        let of = |status| statuses.iter().filter(|found| **found == status).count();
        // ada: the task and the list; she who may see everything and REST_TOKEN: all four each.
        assert_eq!((of(200), of(403), of(404), of(401)), (10, 5, 1, 16), "{statuses:?}");
    });
}
