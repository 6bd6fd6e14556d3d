//! Two requests of Kafka's protocol, by hand: Kafka's own command for creating topics starts a JVM
//! for each, and rskafka can neither pass settings nor tell whether a partition has a leader.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reminder_contract::topics::Topic;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The last versions without tagged fields; Kafka 4 and Redpanda still take them.
const CREATE_TOPICS: Api = Api { key: 19, version: 4 };
const METADATA: Api = Api { key: 3, version: 4 };

/// How long the broker may work on a request.
const BROKER_DEADLINE_MS: i32 = 5000;

/// How long we wait for its answer.
const DEADLINE: Duration = Duration::from_secs(8);

/// The broker runs alone.
const BROKERS: u16 = 1;

/// Longer answers do not come from a broker.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

const NONE: i16 = 0;
const TOPIC_ALREADY_EXISTS: i16 = 36;

/// A request's number and version.
#[derive(Clone, Copy)]
struct Api {
    key: i16,
    version: i16,
}

/// Creates those topics that do not exist; what exists is left as it is.
pub(super) async fn create(port: u16, topics: &[Topic]) -> Result<()> {
    let answer = timeout(DEADLINE, exchange(port, &create_request(topics)?)).await??;
    let outcomes = created(&answer)?;
    ensure!(outcomes.len() == topics.len(), "the broker has answered for other topics");
    for (topic, code) in outcomes {
        ensure!([NONE, TOPIC_ALREADY_EXISTS].contains(&code), "{topic}: Kafka's error {code}");
    }
    Ok(())
}

/// Fails unless all topics are there and every partition of theirs can be written to.
pub(super) async fn all_have_leaders(port: u16, topics: &[Topic]) -> Result<()> {
    let answer = timeout(DEADLINE, exchange(port, &metadata_request(topics)?)).await??;
    let found = leaders(&answer)?;
    for topic in topics {
        let led = found.iter().filter(|(name, leader)| name == topic.name && *leader >= 0);
        ensure!(led.count() == usize::from(topic.partitions), "{} is not complete", topic.name);
    }
    Ok(())
}

async fn exchange(port: u16, request: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_i32(i32::try_from(request.len())?).await?;
    stream.write_all(request).await?;
    let length = usize::try_from(stream.read_i32().await?)?;
    ensure!(length <= ANSWER_MAX_BYTES, "an answer of {length} bytes");
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn header(api: Api) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.extend(api.key.to_be_bytes());
    out.extend(api.version.to_be_bytes());
    out.extend(1_i32.to_be_bytes()); // the correlation id
    put_text(&mut out, "reminder-stack")?;
    Ok(out)
}

fn create_request(topics: &[Topic]) -> Result<Vec<u8>> {
    let mut out = header(CREATE_TOPICS)?;
    put_count(&mut out, topics.len())?;
    for topic in topics {
        put_text(&mut out, topic.name)?;
        out.extend(i32::from(topic.partitions).to_be_bytes());
        out.extend(topic.replication_factor(BROKERS).to_be_bytes());
        put_count(&mut out, 0)?; // assignments of our own
        let config = topic.config(BROKERS);
        put_count(&mut out, config.len())?;
        for (name, value) in config {
            put_text(&mut out, name)?;
            put_text(&mut out, &value)?;
        }
    }
    out.extend(BROKER_DEADLINE_MS.to_be_bytes());
    out.push(0); // not only validated
    Ok(out)
}

fn metadata_request(topics: &[Topic]) -> Result<Vec<u8>> {
    let mut out = header(METADATA)?;
    put_count(&mut out, topics.len())?;
    for topic in topics {
        put_text(&mut out, topic.name)?;
    }
    out.push(0); // no creation
    Ok(out)
}

fn put_text(out: &mut Vec<u8>, text: &str) -> Result<()> {
    out.extend(i16::try_from(text.len())?.to_be_bytes());
    out.extend(text.as_bytes());
    Ok(())
}

fn put_count(out: &mut Vec<u8>, count: usize) -> Result<()> {
    out.extend(i32::try_from(count)?.to_be_bytes());
    Ok(())
}

/// The topics of an answer with their error codes.
fn created(answer: &[u8]) -> Result<Vec<(String, i16)>> {
    let mut rest = answer;
    take(&mut rest, 8)?; // the correlation id and the throttling time
    let mut outcomes = Vec::new();
    for _ in 0..take_count(&mut rest)? {
        let name = take_text(&mut rest)?.context("a topic without a name")?;
        let code = take_i16(&mut rest)?;
        take_text(&mut rest)?; // the message
        outcomes.push((name, code));
    }
    Ok(outcomes)
}

