//! What becomes of each task: a script of a few commands, chosen by the seed and the task's number.

use super::random::Random;

/// The due date of a usual task, after its `put` is sent, in milliseconds.
const SOON_MS: (i64, i64) = (2_000, 25_000);

/// Beyond the arm horizon of the stack (40 s), so that the sweep has to register the wake.
const FAR_MS: (i64, i64) = (45_000, 75_000);

/// When a task is changed before it is due, and how long before that it still is, in milliseconds.
const CHANGE_AFTER_MS: (i64, i64) = (100, 4_000);
const CHANGE_AHEAD_MS: (i64, i64) = (5_000, 15_000);

/// How long ago a late task was due, and by how much another is put off, in milliseconds.
const PAST_MS: (i64, i64) = (0, 90_000);
const LATER_MS: (i64, i64) = (3_000, 15_000);

/// Between two commands in quick succession, in milliseconds.
const QUICK_MS: (i64, i64) = (0, 500);

/// How near to its time a task is completed that races with its reminder, in milliseconds; less than
/// the judge's idea of near.
const RACE_MS: i64 = 400;

/// How long people take to react to what rang, in milliseconds.
const REACTION_MS: (i64, i64) = (200, 3_000);

/// Long enough that a snooze is heard before its end, unless parts are away for long.
const SNOOZE_MS: (i64, i64) = (8_000, 20_000);

/// Between the occurrences of a recurring task, in milliseconds.
const RECURS_MS: (i64, i64) = (4_000, 12_000);

/// The zones of due dates that are wall times; none changes its clocks within an hour often.
const ZONES: [&str; 4] =
    ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"];

/// When a command is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// So long after the answer to the one before.
    After(i64),
    /// So long after (or before) the task is due.
    Due(i64),
    /// So long after all that was to fire has been seen to.
    Fired(i64),
}

/// A task to put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    /// When it is due, after the command is sent; `None` leaves the due date as it is.
    pub(super) due_in: Option<i64>,
    /// Its reminders, so many seconds before that. None: the default one, at that time.
    pub(super) before: Vec<i64>,
    /// Later occurrences, after the due date. Then there is one reminder.
    pub(super) recurs: Vec<i64>,
    /// The zone of a due date that is a wall time.
    pub(super) zone: Option<&'static str>,
    /// Whether it belongs to a user, whose preferences are read then.
    pub(super) user: bool,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Put(Draft),
    Complete,
    Reopen,
    Delete,
    Dismiss,
    Acknowledge,
    /// Until so long after it is sent.
    Snooze(i64),
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) when: When,
    pub(super) act: Act,
}

/// The commands of one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) name: &'static str,
    pub(super) steps: Vec<Step>,
}

/// The ways a task can go, with how often each is taken.
const WAYS: [(&str, i64); 16] = [
    ("plain", 20),
    ("far", 10),
    ("several", 10),
    ("late", 5),
    ("moved later", 8),
    ("moved earlier", 6),
    ("moved often", 4),
    ("completed", 8),
    ("deleted", 6),
    ("dismissed", 3),
    ("reopened", 5),
    ("snoozed", 8),
    ("acknowledged", 5),
    ("recurring", 6),
    ("raced", 4),
    ("put again", 4),
];

impl Script {
    /// The script of a task. What would last longer than there is room, in milliseconds, is a plain
    /// one instead.
    pub(super) fn of(seed: u64, number: u64, room_ms: i64) -> Self {
        let mut random = Random::of(seed, "task", number);
        let script = Self::draw(&mut random);
        if script.lasts_ms() <= room_ms {
            return script;
        }
        let due = random.between(SOON_MS.0, room_ms.clamp(SOON_MS.0, SOON_MS.1));
        Self { name: "plain", steps: vec![put(&mut random, due)] }
    }

    /// How many commands a task has on the average, in hundredths.
    pub(super) fn mean_commands_percent(seed: u64) -> u64 {
        const SAMPLE: u64 = 500;
        let commands = |number| Self::of(seed, number, i64::MAX).steps.len() as u64;
        (0..SAMPLE).map(commands).sum::<u64>() * 100 / SAMPLE
    }

    /// How long it takes when everything is answered at once.
    fn lasts_ms(&self) -> i64 {
        let mut at = 0;
        let mut due = 0;
        let mut last = 0;
        for Step { when, act } in &self.steps {
            at = match when {
                When::After(pause) => at + pause,
                When::Due(offset) => due + offset,
                When::Fired(pause) => last + pause,
            };
            match act {
                Act::Put(draft) => {
                    due = draft.due_in.map_or(due, |due_in| at + due_in);
                    last = due + draft.recurs.last().unwrap_or(&0);
                }
                Act::Snooze(until) => last = at + until,
                _ => {}
            }
        }
        at.max(last)
    }

    fn draw(random: &mut Random) -> Self {
        let all: i64 = WAYS.iter().map(|(_, often)| often).sum();
        let mut left = random.between(1, all);
        let way = WAYS.iter().find(|(_, often)| {
            left -= often;
            left <= 0
        });
        let name = way.map_or("plain", |(name, _)| name);
        Self { name, steps: steps(name, random) }
    }
}

