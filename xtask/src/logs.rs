//! `cargo xtask logs`: the logs of the stack's parts.

use std::io::{ErrorKind, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use reminder_stack::{Part, Stack, logs};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::ui::{Style, paint};

/// Between two looks at a log that is followed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask logs                  the last lines of every part
  cargo xtask logs app -f           follow the service
  cargo xtask logs sidecar-2 -n 200")]
pub(crate) struct Options {
    #[command(flatten)]
    instance: crate::Instance,

    /// postgres, kafka, placement, scheduler, sidecar[-N], app[-N], or an example
    /// service such as todo-api or todo-api-sidecar; all of them if none is given
    part: Option<Part>,

    /// Go on with what is written from now on
    #[arg(short, long)]
    follow: bool,

    /// Lines of each log to begin with
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    lines: usize,
}

pub(crate) async fn run(options: &Options) -> Result<bool> {
    let stack = Stack::load(&options.instance.dir())?;
    let parts = match options.part {
        Some(part) => vec![part],
        None => stack.manifest()?.parts(),
    };
    let width = parts.iter().map(|part| part.to_string().len()).max().unwrap_or_default();
    let several = parts.len() > 1;
    let mut followed = Vec::new();
    for part in parts {
        let path = logs::path(stack.dir(), part);
        let prefix =
            if several { paint(Style::Strong, format!("{part:<width$} ")) } else { String::new() };
        match logs::tail(&path, options.lines) {
            Ok(lines) => lines.iter().for_each(|line| println!("{prefix}{line}")),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("{prefix}{}", paint(Style::Quiet, "has no log yet"));
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        }
        followed.push(Follower::at_end(path, prefix).await);
    }
    if !options.follow {
        return Ok(true);
    }
    loop {
        for follower in &mut followed {
            follower.print_new().await?;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Where we are in a log.
struct Follower {
    path: PathBuf,
    prefix: String,
    position: u64,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
}

impl Follower {
    async fn at_end(path: PathBuf, prefix: String) -> Self {
        let position = length(&path).await;
        Self { path, prefix, position, rest: Vec::new() }
    }

    async fn print_new(&mut self) -> Result<()> {
        let length = length(&self.path).await;
        if length < self.position {
            // A new file has taken its place.
            self.position = 0;
            self.rest.clear();
        }
        if length == self.position {
            return Ok(());
        }
        let mut file = File::open(&self.path).await?;
        file.seek(SeekFrom::Start(self.position)).await?;
        let mut fresh = Vec::new();
        file.read_to_end(&mut fresh).await?;
        self.position += fresh.len() as u64;
        self.rest.append(&mut fresh);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            println!("{}{}", self.prefix, String::from_utf8_lossy(line.trim_ascii_end()));
        }
        Ok(())
    }
}

async fn length(path: &Path) -> u64 {
    tokio::fs::metadata(path).await.map_or(0, |meta| meta.len())
}
