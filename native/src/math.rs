//! Quantiles, and an exponential, logarithm and tangent of our own.
//!
//! The platform's `exp`, `ln` and `tanh` differ in their last bits between C libraries; models must not.
//! These use only additions, multiplications and divisions, which IEEE 754 fixes everywhere.

const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// 1 / k! for k from 14 down to 1.
const INVERSE_FACTORIALS: [f64; 14] = [
    1.0 / 87_178_291_200.0,
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
    1.0,
];

/// eʳ − 1 for |r| ≤ 0.35 (a little over ln 2 / 2), by Taylor's series to r¹⁴; error below 1e-16.
#[inline(always)]
#[allow(clippy::inline_always)] // Part of `tanh_lane`.
fn exp_m1_small(r: f64) -> f64 {
    INVERSE_FACTORIALS.iter().fold(0.0, |sum, factor| sum * r + factor) * r
}

/// eˣ; exact to a few units in the last place, 0 below −708 and infinite above 709.
pub fn exp(x: f64) -> f64 {
    if x < -708.0 {
        return 0.0;
    }
    if x > 709.0 {
        return f64::INFINITY;
    }
    let steps = (x / std::f64::consts::LN_2).round();
    let rest = (x - steps * LN_2_HIGH) - steps * LN_2_LOW;
    (1.0 + exp_m1_small(rest)) * power_of_two(steps)
}

/// 2 to a whole number between −1021 and 1023.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The range is checked above.
fn power_of_two(steps: f64) -> f64 {
    f64::from_bits(((steps as i64 + 1023) as u64) << 52)
}

/// [`tanh`] of every value; without a branch, so that the compiler can use vector instructions.
#[inline(always)]
#[allow(clippy::inline_always)] // It must be compiled anew within the caller's features.
pub fn tanh_lane(values: &mut [f64]) {
    /// Adding and taking it away rounds to a whole number.
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    for value in values {
        let size = value.abs().min(20.0);
        let x = -2.0 * size;
        let steps = (x / std::f64::consts::LN_2 + ROUNDER) - ROUNDER;
        let rest = (x - steps * LN_2_HIGH) - steps * LN_2_LOW;
        let small = size < 0.17;
        let part = exp_m1_small(if small { x } else { rest });
        // 2 to the steps, of which the rounder's low bits are the whole number.
        let power = f64::from_bits((steps + ROUNDER).to_bits().wrapping_add(1023) << 52);
        let whole = (1.0 + part) * power;
        let (above, below) = if small { (-part, 2.0 + part) } else { (1.0 - whole, 1.0 + whole) };
        // From 20 on the quotient is 1 by itself.
        let sized = (above / below).copysign(*value);
        *value = if value.is_nan() { *value } else { sized };
    }
}

/// Hyperbolic tangent, exact to a few units in the last place for every argument.
pub fn tanh(x: f64) -> f64 {
    let size = x.abs();
    let value = if size < 0.17 {
        let small = exp_m1_small(-2.0 * size);
        -small / (2.0 + small)
    } else if size < 20.0 {
        let small = exp(-2.0 * size);
        (1.0 - small) / (1.0 + small)
    } else {
        1.0
    };
    if x.is_nan() { x } else { value.copysign(x) }
}

/// Natural logarithm of a positive normal number, exact to a few units in the last place; NaN for others.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap)] // Exponents are small.
pub fn ln(x: f64) -> f64 {
    if !x.is_normal() || x < 0.0 {
        return f64::NAN;
    }
    // x = 2^k · m with m in [√½, √2), and ln m = 2 artanh((m − 1) / (m + 1)).
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) as i64 - 1023) as f64;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        (mantissa, exponent) = (mantissa * 0.5, exponent + 1.0);
    }
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let series = (0..12).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    exponent * LN_2_HIGH + (2.0 * ratio * series + exponent * LN_2_LOW)
}

/// The `share` quantile (0–1) of ascending values by linear interpolation, as NumPy's default; NaN when empty.
pub fn quantile_sorted(sorted: &[f64], share: f64) -> f64 {
    interpolate(sorted.len(), share, |rank| sorted[rank])
}

/// Scores closer than this share of themselves are taken as equal: a forest of 100 trees on 256 samples moves by
/// ln 2 / (100 c(256)) = 0.07 % when one tree decides one level sooner, and 32-bit arithmetic by less.
pub const SCORE_RESOLUTION: f64 = 0.001;

/// The score that counts as higher than this one.
pub fn above(score: f64) -> f64 {
    score + SCORE_RESOLUTION * score.abs()
}

/// The threshold that no more than `share` of the scores exceed, one resolution above the score that it is taken from:
/// it never parts equal scores. NaN when there are none.
#[allow(clippy::cast_precision_loss)] // Scores are few.
pub fn upper_threshold(scores: &[f64], share: f64) -> f64 {
    let last = scores.len().saturating_sub(1) as f64;
    let rank = ((1.0 - share) * last).ceil();
    let [score] = quantiles(scores, [if last > 0.0 { rank / last } else { 0.0 }]);
    above(score)
}

