//! An answer that is kept for a few seconds, so that many tabs cost no more than one.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long an answer is told again.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// The last answer, if there is one. Those who ask while it is made wait for it.
pub(super) struct Cached<T>(Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Cached<T> {
    /// The last answer, or a new one. A failure is not kept.
    pub(super) async fn get<E>(
        &self,
        make: impl Future<Output = Result<T, E>>,
    ) -> Result<Arc<T>, E> {
        let mut kept = self.0.lock().await;
        if let Some((_, answer)) = kept.as_ref().filter(|(made, _)| made.elapsed() < KEPT_FOR) {
            return Ok(Arc::clone(answer));
        }
        let answer = Arc::new(make.await?);
        *kept = Some((Instant::now(), Arc::clone(&answer)));
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn an_answer_is_made_once_for_all_who_ask_and_a_failure_is_not_kept() {
        let (cached, made) = (Cached::default(), AtomicU32::new(0));
        let failed = cached.get(async { Err("down") }).await;
        assert_eq!(failed, Err("down"));
        let ask = || {
            cached.get(async {
                tokio::task::yield_now().await;
                Ok::<_, ()>(made.fetch_add(1, Ordering::Relaxed))
            })
        };
        let (one, two) = tokio::join!(ask(), ask());
        assert_eq!((*one.unwrap(), *two.unwrap()), (0, 0));
        assert_eq!(made.load(Ordering::Relaxed), 1);
    }
}
