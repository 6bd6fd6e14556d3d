//! A page, as a reader goes through it: its commands run on the stack, and what the page shows is what comes
//! back, but for ports, the ids of tasks, the user, and the times.

use crate::suite::Suite;
use reminder_stack::options::workspace_root;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::process::Command;
use tokio::time::sleep;

/// For one block of commands; a consumer that starts a JVM on a busy machine needs the most of it.
const BLOCK_DEADLINE: Duration = Duration::from_secs(60);

/// Until what the page shows is so: reminders fall due meanwhile, and consumers start.
const SHOWN_DEADLINE: Duration = Duration::from_secs(120);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How the ids of a page's tasks begin here.
pub(crate) const ON_A_PAGE: &str = "page-";

/// The user of all pages.
const USER: &str = "ada@example.org";

/// The port of the service itself in the pages; any other is the sidecar's.
const SERVICE_PORT: &str = "8080";

/// Some commands, and what the page shows of their answers.
#[derive(Default)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) script: String,
    pub(crate) shown: Vec<Value>,
}

/// How much of an answer a page shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    All,
    /// What matters; answers have more.
    Some,
}

impl Step {
    /// Its last command, where that one looks: what it shows may come a little later.
    fn last_look(&self) -> Option<&str> {
        let last = &self.script[self.script.rfind("curl ")?..];
        ["/method/get", "/method/preview"].iter().any(|look| last.contains(look)).then_some(last)
    }

    /// Looking changes nothing, so it may be done until there is something to be seen.
    fn only_looks(&self) -> bool {
        let calls = self.script.matches("/method/").count();
        let looks =
            ["/method/get", "/method/preview"].map(|look| self.script.matches(look).count());
        calls == looks.iter().sum::<usize>() && !self.script.contains("$REST")
    }
}

/// The steps of a page that talk to the stack; the commands that start and stop it are the suite's.
pub(crate) fn steps(path: &str) -> Vec<Step> {
    let page = std::fs::read_to_string(workspace_root().join(path)).unwrap();
    let mut steps: Vec<Step> = Vec::new();
    // What is shown below the next heading is not what the last commands said.
    let mut same_section = false;
    let mut block: Option<(&str, usize, String)> = None;
    for (line, text) in (1..).zip(page.lines()) {
        match (block.take(), text.strip_prefix("```")) {
            (None, Some(language)) => block = Some((language, line, String::new())),
            (Some(("sh", line, script)), Some(_)) => {
                if script.contains("curl ")
                    || script.contains("export ")
                    || script.contains("timeout ")
                {
                    steps.push(Step { line, script, shown: Vec::new() });
                    same_section = true;
                }
            }
            (Some(("json", _, json)), Some(_)) if same_section => {
                let shown = serde_json::Deserializer::from_str(&json).into_iter();
                steps.last_mut().unwrap().shown.extend(shown.map(Result::unwrap));
            }
            (None, None) => same_section &= !text.starts_with('#'),
            (Some(_), Some(_)) => {}
            (Some((language, line, before)), None) => {
                block = Some((language, line, before + text + "\n"));
            }
        }
    }
    steps
}

