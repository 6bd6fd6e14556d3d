//! A page whose commands are run as its reader runs them: word for word, in a folder of their own, with the
//! programs that they name on PATH.

use crate::pages::{self, Block, Page};
use crate::suite::Suite;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// For one block of commands, on a database of this size.
const BLOCK_DEADLINE: Duration = Duration::from_secs(60);

/// What the service's binary is called in the pages.
const BINARY: &str = "reminder-scheduler";

/// A page, and what was run of it.
pub(crate) struct Guide {
    page: Page,
    /// The lines of the blocks that were run.
    done: BTreeSet<usize>,
    folder: PathBuf,
    environment: BTreeMap<String, String>,
    /// An address of the page, and where that is here.
    reached: Option<(String, String)>,
}

/// How commands ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Guide {
    /// Opens a page, to be followed in this folder, which is made.
    pub(crate) fn open(suite: &Suite, path: &str, folder: &Path) -> Self {
        let tools = suite.manifest().tools;
        let programs = folder.join("bin");
        std::fs::create_dir_all(&programs).unwrap();
        let binary = programs.join(BINARY);
        let _ = std::fs::remove_file(&binary);
        std::os::unix::fs::symlink(tools.app.unwrap(), &binary).unwrap();
        let usual = std::env::var("PATH").unwrap_or_default();
        let postgres = tools.postgres_bin.unwrap();
        let path_variable = format!("{}:{}:{usual}", programs.display(), postgres.display());
        let environment = [("PATH".to_owned(), path_variable)].into();
        let (page, folder) = (pages::page(path), folder.to_owned());
        Self { page, done: BTreeSet::new(), folder, environment, reached: None }
    }

    /// Sets variables that the page takes for granted.
    pub(crate) fn with(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(variables);
        self
    }

    /// Has an address of the page lead somewhere else: the ports of a stack are its own.
    pub(crate) fn reaching(mut self, address: &str, here: &str) -> Self {
        self.reached = Some((address.to_owned(), here.to_owned()));
        self
    }

    /// The only block of a language that has this text in it.
    fn block(&self, language: &str, holds: &str) -> &Block {
        let is_meant = |block: &&Block| block.language == language && block.text.contains(holds);
        let mut found = self.page.blocks.iter().filter(is_meant);
        let block = found.next();
        let block = block.unwrap_or_else(|| panic!("{}: no {holds}", self.page.path.display()));
        assert!(found.next().is_none(), "{}: several {holds}", self.page.path.display());
        block
    }

    /// The statements of a block.
    pub(crate) fn sql(&self, holds: &str) -> &str {
        &self.block("sql", holds).text
    }

    /// Runs the block of commands that has this text in it, and answers how it ended.
    pub(crate) async fn attempt(&mut self, holds: &str) -> Ended {
        let block = self.block("sh", holds);
        let (line, script) = (block.line, block.text.clone());
        self.done.insert(line);
        self.run(&script).await
    }

    /// The same, and it must go well.
    pub(crate) async fn follow(&mut self, holds: &str) -> String {
        let ended = self.attempt(holds).await;
        assert_eq!(ended.code, Some(0), "{}: {holds}: {}", self.page.path.display(), ended.said);
        ended.said
    }

    /// Runs a command that stands in the page's text, and must go well.
    pub(crate) async fn follow_span(&self, command: &str) -> String {
        let there = self.page.spans.iter().any(|span| span == command);
        assert!(there, "{}: no `{command}`", self.page.path.display());
        let ended = self.run(command).await;
        assert_eq!(ended.code, Some(0), "{command}: {}", ended.said);
        ended.said
    }

    async fn run(&self, script: &str) -> Ended {
        let script = match &self.reached {
            Some((address, here)) => script.replace(address, here),
            None => script.to_owned(),
        };
        let mut command = Command::new("bash");
        command.args(["-e", "-o", "pipefail", "-c", &script]).current_dir(&self.folder);
        command.env_clear().envs(&self.environment);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(BLOCK_DEADLINE, command.output()).await;
        let output = output.unwrap_or_else(|_| panic!("it does not end: {script}")).unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        Ended { code: output.status.code(), said: said.concat() }
    }

    /// Fails when commands of the page were not run; `kubectl` is proven by `tests/cluster`.
    pub(crate) fn must_be_done(&self) {
        let of_others =
            |block: &&Block| block.text.lines().all(|line| line.starts_with("kubectl "));
        let blocks = self.page.blocks.iter().filter(|block| block.language == "sh");
        let left = blocks.filter(|block| !of_others(block) && !self.done.contains(&block.line));
        let left: Vec<&str> = left.map(|block| block.text.as_str()).collect();
        assert!(left.is_empty(), "{}: not run: {left:#?}", self.page.path.display());
    }
}
