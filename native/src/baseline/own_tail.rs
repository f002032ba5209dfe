//! How improbable a score is among a device's own: a quantile that is followed, and the mean excess over it.
//!
//! One score in twenty is above the start. There the tail is exponential with the mean excess seen, which is
//! clipped, so that a fault does not pass for the usual; below, the surprise grows in proportion. Both follow by
//! stochastic approximation (Robbins and Monro 1951) with the best step for such a tail, and ever more slowly.
//! Eight bytes a tail.

/// −ln of the share of scores above the start.
const START_SHARE: f64 = 0.05;
const START_NATS: f64 = 2.995_732_273_553_991;
/// Scores that the prior counts for.
const PRIOR: f64 = 100.0;
/// Excesses beyond so many mean ones are cut to them.
const CLIP: f64 = 5.0;
const MIN_START: f64 = 1e-6;

#[derive(Debug, Clone, PartialEq)]
pub struct OwnTail {
    start: f32,
    excess: f32,
}

impl OwnTail {
    /// One that has seen nothing, with a first guess.
    pub const fn new(start: f32, excess: f32) -> Self {
        Self { start, excess }
    }

    /// The surprise of a score of 0 and up, in nats; then learns it as the one after `seen` others. `least` is the
    /// mean excess below which scores do not differ.
    #[allow(clippy::cast_possible_truncation)] // Kept in 32 bits.
    pub fn push(&mut self, score: f64, seen: f64, least: f64) -> f64 {
        let (start, excess) = (f64::from(self.start), f64::from(self.excess).max(least));
        let step = (1.0 / (START_SHARE * (seen + PRIOR))).min(1.0);
        if score <= start {
            self.start = (start - step * excess * START_SHARE).max(MIN_START) as f32;
            return START_NATS * score / start;
        }
        self.start = (start + step * excess * (1.0 - START_SHARE)) as f32;
        self.excess = (excess + step * ((score - start).min(CLIP * excess) - excess)) as f32;
        START_NATS + (score - start) / excess
    }

    /// All that it is, to be kept.
    pub(super) fn numbers(&self) -> [f32; 2] {
        [self.start, self.excess]
    }

    /// The same back; `None` when no tail has such numbers.
    pub(super) fn of_numbers([start, excess]: [f32; 2]) -> Option<Self> {
        let fits = (1e-7..1e6).contains(&start) && (0.0..1e6).contains(&excess);
        fits.then_some(Self { start, excess })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn an_exponential_tail_is_found_and_a_fault_hardly_changes_it() {
        let mut random = Random::new(1);
        let mut tail = OwnTail::new(0.5, 0.5);
        for seen in 0..20_000 {
            tail.push(-crate::math::ln(1.0 - 0.999_999 * random.unit()), f64::from(seen), 0.02);
        }
        // P(X ≥ 8) = e⁻⁸.
        let clean = tail.clone().push(8.0, 20_000.0, 0.02);
        assert!((clean - 8.0).abs() < 1.5, "{clean}");
        for seen in 20_000..20_060 {
            tail.push(1000.0, f64::from(seen), 0.02);
        }
        assert!(tail.push(8.0, 20_060.0, 0.02) > 0.7 * clean);
    }

    #[test]
    fn a_higher_score_never_is_less_surprising() {
        let tail = OwnTail::new(0.5, 0.1);
        let surprises: Vec<f64> =
            (0..200).map(|step| tail.clone().push(f64::from(step) * 0.02, 0.0, 0.02)).collect();
        assert!(surprises.windows(2).all(|pair| pair[0] <= pair[1]), "{surprises:?}");
        assert!(surprises[0].abs() < 1e-12);
    }
}
