//! What a user's token may call. A route that is not named here is for those who may see everything, so that
//! forgetting one shuts it rather than opens it.
//!
//! The table lets a call through to its handler; what belongs to whom is judged further in: tasks by the turn,
//! which is told on whose behalf it is asked ([`super::body::MethodBody`]), users of paths and of lists when
//! they are read ([`super::asked::Asked`]).

use super::answer::Refusal;
use super::observe::{Refuser, template};
use crate::tokens::Caller;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use reminder_contract::{Problem, ProblemKind};

/// The operations of the `OpenAPI` document that users may call.
pub(super) const FOR_USERS: &[(&str, &str)] = &[
    ("GET", "/v1/tasks"),
    ("GET", "/v1/reminders"),
    ("POST", "/v1/tasks:batch"),
    ("GET", "/v1/tasks/{taskId}"),
    ("PUT", "/v1/tasks/{taskId}"),
    ("PATCH", "/v1/tasks/{taskId}"),
    ("DELETE", "/v1/tasks/{taskId}"),
    ("POST", "/v1/tasks/{taskId}/complete"),
    ("POST", "/v1/tasks/{taskId}/reopen"),
    ("POST", "/v1/tasks/{taskId}/skip"),
    ("POST", "/v1/tasks/{taskId}/snooze"),
    ("POST", "/v1/tasks/{taskId}/acknowledge"),
    ("POST", "/v1/tasks/{taskId}/dismiss"),
    ("POST", "/v1/tasks/{taskId}/pause"),
    ("POST", "/v1/tasks/{taskId}/resume"),
    ("GET", "/v1/tasks/{taskId}/preview"),
    ("GET", "/v1/tasks/{taskId}/explain"),
    ("PUT", "/v1/tasks/{taskId}/reminders/{reminderId}"),
    ("DELETE", "/v1/tasks/{taskId}/reminders/{reminderId}"),
    ("GET", "/v1/tasks/{taskId}/calendar"),
    ("PUT", "/v1/tasks/{taskId}/calendar"),
    ("GET", "/v1/users/{userId}/preferences"),
    ("PUT", "/v1/users/{userId}/preferences"),
    ("GET", "/v1/users/{userId}/export"),
    ("POST", "/v1/users/{userId}/pause"),
    ("POST", "/v1/users/{userId}/resume"),
];

/// Where there is nothing, which everybody may be told.
const NOWHERE: &str = "/v1/{*path}";

const NOT_FOR_USERS: &str = "this is not for tokens of users: it takes REST_TOKEN, or a token with the scope of JWT_ADMIN_SCOPE";

/// Lets a call through that its caller may make.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let admitted = match request.extensions().get::<Caller>() {
        Some(Caller::Everything) => true,
        Some(Caller::User(_)) => is_for_users(&request),
        None => false,
    };
    if admitted {
        return next.run(request).await;
    }
    Refuser::Scope.refuses();
    Refusal(Problem::new(ProblemKind::Forbidden, NOT_FOR_USERS)).into_response()
}

fn is_for_users(request: &Request) -> bool {
    let matched = request.extensions().get::<MatchedPath>();
    let Some(route) = matched.map(MatchedPath::as_str) else { return false };
    let method = match request.method() {
        // Answered as a GET without its body.
        &Method::HEAD => "GET",
        method => method.as_str(),
    };
    route == NOWHERE || allows(method, &template(route, request.uri().path()))
}

fn allows(method: &str, operation: &str) -> bool {
    FOR_USERS.iter().any(|(verb, path)| *verb == method && *path == operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::rest::observe::USERS;
    use crate::http::rest::openapi;

    /// What is for those alone who may see everything.
    const NOT_FOR_USERS: &[(&str, &str)] =
        &[("DELETE", "/v1/users/{userId}"), ("GET", "/v1/users/{userId}/erasure")];

    /// A new operation is named in one of the tables, or this fails.
    #[test]
    fn it_was_decided_of_every_operation_whether_it_is_for_users() {
        let document = openapi::document();
        let mut told = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for verb in item.as_object().unwrap().keys() {
                told.push((verb.to_uppercase(), path.clone()));
            }
        }
        let mut decided: Vec<(String, String)> = FOR_USERS
            .iter()
            .chain(NOT_FOR_USERS)
            .map(|(verb, path)| ((*verb).to_owned(), (*path).to_owned()))
            .collect();
        told.sort();
        decided.sort();
        assert_eq!(told, decided);
    }

    #[test]
    fn what_is_not_named_is_not_for_users() {
        let of_user = |path| template(USERS, path);
        assert!(allows("GET", &of_user("/v1/users/a%2Fb/preferences")));
        assert!(allows("PUT", &of_user("/v1/users/a/b/preferences")));
        assert!(!allows("DELETE", &of_user("/v1/users/a/preferences")));
        assert!(!allows("DELETE", &of_user("/v1/users/a")));
        assert!(!allows("GET", &of_user("/v1/users/a/secrets")));
        assert!(!allows("GET", "/console/api/overview"));
    }
}
