//! A Java runtime and Kafka's jars, which Maven collects.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use tokio::process::Command;

use super::version::Version;
use super::{ask, install, on_path, on_path_all, shared_lock, work};
use crate::progress::{Progress, done};

/// The broker's version.
const KAFKA: &str = "4.1.1";

/// Brings log4j's output to Kafka's loggers; Kafka's jars leave the choice open.
const LOG4J: &str = "2.24.3";

/// The oldest Java that Kafka 4 runs on.
const OLDEST_JAVA: Version = Version(17, 0, 0);

/// By preference; the second serves distributions whose default is newer.
const JAVA_PACKAGES: [&str; 2] = ["openjdk-17-jre-headless", "default-jre-headless"];

/// A Java runtime.
pub(crate) async fn java(progress: &Progress) -> Result<PathBuf> {
    if let Some(java) = find_java().await {
        return Ok(java);
    }
    let first = install(progress, "java", &JAVA_PACKAGES[..1]).await;
    if first.is_err() {
        install(progress, "java", &JAVA_PACKAGES[1..]).await?;
    }
    find_java().await.context("Java 17 or newer is installed, but cannot be found")
}

async fn find_java() -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let installed = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    let installed = installed.map(|entry| entry.path().join("bin/java"));
    let mut candidates: Vec<PathBuf> = home.into_iter().chain(on_path_all("java")).collect();
    candidates.extend(installed);
    for java in candidates {
        if !java.is_file() {
            continue;
        }
        let answer = ask(&java, &["-version"]).await.unwrap_or_default();
        if Version::find(&answer).is_some_and(|version| version >= OLDEST_JAVA) {
            return Some(java);
        }
    }
    None
}

/// The folder of Kafka's jars.
pub(crate) async fn jars(progress: &Progress, shared: &Path) -> Result<PathBuf> {
    let folder = shared.join("kafka");
    let _lock = shared_lock(progress, "kafka", &shared.join("kafka.lock")).await?;
    let lib = folder.join("lib");
    let stamp = folder.join("stamp");
    let pom = pom();
    if lib.is_dir() && fs::read_to_string(&stamp).is_ok_and(|found| found == pom) {
        return Ok(lib);
    }

    if on_path("mvn").is_none() {
        install(progress, "maven", &["maven"]).await?;
    }
    let began = Instant::now();
    fs::create_dir_all(&folder)?;
    // What an interrupted download left would otherwise stay on the class path.
    fs::remove_dir_all(&lib).ok();
    fs::write(folder.join("pom.xml"), &pom)?;
    let mut command = Command::new("mvn");
    command
        .current_dir(&folder)
        .args(["--quiet", "--batch-mode", "dependency:copy-dependencies"])
        .args(["-DincludeScope=runtime", "-DoutputDirectory=lib"]);
    work(progress, "kafka", &format!("downloading Kafka {KAFKA}"), command)
        .await
        .context("Maven cannot collect Kafka's jars; `--pubsub in-memory` does without them")?;
    fs::write(&stamp, &pom)?;
    done(progress, "kafka", format!("downloaded Kafka {KAFKA}"), began);
    Ok(lib)
}

fn pom() -> String {
    let dependencies = [
        ("org.apache.kafka", "kafka_2.13", KAFKA),
        ("org.apache.kafka", "kafka-tools", KAFKA),
        ("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J),
    ]
    .map(|(group, artifact, version)| {
        format!(
            "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>\n"
        )
    });
    format!(
        r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>reminder-scheduler</groupId>
  <artifactId>local-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
{}  </dependencies>
</project>
"#,
        dependencies.concat()
    )
}
