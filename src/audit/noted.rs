//! What a round notes for operators: the tasks that it found, by name as long as they are few.

use super::settings::FINDINGS_NAMED;
use crate::read_model::{Finding, FindingKind};
use reminder_domain::TaskId;
use std::collections::BTreeMap;

/// What a round found, by kind.
#[derive(Default)]
pub(super) struct Noted(BTreeMap<FindingKind, OfKind>);

/// The first tasks, and how many more there were.
#[derive(Default)]
struct OfKind {
    named: Vec<TaskId>,
    more: u64,
}

impl Noted {
    /// Notes that something was found of tasks.
    pub(super) fn tasks(&mut self, kind: FindingKind, tasks: impl IntoIterator<Item = TaskId>) {
        for task in tasks {
            let of_kind = self.0.entry(kind).or_default();
            if of_kind.named.len() < FINDINGS_NAMED {
                of_kind.named.push(task);
            } else {
                of_kind.more += 1;
            }
        }
    }

    /// Notes that something was found that is of no task in particular.
    pub(super) fn itself(&mut self, kind: FindingKind) {
        self.0.entry(kind).or_default();
    }

    /// Takes all of it, as rows.
    pub(super) fn take(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.0)
            .into_iter()
            .flat_map(|(kind, noted)| rows(kind, noted))
            .collect()
    }
}

fn rows(kind: FindingKind, OfKind { named, more }: OfKind) -> Vec<Finding> {
    let rest = (more > 0 || named.is_empty()).then_some(Finding { kind, task: None, tasks: more });
    let named = named.into_iter().map(|task| Finding { kind, task: Some(task), tasks: 1 });
    named.chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_named_and_the_rest_is_counted() {
        let mut noted = Noted::default();
        let task = |n: usize| TaskId::parse(format!("t-{n}")).unwrap();
        noted.tasks(FindingKind::Settled, (0..FINDINGS_NAMED).map(task));
        noted.tasks(FindingKind::Settled, (0..7).map(task));
        noted.itself(FindingKind::SchedulerLost);
        let rows = noted.take();
        assert_eq!(rows.len(), FINDINGS_NAMED + 2);
        assert!(rows[..FINDINGS_NAMED].iter().all(|row| row.task.is_some() && row.tasks == 1));
        assert_eq!((rows[FINDINGS_NAMED].task.clone(), rows[FINDINGS_NAMED].tasks), (None, 7));
        let lost = Finding { kind: FindingKind::SchedulerLost, task: None, tasks: 0 };
        assert_eq!(rows.last(), Some(&lost));
        assert!(noted.take().is_empty());
    }
}
