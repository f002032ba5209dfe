//! f32 and f64 behind one name, so that the batched passes are written once: training runs in f32, scores in f64.
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Sub};

use crate::math;

/// What the passes need of a floating-point type.
pub trait Real:
    Copy
    + std::fmt::Debug
    + Default
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + MulAssign
    + 'static
{
    const ZERO: Self;
    const ONE: Self;

    /// The nearest value.
    #[must_use]
    fn from_f64(value: f64) -> Self;
    /// Exactly the same value.
    fn to_f64(self) -> f64;
    /// The square root, correctly rounded.
    #[must_use]
    fn root(self) -> Self;
    /// The hyperbolic tangent of each, without a branch, the same on every platform.
    fn tanh_lane(values: &mut [Self]);
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn from_f64(value: f64) -> Self {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn root(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    #[allow(clippy::inline_always)] // It must be compiled anew within the caller's features.
    fn tanh_lane(values: &mut [Self]) {
        math::tanh_lane(values);
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[allow(clippy::cast_possible_truncation)] // Rounding is the purpose.
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn root(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    #[allow(clippy::inline_always)] // It must be compiled anew within the caller's features.
    fn tanh_lane(values: &mut [Self]) {
        for value in values {
            *value = tanh(*value);
        }
    }
}

/// tanh as the quotient of two polynomials in x² (the one of the Eigen library, MPL 2.0, whose coefficients
/// are a minimax fit); within 5e-7 of the true value. Beyond ±7.9 it is that of 7.9, which rounds to 1.
#[inline(always)]
#[allow(clippy::inline_always)]
fn tanh(x: f32) -> f32 {
    const ABOVE: [f32; 7] = [
        -2.760_768_4e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297_3e-8,
        1.485_722_35e-5,
        6.372_619_5e-4,
        4.893_524_6e-3,
    ];
    const BELOW: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_7e-3, 4.893_525e-3];
    let x = x.clamp(-7.905_311, 7.905_311);
    let square = x * x;
    let above = ABOVE.iter().fold(0.0, |sum, factor| sum * square + factor) * x;
    let below = BELOW.iter().fold(0.0, |sum, factor| sum * square + factor);
    above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrow_tanh_is_within_half_a_millionth() {
        let mut lane: Vec<f32> = (-12_000_i16..=12_000).map(|step| 1e-3 * f32::from(step)).collect();
        lane.extend([1e-30, -0.0, 1e9, f32::INFINITY, f32::NEG_INFINITY]);
        let expected: Vec<f64> = lane.iter().map(|&x| math::tanh(f64::from(x))).collect();
        f32::tanh_lane(&mut lane);
        for (found, expected) in lane.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 5e-7, "{found} {expected}");
        }
    }
}
