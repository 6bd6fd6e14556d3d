//! Random tasks, commands and moments: few and round ones, so that a replaced task often keeps some.

use proptest::prelude::*;
use reminder_domain::command::IfPast;
use reminder_domain::pause::IfMissed;
use reminder_reference::calendar::{
    DAY, Every, HOUR, MINUTE, Prefs, Reminder, Rule, Time, TimeKind, Trigger, Zone,
};
use reminder_reference::words::{Delay, IDS, IfVersion, Kind, Request, Skip, Spec};

/// One step of a scenario.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Time passes.
    Pass { ms: i64 },
    /// Time passes until the next wake, and so much longer.
    PassToWake { late_ms: i64 },
    /// A wake comes, called for or not.
    Wake,
    /// A caller asks for something.
    Command(Request),
    /// The last command applied comes in once more.
    Repeat,
    /// The runtime fences the task.
    Fence,
    /// The user prefers something else.
    Prefer(Prefs),
    /// The user is paused.
    PauseUser,
    /// The user is resumed.
    ResumeUser(IfMissed),
    /// The task learns of the user's preferences.
    Refresh,
}

pub(crate) fn scenario() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..40 * MINUTE).prop_map(|ms| Step::Pass { ms }),
        1 => (0..10 * DAY).prop_map(|ms| Step::Pass { ms }),
        6 => prop_oneof![Just(0), 0..HOUR].prop_map(|late_ms| Step::PassToWake { late_ms }),
        7 => Just(Step::Wake),
        12 => request().prop_map(Step::Command),
        2 => Just(Step::Repeat),
        1 => Just(Step::Fence),
        1 => prefs().prop_map(Step::Prefer),
        1 => Just(Step::PauseUser),
        1 => if_missed().prop_map(Step::ResumeUser),
        2 => Just(Step::Refresh),
    ]
}

pub(crate) fn request() -> impl Strategy<Value = Request> {
    let id = prop_oneof![3 => Just(None), 2 => (0..12_u64).prop_map(Some)];
    let if_version = prop_oneof![
        8 => Just(IfVersion::Any),
        2 => Just(IfVersion::Current),
        1 => Just(IfVersion::Wrong),
        1 => Just(IfVersion::Absent),
    ];
    (kind(), id, if_version, prop::bool::weighted(0.2))
        .prop_map(|(kind, id, if_version, stale)| Request { kind, id, if_version, stale })
}

fn kind() -> impl Strategy<Value = Kind> {
    let skip = prop_oneof![
        2 => Just(Skip::Present),
        2 => (1..4_usize).prop_map(Skip::Ahead),
        1 => Just(Skip::Wrong)
    ];
    prop_oneof![
        6 => (spec(), if_past()).prop_map(|(spec, past)| Kind::Put(Box::new(spec), past)),
        3 => Just(Kind::Complete),
        2 => Just(Kind::Reopen),
        1 => Just(Kind::Delete),
        2 => skip.prop_map(Kind::Skip),
        2 => (reminder(), if_past()).prop_map(|(reminder, past)| Kind::PutReminder(reminder, past)),
        1 => id().prop_map(Kind::RemoveReminder),
        4 => (some_id(), delay()).prop_map(|(id, delay)| Kind::Snooze(id, delay)),
        3 => some_id().prop_map(Kind::Acknowledge),
        2 => some_id().prop_map(Kind::Dismiss),
        1 => Just(Kind::Pause),
        2 => if_missed().prop_map(Kind::Resume),
    ]
}

fn if_missed() -> impl Strategy<Value = IfMissed> {
    prop::sample::select(&[IfMissed::Fire, IfMissed::Skip][..])
}

fn id() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&IDS[..])
}

pub(crate) fn some_id() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![3 => Just(None), 1 => id().prop_map(Some)]
}

pub(crate) fn delay() -> impl Strategy<Value = Delay> {
    prop_oneof![
        4 => (1..300_i64).prop_map(Delay::Minutes),
        1 => (0..3000_i64).prop_map(Delay::Minutes),
        1 => (0..30 * 24 * 4_i64).prop_map(|n| Delay::Until(n * 15 * MINUTE)),
    ]
}

fn if_past() -> impl Strategy<Value = IfPast> {
    prop_oneof![4 => Just(IfPast::Fire), 1 => Just(IfPast::Skip), 1 => Just(IfPast::Reject)]
}

fn time() -> impl Strategy<Value = Time> {
    let quarter = |kind| (-4..24_i64).prop_map(move |n| Time { kind, nominal: n * 15 * MINUTE });
    prop_oneof![
        2 => quarter(TimeKind::Instant),
        2 => quarter(TimeKind::Berlin),
        2 => quarter(TimeKind::Floating),
        2 => (-1..3_i64).prop_map(|day| Time { kind: TimeKind::Date, nominal: 2 * HOUR + day * DAY }),
    ]
}

