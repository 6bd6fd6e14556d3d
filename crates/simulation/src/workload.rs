//! What callers do: commands on one task, one after the other, with pauses between them.

use crate::dice::Dice;
use reminder_domain::command::IfPast;
use reminder_domain::pause::IfMissed;
use reminder_reference::calendar::{
    Every, HOUR, MINUTE, Prefs, Reminder, Rule, Time, TimeKind, Trigger, Zone,
};
use reminder_reference::words::{Delay, Kind, Skip, Spec};

/// One who sends commands for one task, each until it is answered.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The task, and the name that its user has.
    pub name: u64,
    /// What is done, in this order.
    pub steps: Vec<Step>,
}

/// A pause and what comes after it.
#[derive(Clone, Debug)]
pub struct Step {
    /// How long to wait first, in ms.
    pub after_ms: i64,
    /// What to do.
    pub act: Act,
}

/// What a caller does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sends a command.
    Command(Kind),
    /// The user prefers something else.
    Prefer(Prefs),
    /// The user is paused.
    PauseUser,
    /// The user is resumed.
    ResumeUser(IfMissed),
}

/// Most steps of one caller.
const STEPS_MAX: u64 = 6;
/// Names of reminders; few, so that they are used again.
const IDS: [&str; 3] = ["due", "r1", "r2"];

/// A caller as the dice fall.
pub fn caller(dice: Dice, name: u64) -> Caller {
    let count = 1 + dice.below("steps", STEPS_MAX);
    let mut at_ms = 0;
    let steps = (0..count).map(|n| {
        let dice = dice.of(n);
        let after_ms = pause(dice);
        at_ms += after_ms;
        let act = if n == 0 { put(dice, at_ms) } else { act(dice, at_ms) };
        Step { after_ms, act }
    });
    Caller { name, steps: steps.collect() }
}

/// A caller who deletes the task or completes it, and makes it again when a purge may have come between.
pub fn one_who_makes_it_again(dice: Dice, name: u64) -> Caller {
    let (soon, late) = (dice.within("over after", 0, 20_000), dice.within("again", 60_000, 95_000));
    let over = if dice.happens("deleted", 700) { Kind::Delete } else { Kind::Complete };
    let again = put(dice.of("again"), soon + late);
    let steps = [(0, put(dice, 0)), (soon, Act::Command(over)), (late, again)];
    let steps = steps.into_iter().map(|(after_ms, act)| Step { after_ms, act });
    Caller { name, steps: steps.collect() }
}

fn pause(dice: Dice) -> i64 {
    match dice.below("pause", 4) {
        0 => dice.within("ms", 0, 300),
        1 | 2 => dice.within("ms", 1_000, 20_000),
        _ => dice.within("ms", 20_000, 60_000),
    }
}

fn act(dice: Dice, now_ms: i64) -> Act {
    if dice.happens("pauses", 200) {
        return pause_or_resume(dice.of("pauses"));
    }
    let id = Some(dice.pick("id", &IDS)).filter(|_| dice.happens("one", 300));
    let kind = match dice.below("act", 16) {
        0..5 => return put(dice, now_ms),
        5 | 6 => Kind::Complete,
        7 => Kind::Reopen,
        8 => Kind::Delete,
        9 => Kind::Skip(Skip::Present),
        10 => Kind::PutReminder(reminder(dice.of("reminder"), now_ms), IfPast::Fire),
        11 => Kind::RemoveReminder(dice.pick("id", &IDS)),
        12 => Kind::Snooze(id, delay(dice, now_ms)),
        13 => Kind::Acknowledge(id),
        14 => Kind::Dismiss(id),
        _ => return Act::Prefer(prefs(dice)),
    };
    Act::Command(kind)
}

/// A pause or its end. A choice of its own, so that what else happens in a run stays what it was.
fn pause_or_resume(dice: Dice) -> Act {
    let missed = dice.pick("missed", &[IfMissed::Fire, IfMissed::Skip]);
    match dice.below("pause", 6) {
        0 | 1 => Act::Command(Kind::Pause),
        2 | 3 => Act::Command(Kind::Resume(missed)),
        4 => Act::PauseUser,
        _ => Act::ResumeUser(missed),
    }
}

