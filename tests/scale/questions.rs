//! Every question that the sweep, the audit, the refresh, the turns and callers ask of the read model.

use super::fill::{BUSY_USER, EPOCHS, FIRST_EPOCH};
use reminder_contract::rest::PAGE_MAX;
use reminder_domain::ids::Person;
use reminder_domain::time::zone_database;
use reminder_domain::{TaskId, Timestamp};
use reminder_scheduler::audit::settings;
use reminder_scheduler::ports::Users;
use reminder_scheduler::read_model::{
    Changed, ConsoleModel, Cursor, Listing, Migrated, ReadModel, TaskIndex, UserLookup, Waking,
};
use std::time::{SystemTime, UNIX_EPOCH};

/// The arm horizon by default, in ms.
const HORIZON_MS: i64 = 3_600_000;

/// One question, in words.
pub(crate) const ALL: [&str; 33] = [
    "heartbeat",
    "lease",
    "note how far the sweep came",
    "begin the sweep anew",
    "what is overdue",
    "what comes within the horizon",
    "a page in the middle of all that waits",
    "which runs are dead",
    "what a run left: nothing",
    "what a run left: a page",
    "users behind, first look",
    "users behind, since an hour",
    "outdated tasks of a user",
    "tasks of an older zone database",
    "progress of a user with many tasks",
    "a page of a user's tasks",
    "a page of a user's deleted tasks",
    "a page of all tasks, in the middle",
    "a page of a user's reminders",
    "a page of a user's reminders, in the middle",
    "a page of all reminders, in the middle",
    "how much waits, and until when",
    "tasks whose ids begin so",
    "load of the next hour",
    "load of the next day",
    "load of the next month",
    "how many are overdue",
    "how many tasks there are",
    "who audits",
    "whose firing is stopped",
    "a page of parked tasks",
    "a page of what the audit found",
    "a task of the index",
];

/// Who asks.
pub(crate) struct Asker {
    model: ReadModel,
    lookup: UserLookup,
    listing: Listing,
    console: ConsoleModel,
    now_ms: i64,
}

impl Asker {
    pub(crate) fn new(url: &str) -> Self {
        let lookup = UserLookup::default();
        lookup.open(url, "public".into()).unwrap();
        let listing = Listing::default();
        listing.open(url, "public".into()).unwrap();
        let console = ConsoleModel::default();
        let migrated =
            Migrated { schema: "public".into(), applied: Vec::new(), incarnation: 1, births: 1 };
        console.open(url, "reminder_state", &migrated).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let now_ms = i64::try_from(now).unwrap();
        let model = ReadModel::new(url, "public".into()).unwrap();
        Self { model, lookup, listing, console, now_ms }
    }

