//! The examples of RFC 5545 §3.8.5.3, from `rfc5545.txt`.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use reminder_domain::Timestamp;
use reminder_domain::recurrence::{Clock, LocalMoment, Rule, Series};

/// How many examples the RFC has; some rules have two spellings.
const EXAMPLES: usize = 39;

/// How many occurrences are looked at beyond a list that ends.
const BEYOND: usize = 2;

#[derive(Default)]
struct Example {
    name: String,
    rules: Vec<Rule>,
    start: NaiveDateTime,
    zone: chrono_tz::Tz,
    exdates: Vec<LocalMoment>,
    expected: Vec<(NaiveDateTime, Timestamp)>,
    ends: bool,
}

#[test]
fn the_examples_of_the_rfc() {
    let examples = read(include_str!("rfc5545.txt"));
    assert_eq!(examples.len(), EXAMPLES);
    for example in &examples {
        for rule in &example.rules {
            check(example, rule);
        }
    }
}

fn check(example: &Example, rule: &Rule) {
    let clock = Clock { zone: example.zone, time_of_day: None };
    let exdates = &example.exdates;
    let series = Series { rule, start: example.start, exdates, rdates: &[], clock };
    assert_eq!(series.check(), Ok(()), "{}: {rule}", example.name);
    let count = example.expected.len() + if example.ends { BEYOND } else { 0 };
    let found = std::iter::successors(series.first(), |last| series.next(&last.cursor));
    let found: Vec<_> =
        found.take(count).map(|found| (found.cursor.local, found.resolved.at)).collect();
    assert_eq!(found, example.expected, "{}: {rule}", example.name);
    let (last, at) = *found.last().unwrap();
    let (latest, count) = series.latest(None, at).unwrap();
    assert_eq!((latest.cursor.local, count as usize), (last, found.len()), "{}", example.name);
}

fn read(text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("== ") {
            examples.push(Example { name: name.to_owned(), ..Example::default() });
            continue;
        }
        let example = examples.last_mut().unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["rule", rule] => example.rules.push(Rule::parse(rule).unwrap()),
            ["start", start, zone] => {
                example.start = start.parse().unwrap();
                example.zone = zone.parse().unwrap();
            }
            ["exdate", moment] => example.exdates.push(LocalMoment::parse(moment).unwrap()),
            ["..."] => {}
            ["end"] => example.ends = true,
            [year, abbreviation, times, ref dates @ ..] => {
                let hours = match abbreviation {
                    "EDT" => 4,
                    "EST" => 5,
                    other => panic!("{other} is no abbreviation of New York"),
                };
                for local in expand(year.parse().unwrap(), times, dates) {
                    let utc = (local + TimeDelta::hours(hours)).and_utc();
                    example.expected.push((local, Timestamp::from_datetime(&utc).unwrap()));
                }
            }
            _ => panic!("{line:?} is not understood"),
        }
    }
    examples
}

/// Every date, such as `Sep:2,4-6`, at every time.
fn expand(year: i32, times: &str, dates: &[&str]) -> Vec<NaiveDateTime> {
    let mut all = Vec::new();
    for dates in dates {
        let (month, days) = dates.split_once(':').unwrap();
        let month = month.parse::<chrono::Month>().unwrap().number_from_month();
        for days in days.split(',') {
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            for day in first.parse::<u32>().unwrap()..=last.parse().unwrap() {
                let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
                let time = |text| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
                all.extend(times.split(',').map(|text| date.and_time(time(text))));
            }
        }
    }
    all
}
