//! One event as it lies in Kafka, and what must hold of every single one.

use crate::reader::ON_A_PAGE;
use chrono::{DateTime, Utc};
use jsonschema::Validator;
use reminder_contract::cloud_event::{SOURCE, topic_name};
use reminder_contract::{EventType, schemas};
use reminder_domain::erasure::ERASED_TITLE;
use reminder_stack::events::Record;
use reminder_stack::options::workspace_root;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The validators of the committed schemas, which describe the whole event.
static SCHEMAS: LazyLock<HashMap<&str, Validator>> = LazyLock::new(|| {
    let compile = |event_type: &EventType| {
        let path = workspace_root().join(schemas::path(*event_type));
        let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        (event_type.as_str(), options.build(&schema).unwrap())
    };
    EventType::ALL.iter().map(compile).collect()
});

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) task: String,
    pub(crate) kind: String,
    pub(crate) id: String,
    /// The second part of its id.
    pub(crate) incarnation: u64,
    pub(crate) sequence: u64,
    pub(crate) envelope: Value,
}

impl Event {
    /// Reads a record.
    ///
    /// # Errors
    /// Says what makes it no event of ours.
    pub(crate) fn read(record: &Record) -> Result<Self, String> {
        let envelope = record.json().map_err(|error| format!("{error:#}"))?;
        let text = |name: &str| {
            let text = envelope[name].as_str().map(str::to_owned);
            text.ok_or_else(|| format!("no {name}: {envelope}"))
        };
        let subject = text("subject")?;
        let task = subject.strip_prefix("task:").ok_or_else(|| format!("subject {subject}"))?;
        let (id, sequence) = (text("id")?, text("sequence")?);
        let incarnation = id.split(':').nth(1).and_then(|text| text.parse().ok());
        Ok(Self {
            topic: record.topic.clone(),
            partition: record.partition,
            task: task.to_owned(),
            kind: text("type")?,
            incarnation: incarnation.ok_or_else(|| format!("id {id}"))?,
            id,
            sequence: sequence.parse().map_err(|_| format!("sequence {sequence}"))?,
            envelope,
        })
    }

    /// Everything that is wrong with it by itself.
    pub(crate) fn faults(&self, record: &Record) -> Vec<String> {
        let mut faults = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                faults.push(format!("{what}: key {:?}, {}", record.key, self.envelope));
            }
        };
        let text = |name: &str| self.envelope[name].as_str().unwrap_or_default();
        must(record.key.as_deref() == Some(&*self.task), "the Kafka key is the task id");
        let id = format!("{}:{}:{}-{}", self.task, self.incarnation, self.topic, self.sequence);
        must(self.id == id, "the id is task, incarnation, topic and sequence");
        must(text("sequence") == format!("{:010}", self.sequence), "ten digits of sequence");
        must(text("source") == SOURCE, "the source is ours");
        must(!text("correlationid").is_empty(), "a correlation id");
        let user = self.data().get("userId").and_then(Value::as_str);
        // What is told of an erased user says nothing of anybody.
        let erased = self.data().get("title").and_then(Value::as_str) == Some(ERASED_TITLE)
            || text("correlationid") == "erased";
        // Pages have tasks of nobody, which tests have not.
        let of_nobody = self.task.starts_with(ON_A_PAGE) && self.envelope.get("userid").is_none();
        let named = erased || of_nobody || text("userid").ends_with("@example.org");
        must(named, "the user id");
        must(user.is_none_or(|user| user == text("userid")), "the data name the same user");
        must(self.data()["taskId"] == *self.task, "the data name the task");
        must(DateTime::parse_from_rfc3339(text("time")).is_ok(), "a time");
        match (SCHEMAS.get(&*self.kind), EventType::parse(&self.kind)) {
            (Some(schema), Some(known)) => {
                must(topic_name(known.topic()) == self.topic, "its topic is that of its type");
                must(text("dataschema") == known.data_schema(), "the dataschema of its type");
                let wrong = schema.iter_errors(&self.envelope).map(|error| error.to_string());
                let wrong: Vec<String> = wrong.collect();
                must(wrong.is_empty(), &format!("its schema ({wrong:?})"));
            }
            _ => must(false, "a known type"),
        }
        faults
    }

    pub(crate) fn data(&self) -> &Value {
        &self.envelope["data"]
    }

    /// A time in the data.
    pub(crate) fn time(&self, field: &str) -> DateTime<Utc> {
        let text = self.data()[field].as_str().unwrap_or_default();
        text.parse().unwrap_or_else(|_| panic!("no time {field} in {}", self.envelope))
    }
}
