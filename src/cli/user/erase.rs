//! `user erase`: asks for it, tells how far it is, and ends when nothing is left.

use crate::cli::CliError;
use clap::Args;
use reminder_client::rest::ErasureView;
use reminder_client::{Client, Person};
use std::io::{BufRead as _, Write as _};
use std::time::Duration;
use tokio::time::Instant;

/// How often it is asked how far it is.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Whose, and how.
#[derive(Args, Clone, Debug)]
pub(super) struct EraseArgs {
    /// The user's id
    #[arg(value_parser = super::person)]
    user: Person,
    /// Do not ask whether that is meant; needed where there is nobody to answer
    #[arg(long)]
    yes: bool,
    /// How long to wait until nothing is left, such as 10m; it goes on all the same. 0s: not at all
    #[arg(long, default_value = "5m")]
    wait: String,
    /// JSON for machines, as the service answers
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) async fn run(args: &EraseArgs, client: &Client) -> Result<(), CliError> {
    let (user, json) = (&args.user, args.json);
    let wait = humantime::parse_duration(&args.wait)
        .map_err(|error| CliError::Usage(format!("--wait is no duration: {error}")))?;
    if !args.yes && !is_meant(user.as_str())? {
        return Err(CliError::Refused("nothing was done".into()));
    }
    let gives_up = Instant::now() + wait;
    let mut view = client.erase_user(user).await?;
    loop {
        tell(&view, json)?;
        if !view.erasing {
            return Ok(());
        }
        if wait.is_zero() {
            return Ok(());
        }
        if Instant::now() >= gives_up {
            let text =
                format!("not done within {wait:?}; it goes on, ask again to see how far it is");
            return Err(CliError::GaveUp(text));
        }
        tokio::time::sleep(ASK_EVERY).await;
        view = client.erasure(user).await?;
    }
}

/// Asks whoever sits there to name the user once more.
fn is_meant(user: &str) -> Result<bool, CliError> {
    let ask = || -> std::io::Result<String> {
        eprint!("Everything of {user} will be gone for good. Type the user's id to go on: ");
        std::io::stderr().flush()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        Ok(line)
    };
    let line = ask().map_err(|error| CliError::Usage(format!("nobody can be asked: {error}")))?;
    Ok(line.trim() == user)
}

fn tell(view: &ErasureView, json: bool) -> Result<(), CliError> {
    if json {
        println!("{}", serde_json::to_string(view).map_err(CliError::unprintable)?);
    } else if view.erasing {
        println!("{} tasks erased, {} to go", view.erased, view.tasks);
    } else {
        println!("done: nothing of the user is left");
    }
    Ok(())
}
