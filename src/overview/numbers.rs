//! Products of rows, and work spread over the cores.

/// Sums are kept in so many lanes, which the compiler turns into vector instructions.
pub(super) const LANES: usize = 8;

/// The scalar product of two rows of one length.
pub(super) fn product(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (whole_one, whole_other) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    let rest: f32 = whole_one.remainder().iter().zip(whole_other.remainder()).map(|(a, b)| a * b).sum();
    for (one, other) in whole_one.zip(whole_other) {
        for lane in 0..LANES {
            sums[lane] += one[lane] * other[lane];
        }
    }
    rest + sums.iter().sum::<f32>()
}

/// How many threads there are to work.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// `work` for all positions below `count`, in their order, spread over the cores.
pub(super) fn on_all_cores<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let share = count.div_ceil(cores()).max(1);
    let (starts, work) = ((0..count).step_by(share), &work);
    std::thread::scope(|scope| {
        let spawn = |start: usize| scope.spawn(move || (start..count.min(start + share)).map(work).collect::<Vec<T>>());
        let threads: Vec<_> = starts.map(spawn).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}
