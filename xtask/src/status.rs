//! `cargo xtask status`: what runs, where, and whether it is well.

use anyhow::Result;
use chrono::{Local, Utc};
use clap::Args;
use reminder_stack::{PartStatus, Stack};

use crate::ui::{Style, Table};

#[derive(Args)]
#[command(after_help = "Exits with 0 only if every part is well.")]
pub(crate) struct Options {
    #[command(flatten)]
    instance: crate::Instance,
}

pub(crate) async fn run(options: &Options) -> Result<bool> {
    let parts = Stack::load(&options.instance.dir())?.status().await?;
    let mut table = Table::new(&["part", "pid", "ports", "healthy", "since"]);
    for part in &parts {
        table.row(row(part));
    }
    table.print();
    Ok(parts.iter().all(|part| part.healthy))
}

fn row(part: &PartStatus) -> Vec<(String, Option<Style>)> {
    let ports: Vec<String> =
        part.ports.iter().map(|(name, port)| format!("{name} {port}")).collect();
    let (health, style) = match (part.pid, part.healthy) {
        (None, _) => ("down", Style::Quiet),
        (Some(_), true) => ("yes", Style::Good),
        (Some(_), false) => ("no", Style::Bad),
    };
    let since = part.since.map(|since| {
        let minutes = (Utc::now() - since).num_minutes();
        format!("{} ({minutes} min)", since.with_timezone(&Local).format("%H:%M:%S"))
    });
    vec![
        (part.part.to_string(), Some(Style::Strong)),
        (part.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()), None),
        (ports.join(", "), None),
        (health.to_owned(), Some(style)),
        (since.unwrap_or_else(|| "-".to_owned()), None),
    ]
}
