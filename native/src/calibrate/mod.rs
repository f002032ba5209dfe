//! A raw score's tail probability against what its model saw in training, as −log10 p.
//!
//! Below the highest tenth the probability is the conformal rank (n − r + 1) / (n + 1), interpolated;
//! above it the excesses have an exponential tail, its mean taken after clipping at five medians.
//! Compared on held-back halves of server metrics and simulated lines, the share found over that claimed
//! at p = 0.001 was 0.2 and 2.0 with 600 scores and 0.1 and 0.6 with 5,000; a generalised Pareto (SPOT)
//! gave 2.2 and 2.7, then 0.4 and 2.0: its shape is one more number from the same few excesses. Without
//! clipping the simulated lines gave 1.1 with 600. A pure rank can never say less than 1 / (n + 1), so
//! that all strong faults would tie. Clipping bounds what one stranger in the training data does; with 3
//! % of far strangers in 600 scores or more every fit claims far too little, and this one too. Smoothed
//! scores depend on one another, so that few are fewer than they look: with sixty of them p = 0.001 came
//! 15 to 30 times too often. So no threshold is taken from it: [`Calibration::trusted`] shrinks what a frozen model
//! may claim by how much it saw, to rank and to combine, and [`running`] says what alarms, widened by what so few
//! scores leave open. It serves comparisons on files; what runs takes its thresholds from the same tail kept as four
//! figures in a model's manifest (models/src/score-tail.ts says why). Needs 20 finite scores.
pub mod codec;
pub mod running;

use crate::error::{Error, Result};
use crate::math::SCORE_RESOLUTION;

/// Fewest scores that are fitted.
pub const MIN_SCORES: usize = 20;
/// Ranks are kept at so many points.
pub const KNOTS: usize = 64;
/// The tail begins at the highest tenth, and has at least three excesses.
const TAIL_SHARE: f64 = 0.1;
const MIN_EXCESSES: usize = 3;
const CLIP_MEDIANS: f64 = 5.0;
const MIN_SCALE: f64 = 1e-9;
/// Half of a frozen model's claim is believed at so many scores.
const HALF_TRUST: f64 = 6000.0;
/// Nothing is less likely than 10 to minus this.
pub const MAX_TAIL: f64 = 300.0;

/// A monotone map from raw score to −log10 p.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    count: u64,
    /// Ascending scores, the last being where the tail begins, and −log10 p at each.
    knots: Vec<(f64, f64)>,
    /// Excesses the tail stands on, and their mean.
    excesses: u64,
    scale: f64,
}

impl Calibration {
    /// Fits scores in any order; those that are not finite are left out.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn fit(scores: &[f64]) -> Result<Self> {
        let mut sorted: Vec<f64> = scores.iter().copied().filter(|score| score.is_finite()).collect();
        if sorted.len() < MIN_SCORES {
            let found = sorted.len();
            return Err(Error::new(format!("calibration needs {MIN_SCORES} finite scores, found {found}")));
        }
        sorted.sort_unstable_by(f64::total_cmp);
        let count = sorted.len();
        let tail = MIN_EXCESSES.max((TAIL_SHARE * count as f64) as usize);
        let start = count - tail - 1;
        let mut knots: Vec<(f64, f64)> = Vec::new();
        for step in 0..=KNOTS {
            let score = sorted[start * step / KNOTS];
            // Equal scores share the tail of the lowest of them.
            if knots.last().is_none_or(|last| last.0 < score) {
                let below = sorted.partition_point(|&other| other < score);
                let share = (count - below + 1) as f64 / (count as f64 + 1.0);
                // The last bits of a logarithm of 1 may be negative.
                knots.push((score, (-share.log10()).max(0.0)));
            }
        }
        let from = sorted[start];
        let excesses: Vec<f64> = sorted[start + 1..].iter().map(|score| score - from).collect();
        let scale = clipped_mean(&excesses, SCORE_RESOLUTION * from.abs());
        Ok(Self { count: count as u64, knots, excesses: tail as u64, scale })
    }

    /// How many scores it stands on.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// −log10 of the share of normal scores at or above this one; NaN gives NaN.
    pub fn tail(&self, score: f64) -> f64 {
        let Some(&(from, base)) = self.knots.last() else { return f64::NAN };
        if score.is_nan() {
            return f64::NAN;
        }
        if score >= from {
            return (base + (score - from) / self.scale / std::f64::consts::LN_10).min(MAX_TAIL);
        }
        let above = self.knots.partition_point(|knot| knot.0 <= score);
        let Some(&(low, low_tail)) = above.checked_sub(1).and_then(|at| self.knots.get(at)) else {
            return 0.0;
        };
        let (high, high_tail) = self.knots[above];
        low_tail + (score - low) / (high - low) * (high_tail - low_tail)
    }

    /// The tail as a model that no longer learns may claim it: few scores support little.
    #[allow(clippy::cast_precision_loss)] // A count of scores.
    pub fn trusted(&self, score: f64) -> f64 {
        let count = self.count as f64;
        self.tail(score) * count / (count + HALF_TRUST)
    }
}

