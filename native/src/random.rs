//! The seeded generator behind forests and training: xoshiro256++ started by `SplitMix64`.
//!
//! It is our own so that the same seed gives the same bytes on every platform and in every release;
//! no pointer-sized integer is ever drawn. Not for secrets.

use crate::math::ln;

/// A small, fast generator with a fixed stream per seed.
#[derive(Debug, Clone)]
pub struct Random {
    state: [u64; 4],
}

/// One step of `SplitMix64`: spreads close seeds far apart.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Random {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self { state: std::array::from_fn(|_| split_mix(&mut state)) }
    }

    /// A generator for part `index` of `seed`, so that parts may be made in any order.
    pub fn for_part(seed: u64, index: u64) -> Self {
        let mut state = seed;
        let base = split_mix(&mut state);
        Self::new(base ^ index.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.state;
        let result = s0.wrapping_add(s3).rotate_left(23).wrapping_add(s0);
        let (n2, n3) = (s2 ^ s0, s3 ^ s1);
        self.state = [s0 ^ n3, s1 ^ n2, n2 ^ (s1 << 17), n3.rotate_left(45)];
        result
    }

    /// A uniform number in [0, 1) with 53 random bits.
    #[allow(clippy::cast_precision_loss)] // 53 bits fit an f64 exactly.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// A uniform integer in 0..bound without bias (Lemire's method); `bound` must not be 0.
    #[allow(clippy::cast_possible_truncation)] // Both halves of the product are meant.
    pub fn below(&mut self, bound: u64) -> u64 {
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            // The remainder is below the bound, so the division is rarely needed.
            let low = product as u64;
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// A standard normal number (polar method), the same on every platform.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (a, b) = (self.unit() * 2.0 - 1.0, self.unit() * 2.0 - 1.0);
            let square = a * a + b * b;
            if square > 0.0 && square < 1.0 {
                return a * (-2.0 * ln(square) / square).sqrt();
            }
        }
    }

    /// Shuffles in place (Fisher–Yates).
    #[allow(clippy::cast_possible_truncation)] // The drawn index is below a slice's length.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        let mut random = Random { state: [1, 2, 3, 4] };
        // First values of the authors' reference implementation for the state 1, 2, 3, 4.
        let expected = [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386];
        assert_eq!(expected, std::array::from_fn(|_| random.next_u64()));
        // SplitMix64's published first value for seed 0.
        let mut state = 0;
        assert_eq!(split_mix(&mut state), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn below_stays_below_and_reaches_every_value() {
        let mut random = Random::new(7);
        let mut seen = [0_u32; 6];
        for _ in 0..6000 {
            seen[usize::try_from(random.below(6)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&count| (850..1150).contains(&count)), "{seen:?}");
    }

    #[test]
    fn parts_of_a_seed_differ() {
        assert_ne!(Random::for_part(1, 0).next_u64(), Random::for_part(1, 1).next_u64());
        assert_ne!(Random::for_part(1, 0).next_u64(), Random::for_part(2, 0).next_u64());
    }
}
