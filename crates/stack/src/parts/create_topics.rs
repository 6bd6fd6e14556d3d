//! Creating the topics over the wire: Kafka's own command starts a JVM for each, and rskafka
//! cannot pass settings. One `CreateTopics` request does all of it, and does it again
//! every time the broker is asked whether it is ready.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reminder_contract::topics::Topic;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The request's number in Kafka's protocol.
const CREATE_TOPICS: i16 = 19;

/// The last version without tagged fields that Kafka 4 and Redpanda still take.
const VERSION: i16 = 2;

/// How long the broker may work on it.
const BROKER_DEADLINE_MS: i32 = 5000;

/// How long we wait for its answer.
const DEADLINE: Duration = Duration::from_secs(8);

/// The broker runs alone.
const BROKERS: u16 = 1;

/// Longer answers do not come from a broker.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

const NONE: i16 = 0;
const TOPIC_ALREADY_EXISTS: i16 = 36;

/// Creates those topics that do not exist; what exists is left as it is.
pub(super) async fn ensure(port: u16, topics: &[Topic]) -> Result<()> {
    let answer = timeout(DEADLINE, exchange(port, &request(topics)?)).await??;
    let outcomes = parse(&answer)?;
    ensure!(outcomes.len() == topics.len(), "the broker has answered for other topics");
    for (topic, code) in outcomes {
        ensure!([NONE, TOPIC_ALREADY_EXISTS].contains(&code), "{topic}: Kafka's error {code}");
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

fn request(topics: &[Topic]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.extend(CREATE_TOPICS.to_be_bytes());
    out.extend(VERSION.to_be_bytes());
    out.extend(1_i32.to_be_bytes()); // the correlation id
    put_text(&mut out, "reminder-stack")?;
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
fn parse(answer: &[u8]) -> Result<Vec<(String, i16)>> {
    let mut rest = answer;
    take(&mut rest, 8)?; // the correlation id and the throttling time
    let count = i32::from_be_bytes(take(&mut rest, 4)?.try_into()?);
    let mut outcomes = Vec::new();
    for _ in 0..count {
        let name = take_text(&mut rest)?.context("a topic without a name")?;
        let code = i16::from_be_bytes(take(&mut rest, 2)?.try_into()?);
        take_text(&mut rest)?; // the message
        outcomes.push((name, code));
    }
    Ok(outcomes)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let Some((taken, left)) = rest.split_at_checked(count) else {
        bail!("the broker's answer is cut off");
    };
    *rest = left;
    Ok(taken)
}

fn take_text(rest: &mut &[u8]) -> Result<Option<String>> {
    let length = i16::from_be_bytes(take(rest, 2)?.try_into()?);
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    Ok(Some(String::from_utf8_lossy(take(rest, length)?).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_contract::topics::TOPICS;

    #[test]
    fn a_request_holds_names_partitions_and_settings() {
        let bytes = request(&TOPICS[..1]).unwrap();
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
            parse(&answer).unwrap(),
            [("a".to_owned(), NONE), ("b".to_owned(), TOPIC_ALREADY_EXISTS)]
        );
        assert!(parse(&answer[..answer.len() - 1]).is_err());
    }
}
