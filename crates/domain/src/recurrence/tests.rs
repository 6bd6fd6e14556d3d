//! What a series yields, case by case.

use super::*;
use crate::time::{Adjustment, Timestamp};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

fn local(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").unwrap()
}

fn rule(text: &str) -> Rule {
    Rule::parse(text).unwrap()
}

fn moments(texts: &[&str]) -> Vec<LocalMoment> {
    texts.iter().map(|text| LocalMoment::parse(text).unwrap()).collect()
}

fn berlin<'a>(rule: &'a Rule, start: &str) -> Series<'a> {
    let clock = Clock { zone: Tz::Europe__Berlin, time_of_day: None };
    Series { rule, start: local(start), exdates: &[], rdates: &[], clock }
}

/// The first occurrences, each found from the one before by its cursor alone.
fn taken(series: &Series<'_>, count: usize) -> Vec<Occurrence> {
    let next = |last: &Occurrence| series.next(&last.cursor);
    std::iter::successors(series.first(), next).take(count).collect()
}

fn locals(series: &Series<'_>, count: usize) -> Vec<String> {
    let text = |occurrence: &Occurrence| occurrence.cursor.local.format("%m-%dT%H:%M").to_string();
    taken(series, count).iter().map(text).collect()
}

fn instants(series: &Series<'_>, count: usize) -> Vec<String> {
    let text = |occurrence: &Occurrence| occurrence.resolved.at.to_string()[5..16].to_owned();
    taken(series, count).iter().map(text).collect()
}

#[test]
fn the_start_counts_even_if_it_does_not_fit() {
    let rule = rule("FREQ=WEEKLY;BYDAY=MO;COUNT=3");
    // The first of January 2027 is a Friday.
    let series = berlin(&rule, "2027-01-01T09:00:00");
    assert_eq!(locals(&series, 9), ["01-01T09:00", "01-04T09:00", "01-11T09:00"]);
}

#[test]
fn count_is_before_exdates_and_without_rdates() {
    let rule = rule("FREQ=DAILY;COUNT=4");
    let (exdates, rdates) = (moments(&["2027-01-01"]), moments(&["2027-01-02T12:00:00"]));
    let series =
        Series { exdates: &exdates, rdates: &rdates, ..berlin(&rule, "2027-01-01T09:00:00") };
    let expected = ["01-02T09:00", "01-02T12:00", "01-03T09:00", "01-04T09:00"];
    assert_eq!(locals(&series, 9), expected);
    let numbers: Vec<u32> = taken(&series, 9).iter().map(|o| o.cursor.number).collect();
    assert_eq!(numbers, [2, 2, 3, 4]);
}

#[test]
fn an_exdate_wins_over_an_rdate_and_an_rdate_has_the_series_time() {
    let rule = rule("FREQ=MONTHLY");
    let exdates = moments(&["2027-01-10T09:00:00", "2027-01-12T08:00:00"]);
    let rdates = moments(&["2027-01-10", "2027-01-12", "2026-01-01", "2027-01-12"]);
    let series =
        Series { exdates: &exdates, rdates: &rdates, ..berlin(&rule, "2027-01-01T09:00:00") };
    assert_eq!(locals(&series, 3), ["01-01T09:00", "01-12T09:00", "02-01T09:00"]);
}

#[test]
fn days_that_do_not_exist_are_left_out() {
    let monthly = rule("FREQ=MONTHLY");
    let series = berlin(&monthly, "2027-01-31T09:00:00");
    assert_eq!(locals(&series, 3), ["01-31T09:00", "03-31T09:00", "05-31T09:00"]);
    let yearly = rule("FREQ=YEARLY");
    let series = berlin(&yearly, "2024-02-29T09:00:00");
    let years: Vec<_> = taken(&series, 3).iter().map(|o| o.cursor.local.to_string()).collect();
    assert_eq!(years, ["2024-02-29 09:00:00", "2028-02-29 09:00:00", "2032-02-29 09:00:00"]);
}

