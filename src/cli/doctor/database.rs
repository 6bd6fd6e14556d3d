//! What Postgres tells: whether it can be used, and how tasks and audit stand.

use super::finding::Finding;
use crate::audit::settings::{DEAD_AFTER, LEASE};
use crate::config::Config;
use crate::read_model::{
    AuditFacts, DatabaseFacts, FiringSwitch as _, InspectError, OVERDUE_MAX, Overdue, QueryError,
    ReadModel, TaskIndex as _, inspect,
};
use reminder_domain::Timestamp;
use std::time::Duration;

/// What cannot be looked at without the database.
const BEHIND: [&str; 8] =
    ["schema", "fence", "audit", "rounds", "overdue", "parked", "firing", "dead letters"];
/// Rounds that may fail or take their time before somebody should look.
const ROUNDS_MISSED: u32 = 3;
/// A round takes a while when there is much to do.
const ROUND_ALLOWANCE: Duration = Duration::from_secs(30);
/// A task that is overdue for longer is not only late but stuck.
const STUCK_MS: i64 = 120_000;
/// Tasks counted for each stop.
const STOPPED_COUNTED_MAX: i64 = 10_000;

/// What was found, and what others go on from.
pub(super) struct Looked {
    pub(super) findings: Vec<Finding>,
    pub(super) facts: Option<DatabaseFacts>,
    pub(super) audit: Option<AuditFacts>,
}

/// Everything that the database tells.
pub(super) async fn look(config: &Config, now: Timestamp) -> Looked {
    let database = &config.database;
    let facts = match inspect(database.url.expose(), &database.state_table).await {
        Ok(facts) => facts,
        Err(error) => return Looked { findings: away(&error), facts: None, audit: None },
    };
    let mut findings = vec![
        Finding::ok("database", format!("Postgres {} answers", facts.version)),
        schema(&facts),
        fence(&facts),
    ];
    let model = facts.schema.clone().filter(|_| facts.missing.is_empty());
    let model = model.and_then(|schema| ReadModel::new(database.url.expose(), schema).ok());
    let Some(model) = model else {
        let rest = BEHIND[2..].iter().map(|check| Finding::skipped(check, "needs the schema"));
        findings.extend(rest);
        return Looked { findings, facts: Some(facts), audit: None };
    };
    let audit = model.audit_facts(DEAD_AFTER).await;
    findings.push(told("audit", &audit, |audit| lease(audit.as_ref())));
    findings.push(told("rounds", &audit, |audit| rounds(config, audit.as_ref(), now)));
    let overdue_now = model.overdue_facts(config.audit.grace_ms).await;
    findings.push(told("overdue", &overdue_now, |found| overdue(*found, config)));
    findings.push(told("parked", &model.count_parked().await, |count| parked(*count)));
    findings.push(firing(&model).await);
    findings.push(told("dead letters", &model.open_letters().await, |open| {
        dead_letters(open.iter().map(|(topic, count)| (topic.as_str(), *count)))
    }));
    Looked { findings, facts: Some(facts), audit: audit.ok().flatten() }
}

fn away(error: &InspectError) -> Vec<Finding> {
    let text = error.to_string();
    let advice = if text.contains("refuses user") {
        "Correct the user and its password in DATABASE_URL, or pg_hba.conf on the server."
    } else {
        "Start Postgres, or correct DATABASE_URL. Commands are refused with a 503 meanwhile; what \
         comes due fires when it is back."
    };
    let rest = BEHIND.iter().map(|check| Finding::skipped(check, "needs the database"));
    std::iter::once(Finding::fail("database", text, advice)).chain(rest).collect()
}

/// The verdict on an answer, or what is wrong with there being none.
fn told<T>(
    check: &'static str,
    answer: &Result<T, QueryError>,
    verdict: impl FnOnce(&T) -> Finding,
) -> Finding {
    match answer {
        Ok(answer) => verdict(answer),
        Err(error) => Finding::fail(
            check,
            error.to_string(),
            "With `permission denied`, the user of DATABASE_URL lacks a right that docs/operations.md \
             lists under Postgres.",
        ),
    }
}

fn schema(facts: &DatabaseFacts) -> Finding {
    let Some(schema) = &facts.schema else {
        return Finding::fail(
            "schema",
            "the state table is not there",
            "The sidecar makes it when it loads the state store: see its log. STATE_TABLE must be the \
             store's tablePrefix followed by `state`.",
        );
    };
    if !facts.changed.is_empty() {
        return Finding::fail(
            "schema",
            format!("applied with other contents: {}", facts.changed.join(", ")),
            "A migration was edited after it had been applied: use the binary that it was released \
             with.",
        );
    }
    if !facts.missing.is_empty() {
        return Finding::fail(
            "schema",
            format!("{schema} lacks {}", facts.missing.join(", ")),
            "Start this version of the service: it applies them, or names the right that it lacks.",
        );
    }
    if !facts.newer.is_empty() {
        return Finding::warn(
            "schema",
            format!("{schema} is ahead of this binary: {}", facts.newer.join(", ")),
            "A newer version has run. One release back is fine; use its `doctor` to look closer.",
        );
    }
    Finding::ok("schema", format!("{schema} is at {}", DatabaseFacts::latest()))
}

