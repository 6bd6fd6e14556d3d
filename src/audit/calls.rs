//! Many calls at once, a bounded number at a time, and no more of them once they fail.

use super::settings;
use crate::ports::CallError;
use std::future::Future;
use tokio::task::JoinSet;

/// Runs a call for each item and answers what came of those that were made. Once
/// [`settings::FAILURES_MAX`] have failed, the rest is left out: when placement is dead, every call
/// waits for its deadline.
pub(crate) async fn each<I, T, F>(
    items: impl IntoIterator<Item = I>,
    call: impl Fn(I) -> F,
) -> Vec<Result<T, CallError>>
where
    F: Future<Output = Result<T, CallError>> + Send + 'static,
    T: Send + 'static,
{
    let mut items = items.into_iter();
    let mut under_way = JoinSet::new();
    let mut results = Vec::new();
    let mut failed = 0;
    loop {
        while under_way.len() < settings::CONCURRENCY
            && let Some(item) = items.next()
        {
            under_way.spawn(call(item));
        }
        let Some(ended) = under_way.join_next().await else { return results };
        // The words of a panic may hold what was at hand; the log has its place.
        let result =
            ended.unwrap_or_else(|_| Err(CallError("the call did not come to its end".into())));
        failed += usize::from(result.is_err());
        results.push(result);
        if failed >= settings::FAILURES_MAX {
            // Those under way are dropped with their set; each may still take effect.
            return results;
        }
    }
}

/// How many calls succeeded and how many did not.
pub(crate) fn tally<T>(results: &[Result<T, CallError>]) -> (usize, usize) {
    let succeeded = results.iter().filter(|result| result.is_ok()).count();
    (succeeded, results.len() - succeeded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn every_item_is_called_and_few_at_a_time() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let call = |n: usize| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                if n.is_multiple_of(100) { Err(CallError("no".into())) } else { Ok(n) }
            }
        };
        let results = each(0..1_000, call).await;
        assert_eq!(tally(&results), (990, 10));
        assert_eq!(most.load(Ordering::SeqCst), settings::CONCURRENCY);
    }

    #[tokio::test]
    async fn when_nothing_works_the_rest_is_left_out() {
        let made = Arc::new(AtomicUsize::new(0));
        let call = |_: usize| {
            made.fetch_add(1, Ordering::SeqCst);
            async { Err::<(), _>(CallError("no".into())) }
        };
        let results = each(0..1_000, call).await;
        assert_eq!(tally(&results), (0, settings::FAILURES_MAX));
        assert!(made.load(Ordering::SeqCst) < settings::FAILURES_MAX + settings::CONCURRENCY);
    }
}
