//! `docs/tutorial.md`, as a reader goes through it: its commands run on the stack, and what the page shows
//! is what comes back, but for the port, the ids of tasks, and the times.

use crate::suite::{Suite, gentle};
use reminder_stack::options::workspace_root;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::process::Command;
use tokio::time::sleep;

const PAGE: &str = "docs/tutorial.md";

/// For one block of commands; a consumer that starts a JVM on a busy machine needs the most of it.
const BLOCK_DEADLINE: Duration = Duration::from_secs(60);

/// Until what the page shows is so: reminders fall due meanwhile, and consumers start.
const SHOWN_DEADLINE: Duration = Duration::from_secs(120);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The tasks of the page.
const TASKS: [&str; 3] = ["tea", "pills", "night"];

/// Some commands, and what the page shows of their answers.
#[derive(Default)]
struct Step {
    line: usize,
    script: String,
    shown: Vec<Value>,
}

impl Step {
    /// Looking changes nothing, so it may be done until there is something to be seen.
    fn only_looks(&self) -> bool {
        let calls = self.script.matches("/method/").count();
        let looks =
            ["/method/get", "/method/preview"].map(|look| self.script.matches(look).count());
        calls == looks.iter().sum::<usize>()
    }
}

/// The steps that talk to the stack; the commands that start and stop it are the suite's.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block: Option<(&str, usize, String)> = None;
    for (line, text) in (1..).zip(page.lines()) {
        match (block.take(), text.strip_prefix("```")) {
            (None, Some(language)) => block = Some((language, line, String::new())),
            (Some(("sh", line, script)), Some(_)) => {
                if !script.contains("cargo xtask") {
                    steps.push(Step { line, script, shown: Vec::new() });
                }
            }
            (Some(("json", _, json)), Some(_)) => {
                let shown = serde_json::Deserializer::from_str(&json).into_iter();
                steps.last_mut().unwrap().shown.extend(shown.map(Result::unwrap));
            }
            (None, None) | (Some(_), Some(_)) => {}
            (Some((language, line, before)), None) => {
                block = Some((language, line, before + text + "\n"));
            }
        }
    }
    steps
}

/// One reader of the page.
struct Reader {
    /// The page's names of tasks, and ours.
    ids: Vec<(&'static str, String)>,
    /// What was exported so far.
    exports: String,
    /// The times that the page shows, and what they were this time.
    times: BTreeMap<String, String>,
    sidecar: String,
    broker: String,
}

impl Reader {
    fn new(suite: &'static Suite) -> Self {
        Self {
            ids: TASKS.map(|task| (task, suite.unique(task))).into(),
            exports: String::new(),
            times: BTreeMap::new(),
            sidecar: format!("http://127.0.0.1:{}", suite.api().port),
            broker: suite.manifest().kafka_bootstrap().unwrap(),
        }
    }

