//! `report.md`: verdicts, faults, numbers, the set-up, and how it is judged.

use std::fmt::Write as _;

use reminder_stack::Part;

use super::super::heal::{Healing, OVERDUE_MS, SLOW_MS, WELL_MS};
use super::super::history::{Ms, clock};
use super::super::judge::Violation;
use super::super::model::NEAR_MS;
use super::super::run::Request;
use super::{FAILURES, PICTURE, Report, SHOWN, SetUp, kinds, span};

/// A part that ends so soon after it did has the same reason, in milliseconds.
const AGAIN_MS: Ms = 10_000;

impl Report<'_> {
    /// All of it.
    pub(super) fn text(&self) -> String {
        let Request { seed, minutes, .. } = self.request;
        let good = self.verdicts.iter().all(|verdict| verdict.violations.is_empty());
        let mut text = format!(
            "# Chaos, seed {seed}, {minutes} minutes: {}\n\n",
            if good { "all promises kept" } else { "promises broken" }
        );
        let release = if self.request.release { " --release" } else { "" };
        let _ = writeln!(
            text,
            "Again: `cargo xtask chaos --seed {seed} --minutes {minutes} --replicas {}{release}`. The \
             seed decides the faults in their order, with their lengths and pauses, and what the tasks \
             do.\n\n![Lateness over time]({PICTURE})\n\n{}\n",
            self.set_up.replicas,
            self.counts()
        );
        self.verdict_table(&mut text);
        self.fault_table(&mut text);
        self.number_table(&mut text);
        self.set_up(&mut text);
        text.push_str(&rules());
        text
    }

    fn verdict_table(&self, text: &mut String) {
        text.push_str("## Verdicts\n\n| | Found | Rule |\n|---|---|---|\n");
        for verdict in &self.verdicts {
            let found = verdict.violations.len();
            let found = if found == 0 { "0".to_owned() } else { format!("**{found}**") };
            let _ = writeln!(text, "| {} | {found} | {} |", verdict.name, verdict.rule);
        }
        text.push('\n');
        for verdict in self.verdicts.iter().filter(|verdict| !verdict.violations.is_empty()) {
            let _ = writeln!(text, "### {}\n", verdict.name);
            for Violation { task, what } in verdict.violations.iter().take(SHOWN) {
                let _ = writeln!(text, "- `{task}`: {what}");
            }
            let more = verdict.violations.len().saturating_sub(SHOWN);
            if more > 0 {
                let _ = writeln!(text, "- … and {more} more");
            }
            let _ = writeln!(text, "\nThe tasks with their commands and events: `{FAILURES}`.\n");
        }
    }

    fn fault_table(&self, text: &mut String) {
        text.push_str("## Faults\n\n");
        text.push_str(&kinds::table(&self.history.hurts, &self.healings));
        text.push_str(
            "\nIn their order:\n\n| At | Fault | Back after | Part ready after | Healed after it was \
             back | Healed after it began |\n|---|---|---|---|---|---|\n",
        );
        for hurt in &self.history.hurts {
            let healing = self.healings.iter().find(|slot| slot.slot == hurt.slot);
            let after_back = healing.and_then(Healing::after_back);
            let after_began = healing.and_then(|slot| Some(slot.well? - slot.began));
            let open = || {
                let pause = healing.map(|slot| slot.next - slot.back);
                format!("not in the {} before the next", span(pause))
            };
            let healed = |time: Option<Ms>| time.map_or_else(open, |time| span(Some(time)));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                span(Some(hurt.began - self.history.began)),
                hurt.label,
                span(Some(hurt.back - hurt.began)),
                hurt.ready.map_or("never".to_owned(), |ready| span(Some(ready - hurt.back))),
                healed(after_back),
                healed(after_began),
            );
        }
        text.push('\n');
        if !self.set_up.ended.is_empty() {
            text.push_str(
                "Parts that ended by themselves and were started again, as Kubernetes would (a sidecar \
                 does not start without its components):",
            );
            for (from, part, times) in runs(&self.set_up.ended) {
                let _ = write!(
                    text,
                    " {part} {times} × from {},",
                    span(Some(from - self.history.began))
                );
            }
            text.pop();
            text.push_str(".\n\n");
        }
    }

    fn number_table(&self, text: &mut String) {
        text.push_str(
            "## Numbers\n\n| milliseconds | n | p50 | p90 | p99 | p99.9 | max |\n|---|---|---|---|---|---|---|\n",
        );
        for (name, summary) in &self.numbers.distributions {
            let Some(s) = summary else { continue };
            let _ = writeln!(
                text,
                "| {name} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
                s.count, s.p50_ms, s.p90_ms, s.p99_ms, s.p999_ms, s.max_ms
            );
        }
        text.push('\n');
    }

    fn set_up(&self, text: &mut String) {
        let SetUp { capacity, rate, held_back, machine, replicas, .. } = &self.set_up;
        text.push_str("## Set-up\n\n");
        let _ = writeln!(
            text,
            "- load: {rate:.1} commands/s offered; measured before: {:.0} commands/s alone, {:.0} \
             firings/s alone, {:.0}/s of both together; {held_back} times held back for too many open \
             tasks",
            capacity.commands,
            capacity.firings,
            capacity.both()
        );
        let _ = writeln!(text, "- replicas: {replicas}, each with its sidecar");
        for (name, value) in machine.lines() {
            let _ = writeln!(text, "- {name}: {value}");
        }
        let _ = writeln!(
            text,
            "- watched from {} to {} UTC\n",
            clock(self.history.began),
            clock(self.history.ended)
        );
    }
}

