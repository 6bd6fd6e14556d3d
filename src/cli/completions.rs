//! `completions`: what makes a shell complete the command line.

use super::CliError;
use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};
use std::io::Write as _;

const EXAMPLES: &str = "\
Examples:
  reminder-scheduler completions bash > ~/.local/share/bash-completion/completions/reminder-scheduler
  reminder-scheduler completions zsh > \"${fpath[1]}/_reminder-scheduler\"
  reminder-scheduler completions fish > ~/.config/fish/completions/reminder-scheduler.fish";

/// For which shell.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints it.
///
/// # Errors
/// When it cannot be written.
pub fn run(args: &CompletionsArgs) -> Result<(), CliError> {
    let mut command = super::command::Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    generate(args.shell, &mut command, name, &mut script);
    let written = std::io::stdout().write_all(&script);
    written.map_err(|error| CliError::Refused(format!("cannot write: {error}")))
}

#[cfg(test)]
mod tests {
    use super::super::command::Cli;
    use clap::{CommandFactory as _, ValueEnum as _};
    use clap_complete::{Shell, generate};

    #[test]
    fn every_shell_completes_every_command() {
        for shell in Shell::value_variants() {
            let mut command = Cli::command();
            let mut script = Vec::new();
            generate(*shell, &mut command, "reminder-scheduler", &mut script);
            let script = String::from_utf8(script).unwrap();
            for one in command.get_subcommands() {
                assert!(script.contains(one.get_name()), "{shell}: {}", one.get_name());
            }
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