/// One reader of a page.
pub(crate) struct Reader {
    page: &'static str,
    extent: Extent,
    /// The page's names of tasks, and ours.
    ids: Vec<(&'static str, String)>,
    /// Its user, and ours.
    user: (&'static str, String),
    /// What was exported so far.
    exports: String,
    /// The times that the page shows, and what they were this time.
    times: BTreeMap<String, String>,
    sidecar: String,
    service: String,
    broker: String,
}

impl Reader {
    pub(crate) fn of(
        suite: &Suite,
        page: &'static str,
        extent: Extent,
        tasks: &[&'static str],
    ) -> Self {
        Self {
            page,
            extent,
            ids: tasks
                .iter()
                .map(|task| (*task, suite.unique(&format!("{ON_A_PAGE}{task}"))))
                .collect(),
            user: (USER, format!("{}@example.org", suite.unique("reader"))),
            exports: String::new(),
            times: BTreeMap::new(),
            sidecar: format!("http://127.0.0.1:{}", suite.api().port),
            service: format!("http://127.0.0.1:{}", suite.manifest().replica(1).unwrap().app_port),
            broker: suite.manifest().kafka_bootstrap().unwrap(),
        }
    }

    /// The page's words with this stack's ports and this run's ids. Where the page sleeps, ten seconds more: other
    /// tests have the machine as well.
    fn ours(&self, script: &str) -> String {
        let mut script = script.to_owned();
        for (theirs, ours) in &self.ids {
            // Each at the end of what names a task: a path, or a text.
            for (before, afters) in [("/", "/ \n"), (":", "\""), ("\"", "\"")] {
                for after in afters.chars() {
                    let [theirs, ours] = [*theirs, ours].map(|id| format!("{before}{id}{after}"));
                    script = script.replace(&theirs, &ours);
                }
            }
        }
        let encoded = |user: &str| user.replace('@', "%40");
        script = script.replace(self.user.0, &self.user.1);
        script = script.replace(&encoded(self.user.0), &encoded(&self.user.1));
        let words = script.split(' ').map(|word| match word.split_once("http://127.0.0.1:") {
            Some((before, after)) => {
                let path = after.trim_start_matches(|c: char| c.is_ascii_digit());
                let port = &after[..after.len() - path.len()];
                let here = if port == SERVICE_PORT { &self.service } else { &self.sidecar };
                format!("{before}{here}{path}")
            }
            None if word.starts_with("127.0.0.1:") => self.broker.clone(),
            None => word.to_owned(),
        });
        let script = words.collect::<Vec<_>>().join(" ");
        script.lines().map(|line| patient(line) + "\n").collect()
    }

    /// Does what the page takes for granted, in its words.
    pub(crate) async fn prepare(&mut self, script: &str) {
        for got in self.run(script).await {
            assert!(got["version"].is_number(), "{}: {got}", self.page);
        }
    }

    /// Does what the page says, and sees what it shows; waits for it where it looks.
    pub(crate) async fn follow(&mut self, step: &Step) {
        let deadline = Instant::now() + SHOWN_DEADLINE;
        let mut got = self.run(&step.script).await;
        while let Err(error) = self.compare(step, &got) {
            assert!(Instant::now() < deadline, "{}:{}: {error}", self.page, step.line);
            sleep(LOOK_EVERY).await;
            if step.only_looks() {
                got = self.run(&step.script).await;
            } else if let Some(look) = step.last_look() {
                got.pop();
                got.extend(self.run(look).await);
            } else {
                panic!("{}:{}: {error}", self.page, step.line);
            }
        }
    }

    async fn run(&mut self, script: &str) -> Vec<Value> {
        let script = self.ours(script);
        let mut command = Command::new("bash");
        command.args(["-c", &format!("{}{script}", self.exports)]).current_dir(workspace_root());
        let output =
            tokio::time::timeout(BLOCK_DEADLINE, command.kill_on_drop(true).output()).await;
        let output = output.unwrap_or_else(|_| panic!("it does not end: {script}")).unwrap();
        let exports = script.lines().filter(|line| line.starts_with("export "));
        self.exports.extend(exports.flat_map(|line| [line, "\n"]));
        let mut text = String::from_utf8(output.stdout).unwrap();
        for (theirs, ours) in self.ids.iter().chain([&self.user]) {
            text = text.replace(ours, theirs);
        }
        // With `-i`, the answer's head comes first.
        if text.starts_with("HTTP/")
            && let Some((_, body)) = text.split_once("\r\n\r\n")
        {
            text = body.to_owned();
        }
        let answers = serde_json::Deserializer::from_str(&text).into_iter();
        answers.map(|json| json.unwrap_or_else(|_| Value::String(text.clone()))).collect()
    }

    /// Fails when the answers are not what the page shows.
    fn compare(&mut self, step: &Step, got: &[Value]) -> Result<(), String> {
        let mut times = self.times.clone();
        // A page that shows only some of it may show the last answers only, too.
        let silent = got.len().saturating_sub(step.shown.len());
        if step.shown.len() > got.len() || (silent > 0 && self.extent == Extent::All) {
            return Err(format!("{} answers are shown, and there were {got:?}", step.shown.len()));
        }
        for (shown, got) in step.shown.iter().zip(&got[silent..]) {
            let error = same("", shown, got, self.extent, &mut times).err();
            error.map_or(Ok(()), |error| Err(format!("{error}, in {got}")))?;
        }
        for got in &got[..silent] {
            // What is not shown must have gone well.
            if !got.is_object() || got["status"].is_number() {
                return Err(format!("it was refused: {got}"));
            }
        }
        self.times = times;
        Ok(())
    }
}

/// A line that sleeps longer, if it sleeps.
fn patient(line: &str) -> String {
    let seconds = line.strip_prefix("sleep ").and_then(|seconds| seconds.parse::<u32>().ok());
    seconds.map_or_else(|| line.to_owned(), |seconds| format!("sleep {}", seconds + 10))
}

/// The `version` of a user, not of a task.
const VERSION_OF_USER: &str = "the user's version";

/// Whether one is the other, at another time. A time of the page always stands for the same time.
fn same(
    name: &str,
    shown: &Value,
    got: &Value,
    extent: Extent,
    times: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let differ = || Err(format!("{name}: shown is {shown}, and it was {got}"));
    match (shown, got) {
        (Value::Object(shown), Value::Object(got)) => {
            let all = extent == Extent::Some || got.keys().all(|name| shown.contains_key(name));
            if !all || !shown.keys().all(|name| got.contains_key(name)) {
                return differ();
            }
            let is_user = got.contains_key("userId") && !got.contains_key("taskId");
            shown.iter().try_for_each(|(name, shown)| {
                let got = &got[name];
                let name = if is_user && name == "version" { VERSION_OF_USER } else { name };
                same(name, shown, got, extent, times)
            })
        }
        (Value::Array(shown), Value::Array(got)) if shown.len() == got.len() => {
            shown.iter().zip(got).try_for_each(|(shown, got)| same(name, shown, got, extent, times))
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
        // How late it was, and how many have yet to follow, depends on the moment.
        (Value::Number(_), Value::Number(_)) if ["lateByMs", "outdated"].contains(&name) => Ok(()),
        // It begins above those of all who were erased here before.
        (shown, got) if name == VERSION_OF_USER && got.as_u64() >= shown.as_u64() => Ok(()),
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
fn what_is_not_as_the_page_shows_is_found() {
    let compare = |shown: &str, got: &str| {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        same("", &parse(shown), &parse(got), Extent::All, &mut BTreeMap::new()).is_ok()
    };
    let shown =
        r#"{"state":"fired","due":"2026-11-28T11:48:53.000Z","again":"2026-11-28T11:48:53.000Z"}"#;
    let later = shown.replace("11:48:53", "12:00:01");
    assert!(compare(shown, &later), "the same at another time");
    assert!(!compare(shown, &shown.replacen("11:48:53", "12:00:01", 1)), "only one of them moved");
    assert!(!compare(shown, &later.replace("fired", "scheduled")));
    assert!(!compare(shown, &later.replace("again", "twice")));
    let of_user = r#"{"userId":"ada","version":1}"#;
    assert!(compare(of_user, &of_user.replace('1', "10")), "others were erased before");
    assert!(!compare(&of_user.replace('1', "2"), of_user));
    let of_task = of_user.replace("userId", "taskId");
    assert!(!compare(&of_task, &of_task.replace('1', "10")));
    assert!(!compare(r#"{"version":3}"#, r#"{"version":4}"#));
}
