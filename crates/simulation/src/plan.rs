//! What a run consists of: settings, what callers do, and what goes wrong. A function of the seed;
//! shrinking takes parts of it away.

use crate::dice::Dice;
use crate::workload::{self, Caller};

/// Everything that a run is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where chance comes from while the run goes on.
    pub seed: u64,
    /// What may go wrong, and who heals it.
    pub class: Class,
    /// How many hosts there are.
    pub hosts: usize,
    /// How far ahead wakes are registered, in ms; `None`: any distance.
    pub horizon_ms: Option<i64>,
    /// The pause between two rounds of the audit, in ms.
    pub audit_interval_ms: u64,
    /// How long a task may be overdue before the audit settles it, in ms.
    pub grace_ms: i64,
    /// Whether wakes beyond one at a time are put off: what a process that dies has put off, only the
    /// audit finds.
    pub puts_wakes_off: bool,
    /// Whether what is over is purged, again and again.
    pub purges: bool,
    /// Who is erased, if anybody.
    pub erased: Option<Erased>,
    /// Who sends commands, one for each task.
    pub callers: Vec<Caller>,
    /// How likely calls go wrong.
    pub rates: Rates,
    /// What happens at set times.
    pub faults: Vec<TimedFault>,
}

/// A user is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// When it is asked for, in ms after the start.
    pub at_ms: i64,
    /// Who.
    pub user: u64,
}

/// What may go wrong, and who heals it. The less of the design is there to help, the less may go wrong:
/// a bug that the audit would paint over shows where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Everything may go wrong, and all of the design is there.
    Everything,
    /// Calls go wrong in every way; no process dies, and there is no audit.
    CallsOnly,
    /// Processes die at any step; calls that are made succeed, and there is no audit.
    CrashesOnly,
    /// Wakes are lost and the scheduler is wiped; the sweep has to do without the audit's settling.
    SweepOnly,
}

/// How likely calls go wrong, per thousand of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// They fail and have no effect.
    pub fails: u64,
    /// They are reported as failed and had their effect.
    pub unheard: u64,
    /// They are reported as failed and take effect seconds later.
    pub late: u64,
    /// The process dies before them.
    pub crash_before: u64,
    /// The process dies after them, unheard.
    pub crash_after: u64,
    /// They take seconds rather than milliseconds.
    pub slow: u64,
    /// A request to an actor is sent twice.
    pub resent: u64,
    /// A request to an actor, or its answer, is lost.
    pub unanswered: u64,
    /// A wake is delivered twice.
    pub wake_twice: u64,
    /// A wake is delivered late.
    pub wake_late: u64,
    /// A wake is forgotten by the scheduler.
    pub wake_lost: u64,
}

/// Something that happens at a set time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedFault {
    /// When, in ms after the start.
    pub at_ms: i64,
    /// What.
    pub what: What,
}

/// What happens at a set time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The process of a host dies.
    Kill(usize),
    /// The process of a host is asked to stop, and does so properly.
    Stop(usize),
    /// A process stands still for so many ms, and then goes on as if nothing had been.
    Stall(usize, i64),
    /// Actors move between the hosts while their turns go on.
    Move,
    /// The scheduler does not answer and wakes nobody for so many ms.
    SchedulerAway(i64),
    /// The scheduler loses all that it knew.
    SchedulerWiped,
    /// Postgres does not answer for so many ms.
    PostgresAway(i64),
    /// The broker takes nothing for so many ms.
    BrokerAway(i64),
    /// A host's clock is set forward, or back, by so many ms.
    ClockStep(usize, i64),
    /// An operator stops firing for so many ms: for a user, or for everyone.
    FiringStopped(Option<u64>, i64),
}

impl What {
    /// The host that it strikes.
    pub fn host(self) -> Option<usize> {
        match self {
            Self::Kill(host)
            | Self::Stop(host)
            | Self::Stall(host, _)
            | Self::ClockStep(host, _) => Some(host),
            Self::Move
            | Self::SchedulerAway(_)
            | Self::SchedulerWiped
            | Self::PostgresAway(_)
            | Self::BrokerAway(_)
            | Self::FiringStopped(..) => None,
        }
    }
}

/// Where somebody is erased, a process stands still for so many ms at most. It hears of the erasure only when it
/// goes on, and what it has on its way must have gone out, or have been blanked, before the erasure is over.
const ERASING_STALL_MAX_MS: i64 = 10_000;

/// Nothing goes wrong after this, in ms after the start: the run has to heal from then on.
pub const FAULTS_END_MS: i64 = 150_000;

/// Most tasks of a run, each of a user of its own.
pub const TASKS_MAX: u64 = 3;

