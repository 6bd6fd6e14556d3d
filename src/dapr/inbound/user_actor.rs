//! The `UserActor` as the SDK sees it: it parses, asks for a turn, and words the answer.

use super::argument::argument;
use super::flow::complete;
use super::registry::{Hosted, Registry};
use super::reply;
use crate::ports::Progress;
use crate::users::turns::{UserCell, UserReply, UserRequest, UserTurns};
use async_trait::async_trait;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;
use dapr::server::actor::runtime::ActorTypeRegistration;
use dapr::server::actor::{Actor, ActorError};
use dapr_macros::actor;
use reminder_contract::names::USER_ACTOR_TYPE;
use reminder_contract::user_id::from_actor_id;
use reminder_contract::wire::{self, Method, UserAnswer, UserPaused, UserTasks, UserView};
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::ids::Person;
use reminder_domain::user::UserCommand;
use std::borrow::Cow;
use std::sync::Arc;

/// One user.
#[actor]
#[derive(Debug)]
pub struct UserActor {
    id: String,
    /// The refusal, when the id is not that of a user.
    cell: Result<Arc<UserCell>, Problem>,
    turns: Arc<UserTurns>,
    registry: Arc<Registry<UserActor>>,
}

/// Nothing is remembered between turns.
impl Hosted for UserActor {
    fn forget(&self) {}
}

/// Tells the SDK of the actor and its methods.
pub fn registration(
    turns: Arc<UserTurns>,
    registry: Arc<Registry<UserActor>>,
) -> ActorTypeRegistration {
    let factory = move |_: &str, id: &str, _| -> Arc<dyn Actor> {
        registry.activate(id, || UserActor {
            id: id.to_owned(),
            cell: from_actor_id(id).map(UserCell::new),
            turns: Arc::clone(&turns),
            registry: Arc::clone(&registry),
        })
    };
    ActorTypeRegistration::new::<UserActor>(USER_ACTOR_TYPE, Box::new(factory))
        .register_method("get", UserActor::get)
        .register_method("put", UserActor::put)
        .register_method(Method::Pause.as_str(), UserActor::pause)
        .register_method(Method::Resume.as_str(), UserActor::resume)
}

impl UserActor {
    async fn get(&self, body: Bytes) -> Response {
        self.answer(wire::parse_nothing(&argument(body)).map(|()| UserRequest::Get)).await
    }

    async fn put(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(wire::parse_user_put(&argument(body)), &headers).await
    }

    async fn pause(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(wire::parse_user_pause(&argument(body)), &headers).await
    }

    async fn resume(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.command(wire::parse_user_resume(&argument(body)), &headers).await
    }

    async fn command(
        &self,
        command: Result<UserCommand, Problem>,
        headers: &HeaderMap,
    ) -> Response {
        let request = command.map(|mut command| {
            complete(&mut command.origin, headers);
            UserRequest::Command(Box::new(command))
        });
        self.answer(request).await
    }

    /// Everything after the parsing. It copies what it needs first and does not touch `self` after
    /// that: see [`super::registry`].
    async fn answer(&self, request: Result<UserRequest, Problem>) -> Response {
        let (cell, turns) = (self.cell.clone(), Arc::clone(&self.turns));
        let (cell, request) = match (cell, request) {
            (Ok(cell), Ok(request)) => (cell, request),
            (Err(problem), _) => return reply::refusal(&problem),
            (Ok(cell), Err(problem)) => {
                return reply::refusal(&problem.with_user_id(cell.user()));
            }
        };
        match written(cell.user(), turns.run(&cell, request).await) {
            Ok(body) => reply::answer(body),
            Err(problem) => reply::refusal(&problem.with_user_id(cell.user())),
        }
    }
}

fn written(user: &Person, reply: UserReply) -> Result<Vec<u8>, Problem> {
    match reply {
        UserReply::View(known, progress) => {
            Ok(UserView::new(user, &known, tasks(progress)).to_json())
        }
        UserReply::Answer(version) => {
            Ok(UserAnswer { user_id: Cow::Borrowed(user), version }.to_json())
        }
        UserReply::Paused(version, paused_since, progress) => {
            let tasks = tasks(progress);
            let user_id = Cow::Borrowed(user);
            Ok(UserPaused { user_id, version, paused_since, tasks }.to_json())
        }
        UserReply::Rejected(rejection) => Err(Problem::from(rejection)),
        UserReply::Overloaded(reason) => Err(Problem::new(ProblemKind::Overloaded, reason)),
        UserReply::Unreadable(why) => Err(reply::unreadable(&why)),
        UserReply::Unavailable(reason) => {
            tracing::warn!(reason, "a user's turn could not be done");
            Err(Problem::new(ProblemKind::Unavailable, reply::REPEAT_IT))
        }
    }
}

fn tasks(Progress { open, outdated }: Progress) -> UserTasks {
    UserTasks { open, outdated }
}

#[async_trait]
impl Actor for UserActor {
    async fn on_activate(&self) -> Result<(), ActorError> {
        Ok(())
    }

    /// Returns at once: the sidecar holds a lock of the whole actor type meanwhile.
    async fn on_deactivate(&self) -> Result<(), ActorError> {
        self.registry.deactivate(&self.id);
        Ok(())
    }

    /// Users have no reminders; 200 makes one go away that somebody else registered.
    async fn on_reminder(&self, _name: &str, _data: Vec<u8>) -> Result<(), ActorError> {
        Ok(())
    }

    async fn on_timer(&self, _name: &str, _data: Vec<u8>) -> Result<(), ActorError> {
        Ok(())
    }
}
