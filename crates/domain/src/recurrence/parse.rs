//! Reading a rule, and refusing what RFC 5545 §3.3.10 forbids or what we cannot promise.

use super::plan;
use super::rule::{Frequency, InvalidRule, OrdinalWeekday, Parts, Rule, Until, WEEKDAY_NAMES};
use crate::limits;
use crate::time::Timestamp;
use chrono::{NaiveDate, NaiveDateTime, Weekday};
use std::ops::RangeInclusive;

type Parsed<T> = Result<T, InvalidRule>;

fn refuse<T>(why: impl Into<String>) -> Parsed<T> {
    Err(InvalidRule(why.into()))
}

impl Rule {
    /// Parses the text of a rule, with or without `RRULE:` before it.
    pub fn parse(text: &str) -> Parsed<Self> {
        if text.chars().count() > limits::RECURRENCE_RULE_MAX_CHARS {
            return refuse(format!(
                "must have at most {} characters",
                limits::RECURRENCE_RULE_MAX_CHARS
            ));
        }
        let text = text.trim().to_ascii_uppercase();
        let parts = read(text.strip_prefix("RRULE:").unwrap_or(&text))?;
        check_limits(&parts)?;
        check_combinations(&parts)?;
        let rule = Self(parts);
        if !plan::ever_comes(&rule) {
            return refuse(
                "describes no day that ever comes, such as 30 February: change its BY parts",
            );
        }
        Ok(rule)
    }
}

/// Splits a rule into its parts and reads each.
fn read(text: &str) -> Parsed<Parts> {
    let mut given: Vec<(&str, &str)> = Vec::new();
    for part in text.split(';') {
        let Some((name, value)) = part.split_once('=') else {
            return refuse(format!(
                "is not a recurrence rule such as FREQ=WEEKLY;BYDAY=MO: {part:?} is not NAME=VALUE"
            ));
        };
        if given.iter().any(|(known, _)| *known == name) {
            return refuse(format!("has {name} twice: give it once, with a list of values"));
        }
        check_name(name)?;
        given.push((name, value));
    }
    let value = |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, v)| *v);
    let list = |name: &str, range: RangeInclusive<i16>| match value(name) {
        Some(text) => numbers(name, text, &range),
        None => Ok(Vec::new()),
    };
    Ok(Parts {
        frequency: frequency(value("FREQ"))?,
        interval: value("INTERVAL").map_or(Ok(1), |text| number("INTERVAL", text))?,
        count: value("COUNT").map(|text| number("COUNT", text)).transpose()?,
        until: value("UNTIL").map(until).transpose()?,
        months: list("BYMONTH", 1..=12)?,
        weeks: list("BYWEEKNO", -53..=53)?,
        year_days: list("BYYEARDAY", -366..=366)?,
        month_days: list("BYMONTHDAY", -31..=31)?,
        weekdays: value("BYDAY").map_or(Ok(Vec::new()), weekdays)?,
        hours: list("BYHOUR", 0..=23)?,
        minutes: list("BYMINUTE", 0..=59)?,
        seconds: list("BYSECOND", 0..=59)?,
        positions: list("BYSETPOS", -366..=366)?,
        week_start: value("WKST").map_or(Ok(Weekday::Mon), |text| weekday("WKST", text))?,
    })
}

const NAMES: [&str; 14] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "BYMONTH",
    "BYWEEKNO",
    "BYYEARDAY",
    "BYMONTHDAY",
    "BYDAY",
    "BYHOUR",
    "BYMINUTE",
    "BYSECOND",
    "BYSETPOS",
    "WKST",
];

fn check_name(name: &str) -> Parsed<()> {
    match name {
        _ if NAMES.contains(&name) => Ok(()),
        "RSCALE" | "SKIP" => refuse(format!(
            "has {name} (RFC 7529), which is not supported: rules follow the Gregorian calendar, \
             and days that do not exist are left out"
        )),
        "DTSTART" => refuse("has DTSTART: the due date is the start of the series"),
        _ => refuse(format!("has the unknown part {name:?}; known are {}", NAMES.join(", "))),
    }
}

fn frequency(text: Option<&str>) -> Parsed<Frequency> {
    let Some(text) = text else { return refuse("has no FREQ: begin with FREQ=DAILY, for example") };
    if text == "SECONDLY" {
        return refuse("has FREQ=SECONDLY: nothing may come more than once a minute");
    }
    let known = Frequency::NAMES.iter().find(|(name, _)| *name == text);
    known.map(|(_, frequency)| *frequency).ok_or_else(|| {
        InvalidRule(format!(
            "has FREQ={text}, but it must be YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY or MINUTELY"
        ))
    })
}

fn number(name: &str, text: &str) -> Parsed<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0).ok_or_else(|| {
        InvalidRule(format!("has {name}={text}, but it must be a whole number from 1 on"))
    })
}

/// Reads a list of numbers; 0 is no value where negative ones count from the end.
fn numbers(name: &str, text: &str, range: &RangeInclusive<i16>) -> Parsed<Vec<i16>> {
    let mut values = Vec::new();
    for text in text.split(',') {
        let value: Option<i16> = text.parse().ok();
        let fits = |value: &i16| range.contains(value) && (*value != 0 || *range.start() == 0);
        let Some(value) = value.filter(fits) else {
            let wanted = match *range.start() {
                ..0 => format!("from 1 to {0} or from -{0} to -1", range.end()),
                start => format!("from {start} to {}", range.end()),
            };
            return refuse(format!("has {text:?} in {name}, but its values must be {wanted}"));
        };
        values.push(value);
    }
    values.sort_unstable();
    values.dedup();
    Ok(values)
}

