//! Standardising: (value − mean) / standard deviation of each column's known values, cut to ±20.
//!
//! Done in f32 exactly as the graph does it, so that training, scoring and the file see the same
//! numbers. A column that never varied or was never known passes as 0 and is out of the loss.
use super::CLIP;

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
    pub fn standardise(&self, row: &[f64]) -> (Vec<f64>, Vec<bool>) {
        let clip = CLIP as f32;
        let columns = self.means.iter().zip(&self.factors).enumerate();
        columns
            .map(|(index, (mean, factor))| {
                let value = row.get(index).map_or(f32::NAN, |&value| value as f32);
                let known = !value.is_nan() && *factor != 0.0;
                let scaled = if known { ((value - mean) * factor).clamp(-clip, clip) } else { 0.0 };
                (f64::from(scaled), known)
            })
            .unzip()
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Rows are few; the file keeps f32.
fn measure_column(rows: &[f64], columns: usize, column: usize) -> (f32, f32) {
    let known = || rows.iter().skip(column).step_by(columns).filter(|value| !value.is_nan());
    let count = known().count() as f64;
    if count == 0.0 {
        return (0.0, 0.0);
    }
    let mean = known().sum::<f64>() / count;
    let variance = known().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    let deviation = variance.sqrt();
    // A deviation that f32 cannot tell from the mean's own rounding is none.
    let factor = if deviation > mean.abs() * 1e-6 { (1.0 / deviation) as f32 } else { 0.0 };
    (mean as f32, if factor.is_normal() { factor } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_standardised_by_their_known_values_and_cut_at_twenty() {
        let scaler = Scaler::measure(&[1.0, 7.0, f64::NAN, 3.0, 7.0, f64::NAN, f64::NAN, 7.0, f64::NAN], 3);
        assert_eq!((scaler.means()[0], scaler.factors()), (2.0, &[1.0, 0.0, 0.0][..]));
        assert_eq!(scaler.standardise(&[3.0, 9.0, 1.0]), (vec![1.0, 0.0, 0.0], vec![true, false, false]));
        assert_eq!(scaler.standardise(&[1e30, 7.0, 1.0]).0[0], 20.0);
        assert_eq!(scaler.standardise(&[f64::NAN]), (vec![0.0; 3], vec![false; 3]));
    }
}
