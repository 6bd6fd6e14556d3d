//! `dlq list` and `dlq show`.

use super::filter::FilterArgs;
use super::tell;
use crate::cli::{CliError, DatabaseArgs};
use crate::read_model::LetterFilter;
use clap::Args;
use std::io::Write as _;

/// Letters read at once.
pub(super) const PAGE: i64 = 200;

/// What to list.
#[derive(Args, Clone, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
    /// Those behind this letter, to go on with
    #[arg(long, default_value_t = 0)]
    after: i64,
    /// One line of JSON for each letter
    #[arg(long)]
    json: bool,
}

/// What to show.
#[derive(Args, Clone, Debug)]
pub(super) struct ShowArgs {
    /// The letter
    id: i64,
    /// As JSON
    #[arg(long, conflicts_with = "value")]
    json: bool,
    /// Nothing but the value's very bytes
    #[arg(long)]
    value: bool,
}

pub(super) async fn list(args: ListArgs, database: &DatabaseArgs) -> Result<(), CliError> {
    let filter = args.filter.checked()?;
    let model = database.open().await?.model;
    let (mut after, mut told) = (args.after, 0);
    while told < args.limit {
        let page = model.list_letters(&filter, after, PAGE.min(args.limit - told)).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for letter in &page {
            told += 1;
            if args.json {
                println!("{}", tell::object(letter));
            } else {
                println!("{}", tell::line(letter));
            }
        }
    }
    if args.json {
        return Ok(());
    }
    let all = model.count_letters(&filter).await?;
    println!("{told} of {all} letters");
    if !model.list_letters(&filter, after, 1).await?.is_empty() {
        println!("go on with --after {after}");
    }
    Ok(())
}

pub(super) async fn show(args: ShowArgs, database: &DatabaseArgs) -> Result<(), CliError> {
    let model = database.open().await?.model;
    let filter = LetterFilter { ids: vec![args.id], ..LetterFilter::default() };
    let letter = model.list_letters(&filter, 0, 1).await?.pop();
    let value = model.letter_value(args.id).await?;
    let (Some(letter), Some(value)) = (letter, value) else {
        return Err(CliError::Refused(format!("there is no letter {}", args.id)));
    };
    if args.value {
        let written = std::io::stdout().write_all(&value);
        return written.map_err(|error| CliError::Refused(format!("cannot write: {error}")));
    }
    if args.json {
        println!("{}", tell::whole(&letter, &value));
    } else {
        println!("{}", tell::sheet(&letter, &value));
    }
    Ok(())
}
