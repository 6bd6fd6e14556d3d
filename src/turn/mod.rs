//! The turn: load → decide → arm if near and earlier → commit → hand over events → answer.
//!
//! [`machine`] is the turn without I/O, [`driver`] runs it against the [`crate::ports`]; nothing
//! else in the service orchestrates. [`record`] is the stored form of a state, [`recovery`] what
//! happens to turns that ended in doubt, [`put_off`] to wakes of which too many come at once,
//! `presumption` what is guessed of a put, `recall` what is remembered of users, `shelf` of states,
//! [`schema`] which stored forms there are, [`oversight`] what operators are told of, [`firing`] what
//! they may stop.

pub mod cell;
pub mod draft;
pub mod driver;
pub mod effect;
pub mod firing;
pub mod machine;
mod measure;
pub mod oversight;
mod packed;
pub(crate) mod places;
mod presumption;
mod put_off;
mod recall;
pub mod record;
pub mod recovery;
pub mod schema;
pub mod settings;
mod shelf;
mod trace;