/// The leader of each partition, by the name of its topic; negative for none.
fn leaders(answer: &[u8]) -> Result<Vec<(String, i32)>> {
    let mut rest = answer;
    take(&mut rest, 8)?; // the correlation id and the throttling time
    for _ in 0..take_count(&mut rest)? {
        take(&mut rest, 4)?; // a broker's number
        take_text(&mut rest)?; // its host
        take(&mut rest, 4)?; // its port
        take_text(&mut rest)?; // its rack
    }
    take_text(&mut rest)?; // the cluster
    take(&mut rest, 4)?; // the controller
    let mut leaders = Vec::new();
    for _ in 0..take_count(&mut rest)? {
        take_i16(&mut rest)?; // an error means no partitions
        let name = take_text(&mut rest)?.context("a topic without a name")?;
        take(&mut rest, 1)?; // whether it is internal
        for _ in 0..take_count(&mut rest)? {
            let code = take_i16(&mut rest)?;
            take(&mut rest, 4)?; // the partition's number
            let leader = take_i32(&mut rest)?;
            for _ in 0..2 {
                // The replicas, and those in sync.
                let count = take_count(&mut rest)?;
                take(&mut rest, 4 * count)?;
            }
            leaders.push((name.clone(), if code == NONE { leader } else { -1 }));
        }
    }
    Ok(leaders)
}

fn take_i16(rest: &mut &[u8]) -> Result<i16> {
    Ok(i16::from_be_bytes(take(rest, 2)?.try_into()?))
}

fn take_i32(rest: &mut &[u8]) -> Result<i32> {
    Ok(i32::from_be_bytes(take(rest, 4)?.try_into()?))
}

/// The length of an array; a null one is as good as an empty one.
fn take_count(rest: &mut &[u8]) -> Result<usize> {
    Ok(usize::try_from(take_i32(rest)?).unwrap_or(0))
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let Some((taken, left)) = rest.split_at_checked(count) else {
        bail!("the broker's answer is cut off");
    };
    *rest = left;
    Ok(taken)
}

fn take_text(rest: &mut &[u8]) -> Result<Option<String>> {
    let length = take_i16(rest)?;
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    Ok(Some(String::from_utf8_lossy(take(rest, length)?).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_contract::topics::TOPICS;

    #[test]
    fn a_request_holds_names_partitions_and_settings() {
        let bytes = create_request(&TOPICS[..1]).unwrap();
        let name = b"\0\x0btask-events\0\0\0\x03\0\x01\0\0\0\0\0\0\0\x03";
        assert!(bytes.windows(name.len()).any(|window| window == name));
        let setting = b"\0\x0ecleanup.policy\0\x0ecompact,delete";
        assert!(bytes.windows(setting.len()).any(|window| window == setting));
        assert!(bytes.ends_with(b"\0\0\x13\x88\0"));
    }

    #[test]
    fn answers_are_read() {
        let mut answer = b"\0\0\0\x01\0\0\0\0\0\0\0\x02".to_vec();
        answer.extend(b"\0\x01a\0\0\xff\xff");
        answer.extend(b"\0\x01b\0\x24\0\x03yes");
        assert_eq!(
            created(&answer).unwrap(),
            [("a".to_owned(), NONE), ("b".to_owned(), TOPIC_ALREADY_EXISTS)]
        );
        assert!(created(&answer[..answer.len() - 1]).is_err());
    }

    #[test]
    fn leaders_are_read() {
        let mut answer = b"\0\0\0\x01\0\0\0\0".to_vec();
        answer.extend(b"\0\0\0\x01\0\0\0\x01\0\x01h\0\0\0\x09\xff\xff"); // one broker
        answer.extend(b"\xff\xff\0\0\0\x01\0\0\0\x01"); // no cluster id, the controller, one topic
        answer.extend(b"\0\0\0\x01a\0\0\0\0\x02"); // two partitions
        answer.extend(b"\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\0");
        answer.extend(b"\0\x05\0\0\0\x01\xff\xff\xff\xff\0\0\0\0\0\0\0\0");
        assert_eq!(leaders(&answer).unwrap(), [("a".to_owned(), 1), ("a".to_owned(), -1)]);
        assert!(leaders(&answer[..answer.len() - 1]).is_err());
    }
}
