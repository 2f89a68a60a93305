//! Products of rows, and work spread over the cores.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Sums are kept in so many lanes, which the compiler turns into vector instructions.
pub(crate) const LANES: usize = 8;
/// Those of a product: several sums are under way at once.
const WIDE: usize = 4 * LANES;

/// The scalar product of two rows of one length, compiled for the widest vectors of whoever calls it.
#[inline(always)]
pub(crate) fn product(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0_f32; WIDE];
    let ((ones, one_rest), (others, other_rest)) = (one.as_chunks::<WIDE>(), other.as_chunks::<WIDE>());
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..WIDE {
            sums[lane] += one[lane] * other[lane];
        }
    }
    let rest: f32 = one_rest.iter().zip(other_rest).map(|(a, b)| a * b).sum();
    rest + sums.iter().sum::<f32>()
}

/// How many threads there are to work.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// `work` for all positions below `count`, in their order, spread over the cores: whoever is free takes the next. A panic in
/// it goes on here.
pub(crate) fn on_all_cores<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let share = || -> Vec<(usize, T)> {
        let taken = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < count));
        taken.map(|at| (at, work(at))).collect()
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores().min(count)).map(|_| scope.spawn(share)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_their_positions() {
        assert_eq!(on_all_cores(1000, |at| at * at), (0..1000).map(|at| at * at).collect::<Vec<_>>());
        assert!(on_all_cores(0, |at| at).is_empty());
    }

    #[test]
    #[should_panic(expected = "position 7")]
    fn a_panic_of_one_core_is_not_lost() {
        on_all_cores(20, |at| assert!(at != 7, "position 7"));
    }
}
