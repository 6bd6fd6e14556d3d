//! The stack for the tests of all services together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use reminder_stack::{Member, MemberOptions, Options, ports};

/// Names the stack for the tests.
pub(super) const VARIABLE: &str = "MESH_INSTANCE";

/// The stack with all members. Their logs are looked into, and so are their spans: one of the tests
/// listens where they are sent.
pub(super) fn options(ours: Options, built: &BTreeMap<Member, PathBuf>) -> Result<Options> {
    let port = ports::pick(1, &[])?.first().copied().context("there is no free port")?;
    let told = [
        ("LOG_FORMAT", "json".to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}")),
        ("RUST_LOG", "info,reminder_scheduler::turn=debug".to_owned()),
    ];
    let told = told.map(|(name, value)| (name.to_owned(), value));
    let members = Member::ALL.map(|member| {
        let binary = built.get(&member).cloned();
        (member, MemberOptions { binary, env: told.clone().into() })
    });
    let mut app_env = ours.app_env.clone();
    app_env.extend(told);
    let instance = format!("{}-mesh", ours.instance);
    Ok(Options { instance, app_env, members: members.into(), ..ours })
}
