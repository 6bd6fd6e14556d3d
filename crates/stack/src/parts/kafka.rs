//! A Kafka broker that is its own controller.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reminder_contract::topics::TOPICS;
use tokio::process::Command;

use super::{kafka_wire, keys, tool};
use crate::events::Reader;
use crate::manifest::Manifest;
use crate::options::KafkaSecurity;
use crate::process::Launch;
use crate::progress::{Progress, done};
use crate::tools;

/// Formatting starts a JVM and writes two small files.
const FORMAT_DEADLINE: Duration = Duration::from_secs(60);

/// For one look at whether all partitions can be read, with a login of its own each.
const LOOK_DEADLINE: Duration = Duration::from_secs(20);

/// Whom the sidecars come as, where the broker asks.
pub(crate) const USER: &str = "reminder-scheduler";

/// Whom the broker comes to itself as.
const BROKER_USER: &str = "broker";

/// What the broker may use; the topics of a local stack are small.
const HEAP: &str = "-Xmx512m";

/// A broker that lives for minutes beside everything else: the second compiler of its machine would
/// spend more on optimising it than it ever gains (a tenth of all work in `bench drain`).
const SHORT_LIVED: [&str; 2] = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

pub(super) fn data(m: &Manifest) -> PathBuf {
    m.dir.join("kafka")
}

fn settings_file(m: &Manifest) -> PathBuf {
    m.dir.join("kafka.properties")
}

fn log_settings_file(m: &Manifest) -> PathBuf {
    m.dir.join("kafka-log4j2.properties")
}

fn is_plain(m: &Manifest) -> bool {
    m.options.kafka_security == KafkaSecurity::Plain
}

pub(super) async fn is_ready(m: &Manifest) -> bool {
    if is_plain(m) {
        return kafka_wire::all_have_leaders(m.kafka.port, &TOPICS).await.is_ok();
    }
    let look = tokio::time::timeout(LOOK_DEADLINE, all_can_be_read(m)).await;
    look.is_ok_and(|looked| looked.is_ok())
}

/// Fails unless every partition has a leader that answers a client who has logged in.
async fn all_can_be_read(m: &Manifest) -> Result<()> {
    let access = m.kafka_access()?.context("there is no broker")?;
    let names = TOPICS.map(|topic| topic.name);
    let ends = Reader::connect(access).await?.ends(&names).await?;
    let partitions: usize = TOPICS.iter().map(|topic| usize::from(topic.partitions)).sum();
    ensure!(ends.len() == partitions, "{} of {partitions} partitions are there", ends.len());
    Ok(())
}

/// A broker that asks who comes has only its controller listen in the clear; topics can be made there
/// as well.
pub(super) async fn create_topics(m: &Manifest) -> bool {
    let port = if is_plain(m) { m.kafka.port } else { m.kafka.controller_port };
    kafka_wire::create(port, &TOPICS).await.is_ok()
}

pub(super) fn launch(m: &Manifest) -> Result<Launch> {
    write_settings(m)?;
    let java = tool(m.tools.java.as_ref(), "Java")?;
    let mut args: Vec<String> = vec![HEAP.into(), "-Xms128m".into()];
    args.extend(SHORT_LIVED.map(str::to_owned));
    args.push(format!("-Dlog4j2.configurationFile={}", log_settings_file(m).display()));
    args.extend(["-cp".into(), class_path(m)?, "kafka.Kafka".into()]);
    args.push(settings_file(m).to_string_lossy().into_owned());
    Ok(Launch {
        program: java,
        args,
        cwd: m.dir.clone(),
        inputs: vec![settings_file(m), log_settings_file(m)],
        ..Launch::default()
    })
}

fn class_path(m: &Manifest) -> Result<String> {
    let lib = tool(m.tools.kafka_lib.as_ref(), "Kafka")?;
    Ok(format!("{}/*", lib.display()))
}

