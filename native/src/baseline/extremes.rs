//! The lowest and the highest value that a channel has had, and how far a value goes beyond them.
//!
//! Of n records that are alike the next is beyond all of them with a chance of 2 / (n + 1), whatever their
//! distribution, so that on a line seen for long a new extreme is news by itself: a level need not be modelled to
//! tell. How far beyond is told in widths of what was seen. Extremes draw in towards the level, over ten times the
//! records seen, so that a glitch does not blind a channel for good. Eight bytes.

/// Extremes draw in over so many times the records seen.
const FORGET_TIMES: f32 = 10.0;
/// A width is at least this share of the extremes' size, and at least this.
const MIN_SHARE: f32 = 1e-3;
const MIN_WIDTH: f32 = 1e-9;

/// A channel's extremes; NaN when none is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extremes {
    low: f32,
    high: f32,
}

impl Extremes {
    pub const UNKNOWN: Self = Self { low: f32::NAN, high: f32::NAN };

    /// Of the finite ones among values.
    pub fn of(values: &[f32]) -> Self {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        finite.fold(Self::UNKNOWN, |known, value| Self {
            low: known.low.min(value),
            high: known.high.max(value),
        })
    }

    /// How far a finite value is beyond, in widths of what was seen, 0–1; then takes it in, and draws in towards the
    /// level by a rate ([`Self::rate`]).
    #[inline]
    pub fn push(&mut self, value: f32, level: f32, rate: f32) -> f32 {
        let Self { low, high } = *self;
        let beyond = (value - high).max(low - value);
        self.low = low.min(value);
        self.high = high.max(value);
        self.low += rate * (level - self.low).max(0.0);
        self.high -= rate * (self.high - level).max(0.0);
        if beyond <= 0.0 {
            return 0.0;
        }
        let width = (high - low).max(MIN_SHARE * high.abs().max(low.abs())).max(MIN_WIDTH);
        (beyond / width).min(1.0)
    }

    /// How fast extremes draw in after so many records.
    pub fn rate(seen: f32) -> f32 {
        1.0 / (FORGET_TIMES * seen.max(1.0))
    }

    /// Both, to be kept.
    pub(super) fn numbers(self) -> [f32; 2] {
        [self.low, self.high]
    }

    /// The same back; `None` when they are none.
    pub(super) fn of_numbers([low, high]: [f32; 2]) -> Option<Self> {
        let known = low.is_finite() && high.is_finite() && low <= high;
        (known || low.is_nan() && high.is_nan()).then_some(Self { low, high })
    }

    /// Whether any is known.
    pub(super) fn is_known(self) -> bool {
        !self.low.is_nan()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_beyond_all_others_is_told_once_and_in_widths_of_what_was_seen() {
        let mut extremes = Extremes::of(&[f32::NAN, 2.0, 4.0, 3.0]);
        assert_eq!(extremes.push(3.5, 3.0, 1e-7), 0.0);
        let near = |found: f32, expected: f32| (found - expected).abs() < 1e-4;
        assert!(near(extremes.push(4.5, 3.0, 1e-7), 0.25));
        assert!(near(extremes.push(4.5, 3.0, 1e-7), 0.0));
        assert!(near(extremes.push(1.0, 3.0, 1e-7), 0.4));
        assert_eq!(extremes.push(-1e30, 3.0, 1e-7), 1.0);
    }

    #[test]
    fn a_glitch_is_forgotten_as_records_pass_and_a_constant_channel_has_a_width() {
        let mut extremes = Extremes::of(&[5.0; 16]);
        assert!(extremes.push(5.001, 5.0, Extremes::rate(1000.0)) > 0.1);
        assert_eq!(extremes.push(1e9, 5.0, Extremes::rate(1000.0)), 1.0);
        for record in 0..200_000_u32 {
            #[allow(clippy::cast_precision_loss)]
            extremes.push(5.0, 5.0, Extremes::rate(1000.0 + record.min(1000) as f32));
        }
        assert!(extremes.push(1e6, 5.0, Extremes::rate(2000.0)) > 0.9, "{extremes:?}");
    }
}