/// The same part ending again and again, as one: when first, and how often.
fn runs(ended: &[(Ms, Part)]) -> Vec<(Ms, Part, usize)> {
    let mut runs: Vec<(Ms, Part, usize)> = Vec::new();
    let mut last = Ms::MIN;
    for (at, part) in ended {
        match runs.last_mut() {
            Some((_, before, times)) if before == part && at - last < AGAIN_MS => *times += 1,
            _ => runs.push((*at, *part, 1)),
        }
        last = *at;
    }
    runs
}

/// How it is judged, for whoever doubts it.
fn rules() -> String {
    let seconds = |ms: Ms| span(Some(ms));
    format!(
        "## How it is judged\n\n\
- **The ledger** keeps of each command when it was first sent and when it was answered; the next \
command of a task is sent only after the answer. Unanswered ones are sent again with the same \
`commandId`, to any replica. Due times are worked out from what was sent, not from what the service \
says.\n\
- **A moment must fire** unless it was called off (completed, deleted, dismissed, moved) by a command \
that was sent before its time or up to {} after it, or after the answer that promised it if that came \
later. **It must not** when that command was *answered* before its time. In between either is right, \
for nobody can know which came first. What a reopened task brings back must fire if it is due after \
the answer. A snooze must ring, and is forgotten by an acknowledgement. Of a recurring task, a missed \
moment may be left out for a later one that counts it in `coalesced`.\n\
- **Lateness** counts from when a moment is owed: its time, or the answer that promised it if that \
came later (a task may be put past due, or be answered late).\n\
- **Sick** is any time at which a moment owed for more than {} (the audit's grace and a second) was not \
read from Kafka, or a command was unanswered for more than {}. **Healed** is the first time, not \
before the part was started again or went on, from which nothing was sick for {}. What begins after the next \
fault counts for that one; two faults at once heal together.\n\
- The clock of all of it is that of the one machine.\n",
        seconds(NEAR_MS),
        seconds(OVERDUE_MS),
        seconds(SLOW_MS),
        seconds(WELL_MS)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_ends_again_and_again_is_told_once() {
        let (a, b) = (Part::Sidecar(1), Part::App(1));
        let ended = [(0, a), (9_000, a), (18_000, a), (19_000, b), (20_000, a), (40_000, a)];
        let told = [(0, a, 3), (19_000, b, 1), (20_000, a, 1), (40_000, a, 1)];
        assert_eq!(runs(&ended), told);
    }
}
