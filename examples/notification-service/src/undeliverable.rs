//! What cannot be delivered is told twice: to operators, in the dead letters, and to other services,
//! as an event.

use crate::channels::Channel;
use crate::message::Firing;
use reminder_contract::data::ReminderFailed;
use reminder_contract::dead_letter::{self, Reason};
use reminder_contract::{EventType, cloud_event, names};
use reminder_domain::{TaskId, Timestamp};
use reminder_member::sidecar::PARTITION_KEY;
use reminder_member::sidecar::metadata::{DETAIL_MAX_BYTES, EVENT_ID_MAX_BYTES, fitting};
use reminder_member::{Flow, Sidecar, SidecarError};
use std::borrow::Cow;

/// On which way it could not be delivered.
const CHANNEL_HEADER: &str = "channel";

/// A firing that did not reach its user on one way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Undeliverable<'a> {
    /// The firing.
    pub(crate) firing: &'a Firing,
    /// Its task.
    pub(crate) task: &'a TaskId,
    /// The way.
    pub(crate) channel: Channel,
    /// What went wrong the last time.
    pub(crate) reason: &'a str,
    /// How often it was tried.
    pub(crate) attempts: u32,
}

/// Tells it. Told twice, it has the same id both times.
pub(crate) async fn tell(
    sidecar: &Sidecar,
    undeliverable: Undeliverable<'_>,
    flow: &Flow,
    now: Timestamp,
) -> Result<(), SidecarError> {
    dead_letter(sidecar, undeliverable, flow, now).await?;
    let event = failed(undeliverable, flow, now);
    sidecar.publish(names::REMINDERS, &event).await
}

/// The firing as it was told, so that whoever replays it has it delivered.
async fn dead_letter(
    sidecar: &Sidecar,
    undeliverable: Undeliverable<'_>,
    flow: &Flow,
    now: Timestamp,
) -> Result<(), SidecarError> {
    let body = serde_json::to_vec(undeliverable.firing)
        .map_err(|why| SidecarError::Unreadable { what: "write a dead letter", why })?;
    let told = told(undeliverable, flow, now);
    let metadata: Vec<(&str, &str)> = told.iter().map(|(name, text)| (*name, &**text)).collect();
    let topic = names::REMINDERS_DLQ;
    sidecar.publish_raw(topic, body, cloud_event::CONTENT_TYPE, &metadata).await
}

/// What the headers of the letter say; the id and the reason may be of any length.
fn told<'a>(
    undeliverable: Undeliverable<'a>,
    flow: &'a Flow,
    now: Timestamp,
) -> [(&'static str, Cow<'a, str>); 10] {
    let Undeliverable { firing, task, channel, reason, attempts } = undeliverable;
    let detail: String = reason.chars().take(dead_letter::DETAIL_MAX_CHARS).collect();
    [
        (PARTITION_KEY, task.as_str().into()),
        (dead_letter::REASON, Reason::Undeliverable.as_str().into()),
        (dead_letter::DETAIL, fitting(&detail, DETAIL_MAX_BYTES).into()),
        (dead_letter::ORIGIN_TOPIC, names::REMINDERS.into()),
        (dead_letter::EVENT_ID, fitting(&firing.id, EVENT_ID_MAX_BYTES).into()),
        (dead_letter::FAILED_AT, now.to_string().into()),
        (dead_letter::FAILED_BY, names::NOTIFICATION_APP_ID.into()),
        (dead_letter::CORRELATION_ID, flow.correlation_id().into()),
        (CHANNEL_HEADER, channel.as_str().into()),
        (dead_letter::ATTEMPTS, attempts.to_string().into()),
    ]
}

/// The event. Its place among ours of the task follows from that of the firing and from the channel.
fn failed<'a>(
    undeliverable: Undeliverable<'a>,
    flow: &Flow,
    now: Timestamp,
) -> cloud_event::CloudEvent<'a, ReminderFailed<'a>> {
    let Undeliverable { firing, task, channel, reason, attempts } = undeliverable;
    let place: u64 = firing.sequence.parse().unwrap_or_default();
    let sequence = place.saturating_mul(Channel::COUNT).saturating_add(channel.ordinal());
    let flow = flow.event(firing.userid.as_deref());
    let data = ReminderFailed {
        task_id: Cow::Borrowed(&firing.data.task_id),
        reminder_id: Cow::Borrowed(&firing.data.reminder_id),
        scheduled_for: firing.data.scheduled_for,
        event_id: Cow::Borrowed(&firing.id),
        channel: Cow::Borrowed(channel.as_str()),
        reason: Cow::Borrowed(reason),
        attempts,
        failed_at: now,
    };
    cloud_event::neighbour(EventType::ReminderFailed, task, sequence, now, flow, data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::firing;
    use std::collections::HashSet;

    fn event_of(sequence: u64, channel: Channel) -> serde_json::Value {
        let mut firing = firing();
        firing.sequence = format!("{sequence:010}").into();
        let task = TaskId::parse("milk").unwrap();
        let reason = "the receiver answered 503 Service Unavailable";
        let undeliverable =
            Undeliverable { firing: &firing, task: &task, channel, reason, attempts: 8 };
        let flow = Flow::of_event(&firing);
        let now = Timestamp::from_millis(1_800_000_000_000);
        serde_json::to_value(failed(undeliverable, &flow, now)).unwrap()
    }

    #[test]
    fn the_event_says_what_failed_in_the_flow_of_the_firing() {
        let event = event_of(2, Channel::Webhook);
        assert_eq!(event["type"], "reminder.failed");
        assert_eq!(event["source"], cloud_event::NOTIFICATION_SOURCE);
        assert_eq!(event["correlationid"], "flow-1");
        assert_eq!(event["userid"], "ada@example.org");
        assert_eq!(event["data"]["eventId"], "milk:1:reminders-2");
        assert_eq!(event["data"]["channel"], "webhook");
        assert_eq!(event["data"]["attempts"], 8);
        let trace = event["traceparent"].as_str().unwrap();
        assert!(trace.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    }

    #[test]
    fn a_letter_tells_no_more_than_its_address_may_hold() {
        let mut firing = firing();
        firing.id = "/".repeat(10_000).into();
        let task = TaskId::parse("milk").unwrap();
        let reason = "牛".repeat(10_000);
        let (channel, attempts) = (Channel::Webhook, 8);
        let undeliverable =
            Undeliverable { firing: &firing, task: &task, channel, reason: &reason, attempts };
        let flow = Flow::of_event(&firing);
        let told = told(undeliverable, &flow, Timestamp::from_millis(1_800_000_000_000));
        let of = |name| told.iter().find(|(known, _)| *known == name).map(|(_, text)| &**text);
        assert_eq!(of(dead_letter::EVENT_ID).unwrap().len(), EVENT_ID_MAX_BYTES / "%2F".len());
        let detail = of(dead_letter::DETAIL).unwrap().chars().count();
        assert_eq!(detail, DETAIL_MAX_BYTES / "%E7%89%9B".len());
    }

    #[test]
    fn each_firing_and_channel_has_an_event_of_its_own_and_the_same_each_time() {
        let channels = [Channel::Console, Channel::Webhook, Channel::Email];
        let ids: HashSet<String> = (1..20)
            .flat_map(|sequence| channels.map(|channel| event_of(sequence, channel)))
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids.len(), 19 * 3);
        assert_eq!(event_of(2, Channel::Email)["id"], event_of(2, Channel::Email)["id"]);
    }
}
