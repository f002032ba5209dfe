//! What training saw of each feature, kept in the model so that reasons can say what was usual.
use crate::math::quantiles;

/// Median and 5th to 95th percentile of a feature's known values; NaN when none was known.
#[derive(Debug, Clone, Copy)]
pub struct FeatureSummary {
    pub median: f64,
    pub p5: f64,
    pub p95: f64,
}

/// Equal bit by bit, so that two forests with unknown features can be equal.
impl PartialEq for FeatureSummary {
    fn eq(&self, other: &Self) -> bool {
        let bits = |summary: &Self| [summary.median, summary.p5, summary.p95].map(f64::to_bits);
        bits(self) == bits(other)
    }
}

/// The summary of one column of row-major `rows`.
pub fn summarize(rows: &[f64], columns: usize, column: usize) -> FeatureSummary {
    let column = rows.iter().skip(column).step_by(columns);
    let known: Vec<f64> = column.copied().filter(|value| !value.is_nan()).collect();
    let [p5, median, p95] = quantiles(&known, [0.05, 0.5, 0.95]);
    FeatureSummary { median, p5, p95 }
}
