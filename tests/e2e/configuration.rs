//! What cannot work ends at once, says why, and does not end well.

use crate::process::{Service, environment};
use crate::suite::gentle;

#[test]
fn all_errors_of_the_configuration_are_listed_at_once() {
    gentle(async |suite| {
        let environment = environment(&[
            ("APP_HOST", "here"),
            ("ARM_HORIZON", "soon"),
            ("STATE_TABLE", "no table"),
            ("SHUTDOWN_GRACE", "a while"),
            ("LOG_FORMAT", "xml"),
            ("WAKE_CONCURRENCY", "0"),
        ]);
        let ended = Service::start(suite, &environment).ended().await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        for setting in [
            "APP_HOST",
            "ARM_HORIZON",
            "STATE_TABLE",
            "SHUTDOWN_GRACE",
            "LOG_FORMAT",
            "WAKE_CONCURRENCY",
            "DATABASE_URL",
        ] {
            assert!(ended.output.contains(&format!("- {setting} ")), "{setting}: {}", ended.output);
        }
    });
}

#[test]
fn a_taken_port_is_a_clear_error() {
    gentle(async |suite| {
        let taken = suite.manifest().replica(1).unwrap().app_port.to_string();
        let url = suite.manifest().database_url();
        let environment = environment(&[("APP_PORT", &taken), ("DATABASE_URL", &url)]);
        let ended = Service::start(suite, &environment).ended().await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let says = |text: &str| ended.output.contains(text);
        assert!(says(&format!("127.0.0.1:{taken}")) && says("APP_PORT"), "{}", ended.output);
    });
}
