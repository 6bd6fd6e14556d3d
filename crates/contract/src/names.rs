//! The names that code, components, manifests and tests share; each is written here once.

/// The Dapr app id. It is part of every state key: changing it orphans the stored tasks.
pub const APP_ID: &str = "reminder-scheduler";

/// The Dapr app id of the service that owns the tasks.
pub const TODO_API_APP_ID: &str = "todo-api";

/// The Dapr app id of the service that delivers what fired.
pub const NOTIFICATION_APP_ID: &str = "notification-service";

/// The Dapr app id of the service behind live front ends.
pub const FRONTEND_APP_ID: &str = "frontend-sync";

/// The actor type. It is part of every state key and of every registered reminder.
pub const ACTOR_TYPE: &str = "TaskActor";

/// The actor type of users; it is part of every state key too.
pub const USER_ACTOR_TYPE: &str = "UserActor";

/// The one state key of a user's actor.
pub const USER_STATE_KEY: &str = "user";

/// The one state key of an actor.
pub const STATE_KEY: &str = "task";

/// The one Dapr reminder of an actor.
pub const WAKE_REMINDER: &str = "wake";

/// The pub/sub component.
pub const PUBSUB: &str = "kafka-pubsub";

/// The component that `events tail` subscribes with: the same broker, and a consumer group that nobody
/// else is in.
pub const TAIL_PUBSUB: &str = "kafka-tail";

/// The actor state store component.
pub const STATE_STORE: &str = "postgresql-statestore";

/// The state store component of the services around the scheduler. It hosts no actors.
pub const MEMBERS_STATE_STORE: &str = "members-statestore";

/// The `tablePrefix` of [`MEMBERS_STATE_STORE`].
pub const MEMBERS_STATE_TABLE_PREFIX: &str = "members_";

/// The secret store component the others take their credentials from.
pub const SECRET_STORE: &str = "local-secrets";

/// The table the state store keeps actors in: its `tablePrefix` followed by `state`.
pub const STATE_TABLE: &str = "reminder_state";

/// The state store's `tablePrefix`.
pub const STATE_TABLE_PREFIX: &str = "reminder_";

/// The table the state store keeps its own bookkeeping in.
pub const STATE_METADATA_TABLE: &str = "reminder_dapr_metadata";

/// Domain events of tasks, shared with the todo-api.
pub const TASK_EVENTS: &str = "task-events";

/// What happened to reminders: scheduled, triggered, removed.
pub const REMINDERS: &str = "reminders";

/// Snapshots for live front ends.
pub const TASK_UPDATES: &str = "task-updates";

/// The dead-letter topic of [`TASK_EVENTS`].
pub const TASK_EVENTS_DLQ: &str = "task-events-dlq";

/// The dead-letter topic of [`REMINDERS`].
pub const REMINDERS_DLQ: &str = "reminders-dlq";

/// The dead-letter topic of [`TASK_UPDATES`].
pub const TASK_UPDATES_DLQ: &str = "task-updates-dlq";

/// Where the sidecar delivers the records of [`TASK_EVENTS`].
pub const TASK_EVENTS_ROUTE: &str = "/subscriptions/task-events";

/// The database the local stack creates.
pub const DATABASE: &str = "reminders";

/// The port the service listens on unless told otherwise.
pub const DEFAULT_APP_PORT: u16 = 8080;

/// The sidecar's usual HTTP port.
pub const DEFAULT_DAPR_HTTP_PORT: u16 = 3500;

/// The sidecar's usual gRPC port.
pub const DEFAULT_DAPR_GRPC_PORT: u16 = 50001;

/// The sidecar's `--max-body-size`. Dapr's default of 4 MiB is less than the state of a large task
/// whose events wait for the broker: 64 KiB, a hundred times, and the events themselves.
pub const SIDECAR_MAX_BODY_SIZE: &str = "16Mi";

/// The sidecar's `--app-max-concurrency`: calls of the service at the same time. The sidecar opens at
/// most 1024 connections and asks for the service's health over the same ones. When a herd of wakes
/// has them all, it takes the service for dead, over and over, and nothing fires.
pub const SIDECAR_APP_MAX_CONCURRENCY: u32 = 768;

/// The sidecar's environment variable `GOGC`, with its value: the share of the living heap in percent that may
/// be allocated until it is looked through again. By Go's default of 100 the sidecar spends a fifth of its
/// time on that. `GOMEMLIMIT` bounds what it takes for it.
pub const SIDECAR_GOGC: (&str, &str) = ("GOGC", "400");

/// The header in which sidecar and application show each other their token.
pub const SIDECAR_TOKEN_HEADER: &str = "dapr-api-token";

/// What Dapr's app health check asks.
pub const APP_HEALTH_PATH: &str = "/healthz";

/// Answers as long as the process runs.
pub const LIVENESS_PATH: &str = "/livez";

/// Answers 200 once the service can take commands.
pub const READINESS_PATH: &str = "/readyz";

/// Answers with the metrics of the process.
pub const METRICS_PATH: &str = "/metrics";
