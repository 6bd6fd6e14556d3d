//! Says what is wrong, after each step: the reference model beside every commit, a consumer beside
//! every message, and what callers were told.

use crate::near::Near;
use reminder_contract::cloud_event;
use reminder_domain::state::Sequences;
use reminder_domain::{Answer, TaskId, TaskState, Topic, next_wake};
use reminder_reference::calendar::{Prefs, since_start};
use reminder_reference::compare::{expected, rang, shown, told};
use reminder_reference::model::{Expected, Model, Task};
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
}

#[derive(Default)]
struct Book {
    model: Model,
    sent: BTreeMap<u64, Sent>,
    told: u64,
    committed: Sequences,
    consumed: Sequences,
    /// The incarnation in which the task was born; 0: not yet.
    born: u32,
}

struct Sent {
    request: Request,
    fingerprint: u64,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Open,
    Committed(u64),
    Rejected,
}

pub(crate) type Verdict = Result<(), String>;

macro_rules! must {
    ($holds:expr, $($otherwise:tt)+) => {
        if !$holds {
            return Err(format!($($otherwise)+));
        }
    };
}

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
        let sent = Sent { request, fingerprint, outcome: Outcome::Open };
        self.tasks.entry(task.clone()).or_default().sent.insert(id, sent);
    }

    /// A caller was answered.
    pub fn answered(&mut self, task: &TaskId, id: u64, answer: &Answer) -> Verdict {
        self.tally.answered += 1;
        let book = self.tasks.entry(task.clone()).or_default();
        let outcome = book.sent.get(&id).map(|sent| sent.outcome);
        let version = answer.version;
        must!(
            outcome == Some(Outcome::Committed(version)),
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
            must!(known == hash, "{id} was published with two contents");
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

impl Book {
    /// A life of the task begins, with the numbers of its incarnation; answers the version before it.
    fn begin(&mut self, first: &TaskState) -> u64 {
        self.born = first.incarnation;
        let unborn = TaskState::unborn(self.born, first.updated_at);
        (self.committed, self.consumed) = (unborn.sequences, unborn.sequences);
        unborn.version
    }

    /// What this commit tells for the first time.
    fn new_facts<'a>(
        &mut self,
        task: &TaskId,
        next: &'a TaskState,
    ) -> Result<Vec<&'a reminder_domain::Fact>, String> {
        let mut facts = Vec::new();
        for event in next.pending.iter().flat_map(|commit| &commit.events) {
            let (topic, known) = (event.topic(), self.committed.last(event.topic()));
            if event.sequence > known {
                must!(
                    event.sequence == self.committed.next(topic),
                    "{task}: event {} on {topic:?} after {known}",
                    event.sequence
                );
                facts.push(&event.fact);
            }
        }
        let (has, should) = (self.committed, next.sequences);
        must!(has == should, "{task}: counts {should:?} events, and told of {has:?}");
        Ok(facts)
    }

    fn keeps_what_is_unpublished(
        &self,
        task: &TaskId,
        previous: Option<&TaskState>,
        next: &TaskState,
    ) -> Verdict {
        let kept = |topic, sequence| {
            let events = next.pending.iter().flat_map(|commit| &commit.events);
            events.clone().any(|event| event.topic() == topic && event.sequence == sequence)
        };
        for event in previous.iter().flat_map(|state| &state.pending).flat_map(|c| &c.events) {
            let (topic, sequence) = (event.topic(), event.sequence);
            let is_published = sequence <= self.consumed.last(topic);
            must!(
                is_published || kept(topic, sequence),
                "{task}: event {sequence} on {topic:?} was dropped before it was published"
            );
        }
        Ok(())
    }

    fn applied(
        &mut self,
        task: &TaskId,
        id: u64,
        version: u64,
        prefs: &(u64, Prefs),
        now: i64,
    ) -> Verdict {
        let Some(sent) = self.sent.get_mut(&id) else {
            return Err(format!("{task}: nobody sent the command {id:x}"));
        };
        let before = std::mem::replace(&mut sent.outcome, Outcome::Committed(version));
        must!(before == Outcome::Open, "{task}: command {id:x} took effect, and was {before:?}");
        let outcome = self.model.command(&sent.request, sent.fingerprint, prefs, now);
        must!(
            outcome == Expected::Applied { commits: true },
            "{task}: {:?} took effect, expected {outcome:?}",
            sent.request
        );
        self.model.stirred = false;
        Ok(())
    }

    fn agrees(&self, task: &TaskId, next: &TaskState) -> Verdict {
        let (has_wake, is_paused) =
            (next_wake(next), self.model.task.as_ref().is_some_and(Task::is_paused));
        must!(!is_paused || has_wake.is_none(), "{task}: it is paused, and wakes at {has_wake:?}");
        let (is, should) = (next.live().is_some(), self.model.task.is_some());
        must!(is == should, "{task}: there is a task: {is}, expected {should}");
        if let (Some(live), Some(model)) = (next.live(), &self.model.task) {
            let is: Vec<String> = live.alarms.iter().map(told).collect();
            let should: Vec<String> = model.alarms.iter().map(expected).collect();
            must!(is == should, "{task}: its alarms are {is:?}, expected {should:?}");
        }
        Ok(())
    }
}
