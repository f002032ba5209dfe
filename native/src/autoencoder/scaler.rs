//! Standardising: (value − mean) / deviation of each column's known values, cut to ±[`CLIP`].
//!
//! Mean and deviation are Winsorised: values beyond the 1st and 99th percentile are taken as these, so that
//! a few wild ones in training cannot hide what comes later. Average precision over five families of public
//! data (tables, servers, routers, cloud metrics, round-trip times): 0.349; plain deviation 0.344, a blend
//! with the quartiles 0.337, the quartiles alone 0.326 (a counter that is mostly 0 gets too small a scale),
//! ranks 0.299. The cut at ±20: ±10 0.346, ±15 0.348, ±30 0.347.
//!
//! A column that hardly varies is scaled by what it can vary by: the step from its median to the nearest other value,
//! which is one record for a frequency and the last decimal for a measure, and a thousandth of the median at least. Else
//! one record more in a window of a line that reports evenly would stand twenty deviations out. Columns that stand at 0,
//! such as retries, keep their deviation: with the step in its place, six calm simulated lines of six hours, trained on
//! ten minutes, had 15 false episodes a day where they have 7.
//!
//! Done in f32 exactly as the graph does it, so that training, scoring and the file see the same
//! numbers. A column that never varied or was never known passes as 0 and is out of the loss; to let the
//! first error in such a column count, once it moves, changed no figure (0.339 with and without).
use super::CLIP;
use crate::math::quantiles;

/// Share of a column's values on each side that count as the value at this share.
const WINSORISED: f64 = 0.01;
/// No deviation is less than this share of the column's median.
const LEAST_SHARE: f64 = 0.001;

/// Mean and reciprocal deviation of each column.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaler {
    means: Vec<f32>,
    /// 0 marks a column that is out of use.
    factors: Vec<f32>,
}

impl Scaler {
    /// Measures row-major `rows`.
    pub fn measure(rows: &[f64], columns: usize) -> Self {
        let (means, factors) = (0..columns).map(|column| measure_column(rows, columns, column)).unzip();
        Self { means, factors }
    }

    /// A scaler with given figures.
    pub fn from_parts(means: Vec<f32>, factors: Vec<f32>) -> Self {
        Self { means, factors }
    }

    /// How many columns it knows.
    pub fn columns(&self) -> usize {
        self.means.len()
    }

    /// Means by column.
    pub fn means(&self) -> &[f32] {
        &self.means
    }

    /// Reciprocal deviations by column, 0 for a column out of use.
    pub fn factors(&self) -> &[f32] {
        &self.factors
    }

    /// The standardised row, and which of its values count.
    #[allow(clippy::cast_possible_truncation)] // The graph's input is f32.
    pub fn standardise(&self, row: &[f64]) -> (Vec<f32>, Vec<bool>) {
        let clip = CLIP as f32;
        let columns = self.means.iter().zip(&self.factors).enumerate();
        columns
            .map(|(index, (mean, factor))| {
                let value = row.get(index).map_or(f32::NAN, |&value| value as f32);
                let known = !value.is_nan() && *factor != 0.0;
                let scaled = if known { ((value - mean) * factor).clamp(-clip, clip) } else { 0.0 };
                (scaled, known)
            })
            .unzip()
    }
}

#[allow(clippy::cast_possible_truncation)] // The file keeps f32.
fn measure_column(rows: &[f64], columns: usize, column: usize) -> (f32, f32) {
    let values = rows.iter().skip(column).step_by(columns).copied();
    let known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    if known.is_empty() {
        return (0.0, 0.0);
    }
    let [low, middle, high] = quantiles(&known, [WINSORISED, 0.5, 1.0 - WINSORISED]);
    let (mut mean, mut deviation) = moments(&known, low, high);
    if !stands_out(deviation, mean) {
        // Nearly always the same: then the rare others are what it varies by.
        (mean, deviation) = (middle, moments(&known, f64::NEG_INFINITY, f64::INFINITY).1);
    }
    let step = if middle == 0.0 { 0.0 } else { step_from(&known, middle) };
    let least = step.max(LEAST_SHARE * middle.abs());
    let factor = if stands_out(deviation, mean) { (1.0 / deviation.max(least)) as f32 } else { 0.0 };
    (mean as f32, if factor.is_normal() { factor } else { 0.0 })
}

