//! Reading what cargo and the test binaries say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use reminder_contract::names;
use reminder_stack::Member;
use serde::Deserialize;

/// How many tests passed and how many did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) ignored: usize,
}

impl Counts {
    /// A check that has no tests of its own.
    pub(super) const fn check(good: bool) -> Self {
        if good {
            Self { passed: 1, failed: 0, ignored: 0 }
        } else {
            Self { passed: 0, failed: 1, ignored: 0 }
        }
    }

    /// Both together.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
        }
    }

    /// The same, with a failure where something failed that no test has told: a binary that was
    /// killed, or that never came to its end.
    pub(super) const fn or_failure(self, good: bool) -> Self {
        if good || self.failed > 0 { self } else { self.plus(Self::check(false)) }
    }
}

/// Adds up the results of all test binaries in an output; `None` when there is none.
pub(super) fn counts<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Counts> {
    lines.into_iter().filter_map(result).reduce(Counts::plus)
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn result(line: &str) -> Option<Counts> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = Counts::default();
    for part in numbers.split("; ") {
        let Some((number, what)) = part.split_once(' ') else { continue };
        let Ok(number) = number.parse() else { continue };
        match what {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "ignored" => counts.ignored = number,
            _ => {}
        }
    }
    Some(counts)
}

/// The tests that failed, by name.
pub(super) fn failures<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let failed = |line: &'a str| line.strip_prefix("test ")?.strip_suffix(" ... FAILED");
    lines.into_iter().filter_map(failed).collect()
}

/// The names in a binary's list of its tests: `module::name: test`.
pub(super) fn listed<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    lines.into_iter().filter_map(|line| line.strip_suffix(": test")).collect()
}

/// An executable with tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binary {
    /// The target, such as `reminder_domain` or `manifests`.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Where cargo would run it: the folder of its package.
    pub(super) folder: PathBuf,
}

/// What a build has made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) tests: Vec<Binary>,
    /// The service.
    pub(super) app: Option<PathBuf>,
    /// The services around it.
    pub(super) members: BTreeMap<Member, PathBuf>,
}

/// What we need of cargo's messages.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    #[serde(default)]
    kind: Vec<String>,
}

impl Target {
    /// A benchmark is built with the tests, so that it goes on compiling, and is none.
    fn is_bench(&self) -> bool {
        self.kind.iter().any(|kind| kind == "bench")
    }
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Reads cargo's messages, one JSON object a line.
pub(super) fn built<'a>(lines: impl IntoIterator<Item = &'a str>) -> Built {
    let mut built = Built::default();
    for line in lines {
        let Ok(message) = serde_json::from_str::<Message>(line) else { continue };
        let Message { executable: Some(path), target: Some(target), .. } = message else {
            continue;
        };
        if target.is_bench() {
            continue;
        }
        if message.profile.is_some_and(|profile| profile.test) {
            let manifest = message.manifest_path.unwrap_or_default();
            let folder = manifest.parent().unwrap_or(Path::new(".")).to_path_buf();
            built.tests.push(Binary { name: target.name, path, folder });
        } else if target.name == names::APP_ID {
            built.app = Some(path);
        } else if let Ok(member) = target.name.parse() {
            built.members.insert(member, path);
        }
    }
    built.tests.sort_by(|a, b| (&a.folder, &a.name).cmp(&(&b.folder, &b.name)));
    built
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
running 3 tests
test a::b ... ok
test a::c ... FAILED
test a::d ... ignored
test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s

test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 1.00s
";

    #[test]
    fn results_of_all_binaries_are_added_up() {
        let counts = counts(OUTPUT.lines()).unwrap();
        assert_eq!(counts, Counts { passed: 41, failed: 1, ignored: 1 });
        assert_eq!(failures(OUTPUT.lines()), ["a::c"]);
        assert_eq!(super::counts("error: could not compile".lines()), None);
    }

    #[test]
    fn tests_are_found_in_the_list_of_a_binary() {
        assert_eq!(listed("a::b: test\na::c: benchmark\n\nd: test".lines()), ["a::b", "d"]);
    }

    #[test]
    fn a_failure_without_a_failed_test_counts() {
        let none = Counts::default();
        assert_eq!(none.or_failure(true), none);
        assert_eq!(none.or_failure(false).failed, 1);
        assert_eq!(Counts::check(false).or_failure(false).failed, 1);
    }

    #[test]
    fn binaries_and_the_service_are_found_among_the_messages() {
        let messages = r#"
{"reason":"compiler-artifact","manifest_path":"/w/Cargo.toml","target":{"name":"serde"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/w/Cargo.toml","target":{"name":"reminder-scheduler"},"profile":{"test":false},"executable":"/t/app"}
{"reason":"compiler-artifact","manifest_path":"/w/Cargo.toml","target":{"name":"reminder-scheduler"},"profile":{"test":true},"executable":"/t/app-1"}
{"reason":"compiler-artifact","manifest_path":"/w/examples/todo-api/Cargo.toml","target":{"name":"todo-api"},"profile":{"test":false},"executable":"/t/todo-api"}
{"reason":"compiler-artifact","manifest_path":"/w/crates/a/Cargo.toml","target":{"name":"a"},"profile":{"test":true},"executable":"/t/a-1"}
{"reason":"compiler-artifact","manifest_path":"/w/crates/a/Cargo.toml","target":{"name":"b","kind":["bench"]},"profile":{"test":true},"executable":"/t/b-1"}
{"reason":"build-finished","success":true}"#;
        let built = built(messages.lines());
        assert_eq!(built.app, Some("/t/app".into()));
        assert_eq!(built.members, BTreeMap::from([(Member::TodoApi, "/t/todo-api".into())]));
        let folders: Vec<_> = built.tests.iter().map(|binary| binary.folder.clone()).collect();
        assert_eq!(folders, [PathBuf::from("/w"), PathBuf::from("/w/crates/a")]);
        assert_eq!(built.tests[1].name, "a");
    }
}
