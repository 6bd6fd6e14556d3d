//! The page of the frontend-sync and the service's console in a real browser, Debian's Chromium, driven by playwright-core. What
//! the user lives through is told in `tests/browser`; here it is run, and parts are killed when asked.
//!
//! The pictures of the documentation come from here as well: `PICTURES=docs/images` renews them.

use crate::suite::{Suite, disruptive, gentle};
use reminder_contract::names::{ACTOR_TYPE, APP_ID, STATE_KEY, STATE_TABLE};
use reminder_stack::options::workspace_root;
use reminder_stack::{Member, Part, Signal};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::OnceCell;

/// For the package manager, and for npm.
const INSTALL_DEADLINE: Duration = Duration::from_secs(600);

/// Where pictures go, from the root of the workspace.
const PICTURES_VARIABLE: &str = "PICTURES";
const PICTURES_DEFAULT: &str = "target/browser";

/// Names an executable to use instead of the one that is on the path.
const CHROMIUM_VARIABLE: &str = "CHROMIUM";

/// Where its executable is, once for all tests.
static CHROMIUM: OnceCell<PathBuf> = OnceCell::const_new();

#[test]
fn a_reminder_lives_on_the_page_from_its_countdown_to_its_end() {
    run_gentle(&["wholeLife", "keyboardOnly"]);
}

#[test]
fn a_page_misses_nothing_when_its_connection_drops_or_dies_in_silence() {
    run_gentle(&["droppedConnection"]);
}

#[test]
fn a_page_misses_nothing_when_the_service_is_killed() {
    prepare();
    disruptive(async |suite| run(suite, &["restartedService"]).await);
}

#[test]
fn the_page_is_accessible_and_hostile_texts_stay_texts() {
    run_gentle(&["accessible", "hostileTexts"]);
}

#[test]
fn an_operator_finds_a_task_sees_what_happened_and_repairs_one() {
    run_gentle(&["operatorConsole"]);
}

#[test]
fn an_operator_pauses_a_task_and_a_user_and_resumes_them() {
    run_gentle(&["operatorPauses"]);
}

#[test]
fn an_operator_sees_what_the_audit_found_and_forgets_a_task_without_a_state() {
    run_gentle(&["auditFindings"]);
}

#[test]
fn the_console_is_accessible_and_hostile_texts_stay_texts() {
    run_gentle(&["consoleAccessible"]);
}

#[test]
fn pictures_are_taken() {
    run_gentle(&["pictures"]);
}

fn run_gentle(scenarios: &[&str]) {
    prepare();
    gentle(async |suite| run(suite, scenarios).await);
}

/// Sees to it that there is a browser and what drives it. Not within the time of a test: it may have
/// to be fetched first.
fn prepare() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(CHROMIUM.get_or_init(|| async {
        let chromium = chromium().await;
        let npm = ["ci", "--no-audit", "--no-fund"];
        let installed = install("npm", &npm, &folder()).await;
        assert!(installed, "`npm ci` failed in tests/browser: Node.js 20 with npm is needed");
        chromium
    }));
}

fn folder() -> PathBuf {
    workspace_root().join("tests/browser")
}

async fn chromium() -> PathBuf {
    let named = std::env::var_os(CHROMIUM_VARIABLE).map(PathBuf::from);
    let program = named.unwrap_or_else(|| "/usr/bin/chromium".into());
    if program.is_file() {
        return program;
    }
    let hint = "Chromium is missing; install it (on Debian or Ubuntu: `sudo apt-get install \
                chromium`), or name one with CHROMIUM";
    assert!(rustix::process::geteuid().is_root(), "{hint}");
    println!("installing chromium");
    let lock = ["-q", "-y", "-o", "DPkg::Lock::Timeout=120"];
    let package = ["install", "--no-install-recommends", "chromium"];
    // Old lists may still do.
    install("apt-get", &[&lock[..], &["update"]].concat(), &workspace_root()).await;
    let installed = install("apt-get", &[&lock[..], &package].concat(), &workspace_root()).await;
    assert!(installed && program.is_file(), "{hint}");
    program
}

async fn install(program: &str, args: &[&str], folder: &Path) -> bool {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    let ended = tokio::time::timeout(INSTALL_DEADLINE, command.status()).await;
    ended.is_ok_and(|status| status.is_ok_and(|status| status.success()))
}

/// Runs some scenarios, and does to the services what they ask for. The suite has the deadline.
async fn run(suite: &Suite, scenarios: &[&str]) {
    let manifest = suite.stack.manifest().unwrap();
    let listens_on = |member| manifest.member(member).unwrap().app_port.to_string();
    let pictures = std::env::var(PICTURES_VARIABLE).unwrap_or_else(|_| PICTURES_DEFAULT.into());
    let pictures = workspace_root().join(pictures);
    std::fs::create_dir_all(&pictures).unwrap();
    let mut node = Command::new("node")
        .arg("run.mjs")
        .args(scenarios)
        .current_dir(folder())
        .env("FRONT_PORT", listens_on(Member::FrontendSync))
        .env("TODO_PORT", listens_on(Member::TodoApi))
        .env("CONSOLE_PORT", manifest.replica(1).unwrap().app_port.to_string())
        .env("CONSOLE_TOKEN", token(suite))
        .env("PICTURES", pictures)
        .env("CHROMIUM", CHROMIUM.get().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut answers = node.stdin.take().unwrap();
    let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        println!("{line}");
        let service = Part::Member(Member::FrontendSync);
        match line.strip_prefix("ASK ") {
            None => continue,
            Some("kill frontend-sync") => suite.stack.kill(service, Signal::Kill).await.unwrap(),
            Some("start frontend-sync") => {
                suite.stack.start(service).await.unwrap();
                suite.stack.wait_ready(service).await.unwrap();
            }
            Some(other) => match other.split_once(' ') {
                Some(("damage", task)) => damage(suite, task).await,
                Some(("lose", task)) => lose(suite, task).await,
                _ => panic!("nobody knows how to {other}"),
            },
        }
        answers.write_all(b"done\n").await.unwrap();
    }
    let status = node.wait().await.unwrap();
    assert!(status.success(), "scenarios failed: {scenarios:?}");
}

/// What the service asks of direct callers.
fn token(suite: &Suite) -> String {
    let options = suite.stack.manifest().unwrap().options;
    options.app_env.get("REST_TOKEN").expect("the stack has a REST_TOKEN and CONSOLE=act").clone()
}

/// Damages what is stored of a task, past the fence.
async fn damage(suite: &Suite, task: &str) {
    past_the_fence(suite, "UPDATE {table} SET value = 'damaged' WHERE key = $1", task).await;
}

/// Takes away what is stored of a task, past the fence: the index knows it all the same.
async fn lose(suite: &Suite, task: &str) {
    past_the_fence(suite, "DELETE FROM {table} WHERE key = $1", task).await;
}

async fn past_the_fence(suite: &Suite, sql: &str, task: &str) {
    let url = suite.stack.manifest().unwrap().admin_database_url().expect("the stack's own server");
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET session_replication_role = replica").await.unwrap();
    let key = format!("{APP_ID}||{ACTOR_TYPE}||{task}||{STATE_KEY}");
    let sql = sql.replace("{table}", STATE_TABLE);
    assert_eq!(client.execute(&sql, &[&key]).await.unwrap(), 1);
}
