//! What is asked on behalf of a user, to whom tasks of others are not there.
//!
//! A command says itself on whose behalf it is, and its decision judges it. A question is judged here, and so is
//! what anybody asks of a task whose state cannot be used: the state cannot say whose it is, but the index still
//! knows, from the last commit that came through.

use super::actor::{Turns, written};
use crate::clock::{Clock, SystemClock};
use crate::turn::effect::{Reply, Request};
use reminder_contract::Problem;
use reminder_contract::wire::{
    CalendarView, ExplanationView, PreviewView, Query, Question, TaskView,
};
use reminder_domain::decide::not_there;
use reminder_domain::ids::Person;
use reminder_domain::{Rejection, TaskId};

/// On whose behalf something is asked.
pub(super) struct Behalf {
    user: Person,
    /// What that user is told where there is no such task.
    not_there: Rejection,
}

impl Behalf {
    /// Of a request that `asks` sends, or that is a command of somebody's; `None`: everything may be known.
    pub(super) fn of(id: &TaskId, request: &Request, asks: Option<Person>) -> Option<Self> {
        let (user, not_there) = match request {
            Request::Command(command) => (command.as_user.clone()?, not_there(id, command)),
            _ => (asks?, Rejection::UnknownTask(id.clone())),
        };
        Some(Self { user, not_there })
    }

    /// The reply, unless it tells of a task that is not this user's.
    pub(super) async fn judge(self, turns: &Turns, id: &TaskId, reply: Reply) -> Reply {
        if !matches!(reply, Reply::Unreadable(_)) {
            return reply;
        }
        match turns.owner(id).await {
            Ok(owner) if owner.as_ref() == Some(&self.user) => reply,
            Ok(_) => Reply::Rejected(self.not_there),
            Err(error) => Reply::Unavailable(error.0),
        }
    }
}

/// The answer to a question about the task.
pub(super) fn shown(id: &TaskId, reply: Reply, question: &Question) -> Result<Vec<u8>, Problem> {
    let Reply::View(state) = reply else { return written(id, reply) };
    if question.as_user.as_ref().is_some_and(|user| state.owner() != Some(user)) {
        return Err(Problem::from(Rejection::UnknownTask(id.clone())));
    }
    let state = Some(&*state);
    match &question.query {
        Query::Get => Ok(TaskView::new(id, state)?.to_json()),
        Query::ExportCalendar => Ok(CalendarView::new(id, state, SystemClock.now())?.to_json()),
        Query::Preview { count } => {
            Ok(PreviewView::new(id, state, SystemClock.now(), *count)?.to_json())
        }
        Query::Explain { reminder_id, scheduled_for } => {
            let now = SystemClock.now();
            Ok(ExplanationView::new(id, state, reminder_id, *scheduled_for, now)?.to_json())
        }
    }
}
