//! How long it took until all was well again after each fault.
//!
//! *Sick* is every moment at which a reminder is overdue (not read from Kafka though it has been owed
//! for longer than [`OVERDUE_MS`]) or a command unanswered for longer than [`SLOW_MS`]. A fault is
//! healed at the first moment, not before the part was started again or went on, from which nothing is
//! sick for [`WELL_MS`]; what begins after the next fault has begun counts for that one.

use super::history::{Command, History, Ms};
use super::judge::{Firing, Judgement};

/// The grace of the audit, and a second for the firing itself.
pub(super) const OVERDUE_MS: Ms = 6_000;

/// How long a command may take when all is well, on a slow machine.
pub(super) const SLOW_MS: Ms = 2_000;

/// How long nothing may be sick for all to be well.
pub(super) const WELL_MS: Ms = 10_000;

/// How long the last fault may take to heal.
pub(super) const HEAL_MAX_MS: Ms = 60_000;

/// A slot of faults and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Healing {
    pub(super) slot: usize,
    pub(super) began: Ms,
    /// When the last part of it was started again or went on.
    pub(super) back: Ms,
    /// When all was well; `None` if not before the next slot began.
    pub(super) well: Option<Ms>,
    /// When the next slot began, or the run ended.
    pub(super) next: Ms,
}

impl Healing {
    /// How long it took after the part was back.
    pub(super) fn after_back(&self) -> Option<Ms> {
        self.well.map(|well| well - self.back)
    }

    /// Until when it had an effect, as far as that is known.
    pub(super) fn until(&self) -> Ms {
        self.well.unwrap_or(self.next)
    }
}

/// From when to when something was sick.
type Sick = (Ms, Ms);

/// When each slot of faults was healed.
pub(super) fn healings(history: &History, judgement: &Judgement) -> Vec<Healing> {
    let commands = history.commands.values().flatten();
    let sick = sick(&judgement.firings, &judgement.never, commands);
    let mut slots: Vec<Healing> = Vec::new();
    for hurt in &history.hurts {
        match slots.iter_mut().find(|slot| slot.slot == hurt.slot) {
            Some(slot) => {
                slot.began = slot.began.min(hurt.began);
                slot.back = slot.back.max(hurt.back);
            }
            None => slots.push(Healing {
                slot: hurt.slot,
                began: hurt.began,
                back: hurt.back,
                well: None,
                next: history.ended,
            }),
        }
    }
    slots.sort_by_key(|slot| slot.began);
    for index in 0..slots.len() {
        let next = slots.get(index + 1).map_or(history.ended, |slot| slot.began);
        let slot = &mut slots[index];
        slot.next = next;
        slot.well = Some(well_from(&sick, slot.back, next)).filter(|well| *well <= next);
    }
    slots
}

fn sick<'a>(
    firings: &[Firing],
    never: &[Ms],
    commands: impl Iterator<Item = &'a Command>,
) -> Vec<Sick> {
    let late =
        firings.iter().map(|firing| (firing.owed.saturating_add(OVERDUE_MS), firing.arrived));
    let lost = never.iter().map(|owed| (owed + OVERDUE_MS, Ms::MAX));
    let slow = commands.map(|command| (command.sent + SLOW_MS, command.answered()));
    let mut sick: Vec<Sick> =
        late.chain(lost).chain(slow).filter(|(from, until)| from < until).collect();
    sick.sort_unstable();
    sick
}

/// The first moment from then on from which nothing is sick for a while. What begins to be so after
/// the next fault has begun is that one's.
fn well_from(sick: &[Sick], back: Ms, next: Ms) -> Ms {
    let mut well = back;
    // In the order of their beginnings, so none has to be looked at twice.
    for (from, until) in sick {
        if *from >= well.saturating_add(WELL_MS) || *from >= next {
            break;
        }
        well = well.max(*until);
    }
    well
}

#[cfg(test)]
mod tests {
    use super::super::history::{Answer, Ask, Hurt};
    use super::*;

    fn hurt(slot: usize, began: Ms, back: Ms) -> Hurt {
        let label = "kill kafka".to_owned();
        Hurt { name: label.clone(), label, slot, began, back, ready: Some(back) }
    }

    fn healed(hurts: Vec<Hurt>, firings: Vec<Firing>, commands: Vec<Command>) -> Vec<Option<Ms>> {
        let mut history = History { hurts, ended: 200_000, ..History::default() };
        history.commands.insert("a".into(), commands);
        let mut judgement = Judgement::default();
        judgement.firings = firings;
        healings(&history, &judgement).iter().map(Healing::after_back).collect()
    }

    fn fired(owed: Ms, arrived: Ms) -> Firing {
        Firing { owed, fired: arrived, arrived }
    }

    #[test]
    fn it_takes_as_long_as_something_is_overdue_or_unanswered() {
        let faults = || vec![hurt(0, 10_000, 20_000)];
        assert_eq!(healed(faults(), vec![fired(19_000, 25_000)], vec![]), [Some(0)]);
        assert_eq!(healed(faults(), vec![fired(19_000, 26_000)], vec![]), [Some(6_000)]);
        let answer = Some((33_000, Answer::Accepted { version: 1 }));
        let slow = Command { ask: Ask::Complete, sent: 24_000, attempts: 3, answer, took: 1 };
        assert_eq!(healed(faults(), vec![fired(19_000, 26_000)], vec![slow]), [Some(13_000)]);
    }

    #[test]
    fn what_happens_long_after_is_another_matter() {
        let late = vec![fired(19_000, 26_000), fired(30_001, 90_000)];
        assert_eq!(healed(vec![hurt(0, 10_000, 20_000)], late, vec![]), [Some(6_000)]);
        let soon = vec![fired(19_000, 26_000), fired(29_999, 90_000)];
        assert_eq!(healed(vec![hurt(0, 10_000, 20_000)], soon, vec![]), [Some(70_000)]);
    }

    #[test]
    fn a_slot_is_both_of_its_faults_and_ends_where_the_next_begins() {
        let hurts = vec![hurt(0, 10_000, 20_000), hurt(0, 11_000, 24_000), hurt(1, 30_000, 31_000)];
        assert_eq!(healed(hurts, vec![fired(9_000, 29_000)], vec![]), [Some(5_000), Some(0)]);
        let hurts = vec![hurt(0, 10_000, 20_000), hurt(1, 30_000, 31_000)];
        assert_eq!(healed(hurts.clone(), vec![fired(9_000, 40_000)], vec![]), [None, Some(9_000)]);
        // Sick only since the second one.
        assert_eq!(healed(hurts, vec![fired(24_000, 40_000)], vec![]), [Some(0), Some(9_000)]);
    }

    #[test]
    fn what_never_fires_never_heals() {
        let history =
            History { hurts: vec![hurt(0, 1_000, 2_000)], ended: 90_000, ..History::default() };
        let mut judgement = Judgement::default();
        judgement.never.push(1_500);
        assert_eq!(healings(&history, &judgement)[0].well, None);
    }
}
