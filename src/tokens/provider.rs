//! The provider's keys as they are known now.
//!
//! They are read at the start and now and then, and at once when a token names a key that is not among them:
//! that is how providers change keys. While the provider is away, the last keys stay good.

use super::keys::KeySet;
use super::settings::KeysAt;
use super::source::Source;
use super::token::Refused;
use crate::http::health::{KEYS, Readiness};
use crate::metrics::metrics;
use backon::{BackoffBuilder, ExponentialBuilder};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How often the keys are read while all is well.
const REFRESH_EVERY: Duration = Duration::from_secs(15 * 60);
/// The first pause after a failure; it doubles up to [`RETRY_MAX`].
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// The longest pause after a failure.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// The shortest time between two readings that tokens with unknown keys ask for: anybody can make those.
const ASKED_EVERY: Duration = Duration::from_secs(5);
/// Tokens that may wait for such a reading; a further one is refused at once.
const WAITING_MAX: usize = 64;

/// The keys, and where they come from.
#[derive(Debug)]
pub struct Provider {
    source: Source,
    known: Mutex<Option<Arc<KeySet>>>,
    /// When they were last asked for. Held while they are read, so that one reads at a time.
    asked: tokio::sync::Mutex<Option<Instant>>,
    waiting: Semaphore,
    readiness: Readiness,
}

impl Provider {
    pub(super) fn new(keys: &KeysAt, readiness: Readiness) -> io::Result<Self> {
        readiness.also(KEYS);
        Ok(Self {
            source: Source::new(keys)?,
            known: Mutex::default(),
            asked: tokio::sync::Mutex::default(),
            waiting: Semaphore::new(WAITING_MAX),
            readiness,
        })
    }

    /// Reads the keys again and again, for ever.
    pub async fn follow(self: Arc<Self>) {
        // With jitter, so that not all replicas come at once when the provider is back.
        let retries = ExponentialBuilder::default()
            .with_min_delay(RETRY_FIRST)
            .with_max_delay(RETRY_MAX)
            .without_max_times()
            .with_jitter();
        let mut pauses = retries.build();
        loop {
            let mut asked = self.asked.lock().await;
            let fetched = self.fetch(&mut asked).await;
            drop(asked);
            if fetched {
                pauses = retries.build();
                tokio::time::sleep(REFRESH_EVERY).await;
            } else {
                tokio::time::sleep(pauses.next().unwrap_or(RETRY_MAX)).await;
            }
        }
    }

    /// The keys. As long as there are none, whoever asks has them read, as for [`Self::renewed`].
    pub(super) async fn keys(&self) -> Result<Arc<KeySet>, Refused> {
        match self.known() {
            Some(keys) => Ok(keys),
            None => self.read_unless(|| self.known()).await?.ok_or(Refused::NoKeys),
        }
    }

    /// The keys after those that did not have the one looked for.
    pub(super) async fn renewed(&self, known: &Arc<KeySet>) -> Result<Arc<KeySet>, Refused> {
        let newer = || self.known().filter(|now| !Arc::ptr_eq(now, known));
        Ok(self.read_unless(newer).await?.unwrap_or_else(|| Arc::clone(known)))
    }

    /// What `found` finds, after a reading if need be, unless there was one just now.
    async fn read_unless(
        &self,
        found: impl Fn() -> Option<Arc<KeySet>>,
    ) -> Result<Option<Arc<KeySet>>, Refused> {
        let _place = self.waiting.try_acquire().map_err(|_| Refused::Crowded)?;
        let mut asked = self.asked.lock().await;
        // Somebody else may have had them read meanwhile.
        if let Some(found) = found() {
            return Ok(Some(found));
        }
        if asked.is_none_or(|at| at.elapsed() >= ASKED_EVERY) {
            self.fetch(&mut asked).await;
        }
        Ok(found())
    }

    /// Reads them; tells whether that worked.
    async fn fetch(&self, asked: &mut Option<Instant>) -> bool {
        let fetched = self.source.fetch().await;
        *asked = Some(Instant::now());
        let outcome = if fetched.is_ok() { "done" } else { "failed" };
        metrics().key_fetches.get_or_create(&[("outcome", outcome)]).inc();
        let told = fetched.as_ref().map(drop).map_err(Clone::clone);
        if let Ok(keys) = fetched {
            metrics().keys_age.since(Some(Instant::now()));
            *self.lock() = Some(Arc::new(keys));
        }
        self.readiness.seen(KEYS, told.clone());
        told.is_ok()
    }

    fn known(&self) -> Option<Arc<KeySet>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<KeySet>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
