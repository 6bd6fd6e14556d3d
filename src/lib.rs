//! A durable, actor-based reminder scheduler on Dapr.
//!
//! Data flows one way: `http | dapr::inbound → Command → domain → turn → ports → dapr::outbound`.
//!
//! | Module | Holds |
//! |---|---|
//! | [`turn`] | the turn machine, its driver, and what happens to turns that end in doubt |
//! | [`users`] | the turn of a user, which is smaller |
//! | [`outbox`] | events on their way to the broker: lanes, backoff, watermark |
//! | [`audit`] | the sweep that registers near wakes, the audit that heals |
//! | [`ports`] | what a turn needs of the world outside |
//! | [`dapr`] | the sidecar, both ways; the only module that names the SDK |
//! | [`quota`] | how many open tasks and commands a minute a user may have |
//! | [`read_model`] | the fence, `task_index` and `user_index`: migration and queries |
//! | [`dead_letters`] | what consumers could not handle: what a letter is, and what is sent again |
//! | [`http`] | the outer server and its probes |
//! | [`firing`] | the operator's switch that stops reminders from firing |
//! | [`cli`] | commands for operators |
//! | [`tokens`] | the tokens that callers show, verified by the keys of an identity provider |
//! | [`config`], [`telemetry`], [`metrics`], [`clock`] | settings, logs, metrics, the one place that reads the clock |
//! | [`watch`] | notices that the sidecar has stopped delivering, and has it subscribe anew |
//! | [`retention`], [`erasure`] | what is over goes for good; everything of one user goes |
//! | [`serve`] | wiring |

pub mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dapr;
pub mod dead_letters;
pub mod erasure;
pub mod firing;
pub mod http;
pub mod ingest;
pub mod metrics;
pub mod outbox;
#[doc(hidden)]
pub mod planted;
pub mod ports;
pub mod quota;
pub mod read_model;
mod repair;
pub mod retention;
pub mod serve;
pub mod telemetry;
pub mod tokens;
pub mod turn;
pub mod users;
pub mod watch;
