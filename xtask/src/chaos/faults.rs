//! What is hurt, how, in which order and for how long: a function of the seed.
//!
//! Faults come in slots of one or two. A slot begins some seconds after the parts of the one before
//! are ready again, so never more than two parts are hurt by us at once.

use std::fmt;
use std::time::Duration;

use reminder_stack::Part;

use super::random::Random;

/// Between two slots, in milliseconds.
const GAP_MS: (i64, i64) = (4_000, 14_000);

/// How long a killed or stalled part stays away, in milliseconds: mostly some seconds, sometimes long
/// enough for others to give up on it.
const AWAY_MS: (i64, i64) = (1_000, 8_000);
const AWAY_LONG_MS: (i64, i64) = (12_000, 20_000);

/// The scheduler stays away for longer: the audit shall be seen to do its work.
const SCHEDULER_AWAY_MS: (i64, i64) = (20_000, 30_000);

/// One in so many is away for long; of the scheduler, one in so many.
const LONG_ONE_IN: i64 = 5;
const SCHEDULER_LONG_ONE_IN: i64 = 2;

/// One slot in so many has two faults, the second so much later than the first, in milliseconds.
const PAIR_ONE_IN: i64 = 5;
const PAIR_LATER_MS: (i64, i64) = (0, 3_000);

/// What can be hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Target {
    App,
    /// A service with its sidecar, as when a node dies.
    Replica,
    Sidecar,
    Placement,
    Scheduler,
    Postgres,
    Kafka,
}

/// How it is hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum How {
    /// SIGKILL, and a new process some time later.
    Kill,
    /// SIGSTOP, and SIGCONT some time later.
    Stall,
    /// Asked to finish, and started again at once.
    Restart,
    /// Killed, and its data removed before it is started again.
    Wipe,
    /// All replicas restarted, one after the other.
    Rollout,
}

/// A kind of fault.
pub(super) type Kind = (How, Target);

/// Every kind there is.
pub(super) const KINDS: [Kind; 23] = [
    (How::Kill, Target::App),
    (How::Kill, Target::Replica),
    (How::Kill, Target::Sidecar),
    (How::Kill, Target::Placement),
    (How::Kill, Target::Scheduler),
    (How::Kill, Target::Postgres),
    (How::Kill, Target::Kafka),
    (How::Stall, Target::App),
    (How::Stall, Target::Replica),
    (How::Stall, Target::Sidecar),
    (How::Stall, Target::Placement),
    (How::Stall, Target::Scheduler),
    (How::Stall, Target::Postgres),
    (How::Stall, Target::Kafka),
    (How::Restart, Target::App),
    (How::Restart, Target::Replica),
    (How::Restart, Target::Sidecar),
    (How::Restart, Target::Placement),
    (How::Restart, Target::Scheduler),
    (How::Restart, Target::Postgres),
    (How::Restart, Target::Kafka),
    (How::Wipe, Target::Scheduler),
    (How::Rollout, Target::Replica),
];

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// Which replica, where there are several of the target.
    pub(super) replica: u32,
    /// How long after the beginning of its slot.
    pub(super) later: Duration,
    /// How long it stays away.
    pub(super) away: Duration,
}

/// One or two faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// How long everything is well before it.
    pub(super) gap: Duration,
    pub(super) faults: Vec<Fault>,
}

impl Fault {
    /// The processes that are hurt; of a rollout those of all replicas.
    pub(super) fn parts(&self, replicas: u32) -> Vec<Part> {
        let both = |number| [Part::Sidecar(number), Part::App(number)];
        match self.kind {
            (How::Rollout, _) => (1..=replicas).flat_map(both).collect(),
            (_, Target::App) => vec![Part::App(self.replica)],
            (_, Target::Replica) => both(self.replica).into(),
            (_, Target::Sidecar) => vec![Part::Sidecar(self.replica)],
            (_, Target::Placement) => vec![Part::Placement],
            (_, Target::Scheduler) => vec![Part::Scheduler],
            (_, Target::Postgres) => vec![Part::Postgres],
            (_, Target::Kafka) => vec![Part::Kafka],
        }
    }

    /// The fault without how long it lasts.
    pub(super) fn name(&self) -> String {
        let (how, target) = self.kind;
        let n = self.replica;
        let target = match target {
            _ if how == How::Rollout => return "rollout".to_owned(),
            Target::App => format!("app {n}"),
            Target::Replica => format!("replica {n}"),
            Target::Sidecar => format!("sidecar {n}"),
            Target::Placement => "placement".to_owned(),
            Target::Scheduler => "scheduler".to_owned(),
            Target::Postgres => "postgres".to_owned(),
            Target::Kafka => "kafka".to_owned(),
        };
        let how = match how {
            How::Kill => "kill",
            How::Stall => "stall",
            How::Restart => "restart",
            How::Wipe => "wipe",
            How::Rollout => "roll",
        };
        format!("{how} {target}")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())?;
        if self.away.is_zero() { Ok(()) } else { write!(f, ", {:.1} s", self.away.as_secs_f64()) }
    }
}