    /// The page's words with this stack's ports and this run's ids.
    fn ours(&self, script: &str) -> String {
        let mut script = script.to_owned();
        for (theirs, ours) in &self.ids {
            script = script.replace(&format!("/{theirs}/"), &format!("/{ours}/"));
            script = script.replace(&format!("task:{theirs}\""), &format!("task:{ours}\""));
        }
        let words = script.split(' ').map(|word| match word.split_once("http://127.0.0.1:") {
            Some((before, after)) => {
                let path = after.trim_start_matches(|c: char| c.is_ascii_digit());
                format!("{before}{}{path}", self.sidecar)
            }
            None if word.starts_with("127.0.0.1:") => self.broker.clone(),
            None => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Does what the page says, and sees what it shows; waits for it where it only looks.
    async fn follow(&mut self, step: &Step) {
        let deadline = Instant::now() + SHOWN_DEADLINE;
        loop {
            let got = self.run(step).await;
            match self.compare(step, &got) {
                Ok(()) => return,
                Err(_) if step.only_looks() && Instant::now() < deadline => sleep(LOOK_EVERY).await,
                Err(error) => panic!("{PAGE}:{}: {error}", step.line),
            }
        }
    }

    async fn run(&mut self, step: &Step) -> Vec<Value> {
        let script = self.ours(&step.script);
        let mut command = Command::new("bash");
        command.args(["-c", &format!("{}{script}", self.exports)]).current_dir(workspace_root());
        let output =
            tokio::time::timeout(BLOCK_DEADLINE, command.kill_on_drop(true).output()).await;
        let output = output.unwrap_or_else(|_| panic!("{}: it does not end", step.line)).unwrap();
        let exports = script.lines().filter(|line| line.starts_with("export "));
        self.exports.extend(exports.flat_map(|line| [line, "\n"]));
        let mut text = String::from_utf8(output.stdout).unwrap();
        for (theirs, ours) in &self.ids {
            text = text.replace(ours, theirs);
        }
        let answers = serde_json::Deserializer::from_str(&text).into_iter();
        answers.map(|json| json.unwrap_or_else(|_| Value::String(text.clone()))).collect()
    }

    /// Fails when the answers are not what the page shows.
    fn compare(&mut self, step: &Step, got: &[Value]) -> Result<(), String> {
        let mut times = self.times.clone();
        if step.shown.len() != got.len() {
            return Err(format!("{} answers are shown, and there were {got:?}", step.shown.len()));
        }
        for (shown, got) in step.shown.iter().zip(got) {
            same("", shown, got, &mut times).map_err(|error| format!("{error}, in {got}"))?;
        }
        self.times = times;
        Ok(())
    }
}

/// Whether one is the other, at another time. A time of the page always stands for the same time.
fn same(
    name: &str,
    shown: &Value,
    got: &Value,
    times: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let differ = || Err(format!("{name}: shown is {shown}, and it was {got}"));
    match (shown, got) {
        (Value::Object(shown), Value::Object(got)) => {
            if !shown.keys().eq(got.keys()) {
                return differ();
            }
            shown.iter().try_for_each(|(name, value)| same(name, value, &got[name], times))
        }
        (Value::Array(shown), Value::Array(got)) if shown.len() == got.len() => {
            shown.iter().zip(got).try_for_each(|(shown, got)| same(name, shown, got, times))
        }
        (Value::String(shown), Value::String(got)) => match name {
            "correlationid" | "traceparent" | "traceid" | "scheduleTraceparent" => Ok(()),
            // When it was done, which nobody chose; and how late that was.
            "firedAt" | "at" | "time" | "acknowledgedAt" if mask(shown) == mask(got) => Ok(()),
            "cause"
                if [shown, got]
                    .iter()
                    .all(|cause| ["onTime", "late"].contains(&cause.as_str())) =>
            {
                Ok(())
            }
            _ if mask(shown) == *shown && shown == got => Ok(()),
            _ if mask(shown) != *shown && mask(shown) == mask(got) => {
                let known = times.entry(shown.clone()).or_insert_with(|| got.clone());
                if known == got { Ok(()) } else { differ() }
            }
            _ => differ(),
        },
        (Value::Number(_), Value::Number(_)) if name == "lateByMs" => Ok(()),
        (shown, got) if shown == got => Ok(()),
        _ => differ(),
    }
}

/// A text with a date in it, without its digits; any other text as it is.
fn mask(text: &str) -> String {
    let masked: String = text.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
    if masked.contains("####-##-##") { masked } else { text.to_owned() }
}

#[test]
fn the_tutorial_is_what_its_reader_sees() {
    gentle(async |suite| {
        let page = std::fs::read_to_string(workspace_root().join(PAGE)).unwrap();
        let steps = steps(&page);
        let shown: usize = steps.iter().map(|step| step.shown.len()).sum();
        assert!(steps.len() > 8 && shown > 8, "{} steps, {shown} answers", steps.len());
        let mut reader = Reader::new(suite);
        for step in &steps {
            reader.follow(step).await;
        }
    });
}

#[test]
fn what_is_not_as_the_page_shows_is_found() {
    let compare = |shown: &str, got: &str| {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        same("", &parse(shown), &parse(got), &mut BTreeMap::new()).is_ok()
    };
    let shown =
        r#"{"state":"fired","due":"2026-11-28T11:48:53.000Z","again":"2026-11-28T11:48:53.000Z"}"#;
    let later = shown.replace("11:48:53", "12:00:01");
    assert!(compare(shown, &later), "the same at another time");
    assert!(!compare(shown, &shown.replacen("11:48:53", "12:00:01", 1)), "only one of them moved");
    assert!(!compare(shown, &later.replace("fired", "scheduled")));
    assert!(!compare(shown, &later.replace("again", "twice")));
    assert!(!compare(r#"{"version":3}"#, r#"{"version":4}"#));
}
