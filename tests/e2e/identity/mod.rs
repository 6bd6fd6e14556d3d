//! Tokens of an identity provider on the real stack: which are taken, and what a user may see and do.

mod damaged;
mod invoked;
mod isolation;
pub(crate) mod provider;
#[path = "../../../src/tokens/tests/signer.rs"]
mod signer;
mod tokens;