#[test]
fn the_wall_time_stays_when_clocks_change() {
    let rule = rule("FREQ=DAILY");
    let series = berlin(&rule, "2026-03-28T09:00:00");
    assert_eq!(instants(&series, 2), ["03-28T08:00", "03-29T07:00"]);
}

#[test]
fn a_time_in_a_gap_moves_on_and_one_in_an_overlap_comes_once() {
    let rule = rule("FREQ=DAILY");
    let series = berlin(&rule, "2026-03-28T02:30:00");
    assert_eq!(instants(&series, 3), ["03-28T01:30", "03-29T01:30", "03-30T00:30"]);
    let series = berlin(&rule, "2026-10-24T02:30:00");
    assert_eq!(instants(&series, 3), ["10-24T00:30", "10-25T00:30", "10-26T01:30"]);
    assert_eq!(taken(&series, 2)[1].resolved.adjustment, Adjustment::Overlap);
}

#[test]
fn what_a_gap_moves_onto_or_past_another_is_dropped() {
    // On this day 02:00 is 03:00; the gap's 02:30 would come after the real 03:00.
    let half_hours = rule("FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,30");
    let series = berlin(&half_hours, "2026-03-29T01:00:00");
    let expected = ["03-29T01:00", "03-29T01:30", "03-29T03:00", "03-29T03:30", "03-30T01:00"];
    assert_eq!(locals(&series, 5), expected);
    // Nothing is in the way of these.
    let twice = rule("FREQ=DAILY;BYHOUR=2;BYMINUTE=0,30");
    let series = berlin(&twice, "2026-03-29T02:00:00");
    assert_eq!(instants(&series, 3), ["03-29T01:00", "03-29T01:30", "03-30T00:00"]);
    // The gap's 02:30 is dropped, for it would come after the real 03:15.
    let mixed = rule("FREQ=DAILY;BYHOUR=2;BYMINUTE=0,30");
    let rdates = moments(&["2026-03-29T03:15:00"]);
    let series = Series { rdates: &rdates, ..berlin(&mixed, "2026-03-29T02:00:00") };
    assert_eq!(instants(&series, 3), ["03-29T01:00", "03-29T01:15", "03-30T00:00"]);
}

#[test]
fn two_dates_that_a_skipped_day_makes_one_come_once() {
    // Samoa had no 30 December 2011.
    let rule = rule("FREQ=DAILY");
    let nine = NaiveTime::from_hms_opt(9, 0, 0);
    let clock = Clock { zone: Tz::Pacific__Apia, time_of_day: nine };
    let series = Series { clock, ..berlin(&rule, "2011-12-29T00:00:00") };
    assert_eq!(locals(&series, 3), ["12-29T00:00", "12-31T00:00", "01-01T00:00"]);
    assert_eq!(instants(&series, 3), ["12-29T19:00", "12-30T19:00", "12-31T19:00"]);
}

#[test]
fn a_series_of_dates_runs_over_midnights() {
    let rule = rule("FREQ=DAILY;UNTIL=20260330");
    let nine = NaiveTime::from_hms_opt(9, 0, 0);
    let exdates = moments(&["2026-03-28T10:00:00"]);
    let series = Series {
        clock: Clock { zone: Tz::Europe__Berlin, time_of_day: nine },
        exdates: &exdates,
        ..berlin(&rule, "2026-03-27T00:00:00")
    };
    assert_eq!(locals(&series, 9), ["03-27T00:00", "03-29T00:00", "03-30T00:00"]);
    assert_eq!(instants(&series, 9), ["03-27T08:00", "03-29T07:00", "03-30T07:00"]);
}

#[test]
fn until_includes_its_moment_in_each_form() {
    for (until, count) in [
        ("20270103T090000", 3),
        ("20270103T085959", 2),
        ("20270103T080000Z", 3),
        ("20270103T075959Z", 2),
        ("20270103", 3),
        ("20270102", 2),
    ] {
        let rule = rule(&format!("FREQ=DAILY;UNTIL={until}"));
        let series = berlin(&rule, "2027-01-01T09:00:00");
        assert_eq!(taken(&series, 9).len(), count, "{until}");
    }
}

