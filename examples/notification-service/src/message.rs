//! What a firing says to its user, whatever the channel.

use crate::links::{Action, Links};
use reminder_contract::CloudEvent;
use reminder_contract::data::{Cause, ReminderTriggered};
use reminder_domain::ids::{InvalidText, ReminderId};
use reminder_domain::task::Priority;
use reminder_domain::time::DueTime;
use reminder_domain::{TaskId, Timestamp};

/// How a moment is written.
const MOMENT: &str = "%A, %-d %B %Y, %H:%M";

/// How a day is written.
const DAY: &str = "%A, %-d %B %Y";

/// The event of a firing.
pub(crate) type Firing = CloudEvent<'static, ReminderTriggered<'static>>;

/// A firing in words, with its links.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The task's title.
    pub(crate) title: String,
    /// The task's description.
    pub(crate) description: Option<String>,
    /// When the task is due.
    pub(crate) due: Option<String>,
    /// Why the message comes now, where that needs a word.
    pub(crate) remark: Option<String>,
    /// Whether the task is more important than most.
    pub(crate) pressing: bool,
    /// The task's labels.
    pub(crate) tags: Vec<String>,
    /// What the user can do about it.
    pub(crate) links: Vec<Link>,
}

/// Something that the user can do.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// What.
    pub(crate) action: Action,
    /// Where.
    pub(crate) url: String,
}

impl Link {
    /// What a button says.
    pub(crate) fn label(&self) -> &'static str {
        self.action.label()
    }
}

impl Message {
    /// The words for a firing, with links that are valid from now on.
    pub(crate) fn new(firing: &Firing, links: &Links, now: Timestamp) -> Result<Self, InvalidText> {
        let data = &firing.data;
        let task = TaskId::parse(data.task_id.as_ref())?;
        let reminder = ReminderId::parse(data.reminder_id.as_ref())?;
        let correlation_id = firing.correlationid.as_deref();
        let link = |action| Link {
            action,
            url: links.url(&task, &reminder, action, &firing.id, correlation_id, now),
        };
        Ok(Self {
            title: data.title.clone().into_owned(),
            description: data.description.as_deref().map(str::to_owned),
            due: data.due_date.as_deref().map(due_text),
            remark: remark(data),
            pressing: matches!(data.priority, Priority::High | Priority::Urgent),
            tags: data.tags.iter().map(|tag| tag.clone().into_owned()).collect(),
            links: Action::ALL.into_iter().map(link).collect(),
        })
    }
}

fn due_text(due: &DueTime) -> String {
    match due {
        DueTime::Instant(at) => format!("{} UTC", at.to_datetime().format(MOMENT)),
        DueTime::Zoned { local, zone } => format!("{} ({zone})", local.format(MOMENT)),
        DueTime::Floating(local) => local.format(MOMENT).to_string(),
        DueTime::Date(day) => day.format(DAY).to_string(),
    }
}

fn remark(data: &ReminderTriggered<'_>) -> Option<String> {
    let was_due = || format!("{} UTC", data.scheduled_for.to_datetime().format(MOMENT));
    match data.cause {
        Cause::Late => Some(format!("This comes late: it was to come on {}.", was_due())),
        Cause::Coalesced => Some(match data.coalesced {
            1 => "It stands for an earlier reminder as well, which was missed.".to_owned(),
            missed => {
                format!("It stands for {missed} earlier reminders as well, which were missed.")
            }
        }),
        Cause::Snooze => Some("You asked to be reminded again.".to_owned()),
        Cause::Nag => Some("Nobody has acknowledged it yet.".to_owned()),
        Cause::OnTime | Cause::Other(_) => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::links;

    /// A firing with everything in it, and with what is not harmless in HTML and headers.
    pub(crate) fn firing() -> Firing {
        let event = serde_json::json!({
            "specversion": "1.0",
            "id": "milk:1:reminders-2",
            "source": "/reminder-scheduler",
            "type": "reminder.triggered",
            "subject": "task:milk",
            "time": "2027-01-15T17:00:00.004Z",
            "datacontenttype": "application/json",
            "dataschema": "https://reminder-scheduler.dev/schemas/reminder.triggered/v1.json#data",
            "correlationid": "flow-1",
            "userid": "ada@example.org",
            "sequence": "0000000002",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "data": {
                "taskId": "milk",
                "reminderId": "due",
                "scheduledFor": "2027-01-15T17:00:00Z",
                "firedAt": "2027-01-15T17:00:00.004Z",
                "lateByMs": 4,
                "cause": "onTime",
                "coalesced": 0,
                "title": "Milk & <script>alert(\"honey\")</script>",
                "description": "Oat, not soy.\n<b>Two</b> of it",
                "priority": "high",
                "tags": ["home", "\"shop\""],
                "userId": "ada@example.org",
                "dueDate": {"local": "2027-01-15T18:00:00", "zone": "Europe/Berlin"},
                "version": 1,
                "scheduleTraceparent": "00-790a1a0cb18cc9fa96ecbe900dbf4617-69360e0fdb81c6ce-01"
            }
        });
        serde_json::from_value(event).unwrap()
    }

    pub(crate) fn message() -> Message {
        let now = Timestamp::from_millis(1_800_000_000_000);
        Message::new(&firing(), &links::tests::links(), now).unwrap()
    }

    #[test]
    fn a_message_says_what_the_task_says() {
        let message = message();
        assert_eq!(message.due.as_deref(), Some("Friday, 15 January 2027, 18:00 (Europe/Berlin)"));
        assert!(message.pressing && message.remark.is_none());
        let actions: Vec<_> = message.links.iter().map(|link| link.action).collect();
        assert_eq!(actions, Action::ALL);
    }

    #[test]
    fn what_is_unusual_is_remarked() {
        let remark = |cause: Cause, coalesced| {
            let mut firing = firing();
            firing.data.cause = cause;
            firing.data.coalesced = coalesced;
            super::remark(&firing.data)
        };
        assert_eq!(remark(Cause::OnTime, 0), None);
        assert_eq!(remark(Cause::Other("whim".to_owned()), 0), None);
        assert!(remark(Cause::Late, 0).unwrap().contains("Friday, 15 January 2027, 17:00 UTC"));
        assert!(remark(Cause::Coalesced, 1).unwrap().contains("an earlier reminder"));
        assert!(remark(Cause::Coalesced, 3).unwrap().contains("3 earlier"));
        assert!(remark(Cause::Snooze, 0).is_some() && remark(Cause::Nag, 0).is_some());
    }

    #[test]
    fn every_kind_of_due_time_has_words() {
        let text = |json: &str| due_text(&serde_json::from_str(json).unwrap());
        assert_eq!(text(r#""2027-03-01T09:05:00Z""#), "Monday, 1 March 2027, 09:05 UTC");
        assert_eq!(text(r#"{"local":"2027-03-01T09:05:00"}"#), "Monday, 1 March 2027, 09:05");
        assert_eq!(text(r#"{"date":"2027-03-01"}"#), "Monday, 1 March 2027");
    }
}
