//! Everything of one user goes: what is left of a task afterwards says nothing of anybody.
//!
//! A task of the user's becomes a tombstone that keeps its numbers, so that its sequences go on without a gap, and
//! the last version of its owner that it followed, so that an older event does not bring it back. A task of
//! somebody else's stays, and names the user no more. What of their events the broker may not have is told all the
//! same, without a word of what it was about, or without the name.

use crate::command::Origin;
use crate::decide::{Change, Turn, gone};
use crate::event::{Fact, UpdateReason};
use crate::ids::{CorrelationId, Person, Title};
use crate::ingested::Followed;
use crate::state::{Lifecycle, PendingCommit, Snapshot, TaskState};
use crate::task::{Status, Task, TaskFields};
use crate::time::Timestamp;

/// The title of what is told of an erased task.
pub const ERASED_TITLE: &str = "(erased)";

impl TaskState {
    /// Whose task it is, or was.
    pub fn user(&self) -> Option<&Person> {
        match &self.lifecycle {
            Lifecycle::Live(live) => live.task.user_id.as_ref(),
            Lifecycle::Deleted { user_id, .. } => user_id.as_ref(),
        }
    }

    /// Takes out everything that says whose it was and what about.
    fn blank(&mut self) {
        if let Lifecycle::Deleted { user_id, .. } = &mut self.lifecycle {
            *user_id = None;
        }
        self.commands.clear();
        self.followed = self
            .followed
            .filter(|followed| followed.version.is_some())
            .map(|Followed { version, .. }| Followed { version, fingerprint: 0, said: None });
    }
}

impl PendingCommit {
    /// The same events without the user: those of the user's own task say nothing of what they were about, those
    /// of others name the user no more. Without a snapshot of its own, the commit tells the task as it is beside
    /// it.
    pub fn leave_out(&mut self, user: &Person) {
        let Some(snapshot) = &mut self.snapshot else { return };
        if snapshot.task.user_id.as_ref() == Some(user) {
            snapshot.erase();
            (self.origin, self.trace) = (erased_origin(), None);
        } else {
            snapshot.task = snapshot.task.without(user);
        }
    }

    /// Whether its events name the user.
    fn names(&self, user: &Person) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| snapshot.task.names(user))
    }
}

impl Snapshot {
    /// The same version of a task of which nothing is known but where it stands.
    pub fn erase(&mut self) {
        self.task = erased_task(self.task.status);
        self.alarms.clear();
    }
}

/// The flow that everything belongs to which is told of erased tasks.
pub fn erased_origin() -> Origin {
    let id = CorrelationId::parse("erased").expect("a word is a correlation id");
    Origin { correlation_id: Some(id), traceparent: None }
}

/// A task of which nothing is known but where it stands.
fn erased_task(status: Status) -> Task {
    let title = Title::parse(ERASED_TITLE).expect("a short line is a title");
    let fields = TaskFields {
        title,
        description: None,
        due_date: None,
        start: None,
        recurrence: None,
        priority: crate::task::Priority::default(),
        tags: Vec::new(),
        status,
        assignee: None,
        created_by: None,
        user_id: None,
        reminders: None,
    };
    Task::try_from(fields).expect("a title is all that a task must have")
}

/// Makes a task of the user's one of nobody's that is gone; one of somebody else's names the user no more.
pub fn decide_erase(state: &TaskState, user: &Person, now: Timestamp) -> Turn {
    if state.user() != Some(user) {
        return unname(state, user, now);
    }
    let mut change = gone::gone(state, now);
    let Change { state: next, snapshot, .. } = &mut change;
    next.blank();
    if let Some(snapshot) = snapshot {
        snapshot.erase();
    }
    Turn::Commit(Box::new(change))
}

