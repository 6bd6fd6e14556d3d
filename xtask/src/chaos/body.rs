//! What a `put` says, in words of the API, and when its reminders are due as the ledger works it out.

use std::collections::BTreeSet;

use chrono::{DateTime, Offset, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::history::{Ask, Ms, Planned};
use super::script::Draft;

/// The reminder of a task that names none.
pub(super) const DEFAULT_REMINDER: &str = "due";

/// The occurrence after the last one that a run is interested in.
const NEVER: Ms = Ms::MAX;

/// The rule of recurring tasks: what comes sooner is said by its dates.
const RULE: &str = "FREQ=YEARLY";

/// How a wall time is written.
const WALL: &str = "%Y-%m-%dT%H:%M:%S%.3f";

/// A `put` about to be sent.
#[derive(Debug, Clone)]
pub(super) struct Putting {
    pub(super) due: Ms,
    title: String,
    draft: Draft,
}

impl Putting {
    /// One that leaves the due date as it is is otherwise the same as before, too.
    pub(super) fn new(draft: &Draft, title: String, now: Ms, before: Option<&Self>) -> Self {
        match (draft.due_in, before) {
            (None, Some(before)) => Self { title, ..before.clone() },
            (due_in, _) => {
                Self { due: now + due_in.unwrap_or_default(), title, draft: draft.clone() }
            }
        }
    }

    /// What it means.
    pub(super) fn ask(&self) -> Ask {
        Ask::Put { title: self.title.clone(), reminders: self.planned() }
    }

    /// What is to be seen to fire.
    pub(super) fn awaited(&self) -> BTreeSet<(String, Ms)> {
        let each = |planned: Planned| {
            let moments = planned.moments.into_iter().filter(|at| *at != NEVER);
            moments.map(move |at| (planned.id.clone(), at))
        };
        self.planned().into_iter().flat_map(each).collect()
    }

    /// Whether the task comes again when it is completed.
    pub(super) fn recurs(&self) -> bool {
        !self.draft.recurs.is_empty()
    }

    fn planned(&self) -> Vec<Planned> {
        if !self.draft.before.is_empty() {
            let each = self.draft.before.iter();
            let planned = |before: &i64| Planned {
                id: format!("before-{before}"),
                moments: vec![self.due - before * 1_000],
            };
            return each.map(planned).collect();
        }
        let mut moments = vec![self.due];
        if !self.draft.recurs.is_empty() {
            moments.extend(self.draft.recurs.iter().map(|after| self.due + after));
            moments.push(NEVER);
        }
        vec![Planned { id: DEFAULT_REMINDER.to_owned(), moments }]
    }

    /// What is sent.
    pub(super) fn body(&self, command_id: &str) -> Value {
        let zone = self.draft.zone.and_then(|zone| zone.parse::<Tz>().ok());
        // Where a wall time could mean two moments, the instant is said.
        let zone = zone.filter(|zone| is_plain(*zone, self.due));
        let due = zone.map_or_else(
            || json!(rfc3339(self.due)),
            |zone| json!({ "local": wall(zone, self.due), "zone": zone.name() }),
        );
        let mut task = json!({ "title": self.title, "dueDate": due });
        if self.draft.user {
            task["userId"] = json!("chaos@example.org");
        }
        if !self.draft.before.is_empty() {
            let reminder = |before: &i64| json!({ "id": format!("before-{before}"), "before": format!("PT{before}S") });
            task["reminders"] = self.draft.before.iter().map(reminder).collect();
        }
        if !self.draft.recurs.is_empty() {
            let date = |after: &i64| wall(zone.unwrap_or(Tz::UTC), self.due + after);
            let dates: Vec<String> = self.draft.recurs.iter().map(date).collect();
            task["recurrence"] = json!({ "rule": RULE, "rdates": dates });
        }
        json!({ "commandId": command_id, "task": task })
    }
}

/// The body of a `snooze`.
pub(super) fn snooze(command_id: &str, reminder: &str, until: Ms) -> Value {
    json!({ "commandId": command_id, "reminderId": reminder, "until": rfc3339(until) })
}

fn time(at: Ms) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at).unwrap_or_default()
}

/// A moment as the API reads it.
pub(super) fn rfc3339(at: Ms) -> String {
    time(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn wall(zone: Tz, at: Ms) -> String {
    time(at).with_timezone(&zone).format(WALL).to_string()
}

/// Whether the clocks there are left alone around that moment.
fn is_plain(zone: Tz, at: Ms) -> bool {
    const AROUND_MS: Ms = 3 * 3_600_000;
    let offset = |at| time(at).with_timezone(&zone).offset().fix();
    offset(at - AROUND_MS) == offset(at + AROUND_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(before: Vec<i64>, recurs: Vec<i64>, zone: Option<&'static str>) -> Draft {
        Draft { due_in: Some(5_000), before, recurs, zone, user: false }
    }

    fn putting(draft: &Draft, now: Ms) -> Putting {
        Putting::new(draft, "t".into(), now, None)
    }

    #[test]
    fn moments_are_worked_out_apart_from_the_body() {
        let several = putting(&draft(vec![0, 2], vec![], None), 1_000);
        let Ask::Put { reminders, .. } = several.ask() else { panic!("a put") };
        let moments: Vec<_> = reminders.iter().map(|r| (&*r.id, &*r.moments)).collect();
        assert_eq!(moments, [("before-0", &[6_000][..]), ("before-2", &[4_000][..])]);
        assert_eq!(several.body("c")["task"]["dueDate"], "1970-01-01T00:00:06.000Z");
        let recurring = putting(&draft(vec![], vec![3_000], Some("Asia/Kathmandu")), 1_000);
        let Ask::Put { reminders, .. } = recurring.ask() else { panic!("a put") };
        assert_eq!(reminders[0].moments, [6_000, 9_000, NEVER]);
        let task = &recurring.body("c")["task"];
        assert_eq!(task["dueDate"]["local"], "1970-01-01T05:30:06.000");
        assert_eq!(task["recurrence"]["rdates"][0], "1970-01-01T05:30:09.000");
        let awaited = [6_000, 9_000].map(|at| ("due".to_owned(), at));
        assert!(recurring.awaited() == awaited.into() && recurring.recurs());
    }

    #[test]
    fn a_put_without_a_due_date_is_the_same_with_another_title() {
        let first = putting(&draft(vec![2], vec![], None), 1_000);
        let again = Draft { due_in: None, ..draft(vec![], vec![], None) };
        let again = Putting::new(&again, "u".into(), 9_000, Some(&first));
        assert_eq!((again.due, again.planned()), (first.due, first.planned()));
        assert_eq!(again.body("c")["task"]["title"], "u");
    }

    #[test]
    fn wall_times_are_said_only_where_they_mean_one_moment() {
        let plain = |at: &str| {
            let at: DateTime<Utc> = at.parse().unwrap();
            is_plain(Tz::Europe__Berlin, at.timestamp_millis())
        };
        // The clocks go back at 01:00 UTC.
        assert!(!plain("2027-10-31T00:30:00Z") && !plain("2027-10-31T03:30:00Z"));
        assert!(plain("2027-10-30T00:30:00Z"));
    }
}