fn steps(name: &str, random: &mut Random) -> Vec<Step> {
    let pick = |random: &mut Random, (first, last): (i64, i64)| random.between(first, last);
    let soon = pick(random, SOON_MS);
    let ahead = pick(random, CHANGE_AHEAD_MS);
    let change = When::After(pick(random, CHANGE_AFTER_MS));
    let react = When::Fired(pick(random, REACTION_MS));
    let first = put(random, soon);
    let early = put(random, ahead);
    match name {
        "far" => {
            let far = pick(random, FAR_MS);
            vec![put(random, far)]
        }
        "several" => {
            let before: Vec<i64> = (0..random.between(2, 4)).map(|n| n * 2).collect();
            vec![edited(early, |draft| draft.before = before)]
        }
        "late" => {
            let past = random.between(PAST_MS.0, PAST_MS.1);
            vec![put(random, -past)]
        }
        "moved later" => {
            let later = ahead + pick(random, LATER_MS);
            vec![early, again(random, change, later)]
        }
        "moved earlier" => {
            let far = pick(random, FAR_MS);
            vec![put(random, far), again(random, change, soon)]
        }
        "moved often" => {
            let mut steps = vec![early];
            for _ in 0..random.between(2, 4) {
                let pause = When::After(pick(random, QUICK_MS));
                let due = pick(random, CHANGE_AHEAD_MS);
                steps.push(again(random, pause, due));
            }
            steps
        }
        "completed" => vec![early, step(change, Act::Complete)],
        "deleted" => vec![early, step(change, Act::Delete)],
        "dismissed" => vec![early, step(change, Act::Dismiss)],
        "reopened" => {
            let pause = When::After(pick(random, CHANGE_AFTER_MS));
            vec![early, step(change, Act::Complete), step(pause, Act::Reopen)]
        }
        "snoozed" => {
            let mut steps = vec![first, step(react, Act::Snooze(pick(random, SNOOZE_MS)))];
            if random.one_in(2) {
                steps.push(step(change, Act::Acknowledge));
            }
            steps
        }
        "acknowledged" => {
            let then = if random.one_in(2) { Act::Complete } else { Act::Delete };
            vec![first, step(react, Act::Acknowledge), step(change, then)]
        }
        "recurring" => recurring(random, ahead, change, react),
        "raced" => {
            let near = When::Due(random.between(-RACE_MS, RACE_MS));
            let act = [Act::Complete, Act::Delete, Act::Dismiss];
            let act = random.choose(&act).clone();
            vec![first, step(near, act)]
        }
        "put again" => {
            // Deleted and made anew, or the same once more with another title.
            let pause = When::After(pick(random, QUICK_MS));
            let mut second = again(random, pause, ahead);
            if random.one_in(2) {
                return vec![early, step(change, Act::Delete), second];
            }
            if let Act::Put(draft) = &mut second.act {
                draft.due_in = None;
            }
            vec![early, second]
        }
        _ => vec![first],
    }
}

fn recurring(random: &mut Random, due: i64, change: When, react: When) -> Vec<Step> {
    let mut at = 0;
    let recurs: Vec<i64> = (0..random.between(1, 3))
        .map(|_| {
            at += random.between(RECURS_MS.0, RECURS_MS.1);
            at
        })
        .collect();
    let first = edited(put(random, due), |draft| draft.recurs = recurs);
    match random.between(1, 3) {
        1 => vec![first, step(change, Act::Complete)],
        2 => vec![first, step(change, Act::Complete), step(change, Act::Complete)],
        _ => vec![first, step(react, Act::Delete)],
    }
}

fn step(when: When, act: Act) -> Step {
    Step { when, act }
}

fn put(random: &mut Random, due_in: i64) -> Step {
    let zone = random.one_in(3).then(|| *random.choose(&ZONES));
    let user = random.one_in(2);
    let draft = Draft { due_in: Some(due_in), before: Vec::new(), recurs: Vec::new(), zone, user };
    step(When::After(0), Act::Put(draft))
}

fn again(random: &mut Random, when: When, due_in: i64) -> Step {
    Step { when, ..put(random, due_in) }
}

fn edited(mut step: Step, change: impl FnOnce(&mut Draft)) -> Step {
    if let Act::Put(draft) = &mut step.act {
        change(draft);
    }
    step
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_decides_the_scripts_and_every_way_is_taken() {
        let all = |seed| (0..600).map(|n| Script::of(seed, n, i64::MAX)).collect::<Vec<_>>();
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
        let names: BTreeSet<&str> = all(7).iter().map(|script| script.name).collect();
        assert_eq!(names, WAYS.iter().map(|(name, _)| *name).collect());
    }

    #[test]
    fn every_script_begins_with_a_put_and_ends_in_time() {
        for number in 0..2_000 {
            for room in [3_000, 20_000, 60_000] {
                let script = Script::of(7, number, room);
                assert!(matches!(&script.steps[0].act, Act::Put(draft) if draft.due_in.is_some()));
                assert!(script.lasts_ms() <= room, "{script:?}");
            }
        }
    }

    #[test]
    fn the_mean_is_that_of_the_scripts() {
        let mean = Script::mean_commands_percent(7);
        assert!((150..300).contains(&mean), "{mean}");
    }
}
