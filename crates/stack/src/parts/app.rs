//! The service itself.

use std::collections::BTreeMap;

use anyhow::Result;
use reminder_contract::names;

use super::tool;
use crate::manifest::Manifest;
use crate::probe;
use crate::process::Launch;

pub(super) fn launch(m: &Manifest, number: u32) -> Result<Launch> {
    let program = tool(m.tools.app.as_ref(), "the service")?;
    Ok(Launch {
        program,
        args: vec!["serve".into()],
        env: environment(m, number)?,
        cwd: m.dir.clone(),
        ..Launch::default()
    })
}

/// What the service is configured by; the caller's own settings count more.
pub(crate) fn environment(m: &Manifest, number: u32) -> Result<BTreeMap<String, String>> {
    let replica = m.replica(number)?;
    let mut env: BTreeMap<String, String> = [
        ("APP_HOST", "127.0.0.1".to_owned()),
        ("APP_PORT", replica.app_port.to_string()),
        ("DAPR_HTTP_PORT", replica.http_port.to_string()),
        ("DAPR_GRPC_PORT", replica.grpc_port.to_string()),
        ("DATABASE_URL", m.database_url()),
        ("STATE_TABLE", names::STATE_TABLE.to_owned()),
        ("STATE_STORE", names::STATE_STORE.to_owned()),
        ("PUBSUB", names::PUBSUB.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(tokens) = &m.options.api_tokens {
        env.extend(tokens.dapr.clone().map(|token| ("DAPR_API_TOKEN".to_owned(), token)));
        env.extend(tokens.app.clone().map(|token| ("APP_API_TOKEN".to_owned(), token)));
    }
    env.extend(m.options.app_env.clone());
    env.extend(m.tools.app_env.clone());
    Ok(env)
}

pub(super) async fn is_ready(m: &Manifest, number: u32) -> bool {
    let Ok(replica) = m.replica(number) else { return false };
    probe::ok(replica.app_port, names::READINESS_PATH, &[]).await
}
