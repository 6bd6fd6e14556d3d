//! `dlq drop`, and what it has in common with `dlq replay`: the plan, the question, the tally.

use super::filter::WhichArgs;
use super::list::PAGE;
use super::tell;
use crate::cli::{CliError, DatabaseArgs};
use crate::dead_letters::Status;
use crate::read_model::{Change, KeptLetter, LetterFilter, ReadModel};
use clap::Args;
use serde_json::json;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Letters that are shown before the question.
const SHOWN_MAX: usize = 20;

/// What to drop.
#[derive(Args, Clone, Debug)]
pub(super) struct DropArgs {
    #[command(flatten)]
    which: WhichArgs,
}

pub(super) async fn drop(args: DropArgs, database: &DatabaseArgs) -> Result<(), CliError> {
    let which = args.which;
    let (filter, status) = which.checked()?;
    if status == Status::Dropped {
        return Err(CliError::Usage("--status dropped: these are dropped already".to_owned()));
    }
    let model = database.open().await?.model;
    let plan = Plan::make(&model, &filter, &which, status).await?;
    if !plan.confirmed(&which, "drop")? {
        return Ok(());
    }
    let change = Change { by: which.by.clone(), note: which.note.clone() };
    let mut tally = Tally::new(which.json);
    for letter in &plan.letters {
        if model.drop_letter(letter.id, status, &change).await? {
            tally.done(letter, "dropped");
        } else {
            tally.left(letter, "skipped", "somebody else has changed it, or has it in hand");
        }
    }
    tally.end(plan.more, None)
}

/// What will be done.
pub(super) struct Plan {
    pub(super) letters: Vec<KeptLetter>,
    /// How many are left to another run.
    pub(super) more: u64,
}

impl Plan {
    /// Reads which letters are meant. One that was named and is not there makes all of it void.
    pub(super) async fn make(
        model: &ReadModel,
        filter: &LetterFilter,
        which: &WhichArgs,
        status: Status,
    ) -> Result<Self, CliError> {
        let all = model.count_letters(filter).await?;
        let mut letters: Vec<KeptLetter> = Vec::new();
        loop {
            let after = letters.last().map_or(0, |letter| letter.id);
            let left = which.limit - i64::try_from(letters.len()).unwrap_or(i64::MAX);
            if left <= 0 {
                break;
            }
            let page = model.list_letters(filter, after, PAGE.min(left)).await?;
            if page.is_empty() {
                break;
            }
            letters.extend(page);
        }
        if let Some(id) = which.named().iter().find(|id| letters.iter().all(|l| l.id != **id))
            && letters.len() < usize::try_from(which.limit).unwrap_or(usize::MAX)
        {
            return Err(CliError::Refused(format!(
                "there is no letter {id} that is {}; nothing was done",
                status.as_str()
            )));
        }
        let more = all.saturating_sub(letters.len() as u64);
        Ok(Self { letters, more })
    }

    /// Says what will be done, and asks. `false`: there is nothing to do, or it was a dry run.
    pub(super) fn confirmed(&self, which: &WhichArgs, verb: &str) -> Result<bool, CliError> {
        if which.dry_run {
            for letter in &self.letters {
                if which.json {
                    println!("{}", json!({"would": verb, "letter": tell::object(letter)}));
                } else {
                    println!("would {verb}  {}", tell::line(letter));
                }
            }
        }
        let (count, more) = (self.letters.len(), self.more);
        if which.dry_run || count == 0 {
            if which.json {
                let would = which.dry_run;
                println!(
                    "{}",
                    json!({"summary": {"dryRun": would, "letters": count, "more": more}})
                );
            } else {
                println!("{count} letters to {verb}, {more} more beyond --limit; nothing was done");
            }
            return Ok(false);
        }
        if which.yes {
            return Ok(true);
        }
        if !std::io::stdin().is_terminal() {
            let refused =
                format!("{count} letters to {verb}: nobody can be asked here, so say --yes");
            return Err(CliError::Refused(refused));
        }
        for letter in self.letters.iter().take(SHOWN_MAX) {
            eprintln!("{}", tell::line(letter));
        }
        if count > SHOWN_MAX {
            eprintln!("and {} more", count - SHOWN_MAX);
        }
        eprint!("{verb} {count} letters? [y/N] ");
        let mut answer = String::new();
        let asked =
            std::io::stderr().flush().and_then(|()| std::io::stdin().lock().read_line(&mut answer));
        let agreed = asked.is_ok() && ["y", "yes"].contains(&answer.trim());
        if agreed { Ok(true) } else { Err(CliError::Refused("nothing was done".to_owned())) }
    }
}

/// What became of the letters, told as it happens.
pub(super) struct Tally {
    json: bool,
    pub(super) done: usize,
    pub(super) left: usize,
}

impl Tally {
    pub(super) fn new(json: bool) -> Self {
        Self { json, done: 0, left: 0 }
    }

    /// One of them is done.
    pub(super) fn done(&mut self, letter: &KeptLetter, outcome: &str) {
        self.done += 1;
        if self.json {
            println!("{}", json!({"id": letter.id, "outcome": outcome}));
        } else {
            println!("{outcome} {}", letter.id);
        }
    }

    /// One of them stays as it is.
    pub(super) fn left(&mut self, letter: &KeptLetter, outcome: &str, why: &str) {
        self.left += 1;
        if self.json {
            println!("{}", json!({"id": letter.id, "outcome": outcome, "error": why}));
        } else {
            println!("{outcome} {}: {why}", letter.id);
        }
    }

    /// The end of it, which may have come early.
    pub(super) fn end(self, more: u64, gave_up: Option<String>) -> Result<(), CliError> {
        let Self { json, done, left } = self;
        if json {
            println!("{}", json!({"summary": {"done": done, "left": left, "more": more}}));
        } else {
            println!("{done} done, {left} left as they are, {more} more beyond --limit");
        }
        match gave_up {
            Some(reason) => Err(CliError::GaveUp(reason)),
            None if left > 0 => Err(CliError::Partly(format!("{left} letters stay as they are"))),
            None => Ok(()),
        }
    }
}
