//! What the world can be asked for, and how it goes wrong.

use reminder_domain::{Timestamp, Topic};
use reminder_scheduler::turn::effect::Numbers;
use reminder_scheduler::turn::record;

/// How an effect goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies before the call is made.
    CrashBefore,
    /// The call is made, and the process dies before it hears of it.
    CrashAfter,
    /// The call fails and has no effect.
    Fails,
    /// The call is reported as failed, but had its effect.
    FailsButTakesEffect,
    /// The call is reported as failed, and takes effect this many calls later.
    TakesEffectLate(usize),
}

impl Fault {
    pub(crate) const ALL: [Self; 10] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::Fails,
        Self::FailsButTakesEffect,
        Self::TakesEffectLate(1),
        Self::TakesEffectLate(2),
        Self::TakesEffectLate(3),
        Self::TakesEffectLate(5),
        Self::TakesEffectLate(8),
        Self::TakesEffectLate(12),
    ];
}

/// The process died.
#[derive(Debug)]
pub(crate) struct Crashed;

/// A call that changes the world.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Commit(Vec<u8>),
    /// A commit that begins a task.
    Create(Vec<u8>),
    Remove(Numbers),
    Arm(Timestamp),
    ArmIfAbsent(Timestamp),
    Disarm,
    Publish(Vec<Record>),
    SaveWatermark(u64, u64),
}

/// What the broker keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) topic: Topic,
    pub(crate) body: Vec<u8>,
}

/// A call that was given up and takes effect later.
pub(crate) struct Late {
    pub(crate) after_call: usize,
    /// It takes effect by then in any case: a call does not outlive the sidecar's own deadlines.
    pub(crate) by_ms: i64,
    pub(crate) call: Call,
}

impl Call {
    /// For the trace of a failure.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Commit(bytes) => {
                format!("commit version {}", record::decode(bytes).unwrap().version)
            }
            Self::Create(bytes) => {
                format!("create version {}", record::decode(bytes).unwrap().version)
            }
            Self::Remove(Numbers { version, .. }) => format!("remove version {version}"),
            Self::Arm(at) => format!("arm {at}"),
            Self::ArmIfAbsent(at) => format!("arm {at} if absent"),
            Self::Disarm => "disarm".into(),
            Self::Publish(records) => {
                let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
                format!("publish {ids:?}")
            }
            Self::SaveWatermark(epoch, n) => format!("watermark of {epoch}: {n}"),
        }
    }
}