/// Calibrated tails of several detectors as one: the sum of their squares, so that a strong one decides and
/// agreeing ones add. Unknown ones (NaN) add nothing.
pub fn combine(tails: &[f64]) -> f64 {
    tails.iter().filter(|tail| !tail.is_nan()).map(|tail| tail * tail).sum()
}

/// At least the scores' resolution: excesses that do not differ say nothing of how far others go.
#[allow(clippy::cast_precision_loss)] // A count of excesses.
fn clipped_mean(ascending: &[f64], resolution: f64) -> f64 {
    let median = crate::math::quantile_sorted(ascending, 0.5);
    let limit = if median > resolution { CLIP_MEDIANS * median } else { f64::INFINITY };
    let sum: f64 = ascending.iter().map(|excess| excess.min(limit)).sum();
    (sum / ascending.len() as f64).max(resolution).max(MIN_SCALE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use proptest::prelude::*;

    fn exponential(random: &mut Random) -> f64 {
        -crate::math::ln(1.0 - random.unit() * 0.999_999)
    }

    #[test]
    fn too_few_scores_are_refused_and_unknown_ones_left_out() {
        assert!(Calibration::fit(&[1.0; 19]).is_err());
        let mut scores = vec![f64::NAN; 50];
        scores.extend((0..20).map(f64::from));
        let calibration = Calibration::fit(&scores).unwrap();
        assert_eq!(calibration.count(), 20);
        assert!(calibration.tail(f64::NAN).is_nan());
    }

    #[test]
    fn an_exponential_tail_is_found_again_and_few_strangers_hardly_move_it() {
        let mut random = Random::new(5);
        let mut scores: Vec<f64> = (0..5000).map(|_| exponential(&mut random)).collect();
        let clean = Calibration::fit(&scores).unwrap();
        // P(X ≥ 10) = e⁻¹⁰
        assert!((clean.tail(10.0) - 10.0 / std::f64::consts::LN_10).abs() < 0.4, "{}", clean.tail(10.0));
        scores[..50].fill(1e6);
        let dirty = Calibration::fit(&scores).unwrap();
        assert!(dirty.tail(10.0) > 0.6 * clean.tail(10.0), "{}", dirty.tail(10.0));
    }

    #[test]
    fn more_scores_earn_trust() {
        let mut random = Random::new(6);
        let scores: Vec<f64> = (0..20_000).map(|_| exponential(&mut random)).collect();
        let (few, many) = (Calibration::fit(&scores[..60]).unwrap(), Calibration::fit(&scores).unwrap());
        assert!(few.trusted(8.0) < 0.02 * few.tail(8.0) && many.trusted(8.0) > 0.7 * many.tail(8.0));
    }

    #[test]
    fn the_strong_detector_decides_and_the_unknown_one_is_silent() {
        assert_eq!(combine(&[3.0, f64::NAN, 4.0]), 25.0);
        assert_eq!(combine(&[]), 0.0);
    }

    proptest! {
        #[test]
        fn tails_never_fall_as_the_score_grows(
            scores in prop::collection::vec(-1e6..1e6_f64, 20..300),
            mut asked in prop::collection::vec(-2e6..2e6_f64, 2..50),
        ) {
            let calibration = Calibration::fit(&scores).unwrap();
            asked.extend(&scores);
            asked.sort_unstable_by(f64::total_cmp);
            let tails: Vec<f64> = asked.iter().map(|&score| calibration.tail(score)).collect();
            prop_assert!(tails.iter().all(|&tail| (0.0..=MAX_TAIL).contains(&tail)));
            prop_assert!(tails.windows(2).all(|pair| pair[0] <= pair[1]));
        }

        #[test]
        fn bytes_give_the_same_map_and_damaged_ones_are_refused(
            scores in prop::collection::vec(-1e6..1e6_f64, 20..300),
            place in 0..10_000_usize,
            bit in 0..8_u8,
        ) {
            let calibration = Calibration::fit(&scores).unwrap();
            let mut bytes = calibration.to_bytes();
            prop_assert_eq!(&Calibration::from_bytes(&bytes).unwrap(), &calibration);
            prop_assert!(Calibration::from_bytes(&bytes[..bytes.len() - 1]).is_err());
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            prop_assert!(Calibration::from_bytes(&bytes).is_err());
        }
    }
}