fn weekday(name: &str, text: &str) -> Parsed<Weekday> {
    let known = WEEKDAY_NAMES.iter().find(|(known, _)| *known == text);
    known.map(|(_, weekday)| *weekday).ok_or_else(|| {
        InvalidRule(format!(
            "has {text:?} in {name}, but a weekday is MO, TU, WE, TH, FR, SA or SU, in BYDAY with \
             a number before it if it is the n-th"
        ))
    })
}

fn weekdays(text: &str) -> Parsed<Vec<OrdinalWeekday>> {
    let mut days = Vec::new();
    for text in text.split(',') {
        let split = text.len().checked_sub(2).filter(|at| text.is_char_boundary(*at));
        let (ordinal, name) = text.split_at(split.unwrap_or(0));
        let weekday = weekday("BYDAY", name)?;
        let ordinal = match ordinal {
            "" => 0,
            // The crate takes no -53; of a year with so many it is the first one, 1.
            text => numbers("BYDAY", text, &(-52..=53))?[0],
        };
        days.push(OrdinalWeekday { ordinal, weekday });
    }
    days.sort_unstable_by_key(|day| (day.ordinal, day.weekday.num_days_from_monday()));
    days.dedup();
    Ok(days)
}

fn until(text: &str) -> Parsed<Until> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = match text.split_once('T') {
        None if text.len() == 8 && digits(text) => {
            NaiveDate::parse_from_str(text, "%Y%m%d").ok().map(Until::Date)
        }
        Some((date, time)) if date.len() == 8 && digits(date) => {
            let (time, utc) = time.strip_suffix('Z').map_or((time, false), |time| (time, true));
            let sound = time.len() == 6 && digits(time) && !time.ends_with("60");
            let text = format!("{date}{time}");
            let local = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%S").ok();
            let local = local.filter(|_| sound);
            if utc {
                local.and_then(|utc| Timestamp::from_datetime(&utc.and_utc())).map(Until::Utc)
            } else {
                local.map(Until::Local)
            }
        }
        _ => None,
    };
    parsed.ok_or_else(|| {
        InvalidRule(format!(
            "has UNTIL={text}, but it must be a date (20271231), a local time (20271231T090000) or \
             an instant from 1970 on (20271231T080000Z)"
        ))
    })
}

fn check_limits(parts: &Parts) -> Parsed<()> {
    if parts.count.is_some() && parts.until.is_some() {
        return refuse("has both COUNT and UNTIL: give one of them");
    }
    if parts.count.is_some_and(|count| count > limits::RECURRENCE_COUNT_MAX) {
        return refuse(format!("must have a COUNT of at most {}", limits::RECURRENCE_COUNT_MAX));
    }
    // What lies further ahead than we search would be the end of the series.
    let per_year = match parts.frequency {
        Frequency::Yearly => 1,
        Frequency::Monthly => 12,
        Frequency::Weekly => 52,
        Frequency::Daily => 365,
        Frequency::Hourly => 365 * 24,
        Frequency::Minutely => 365 * 24 * 60,
    };
    let most = limits::RECURRENCE_SEARCH_YEARS * per_year;
    if parts.interval > most {
        return refuse(format!(
            "must have an INTERVAL of at most {most}, which is {} years",
            limits::RECURRENCE_SEARCH_YEARS
        ));
    }
    if parts.seconds.len() > 1 {
        return refuse("has several values in BYSECOND: nothing may come more than once a minute");
    }
    Ok(())
}

/// What RFC 5545 §3.3.10 says about parts that do not go together.
fn check_combinations(parts: &Parts) -> Parsed<()> {
    use Frequency::{Daily, Monthly, Weekly, Yearly};
    let frequency = parts.frequency;
    let numbered = parts.weekdays.iter().any(|day| day.ordinal != 0);
    if numbered && !matches!(frequency, Monthly | Yearly) {
        return refuse(format!(
            "has a numbered weekday in BYDAY, which only MONTHLY and YEARLY rules may have, not \
             {frequency}"
        ));
    }
    if numbered && !parts.weeks.is_empty() {
        return refuse("has a numbered weekday in BYDAY together with BYWEEKNO: give MO, not 1MO");
    }
    if !parts.weeks.is_empty() && frequency != Yearly {
        return refuse(format!("has BYWEEKNO, which only YEARLY rules may have, not {frequency}"));
    }
    if !parts.year_days.is_empty() && matches!(frequency, Daily | Weekly | Monthly) {
        return refuse(format!("has BYYEARDAY, which {frequency} rules may not have"));
    }
    if !parts.month_days.is_empty() && frequency == Weekly {
        return refuse("has BYMONTHDAY, which WEEKLY rules may not have");
    }
    let lists = [
        &parts.months,
        &parts.weeks,
        &parts.year_days,
        &parts.month_days,
        &parts.hours,
        &parts.minutes,
        &parts.seconds,
    ];
    let alone = parts.weekdays.is_empty() && lists.iter().all(|list| list.is_empty());
    if !parts.positions.is_empty() && alone {
        return refuse("has BYSETPOS alone: it chooses among what another BY part describes");
    }
    Ok(())
}
