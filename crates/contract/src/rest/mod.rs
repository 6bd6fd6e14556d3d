//! What the REST edge has beside the bodies of the actor methods: headers, media types, pages, batches.

mod batch;
mod batch_items;
mod components;
mod erasure;
mod export;
mod list;
mod operations;
pub(crate) mod shown;

pub use batch::{Batch, BatchAnswer, BatchItem, BatchMethod, BatchResult};
pub use batch_items::{UnreadItem, parse_batch};
pub use components::components;
pub use erasure::ErasureView;
pub use export::{EXPORT_FORMAT, ExportLine, JSON_LINES};
pub use list::{Page, ReminderItem, ReminderStatus, StatusFilter, TaskItem};
pub use operations::{OPERATIONS, Operation, find_operation};

/// Names a command, so that it is applied once however often it is sent; the `commandId` of the actor API.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Names the flow that a command belongs to; the `correlationId` of the actor API.
pub const CORRELATION_ID: &str = "x-correlation-id";

/// The W3C trace context.
pub const TRACEPARENT: &str = "traceparent";

/// The media type of bodies, unless said otherwise.
pub const JSON: &str = "application/json";

/// The media type of a `PATCH`: JSON Merge Patch, RFC 7396.
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// The media type of a calendar, RFC 5545.
pub const CALENDAR: &str = "text/calendar";

/// Most entries of a page.
pub const PAGE_MAX: usize = 200;

/// Entries of a page unless asked otherwise.
pub const PAGE_DEFAULT: usize = 50;

/// Most commands of a batch.
pub const BATCH_MAX: usize = 1_000;

/// Largest body of a batch, in bytes.
pub const BATCH_MAX_BYTES: usize = 8 * 1024 * 1024;

/// How deep the JSON of a body may be nested.
pub const JSON_DEPTH_MAX: usize = 32;
