//! What users prefer, as `user_index` would have it.

use super::World;
use reminder_domain::ids::Person;
use reminder_domain::pause::IfMissed;
use reminder_domain::preferences::KnownPreferences;
use reminder_reference::calendar::Prefs;
use reminder_reference::words::known;
use reminder_scheduler::turn::firing::FiringStop;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every version of everybody's preferences, and when tasks may last have fallen behind.
#[derive(Default)]
pub(super) struct Users {
    versions: BTreeMap<u64, Vec<Prefs>>,
    behind_at_ms: BTreeMap<u64, i64>,
    /// How many versions there were when they were forgotten. Those of a later life come after them, as in earnest.
    forgotten: BTreeMap<u64, u64>,
}

/// A user's name is that of the one task.
pub(super) fn number(user: &Person) -> u64 {
    user.as_str().trim_start_matches('u').parse().unwrap_or(0)
}

impl Users {
    /// The version that a user's preferences are at; 0: none were ever said.
    pub(super) fn current(&self, user: u64) -> u64 {
        let said = self.versions.get(&user).map_or(0, |versions| versions.len() as u64);
        if self.forgotten.get(&user) == Some(&said) { 0 } else { said }
    }

    /// Forgets what a user prefers; tells whether there was anything.
    pub(super) fn forget(&mut self, user: u64) -> bool {
        let said = self.current(user);
        if said > 0 {
            self.forgotten.insert(user, said);
            self.behind_at_ms.remove(&user);
        }
        said > 0
    }

    /// What was preferred at a version.
    pub(super) fn version(&self, user: u64, version: u64) -> (u64, Prefs) {
        let index = usize::try_from(version).unwrap_or(0).checked_sub(1);
        let prefs = index.and_then(|n| self.versions.get(&user)?.get(n).cloned());
        prefs.map_or((0, Prefs::default()), |prefs| (version, prefs))
    }

    pub(super) fn known(&self, user: u64) -> KnownPreferences {
        known(&self.version(user, self.current(user)))
    }

    pub(super) fn fell_behind(&mut self, user: u64, now_ms: i64) {
        if self.current(user) > 0 {
            self.behind_at_ms.insert(user, now_ms);
        }
    }

    /// Who may have fallen behind since then, with the version they are at.
    pub(super) fn behind_since(&self, since_ms: i64) -> Vec<(u64, u64)> {
        let behind = self.behind_at_ms.iter().filter(|(_, at)| **at >= since_ms);
        behind.map(|(user, _)| (*user, self.current(*user))).collect()
    }
}

impl World {
    /// An operator stops firing, for a user or for everyone, and releases it after a while.
    pub async fn stop_firing(&self, user: Option<u64>, for_ms: i64) {
        self.note(|| format!("firing stops for {user:?}, {for_ms} ms"), ("stop", user));
        let person = user.and_then(|user| Person::parse(format!("u{user}")).ok());
        self.state().stop = Arc::new(FiringStop::new(user.is_none(), person));
        super::sleep_ms(for_ms).await;
        self.note(|| "firing is released".into(), "released");
        self.state().stop = Arc::default();
    }

    /// A user says what is preferred; a pause goes on.
    pub fn prefer(self: &Arc<Self>, user: u64, prefs: Prefs) {
        let Prefs { paused, skipped, .. } = self.preferred(user);
        self.say(user, Prefs { paused, skipped, ..prefs });
    }

    /// A user is paused.
    pub fn pause_user(self: &Arc<Self>, user: u64) {
        self.say(user, self.preferred(user).paused(self.now_ms()));
    }

    /// A user is resumed.
    pub fn resume_user(self: &Arc<Self>, user: u64, missed: IfMissed) {
        self.say(user, self.preferred(user).resumed(missed, self.now_ms()));
    }

    fn preferred(&self, user: u64) -> Prefs {
        let users = &self.state().users;
        users.version(user, users.current(user)).1
    }

    /// Something else holds for a user; a host that hears of it looks at once.
    fn say(self: &Arc<Self>, user: u64, prefs: Prefs) {
        let now_ms = self.now_ms();
        self.note(|| format!("user {user} prefers {prefs:?}"), ("prefers", user));
        let mut state = self.state();
        state.users.versions.entry(user).or_default().push(prefs);
        state.users.behind_at_ms.insert(user, now_ms);
        if let Some(running) = state.hosts.iter().find_map(|host| host.running.as_ref()) {
            running.changed.notify_one();
        }
    }
}
