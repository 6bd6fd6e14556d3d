//! Says what is wrong, after each step: the reference model beside every commit, a consumer beside
//! every message, and what callers were told.

mod book;

use crate::near::Near;
use book::{Book, Outcome, Sent};
use reminder_contract::cloud_event;
use reminder_domain::state::Sequences;
use reminder_domain::{Answer, TaskId, TaskState, Topic, next_wake};
use reminder_reference::calendar::{Prefs, since_start};
use reminder_reference::compare::{rang, shown};
use reminder_reference::model::Model;
use reminder_reference::words::Request;
use reminder_scheduler::ports::Message;
use std::collections::{BTreeMap, HashMap};
use std::ops::AddAssign;
use xxhash_rust::xxh3::xxh3_64;

/// Something that must never happen has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When, in ms after the start.
    pub at_ms: i64,
    /// What.
    pub what: String,
}

/// How much happened, to see that a run was about something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Commands answered.
    pub answered: u64,
    /// Commands refused.
    pub refused: u64,
    /// Commits.
    pub commits: u64,
    /// Firings.
    pub fired: u64,
    /// Events that came for the first time.
    pub events: u64,
    /// Events that came again.
    pub duplicates: u64,
    /// Tasks that were purged.
    pub purged: u64,
    /// Tasks that were erased with their user.
    pub erased: u64,
    /// Tasks of others out of which the name of an erased user was taken.
    pub unnamed: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.refused += other.refused;
        self.commits += other.commits;
        self.fired += other.fired;
        self.events += other.events;
        self.duplicates += other.duplicates;
        self.purged += other.purged;
        self.erased += other.erased;
        self.unnamed += other.unnamed;
    }
}

/// The books.
#[derive(Default)]
pub struct Judge {
    tasks: BTreeMap<TaskId, Book>,
    /// What a consumer has seen: the content by id.
    seen: HashMap<String, u64>,
    first: Option<Violation>,
    /// How much happened.
    pub tally: Tally,
    /// Whether a user is erased, or was: what is told again may have lost its words by then.
    erasing: bool,
}

pub(crate) type Verdict = Result<(), String>;

macro_rules! must {
    ($holds:expr, $($otherwise:tt)+) => {
        if !$holds {
            return Err(format!($($otherwise)+));
        }
    };
}
pub(crate) use must;

impl Judge {
    /// Notes a violation; the first one counts.
    pub fn violated(&mut self, at_ms: i64, what: String) {
        self.first.get_or_insert(Violation { at_ms, what });
    }

    /// The first violation.
    pub fn violation(&self) -> Option<&Violation> {
        self.first.as_ref()
    }

    /// A caller begins to send a command.
    pub fn sent(&mut self, task: &TaskId, id: u64, request: Request, fingerprint: u64) {
        let sent = Sent { request, fingerprint, outcome: Outcome::Open, forgotten: Vec::new() };
        self.tasks.entry(task.clone()).or_default().sent.insert(id, sent);
    }

    /// A caller was answered.
    pub fn answered(&mut self, task: &TaskId, id: u64, answer: &Answer) -> Verdict {
        self.tally.answered += 1;
        let book = self.tasks.entry(task.clone()).or_default();
        let sent = book.sent.get(&id);
        let (outcome, version) = (sent.map(|sent| sent.outcome), answer.version);
        let was_so = sent.is_some_and(|sent| sent.forgotten.contains(&version));
        must!(
            was_so || outcome == Some(Outcome::Committed(version)),
            "{task}: command {id:x} was answered with version {version}, and is {outcome:?}"
        );
        book.told = version;
        Ok(())
    }

    /// The version that a caller was told last.
    pub fn told(&self, task: &TaskId) -> u64 {
        self.tasks.get(task).map_or(0, |book| book.told)
    }

    /// A caller has read the task, being told of `told` before: what it was told, it must see.
    pub fn read(&self, task: &TaskId, told: u64, version: u64) -> Verdict {
        must!(version >= told, "{task}: answered was {told}, and then version {version} was read");
        Ok(())
    }

    /// A caller was refused.
    pub fn rejected(&mut self, task: &TaskId, id: u64) -> Verdict {
        self.tally.refused += 1;
        let book = self.tasks.entry(task.clone()).or_default();
        let Some(sent) = book.sent.get_mut(&id) else { return Err("nobody sent it".into()) };
        let before = std::mem::replace(&mut sent.outcome, Outcome::Rejected);
        must!(before == Outcome::Open, "{task}: command {id:x} was refused, and is {before:?}");
        Ok(())
    }