fn put(dice: Dice, now_ms: i64) -> Act {
    let has_due = !dice.happens("no due date", 60);
    let due = has_due.then(|| time(dice.of("due"), now_ms));
    let reminders = |dice: Dice| {
        let mut ids = IDS.to_vec();
        ids.truncate(1 + usize::try_from(dice.below("how many", 3)).unwrap_or(0));
        ids.into_iter().map(|id| Reminder { id, ..reminder(dice.of(id), now_ms) }).collect()
    };
    let count = usize::try_from(dice.within("count", 2, 4)).unwrap_or(2);
    let every = Every::Minutes(dice.within("every", 1, 2));
    let recurs = due.is_some_and(|due| due.kind != TimeKind::Date) && dice.happens("recurs", 250);
    let spec = Spec {
        title: 0,
        due,
        start_before: None,
        rule: recurs.then_some(Rule { every, count: Some(count) }),
        first: None,
        from_completion: recurs && dice.happens("from completion", 200),
        exdates: Vec::new(),
        reminders: dice.happens("own reminders", 500).then(|| reminders(dice.of("reminders"))),
        urgent: dice.happens("urgent", 100),
        completed: dice.happens("completed", 30),
    };
    let if_past = dice.pick("if past", &[IfPast::Fire, IfPast::Fire, IfPast::Fire, IfPast::Skip]);
    Act::Command(Kind::Put(Box::new(spec), if_past))
}

/// Soon, or a little while ago.
fn time(dice: Dice, now_ms: i64) -> Time {
    let ahead = match dice.below("ahead", 6) {
        0 => dice.within("ms", -60_000, 0),
        1 => dice.within("ms", 0, 2_000),
        2 | 3 => dice.within("ms", 2_000, 30_000),
        _ => dice.within("ms", 30_000, 120_000),
    };
    let at = (now_ms + ahead) / 1_000 * 1_000 + dice.pick("fraction", &[0, 0, 1, 500]);
    match dice.below("kind", 4) {
        // Floating times of a user whose zone is UTC, for now.
        0 => Time { kind: TimeKind::Floating, nominal: at },
        1 => Time { kind: TimeKind::Berlin, nominal: Zone::Berlin.wall(at) },
        _ => Time { kind: TimeKind::Instant, nominal: at },
    }
}

fn reminder(dice: Dice, now_ms: i64) -> Reminder {
    let minutes = dice.pick("minutes", &[0, 0, -1, 1]);
    let from = Trigger::From { start: false, days: 0, minutes };
    let at = Trigger::At(Time { kind: TimeKind::Instant, ..time(dice.of("at"), now_ms) });
    let nags = dice.happens("nags", 200);
    Reminder {
        id: dice.pick("id", &IDS),
        trigger: if dice.happens("at", 200) { at } else { from },
        nag: nags.then_some((1, 2)),
        late_limit: dice.happens("late limit", 150).then(|| dice.within("limit", 0, 2)),
    }
}

fn delay(dice: Dice, now_ms: i64) -> Delay {
    if dice.happens("until", 500) {
        return Delay::Until(now_ms + dice.within("until", 500, 40_000));
    }
    Delay::Minutes(1)
}

fn prefs(dice: Dice) -> Prefs {
    let reminder = |id| Reminder {
        id,
        trigger: Trigger::From { start: false, days: 0, minutes: 0 },
        nag: None,
        late_limit: None,
    };
    Prefs {
        zone: dice.pick("zone", &[Zone::Utc, Zone::Utc, Zone::Berlin]),
        default_time: 9 * HOUR,
        // The run begins at 22:00 UTC, which is midnight in Berlin.
        quiet: dice.happens("quiet", 200).then_some((22 * HOUR, 22 * HOUR + MINUTE)),
        defaults: dice.happens("defaults", 300).then(|| vec![reminder("due"), reminder("r1")]),
        paused: None,
        skipped: Vec::new(),
    }
}
