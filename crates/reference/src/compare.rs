//! The core's alarms and firings, and those of the model, in the same words.

use crate::calendar::{self, since_start};
use crate::model::{self, Because, Plan, Ring};
use reminder_domain::Fact;
use reminder_domain::alarm;
use reminder_domain::event::Triggered;

/// An alarm of the core in the words of [`expected`].
pub fn told(alarm: &alarm::Alarm) -> String {
    let moment = |moment: &alarm::Moment| {
        let local = moment.occurrence.map(|cursor| calendar::wall_since_start(cursor.local));
        let (at, nominal) = (since_start(moment.at), since_start(moment.nominal()));
        format!("{at} ({nominal}) of {local:?}")
    };
    let rung = |rung: alarm::Rung| {
        let (fired, nag) = (since_start(rung.fired_at), rung.nag_at.map(since_start));
        format!("{} at {fired}, nagged {} next {nag:?}", moment(&rung.moment), rung.nagged)
    };
    let plan = match &alarm.plan {
        alarm::Plan::Asleep => "asleep".into(),
        alarm::Plan::Scheduled(at) => format!("waits {}", moment(at)),
        alarm::Plan::Fired(at) => format!("fired {}", moment(at)),
        alarm::Plan::Cancelled(at) => format!("cancelled {}", moment(at)),
        alarm::Plan::Expired(at) | alarm::Plan::Skipped(at) | alarm::Plan::Dismissed(at) => {
            format!("silent {}", moment(at))
        }
    };
    let snooze = alarm.snooze.map(|snooze| (since_start(snooze.until), rung(snooze.rung)));
    let acknowledged = alarm.acknowledged.map(since_start);
    let heard = alarm.rung.map(rung);
    format!("{} {plan}; {heard:?}; {snooze:?}; {acknowledged:?}", alarm.reminder_id)
}

/// An alarm of the model.
pub fn expected(alarm: &model::Alarm) -> String {
    let moment = |moment: &model::Moment| {
        format!("{} ({}) of {:?}", moment.at, moment.nominal, moment.occurrence)
    };
    let rung = |rung: model::Rung| {
        let (fired, nag) = (rung.fired_at, rung.nag_at);
        format!("{} at {fired}, nagged {} next {nag:?}", moment(&rung.moment), rung.nagged)
    };
    let plan = match &alarm.plan {
        Plan::Asleep => "asleep".into(),
        Plan::Waits(at) => format!("waits {}", moment(at)),
        Plan::Fired(at) => format!("fired {}", moment(at)),
        Plan::Cancelled(at) => format!("cancelled {}", moment(at)),
        Plan::Silent(at) => format!("silent {}", moment(at)),
    };
    let snooze = alarm.snooze.map(|(until, of)| (until, rung(of)));
    let heard = alarm.rung.map(rung);
    format!("{} {plan}; {heard:?}; {snooze:?}; {:?}", alarm.id, alarm.acknowledged)
}

/// What a fact says of a ring, in the words of [`shown`].
pub fn rang(fact: &Fact) -> Option<String> {
    match fact {
        Fact::ReminderTriggered(Triggered {
            reminder_id,
            scheduled_for,
            cause,
            coalesced,
            first_missed,
            nag,
            occurrence,
            ..
        }) => {
            let first = first_missed.map(since_start);
            let local = occurrence.map(|cursor| calendar::wall_since_start(cursor.local));
            let at = since_start(*scheduled_for);
            Some(format!("{reminder_id} {at} {cause:?} {nag:?} {coalesced} {first:?} {local:?}"))
        }
        Fact::ReminderExpired { reminder_id, scheduled_for, coalesced, .. } => {
            Some(format!("{reminder_id} {} expired {coalesced}", since_start(*scheduled_for)))
        }
        _ => None,
    }
}

/// What the model says of a ring.
pub fn shown(ring: &Ring, now: i64) -> String {
    let Ring { at, id, cause, coalesced, first_missed, occurrence } = ring;
    let Some(because) = cause else { return format!("{id} {at} expired {coalesced}") };
    let (cause, nag) = match because {
        Because::Plan if *coalesced > 0 => ("Coalesced", None),
        Because::Plan if now - at <= 5_000 => ("OnTime", None),
        Because::Plan => ("Late", None),
        Because::Snooze => ("Snooze", None),
        Because::Nag(n) => ("Nag", Some(*n)),
    };
    format!("{id} {at} {cause} {nag:?} {coalesced} {first_missed:?} {occurrence:?}")
}
