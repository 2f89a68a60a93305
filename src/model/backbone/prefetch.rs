//! Fetching what is needed soon while something else is computed.

use super::GROUP;

/// Asks for what `numbers`, a cache line of them or less, stand on. The second cache is where they are wanted: the first
/// one is full of what is needed now.
#[inline(always)]
pub(super) fn prefetch(numbers: &[f32]) {
    debug_assert!(numbers.len() <= GROUP);
    #[cfg(target_arch = "x86_64")]
    if let Some(sse) = pulp::core_arch::x86::Sse::try_new() {
        sse._mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(numbers.as_ptr().cast());
    }
}
