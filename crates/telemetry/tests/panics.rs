//! A panic is logged with its place, and without what was at hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and this one means to")]

use reminder_telemetry::logs::Format;
use reminder_telemetry::{Settings, init, panics};
use std::process::Command;

/// Says to a process of its own what it must not tell, and that it is to panic.
const SECRET: &str = "PANICS_SECRET";
/// What it would tell: a character of two bytes comes first, so that cutting it is a panic.
const AT_HAND: &str = "étell-nobody";
/// Words that stand in the code.
const WORDS: &str = "words of the code";

/// What panics, as code does that meets what it did not expect.
const PANICS: [fn(&str); 5] = [
    |_| panic!("words of the code"),
    |secret| panic!("not expected: {secret}"),
    |secret| secret.parse::<u8>().map(drop).map_err(|_| secret).unwrap(),
    |secret| assert_eq!(secret, "another", "they differ"),
    |secret| drop(secret[..1].to_owned()),
];

/// One line each, of a process of its own: the hook is that of the whole process.
#[test]
fn a_panic_tells_where_it_was_and_not_what_was_at_hand() {
    if let Ok(secret) = std::env::var(SECRET) {
        return panic_in_every_way(&secret);
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "a_panic_tells_where_it_was_and_not_what_was_at_hand", "--nocapture"]);
    child.env(SECRET, AT_HAND).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
    let ended = child.output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{told}");
    assert!(!told.contains("tell-nobody"), "{told}");
    let mut lines = told.lines();
    let early = lines.next().unwrap();
    assert!(early.starts_with("a panic at ") && early.ends_with(WORDS), "{told}");
    let logged: Vec<&str> = lines.filter(|line| line.contains(r#""message":"a panic""#)).collect();
    assert_eq!(logged.len(), PANICS.len(), "{told}");
    for line in &logged {
        assert!(line.contains("tests/panics.rs:") || line.contains("library/core"), "{line}");
        assert!(line.contains(r#""backtrace":"#), "{line}");
    }
    let with_words = logged.iter().filter(|line| line.contains(WORDS)).count();
    assert_eq!(with_words, 1, "{told}");
}

fn panic_in_every_way(secret: &str) {
    let ends = |panic: fn(&str)| {
        let secret = secret.to_owned();
        std::thread::spawn(move || panic(&secret)).join().unwrap_err();
    };
    panics::install();
    ends(PANICS[0]);
    let settings = Settings {
        service: "panics",
        format: Format::Json,
        default_filter: "info",
        otlp_endpoint: None,
    };
    let _telemetry = init(&settings).unwrap();
    PANICS.into_iter().for_each(ends);
}
