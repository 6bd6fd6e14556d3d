//! Reading Kafka from outside, as a consumer of the events would: for tests, demo and benchmark.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use reminder_contract::canary::CANARY_KEY;
use rskafka::BackoffConfig;
use rskafka::client::Client;
use rskafka::client::partition::{OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::record::RecordAndOffset;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::access::Access;

/// For connecting, and for asking where a partition begins or ends.
const BROKER_DEADLINE: Duration = Duration::from_secs(30);

/// For reading everything there is.
const READ_DEADLINE: Duration = Duration::from_secs(120);

/// How long the broker holds a fetch when there is nothing new.
const FETCH_WAIT_MS: i32 = 500;

/// Bytes of one fetch.
const FETCH_BYTES: std::ops::Range<i32> = 1..4 * 1024 * 1024;

/// Longer than a fetch takes while the broker is there; it may also be away, and then the next one waits on.
const FETCH_DEADLINE: Duration = Duration::from_secs(30);

/// Records between the tail's readers and whoever takes them.
const TAIL_BUFFER: usize = 4096;

/// While the broker is away: never longer than this between two attempts, for somebody waits.
const BACKOFF_MAX: Duration = Duration::from_secs(1);
const BACKOFF_FIRST: Duration = Duration::from_millis(50);

/// After an error that a fetch does not retry itself.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// One record as it lies in the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The place in the partition.
    pub offset: i64,
    /// When the broker, or the publisher, says it was written.
    pub timestamp: DateTime<Utc>,
    /// The key; text in our topics.
    pub key: Option<String>,
    /// The headers.
    pub headers: BTreeMap<String, Vec<u8>>,
    /// The value; empty for a tombstone.
    pub payload: Vec<u8>,
}

impl Record {
    /// The payload as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.payload).with_context(|| {
            format!("{}/{}@{} is not JSON", self.topic, self.partition, self.offset)
        })
    }

    /// Whether it is a canary of the scheduler, which tells nothing.
    pub fn is_canary(&self) -> bool {
        self.key.as_deref() == Some(CANARY_KEY)
    }

    fn new(topic: &str, partition: i32, found: RecordAndOffset) -> Self {
        let RecordAndOffset { record, offset } = found;
        Self {
            topic: topic.to_owned(),
            partition,
            offset,
            timestamp: record.timestamp,
            key: record.key.map(|key| String::from_utf8_lossy(&key).into_owned()),
            headers: record.headers,
            payload: record.value.unwrap_or_default(),
        }
    }
}

/// A place in each partition; a partition that is not in it is meant from its beginning.
pub type Positions = BTreeMap<(String, i32), i64>;

/// Reads topics without being part of a consumer group.
#[derive(Clone)]
pub struct Reader {
    client: Arc<Client>,
}

impl Reader {
    /// Connects to a broker.
    pub async fn connect(broker: impl Into<Access>) -> Result<Self> {
        let broker = broker.into();
        let backoff = BackoffConfig {
            init_backoff: BACKOFF_FIRST,
            max_backoff: BACKOFF_MAX,
            base: 2.0,
            deadline: None,
        };
        let builder = broker.client()?.client_id("reminder-stack").backoff_config(backoff);
        let bootstrap = &broker.bootstrap;
        let client = timeout(BROKER_DEADLINE, builder.build())
            .await
            .with_context(|| format!("no broker at {bootstrap} within {BROKER_DEADLINE:?}"))??;
        Ok(Self { client: Arc::new(client) })
    }

    /// Where the topics end now: what is written later lies behind it.
    pub async fn ends(&self, topics: &[&str]) -> Result<Positions> {
        let mut ends = Positions::new();
        for partition in self.partitions(topics).await? {
            let end = offset(&partition, OffsetAt::Latest).await?;
            ends.insert((partition.topic().to_owned(), partition.partition()), end);
        }
        Ok(ends)
    }

    /// Everything between those positions and the present end, in the order of each partition.
    pub async fn read(&self, topics: &[&str], from: &Positions) -> Result<Vec<Record>> {
        let mut readers = JoinSet::new();
        for partition in self.partitions(topics).await? {
            let begin = begin(&partition, from).await?;
            readers.spawn(async move {
                timeout(READ_DEADLINE, read_to_end(&partition, begin))
                    .await
                    .context("reading takes too long")?
            });
        }
        let mut records = Vec::new();
        while let Some(read) = readers.join_next().await {
            records.append(&mut read.context("reading was interrupted")??);
        }
        records.sort_by(|a, b| {
            (&a.topic, a.partition, a.offset).cmp(&(&b.topic, b.partition, b.offset))
        });
        Ok(records)
    }

