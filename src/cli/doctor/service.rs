//! What the service and the sidecar say over HTTP: health, readiness, metrics, and what time it is.

use super::finding::Finding;
use crate::clock::{Clock, SystemClock};
use crate::config::ServerConfig;
use reminder_contract::names::{METRICS_PATH, READINESS_PATH};
use reminder_domain::Timestamp;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// How long an answer may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(3);
/// The sidecar's own health, that of what it needs included.
const SIDECAR_HEALTH: &str = "/v1.0/healthz";
/// Events that wait for the broker without anybody having to worry.
const OUTBOX_MANY: f64 = 1_000.0;

/// An answer, as far as it matters.
struct Answer {
    status: u16,
    body: String,
    /// What the other side believes the time to be, to the second.
    date: Option<Timestamp>,
}

async fn get(address: SocketAddr, path: &str) -> Result<Answer, String> {
    // Loopback: nothing of the environment's proxies must come in between.
    let client = reqwest::Client::builder().timeout(ANSWER_DEADLINE).no_proxy().build();
    let client = client.map_err(|error| error.to_string())?;
    let answer = client.get(format!("http://{address}{path}")).send().await.map_err(root_cause)?;
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    Ok(Answer {
        date: date.and_then(parsed_date),
        status: answer.status().as_u16(),
        body: answer.text().await.map_err(root_cause)?,
    })
}

/// The words at the bottom of an error: "error sending request" alone says nothing.
#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
fn root_cause(error: reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn parsed_date(text: &str) -> Option<Timestamp> {
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some(Timestamp::from_millis(date.timestamp_millis()))
}

fn on_loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Whether the sidecar says that it is well.
pub(super) async fn sidecar_health(port: u16) -> Finding {
    match get(on_loopback(port), SIDECAR_HEALTH).await {
        Ok(answer) if (200..300).contains(&answer.status) => {
            Finding::ok("health", format!("{SIDECAR_HEALTH} at port {port} is good"))
        }
        Ok(answer) => Finding::fail(
            "health",
            format!("{SIDECAR_HEALTH} says {}: {}", answer.status, answer.body.trim()),
            "The sidecar names what it waits for; the scheduler and placement are part of its health. \
             Its log says more.",
        ),
        Err(error) => Finding::warn(
            "health",
            format!("port {port}: {error}"),
            "Correct DAPR_HTTP_PORT; callers of the actor API need this port as well.",
        ),
    }
}

/// How far the sidecar's clock may be from ours, at least and at most, in ms; a date has whole seconds.
pub(super) async fn sidecar_clock(port: u16) -> Result<(i64, i64), String> {
    let before = SystemClock.now();
    let date = get(on_loopback(port), SIDECAR_HEALTH).await?.date;
    let after = SystemClock.now();
    let date = date.ok_or("it does not tell the time")?;
    Ok((date.millis_since(after), date.saturating_add_ms(999).millis_since(before)))
}

/// The service itself: whether it is ready, and what its outbox is like.
pub(super) async fn look(config: &ServerConfig) -> Vec<Finding> {
    let address = SocketAddr::new(reachable(config.listen.ip()), config.listen.port());
    let (ready, metrics) = tokio::join!(get(address, READINESS_PATH), get(address, METRICS_PATH));
    let outbox = match metrics {
        Ok(answer) => outbox(&answer.body),
        Err(_) => Finding::skipped("outbox", "needs the service"),
    };
    vec![readiness(address, ready), outbox]
}

/// Who listens everywhere is reached on loopback.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

fn readiness(address: SocketAddr, answer: Result<Answer, String>) -> Finding {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let advice = "Start the service, or correct APP_HOST and APP_PORT. What comes due \
                          meanwhile fires when it is back.";
            return Finding::fail("service", format!("{address}: {error}"), advice);
        }
    };
    let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if answer.status == 200 && said["ready"] == true {
        return Finding::ok("service", format!("{address} is ready"));
    }
    if said["stopping"] == true {
        let advice = "It was asked to stop; wait for its successor.";
        return Finding::warn("service", format!("{address} is stopping"), advice);
    }
    let reasons = said["waitingFor"].as_object().map(|parts| {
        parts.iter().map(|(part, why)| format!("{part}: {}", why.as_str().unwrap_or_default()))
    });
    let reasons = reasons.map(|parts| parts.collect::<Vec<_>>().join("; ")).unwrap_or_default();
    Finding::fail(
        "service",
        format!("{address} is not ready (status {}): {reasons}", answer.status),
        "It waits for these parts and goes on by itself when they are there: see their checks.",
    )
}

/// How much waits for the broker in this process.
fn outbox(metrics: &str) -> Finding {
    let Some(waiting) = value(metrics, "reminder_outbox_events") else {
        return Finding::skipped("outbox", "the service does not tell");
    };
    let seen = format!("{waiting} events wait for the broker");
    if waiting > OUTBOX_MANY {
        let advice = "The broker is away or slow: see its check, and the log for `a batch was not \
                      published`. The events follow in order.";
        return Finding::warn("outbox", seen, advice);
    }
    Finding::ok("outbox", seen)
}

/// The value of a metric without labels.
fn value(metrics: &str, name: &str) -> Option<f64> {
    let found = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    const ADDRESS: &str = "127.0.0.1:8080";

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.to_owned(), date: None }
    }

    fn judged(answer: Result<Answer, String>) -> Finding {
        readiness(ADDRESS.parse().unwrap(), answer)
    }

    #[test]
    fn readiness_is_told_with_its_reasons() {
        let ready = judged(Ok(answer(200, r#"{"ready":true,"stopping":false,"waitingFor":{}}"#)));
        assert_eq!(ready.status, Status::Ok);
        let body = r#"{"ready":false,"stopping":false,"waitingFor":{"database":"Postgres"}}"#;
        let waits = judged(Ok(answer(503, body)));
        assert_eq!(waits.status, Status::Fail);
        assert!(waits.seen.contains("database: Postgres"), "{}", waits.seen);
        let body = r#"{"ready":false,"stopping":true,"waitingFor":{}}"#;
        assert_eq!(judged(Ok(answer(503, body))).status, Status::Warn);
        assert_eq!(judged(Ok(answer(200, "hello"))).status, Status::Fail, "somebody else's port");
        assert_eq!(judged(Err("refused".into())).status, Status::Fail);
    }

    #[test]
    fn the_outbox_is_read_from_the_metrics() {
        let metrics =
            |n| format!("# HELP x\nreminder_outbox_events_x 7\nreminder_outbox_events {n}\n");
        assert_eq!(outbox(&metrics("0")).status, Status::Ok);
        assert_eq!(outbox(&metrics("1001")).status, Status::Warn);
        assert_eq!(outbox("").status, Status::Skipped);
    }

    #[test]
    fn dates_are_those_of_http() {
        let date = parsed_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.to_string(), "1994-11-06T08:49:37.000Z");
    }

    #[test]
    fn who_listens_everywhere_is_asked_on_loopback() {
        assert_eq!(reachable("0.0.0.0".parse().unwrap()), Ipv4Addr::LOCALHOST);
        assert_eq!(reachable("::".parse().unwrap()), Ipv6Addr::LOCALHOST);
        assert_eq!(reachable("10.0.0.7".parse().unwrap()).to_string(), "10.0.0.7");
    }
}
