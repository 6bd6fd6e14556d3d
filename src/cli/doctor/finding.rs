//! What a check has found, and how it is told to people and to machines.

use serde::Serialize;
use std::fmt::Write as _;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// It could not be looked at, for what another check says.
    Skipped,
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It does not work.
    Fail,
}

impl Status {
    const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::Fail, Self::Skipped];

    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Skipped => "skipped",
        }
    }

    /// Its colour, as a terminal's escape sequence.
    const fn colour(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[32m",
            Self::Warn => "\x1b[33m",
            Self::Fail => "\x1b[1;31m",
            Self::Skipped => "\x1b[2m",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What, in a word or two.
    pub(super) check: &'static str,
    pub(super) status: Status,
    /// What was seen.
    pub(super) seen: String,
    /// What to do about it; nothing when all is well.
    #[serde(rename = "whatToDo", skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, status: Status::Ok, seen: seen.into(), advice: None }
    }

    pub(super) fn warn(
        check: &'static str,
        seen: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { check, status: Status::Warn, seen: seen.into(), advice: Some(advice.into()) }
    }

    pub(super) fn fail(
        check: &'static str,
        seen: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { check, status: Status::Fail, seen: seen.into(), advice: Some(advice.into()) }
    }

    /// Could not be looked at; `why` names what is in the way.
    pub(super) fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, status: Status::Skipped, seen: why.into(), advice: None }
    }
}

/// All of them.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// The worst of them.
    pub(super) status: Status,
    /// The version of this binary.
    version: &'static str,
    pub(super) checks: Vec<Finding>,
}

impl Report {
    pub(super) fn new(checks: Vec<Finding>) -> Self {
        let status = checks.iter().map(|found| found.status).max().unwrap_or(Status::Ok);
        Self { status, version: env!("CARGO_PKG_VERSION"), checks }
    }

    /// A line for each check, what to do below those that are not well, and the tally.
    pub(super) fn text(&self, coloured: bool) -> String {
        let width = self.checks.iter().map(|found| found.check.len()).max().unwrap_or_default();
        let mut text = String::new();
        for Finding { check, status, seen, advice } in &self.checks {
            let word = paint(coloured, status.colour(), &format!("{:<7}", status.word()));
            let _ = writeln!(text, "{word}  {check:<width$}  {seen}");
            if let Some(advice) = advice {
                let _ = writeln!(text, "{:9}{:width$}  -> {advice}", "", "");
            }
        }
        let count = |status| self.checks.iter().filter(|found| found.status == status).count();
        let tally = Status::ALL.map(|status| format!("{} {}", count(status), status.word()));
        let _ = write!(text, "{}", tally.join(", "));
        text
    }
}

fn paint(coloured: bool, colour: &str, text: &str) -> String {
    if coloured { format!("{colour}{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report::new(vec![
            Finding::ok("sidecar", "is there"),
            Finding::skipped("canary", "without a database"),
            Finding::fail("database", "refused", "start it"),
            Finding::warn("firing", "stopped", "resume it"),
        ])
    }

    #[test]
    fn the_worst_finding_decides() {
        assert_eq!(report().status, Status::Fail);
        let well = vec![Finding::ok("a", "b"), Finding::skipped("c", "d")];
        assert_eq!(Report::new(well).status, Status::Ok);
    }

    #[test]
    fn people_read_lines_with_what_to_do() {
        let text = report().text(false);
        assert!(text.starts_with("ok       sidecar   is there\n"), "{text}");
        assert!(text.contains("\nFAIL     database  refused\n                   -> start it\n"));
        assert!(text.ends_with("1 ok, 1 warn, 1 FAIL, 1 skipped"), "{text}");
        assert!(report().text(true).contains("\x1b[1;31mFAIL   \x1b[0m"));
    }

    #[test]
    fn machines_read_names() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["status"], "fail");
        assert_eq!(json["checks"][2]["check"], "database");
        assert_eq!(json["checks"][2]["whatToDo"], "start it");
        assert_eq!(json["checks"][0].get("whatToDo"), None);
    }
}