/// The faults of a run, without end: who asks decides when it is enough.
#[derive(Debug)]
pub(super) struct Plan {
    random: Random,
    replicas: u32,
    /// The kinds that are still to come before any comes again.
    bag: Vec<Kind>,
}

impl Plan {
    pub(super) fn new(seed: u64, replicas: u32) -> Self {
        Self { random: Random::of(seed, "faults", 0), replicas, bag: Vec::new() }
    }

    /// The next slot.
    pub(super) fn next(&mut self) -> Slot {
        let gap = self.random.millis(GAP_MS.0, GAP_MS.1);
        let mut faults = vec![self.fault(&[])];
        if self.random.one_in(PAIR_ONE_IN) && faults[0].kind.0 != How::Rollout {
            let taken = faults[0].parts(self.replicas);
            let mut second = self.fault(&taken);
            second.later = self.random.millis(PAIR_LATER_MS.0, PAIR_LATER_MS.1);
            faults.push(second);
        }
        Slot { gap, faults }
    }

    /// The next of the bag that hurts none of these parts.
    fn fault(&mut self, taken: &[Part]) -> Fault {
        let replica = u32::try_from(self.random.between(1, i64::from(self.replicas))).unwrap_or(1);
        let fits = |kind: Kind| {
            let fault = Fault { kind, replica, later: Duration::ZERO, away: Duration::ZERO };
            // A rollout is enough by itself.
            let alone = kind.0 == How::Rollout && !taken.is_empty();
            !alone && !fault.parts(self.replicas).iter().any(|part| taken.contains(part))
        };
        let mut found = self.bag.iter().rposition(|kind| fits(*kind));
        if found.is_none() {
            let mut fresh = KINDS.to_vec();
            self.random.shuffle(&mut fresh);
            // What is left of the old bag comes first, which is last.
            self.bag.splice(0..0, fresh);
            found = self.bag.iter().rposition(|kind| fits(*kind));
        }
        let kind = found.map_or(KINDS[0], |index| self.bag.remove(index));
        Fault { kind, replica, later: Duration::ZERO, away: self.away(kind) }
    }

    fn away(&mut self, (how, target): Kind) -> Duration {
        let scheduler = target == Target::Scheduler && matches!(how, How::Kill | How::Wipe);
        let (one_in, long) = if scheduler {
            (SCHEDULER_LONG_ONE_IN, SCHEDULER_AWAY_MS)
        } else {
            (LONG_ONE_IN, AWAY_LONG_MS)
        };
        let (first, last) = if self.random.one_in(one_in) { long } else { AWAY_MS };
        let away = self.random.millis(first, last);
        if matches!(how, How::Restart | How::Rollout) { Duration::ZERO } else { away }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn slots(seed: u64, count: usize) -> Vec<Slot> {
        let mut plan = Plan::new(seed, 2);
        (0..count).map(|_| plan.next()).collect()
    }

    #[test]
    fn a_seed_decides_the_faults() {
        assert_eq!(slots(7, 40), slots(7, 40));
        assert_ne!(slots(7, 40), slots(8, 40));
    }

    #[test]
    fn every_kind_comes_before_any_comes_often() {
        for seed in 0..20 {
            let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
            for fault in slots(seed, 100).iter().flat_map(|slot| &slot.faults) {
                *counts.entry(fault.kind).or_default() += 1;
            }
            let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
            assert_eq!(counts.len(), KINDS.len());
            assert!(*least >= 4 && most - least <= 2, "{counts:?}");
        }
    }

    #[test]
    fn two_at_once_hurt_different_parts_and_never_more() {
        let slots: Vec<Slot> = (0..20).flat_map(|seed| slots(seed, 50)).collect();
        let pairs: Vec<_> = slots.iter().filter(|slot| slot.faults.len() == 2).collect();
        assert!(pairs.len() > 100 && slots.iter().all(|slot| slot.faults.len() <= 2));
        for pair in pairs {
            let (a, b) = (pair.faults[0].parts(2), pair.faults[1].parts(2));
            assert!(a.iter().all(|part| !b.contains(part)), "{pair:?}");
        }
    }
}
