//! A service around the scheduler.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use reminder_contract::names;

use super::tool;
use crate::files;
use crate::manifest::Manifest;
use crate::member::Member;
use crate::probe;
use crate::process::Launch;

/// How long a secret of a member is, before it is written in hexadecimal. That is base64 as well, of
/// half as many bytes more.
const SECRET_BYTES: usize = 24;

/// What a webhook secret begins with.
const WEBHOOK_SECRET_PREFIX: &str = "whsec_";

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
    // What the scheduler was told to ask of its callers, they are told to show it.
    let asked = m.options.app_env.get("REST_TOKEN").cloned();
    env.extend(asked.map(|token| ("SCHEDULER_TOKEN".to_owned(), token)));
    if member == Member::NotificationService {
        env.extend(notification(m, ports.app_port)?);
    }
    env.extend(m.options.members.get(&member).into_iter().flat_map(|options| options.env.clone()));
    Ok(env)
}

/// Here everything is on one machine, webhooks too; and who tries what happens when nobody answers
/// does not want to wait for an hour.
fn notification(m: &Manifest, app_port: u16) -> Result<Vec<(String, String)>> {
    let settings = [
        ("PUBLIC_URL", format!("http://127.0.0.1:{app_port}")),
        ("LINK_KEY_FILE", secret(m, "link-key", "")?),
        ("WEBHOOK_SECRET_FILE", secret(m, "webhook-secret", WEBHOOK_SECRET_PREFIX)?),
        ("ALLOW_PRIVATE_WEBHOOKS", "true".to_owned()),
        ("ATTEMPT_DEADLINE", "3s".to_owned()),
        ("ATTEMPTS_MAX", "4".to_owned()),
        ("RETRY_BASE", "500ms".to_owned()),
        ("RETRY_CAP", "2s".to_owned()),
        ("LIST_INTERVAL", "2s".to_owned()),
    ];
    Ok(settings.map(|(name, value)| (name.to_owned(), value)).into())
}

/// The file of a secret, made when it is first asked for: links outlive a restart.
fn secret(m: &Manifest, name: &str, prefix: &str) -> Result<String> {
    let file: PathBuf = m.dir.join(format!("{}-{name}", Member::NotificationService));
    if !file.exists() {
        let secret = format!("{prefix}{}", files::random_hex(SECRET_BYTES)?);
        files::write_secret(&file, secret.as_bytes())?;
    }
    Ok(file.to_string_lossy().into_owned())
}

pub(super) async fn is_ready(m: &Manifest, member: Member) -> bool {
    let Ok(ports) = m.member(member) else { return false };
    probe::ok(ports.app_port, names::READINESS_PATH, &[]).await
}
