//! How far each record of a series is from a slow and from a fast level of its channels.
//!
//! The slow level weighs the recent quarter of all it saw; the fast one follows within a few records and is
//! measured against the long-run size of its own errors. Steps are clipped at five deviations (Huber's ψ), so
//! that no outlier moves a level far. `slow` adds up the far channels over some twenty records; `fast` takes
//! the farthest channel over some ten and finds jumps. Neither is a probability: `calibrate` makes them one.
//! The constants were chosen on labelled series of four kinds, as a whole and not one kind by one. It serves
//! the evaluation of series; the engine does not use it yet.
use crate::math::{ln, quantile_sorted};

/// A value moves a level by at most so many deviations.
const CLIP: f64 = 5.0;
/// A level's rate is this over the records seen.
const RECENT: f64 = 4.0;
const MAX_RATE: f64 = 0.5;
/// The fast level never follows slower than this.
const FAST_RATE: f64 = 0.3;
/// Smoothing of the scores, spans of 19 and 9 records.
const SLOW_SMOOTHING: f64 = 0.1;
const FAST_SMOOTHING: f64 = 0.2;
/// |z| beyond this counts in `slow`.
const SLOW_FREE: f64 = 3.0;
/// |z| beyond this says no more in `fast`.
const FAST_MAX: f64 = 8.0;
/// Deviations from the median absolute and from the mean absolute deviation of normal values.
const MAD_TO_DEVIATION: f64 = 1.4826;
const MEAN_TO_DEVIATION: f64 = 1.2533;
/// A scale is at least this share of the first level.
pub(super) const MIN_SHARE: f64 = 1e-3;
pub(super) const MIN_SCALE: f64 = 1e-9;

/// A record's scores, 0 and up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    pub slow: f64,
    pub fast: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Level {
    mean: f64,
    variance: f64,
}

impl Level {
    fn z(self, value: f64, floor: f64) -> f64 {
        (value - self.mean) / self.variance.sqrt().max(floor)
    }

    fn learn(&mut self, value: f64, floor: f64, rate: f64, scale_rate: f64) {
        let deviation = self.variance.sqrt().max(floor);
        let z = self.z(value, floor).clamp(-CLIP, CLIP);
        self.mean += rate * deviation * z;
        self.variance += scale_rate * (deviation * deviation * z * z - self.variance);
    }
}

/// A channel whose level is known.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Channel {
    slow: Level,
    fast: Level,
    floor: f64,
}

impl Channel {
    /// From the finite ones of its first values; none without any.
    fn start(values: Vec<f64>) -> Option<Self> {
        let (mean, deviation) = middle_and_deviation(values)?;
        let level = Level { mean, variance: deviation * deviation };
        Some(Self { slow: level, fast: level, floor: MIN_SHARE * mean.abs() + MIN_SCALE })
    }
}

/// Median and robust standard deviation of the finite values; none without any.
pub(super) fn middle_and_deviation(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.retain(|value| value.is_finite());
    if values.is_empty() {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let middle = quantile_sorted(&values, 0.5);
    for value in &mut values {
        *value = (*value - middle).abs();
    }
    values.sort_unstable_by(f64::total_cmp);
    let median = MAD_TO_DEVIATION * quantile_sorted(&values, 0.5);
    #[allow(clippy::cast_precision_loss)] // A count of values.
    let mean = MEAN_TO_DEVIATION * values.iter().sum::<f64>() / values.len() as f64;
    Some((middle, if median > 0.0 { median } else { mean }))
}

/// The levels of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoSpeed {
    channels: Vec<Option<Channel>>,
    /// Records scored, and those that the first levels stand on.
    seen: f64,
    first: f64,
    smoothed: Option<Scores>,
}

impl TwoSpeed {
    /// First levels and scales of so many channels, from row-major rows; NaN is unknown.
    #[allow(clippy::cast_precision_loss)] // Counts of rows.
    pub fn new(columns: usize, first_rows: &[f64]) -> Self {
        let column = |at: usize| first_rows.iter().skip(at).step_by(columns).copied().collect();
        let channels = (0..columns).map(|at| Channel::start(column(at))).collect();
        let first = (first_rows.len() / columns.max(1)) as f64;
        Self { channels, seen: 0.0, first, smoothed: None }
    }

