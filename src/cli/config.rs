//! `config show`: the settings as `serve` would have them here, and where each comes from.

use super::CliError;
use crate::config::{InvalidConfig, ServeArgs};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Subcommand};
use serde::Serialize;

/// What is shown of a setting that is not given.
const NOTHING: &str = "-";
/// What is shown of a secret.
const MASK: &str = "***";

const EXAMPLES: &str = "\
Examples:
  reminder-scheduler config show                        in the environment of the service
  reminder-scheduler config show --arm-horizon 2h       with an option that `serve` would be given
  reminder-scheduler config show --json | jq '.settings[] | select(.source != \"default\")'

Exit codes:
  0  `serve` would take it
  2  it would not; all mistakes are named";

/// What to do about the configuration.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Show every setting, its value, and where that comes from; secrets are masked
    Show(Box<ShowArgs>),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
struct ShowArgs {
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: ServeArgs,
}

/// A setting.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Setting {
    /// Its environment variable.
    name: String,
    option: String,
    value: Option<String>,
    /// `default`, `environment` or `option`.
    source: &'static str,
    secret: bool,
}

/// What is shown.
#[derive(Serialize)]
struct Shown {
    valid: bool,
    settings: Vec<Setting>,
    errors: Vec<String>,
}

/// Shows it; `matches` are those of the whole command line, which know where values come from.
///
/// # Errors
/// When `serve` would not take it.
pub fn run(args: ConfigArgs, matches: &ArgMatches) -> Result<(), CliError> {
    let Action::Show(args) = args.action;
    let of_show = matches.subcommand().and_then(|(_, matches)| matches.subcommand());
    let settings = of_show.map(|(_, matches)| settings(matches)).unwrap_or_default();
    let checked = args.settings.validate().map(drop);
    let errors = checked.as_ref().err().map(|InvalidConfig(errors)| errors.clone());
    if args.json {
        let errors = errors.unwrap_or_default();
        let shown = Shown { valid: errors.is_empty(), settings, errors };
        println!("{}", serde_json::to_string_pretty(&shown).map_err(CliError::unprintable)?);
    } else {
        print!("{}", table(&settings));
    }
    checked.map_err(|error| CliError::Usage(error.to_string()))
}

fn settings(matches: &ArgMatches) -> Vec<Setting> {
    let command = ServeArgs::augment_args(clap::Command::new("serve"));
    let setting = |argument: &clap::Arg| {
        let id = argument.get_id().as_str();
        let text = matches.get_raw(id).and_then(|mut values| values.next());
        let text = text.map(|value| value.to_string_lossy().into_owned());
        let secret = argument.is_hide_env_values_set();
        let given = text.filter(|text| !text.is_empty());
        Some(Setting {
            name: argument.get_env()?.to_string_lossy().into_owned(),
            option: format!("--{}", argument.get_long()?),
            value: given.map(|text| if secret { MASK.to_owned() } else { text }),
            source: match matches.value_source(id) {
                Some(ValueSource::CommandLine) => "option",
                Some(ValueSource::EnvVariable) => "environment",
                _ => "default",
            },
            secret,
        })
    };
    command.get_arguments().filter_map(setting).collect()
}

fn table(settings: &[Setting]) -> String {
    let value = |setting: &Setting| setting.value.clone().unwrap_or_else(|| NOTHING.to_owned());
    let width = |text: fn(&Setting) -> usize| settings.iter().map(text).max().unwrap_or_default();
    let (names, values) = (
        width(|setting| setting.name.len()),
        width(|setting| setting.value.as_ref().map_or(NOTHING.len(), String::len)),
    );
    let line = |setting: &Setting| {
        let (name, source) = (&setting.name, setting.source);
        format!("{name:<names$}  {:<values$}  {source}\n", value(setting))
    };
    settings.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::command::Cli;
    use super::*;
    use clap::CommandFactory as _;

    fn shown(args: &[&str]) -> Vec<Setting> {
        let start = ["reminder-scheduler", "config", "show"];
        let matches = Cli::command().get_matches_from(start.iter().chain(args));
        let (_, matches) = matches.subcommand().and_then(|(_, of)| of.subcommand()).unwrap();
        settings(matches)
    }

    #[test]
    fn each_setting_says_where_it_comes_from() {
        let shown = shown(&["--arm-horizon=2h", "--database-url=postgres://u:hush@localhost/db"]);
        let find = |name: &str| shown.iter().find(|one| one.name == name).unwrap();
        let horizon = find("ARM_HORIZON");
        assert_eq!((horizon.value.as_deref(), horizon.source), (Some("2h"), "option"));
        let grace = find("AUDIT_GRACE");
        assert_eq!((grace.value.as_deref(), grace.source), (Some("5s"), "default"));
        assert_eq!(find("DATABASE_URL").value.as_deref(), Some(MASK));
        let text = table(&shown);
        assert!(!text.contains("hush"), "{text}");
        assert!(text.contains("ARM_HORIZON") && text.lines().count() == shown.len());
    }

    #[test]
    fn every_secret_is_masked() {
        let secrets: Vec<String> =
            shown(&[]).into_iter().filter(|one| one.secret).map(|one| one.name).collect();
        for name in ["DATABASE_URL", "DAPR_API_TOKEN", "APP_API_TOKEN"] {
            assert!(secrets.iter().any(|one| one == name), "{name}");
        }
        // What sounds like a secret is one, whoever adds it; the name of a file with one is not.
        for one in shown(&[]) {
            let name = &one.name;
            let sounds = ["TOKEN", "PASSWORD", "SECRET"].iter().any(|word| name.contains(word));
            assert!(!sounds || name.ends_with("_FILE") || one.secret, "{name}");
        }
    }
}
