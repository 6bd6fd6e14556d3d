//! A service around the scheduler.

use std::collections::BTreeMap;

use anyhow::Result;
use reminder_contract::names;

use super::tool;
use crate::manifest::Manifest;
use crate::member::Member;
use crate::probe;
use crate::process::Launch;

pub(super) fn launch(m: &Manifest, member: Member) -> Result<Launch> {
    Ok(Launch {
        program: tool(m.tools.members.get(&member), member.app_id())?,
        args: Vec::new(),
        env: environment(m, member)?,
        cwd: m.dir.clone(),
        ..Launch::default()
    })
}

/// What a member is configured by; the caller's own settings count more.
fn environment(m: &Manifest, member: Member) -> Result<BTreeMap<String, String>> {
    let ports = m.member(member)?;
    let mut env: BTreeMap<String, String> = [
        ("APP_HOST", "127.0.0.1".to_owned()),
        ("APP_PORT", ports.app_port.to_string()),
        ("DAPR_HTTP_PORT", ports.http_port.to_string()),
        ("DAPR_GRPC_PORT", ports.grpc_port.to_string()),
        ("STATE_STORE", names::MEMBERS_STATE_STORE.to_owned()),
        ("PUBSUB", names::PUBSUB.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(tokens) = &m.options.api_tokens {
        env.extend(tokens.dapr.clone().map(|token| ("DAPR_API_TOKEN".to_owned(), token)));
        env.extend(tokens.app.clone().map(|token| ("APP_API_TOKEN".to_owned(), token)));
    }
    env.extend(m.options.members.get(&member).into_iter().flat_map(|options| options.env.clone()));
    Ok(env)
}

pub(super) async fn is_ready(m: &Manifest, member: Member) -> bool {
    let Ok(ports) = m.member(member) else { return false };
    probe::ok(ports.app_port, names::READINESS_PATH, &[]).await
}