    /// Everything from those positions on, as it comes; survives the broker's absence.
    pub async fn tail(&self, topics: &[&str], from: &Positions) -> Result<Tail> {
        let (sender, receiver) = mpsc::channel(TAIL_BUFFER);
        let mut readers = JoinSet::new();
        for partition in self.partitions(topics).await? {
            let begin = begin(&partition, from).await?;
            readers.spawn(follow(self.client.clone(), partition, begin, sender.clone()));
        }
        Ok(Tail { receiver, _readers: readers })
    }

    /// Everything from now on: what is written after this call has returned is seen.
    pub async fn live(&self, topics: &[&str]) -> Result<Tail> {
        let ends = self.ends(topics).await?;
        self.tail(topics, &ends).await
    }

    async fn partitions(&self, topics: &[&str]) -> Result<Vec<PartitionClient>> {
        timeout(BROKER_DEADLINE, self.partitions_unbounded(topics))
            .await
            .with_context(|| format!("the broker has not answered within {BROKER_DEADLINE:?}"))?
    }

    async fn partitions_unbounded(&self, topics: &[&str]) -> Result<Vec<PartitionClient>> {
        let known = self.client.list_topics().await?;
        let mut partitions = Vec::new();
        for name in topics {
            let Some(topic) = known.iter().find(|topic| topic.name == *name) else {
                bail!("the broker has no topic {name}");
            };
            for partition in &topic.partitions {
                partitions.push(open(&self.client, name, *partition).await?);
            }
        }
        Ok(partitions)
    }
}

/// Records as they come. Dropping it ends the reading.
pub struct Tail {
    receiver: mpsc::Receiver<Record>,
    _readers: JoinSet<()>,
}

impl Tail {
    /// The next record; waits for it.
    pub async fn next(&mut self) -> Result<Record> {
        self.receiver.recv().await.context("the readers of the tail have ended")
    }

    /// The next record, if it comes within the limit.
    pub async fn next_within(&mut self, limit: Duration) -> Option<Record> {
        timeout(limit, self.receiver.recv()).await.ok().flatten()
    }

    /// The next record of that kind, if it comes within the limit; others are dropped.
    pub async fn find_within(
        &mut self,
        limit: Duration,
        mut wanted: impl FnMut(&Record) -> bool,
    ) -> Option<Record> {
        timeout(limit, async {
            loop {
                let record = self.receiver.recv().await?;
                if wanted(&record) {
                    return Some(record);
                }
            }
        })
        .await
        .ok()
        .flatten()
    }
}

async fn open(client: &Client, topic: &str, partition: i32) -> Result<PartitionClient> {
    Ok(client.partition_client(topic, partition, UnknownTopicHandling::Retry).await?)
}

async fn offset(partition: &PartitionClient, at: OffsetAt) -> Result<i64> {
    timeout(BROKER_DEADLINE, partition.get_offset(at))
        .await
        .with_context(|| format!("{} has not answered in time", partition.topic()))?
        .with_context(|| format!("cannot tell where {} begins or ends", partition.topic()))
}

async fn begin(partition: &PartitionClient, from: &Positions) -> Result<i64> {
    match from.get(&(partition.topic().to_owned(), partition.partition())) {
        Some(offset) => Ok(*offset),
        None => offset(partition, OffsetAt::Earliest).await,
    }
}

async fn read_to_end(partition: &PartitionClient, begin: i64) -> Result<Vec<Record>> {
    let end = offset(partition, OffsetAt::Latest).await?;
    let mut next = begin;
    let mut records = Vec::new();
    while next < end {
        let (found, _) = partition.fetch_records(next, FETCH_BYTES, FETCH_WAIT_MS).await?;
        // Compaction may have left nothing up to the end.
        let Some(last) = found.last() else { break };
        next = last.offset + 1;
        let here = |record| Record::new(partition.topic(), partition.partition(), record);
        records.extend(found.into_iter().filter(|record| record.offset < end).map(here));
    }
    Ok(records)
}

async fn follow(
    client: Arc<Client>,
    mut partition: PartitionClient,
    begin: i64,
    sender: mpsc::Sender<Record>,
) {
    let mut next = begin;
    loop {
        let fetch = partition.fetch_records(next, FETCH_BYTES, FETCH_WAIT_MS);
        match timeout(FETCH_DEADLINE, fetch).await {
            Ok(Ok((found, _))) => {
                for record in found {
                    next = record.offset + 1;
                    let record = Record::new(partition.topic(), partition.partition(), record);
                    if sender.send(record).await.is_err() {
                        return;
                    }
                }
            }
            Ok(Err(_)) => tokio::time::sleep(RETRY_AFTER).await,
            // Neither records nor an error: the connection may have died without a word, so on a new one.
            Err(_) => {
                let anew = open(&client, partition.topic(), partition.partition());
                if let Ok(Ok(anew)) = timeout(BROKER_DEADLINE, anew).await {
                    partition = anew;
                }
            }
        }
    }
}
