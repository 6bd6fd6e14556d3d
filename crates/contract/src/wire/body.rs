//! The bodies of the commands. Each repeats the fields that every command has: flattening would
//! lose the paths of errors.

use reminder_domain::Origin;
use reminder_domain::command::{Delay, IfPast};
use reminder_domain::ids::{CorrelationId, Person, PresetName, ReminderId, Traceparent};
use reminder_domain::object::object;
use reminder_domain::pause::IfMissed;
use reminder_domain::preferences::{PreferencesFields, SnoozeDelay};
use reminder_domain::recurrence::LocalMoment;
use reminder_domain::reminder::Reminder;
use reminder_domain::task::TaskFields;
use reminder_domain::time::DueTime;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

/// What every body may hold.
#[derive(Default)]
pub(super) struct Plain {
    pub(super) command_id: Option<CorrelationId>,
    pub(super) if_version: Option<u64>,
    pub(super) as_user: Option<Person>,
    pub(super) correlation_id: Option<CorrelationId>,
    pub(super) traceparent: Option<Traceparent>,
}

impl Plain {
    /// The hash by which a command is known again.
    pub(super) fn id(&self) -> Option<u64> {
        self.command_id.as_ref().map(|id| xxh3_64(id.as_str().as_bytes()))
    }

    /// The flow as far as the body tells it.
    pub(super) fn origin(self) -> Origin {
        Origin { correlation_id: self.correlation_id, traceparent: self.traceparent }
    }
}

/// Declares a body with fields of its own beside those of [`Plain`].
macro_rules! body {
    ($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(super) struct $name {
            #[serde(default)]
            command_id: Option<CorrelationId>,
            #[serde(default)]
            if_version: Option<u64>,
            #[serde(default)]
            as_user: Option<Person>,
            #[serde(default)]
            correlation_id: Option<CorrelationId>,
            #[serde(default)]
            traceparent: Option<Traceparent>,
            $($(#[$attribute])* pub(super) $field: $type,)*
        }

        impl $name {
            /// Takes out what every body has.
            pub(super) fn plain(&mut self) -> Plain {
                Plain {
                    command_id: self.command_id.take(),
                    if_version: self.if_version,
                    as_user: self.as_user.take(),
                    correlation_id: self.correlation_id.take(),
                    traceparent: self.traceparent.take(),
                }
            }
        }
    };
}

body! {
    /// Of a command that says nothing more.
    PlainBody {}
}

body! {
    /// Of `put`.
    PutBody {
        #[serde(deserialize_with = "object")]
        task: TaskFields,
        #[serde(default)]
        if_past: IfPast,
    }
}

body! {
    /// Of `importCalendar`.
    ImportBody {
        calendar: String,
        #[serde(default)]
        if_past: IfPast,
    }
}

body! {
    /// Of a user's `put`.
    PutPreferencesBody {
        #[serde(deserialize_with = "object")]
        preferences: PreferencesFields,
    }
}

body! {
    /// Of `skip`.
    SkipBody {
        #[serde(default)]
        occurrence: Option<LocalMoment>,
    }
}

body! {
    /// Of `putReminder`.
    PutReminderBody {
        reminder: Reminder,
        #[serde(default)]
        if_past: IfPast,
    }
}

body! {
    /// Of `removeReminder`.
    RemoveReminderBody {
        reminder_id: ReminderId,
    }
}

body! {
    /// Of `acknowledge` and `dismiss`.
    RingBody {
        #[serde(default)]
        reminder_id: Option<ReminderId>,
    }
}

body! {
    /// Of `resume`, of a task or of a user.
    ResumeBody {
        #[serde(default)]
        missed: IfMissed,
    }
}

body! {
    /// Of `snooze`.
    SnoozeBody {
        #[serde(default)]
        reminder_id: Option<ReminderId>,
        #[serde(default, rename = "for")]
        duration: Option<SnoozeDelay>,
        #[serde(default)]
        until: Option<DueTime>,
        #[serde(default)]
        preset: Option<PresetName>,
    }
}

impl SnoozeBody {
    /// How long; `None` unless it says so exactly once.
    pub(super) fn delay(&mut self) -> Option<Delay> {
        match (self.duration.take(), self.until.take(), self.preset.take()) {
            (Some(delay), None, None) => Some(Delay::For(delay)),
            (None, Some(until), None) => Some(Delay::Until(until)),
            (None, None, Some(name)) => Some(Delay::Preset(name)),
            _ => None,
        }
    }
}
