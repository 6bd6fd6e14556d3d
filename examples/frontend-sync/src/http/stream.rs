//! The stream of news of one page: server-sent events, resumed by `Last-Event-ID`.

use super::{Front, refused};
use crate::feed::{Body, Message, MessageId};
use crate::hub::{Connection, Full, Sent};
use crate::load;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use reminder_contract::Problem;
use reminder_domain::ids::Person;
use reminder_member::clock;
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often a page hears that the connection lives, and what time it is. The page takes a connection
/// for dead that is silent for more than twice as long.
const BEAT: Duration = Duration::from_secs(10);

/// How long a browser waits before it comes back.
const RETRY: Duration = Duration::from_millis(500);

/// What the browser sends when it comes back.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Tells proxies of nginx's kind not to hold the stream back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Whose news, and where to go on.
#[derive(Deserialize)]
pub(super) struct Whose {
    user: Person,
    /// The same as `Last-Event-ID`, for a page that opens a new stream by itself.
    #[serde(default)]
    after: Option<String>,
}

/// Follows a user's tasks for as long as the page is there.
pub(super) async fn follow(
    State(front): State<Front>,
    query: Result<Query<Whose>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(Query(whose)) = query else {
        return refused(&Problem::invalid("user", "must be one line of at most 256 characters"));
    };
    // The header is the later one: the browser kept it up to date since the address was made.
    let header = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let after: Option<MessageId> =
        header.or(whose.after.as_deref()).and_then(|text| text.parse().ok());
    let user = whose.user.as_str();
    let connection = match front.hub.connect(user, after) {
        Ok(connection) => connection,
        Err(full @ (Full::Clients | Full::ClientsOfUser)) => {
            return refused(&Problem::overloaded(full.to_string()));
        }
        Err(Full::Closed) => return refused(&Problem::unavailable(Full::Closed.to_string())),
    };
    if connection.must_load {
        let (hub, sidecar) = (front.hub.clone(), front.sidecar.clone());
        tokio::spawn(load::until_loaded(hub, sidecar, user.to_owned()));
    }
    let fixed = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    (fixed, Sse::new(news(front, connection))).into_response()
}

/// What goes out on one connection.
struct News {
    front: Front,
    connection: Connection,
    first: VecDeque<Event>,
    beat: Interval,
}

fn news(front: Front, mut connection: Connection) -> impl Stream<Item = Result<Event, Infallible>> {
    let choices = &front.settings.snooze_choices;
    let hello = json!({ "now": clock::now(), "snoozeChoices": choices });
    let hello = event("hello", &hello.to_string()).retry(RETRY);
    let epoch = front.hub.epoch();
    let missed = std::mem::take(&mut connection.first);
    let missed = missed.into_iter().map(|message| told(epoch, &message));
    let first = std::iter::once(hello).chain(missed).collect();
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once, and the hello has said it.
    beat.reset();
    stream::unfold(News { front, connection, first, beat }, |mut news| async move {
        let event = news.next().await?;
        Some((Ok(event), news))
    })
}

impl News {
    async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.first.pop_front() {
            return Some(event);
        }
        tokio::select! {
            biased;
            sent = self.connection.queue.recv() => Some(match sent? {
                Sent::Message(message) => told(self.front.hub.epoch(), &message),
                Sent::Trouble(reason) => {
                    event("trouble", &json!({ "detail": &*reason }).to_string())
                }
            }),
            _ = self.beat.tick() => {
                Some(event("beat", &json!({ "now": clock::now() }).to_string()))
            }
        }
    }
}

fn told(epoch: crate::feed::Epoch, message: &Message) -> Event {
    let kind = match &*message.body {
        Body::Snapshot(_) => "snapshot",
        Body::Task(_) => "task",
        Body::Gone { .. } => "gone",
    };
    let id = MessageId { epoch, number: message.number };
    // Strings, numbers and lists always serialise.
    let data = serde_json::to_string(&*message.body).unwrap_or_default();
    event(kind, &data).id(id.to_string())
}

fn event(kind: &str, data: &str) -> Event {
    Event::default().event(kind).data(data)
}
