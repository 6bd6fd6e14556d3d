//! What is refused, and that the reason tells what to do.

use reminder_domain::recurrence::{Frequency, Rule, Until};

#[track_caller]
fn refused(text: &str, because: &str) {
    let error = Rule::parse(text).expect_err(text).to_string();
    assert!(error.contains(because), "{text}: {error}");
}

#[test]
fn what_is_no_rule_is_told() {
    refused("", "is not a recurrence rule");
    refused("weekly", "is not NAME=VALUE");
    refused("FREQ=DAILY;", "is not NAME=VALUE");
    refused("INTERVAL=2", "has no FREQ");
    refused("FREQ=FORTNIGHTLY", "must be YEARLY");
    refused("FREQ=DAILY;FREQ=DAILY", "twice");
    refused("FREQ=DAILY;BYEASTER=0", "unknown part");
    refused("FREQ=DAILY;DTSTART=20270101", "due date");
    refused("RSCALE=CHINESE;FREQ=YEARLY", "RFC 7529");
    refused("FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD", "RFC 7529");
    refused(&format!("FREQ=DAILY;BYHOUR={}", "1,".repeat(600)), "characters");
}

#[test]
fn what_is_too_often_or_too_much_is_refused() {
    refused("FREQ=SECONDLY;INTERVAL=60", "once a minute");
    refused("FREQ=DAILY;BYSECOND=0,30", "once a minute");
    refused("FREQ=DAILY;COUNT=5;UNTIL=20270101", "both COUNT and UNTIL");
    refused("FREQ=DAILY;COUNT=10001", "at most 10000");
    refused("FREQ=DAILY;COUNT=0", "from 1 on");
    refused("FREQ=DAILY;INTERVAL=0", "from 1 on");
    refused("FREQ=DAILY;INTERVAL=-1", "from 1 on");
    refused("FREQ=YEARLY;INTERVAL=21", "20 years");
    refused("FREQ=DAILY;INTERVAL=99999999999", "from 1 on");
}

#[test]
fn values_out_of_range_are_refused() {
    for part in [
        "BYMONTH=13",
        "BYMONTH=0",
        "BYMONTH=-1",
        "BYMONTHDAY=32",
        "BYMONTHDAY=0",
        "BYYEARDAY=367",
        "BYWEEKNO=54",
        "BYHOUR=24",
        "BYMINUTE=60",
        "BYSECOND=60",
        "BYSETPOS=0;BYMONTH=1",
        "BYDAY=54MO",
        "BYDAY=0MO",
        "BYHOUR=",
        "BYHOUR=1,,2",
        "BYDAY=XX",
        "BYDAY=",
        "WKST=1MO",
    ] {
        let name = part.split('=').next().unwrap();
        refused(&format!("FREQ=YEARLY;{part}"), name);
    }
    for until in
        ["2027", "20270230", "20270101T", "20270101T2400", "20270101T235960", "19691231T000000Z"]
    {
        refused(&format!("FREQ=DAILY;UNTIL={until}"), "UNTIL");
    }
}

#[test]
fn parts_that_do_not_go_together_are_refused() {
    refused("FREQ=WEEKLY;BYDAY=1MO", "numbered weekday");
    refused("FREQ=DAILY;BYDAY=-1MO", "numbered weekday");
    refused("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", "BYWEEKNO");
    refused("FREQ=MONTHLY;BYWEEKNO=1", "only YEARLY");
    refused("FREQ=DAILY;BYYEARDAY=1", "BYYEARDAY");
    refused("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY");
    refused("FREQ=MONTHLY;BYSETPOS=1", "alone");
}

#[test]
fn what_never_comes_is_refused() {
    refused("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "ever comes");
    refused("FREQ=MINUTELY;BYMONTH=4,6;BYMONTHDAY=31", "ever comes");
    refused("FREQ=YEARLY;BYWEEKNO=30;BYMONTH=1", "ever comes");
    refused("FREQ=MONTHLY;BYDAY=6MO", "ever comes");
    refused("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", "ever comes");
    refused("FREQ=MINUTELY;BYHOUR=1;BYSETPOS=2", "ever comes");
    // Seldom is not never.
    for text in
        ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=12"]
    {
        assert!(Rule::parse(text).is_ok(), "{text}");
    }
    // Only a start on one of its days has this one.
    assert!(Rule::parse("FREQ=YEARLY;BYWEEKNO=1;BYMONTH=12").is_ok());
}

#[test]
fn equal_rules_have_equal_texts() {
    let rule = Rule::parse(
        " rrule:byday=fr,MO,1tu,mo;until=20271231t080000z;INTERVAL=1;freq=monthly;wkst=mo",
    )
    .unwrap();
    assert_eq!(rule.to_string(), "FREQ=MONTHLY;UNTIL=20271231T080000Z;BYDAY=MO,FR,1TU");
    assert_eq!(rule.frequency(), Frequency::Monthly);
    assert!(matches!(rule.until(), Some(Until::Utc(_))) && rule.count().is_none());
    assert!(!rule.has_time_parts());
    assert!(Rule::parse("FREQ=DAILY;BYHOUR=1").unwrap().has_time_parts());
    assert!(Rule::parse("FREQ=HOURLY").unwrap().has_time_parts());
}