    /// Asks once; answers how many rows came.
    pub(crate) async fn ask(&self, question: &str) -> usize {
        let (model, mine) = (&self.model, FIRST_EPOCH + EPOCHS);
        let at = |after_ms: i64| Timestamp::from_millis(self.now_ms + after_ms);
        let after = |at: Timestamp| Waking { at, task: TaskId::parse("0").unwrap() };
        let page = settings::PAGE;
        let user = Person::parse(BUSY_USER).unwrap();
        let waking = async |from: Timestamp, until: Timestamp| {
            model.waking(&after(from), until, page).await.unwrap().len()
        };
        match question {
            "heartbeat" => {
                let (lease, forget) = (settings::LEASE, settings::FORGET_AFTER);
                model.heartbeat(mine, lease, forget).await.unwrap();
                1
            }
            "lease" => usize::from(model.lease(mine, settings::LEASE).await.unwrap().is_some()),
            "note how far the sweep came" => {
                let place = model.lease(mine, settings::LEASE).await.unwrap().unwrap();
                usize::from(model.swept(mine, place).await.unwrap())
            }
            "begin the sweep anew" => usize::from(model.begin_anew(mine).await.unwrap().is_some()),
            "what is overdue" => waking(Timestamp::from_millis(0), at(-5_000)).await,
            "what comes within the horizon" => waking(at(-60_000), at(HORIZON_MS)).await,
            "a page in the middle of all that waits" => {
                waking(at(180 * 24 * HORIZON_MS), Timestamp::MAX).await
            }
            "which runs are dead" => model.dead_epochs(settings::DEAD_AFTER).await.unwrap().len(),
            "what a run left: nothing" => {
                let last = i64::MAX.unsigned_abs();
                model.left_pending(FIRST_EPOCH + 3, last, page).await.unwrap().len()
            }
            "what a run left: a page" => {
                model.left_pending(FIRST_EPOCH + 3, 0, page).await.unwrap().len()
            }
            "users behind, first look" => {
                let since = Timestamp::from_millis(0);
                model.changed_users(since, None, settings::USERS_PAGE).await.unwrap().len()
            }
            "users behind, since an hour" => {
                let since = at(-settings::FOLLOWED_EDGE_MS);
                model.changed_users(since, None, settings::USERS_PAGE).await.unwrap().len()
            }
            "outdated tasks of a user" => {
                let changed = Changed { user, version: 2 };
                model.outdated_of(&changed, &Cursor::default(), page).await.unwrap().len()
            }
            "tasks of an older zone database" => {
                let cursor = Cursor::default();
                model.outdated_zones(zone_database(), &cursor, page).await.unwrap().len()
            }
            "progress of a user with many tasks" => {
                let known = self.lookup.preferences(&user).await.unwrap();
                let progress = self.lookup.progress(&user).await.unwrap();
                assert!(known.version > 0);
                usize::try_from(progress.open).unwrap()
            }
            "a page of a user's tasks" => self.tasks(Some(&user), &["pending"], "").await,
            "a page of a user's deleted tasks" => self.tasks(Some(&user), &["deleted"], "").await,
            "a page of all tasks, in the middle" => self.tasks(None, &["completed"], "t5").await,
            "a page of a user's reminders" => self.reminders(Some(&user), at(0)).await,
            "a page of a user's reminders, in the middle" => {
                self.reminders(Some(&user), at(180 * 24 * HORIZON_MS)).await
            }
            "a page of all reminders, in the middle" => {
                self.reminders(None, at(180 * 24 * HORIZON_MS)).await
            }
            "how much waits, and until when" => {
                let ends = [0, 60_000, HORIZON_MS, 24 * HORIZON_MS].map(at);
                let counts = model.count_pending(&ends, settings::PENDING_MAX).await.unwrap();
                assert_eq!(counts.len(), ends.len() + 1);
                usize::try_from(counts.into_iter().sum::<i64>()).unwrap()
            }
            "tasks whose ids begin so" => {
                let page = self.listing.tasks(None, &["completed"], "t5", "", PAGE_MAX).await;
                page.unwrap().rows.len()
            }
            "load of the next hour" => self.load(60, 60).await,
            "load of the next day" => self.load(3_600, 24).await,
            "load of the next month" => self.load(86_400, 30).await,
            "how many are overdue" => {
                let (count, _) = self.console.overdue(at(0)).await.unwrap();
                usize::try_from(count).unwrap()
            }
            "how many tasks there are" => self.console.totals().await.unwrap().by_status.len(),
            "who audits" => usize::from(self.console.holder().await.unwrap().is_some()),
            "whose firing is stopped" => self.console.stops().await.unwrap().len(),
            "a page of parked tasks" => self.console.parked("", 50).await.unwrap().len(),
            "a page of what the audit found" => {
                self.console.findings(None, 50).await.unwrap().len()
            }
            "a task of the index" => {
                let task = TaskId::parse("t17").unwrap();
                usize::from(self.console.entry(&task).await.unwrap().row.is_some())
            }
            other => panic!("nobody asks {other:?}"),
        }
    }

    async fn tasks(&self, user: Option<&Person>, statuses: &[&str], after: &str) -> usize {
        self.listing.tasks(user, statuses, "", after, PAGE_MAX).await.unwrap().rows.len()
    }

    /// The tasks in all bars of a histogram.
    async fn load(&self, seconds: i64, bars: i32) -> usize {
        let now = Timestamp::from_millis(self.now_ms);
        let buckets = self.console.load(now, now, seconds, bars).await.unwrap();
        usize::try_from(buckets.iter().map(|bucket| bucket.count).sum::<i64>()).unwrap()
    }

    async fn reminders(&self, user: Option<&Person>, from: Timestamp) -> usize {
        let page = self.listing.reminders(user, (from, ""), Timestamp::MAX, PAGE_MAX).await;
        page.unwrap().rows.len()
    }
}
