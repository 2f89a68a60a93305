//! A parallel map: work on many items, spread over the cores. A panic in a thread goes on in the caller, so no share of the
//! work is lost silently.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::progress::{Progress, Unfollowed};

/// How many threads there are to work.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// `work` for all positions below `count`, its results in their order, on all cores: a free thread takes the next.
///
/// # Panics
/// When `work` does.
pub fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    map_on(cores(), count, work)
}

/// [`map`] on so many threads; with one, on the caller's.
pub fn map_on<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    in_order(taken_by(threads, count, &Unfollowed, &work))
}

/// [`map`], with its progress reported after each item; `None` when it was cancelled, which is asked before each.
///
/// # Panics
/// When `work` does.
pub fn map_followed<T: Send>(
    count: usize,
    progress: &dyn Progress,
    work: impl Fn(usize) -> T + Sync,
) -> Option<Vec<T>> {
    let done = AtomicUsize::new(0);
    let followed = |at: usize| {
        let result = work(at);
        progress.set_share((done.fetch_add(1, Ordering::Relaxed) + 1) as f32 / count as f32);
        result
    };
    let results = taken_by(cores(), count, progress, &followed);
    (results.len() == count && !progress.is_cancelled()).then(|| in_order(results))
}

/// Positions with their results, in any order; not all of them when it was cancelled.
fn taken_by<T: Send>(
    threads: usize,
    count: usize,
    progress: &dyn Progress,
    work: &(impl Fn(usize) -> T + Sync),
) -> Vec<(usize, T)> {
    let next = AtomicUsize::new(0);
    let share = || -> Vec<(usize, T)> {
        let _ends_all = EndsAll { next: &next, count };
        let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < count && !progress.is_cancelled());
        std::iter::from_fn(take).map(|at| (at, work(at))).collect()
    };
    let threads = threads.min(count);
    if threads <= 1 {
        return share();
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(share)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// Held by a thread at work: if it panics, nothing more is begun by the others.
struct EndsAll<'a> {
    next: &'a AtomicUsize,
    count: usize,
}

impl Drop for EndsAll<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.next.store(self.count, Ordering::Relaxed);
        }
    }
}

fn in_order<T>(mut results: Vec<(usize, T)>) -> Vec<T> {
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::CancelledWhen;

    #[test]
    fn results_stand_in_the_order_of_their_positions() {
        for threads in [1, 2, 7] {
            assert_eq!(map_on(threads, 1000, |at| at * at), (0..1000).map(|at| at * at).collect::<Vec<_>>());
        }
        assert!(map(0, |at| at).is_empty());
    }

    #[test]
    #[should_panic(expected = "position 7")]
    fn a_panic_of_one_core_is_a_panic_of_the_caller() {
        map_on(3, 20, |at| assert!(at != 7, "position 7"));
    }

    #[test]
    fn nothing_more_is_begun_after_a_panic() {
        let begun = AtomicUsize::new(0);
        let work = |at: usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            assert!(at != 3, "position 3");
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| map_on(2, 10_000, work)));
        assert!(result.is_err() && begun.into_inner() < 10_000);
    }

    #[test]
    #[should_panic(expected = "position 7")]
    fn a_panic_in_followed_work_is_no_cancellation() {
        let _ = map_followed(20, &Unfollowed, |at| assert!(at != 7, "position 7"));
    }

    #[test]
    fn cancelled_work_has_no_results() {
        let begun = AtomicUsize::new(0);
        let few = CancelledWhen(|| begun.load(Ordering::Relaxed) >= 5);
        let count = |_| begun.fetch_add(1, Ordering::Relaxed);
        assert!(map_followed(1000, &few, count).is_none());
        assert!(begun.into_inner() < 1000);
        assert_eq!(map_followed(3, &Unfollowed, |at| at), Some(vec![0, 1, 2]));
    }
}
