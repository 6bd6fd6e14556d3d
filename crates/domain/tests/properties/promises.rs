//! The promises of the core, each for itself, from whatever state a random scenario leads to.

use crate::bench::{Bench, Checked};
use crate::config;
use crate::generate::{Step, delay, prefs, reminder, scenario, some_id, spec};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use reminder_domain::command::IfPast;
use reminder_domain::decide::{decide_refresh, decide_wake};
use reminder_domain::event::{Cause, Triggered};
use reminder_domain::explain::{Verdict, explain};
use reminder_domain::preview::preview;
use reminder_domain::{Answer, Fact, ReminderId, TaskState, Turn, decide, next_wake};
use reminder_reference::calendar::{
    DAY, END, HOUR, MINUTE, Prefs, Reminder, Rule, TimeKind, Trigger, instant,
};
use reminder_reference::model::Plan;
use reminder_reference::words::{Delay, IfVersion, Kind, Request, Skip, Spec, known};
use std::collections::HashSet;

/// How many firings of a preview are compared.
const FIRINGS: usize = 12;
/// How many occurrences are asked about.
const ASKED: usize = 12;
/// Most wakes followed in one case: nags and expiries come between the firings.
const WAKES_MAX: usize = 60;

fn plainly(kind: Kind) -> Step {
    Step::Command(Request { kind, id: None, if_version: IfVersion::Any, stale: false })
}

/// The same, with an id that no scenario uses: it is meant, whatever was sent just before it. Without one
/// it may count as sent twice.
fn meant(kind: Kind) -> Step {
    let id = Some(u64::MAX);
    Step::Command(Request { kind, id, if_version: IfVersion::Any, stale: false })
}

fn put(spec: &Spec) -> Kind {
    Kind::Put(Box::new(spec.clone()), IfPast::Fire)
}

/// What fires from here on if every wake comes on time, and whether that was followed to its end.
fn future(bench: &Bench) -> Result<(Vec<Triggered>, bool), TestCaseError> {
    let mut bench = bench.clone();
    let before = bench.fired.len();
    for _ in 0..WAKES_MAX {
        let Some(at) = bench.next_wake().filter(|at| *at < END) else { break };
        bench.now = bench.now.max(at);
        bench.wake()?;
    }
    let ended = bench.next_wake().is_none();
    Ok((bench.fired.split_off(before), ended))
}

/// What of it the schedule itself says.
fn planned(fired: &[Triggered]) -> Vec<(String, i64, Option<String>)> {
    let is_planned = |fired: &&Triggered| !matches!(fired.cause, Cause::Snooze | Cause::Nag);
    let told = |fired: &Triggered| {
        let occurrence = fired.occurrence.map(|cursor| cursor.to_string());
        (fired.reminder_id.to_string(), fired.scheduled_for.as_millis(), occurrence)
    };
    fired.iter().filter(is_planned).map(told).collect()
}

