//! Whole runs of the service in a simulated world.
//!
//! The code under test is the service's own: the driver with the turn machine and the core, the outbox
//! and its publisher, the recovery queue, the sweep, the audit, the refresh. Around it is a world in
//! memory: a state store with the fence, a read model, a scheduler, a broker, sidecars that find actors
//! on several hosts. Time is tokio's, paused: it jumps to the next thing that happens. Everything that
//! falls to chance is a hash of one seed, so a seed is a run, every time.
//!
//! | Module | Holds |
//! |---|---|
//! | [`plan`], [`workload`] | what a run is made of: settings, commands, faults |
//! | [`world`] | what the processes share, and how calls go wrong |
//! | [`judge`], [`near`] | what must hold, after every step and in the end |
//! | [`run`](mod@run), [`many`], [`shrink`](mod@shrink) | one run; many; a failing plan made smaller |
//! | [`dice`] | chance |

pub mod dice;
pub mod judge;
pub mod many;
pub mod near;
pub mod plan;
pub mod run;
pub mod shrink;
pub mod workload;
pub mod world;