    pub fn columns(&self) -> usize {
        self.channels.len()
    }

    /// Scores a record in channel order, then learns it. What is not finite adds nothing and teaches nothing.
    pub fn push(&mut self, values: &[f64]) -> Scores {
        let rate = MAX_RATE.min(RECENT / (self.seen.max(self.first) + 1.0));
        let (mut far, mut jump) = (0.0, 0.0_f64);
        for (channel, &value) in self.channels.iter_mut().zip(values) {
            if !value.is_finite() {
                continue;
            }
            let Some(channel) = channel else {
                *channel = Channel::start(vec![value]);
                continue;
            };
            let floor = channel.floor;
            let slow = channel.slow.z(value, floor).abs();
            far += ln(1.0 + (slow - SLOW_FREE).max(0.0));
            jump = jump.max(channel.fast.z(value, floor).abs().min(FAST_MAX));
            channel.slow.learn(value, floor, rate, rate);
            channel.fast.learn(value, floor, rate.max(FAST_RATE), rate);
        }
        self.seen += 1.0;
        self.smooth(far, jump)
    }

    fn smooth(&mut self, far: f64, jump: f64) -> Scores {
        let last = self.smoothed.unwrap_or(Scores { slow: far, fast: jump });
        let slow = last.slow + SLOW_SMOOTHING * (far - last.slow);
        let fast = last.fast + FAST_SMOOTHING * (jump - last.fast);
        self.smoothed = Some(Scores { slow, fast });
        Scores { slow: ln(1.0 + slow), fast: ln(1.0 + fast) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn noise(random: &mut Random) -> f64 {
        random.unit() + random.unit() + random.unit() - 1.5
    }

    fn calm(random: &mut Random) -> TwoSpeed {
        let rows: Vec<f64> = (0..40).map(|_| noise(random)).collect();
        let mut levels = TwoSpeed::new(2, &rows);
        for _ in 0..500 {
            levels.push(&[noise(random), noise(random)]);
        }
        levels
    }

    #[test]
    fn a_moved_level_is_told_by_the_fast_score_first_and_forgotten_as_it_is_learnt() {
        let mut random = Random::new(1);
        let mut levels = calm(&mut random);
        levels.push(&[0.0, 0.0]);
        let moved: Vec<Scores> = (0..60).map(|_| levels.push(&[6.0 + noise(&mut random), 0.0])).collect();
        let peak = |of: fn(&Scores) -> f64| {
            (0..moved.len()).max_by(|&a, &b| of(&moved[a]).total_cmp(&of(&moved[b]))).unwrap()
        };
        let (fast, slow) = (peak(|score| score.fast), peak(|score| score.slow));
        assert!(fast < slow && slow < 20, "{fast} {slow}");
        assert!(moved[fast].fast > 1.5 && moved[slow].slow > 0.7, "{moved:?}");
        assert!(moved[59].fast < 0.5 * moved[fast].fast && moved[59].slow < 0.1, "{moved:?}");
    }

    #[test]
    fn one_outlier_hardly_moves_a_level() {
        let mut random = Random::new(2);
        let mut levels = calm(&mut random);
        levels.push(&[1e9, 0.0]);
        let channel = levels.channels[0].unwrap();
        assert!(channel.slow.mean.abs() < 0.3 && channel.slow.variance.sqrt() < 1.0, "{channel:?}");
    }

    #[test]
    fn unknown_values_add_nothing_and_a_channel_begins_with_its_first_value() {
        let mut levels = TwoSpeed::new(2, &[1.0, f64::NAN, 2.0, f64::NAN, 3.0, f64::INFINITY]);
        assert_eq!(levels.push(&[2.0, f64::NAN]), Scores { slow: 0.0, fast: 0.0 });
        assert_eq!(levels.push(&[2.0, 7.0]), Scores { slow: 0.0, fast: 0.0 });
        assert!(levels.push(&[2.0, 70.0]).fast > 0.0);
    }

    #[test]
    fn a_constant_channel_that_moves_is_far() {
        let mut levels = TwoSpeed::new(1, &[5.0; 20]);
        for _ in 0..100 {
            assert_eq!(levels.push(&[5.0]), Scores { slow: 0.0, fast: 0.0 });
        }
        assert!(levels.push(&[6.0]).slow > 0.3);
    }
}