/// The same task without the user's name. It is told as a change of the task: on a topic that keeps the last event
/// of each task, that one takes the place of those with the name.
fn unname(state: &TaskState, user: &Person, now: Timestamp) -> Turn {
    let named = state.live().is_some_and(|live| live.task.names(user));
    if !named && !state.pending.iter().any(|commit| commit.names(user)) {
        return gone::unchanged(state);
    }
    let mut next = TaskState { version: state.version + 1, updated_at: now, ..state.clone() };
    let mut facts = Vec::new();
    if let Lifecycle::Live(live) = &mut next.lifecycle
        && named
    {
        live.task = live.task.without(user);
        facts.extend([Fact::TaskUpdated { reason: UpdateReason::Replaced }, Fact::TaskSync]);
    }
    Turn::Commit(Box::new(gone::changed(next, facts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, CommandKind, IfPast, Put};
    use crate::decide::decide;
    use crate::event::Topic;
    use crate::ids::TaskId;

    const ADA: &str = "ada@example.org";

    fn person(name: &str) -> Person {
        Person::parse(name).unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }

    /// Who shall do it, who asked for it, and whose it is.
    fn task(assignee: &str, created_by: &str, user: &str) -> Task {
        let json = format!(
            r#"{{"title":"t","dueDate":"2027-06-01T09:00:00Z","assignee":"{assignee}","createdBy":"{created_by}","userId":"{user}"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn stored(task: Task) -> TaskState {
        let kind =
            CommandKind::Put(Box::new(Put { task, if_past: IfPast::Fire, restored: vec![] }));
        let origin = Origin::default();
        let command =
            Command { kind, id: None, fingerprint: 1, if_version: None, as_user: None, origin };
        let id = TaskId::parse("t").unwrap();
        match decide(&id, None, &command, None, now()).unwrap() {
            Turn::Commit(change) => change.state,
            Turn::Answer(_) => panic!("it is new"),
        }
    }

    fn erased(state: &TaskState) -> Option<Change> {
        match decide_erase(state, &person(ADA), now()) {
            Turn::Commit(change) => Some(*change),
            Turn::Answer(_) => None,
        }
    }

    #[test]
    fn a_task_of_somebody_elses_stays_and_names_the_user_no_more() {
        for (assignee, created_by) in [(ADA, "bob"), ("bob", ADA), (ADA, ADA)] {
            let before = stored(task(assignee, created_by, "bob"));
            let change = erased(&before).unwrap();
            let (old, new) = (before.live().unwrap(), change.state.live().unwrap());
            assert!(!new.task.names(&person(ADA)));
            assert_eq!(new.task.assignee.is_some(), assignee != ADA, "others are named as before");
            assert_eq!(new.task.created_by.is_some(), created_by != ADA);
            assert_eq!(new.task, old.task.without(&person(ADA)), "and nothing else goes");
            assert_eq!((&new.alarms, new.origin.clone()), (&old.alarms, old.origin.clone()));
            assert_eq!(change.state.version, before.version + 1);
            let told: Vec<Topic> = change.events.iter().map(crate::Event::topic).collect();
            assert_eq!(told, [Topic::TaskEvents, Topic::TaskUpdates]);
            assert!(erased(&change.state).is_none(), "once");
        }
        assert!(erased(&stored(task("bob", "eve", "bob"))).is_none());
    }

    #[test]
    fn what_waits_is_told_without_the_name_and_of_the_users_own_task_without_a_word() {
        let commit = |task: Task| {
            let state = stored(task);
            let snapshot = state.snapshot().map(Box::new);
            let (stamp, origin) = (crate::state::Stamp { epoch: 1, n: 1 }, Origin::default());
            let (incarnation, trace, events) = (None, None, Vec::new());
            PendingCommit { stamp, at: now(), origin, snapshot, incarnation, trace, events }
        };
        let mut of_bob = commit(task(ADA, "eve", "bob"));
        of_bob.leave_out(&person(ADA));
        let told = &of_bob.snapshot.as_ref().unwrap().task;
        assert_eq!(told.assignee, None);
        assert_eq!((told.title.as_str(), &told.created_by), ("t", &Some(person("eve"))));
        let mut of_ada = commit(task("bob", "bob", ADA));
        of_ada.leave_out(&person(ADA));
        let told = &of_ada.snapshot.as_ref().unwrap().task;
        assert_eq!((told.title.as_str(), &told.assignee), (ERASED_TITLE, &None));
        // It has come to somebody else meanwhile, who must not lose it.
        let mut state = stored(task("bob", "bob", "bob"));
        state.pending = vec![commit(task("bob", "bob", ADA))];
        let change = erased(&state).unwrap();
        assert_eq!(change.state.live(), state.live());
        assert!(change.events.is_empty() && change.state.version == state.version + 1);
    }
}