/// Quantiles of values in any order, none of them NaN, for ascending `shares`; NaN when there are none. A few
/// selections cost less than sorting, the middle one first so that the others have half of the values each.
pub fn quantiles<const N: usize>(values: &[f64], shares: [f64; N]) -> [f64; N] {
    let Some(last) = values.len().checked_sub(1) else { return [f64::NAN; N] };
    let mut keys: Vec<i64> = values.iter().map(|&value| key(value)).collect();
    let mut ranks: Vec<usize> = shares
        .iter()
        .flat_map(|&share| {
            let (below, _) = position(values.len(), share);
            [below, (below + 1).min(last)]
        })
        .collect();
    ranks.sort_unstable();
    ranks.dedup();
    select(&mut keys, 0, &ranks);
    shares.map(|share| interpolate(values.len(), share, |rank| of_key(keys[rank])))
}

/// Puts the keys of these ascending ranks in their places; `first` is the rank of the first key.
fn select(keys: &mut [i64], first: usize, ranks: &[usize]) {
    let Some(&rank) = ranks.get(ranks.len() / 2) else { return };
    let (below, _, above) = keys.select_nth_unstable(rank - first);
    select(below, first, &ranks[..ranks.len() / 2]);
    select(above, rank + 1, &ranks[ranks.len() / 2 + 1..]);
}

/// A whole number that is ordered as `f64::total_cmp` orders the values; see [`of_key`].
#[allow(clippy::cast_possible_wrap)] // The bits are meant.
fn key(value: f64) -> i64 {
    flipped(value.to_bits() as i64)
}

#[allow(clippy::cast_sign_loss)] // The bits are meant.
fn of_key(key: i64) -> f64 {
    f64::from_bits(flipped(key) as u64)
}

/// Negative numbers in the opposite order.
fn flipped(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}

/// The same of `count` values of which `at` gives the one at a rank.
pub fn interpolate(count: usize, share: f64, at: impl Fn(usize) -> f64) -> f64 {
    let Some(last) = count.checked_sub(1) else { return f64::NAN };
    let (below, weight) = position(count, share);
    between(at(below), at((below + 1).min(last)), weight)
}

/// The rank below the `share` quantile of so many values, and how far it is from there to the next, 0–1.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn position(count: usize, share: f64) -> (usize, f64) {
    let position = share.clamp(0.0, 1.0) * count.saturating_sub(1) as f64;
    // Fewer than 2⁵³ by far; a signed number is one instruction.
    let below = position as i64;
    (below as usize, position - below as f64)
}

/// The value `weight` of the way from `low` to `high`, in NumPy's own form: the nearer end is the base, so
/// that both ends come out exactly.
pub fn between(low: f64, high: f64, weight: f64) -> f64 {
    if weight < 0.5 { low + (high - low) * weight } else { high - (high - low) * (1.0 - weight) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_tanh_agree_with_the_platform_to_a_few_last_bits() {
        for step in -70_000..70_000 {
            let x = f64::from(step) * 0.01;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-15, "exp({x})");
            let small = f64::from(step) * 1e-3;
            assert!((tanh(small) - small.tanh()).abs() <= 1e-15 * small.tanh().abs(), "tanh({small})");
        }
        let mut lane: Vec<f64> = (-70_000..70_000).map(|step| f64::from(step) * 0.001).collect();
        lane.extend([0.0, -0.0, 1e-300, 19.99, 20.0, 1e9, f64::INFINITY, f64::NEG_INFINITY]);
        let expected: Vec<u64> = lane.iter().map(|&x| tanh(x).to_bits()).collect();
        tanh_lane(&mut lane);
        assert_eq!(lane.into_iter().map(f64::to_bits).collect::<Vec<_>>(), expected);
        assert!(tanh(f64::NAN).is_nan());
        assert_eq!((exp(-1000.0), exp(1000.0)), (0.0, f64::INFINITY));
        assert_eq!((tanh(f64::INFINITY), tanh(f64::NEG_INFINITY), tanh(0.0)), (1.0, -1.0, 0.0));
    }

    #[test]
    fn logarithms_agree_with_the_platform_to_a_few_last_bits() {
        for step in 1..200_000 {
            let x = f64::from(step) * 0.000_37;
            assert!((ln(x) - x.ln()).abs() <= 1e-15 * x.ln().abs().max(0.01), "ln({x})");
        }
        assert!((ln(1e300) - 1e300_f64.ln()).abs() < 1e-12);
        assert!([0.0, -1.0, f64::NAN, f64::INFINITY].iter().all(|&x| ln(x).is_nan()));
    }

    #[test]
    fn selected_quantiles_equal_sorted_ones() {
        let mut random = crate::random::Random::new(2);
        for count in (0..40).chain([1000]) {
            let values: Vec<f64> = (0..count).map(|_| (random.unit() * 50.0).floor() - 25.0).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let shares = [0.0, 0.05, 0.5, 0.51, 0.95, 1.0];
            let expected = shares.map(|share| quantile_sorted(&sorted, share).to_bits());
            assert_eq!(quantiles(&values, shares).map(f64::to_bits), expected);
        }
    }

    #[test]
    fn quantiles_interpolate_as_numpy_does() {
        // numpy.quantile([1, 2, 4, 8], [0, 0.05, 0.5, 0.95, 1])
        let values = [1.0, 2.0, 4.0, 8.0];
        let found: Vec<f64> = [0.0, 0.05, 0.5, 0.95, 1.0].map(|q| quantile_sorted(&values, q)).to_vec();
        for (found, expected) in found.iter().zip([1.0, 1.15, 3.0, 7.4, 8.0]) {
            assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        }
        assert!(quantile_sorted(&[], 0.5).is_nan());
        assert_eq!(quantile_sorted(&[3.0], 0.95), 3.0);
    }
}