    /// A write was accepted by the table.
    pub fn committed(
        &mut self,
        task: &TaskId,
        previous: Option<&TaskState>,
        next: &TaskState,
        clock_ms: i64,
        near: &Near,
        prefs: impl Fn(u64, u64) -> (u64, Prefs),
    ) -> Verdict {
        self.tally.commits += 1;
        let book = self.tasks.entry(task.clone()).or_default();
        let before = previous.map_or_else(|| book.begin(next), |state| state.version);
        let expected_version = before + 1;
        let version = next.version;
        must!(
            version == expected_version,
            "{task}: version {version} follows {expected_version}-1"
        );
        let now = since_start(next.updated_at);
        must!(now <= clock_ms, "{task}: decided at {now}, but its host's clock showed {clock_ms}");
        let facts = book.new_facts(task, next)?;
        book.keeps_what_is_unpublished(task, previous, next)?;
        let rings: Vec<String> = facts.iter().filter_map(|fact| rang(fact)).collect();
        self.tally.fired += rings.len() as u64;

        let whose = |state: &TaskState| state.user().cloned();
        if previous.and_then(whose).is_some() && whose(next).is_none() {
            must!(rings.is_empty(), "{task}: its erasure fired {rings:?}");
            self.tally.erased += 1;
            book.erased(now);
            return book.agrees(task, next);
        }
        let command = next.commands.last().filter(|record| record.version == version);
        let follows = |state: &TaskState| state.live().map_or(0, |live| live.preferences.version);
        let user = task.as_str().trim_start_matches('t').parse().unwrap_or(0);
        let preferred = prefs(user, follows(next));
        if let Some(id) = command.and_then(|record| record.id) {
            book.applied(task, id, version, &preferred, now)?;
            must!(rings.is_empty(), "{task}: a command fired {rings:?}");
            if let Some(due) = next_wake(next).map(since_start) {
                near.registered_first(task, due, now)?;
            }
        } else if previous.is_some_and(|before| follows(before) != follows(next)) {
            book.model.refresh(&preferred);
            must!(rings.is_empty(), "{task}: a refresh fired {rings:?}");
        } else if takes_a_name_out(previous, next) {
            must!(rings.is_empty(), "{task}: taking a name out fired {rings:?}");
            self.tally.unnamed += 1;
            book.model.stirred = true;
        } else if !facts.is_empty() {
            let due: Vec<String> =
                book.model.wake(now).iter().map(|ring| shown(ring, now)).collect();
            must!(due == rings, "{task}: fired {rings:?}, due were {due:?}");
            book.model.stirred = true;
        } else {
            // A fence: nothing happens to the task, but now it exists.
            book.model.stored = true;
        }
        book.model.committed_at = now;
        book.agrees(task, next)
    }

    /// A task was purged: it is over, and the broker has all its events.
    pub fn removed(&mut self, task: &TaskId, last: &TaskState) -> Verdict {
        self.tally.purged += 1;
        let book = self.tasks.entry(task.clone()).or_default();
        let (told, committed) = (book.consumed, book.committed);
        must!(told == committed, "{task}: purged with {told:?} of {committed:?} events told");
        must!(last.over().is_some(), "{task}: purged although it is open");
        book.model = Model::default();
        Ok(())
    }

    /// A message reached its topic.
    pub fn consumed(&mut self, topic: Topic, message: &Message) -> Verdict {
        let (id, hash) = (&message.id, xxh3_64(&message.body));
        if let Some(known) = self.seen.insert(id.clone(), hash) {
            self.tally.duplicates += 1;
            must!(self.erasing || known == hash, "{id} was published with two contents");
            return Ok(());
        }
        self.tally.events += 1;
        let book = self.tasks.entry(message.key.clone()).or_default();
        let sequence = id.rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or(0);
        let expected_id = cloud_event::event_id(&message.key, book.born, topic, sequence);
        must!(*id == expected_id, "{id} should be {expected_id}");
        let committed = book.committed.last(topic);
        must!(sequence <= committed, "{id} was published, and committed were {committed}");
        let expected = book.consumed.next(topic);
        must!(sequence == expected, "{id} came where {expected} should have come");
        Ok(())
    }

    /// A user is erased from now on.
    pub fn erasing(&mut self) {
        self.erasing = true;
    }

    /// How many events each task has committed.
    pub fn committed_so_far(&self) -> BTreeMap<TaskId, Sequences> {
        self.tasks.iter().map(|(task, book)| (task.clone(), book.committed)).collect()
    }

    /// What is not yet as it should be once everything has healed.
    pub fn open_ends(&self, now_ms: i64) -> Vec<String> {
        let mut ends = Vec::new();
        for (task, book) in &self.tasks {
            if let Some(due) = book.model.next_wake().filter(|due| *due <= now_ms) {
                ends.push(format!("{task}: what was due at {due} has not fired"));
            }
            for topic in Topic::ALL {
                let (has, should) = (book.consumed.last(topic), book.committed.last(topic));
                if has != should {
                    ends.push(format!("{task}: of {should} events on {topic:?} {has} have come"));
                }
            }
        }
        ends
    }
}

/// Whether a commit changed nothing but who shall do a task.
fn takes_a_name_out(previous: Option<&TaskState>, next: &TaskState) -> bool {
    let assignee = |state: &TaskState| state.live().map(|live| live.task.assignee.clone());
    let before = previous.and_then(assignee);
    before != assignee(next) && assignee(next) == Some(None) && before.is_some()
}
