//! The values of one channel in a window, with mean, variance, extremes and quantiles maintained.
//!
//! Two views of the known values are kept: the order of time (to know what leaves) and the order of
//! size (for extremes and quantiles). Sums are taken over x − k, k near the median, with the rounding
//! error of each addition carried along; when a removal or a drift would cost digits, they are taken
//! anew. So mean and variance stay within 1e-9 of a two-pass computation, whatever passes through.
use std::collections::VecDeque;

use crate::math::quantile_sorted;

/// A sum that keeps what each addition rounds away (Neumaier).
#[derive(Debug, Clone, Copy, Default)]
struct ExactSum {
    sum: f64,
    lost: f64,
}

impl ExactSum {
    fn add(&mut self, value: f64) {
        let total = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - total) + value
        } else {
            (value - total) + self.sum
        };
        self.sum = total;
    }

    fn value(self) -> f64 {
        self.sum + self.lost
    }
}

/// Values of one channel; NaN is unknown and takes part in nothing.
#[derive(Debug, Clone, Default)]
pub struct Series {
    by_time: VecDeque<f64>,
    by_size: Vec<f64>,
    shift: f64,
    sum: ExactSum,
    squares: ExactSum,
    positive: usize,
    removals: usize,
}

impl Series {
    /// Adds `value` at `place` in the order of time.
    pub fn insert(&mut self, place: usize, value: f64) {
        self.by_time.insert(place, value);
        if value.is_nan() {
            return;
        }
        let rank = self.by_size.partition_point(|&other| other < value);
        self.by_size.insert(rank, value);
        self.positive += usize::from(value > 0.0);
        if self.by_size.len() == 1 {
            self.retake();
        } else {
            let distance = value - self.shift;
            self.sum.add(distance);
            self.squares.add(distance * distance);
        }
    }

    /// Removes the value that is oldest by time.
    pub fn drop_oldest(&mut self) {
        let Some(value) = self.by_time.pop_front().filter(|value| !value.is_nan()) else { return };
        let rank = self.by_size.partition_point(|&other| other < value);
        self.by_size.remove(rank);
        self.positive -= usize::from(value > 0.0);
        let (distance, before) = (value - self.shift, self.squares.value());
        self.sum.add(-distance);
        self.squares.add(-distance * distance);
        self.removals += 1;
        // A removal that takes nearly all of the sum leaves mostly rounding error behind.
        let cancelled = self.squares.value() < before * 1e-3;
        if cancelled || self.removals > self.by_size.len() {
            self.retake();
        }
    }

    /// Takes the sums anew around the median, whose distance from the mean is at most one deviation.
    fn retake(&mut self) {
        self.shift = self.by_size.get(self.by_size.len() / 2).copied().unwrap_or(0.0);
        (self.sum, self.squares, self.removals) = (ExactSum::default(), ExactSum::default(), 0);
        for &value in &self.by_size {
            let distance = value - self.shift;
            self.sum.add(distance);
            self.squares.add(distance * distance);
        }
    }

    #[allow(clippy::cast_precision_loss)] // At most 65,536 values.
    fn known(&self) -> f64 {
        self.by_size.len() as f64
    }

    /// Mean of the known values.
    pub fn mean(&self) -> f64 {
        if self.by_size.is_empty() { f64::NAN } else { self.shift + self.sum.value() / self.known() }
    }

    /// Sample variance (n − 1); NaN for fewer than two known values.
    pub fn variance(&self) -> f64 {
        let n = self.known();
        if n < 2.0 {
            return f64::NAN;
        }
        let (sum, squares) = (self.sum.value(), self.squares.value());
        let spread = squares - sum * sum / n;
        // The shift is far from the mean: a second pass costs more, but nothing is lost.
        if spread < squares * 0.01 { self.two_pass_variance() } else { spread / (n - 1.0) }
    }

    fn two_pass_variance(&self) -> f64 {
        let mean = self.mean();
        let mut squares = ExactSum::default();
        for &value in &self.by_size {
            squares.add((value - mean) * (value - mean));
        }
        squares.value() / (self.known() - 1.0)
    }

    /// Smallest known value.
    pub fn min(&self) -> f64 {
        self.by_size.first().copied().unwrap_or(f64::NAN)
    }

    /// Largest known value.
    pub fn max(&self) -> f64 {
        self.by_size.last().copied().unwrap_or(f64::NAN)
    }

    /// Quantile by linear interpolation.
    pub fn quantile(&self, share: f64) -> f64 {
        quantile_sorted(&self.by_size, share)
    }

    /// Sum of the known values.
    pub fn total(&self) -> f64 {
        if self.by_size.is_empty() { f64::NAN } else { self.shift * self.known() + self.sum.value() }
    }

    /// Share of the known values that are above 0.
    #[allow(clippy::cast_precision_loss)] // At most 65,536 values.
    pub fn positive_share(&self) -> f64 {
        if self.by_size.is_empty() { f64::NAN } else { self.positive as f64 / self.known() }
    }
}
