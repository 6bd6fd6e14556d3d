//! Verdicts on what databases tell.

use super::super::finding::Status;
use super::*;
use crate::config::ServeArgs;
use clap::Parser;

const NOW_MS: i64 = 1_800_000_000_000;
const HORIZON_MS: i64 = 40_000;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
}

fn config(more: &[&str]) -> Config {
    let horizon = more.iter().all(|one| !one.starts_with("--arm-horizon"));
    let horizon = horizon.then_some("--arm-horizon=40s");
    let args = ["test", "--database-url=postgres://localhost/db"].into_iter().chain(horizon);
    Cli::parse_from(args.chain(more.iter().copied())).serve.validate().unwrap()
}

fn facts() -> DatabaseFacts {
    DatabaseFacts {
        version: "15".into(),
        clock_ahead_ms: 0,
        clock_error_ms: 0,
        schema: Some("public".into()),
        missing: Vec::new(),
        changed: Vec::new(),
        newer: Vec::new(),
        triggers_gone: Vec::new(),
    }
}

fn audit(held_for_ms: i64, swept_until_ms: i64) -> AuditFacts {
    let swept_until = Timestamp::from_millis(swept_until_ms);
    AuditFacts { holder: "7".into(), held_for_ms, swept_until, canary: 1, alive: 1 }
}

#[test]
fn the_schema_is_that_of_this_binary() {
    assert_eq!(schema(&facts()).status, Status::Ok);
    assert!(schema(&facts()).seen.contains(DatabaseFacts::latest()));
    let missing = DatabaseFacts { missing: vec!["0007_dead_letters"], ..facts() };
    assert_eq!(schema(&missing).status, Status::Fail);
    let changed = DatabaseFacts { changed: vec!["0001_fence"], ..facts() };
    assert_eq!(schema(&changed).status, Status::Fail);
    let newer = DatabaseFacts { newer: vec!["0099_later".into()], ..facts() };
    assert_eq!(schema(&newer).status, Status::Warn);
    let none = DatabaseFacts { schema: None, ..facts() };
    assert_eq!((schema(&none).status, fence(&none).status), (Status::Fail, Status::Skipped));
}

#[test]
fn a_trigger_that_is_gone_fails() {
    assert_eq!(fence(&facts()).status, Status::Ok);
    let gone = DatabaseFacts { triggers_gone: vec!["task_fence_update"], ..facts() };
    assert!(fence(&gone).seen.contains("task_fence_update"));
    assert_eq!(fence(&gone).status, Status::Fail);
}

#[test]
fn the_lease_tells_whether_anybody_audits() {
    assert_eq!(lease(Some(&audit(4_000, 0))).status, Status::Ok);
    let lost = lease(Some(&audit(-45_000, 0)));
    assert_eq!(lost.status, Status::Fail);
    assert!(lost.seen.contains("1m ago"), "{}", lost.seen);
    assert_eq!(lease(None).status, Status::Fail);
}

#[test]
fn the_age_of_the_last_round_follows_from_the_sweep() {
    let now = Timestamp::from_millis(NOW_MS);
    let status = |swept_until_ms, more: &[&str]| {
        rounds(&config(more), Some(&audit(1, swept_until_ms)), now).status
    };
    assert_eq!(status(NOW_MS + HORIZON_MS - 8_000, &[]), Status::Ok);
    assert_eq!(status(NOW_MS + HORIZON_MS + 1_000, &[]), Status::Ok, "clocks differ a little");
    assert_eq!(status(NOW_MS + HORIZON_MS - 61_000, &[]), Status::Warn);
    assert_eq!(status(NOW_MS + HORIZON_MS - 61_000, &["--audit-interval=1m"]), Status::Ok);
    assert_eq!(status(NOW_MS + 3_600_000, &[]), Status::Warn, "another horizon");
    assert_eq!(status(0, &[]), Status::Warn);
    assert_eq!(status(0, &["--arm-horizon=infinite"]), Status::Skipped);
    assert_eq!(rounds(&config(&[]), None, now).status, Status::Skipped);
}

#[test]
fn what_is_overdue_is_late_or_stuck() {
    let config = config(&[]);
    let status = |found| overdue(found, &config).status;
    assert_eq!(status(None), Status::Ok);
    assert_eq!(status(Some(Overdue { tasks: 3, oldest_ms: 9_000 })), Status::Warn);
    assert_eq!(status(Some(Overdue { tasks: 3, oldest_ms: 121_000 })), Status::Fail);
}

#[test]
fn what_waits_for_operators_is_told() {
    assert_eq!(parked(0).status, Status::Ok);
    assert!(parked(3).advice.unwrap().contains("repair list"));
    assert_eq!(dead_letters(std::iter::empty()).status, Status::Ok);
    let open = dead_letters([("reminders-dlq", 2)].into_iter());
    assert_eq!((open.status, &*open.seen), (Status::Warn, "open: 2 on reminders-dlq"));
}

#[test]
fn without_a_database_the_rest_is_skipped() {
    let error = InspectError("Postgres at db:5432 refuses user \"a\"".into());
    let found = away(&error);
    assert_eq!(found.len(), BEHIND.len() + 1);
    assert!(found[0].advice.as_deref().unwrap().contains("pg_hba.conf"));
    assert!(found[1..].iter().all(|one| one.status == Status::Skipped));
}
