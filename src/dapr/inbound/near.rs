//! Tasks follow events: those that live here by a turn in this process, others by a call.
//!
//! A call takes the sidecar and this process longer than the turn itself, and only tells where the actor
//! lives. That is known already of one which the sidecar has activated here and not let go of. It is no
//! promise: the actor may be on its way to another replica. But the sidecar refuses writes of an actor
//! that it does not have (`TransactionalStateOperation` in its `pkg/actors/state/state.go`), and the fence
//! refuses those that come too late, as with any turn that is under way when an actor moves. Turns of one
//! actor have one lock in this process, whoever asked for them. What could not be followed here is asked of the
//! sidecar when it comes again.

use super::actor::{TaskActor, Turns, written};
use super::flow::complete;
use super::registry::Registry;
use crate::dapr::outbound::Sidecar;
use crate::dapr::outbound::ingest::{TURN_DEADLINE, not_followed};
use crate::ingest::ports::{DeadLetters, Followed, Letter, NotFollowed, Tasks};
use crate::ports::CallError;
use crate::turn::cell::Cell;
use crate::turn::effect::{Reply, Request};
use async_trait::async_trait;
use axum::http::HeaderMap;
use reminder_contract::incoming::TaskNews;
use reminder_domain::TaskId;
use std::sync::Arc;

/// The tasks, with a shorter way to those that live here.
pub struct NearTasks {
    sidecar: Arc<Sidecar>,
    turns: Arc<Turns>,
    actors: Arc<Registry<TaskActor>>,
}

impl NearTasks {
    /// The tasks of this sidecar; `actors` are those that it has here.
    pub fn new(sidecar: Arc<Sidecar>, turns: Arc<Turns>, actors: Arc<Registry<TaskActor>>) -> Self {
        Self { sidecar, turns, actors }
    }

    async fn follow_here(
        &self,
        cell: &Arc<Cell>,
        news: &TaskNews,
    ) -> Result<Followed, NotFollowed> {
        let mut command = news.command.clone();
        complete(&mut command.origin, &HeaderMap::new());
        let turn = self.turns.run(cell, Request::Command(Box::new(command)));
        match tokio::time::timeout(TURN_DEADLINE, turn).await {
            Ok(reply) => followed(cell.id(), reply),
            Err(_) => Err(NotFollowed::Transient(format!("no answer within {TURN_DEADLINE:?}"))),
        }
    }
}

fn followed(id: &TaskId, reply: Reply) -> Result<Followed, NotFollowed> {
    match reply {
        Reply::Answer(answer) if answer.created.is_some() => Ok(Followed::Applied),
        Reply::Answer(_) => Ok(Followed::Known),
        reply => match written(id, reply) {
            Ok(_) => Err(NotFollowed::Transient("an answer to another question".into())),
            Err(problem) => Err(not_followed(&problem.type_uri, problem.detail.clone())),
        },
    }
}

#[async_trait]
impl Tasks for NearTasks {
    async fn follow(&self, news: &TaskNews, event: &[u8]) -> Result<Followed, NotFollowed> {
        let id = news.task_id.as_str();
        let here = self.actors.active(id);
        let Some(cell) = here.as_ref().and_then(|actor| actor.cell()) else {
            return self.sidecar.follow(news, event).await;
        };
        let followed = self.follow_here(cell, news).await;
        if matches!(followed, Err(NotFollowed::Transient(_))) {
            // The next attempt asks the sidecar, which knows where the actor lives.
            self.actors.doubt(id);
        }
        followed
    }
}

#[async_trait]
impl DeadLetters for NearTasks {
    async fn bury(&self, letter: Letter) -> Result<(), CallError> {
        self.sidecar.bury(letter).await
    }
}

impl std::fmt::Debug for NearTasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NearTasks").finish_non_exhaustive()
    }
}