fn fence(facts: &DatabaseFacts) -> Finding {
    if facts.schema.is_none() {
        return Finding::skipped("fence", "needs the state table");
    }
    if facts.triggers_gone.is_empty() {
        return Finding::ok("fence", "its triggers are on the state table");
    }
    Finding::fail(
        "fence",
        format!("gone or switched off: {}", facts.triggers_gone.join(", ")),
        "Without it a stalled write may undo a later one. Restart one replica of the service: it puts \
         them back. Then find out who replaced the table.",
    )
}

fn lease(audit: Option<&AuditFacts>) -> Finding {
    let Some(audit) = audit else {
        let advice = "No replica was ever ready on this database: see the checks of the service.";
        return Finding::fail("audit", "no round was ever begun", advice);
    };
    let alive = audit.alive;
    if audit.held_for_ms > 0 {
        let seen = format!("a replica has its lease; {alive} were seen within {DEAD_AFTER:?}");
        return Finding::ok("audit", seen);
    }
    let ago = Duration::from_millis(audit.held_for_ms.unsigned_abs()) + LEASE;
    let ago = humantime::format_duration(Duration::from_secs(ago.as_secs()));
    Finding::fail(
        "audit",
        format!("nobody has its lease; it was last kept {ago} ago, and {alive} replicas are alive"),
        "Start the service. Where a replica runs, its log says why `the audit could not finish`.",
    )
}

/// Each round notes how far ahead it has registered wakes: the horizon from when it ended.
fn rounds(config: &Config, audit: Option<&AuditFacts>, now: Timestamp) -> Finding {
    let Some(audit) = audit else { return Finding::skipped("rounds", "needs the audit") };
    let Some(horizon_ms) = config.audit.horizon_ms else {
        return Finding::skipped("rounds", "with an infinite ARM_HORIZON the rows do not tell");
    };
    let advice = "The log says why `the audit could not finish`: the scheduler, placement, the \
                  sidecar or Postgres does not answer. What is overdue is settled all the same while \
                  actors answer.";
    if audit.swept_until.as_millis() == 0 {
        return Finding::warn("rounds", "none has ended since the sweep began anew", advice);
    }
    let age_ms = now.saturating_add_ms(horizon_ms).millis_since(audit.swept_until);
    let Ok(age) = u64::try_from(age_ms.max(0)).map(Duration::from_millis) else {
        return Finding::skipped("rounds", "the rows do not tell");
    };
    let limit = config.audit.interval * ROUNDS_MISSED + ROUND_ALLOWANCE;
    let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
    if age_ms < -limit_ms {
        return Finding::warn(
            "rounds",
            format!("the sweep is {} s further than ARM_HORIZON says", -age_ms / 1_000),
            "Give this command the ARM_HORIZON that the service has.",
        );
    }
    let seen = format!("the last one ended {} s ago, by ARM_HORIZON", age.as_secs());
    if age > limit { Finding::warn("rounds", seen, advice) } else { Finding::ok("rounds", seen) }
}

fn overdue(found: Option<Overdue>, config: &Config) -> Finding {
    let Some(Overdue { tasks, oldest_ms }) = found else {
        let grace = config.audit.grace_ms;
        return Finding::ok("overdue", format!("no task is by more than {grace} ms"));
    };
    let more = if tasks >= OVERDUE_MAX { " or more" } else { "" };
    let seen = format!("{tasks}{more} tasks, the oldest by {} s", oldest_ms / 1_000);
    if oldest_ms > STUCK_MS {
        let advice = "Reminders do not fire: see the checks of actors, service and audit. Each fires \
                      once when these are well, and says how late it is.";
        return Finding::fail("overdue", seen, advice);
    }
    let advice = "After an outage or a herd that is normal and passes. Otherwise Dapr does not wake: \
                  see the check of the scheduler.";
    Finding::warn("overdue", seen, advice)
}

fn parked(count: u64) -> Finding {
    if count == 0 {
        return Finding::ok("parked", "no task is");
    }
    Finding::warn(
        "parked",
        format!("{count} tasks cannot be read"),
        "Look at them with `reminder-scheduler repair list` and mend them with `repair`.",
    )
}

async fn firing(model: &ReadModel) -> Finding {
    if let Err(error) = model.firing_stop().await {
        return told("firing", &Err::<(), _>(error), |()| Finding::ok("firing", ""));
    }
    told("firing", &model.list_stops(STOPPED_COUNTED_MAX).await, |stops| {
        let Some(first) = stops.first() else {
            return Finding::ok("firing", "stopped for nobody");
        };
        let whose =
            first.user.as_ref().map_or("everyone".to_owned(), |user| format!("user {user}"));
        let more = match stops.len() - 1 {
            0 => String::new(),
            more => format!(", and for {more} more"),
        };
        Finding::warn(
            "firing",
            format!("stopped for {whose} since {}: {}{more}", first.since, first.reason),
            "If that is over: `reminder-scheduler firing resume`.",
        )
    })
}

fn dead_letters<'a>(open: impl Iterator<Item = (&'a str, i64)>) -> Finding {
    let open: Vec<String> = open.map(|(topic, count)| format!("{count} on {topic}")).collect();
    if open.is_empty() {
        return Finding::ok("dead letters", "none is open");
    }
    Finding::warn(
        "dead letters",
        format!("open: {}", open.join(", ")),
        "Look at them with `reminder-scheduler dlq list`; replay or drop them.",
    )
}

#[cfg(test)]
mod tests;
