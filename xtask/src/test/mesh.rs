//! The stack for the tests of all services together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use reminder_stack::{Member, MemberOptions, Options, ports};

/// Names the stack for the tests.
pub(super) const VARIABLE: &str = "MESH_INSTANCE";

/// What direct callers of the scheduler show, such as the console in the browser.
const REST_TOKEN: &str = "mesh-rest-token";

/// The stack with all members. Their logs are looked into, and so are their spans: one of the tests
/// listens where they are sent. Others listen for e-mails.
pub(super) fn options(ours: Options, built: &BTreeMap<Member, PathBuf>) -> Result<Options> {
    let picked = <[u16; 2]>::try_from(ports::pick(2, &[])?).ok().context("no free ports")?;
    let [spans, mails] = picked;
    let told = [
        ("LOG_FORMAT", "json".to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{spans}")),
        ("RUST_LOG", "info,reminder_scheduler::turn=debug".to_owned()),
    ];
    let told = told.map(|(name, value)| (name.to_owned(), value));
    let members = Member::ALL.map(|member| {
        let binary = built.get(&member).cloned();
        let smtp = ("SMTP_URL".to_owned(), format!("smtp://127.0.0.1:{mails}"));
        let env = told.iter().cloned().chain([smtp]).collect();
        (member, MemberOptions { binary, env })
    });
    let mut app_env = ours.app_env.clone();
    app_env.extend(told);
    let console = [("CONSOLE", "act"), ("REST_TOKEN", REST_TOKEN)];
    app_env.extend(console.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let instance = format!("{}-mesh", ours.instance);
    Ok(Options { instance, app_env, members: members.into(), ..ours })
}