/// Formats the data directory, unless it is.
pub(super) async fn prepare(m: &Manifest, progress: &Progress) -> Result<()> {
    if !is_plain(m) {
        ensure!(
            !m.kafka.password.is_empty(),
            "the broker of this instance was made without users; `cargo xtask down --clean` removes it"
        );
        keys::ensure(m)?;
    }
    if data(m).join("meta.properties").exists() {
        return Ok(());
    }
    let began = Instant::now();
    // A half-formatted one is refused by the tool.
    fs::remove_dir_all(data(m)).ok();
    write_settings(m)?;
    let mut format = Command::new(tool(m.tools.java.as_ref(), "Java")?);
    format
        .arg(format!("-Dlog4j2.configurationFile={}", log_settings_file(m).display()))
        .args(SHORT_LIVED)
        .args(["-cp", &class_path(m)?])
        .args(["kafka.tools.StorageTool", "format"])
        .args(["--cluster-id", &cluster_id()?, "--config"])
        .arg(settings_file(m));
    // With the users that a secured broker asks for, whether it is one now or may become one.
    for (name, password) in [(USER, &m.kafka.password), (BROKER_USER, &m.kafka.broker_password)] {
        format.args(["--add-scram", &format!("SCRAM-SHA-512=[name={name},password={password}]")]);
    }
    tools::run(format, FORMAT_DEADLINE)
        .await
        .context("the broker's storage cannot be formatted")?;
    done(progress, "kafka", "formatted the broker's storage", began);
    Ok(())
}

/// 22 characters of what Kafka takes for a UUID: 16 bytes in URL-safe base64.
fn cluster_id() -> Result<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    /// The last character stands for two bits only, so these are the ones it can be.
    const LAST: &[u8; 4] = b"AQgw";
    let random = crate::files::random(22)?;
    let (last, first) = random.split_last().context("no random bytes")?;
    let mut id: String = first.iter().map(|b| char::from(ALPHABET[usize::from(b % 64)])).collect();
    // An id that begins with a dash would be read as a flag.
    id.replace_range(..1, "R");
    id.push(char::from(LAST[usize::from(last % 4)]));
    Ok(id)
}

fn write_settings(m: &Manifest) -> Result<()> {
    let listener = if is_plain(m) { plain(m.kafka.port) } else { secured(m) };
    let settings = settings(&listener, m.kafka.controller_port, &data(m));
    crate::files::write_secret(&settings_file(m), settings.as_bytes())?;
    crate::files::write_secret(&log_settings_file(m), LOG_SETTINGS.as_bytes())
}

/// The listener that clients use.
struct Listener {
    protocol: &'static str,
    port: u16,
    /// What else has to be said of it.
    more: String,
}

fn plain(port: u16) -> Listener {
    // Tests kill this one and wait for it. One with TLS is never killed, and must not be taken for dead
    // either when the machine has no time for it.
    let more = "# A broker that was killed is let in again only after its predecessor's session has ended; the
# default makes that 9 s.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
";
    Listener { protocol: "PLAINTEXT", port, more: more.to_owned() }
}

fn secured(m: &Manifest) -> Listener {
    let more = format!(
        "sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\\
  org.apache.kafka.common.security.scram.ScramLoginModule required \\
  username=\"{BROKER_USER}\" password=\"{}\";
ssl.keystore.type=PEM
ssl.keystore.location={}
ssl.truststore.type=PEM
ssl.truststore.location={}
",
        m.kafka.broker_password,
        keys::server_file(m).display(),
        keys::authority_file(m).display(),
    );
    Listener { protocol: "SASL_SSL", port: m.kafka.port, more }
}

fn settings(listener: &Listener, controller: u16, data: &Path) -> String {
    let Listener { protocol, port, more } = listener;
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners={protocol}://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={protocol}://127.0.0.1:{port}
listener.security.protocol.map={protocol}:{protocol},CONTROLLER:PLAINTEXT
inter.broker.listener.name={protocol}
{more}log.dirs={}
# A misspelt topic must fail, not appear.
auto.create.topics.enable=false
# One broker holds everything once; fewer internal partitions start faster.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
",
        data.display()
    )
}

const LOG_SETTINGS: &str = "status=warn
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %m (%c{1})%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cluster_ids_have_the_shape_kafka_wants() {
        for _ in 0..100 {
            let id = cluster_id().unwrap();
            assert_eq!(id.len(), 22);
            assert!(id.starts_with('R') && id.ends_with(['A', 'Q', 'g', 'w']), "{id}");
        }
    }

    #[test]
    fn everything_listens_on_loopback() {
        let text = settings(&plain(1234), 5678, Path::new("/x"));
        let listeners = text.lines().find(|line| line.starts_with("listeners=")).unwrap();
        assert_eq!(listeners.matches("://").count(), listeners.matches("://127.0.0.1:").count());
        assert!(text.contains("log.dirs=/x\n"));
    }
}
