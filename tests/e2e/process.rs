//! The binary started directly, where the stack would hide what is asked: its exit code, its
//! output, its life without the parts it needs.

use crate::suite::Suite;
use reminder_stack::ports;
use reminder_stack::probe::{self, Answer};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Until it shows what is waited for, or ends.
const PROCESS_DEADLINE: Duration = Duration::from_secs(30);

/// A service of the test's own; killed when dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) port: u16,
    /// What it has logged, as far as it was read.
    logged: String,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
}

impl Service {
    /// Starts the stack's own executable with nothing in its environment but this.
    pub(crate) fn start(suite: &Suite, environment: &BTreeMap<String, String>) -> Self {
        Self::command(suite, &["serve"], environment)
    }

    /// The same with another command.
    pub(crate) fn command(
        suite: &Suite,
        arguments: &[&str],
        environment: &BTreeMap<String, String>,
    ) -> Self {
        let program = suite.manifest().tools.app.expect("the stack runs the service");
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(environment).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let port = environment.get("APP_PORT").and_then(|port| port.parse().ok()).unwrap_or(0);
        Self { child: command.spawn().unwrap(), port, logged: String::new() }
    }

    /// Starts it with all that it says going into a file, for one that says so much that a pipe would be full.
    pub(crate) fn writing_to(
        suite: &Suite,
        environment: &BTreeMap<String, String>,
        file: &Path,
    ) -> Self {
        let program = suite.manifest().tools.app.expect("the stack runs the service");
        let file = std::fs::File::create(file).unwrap();
        let mut command = Command::new(program);
        command.arg("serve").env_clear().envs(environment).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let port = environment["APP_PORT"].parse().unwrap();
        Self { child: command.spawn().unwrap(), port, logged: String::new() }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stops(mut self) {
        self.terminate();
        let ended = timeout(PROCESS_DEADLINE, self.child.wait()).await;
        assert!(ended.expect("it must end").unwrap().success());
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Option<Answer> {
        probe::get(self.port, path, headers).await.ok()
    }

    /// Waits until `/readyz` says 503 and names that part with a reason that holds this text.
    pub(crate) async fn waits_for(&mut self, part: &str, reason: &str) {
        let seen = async |service: &Self| {
            let answer = service.get("/readyz", &[]).await?;
            let body: Value = serde_json::from_str(&answer.body).ok()?;
            let said = body["waitingFor"][part].as_str().unwrap_or_default();
            (answer.status == 503 && said.contains(reason)).then_some(())
        };
        let service = &*self;
        let found = probe::until(PROCESS_DEADLINE, || seen(service)).await;
        assert!(found.is_some(), "/readyz never said that it waits for {part}: {reason}");
        assert!(self.child.try_wait().unwrap().is_none(), "it must stay up");
        let alive = self.get("/livez", &[]).await.unwrap();
        assert_eq!(alive.status, 200, "it is alive all the while");
    }

    pub(crate) async fn becomes_ready(&self) {
        let ready = || async {
            let answer = self.get("/readyz", &[]).await?;
            (answer.status == 200).then_some(())
        };
        assert!(probe::until(PROCESS_DEADLINE, ready).await.is_some(), "it never became ready");
    }

    pub(crate) fn terminate(&self) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        kill_process(pid.expect("it runs"), Signal::TERM).unwrap();
    }

    /// Waits until its log has this text.
    pub(crate) async fn logs(&mut self, text: &str) {
        let log = self.child.stderr.as_mut().unwrap();
        let logged = &mut self.logged;
        let read = async {
            let mut buffer = [0; 4096];
            while !logged.contains(text) {
                let read = log.read(&mut buffer).await.unwrap();
                assert_ne!(read, 0, "it ended without {text:?}:\n{logged}");
                logged.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        };
        let found = timeout(PROCESS_DEADLINE, read).await.is_ok();
        assert!(found, "{text:?} is not in the log:\n{}", self.logged);
    }

    /// Waits until `/readyz` answers so, and its body holds this at a pointer.
    pub(crate) async fn readiness_is(&self, status: u16, pointer: &str, word: &str) -> Value {
        let seen = || async {
            let answer = self.get("/readyz", &[]).await?;
            let body: Value = serde_json::from_str(&answer.body).ok()?;
            (answer.status == status && body.pointer(pointer)? == word).then_some(body)
        };
        let found = probe::until(PROCESS_DEADLINE, seen).await;
        found.unwrap_or_else(|| panic!("/readyz never says {status} and {pointer}: {word}"))
    }

    /// Waits until it has ended, with all it said.
    pub(crate) async fn ended(self) -> Ended {
        self.ended_within(PROCESS_DEADLINE).await
    }

    /// The same, for one that takes longer.
    pub(crate) async fn ended_within(mut self, limit: Duration) -> Ended {
        let (mut out, mut err) =
            (self.child.stdout.take().unwrap(), self.child.stderr.take().unwrap());
        let (mut first, mut second) = (String::new(), std::mem::take(&mut self.logged));
        let all = async {
            let _ = tokio::join!(out.read_to_string(&mut first), err.read_to_string(&mut second));
            self.child.wait().await.unwrap()
        };
        let status = timeout(limit, all).await.expect("it must end by itself");
        Ended { code: status.code(), output: first + &second }
    }
}

/// What a service needs at least, on a port of its own.
pub(crate) fn environment(extra: &[(&str, &str)]) -> BTreeMap<String, String> {
    let port = free_port().to_string();
    let mut all: BTreeMap<String, String> = [("APP_PORT", &*port), ("RUST_LOG", "info")]
        .into_iter()
        .chain(extra.iter().copied())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    all.insert("NO_COLOR".to_owned(), "1".to_owned());
    all
}

/// A port that no other part of this run is given, even before it is listened on.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let mut given = GIVEN.lock().unwrap();
    let port = ports::pick(1, &given).unwrap()[0];
    given.push(port);
    port
}