#[test]
fn periods_keep_their_interval_from_the_start_on() {
    let rule = rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU");
    let series = berlin(&rule, "2027-01-05T09:00:00");
    // A cursor far on, and one that is no occurrence.
    let cursor = Cursor { local: local("2031-01-05T12:00:00"), number: 0 };
    let next = series.next(&cursor).unwrap().cursor.local;
    let weeks = (next.date() - NaiveDate::from_ymd_opt(2027, 1, 3).unwrap()).num_days() / 7;
    assert_eq!((weeks % 2, next > cursor.local), (0, true), "{next}");
}

#[test]
fn hours_step_across_days() {
    let rule = rule("FREQ=HOURLY;INTERVAL=7;BYMINUTE=5,50;BYSETPOS=-1");
    let series = berlin(&rule, "2027-01-01T20:10:00");
    assert_eq!(locals(&series, 4), ["01-01T20:10", "01-01T20:50", "01-02T03:50", "01-02T10:50"]);
}

#[test]
fn the_latest_is_found_and_counted() {
    let rule = rule("FREQ=DAILY");
    let series = berlin(&rule, "2027-01-01T09:00:00");
    let until = Timestamp::parse("2027-01-10T08:00:00Z").unwrap();
    let (last, count) = series.latest(None, until).unwrap();
    assert_eq!((last.cursor.local, count), (local("2027-01-10T09:00:00"), 10));
    let (last, count) = series.latest(Some(&taken(&series, 3)[2].cursor), until).unwrap();
    assert_eq!((last.cursor.local, count), (local("2027-01-10T09:00:00"), 7));
    assert_eq!(series.latest(Some(&last.cursor), until), None);
    assert_eq!(series.latest(None, until.saturating_add_ms(-11 * 86_400_000)), None);
}

#[test]
fn the_latest_of_many_is_found_without_passing_all() {
    let rule = rule("FREQ=MINUTELY");
    let series = berlin(&rule, "1990-01-01T09:00:00");
    for (until, wanted) in [
        ("2026-07-01T09:00:30Z", "2026-07-01T11:00:00"),
        // In the second pass of an overlap, and just behind a gap.
        ("2026-10-25T01:10:00Z", "2026-10-25T02:59:00"),
        ("2026-03-29T01:00:00Z", "2026-03-29T03:00:00"),
    ] {
        let (last, count) = series.latest(None, Timestamp::parse(until).unwrap()).unwrap();
        assert_eq!((last.cursor.local, count), (local(wanted), 1000), "{until}");
    }
}

#[test]
fn a_series_that_cannot_be_is_told() {
    let check = |text: &str, start: &str| berlin(&rule(text), start).check();
    assert_eq!(check("FREQ=DAILY", "2027-01-01T09:00:00"), Ok(()));
    let error = |text: &str, start: &str| check(text, start).unwrap_err().to_string();
    let never = error("FREQ=YEARLY;BYMONTH=2", "2027-01-30T09:00:00");
    assert!(never.contains("does not come"), "{never}");
    let odd = error("FREQ=MINUTELY;INTERVAL=2;BYMINUTE=1", "2027-01-30T09:00:00");
    assert!(odd.contains("does not come"), "{odd}");
    let until = error("FREQ=DAILY;UNTIL=20260101", "2027-01-30T09:00:00");
    assert!(until.contains("before the start"), "{until}");
    let once = rule("FREQ=DAILY;COUNT=1");
    let exdates = moments(&["2027-01-01"]);
    let none = Series { exdates: &exdates, ..berlin(&once, "2027-01-01T09:00:00") };
    assert_eq!(none.first(), None);
    assert!(none.check_rest().unwrap_err().to_string().contains("exdates"));
    assert_eq!(none.check(), Ok(()));
    let hourly = rule("FREQ=HOURLY");
    let clock = Clock { zone: Tz::UTC, time_of_day: Some(NaiveTime::MIN) };
    let dates = Series { clock, ..berlin(&hourly, "2027-01-01T00:00:00") };
    assert!(dates.check().unwrap_err().to_string().contains("is a date"));
}
