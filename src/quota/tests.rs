//! Quotas against an index that says what it is told to say.

use super::*;
use crate::ports::{CallError, Progress};
use async_trait::async_trait;
use reminder_domain::TaskId;
use reminder_domain::preferences::KnownPreferences;
use std::sync::atomic::AtomicU32;

/// So many tasks are open; and how often that was asked.
#[derive(Default)]
struct Index {
    open: Option<u32>,
    asked: AtomicU32,
}

#[async_trait]
impl Users for Index {
    async fn preferences(&self, _: &Person) -> Result<KnownPreferences, CallError> {
        Ok(KnownPreferences::default())
    }

    async fn gone(&self, _: &Person) -> Result<u64, CallError> {
        Ok(0)
    }

    async fn progress(&self, _: &Person) -> Result<Progress, CallError> {
        Ok(Progress::default())
    }

    async fn open_tasks(&self, _: &Person, at_most: NonZeroU32) -> Result<u32, CallError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let open = self.open.ok_or_else(|| CallError("no answer".into()))?;
        Ok(open.min(at_most.get()))
    }

    async fn owner(&self, _: &TaskId) -> Result<Option<Person>, CallError> {
        Ok(None)
    }
}

fn user(name: &str) -> Person {
    Person::parse(name).unwrap()
}

fn quotas(open_tasks: u32, commands_per_minute: u32) -> Arc<Quotas> {
    let (open_tasks, commands_per_minute) =
        (NonZeroU32::new(open_tasks), NonZeroU32::new(commands_per_minute));
    Quotas::new(Settings { open_tasks, commands_per_minute }).unwrap()
}

#[test]
fn without_a_quota_there_is_nobody_to_ask() {
    assert!(Quotas::new(Settings::default()).is_none());
}

#[tokio::test]
async fn one_more_open_task_needs_room_and_other_commands_are_not_counted() {
    let quotas = quotas(3, 0);
    let full = Index { open: Some(3), ..Index::default() };
    let three = NonZeroU32::new(3).unwrap();
    let ada = user("ada");
    assert_eq!(quotas.admit(&full, &ada, true).await, Admitted::No(OverQuota::OpenTasks(three)));
    assert_eq!(quotas.admit(&full, &ada, false).await, Admitted::Yes);
    assert_eq!(full.asked.load(Ordering::Relaxed), 1, "only where it matters");
    let room = Index { open: Some(2), ..Index::default() };
    assert_eq!(quotas.admit(&room, &ada, true).await, Admitted::Yes);
    let silent = Index::default();
    assert_eq!(quotas.admit(&silent, &ada, true).await, Admitted::Unknown("no answer".into()));
}

#[tokio::test]
async fn each_user_has_so_many_commands_a_minute() {
    let (quotas, index) = (quotas(0, 2), Index::default());
    let (ada, bob) = (user("ada"), user("bob"));
    for _ in 0..2 {
        assert_eq!(quotas.admit(&index, &ada, true).await, Admitted::Yes);
    }
    match quotas.admit(&index, &ada, false).await {
        Admitted::No(OverQuota::Commands { quota, retry_after_seconds }) => {
            assert_eq!(quota.get(), 2);
            // One of two a minute comes free within thirty seconds.
            assert!((1..=31).contains(&retry_after_seconds), "{retry_after_seconds}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(quotas.admit(&index, &bob, false).await, Admitted::Yes);
    assert_eq!(index.asked.load(Ordering::Relaxed), 0, "open tasks are not limited");
}
