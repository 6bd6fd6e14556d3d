//! Users: the turn of a `UserActor`, far smaller than that of a task: load → decide → commit.
//!
//! Nothing of a user is published, armed or remembered between turns. What follows from a change,
//! looking at the user's tasks again, is the [`crate::audit`]'s: it sees from the rows which tasks
//! are outdated, so nothing has to be handed over that could get lost.

pub mod record;
pub mod turns;
