//! Asking a process whether it is there: polling with a deadline, and a GET without a client.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Between two looks at a condition.
const POLL_EVERY: Duration = Duration::from_millis(50);

/// For one request of a probe.
const PROBE_DEADLINE: Duration = Duration::from_secs(3);

/// A longer answer to a probe is cut off.
const ANSWER_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Polls a condition until it holds; `None` when the limit passes first.
pub async fn until<T, F>(limit: Duration, mut condition: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition().await {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return None;
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}

/// An answer: its status and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// GETs a path from a loopback port.
pub async fn get(port: u16, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    timeout(PROBE_DEADLINE, get_unbounded(port, path, headers))
        .await
        .with_context(|| format!("no answer within {PROBE_DEADLINE:?}"))?
}

async fn get_unbounded(port: u16, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    // HTTP/1.0, because then the answer ends with the connection and is never chunked.
    let mut request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n")?;
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX_BYTES).read_to_end(&mut answer).await?;
    parse(&String::from_utf8_lossy(&answer))
}

fn parse(answer: &str) -> Result<Answer> {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        bail!("the answer is cut off");
    };
    let status = head.split_ascii_whitespace().nth(1).and_then(|status| status.parse().ok());
    Ok(Answer { status: status.context("the answer has no status")?, body: body.to_owned() })
}

/// Whether a GET is answered with a status of the 200s.
pub(crate) async fn ok(port: u16, path: &str, headers: &[(&str, &str)]) -> bool {
    get(port, path, headers).await.is_ok_and(|answer| (200..300).contains(&answer.status))
}

/// Whether a Postgres server takes connections: it answers a start-up message with anything but
/// "starting up" or "shutting down". Works without a password and without a client program.
pub(crate) async fn postgres(host: &str, port: u16) -> bool {
    timeout(PROBE_DEADLINE, ask_postgres(host, port)).await.is_ok_and(|answer| answer.is_ok())
}

async fn ask_postgres(host: &str, port: u16) -> Result<()> {
    /// Protocol 3.0.
    const PROTOCOL: [u8; 4] = [0, 3, 0, 0];
    /// `cannot_connect_now`.
    const NOT_NOW: &[u8] = b"57P03";

    let parameters = b"user\0probe\0database\0probe\0\0";
    let length = u32::try_from(4 + PROTOCOL.len() + parameters.len())?;
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_all(&[&length.to_be_bytes()[..], &PROTOCOL, parameters].concat()).await?;
    let mut answer = [0; 512];
    let read = stream.read(&mut answer).await?;
    let answer = &answer[..read];
    if answer.is_empty() || answer.windows(NOT_NOW.len()).any(|window| window == NOT_NOW) {
        bail!("not yet");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_parsed() {
        let answer = parse("HTTP/1.1 204 No Content\r\nX: y\r\n\r\n").unwrap();
        assert_eq!(answer, Answer { status: 204, body: String::new() });
        let answer = parse("HTTP/1.0 500 Oh\r\n\r\nwhy\r\n\r\nnot").unwrap();
        assert_eq!(answer, Answer { status: 500, body: "why\r\n\r\nnot".to_owned() });
        assert!(parse("HTTP/1.1 200").is_err());
        assert!(parse("hello\r\n\r\n").is_err());
    }

    #[tokio::test]
    async fn polling_ends_with_the_condition_or_the_limit() {
        let mut looks = 0;
        let value = until(Duration::from_secs(5), || {
            looks += 1;
            std::future::ready((looks == 3).then_some(looks))
        });
        assert_eq!(value.await, Some(3));
        assert_eq!(until(Duration::ZERO, || async { None::<()> }).await, None);
    }
}
