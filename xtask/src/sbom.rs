//! `cargo xtask sbom`: what is in a service, as a `CycloneDX` document. Cargo itself says what that is, with
//! the features of this package alone; the versions are those of Cargo.lock, with its checksums.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use reminder_stack::options::workspace_root;
use serde_json::{Value, json};
use tokio::process::Command;

/// For resolving; nothing is built.
const TREE_DEADLINE: Duration = Duration::from_secs(120);

/// Between the fields of a line; no name, version or licence has it.
const BETWEEN: char = '|';

#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask sbom                                    of the scheduler, to standard output
  cargo xtask sbom --package todo-api --output todo-api.cdx.json

The same sources give the same document: it has no time and no serial number.")]
pub(crate) struct Options {
    /// The service
    #[arg(long, value_name = "NAME", default_value = "reminder-scheduler")]
    package: String,

    /// What it is built for
    #[arg(long, value_name = "TRIPLE", default_value = TARGET)]
    target: String,

    /// Where to write it; standard output otherwise
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What images are built for.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-gnu";

pub(crate) async fn run(options: Options) -> Result<bool> {
    let document = of(&workspace_root(), &options.package, &options.target).await?;
    let text = serde_json::to_string_pretty(&document)? + "\n";
    match options.output {
        Some(file) => {
            std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        }
        None => print!("{text}"),
    }
    Ok(true)
}

/// The document of one service.
pub(crate) async fn of(root: &Path, package: &str, target: &str) -> Result<Value> {
    let mut tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What only builds it, or tests it, is not in it.
    tree.current_dir(root).args(["tree", "--locked", "--edges", "normal", "--prefix", "depth"]);
    tree.args(["--package", package, "--target", target]);
    tree.arg(format!("--format={BETWEEN}{{p}}{BETWEEN}{{l}}{BETWEEN}"));
    let answer = tokio::time::timeout(TREE_DEADLINE, tree.kill_on_drop(true).output()).await;
    let answer = answer.context("`cargo tree` does not end")??;
    ensure!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr).trim());
    let lock = std::fs::read_to_string(root.join("Cargo.lock"))?;
    document(&String::from_utf8(answer.stdout)?, &lock)
}

/// One package in the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
}

impl Package {
    fn url(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

fn document(tree: &str, lock: &str) -> Result<Value> {
    let (root, packages, edges) = read(tree)?;
    let checksums = checksums(lock);
    let components: Vec<Value> = packages
        .iter()
        .filter(|package| **package != root)
        .map(|package| {
            let mut component = component(package, "library");
            if let Some(checksum) = checksums.get(&(package.name.as_str(), &*package.version)) {
                component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
            }
            component
        })
        .collect();
    let dependencies: Vec<Value> = packages
        .iter()
        .map(|package| {
            let on: BTreeSet<&String> =
                edges.iter().filter(|(from, _)| *from == package.url()).map(|(_, on)| on).collect();
            json!({ "ref": package.url(), "dependsOn": on })
        })
        .collect();
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": component(&root, "application") },
        "components": components,
        "dependencies": dependencies,
    }))
}

fn component(package: &Package, kind: &str) -> Value {
    json!({
        "type": kind,
        "bom-ref": package.url(),
        "name": package.name,
        "version": package.version,
        "purl": package.url(),
        // Older packages write a slash for it.
        "licenses": [{ "expression": package.licence.replace(" / ", " OR ").replace('/', " OR ") }],
    })
}

type Edges = BTreeSet<(String, String)>;

/// The service, all packages, and which of them depends on which.
fn read(tree: &str) -> Result<(Package, BTreeSet<Package>, Edges)> {
    let (mut path, mut packages, mut edges) =
        (Vec::<Package>::new(), BTreeSet::new(), Edges::new());
    let mut root = None;
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let mut fields = line.split(BETWEEN);
        let mut field = || fields.next().with_context(|| format!("cargo said {line:?}"));
        let (depth, package, licence) = (field()?.parse::<usize>()?, field()?, field()?);
        let mut words = package.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let version = words.next().and_then(|version| version.strip_prefix('v'));
        let version = version.with_context(|| format!("{line:?} has no version"))?.to_owned();
        let package = Package { name, version, licence: licence.to_owned() };
        ensure!(!package.licence.is_empty(), "{} has no licence", package.url());
        path.truncate(depth);
        match path.last() {
            Some(from) => drop(edges.insert((from.url(), package.url()))),
            None => root = Some(package.clone()),
        }
        packages.insert(package.clone());
        path.push(package);
    }
    Ok((root.context("cargo said nothing")?, packages, edges))
}

/// The checksums of a lock file, by name and version.
fn checksums(lock: &str) -> BTreeMap<(&str, &str), &str> {
    let mut found = BTreeMap::new();
    for package in lock.split("[[package]]") {
        let of = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.strip_prefix(" = \"")?.trim_end_matches('"'))
        };
        if let (Some(name), Some(version), Some(sum)) = (of("name"), of("version"), of("checksum"))
        {
            found.insert((name, version), sum);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0|app v0.1.0 (/work/app)|Apache-2.0|\n1|a v1.0.0|MIT/Apache-2.0|\n\
                        2|b v2.0.0 (proc-macro)|MIT|\n1|b v2.0.0 (proc-macro)|MIT| (*)\n";
    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
                        checksum = \"c0ffee\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n";

    #[test]
    fn each_package_is_there_once_with_what_it_depends_on() {
        let document = document(TREE, LOCK).unwrap();
        let told = document["components"].as_array().unwrap();
        assert_eq!(told.len(), 2);
        assert_eq!(told[0]["purl"], "pkg:cargo/a@1.0.0");
        assert_eq!(told[0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(told[0]["hashes"][0]["content"], "c0ffee");
        assert_eq!(told[1].get("hashes"), None);
        assert_eq!(document["metadata"]["component"]["name"], "app");
        let on: Vec<_> =
            document["dependencies"].as_array().unwrap().iter().map(|d| &d["dependsOn"]).collect();
        let (a, b) = ("pkg:cargo/a@1.0.0", "pkg:cargo/b@2.0.0");
        assert_eq!(on, [&json!([b]), &json!([a, b]), &json!([])]);
        // Where it was built is nobody's business.
        assert!(!document.to_string().contains("/work"));
    }

    #[test]
    fn a_package_without_a_licence_is_an_error() {
        assert!(read("0|app v0.1.0|MIT|\n1|a v1.0.0||\n").is_err());
        assert!(read("").is_err());
    }
}