/// How far from `middle` the nearest other value is; 0 without one.
fn step_from(known: &[f64], middle: f64) -> f64 {
    let distances = known.iter().map(|value| (value - middle).abs());
    let nearest = distances.filter(|distance| stands_out(*distance, middle)).fold(f64::INFINITY, f64::min);
    if nearest.is_finite() { nearest } else { 0.0 }
}

/// A deviation that f32 cannot tell from the mean's own rounding is none.
fn stands_out(deviation: f64, mean: f64) -> bool {
    deviation > mean.abs() * 1e-6
}

/// Mean and standard deviation of the values, each first brought within the bounds.
#[allow(clippy::cast_precision_loss)] // Rows are few.
fn moments(values: &[f64], low: f64, high: f64) -> (f64, f64) {
    let within = || values.iter().map(|value| value.clamp(low, high));
    let count = values.len() as f64;
    let mean = within().sum::<f64>() / count;
    let variance = within().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn columns_are_standardised_by_their_known_values_and_cut_at_the_clip() {
        let scaler = Scaler::measure(&[1.0, 7.0, f64::NAN, 3.0, 7.0, f64::NAN, f64::NAN, 7.0, f64::NAN], 3);
        assert_eq!(scaler.means()[0], 2.0);
        assert!((scaler.factors()[0] - 1.0).abs() < 0.03 && scaler.factors()[1..] == [0.0, 0.0]);
        let (inputs, known) = scaler.standardise(&[3.0, 9.0, 1.0]);
        assert!(
            (inputs[0] - 1.0).abs() < 0.03 && inputs[1..] == [0.0, 0.0] && known == [true, false, false]
        );
        assert_eq!(f64::from(scaler.standardise(&[1e30, 7.0, 1.0]).0[0]), CLIP);
        assert_eq!(scaler.standardise(&[f64::NAN]), (vec![0.0; 3], vec![false; 3]));
    }

    #[test]
    fn half_a_percent_of_wild_values_hardly_moves_the_scale() {
        let mut random = Random::new(8);
        let mut values: Vec<f64> = (0..1000).map(|_| 50.0 + 2.0 * random.normal()).collect();
        let clean = Scaler::measure(&values, 1);
        values[..5].fill(1e9);
        let wild = Scaler::measure(&values, 1);
        assert!((wild.means()[0] - clean.means()[0]).abs() < 0.1);
        assert!((wild.factors()[0] / clean.factors()[0] - 1.0).abs() < 0.05);
    }

    #[test]
    fn a_column_that_hardly_ever_moves_from_0_is_scaled_by_its_rare_values() {
        let mut values = vec![0.0; 1000];
        values[..4].fill(10.0);
        let scaler = Scaler::measure(&values, 1);
        assert!(scaler.means()[0] == 0.0 && (1.0 / scaler.factors()[0] - 0.631).abs() < 0.01);
    }

    #[test]
    fn one_record_more_in_a_window_is_one_step_and_half_of_them_are_many() {
        let evenly: Vec<f64> = (0..2000).map(|at| if at % 400 == 0 { 31.0 } else { 30.0 } / 30.0).collect();
        let scaler = Scaler::measure(&evenly, 1);
        let standardised = |records: f64| scaler.standardise(&[1.0 + records / 30.0]).0[0];
        assert!(standardised(1.0).abs() < 1.05, "{}", standardised(1.0));
        assert!(standardised(-15.0) < -14.0);
    }

    #[test]
    fn a_thousandth_of_a_value_that_hardly_varies_is_no_more_than_one_deviation() {
        let values: Vec<f64> = (0..2000).map(|at| 20.0 + 1e-4 * f64::from(at % 3)).collect();
        let scaler = Scaler::measure(&values, 1);
        assert!(scaler.standardise(&[20.02]).0[0].abs() < 1.05);
    }
}
