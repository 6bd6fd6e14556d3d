//! What holds for every series.

use crate::config;
use crate::generate::{rule, series, text, zone_and_start};
use chrono::{NaiveDateTime, TimeDelta};
use proptest::prelude::*;
use reminder_domain::limits::COALESCED_COUNT_MAX;
use reminder_domain::recurrence::{Clock, Cursor, LocalMoment, Occurrence, Rule, Series};
use reminder_domain::time::{Adjustment, resolve};

/// How many occurrences of a series are looked at.
const TAKEN: usize = 60;

/// The first occurrences, each found from the one before by its cursor alone.
fn taken(series: &Series<'_>, count: usize) -> Vec<Occurrence> {
    let next = |last: &Occurrence| series.next(&last.cursor);
    std::iter::successors(series.first(), next).take(count).collect()
}

fn wall(series: &Series<'_>, local: NaiveDateTime) -> NaiveDateTime {
    series.clock.time_of_day.map_or(local, |time| local.date().and_time(time))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn occurrences_ascend_in_local_time_and_as_instants(owned in series()) {
        let series = owned.series();
        let found = taken(&series, TAKEN);
        for pair in found.windows(2) {
            prop_assert!(pair[0].cursor.local < pair[1].cursor.local, "{pair:?}");
            prop_assert!(pair[0].resolved.at < pair[1].resolved.at, "{pair:?}");
        }
        for one in &found {
            let expected = resolve(wall(&series, one.cursor.local), series.clock.zone);
            prop_assert_eq!(expected, Some(one.resolved));
        }
        if let Some(count) = series.rule.count() {
            prop_assert!(found.iter().all(|one| one.cursor.number <= count));
        }
    }

    /// A moment between two occurrences leads to the second as the first does. (A rule that counts
    /// needs the number of a real one.)
    #[test]
    fn any_moment_leads_to_what_follows_it(owned in series(), at in 0..TAKEN, late in 1..100_i64) {
        let series = owned.series();
        // A moment in between may lie behind an exception, which counts: its number is not known.
        prop_assume!(series.rule.count().is_none());
        let found = taken(&series, TAKEN);
        let Some(pair) = found.windows(2).nth(at % found.len().max(2)) else { return Ok(()) };
        let gap = pair[1].cursor.local - pair[0].cursor.local;
        let local = pair[0].cursor.local + gap * i32::try_from(late).unwrap() / 101;
        let cursor = Cursor { local, ..pair[0].cursor };
        let near = resolve(wall(&series, local), series.clock.zone).unwrap();
        // What lies in a gap is after some of what follows it.
        prop_assume!(near.adjustment != Adjustment::Gap && near.at < pair[1].resolved.at);
        // And what a gap has dropped lies between its neighbours.
        prop_assert_eq!(series.next(&cursor), Some(pair[1]), "from {}", local);
    }

    /// What is dropped is dropped for something: every moment of the rule that does not occur lies
    /// in a gap, with an occurrence at its instant or earlier behind it.
    #[test]
    fn only_what_a_gap_reverses_is_dropped((zone, start) in zone_and_start(), step in 1..100_u32) {
        let step = step * 5;
        let rule = Rule::parse(&format!("FREQ=MINUTELY;INTERVAL={step}")).unwrap();
        let clock = Clock { zone, time_of_day: None };
        let series = Series { rule: &rule, start, exdates: &[], rdates: &[], clock };
        let found = taken(&series, TAKEN * 5);
        let end = found.last().unwrap().cursor.local;
        let plain = std::iter::successors(Some(start), |last| Some(*last + TimeDelta::minutes(step.into())));
        let plain: Vec<_> = plain.take(TAKEN * 12).collect();
        let instants: Vec<_> = plain.iter().map(|local| resolve(*local, zone).unwrap()).collect();
        let mut wanted = Vec::new();
        for (index, local) in plain.iter().enumerate().take_while(|(_, local)| **local <= end) {
            let later = instants[index + 1..].iter();
            if later.map(|later| later.at).min().is_none_or(|later| later > instants[index].at) {
                wanted.push(*local);
            } else {
                prop_assert_eq!(instants[index].adjustment, Adjustment::Gap);
            }
        }
        let found: Vec<_> = found.iter().map(|one| one.cursor.local).collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn the_latest_is_where_iterating_ends(owned in series(), from in 0..TAKEN, to in 0..TAKEN, late in 0..100_i64) {
        let series = owned.series();
        let found = taken(&series, TAKEN);
        prop_assume!(!found.is_empty());
        let to = to % found.len();
        let until = found[to].resolved.at.saturating_add_ms(late * 600_000);
        let (after, rest) = match from % (to + 1) {
            0 => (None, &found[..]),
            from => (Some(&found[from - 1].cursor), &found[from..]),
        };
        let due: Vec<_> = rest.iter().filter(|one| one.resolved.at <= until).collect();
        prop_assume!(due.len() < rest.len() || found.len() < TAKEN);
        let expected = due.last().map(|last| (**last, u32::try_from(due.len()).unwrap()));
        prop_assert_eq!(series.latest(after, until), expected);
    }

    /// Where the count is full, the latest is found by a jump: it agrees with a search that begins
    /// so late that it needs none.
    #[test]
    fn a_jump_ends_where_steps_do((zone, start) in zone_and_start(), text in prop::sample::select(&[
        "FREQ=MINUTELY", "FREQ=MINUTELY;INTERVAL=7", "FREQ=HOURLY;BYMINUTE=0,10,30",
        "FREQ=DAILY;BYHOUR=0,1,2,3,23;BYMINUTE=0,15,30,45", "FREQ=HOURLY;INTERVAL=5",
    ]), minutes in -200..200_i64) {
        let rule = Rule::parse(text).unwrap();
        let clock = Clock { zone, time_of_day: None };
        let exdates = [LocalMoment::Date(start.date() - TimeDelta::days(1))];
        let old = start - TimeDelta::days(700);
        let series = Series { rule: &rule, start: old, exdates: &exdates, rdates: &[], clock };
        let until = resolve(start, zone).unwrap().at.saturating_add_ms(minutes * 60_000);
        let (last, count) = series.latest(None, until).unwrap();
        prop_assert_eq!(count, COALESCED_COUNT_MAX);
        let near = Cursor { local: start - TimeDelta::hours(56), number: 0 };
        let steps = std::iter::successors(series.next(&near), |last| series.next(&last.cursor));
        let expected = steps.take(6000).take_while(|one| one.resolved.at <= until).last();
        prop_assert_eq!(Some(last), expected, "until {}", until);
    }

    #[test]
    fn rules_survive_writing(rule in rule()) {
        let text = rule.to_string();
        prop_assert_eq!(Rule::parse(&text), Ok(rule.clone()));
        let json = serde_json::to_string(&rule).unwrap();
        prop_assert_eq!(serde_json::from_str::<Rule>(&json).unwrap(), rule.clone());
        let loose = format!("rrule:{}", text.to_lowercase());
        prop_assert_eq!(Rule::parse(&loose), Ok(rule));
    }

    /// Days and times of a daily rule are those of the calendar, whatever the zone does.
    #[test]
    fn the_wall_time_stays_the_same((zone, start) in zone_and_start()) {
        let rule = Rule::parse("FREQ=DAILY").unwrap();
        let clock = Clock { zone, time_of_day: None };
        let series = Series { rule: &rule, start, exdates: &[], rdates: &[], clock };
        for one in taken(&series, 10) {
            prop_assert_eq!(one.cursor.local.time(), start.time());
            if one.resolved.adjustment != Adjustment::Gap {
                let shown = one.resolved.at.to_datetime().with_timezone(&zone).naive_local();
                prop_assert_eq!(shown, one.cursor.local);
            }
        }
    }

    /// No text makes the parser panic, and what it accepts can be used.
    #[test]
    fn the_parser_refuses_and_does_not_panic(
        any in any::<String>(), near in "(RRULE:)?FREQ=[A-Z]{0,8}(;[A-Z]{0,10}=[-+0-9A-Z,ÄT]{0,12}){0,5}", good in text(),
    ) {
        for text in [any, near, good] {
            if let Ok(rule) = Rule::parse(&text) {
                prop_assert_eq!(Rule::parse(&rule.to_string()), Ok(rule));
            }
            let _ = LocalMoment::parse(&text);
            let _ = serde_json::from_value::<Cursor>(text.into());
        }
    }
}
