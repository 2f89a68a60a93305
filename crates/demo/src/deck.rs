//! A shuffled deck: successive pictures get different cards until all have been dealt.

use artificio_random::Random;

/// Deals from a shuffled deck: `cards` successive numbers get each of `0..cards` once, in an order of `deck`'s own.
///
/// Independent draws repeat themselves within eight pictures; a deck shows everything it holds.
pub fn deal(deck: u64, number: u64, cards: usize) -> usize {
    let round = number / cards as u64;
    let mut order: Vec<usize> = (0..cards).collect();
    Random::new(deck.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ round).shuffle(&mut order);
    order[(number % cards as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_of_the_deck_deals_every_card_once() {
        let mut dealt: Vec<usize> = (14..21).map(|number| deal(3, number, 7)).collect();
        dealt.sort_unstable();
        assert_eq!(dealt, (0..7).collect::<Vec<_>>());
    }
}
