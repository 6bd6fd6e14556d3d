//! The README's table of settings against the settings that the service really has.

use crate::pages::page;
use clap::Args;
use reminder_scheduler::config::ServeArgs;
use std::collections::BTreeMap;

/// What the table shows when there is no default.
const NO_DEFAULT: &str = "-";

/// Every variable of `serve` with its default.
fn settings() -> BTreeMap<String, String> {
    let command = ServeArgs::augment_args(clap::Command::new("serve"));
    let settings = command.get_arguments().filter_map(|argument| {
        let name = argument.get_env()?.to_string_lossy().into_owned();
        let default = argument.get_default_values().first();
        let default = default.map(|text| text.to_string_lossy().into_owned());
        Some((name, default.filter(|text| !text.is_empty()).unwrap_or(NO_DEFAULT.into())))
    });
    settings.collect()
}

#[test]
fn the_table_of_settings_is_that_of_the_code() {
    let readme = page("README.md");
    let rows = readme.rows_under("Configuration");
    let told: BTreeMap<String, String> =
        rows.iter().map(|cells| (cells[0].clone(), cells[1].clone())).collect();
    assert_eq!(told.len(), rows.len(), "a setting is in the table twice");
    assert_eq!(told, settings());
}

#[test]
fn every_option_has_a_variable() {
    let command = ServeArgs::augment_args(clap::Command::new("serve"));
    for argument in command.get_arguments() {
        assert!(argument.get_env().is_some(), "{} has none", argument.get_id());
    }
}
