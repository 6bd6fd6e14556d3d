//! The sidecar as we call it: actor state, reminders, publishing, other actors.
//!
//! It uses the SDK's generated client, not its convenience layer: that one refuses sub-second due
//! times, and its errors hide the gRPC status and with it the fence's SQLSTATE.

mod actors;
mod broker;
mod canary;
pub(crate) mod ingest;
mod inspect;
mod jobs;
mod letters;
mod reminders;
mod state;
mod tail;

pub use inspect::{ActorFacts, Component, PROBE_TOPIC, SidecarFacts, Silence, Subscription};
pub use tail::Tail;

use crate::config::{Secret, SidecarConfig};
use crate::ports::CallError;
use dapr::client::{ApiTokenInterceptor, TonicClientWithAuth};
use dapr::dapr::proto::runtime::v1::GetMetadataRequest;
use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tonic::transport::Endpoint;
use tonic::{Request, Response, Status};

/// How long the sidecar may take to accept a connection.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);
/// How often an idle connection is checked, so that a dead sidecar is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Largest message either way. The largest task with a hundred pending snapshots stays below it;
/// the sidecar's own limit is set to the same (`--max-body-size 16Mi`).
const MESSAGE_MAX_BYTES: usize = 16 * 1024 * 1024;
/// How long the sidecar may take to tell about itself.
const METADATA_DEADLINE: Duration = Duration::from_secs(3);

/// The sidecar.
#[derive(Clone, Debug)]
pub struct Sidecar {
    client: TonicClientWithAuth,
    state_store: String,
    pubsub: String,
    /// How many answers have come from the state store.
    state_answers: Arc<AtomicU64>,
}

impl Sidecar {
    /// Prepares the connection; it is made with the first call and again whenever it is lost.
    ///
    /// # Errors
    /// When the token cannot be sent as a header.
    pub fn new(config: &SidecarConfig) -> Result<Self, CallError> {
        let token = config.token.as_ref().map(|token| Secret::expose(token).to_owned());
        let interceptor = ApiTokenInterceptor::try_new(token).map_err(|_| {
            CallError("DAPR_API_TOKEN has characters that no header may hold".into())
        })?;
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{}", config.grpc_port))
            .map_err(|error| CallError(error.to_string()))?
            .connect_timeout(CONNECT_DEADLINE)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .tcp_nodelay(true)
            .connect_lazy();
        let client = DaprClient::with_interceptor(channel, interceptor)
            .max_decoding_message_size(MESSAGE_MAX_BYTES)
            .max_encoding_message_size(MESSAGE_MAX_BYTES);
        let (state_store, pubsub) = (config.state_store.clone(), config.pubsub.clone());
        Ok(Self { client, state_store, pubsub, state_answers: Arc::default() })
    }

    /// Asks the sidecar about itself, which shows that it is there and takes our token.
    ///
    /// # Errors
    /// Says what kept it from answering.
    pub async fn ping(&self) -> Result<(), CallError> {
        let mut client = self.client.clone();
        let request = request(GetMetadataRequest {}, METADATA_DEADLINE);
        within(METADATA_DEADLINE, client.get_metadata(request)).await.map_err(failed)?;
        Ok(())
    }
}

/// A request that tells the sidecar, too, when we stop waiting.
fn request<T>(message: T, deadline: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    request
}

/// Waits for a call until its deadline.
async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Status> {
    match tokio::time::timeout(deadline, call).await {
        Ok(answer) => answer.map(Response::into_inner),
        Err(_) => Err(Status::deadline_exceeded(format!("no answer within {deadline:?}"))),
    }
}

/// Words a failed call.
#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
fn failed(status: Status) -> CallError {
    CallError(format!("{:?}: {}", status.code(), status.message()))
}
