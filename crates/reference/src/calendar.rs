//! The calendar as the reference knows it, told as simply as possible and without the core: two changes
//! of the clocks in one zone, occurrences found by adding days, quiet hours by trying each minute.
//!
//! Instants and wall times are milliseconds after [`START`], wall times after what its text shows.

use chrono::NaiveDateTime;
use reminder_domain::Timestamp;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// When every scenario begins: the night in which Berlin's clocks go back, so that local times fall
/// into the overlap now and then. It is a Saturday evening in UTC.
pub const START: &str = "2026-10-24T22:00:00Z";

pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// Midnight of the first day after [`START`].
const MIDNIGHT: i64 = 2 * HOUR;
/// Berlin's clocks go back an hour at this instant, 2026-10-25T01:00:00Z.
const BERLIN_BACK: i64 = 3 * HOUR;
/// And forward at this one, 2027-03-28T01:00:00Z.
const BERLIN_FORWARD: i64 = 154 * DAY + 3 * HOUR;

/// As far as this calendar goes: Berlin's clocks go back again later.
pub const END: i64 = 350 * DAY;

pub fn instant(ms: i64) -> Timestamp {
    start().saturating_add_ms(ms)
}

pub fn since_start(at: Timestamp) -> i64 {
    at.millis_since(start())
}

fn start() -> Timestamp {
    static START_AT: LazyLock<Timestamp> = LazyLock::new(|| Timestamp::parse(START).unwrap());
    *START_AT
}

pub fn wall(ms: i64) -> NaiveDateTime {
    instant(ms).to_datetime().naive_utc()
}

pub fn wall_since_start(local: NaiveDateTime) -> i64 {
    since_start(Timestamp::from_datetime(&local.and_utc()).unwrap())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    Utc,
    Berlin,
    Tokyo,
}

impl Zone {
    pub fn name(self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::Berlin => "Europe/Berlin",
            Self::Tokyo => "Asia/Tokyo",
        }
    }

    /// The instant at which a clock on the wall shows this for the first time.
    pub fn at(self, wall: i64) -> i64 {
        match self {
            Self::Utc => wall,
            Self::Berlin if wall < BERLIN_BACK + 2 * HOUR => wall - 2 * HOUR,
            // In the gap as well: it is read with the offset before it.
            Self::Berlin if wall < BERLIN_FORWARD + 2 * HOUR => wall - HOUR,
            Self::Berlin => wall - 2 * HOUR,
            Self::Tokyo => wall - 9 * HOUR,
        }
    }

    /// What a clock on the wall shows.
    pub fn wall(self, at: i64) -> i64 {
        match self {
            Self::Utc => at,
            Self::Berlin if (BERLIN_BACK..BERLIN_FORWARD).contains(&at) => at + HOUR,
            Self::Berlin => at + 2 * HOUR,
            Self::Tokyo => at + 9 * HOUR,
        }
    }
}

/// The midnight before a wall time.
pub fn midnight(wall: i64) -> i64 {
    (wall - MIDNIGHT).div_euclid(DAY) * DAY + MIDNIGHT
}

/// Days after the first Sunday.
fn weekday(wall: i64) -> i64 {
    (wall - MIDNIGHT).div_euclid(DAY).rem_euclid(7)
}

/// A time as a caller gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    pub kind: TimeKind,
    /// The wall time; of an instant that of UTC, of a date its midnight.
    pub nominal: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeKind {
    Instant,
    Berlin,
    Floating,
    Date,
}

/// What a user prefers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefs {
    pub zone: Zone,
    /// After midnight, in milliseconds.
    pub default_time: i64,
    /// From and to, after midnight.
    pub quiet: Option<(i64, i64)>,
    /// The reminders of a new task.
    pub defaults: Option<Vec<Reminder>>,
    /// Since when everything of the user is paused.
    pub paused: Option<i64>,
    /// From when to when pauses were that ended with nothing to fire.
    pub skipped: Vec<(i64, i64)>,
}

impl Default for Prefs {
    fn default() -> Self {
        Self {
            zone: Zone::Utc,
            default_time: 9 * HOUR,
            quiet: None,
            defaults: None,
            paused: None,
            skipped: Vec::new(),
        }
    }
}

impl Time {
    pub fn zone(self, prefs: &Prefs) -> Zone {
        match self.kind {
            TimeKind::Instant => Zone::Utc,
            TimeKind::Berlin => Zone::Berlin,
            TimeKind::Floating | TimeKind::Date => prefs.zone,
        }
    }

