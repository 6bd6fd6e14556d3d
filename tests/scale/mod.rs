//! Many tasks in the read model, every question that is asked of it, and the server's own account of
//! how it answered each. Shared by `tests/postgres` and `benches/index`.

pub(crate) mod explain;
pub(crate) mod fill;
pub(crate) mod questions;