impl Plan {
    /// The plan of a seed.
    pub fn new(seed: u64) -> Self {
        let dice = Dice::new(seed);
        let class = match dice.below("class", 10) {
            0..5 => Class::Everything,
            5..7 => Class::CallsOnly,
            7..9 => Class::CrashesOnly,
            _ => Class::SweepOnly,
        };
        let hosts = match class {
            // With two, a wake that is due at once may run on one host before the commit that asked for
            // it lands from the other one; only the audit finds that.
            Class::CallsOnly | Class::CrashesOnly => 1,
            Class::Everything | Class::SweepOnly => dice.pick("hosts", &[1, 2, 2, 3]),
        };
        // Without a sweep nothing registers what is far away.
        let far = matches!(class, Class::Everything | Class::SweepOnly);
        let horizons: &[_] = if far { &[None, Some(30_000), Some(60_000)] } else { &[None] };
        let tasks = 1 + dice.below("tasks", TASKS_MAX);
        let purges = class == Class::Everything && dice.happens("purges", 300);
        let caller = |n| {
            let dice = dice.of(("caller", n));
            if purges && dice.happens("made again", 700) {
                workload::one_who_makes_it_again(dice, n)
            } else {
                workload::caller(dice, n)
            }
        };
        let erased = (class == Class::Everything && dice.happens("erases", 250)).then(|| Erased {
            at_ms: dice.within("erased at", 0, FAULTS_END_MS - 50_000),
            user: dice.below("erased", tasks),
        });
        let mut faults = timed(dice.of("faults"), class, hosts);
        if let Some(erased) = erased
            && dice.happens("erased without the broker", 400)
        {
            // So long that it is over before the broker takes what waits.
            let away = What::BrokerAway(dice.within("away", 60_000, 80_000));
            faults.push(TimedFault { at_ms: (erased.at_ms - 3_000).max(0), what: away });
        }
        for fault in faults.iter_mut().filter(|_| erased.is_some()) {
            if let What::Stall(_, ms) = &mut fault.what {
                *ms = (*ms).min(ERASING_STALL_MAX_MS);
            }
        }
        Self {
            seed,
            class,
            hosts,
            horizon_ms: dice.pick("horizon", horizons),
            audit_interval_ms: dice.pick("interval", &[5_000, 10_000]),
            grace_ms: dice.pick("grace", &[2_000, 5_000]),
            puts_wakes_off: class == Class::Everything && dice.happens("puts off", 500),
            purges,
            erased,
            callers: (0..tasks).map(caller).collect(),
            rates: Rates::new(dice.of("rates"), class),
            faults,
        }
    }
}

impl Plan {
    /// Whether an operator stops firing at some time.
    pub fn stops_firing(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.what, What::FiringStopped(..)))
    }
}

impl Rates {
    fn new(dice: Dice, class: Class) -> Self {
        // Some runs are calm, so that a single fault is seen by itself.
        let scale = dice.pick("scale", &[0, 1, 1, 2]);
        let rate = |what: &str, usual: u64| {
            let on = dice.happens((what, "on"), 600);
            if on { usual * scale } else { 0 }
        };
        let calls = !matches!(class, Class::CrashesOnly);
        let crashes = matches!(class, Class::Everything | Class::CrashesOnly);
        let call = |what, usual| if calls { rate(what, usual) } else { 0 };
        let crash = |what, usual| if crashes { rate(what, usual) } else { 0 };
        let lost = matches!(class, Class::Everything);
        Self {
            fails: call("fails", 30),
            unheard: call("unheard", 30),
            late: call("late", 30),
            crash_before: crash("crash before", 4),
            crash_after: crash("crash after", 4),
            slow: rate("slow", 20),
            resent: rate("resent", 60),
            unanswered: rate("unanswered", 60),
            wake_twice: rate("wake twice", 100),
            wake_late: rate("wake late", 60),
            wake_lost: if lost { rate("wake lost", 60) } else { 0 },
        }
    }
}

fn timed(dice: Dice, class: Class, hosts: usize) -> Vec<TimedFault> {
    let count = dice.below("count", 5);
    let mut faults: Vec<TimedFault> = (0..count)
        .map(|n| {
            let dice = dice.of(n);
            let at_ms = dice.within("at", 0, FAULTS_END_MS - 40_000);
            TimedFault { at_ms, what: what(dice, class, hosts) }
        })
        .collect();
    faults.sort_by_key(|fault| fault.at_ms);
    faults
}

fn what(dice: Dice, class: Class, hosts: usize) -> What {
    let host = usize::try_from(dice.below("host", hosts as u64)).unwrap_or(0);
    let long = dice.within("long", 1_000, 30_000);
    let user = Some(dice.below("user", 3)).filter(|_| dice.happens("one user", 500));
    let short = dice.within("short", 100, 4_000);
    let stall = dice.within("stall", 500, 20_000);
    let set_by = dice.within("step", -4_000, 4_000);
    let (stall, scheduler) = (What::Stall(host, stall), What::SchedulerAway(short));
    let (postgres, broker) = (What::PostgresAway(short), What::BrokerAway(long));
    let (kill, stop) = (What::Kill(host), What::Stop(host));
    let all: &[What] = match class {
        Class::CallsOnly => &[stall, postgres, postgres, broker, scheduler],
        Class::CrashesOnly => &[kill, stop],
        Class::SweepOnly => &[What::SchedulerWiped, What::SchedulerWiped, scheduler, postgres],
        Class::Everything => &[
            kill,
            stop,
            stall,
            stall,
            What::Move,
            What::SchedulerAway(long),
            What::SchedulerWiped,
            What::PostgresAway(long),
            broker,
            What::FiringStopped(user, long),
            What::ClockStep(host, set_by),
        ],
    };
    dice.pick("what", all)
}