    /// Its instant, moved by days of the calendar and then by exact time.
    pub fn resolve(self, prefs: &Prefs, days: i64, ms: i64) -> i64 {
        let time = if self.kind == TimeKind::Date { prefs.default_time } else { 0 };
        self.zone(prefs).at(self.nominal + time + days * DAY) + ms
    }

    pub fn json(self) -> Value {
        let text = wall(self.nominal).format("%Y-%m-%dT%H:%M:%S%.f").to_string();
        match self.kind {
            TimeKind::Instant => json!(format!("{text}Z")),
            TimeKind::Berlin => json!({"local": text, "zone": "Europe/Berlin"}),
            TimeKind::Floating => json!({"local": text}),
            TimeKind::Date => json!({"date": text[..10]}),
        }
    }
}

/// When the quiet hours end that hold at an instant, by trying each minute.
pub fn quiet_end(prefs: &Prefs, at: i64) -> Option<i64> {
    let (from, to) = prefs.quiet?;
    let is_quiet = |at: i64| {
        let wall = prefs.zone.wall(at);
        let time = wall - midnight(wall);
        if from < to { from <= time && time < to } else { time >= from || time < to }
    };
    let first = (at.div_euclid(MINUTE) + 1) * MINUTE;
    let minutes = (0..3 * 24 * 60).map(|n| first + n * MINUTE);
    is_quiet(at).then(|| minutes.into_iter().find(|at| !is_quiet(*at)).expect("an end"))
}

/// How often a task comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub every: Every,
    pub count: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// So many days.
    Days(i64),
    /// These days after Sunday.
    Weekdays(&'static [i64]),
    Hours(i64),
    Minutes(i64),
}

impl Rule {
    pub fn text(self) -> String {
        const NAMES: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
        let name = |day: &i64| NAMES[usize::try_from(*day).unwrap()];
        let every = match self.every {
            Every::Days(n) => format!("FREQ=DAILY;INTERVAL={n}"),
            Every::Weekdays(days) => {
                let days: Vec<&str> = days.iter().map(name).collect();
                format!("FREQ=WEEKLY;BYDAY={}", days.join(","))
            }
            Every::Hours(n) => format!("FREQ=HOURLY;INTERVAL={n}"),
            Every::Minutes(n) => format!("FREQ=MINUTELY;INTERVAL={n}"),
        };
        self.count.map_or(every.clone(), |count| format!("{every};COUNT={count}"))
    }

    /// Whether it keeps the time of day.
    pub fn has_days(self) -> bool {
        matches!(self.every, Every::Days(_) | Every::Weekdays(_))
    }

    /// Its occurrences from a start on, which is the first; without an end unless it counts.
    pub fn occurrences(self, start: i64) -> impl Iterator<Item = i64> {
        let step = match self.every {
            Every::Days(n) => n * DAY,
            Every::Weekdays(_) => DAY,
            Every::Hours(n) => n * HOUR,
            Every::Minutes(n) => n * MINUTE,
        };
        let fits = move |wall: &i64| match self.every {
            Every::Weekdays(days) => days.contains(&weekday(*wall)) || *wall == start,
            _ => true,
        };
        let all = (0..1_000_000).map(move |n| start + n * step).filter(fits);
        all.take(self.count.unwrap_or(usize::MAX))
    }
}

/// A reminder as a caller gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    pub id: &'static str,
    pub trigger: Trigger,
    /// Every so many minutes, at most so many times.
    pub nag: Option<(i64, u16)>,
    /// In minutes.
    pub late_limit: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    At(Time),
    /// So far after (negative: before) the due date, or the start.
    From {
        start: bool,
        days: i64,
        minutes: i64,
    },
}

impl Reminder {
    pub fn json(&self) -> Value {
        let mut json = json!({"id": self.id});
        match self.trigger {
            Trigger::At(time) => json["at"] = time.json(),
            Trigger::From { start, days, minutes } => {
                let side = if days > 0 || minutes > 0 { "after" } else { "before" };
                json[side] = json!(format!("P{}DT{}M", days.abs(), minutes.abs()));
                if start {
                    json["anchor"] = json!("start");
                }
            }
        }
        if let Some((every, max)) = self.nag {
            json["nag"] = json!({"every": format!("PT{every}M"), "max": max});
        }
        if let Some(minutes) = self.late_limit {
            json["lateLimit"] = json!(format!("PT{minutes}M"));
        }
        json
    }
}
