//! `cargo xtask down`: stop the local stack.

use std::time::Instant;

use anyhow::Result;
use clap::Args;
use reminder_stack::Stack;

use crate::ui;

#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask down                  stop everything, keep the data
  cargo xtask down --clean          stop everything and remove the data")]
pub(crate) struct Options {
    #[command(flatten)]
    instance: crate::Instance,

    /// Remove the instance's folder as well: tasks, events, reminders, logs
    #[arg(long)]
    clean: bool,
}

pub(crate) async fn run(options: Options) -> Result<bool> {
    let began = Instant::now();
    let dir = options.instance.dir();
    let name = &options.instance.instance;
    if !dir.exists() {
        println!("There is no stack `{name}`.");
        return Ok(true);
    }
    let stack = match Stack::load(&dir) {
        Ok(stack) => stack.with_progress(ui::progress()),
        // Nothing is known about its processes, if it has any.
        Err(error) if options.clean => {
            println!("{error:#}");
            std::fs::remove_dir_all(&dir)?;
            println!("The folder of the stack `{name}` is removed.");
            return Ok(true);
        }
        Err(error) => return Err(error),
    };
    let stopped = stack.down().await?;
    if options.clean {
        stack.remove().await?;
        println!("The stack `{name}` is removed. ({})", ui::seconds(began.elapsed()));
    } else if stopped.is_empty() {
        println!("The stack `{name}` was not running.");
    } else {
        println!("The stack `{name}` is down. ({})", ui::seconds(began.elapsed()));
    }
    Ok(true)
}
