//! What the commands print: colours on a terminal, plain text elsewhere.

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reminder_stack::Progress;

/// How a piece of text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Good,
    Bad,
    Quiet,
    Strong,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Quiet => "2",
            Self::Strong => "1",
        }
    }
}

/// Text in a style, if standard output can show it.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    painted(style, text, colours())
}

fn painted(style: Style, text: impl Display, colours: bool) -> String {
    if colours { format!("\x1b[{}m{text}\x1b[0m", style.code()) } else { text.to_string() }
}

fn colours() -> bool {
    static COLOURS: OnceLock<bool> = OnceLock::new();
    *COLOURS.get_or_init(|| {
        // https://no-color.org
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        io::stdout().is_terminal() && !refused
    })
}

/// Says why a command has failed, on standard error.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// Prints each update of the stack on a line of its own.
pub(crate) fn progress() -> Progress {
    Arc::new(|update| {
        let what = paint(Style::Strong, format!("{:>10}", update.what));
        match update.took {
            Some(took) => {
                let took = paint(Style::Quiet, format!("({})", seconds(took)));
                println!("{what}  {} {took}", paint(Style::Good, &update.message));
            }
            None => println!("{what}  {}", update.message),
        }
    })
}

/// A duration for people: tenths matter below a minute.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

/// A table whose columns are as wide as their widest cell. The widths are those of the plain text,
/// so a cell brings its style along.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Vec<(String, Option<Style>)>>,
}

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        let mut table = Self::default();
        table.row(header.iter().map(|cell| ((*cell).to_owned(), Some(Style::Quiet))));
        table
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = (String, Option<Style>)>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn print(&self) {
        self.lines(colours()).iter().for_each(|line| println!("{line}"));
    }

    fn lines(&self, colours: bool) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|(text, _)| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<(String, Option<Style>)>| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|((text, style), width)| {
                    let padding = " ".repeat(width - text.chars().count());
                    match style {
                        Some(style) => painted(*style, text, colours) + &padding,
                        None => text.clone() + &padding,
                    }
                })
                .collect();
            cells.join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up_whatever_the_style() {
        let mut table = Table::new(&["part", "pid"]);
        table.row([("kafka".to_owned(), None), ("7".to_owned(), Some(Style::Good))]);
        assert_eq!(table.lines(false), ["part   pid", "kafka  7"]);
        assert_eq!(
            table.lines(true),
            ["\x1b[2mpart\x1b[0m   \x1b[2mpid\x1b[0m", "kafka  \x1b[32m7\x1b[0m"]
        );
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(seconds(Duration::from_millis(1250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(61)), "1 min 1 s");
    }
}
