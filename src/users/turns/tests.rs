//! A user's turns against a store that answers in other ways than it should.

use super::*;
use crate::ports::CallError;
use async_trait::async_trait;
use reminder_contract::wire::{parse_user_pause, parse_user_put, parse_user_resume};
use reminder_domain::TaskId;
use std::num::NonZeroU32;
use std::sync::Mutex as Plain;

/// A store that answers some commits in other ways than it should.
#[derive(Default)]
struct Store {
    stored: Plain<Option<Vec<u8>>>,
    /// For the next commits, the last one first: what another writer commits right before it.
    others: Plain<Vec<UserState>>,
    silent: Plain<bool>,
    /// Whether what gets no answer is only on its way; and what is.
    slow: Plain<bool>,
    on_its_way: Plain<Option<Vec<u8>>>,
    /// What the index has of the user.
    indexed: Plain<KnownPreferences>,
    /// The highest version of a user who is gone.
    gone: Plain<u64>,
}

#[async_trait]
impl UserStore for Store {
    async fn load_user(&self, _: &Person) -> Result<Option<Vec<u8>>, CallError> {
        Ok(self.stored.lock().unwrap().clone())
    }

    async fn commit_user(&self, _: &Person, state: Vec<u8>) -> Result<(), CommitError> {
        if let Some(other) = self.others.lock().unwrap().pop() {
            *self.stored.lock().unwrap() = Some(record::encode(&other));
            return Err(CommitError::Fenced("RS001".into()));
        }
        let silent = std::mem::take(&mut *self.silent.lock().unwrap());
        if silent && *self.slow.lock().unwrap() {
            *self.on_its_way.lock().unwrap() = Some(state);
        } else {
            *self.stored.lock().unwrap() = Some(state);
        }
        if silent { Err(CommitError::Unknown("no answer".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Users for Store {
    async fn preferences(&self, _: &Person) -> Result<KnownPreferences, CallError> {
        Ok(self.indexed.lock().unwrap().clone())
    }

    async fn gone(&self, _: &Person) -> Result<u64, CallError> {
        Ok(*self.gone.lock().unwrap())
    }

    async fn progress(&self, _: &Person) -> Result<Progress, CallError> {
        Ok(Progress { open: 3, outdated: 2 })
    }

    async fn open_tasks(&self, _: &Person, at_most: NonZeroU32) -> Result<u32, CallError> {
        Ok(at_most.get().min(3))
    }

    async fn owner(&self, _: &TaskId) -> Result<Option<Person>, CallError> {
        Ok(None)
    }
}

struct World {
    store: Arc<Store>,
    changed: Arc<Notify>,
    turns: Arc<UserTurns>,
    cell: Arc<UserCell>,
}

impl Store {
    /// What is on its way comes to the fence; tells whether it is let in.
    fn land(&self) -> bool {
        let late = self.on_its_way.lock().unwrap().take().expect("something is on its way");
        let mut stored = self.stored.lock().unwrap();
        let version = |bytes: &[u8]| record::decode(bytes).unwrap().version;
        let follows = version(&late) == stored.as_deref().map_or(0, version) + 1;
        if follows {
            *stored = Some(late);
        }
        follows
    }
}

impl World {
    fn new() -> Self {
        let (store, changed) = (Arc::new(Store::default()), Arc::new(Notify::new()));
        let turns = UserTurns::new(store.clone(), store.clone(), changed.clone());
        let cell = UserCell::new(Person::parse("ada@example.org").unwrap());
        Self { store, changed, turns, cell }
    }

    async fn put(&self, body: &str) -> UserReply {
        let command = parse_user_put(body.as_bytes()).unwrap();
        self.turns.run(&self.cell, UserRequest::Command(Box::new(command))).await
    }

    async fn zone(&self) -> (u64, String) {
        match self.turns.run(&self.cell, UserRequest::Get).await {
            UserReply::View(known, progress) => {
                assert_eq!(progress, Progress { open: 3, outdated: 2 });
                (known.version, known.preferences.zone.name().to_owned())
            }
            other => panic!("{other:?}"),
        }
    }

    /// Whether a change was told since this was asked last.
    async fn was_told(&self) -> bool {
        tokio::time::timeout(Duration::ZERO, self.changed.notified()).await.is_ok()
    }
}

const BERLIN: &str = r#"{"preferences":{"zone":"Europe/Berlin"}}"#;
const TOKYO: &str = r#"{"preferences":{"zone":"Asia/Tokyo"}}"#;

#[tokio::test]
async fn what_is_put_holds_and_is_told_once() {
    let world = World::new();
    assert_eq!(world.zone().await, (0, "UTC".into()), "the defaults, not a refusal");
    assert_eq!(world.put(BERLIN).await, UserReply::Answer(1));
    assert!(world.was_told().await);
    assert_eq!(world.put(BERLIN).await, UserReply::Answer(1));
    assert!(!world.was_told().await, "nothing changed");
    assert_eq!(world.zone().await, (1, "Europe/Berlin".into()));
}

/// A process may remember the preferences of the earlier life by their version.
#[tokio::test]
async fn a_user_who_was_erased_begins_above_every_version_that_was_given() {
    let world = World::new();
    assert_eq!(world.put(BERLIN).await, UserReply::Answer(1));
    assert_eq!(world.put(TOKYO).await, UserReply::Answer(2));
    // Erased.
    *world.store.stored.lock().unwrap() = None;
    *world.store.gone.lock().unwrap() = 2;
    assert_eq!(world.zone().await, (0, "UTC".into()), "nobody knows the user any more");
    assert_eq!(world.put(BERLIN).await, UserReply::Answer(3));
    assert_eq!(world.put(BERLIN).await, UserReply::Answer(3), "a repeat is known");
    assert_eq!(world.zone().await, (3, "Europe/Berlin".into()));
    assert_eq!(world.put(TOKYO).await, UserReply::Answer(4), "who is stored goes on from there");
}

#[tokio::test]
async fn a_pause_is_told_with_the_tasks_that_have_yet_to_follow() {
    let world = World::new();
    let pause = || UserRequest::Command(Box::new(parse_user_pause(b"").unwrap()));
    let resume = br#"{"missed":"skip"}"#;
    let resume = || UserRequest::Command(Box::new(parse_user_resume(resume).unwrap()));
    let progress = Progress { open: 3, outdated: 2 };
    let UserReply::Paused(1, Some(since), told) = world.turns.run(&world.cell, pause()).await
    else {
        panic!("not paused")
    };
    assert!(told == progress && world.was_told().await);
    let again = world.turns.run(&world.cell, pause()).await;
    assert_eq!(again, UserReply::Paused(1, Some(since), progress), "since when it was");
    assert!(!world.was_told().await);
    assert_eq!(world.put(BERLIN).await, UserReply::Answer(2), "a put does not resume");
    let resumed = world.turns.run(&world.cell, resume()).await;
    assert_eq!(resumed, UserReply::Paused(3, None, progress));
    let stored = world.store.stored.lock().unwrap().clone().unwrap();
    let stored = record::decode(&stored).unwrap();
    assert_eq!((stored.skipped.len(), stored.paused_since), (1, None));
    assert!(stored.skipped[0].from == since && stored.skipped[0].until >= since);
}

#[tokio::test]
async fn a_refused_commit_is_decided_anew() {
    let world = World::new();
    world.put(BERLIN).await;
    let stored = world.store.stored.lock().unwrap().clone().unwrap();
    let other = UserState { version: 2, ..record::decode(&stored).unwrap() };
    *world.store.others.lock().unwrap() = vec![other.clone()];
    assert_eq!(world.put(TOKYO).await, UserReply::Answer(3));
    *world.store.others.lock().unwrap() = vec![other; 9];
    assert!(matches!(world.put(BERLIN).await, UserReply::Answer(_)), "the other one's is equal");
}

#[tokio::test]
async fn a_writer_who_is_never_first_gives_up() {
    let world = World::new();
    world.put(BERLIN).await;
    let stored = world.store.stored.lock().unwrap().clone().unwrap();
    *world.store.others.lock().unwrap() = vec![record::decode(&stored).unwrap(); 9];
    assert!(matches!(world.put(TOKYO).await, UserReply::Unavailable(_)));
    assert_eq!(world.store.others.lock().unwrap().len(), 9 - COMMIT_ATTEMPTS as usize);
}

#[tokio::test]
async fn a_repeat_after_an_unknown_outcome_finds_out() {
    let world = World::new();
    *world.store.silent.lock().unwrap() = true;
    assert!(matches!(world.put(TOKYO).await, UserReply::Unavailable(_)));
    assert_eq!(world.put(TOKYO).await, UserReply::Answer(1), "it had taken effect");
}

#[tokio::test]
async fn turns_end_before_the_process_does() {
    let world = World::new();
    world.turns.drain().await;
    assert!(matches!(world.put(TOKYO).await, UserReply::Overloaded(_)));
}

#[tokio::test]
async fn a_damaged_state_is_rebuilt_from_the_index_and_a_newer_one_is_left_alone() {
    let world = World::new();
    *world.store.stored.lock().unwrap() = Some(b"damaged".to_vec());
    assert!(matches!(world.put(BERLIN).await, UserReply::Unreadable(UnreadableState::Damaged(_))));
    let known = r#"{"version":7,"preferences":{"zone":"Asia/Tokyo"}}"#;
    *world.store.indexed.lock().unwrap() = serde_json::from_str(known).unwrap();
    assert_eq!(world.zone().await, (7, "Asia/Tokyo".into()));
    assert_eq!(world.put(BERLIN).await, UserReply::Answer(8), "as the fence wants it");
    assert_eq!(world.zone().await, (8, "Europe/Berlin".into()));
    *world.store.stored.lock().unwrap() = Some(b"{\"s\":9}\n{}".to_vec());
    let newer = UserReply::Unreadable(UnreadableState::Newer { found: 9 });
    assert_eq!(world.put(TOKYO).await, newer);
}

#[tokio::test]
async fn what_is_answered_is_not_undone_by_a_statement_that_is_on_its_way() {
    for spoke_before in [true, false] {
        let world = World::new();
        if spoke_before {
            world.put(BERLIN).await;
        }
        *world.store.slow.lock().unwrap() = true;
        *world.store.silent.lock().unwrap() = true;
        let pause = UserRequest::Command(Box::new(parse_user_pause(b"").unwrap()));
        let paused = world.turns.run(&world.cell, pause).await;
        assert!(matches!(paused, UserReply::Unavailable(_)), "{paused:?}");
        let resume = || UserRequest::Command(Box::new(parse_user_resume(b"").unwrap()));
        let resumed = world.turns.run(&world.cell, resume()).await;
        assert!(matches!(resumed, UserReply::Paused(_, None, _)), "{resumed:?}");
        assert!(!world.store.land(), "it was told that nothing is paused");
        // That is settled: one more is only answered.
        assert_eq!(world.turns.run(&world.cell, resume()).await, resumed);
    }
}
