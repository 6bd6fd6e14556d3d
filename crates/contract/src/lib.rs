//! What the service shows to the outside: names, topics, wire types.

pub mod names;
pub mod topics;