/// Two futures are the same, as far as both were followed.
fn same<T: PartialEq + std::fmt::Debug>(a: &[T], b: &[T], ended: bool) -> Checked {
    let both = a.len().min(b.len());
    prop_assert_eq!(&a[..both], &b[..both]);
    prop_assert!(!ended || a.len() == b.len(), "{a:?} against {b:?}");
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    /// However late the wakes come: what fires next is later than now, and a reminder's own moments
    /// only ever grow.
    #[test]
    fn next_occurrences_strictly_increase_and_are_never_before_now(
        spec in spec(),
        prefs in prefs(),
        late in prop::collection::vec(prop_oneof![3 => Just(0), 2 => 0..2 * HOUR, 1 => 0..5 * DAY], 20),
    ) {
        let mut bench = Bench::after(&[Step::Prefer(prefs), plainly(put(&spec))])?;
        for late_ms in late {
            bench.step(&Step::PassToWake { late_ms })?;
            bench.step(&Step::Wake)?;
            prop_assert!(bench.next_wake().is_none_or(|next| next > bench.now));
        }
        let planned = planned(&bench.fired);
        for id in reminder_reference::words::IDS {
            let of: Vec<i64> =
                planned.iter().filter(|(of, ..)| of == id).map(|(_, at, _)| *at).collect();
            prop_assert!(of.is_sorted_by(|a, b| a < b), "{id}: {of:?}");
        }
    }

    /// What preview tells is what fires, if every wake comes on time: each field of it.
    #[test]
    fn preview_is_what_fires(steps in scenario(), count in 1..FIRINGS) {
        let bench = Bench::after(&steps)?;
        if let Some(state) = &bench.state {
            let previewed = preview(state, instant(bench.now), count);
            let firings: Vec<Triggered> = previewed.into_iter().map(|one| one.triggered).collect();
            prop_assert_eq!(&bench.state.as_ref(), &Some(state), "it changes nothing");
            let (mut fired, ended) = future(&bench)?;
            fired.truncate(count);
            same(&firings, &fired, ended)?;
        }
    }

    /// What is said to fire fires, occurrences that a count leaves out among those asked about.
    #[test]
    fn what_explain_calls_scheduled_fires(steps in scenario()) {
        let bench = Bench::after(&steps)?;
        let Some(live) = bench.state.as_ref().and_then(TaskState::live) else { return Ok(()) };
        let Some(task) = &bench.model.task else { return Ok(()) };
        let (fired, ended) = future(&bench)?;
        let last = fired.last().map(|fired| fired.scheduled_for);
        let endless = task.spec.rule.map(|rule| Rule { count: None, ..rule });
        let occurrences: Vec<i64> =
            endless.iter().flat_map(|rule| rule.occurrences(task.first).take(ASKED)).collect();
        for reminder in task.reminders() {
            let id = ReminderId::parse(reminder.id).unwrap();
            let nag = live.alarm(&id).and_then(|alarm| alarm.rung).and_then(|rung| rung.nag_at);
            let moments = occurrences.iter().filter_map(|at| task.moment(&reminder, Some(*at)));
            for at in moments.map(|moment| instant(moment.at)) {
                let said = explain(live, &id, at, instant(bench.now)).map(|said| said.verdict);
                // A nag may be overtaken by the next occurrence.
                let is_meant = at > instant(bench.now) && nag != Some(at);
                if !is_meant || said != Some(Verdict::Scheduled { at }) {
                    continue;
                }
                let is_it = |fired: &Triggered| {
                    fired.reminder_id == id && fired.scheduled_for == at
                };
                prop_assert!(fired.iter().any(is_it) || !ended && Some(at) >= last, "{id} {at}");
            }
        }
    }

    /// What is snoozed or acknowledged leaves every other moment of the schedule where it is.
    #[test]
    fn snooze_and_acknowledge_never_move_another_occurrence(
        steps in scenario(),
        id in some_id(),
        act in prop_oneof![delay().prop_map(Some), Just(None)],
    ) {
        let mut bench = Bench::after(&steps)?;
        let (without, ended) = future(&bench)?;
        let act = act.map_or(Kind::Acknowledge(id), |delay| Kind::Snooze(id, delay));
        bench.step(&plainly(act))?;
        let (with, ended_too) = future(&bench)?;
        same(&planned(&without), &planned(&with), ended && ended_too)?;
    }

    /// What is dismissed before it rang is one moment of one reminder.
    #[test]
    fn dismiss_moves_exactly_one(steps in scenario(), which in 0..4_usize) {
        let mut bench = Bench::after(&steps)?;
        let alarms = bench.model.task.as_ref().map(|task| task.alarms.clone()).unwrap_or_default();
        let alarm = alarms.get(which).copied();
        let Some(alarm) = alarm.filter(|alarm| alarm.rung.is_none() && alarm.snooze.is_none())
        else { return Ok(()) };
        let Plan::Waits(moment) = alarm.plan else { return Ok(()) };
        prop_assume!(moment.at > bench.now);
        let (before, ended) = future(&bench)?;
        bench.step(&meant(Kind::Dismiss(Some(alarm.id))))?;
        let (after, ended_too) = future(&bench)?;
        let at = instant(moment.at);
        let is_it = |fired: &&Triggered| {
            fired.reminder_id.as_str() == alarm.id && fired.scheduled_for == at
        };
        // Several moments may wait for the end of the quiet hours; then there is one less.
        let count = |fired: &[Triggered]| {
            let found = fired.iter().find(is_it);
            found.map_or(0, |fired| fired.coalesced + 1)
        };
        if before.iter().any(|fired| is_it(&fired)) {
            prop_assert_eq!(count(&after), count(&before) - 1);
        }
        let others = |fired: &[Triggered]| {
            let others = fired.iter().filter(|fired| !is_it(fired)).cloned();
            planned(&others.collect::<Vec<_>>())
        };
        same(&others(&before), &others(&after), ended && ended_too)?;
    }

    /// A state that was stored and loaded wakes at the same time and fires the same.
    #[test]
    fn a_loaded_state_goes_on_as_the_stored_one(steps in scenario()) {
        let mut bench = Bench::after(&steps)?;
        let Some(state) = bench.state.clone() else { return Ok(()) };
        let loaded: TaskState = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        prop_assert_eq!(next_wake(&loaded), next_wake(&state));
        let before = future(&bench)?;
        bench.state = Some(loaded);
        prop_assert_eq!(future(&bench)?, before);
    }

    /// Any command that is remembered, sent again: its answer, and nothing changes.
    #[test]
    fn a_command_replayed_changes_nothing(steps in scenario()) {
        let mut bench = Bench::new();
        let mut applied: Vec<(reminder_domain::Command, Answer)> = Vec::new();
        for step in &steps {
            bench.step(step)?;
            let (Some(last), Some(state)) = (&bench.last, &bench.state) else { continue };
            if !bench.last_is_known() {
                continue;
            }
            let answer = decide(&bench.id, Some(state), last, None, instant(bench.now));
            let Ok(Turn::Answer(answer)) = answer else {
                return Err(TestCaseError::fail(format!("the last command again: {answer:?}")));
            };
            // The same words again, meant again, are another command: its answer tells.
            if applied.last().is_none_or(|known| *known != (last.clone(), answer.clone())) {
                applied.push((last.clone(), answer));
            }
        }
        for (n, (command, answer)) in applied.iter().enumerate() {
            let is_last = n + 1 == applied.len() && bench.last_is_known();
            let is_remembered = is_last || command.id.is_some();
            let is_recent = applied.len() - n <= 60;
            if is_remembered && is_recent {
                let prefs = known(&bench.prefs);
                let (state, now) = (bench.state.as_ref(), instant(bench.now));
                let again = decide(&bench.id, state, command, Some(&prefs), now);
                prop_assert_eq!(again, Ok(Turn::Answer(answer.clone())));
            }
        }
    }

    /// Whatever is replayed, what was acknowledged does not fire again: the same put, the reminders
    /// one by one with other nags and limits, other preferences, other words, other exceptions.
    #[test]
    fn an_acknowledged_occurrence_never_fires_again(
        spec in spec(),
        first in prefs(),
        rounds in prop::collection::vec((0..7_u8, reminder(), prefs(), 0..20 * HOUR), 1..12),
    ) {
        let mut bench = Bench::after(&[
            Step::Prefer(first.clone()),
            plainly(put(&Spec { completed: false, ..spec.clone() })),
        ])?;
        let mut seen: HashSet<(String, Option<String>)> = HashSet::new();
        let mut moved = false;
        for (which, other, prefs, ms) in rounds {
            bench.step(&Step::PassToWake { late_ms: 0 })?;
            bench.step(&Step::Wake)?;
            for (id, _, occurrence) in planned(&std::mem::take(&mut bench.fired)) {
                let is_new = seen.insert((id.clone(), occurrence.clone()));
                prop_assert!(is_new, "{id} of {occurrence:?} fired again");
            }
            bench.step(&plainly(Kind::Acknowledge(None)))?;
            bench.step(&Step::Pass { ms })?;
            // Where the user moved meanwhile, and be it back, the moments of another schedule are others: only the
            // watermark holds then, and it is an instant.
            let task = bench.model.task.as_ref();
            moved |= bench.prefs.1 != first;
            let exdates = task.map(|task| task.spec.exdates.clone()).unwrap_or_default();
            if moved && exdates != spec.exdates && which != 2 {
                continue;
            }
            let step = match which {
                0 => plainly(put(&Spec { completed: false, ..spec.clone() })),
                1 => plainly(put(&Spec { completed: false, title: spec.title + 1, ..spec.clone() })),
                2 => Step::Prefer(prefs),
                3 => Step::Refresh,
                4 => {
                    // Another nag and another late limit, at the same moments.
                    let task = bench.model.task.as_ref();
                    let Some(known) = task.and_then(|task| task.reminder(other.id)) else { continue };
                    let trigger = known.trigger;
                    plainly(Kind::PutReminder(Reminder { trigger, ..other }, IfPast::Fire))
                }
                5 => {
                    // The same moments by another schedule: an occurrence far ahead is taken out.
                    let task = bench.model.task.as_ref().filter(|_| !moved);
                    let ahead = task.and_then(|task| task.meant(Skip::Ahead(40)));
                    let Some(ahead) = ahead else { continue };
                    let exdates = [spec.exdates.clone(), vec![ahead]].concat();
                    plainly(put(&Spec { completed: false, exdates, ..spec.clone() }))
                }
                _ => Step::Repeat,
            };
            bench.step(&step)?;
        }
    }

    /// A user who goes elsewhere: floating times and dates are at the same wall time there, and
    /// nothing else moves.
    #[test]
    fn a_change_of_zone_moves_floating_times_and_dates_only(
        steps in scenario(),
        to in prefs(),
    ) {
        let mut bench = Bench::after(&steps)?;
        // What the user said before, such as a resumption, is another matter.
        bench.step(&Step::Refresh)?;
        let Some(task) = bench.model.task.clone() else { return Ok(()) };
        let from = task.prefs.1.clone();
        let to = Prefs { zone: to.zone, ..from.clone() };
        bench.step(&Step::Prefer(to.clone()))?;
        let known = known(&bench.prefs);
        let before = bench.state.clone().unwrap();
        let turn = decide_refresh(&before, Some(&known), instant(bench.now));
        let Turn::Commit(change) = turn else {
            return Err(TestCaseError::fail("it must be noted"));
        };
        let (old, new) = (before.live().unwrap(), change.state.live().unwrap());
        prop_assert_eq!(&old.task, &new.task);
        prop_assert_eq!(&old.history, &new.history);
        for (was, is) in old.alarms.iter().zip(&new.alarms) {
            prop_assert_eq!((&was.rung, &was.snooze), (&is.rung, &is.snooze));
            prop_assert_eq!(was.acknowledged, is.acknowledged);
            let (Some(a), Some(b)) = (was.plan.scheduled(), is.plan.scheduled()) else {
                prop_assert_eq!(&was.plan, &is.plan);
                continue;
            };
            prop_assert_eq!(a.occurrence, b.occurrence);
            let reminder = task.reminder(was.reminder_id.as_str()).unwrap();
            let (kind, exact) = match reminder.trigger {
                Trigger::At(time) => (time.kind, 0),
                Trigger::From { minutes, .. } => (task.spec.due.unwrap().kind, minutes * MINUTE),
            };
            let at = |moment: &reminder_domain::alarm::Moment| {
                reminder_reference::calendar::since_start(moment.nominal()) - exact
            };
            match kind {
                TimeKind::Instant | TimeKind::Berlin => prop_assert_eq!(at(a), at(b)),
                TimeKind::Floating | TimeKind::Date => {
                    prop_assert_eq!(from.zone.wall(at(a)), to.zone.wall(at(b)));
                }
            }
        }
    }

    /// Nothing fires before its time, and the second of two wakes at once finds nothing.
    #[test]
    fn any_wake_may_come_at_any_time(steps in scenario(), at in prop::collection::vec(0..3 * DAY, 1..8)) {
        let bench = Bench::after(&steps)?;
        let Some(mut state) = bench.state else { return Ok(()) };
        let mut now = bench.now;
        for ms in at {
            now += ms;
            let turn = decide_wake(&state, instant(now));
            let Turn::Commit(change) = turn else { continue };
            for event in &change.events {
                if let Fact::ReminderTriggered(fired) = &event.fact {
                    prop_assert!(fired.scheduled_for <= instant(now));
                }
            }
            prop_assert!(matches!(decide_wake(&change.state, instant(now)), Turn::Answer(_)));
            state = change.state;
        }
    }

    /// A snooze replaces the one before it, and ends when it says.
    #[test]
    fn a_snooze_again_replaces_the_first(steps in scenario(), a in 1..500_i64, b in 1..500_i64) {
        let mut bench = Bench::after(&steps)?;
        let snooze = |minutes| plainly(Kind::Snooze(None, Delay::Minutes(minutes)));
        let rang: Vec<&str> = bench.model.task.iter().flat_map(|task| &task.alarms)
            .filter(|alarm| alarm.rung.is_some() || alarm.snooze.is_some())
            .map(|alarm| alarm.id)
            .collect();
        bench.step(&snooze(a))?;
        bench.step(&snooze(b))?;
        let Some(task) = bench.model.task.as_ref().filter(|task| task.is_open()) else { return Ok(()) };
        let until = bench.now + b * MINUTE;
        let live = bench.state.as_ref().and_then(TaskState::live).unwrap();
        for alarm in &task.alarms {
            let id = reminder_domain::ReminderId::parse(alarm.id).unwrap();
            let snooze = live.alarm(&id).unwrap().snooze.map(|snooze| snooze.until);
            prop_assert_eq!(snooze, rang.contains(&alarm.id).then(|| instant(until)));
        }
    }
}
