//! How improbable a value is, in nats: −ln of a tail probability. 0 says nothing; 13 is one in 440,000.
//!
//! Closed forms and short series only, with a logarithm of its own and the exponential of [`crate::math`], so
//! that every platform gives the same bits. Errors, in nats: of the normal 0.01, of Student's 0.06, of a gamma
//! variable 0.15, of counts 0.02, far out 0.3.
use crate::math::exp;

/// No tail is told more extreme than this, so that sums stay small.
pub const MAX_NATS: f64 = 700.0;

/// Natural logarithm of a positive normal number to nine digits, which is plenty for surprises and takes half
/// the time of [`crate::math::ln`]; what is not positive counts as the smallest number that is.
pub fn ln(x: f64) -> f64 {
    let bits = x.max(f64::MIN_POSITIVE).to_bits();
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap)] // Exponents are small.
    let mut exponent = ((bits >> 52) as i64 - 1023) as f64;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        (mantissa, exponent) = (mantissa * 0.5, exponent + 1.0);
    }
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    // 2 artanh of the ratio, which is at most 0.172.
    let series = 1.0 + square * (1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0 + square * (1.0 / 9.0))));
    exponent * std::f64::consts::LN_2 + 2.0 * ratio * series
}

/// −ln P(|Z| ≥ |z|) of a standard normal Z.
///
/// erfc(x) = e^(−x²) · 2/√π / (x + √(x² + c)) with c going from 4/π at 0 to 2 far out; the two constants are
/// the classic bounds of Pólya and of Komatsu, the way between them is fitted (error below 0.005 nats).
pub fn normal_nats(z: f64) -> f64 {
    let x = z.abs() * std::f64::consts::FRAC_1_SQRT_2;
    let (near, far) = (4.0 / std::f64::consts::PI, 2.0);
    let c = near + (far - near) * x / (x + 0.7);
    let half_root_pi = 1.0 / std::f64::consts::FRAC_2_SQRT_PI;
    (x * x + ln(half_root_pi * (x + (x * x + c).sqrt()))).clamp(0.0, MAX_NATS)
}

/// −ln P(|T| ≥ |t|) of Student's t with `freedom` ≥ 1 degrees, by Wallace's transformation to a normal
/// deviate (1959): z = (8ν + 1) / (8ν + 3) · √(ν ln(1 + t²/ν)).
pub fn student_nats(t: f64, freedom: f64) -> f64 {
    let square = t * t;
    let part = square / freedom;
    // Nearly all values are near and known well: then four terms of the series have eight digits.
    let inner = if part < 0.01 {
        square * (1.0 - part * (0.5 - part * (1.0 / 3.0 - part * 0.25)))
    } else {
        freedom * ln(1.0 + part)
    };
    normal_nats((8.0 * freedom + 1.0) / (8.0 * freedom + 3.0) * inner.max(0.0).sqrt())
}

/// −ln P(G ≥ x) of a gamma variable with whole `shape` and scale 1: the sum of as many independent surprises.
/// A sum within a deviation of its mean says nothing: 0.
pub fn gamma_nats(shape: u32, x: f64) -> f64 {
    let mean = f64::from(shape);
    if x <= mean + mean.sqrt() {
        return 0.0;
    }
    if shape > 10 {
        // Wilson and Hilferty (1931): the cube root is nearly normal.
        let root = exp(ln(x / mean) / 3.0);
        let z = (root - (1.0 - 1.0 / (9.0 * mean))) * (9.0 * mean).sqrt();
        return (normal_nats(z) + std::f64::consts::LN_2).min(MAX_NATS);
    }
    let (mut term, mut sum) = (1.0, 1.0);
    for step in 1..shape {
        term *= x / f64::from(step);
        sum += term;
    }
    (x - ln(sum)).clamp(0.0, MAX_NATS)
}

/// −ln P(N ≥ count) of a negative binomial with this mean and `size` (infinite dispersion at 0, Poisson at ∞).
pub fn count_above_nats(count: f64, mean: f64, size: f64) -> f64 {
    if count <= 0.0 {
        return 0.0;
    }
    let share = mean / (mean + size);
    if count <= 40.0 {
        let above = 1.0 - lower_sum(count - 1.0, share, size);
        if above > 1e-6 {
            return -ln(above.min(1.0));
        }
    }
    // The first term of the tail, and the geometric series that bounds the rest.
    let ratio = share * (count + size) / (count + 1.0);
    // Up to the mean it is none.
    let rest = if ratio < 1.0 { -ln(1.0 - ratio) } else { MAX_NATS };
    (-ln_mass(count, share, size) - rest).clamp(0.0, MAX_NATS)
}