pub(crate) fn reminder() -> impl Strategy<Value = Reminder> {
    let offset = prop_oneof![2 => Just(0_i64), 2 => -6..0_i64, 1 => 0..6_i64];
    let from = (prop::bool::weighted(0.25), offset, prop_oneof![3 => Just(0_i64), 1 => Just(1)]);
    let from = from.prop_map(|(start, quarters, day)| {
        let days = if quarters > 0 { day } else { -day };
        Trigger::From { start, days, minutes: quarters * 15 }
    });
    let trigger = prop_oneof![1 => time().prop_map(Trigger::At), 5 => from];
    let nag = prop_oneof![
        2 => Just(None),
        1 => (prop::sample::select(&[5_i64, 25, 240][..]), 1..6_u16).prop_map(Some),
    ];
    let late_limit = prop_oneof![3 => Just(None), 1 => (0..200_i64).prop_map(Some)];
    (id(), trigger, nag, late_limit).prop_map(|(id, trigger, nag, late_limit)| Reminder {
        id,
        trigger,
        nag,
        late_limit,
    })
}

fn reminders() -> impl Strategy<Value = Vec<Reminder>> {
    prop::collection::vec(reminder(), 0..4).prop_map(|mut reminders| {
        let mut seen = Vec::new();
        reminders.retain(|reminder| {
            let is_new = !seen.contains(&reminder.id);
            seen.push(reminder.id);
            is_new
        });
        reminders
    })
}

/// Days after Sunday, the first day of every scenario.
const WEEKDAYS: &[&[i64]] = &[&[1, 3], &[0, 1, 2, 3, 4, 5, 6], &[0]];

fn rule() -> impl Strategy<Value = Rule> {
    let every = prop_oneof![
        4 => Just(Every::Days(1)),
        1 => Just(Every::Days(2)),
        2 => prop::sample::select(WEEKDAYS).prop_map(Every::Weekdays),
        2 => Just(Every::Hours(6)),
        1 => Just(Every::Minutes(45)),
    ];
    let count = prop_oneof![3 => Just(None), 1 => (1..5_usize).prop_map(Some)];
    (every, count).prop_map(|(every, count)| Rule { every, count })
}

pub(crate) fn spec() -> impl Strategy<Value = Spec> {
    let due = prop_oneof![1 => Just(None), 6 => time().prop_map(Some)];
    let start = prop_oneof![2 => Just(None), 1 => (0..3_i64).prop_map(Some)];
    let rule = prop_oneof![1 => Just(None), 2 => rule().prop_map(Some)];
    let reminders = prop_oneof![1 => Just(None), 4 => reminders().prop_map(Some)];
    let exdates = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(0..4_usize, 1..3)];
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.2), prop::bool::weighted(0.08));
    // Which of its occurrences the task is at.
    let rule = (rule, prop_oneof![4 => Just(0), 1 => 1..4_usize]);
    (0..2_u8, due, start, rule, exdates, reminders, flags).prop_map(
        |(
            title,
            due,
            start,
            (rule, at),
            exdates,
            reminders,
            (urgent, from_completion, completed),
        )| {
            let date = due.is_some_and(|due: Time| due.kind == TimeKind::Date);
            let unit = if date { DAY } else { 45 * MINUTE };
            let rule = due.and(rule).filter(|rule: &Rule| rule.has_days() || !date);
            let occurrences: Vec<i64> = due
                .zip(rule)
                .map(|(due, rule)| rule.occurrences(due.nominal).take(4).collect())
                .unwrap_or_default();
            let exdates = exdates.iter().filter_map(|n| occurrences.get(*n).copied()).collect();
            let start_before = due.and(start).map(|n| n * unit);
            let from_completion = from_completion && rule.is_some();
            // What follows a completion has no other occurrences yet.
            let later = occurrences.get(at).filter(|_| at > 0 && !from_completion).copied();
            let first = later.and(due).map(|due| due.nominal);
            let due = due.map(|due| Time { nominal: later.unwrap_or(due.nominal), ..due });
            Spec {
                title,
                due,
                start_before,
                rule,
                first,
                from_completion,
                exdates,
                reminders,
                urgent,
                completed,
            }
        },
    )
}

pub(crate) fn prefs() -> impl Strategy<Value = Prefs> {
    let zone = prop::sample::select(&[Zone::Utc, Zone::Berlin, Zone::Tokyo][..]);
    let default_time = prop::sample::select(&[0, 9 * HOUR, 17 * HOUR + 30 * MINUTE][..]);
    let quiet = prop::sample::select(
        &[
            None,
            None,
            Some((22 * HOUR, 7 * HOUR)),
            Some((0, 6 * HOUR + 30 * MINUTE)),
            Some((12 * HOUR, 14 * HOUR)),
        ][..],
    );
    let defaults = prop_oneof![2 => Just(None), 1 => reminders().prop_map(Some)];
    (zone, default_time, quiet, defaults).prop_map(|(zone, default_time, quiet, defaults)| Prefs {
        zone,
        default_time,
        quiet,
        defaults,
        paused: None,
        skipped: Vec::new(),
    })
}
