//! Events as others publish them.

use reminder_contract::incoming::{self, Incoming};
use reminder_domain::{Turn, decide, next_wake};

/// Any record of `task-events`: what it comes to, twice, and what is decided of it.
pub fn event(data: &[u8]) {
    let Ok(Incoming::Task(news)) = incoming::read(data) else { return };
    assert_eq!(
        incoming::read(data),
        Ok(Incoming::Task(news.clone())),
        "reading depends on nothing"
    );
    let decided = |state| decide(&news.task_id, state, &news.command, None, crate::now());
    let Ok(Turn::Commit(change)) = decided(None) else { return };
    let _ = next_wake(&change.state);
    crate::text::stored(&change.state);
    let again = decided(Some(&change.state));
    assert!(matches!(again, Ok(Turn::Answer(_))), "a redelivered event does something: {again:?}");
}