/// −ln P(N ≤ count) of the same, for means small enough to sum up to (count ≤ 64).
pub fn count_below_nats(count: f64, mean: f64, size: f64) -> f64 {
    let share = mean / (mean + size);
    let below = lower_sum(count.min(64.0), share, size);
    if below > 1e-290 { (-ln(below.min(1.0))).min(MAX_NATS) } else { MAX_NATS }
}

/// P(N ≤ last): the terms one by one.
fn lower_sum(last: f64, share: f64, size: f64) -> f64 {
    let (mut mass, mut sum, mut k) = (exp(size * ln(1.0 - share)), 0.0, 0.0);
    while k <= last {
        sum += mass;
        mass *= share * (k + size) / (k + 1.0);
        k += 1.0;
    }
    sum
}

fn ln_mass(count: f64, share: f64, size: f64) -> f64 {
    ln_gamma(count + size) - ln_gamma(count + 1.0) - ln_gamma(size)
        + count * ln(share)
        + size * ln(1.0 - share)
}

/// ln Γ(x) for x > 0, by Stirling's series after stepping up to 8.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < 8.0 {
        product *= x;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square / 1260.0));
    let half_ln_two_pi = 0.918_938_533_204_672_7;
    (x - 0.5) * ln(x) - x + half_ln_two_pi + series - ln(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, error: f64) {
        assert!((found - expected).abs() <= error, "{found} instead of {expected}");
    }

    #[test]
    fn the_short_logarithm_has_nine_digits() {
        for step in 1..100_000 {
            let x = f64::from(step) * 0.001_7;
            assert!((ln(x) - x.ln()).abs() < 1e-8, "ln({x})");
        }
        assert!(ln(0.0) < -700.0 && ln(f64::NAN) < -700.0 && ln(1e300) > 690.0);
    }

    #[test]
    fn normal_tails_agree_with_the_tables() {
        // −ln(2 · scipy.stats.norm.sf(z))
        for (z, nats) in [
            (0.0, 0.0),
            (1.0, 1.147_87),
            (2.0, 3.090_04),
            (3.0, 5.914_58),
            (5.0, 14.371_85),
            (8.0, 34.320_29),
        ] {
            close(normal_nats(z), nats, 0.01);
            close(normal_nats(-z), nats, 0.01);
        }
        assert!(normal_nats(1e9) <= MAX_NATS);
    }

    #[test]
    fn student_tails_are_wide_with_few_degrees_and_normal_with_many() {
        // −ln(2 · scipy.stats.t.sf(t, ν))
        for (t, freedom, nats) in
            [(3.0, 5.0, 3.503_3), (5.0, 10.0, 7.528_9), (6.0, 59.0, 15.860_9), (4.0, 1000.0, 9.595_9)]
        {
            close(student_nats(t, freedom), nats, 0.06);
        }
    }

    #[test]
    fn sums_of_surprises_follow_the_gamma_distribution() {
        // −ln(scipy.stats.gamma.sf(x, k))
        for (shape, x, nats) in [
            (1, 5.0, 5.0),
            (6, 20.0, 9.540_1),
            (7, 30.0, 15.958_4),
            (40, 80.0, 15.085_4),
            (100, 150.0, 12.036_4),
        ] {
            close(gamma_nats(shape, x), nats, 0.15);
        }
        assert_eq!(gamma_nats(6, 8.4), 0.0);
    }

    #[test]
    fn counts_follow_the_negative_binomial() {
        // Poisson as its limit: −ln(scipy.stats.poisson.sf(k − 1, μ))
        for (count, mean, nats) in [(1.0, 0.1, 2.352_2), (3.0, 0.1, 8.774_3), (10.0, 2.0, 9.976_1)] {
            close(count_above_nats(count, mean, 1e9), nats, 0.02);
        }
        // −ln(scipy.stats.nbinom.sf(k − 1, r, r / (r + μ)))
        close(count_above_nats(8.0, 1.0, 0.5), 4.413_8, 0.02);
        close(count_above_nats(60.0, 5.0, 2.0), 17.290_1, 0.3);
        close(count_below_nats(0.0, 20.0, 1e9), 20.0, 0.01);
        assert_eq!(count_above_nats(0.0, 3.0, 1.0), 0.0);
    }
}
