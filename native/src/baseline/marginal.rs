//! How far each row of a table is from all of them, column by column: for rows that are independent.
//!
//! A column's robust z is its distance from the median over 1.4826 median absolute deviations. A row adds up
//! ln(1 + |z| − 2) over its columns beyond two deviations: many columns that are a little odd count as much as one
//! that is far off, and no single one decides. Joint oddities are for the forest and the autoencoder.
use super::two_speed::middle_and_deviation;
use crate::math::ln;

/// |z| up to this is nothing to wonder at.
const FREE: f64 = 2.0;
/// A scale is at least this share of the median.
const MIN_SHARE: f64 = 1e-3;
const MIN_SCALE: f64 = 1e-9;

/// Scores of row-major rows, one each, 0 and up; what is not finite in a row adds nothing.
pub fn marginal_scores(rows: &[f64], columns: usize) -> Vec<f64> {
    let mut scores = vec![0.0; rows.len() / columns.max(1)];
    for at in 0..columns {
        let column = || rows.iter().skip(at).step_by(columns).copied();
        let Some((middle, deviation)) = middle_and_deviation(column().collect()) else { continue };
        let scale = deviation.max(MIN_SHARE * middle.abs() + MIN_SCALE);
        for (score, value) in scores.iter_mut().zip(column()) {
            if value.is_finite() {
                *score += ln(1.0 + ((value - middle).abs() / scale - FREE).max(0.0));
            }
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_far_off_in_one_column_scores_by_its_robust_z() {
        // Medians 3 and 1; the first column's median absolute deviation is 1, the second's 0, its mean 1.8.
        let rows = [1.0, 1.0, 2.0, 1.0, 3.0, 1.0, 4.0, 1.0, 50.0, 10.0];
        let scores = marginal_scores(&rows, 2);
        assert_eq!(scores[..4], [0.0; 4]);
        let expected = (47.0 / 1.4826 - 1.0_f64).ln() + (9.0 / (1.2533 * 1.8) - 1.0_f64).ln();
        assert!((scores[4] - expected).abs() < 1e-9, "{} {expected}", scores[4]);
    }

    #[test]
    fn unknown_values_and_unknown_columns_add_nothing() {
        let rows = [1.0, f64::NAN, f64::NAN, f64::NAN, 1.0, f64::NAN, f64::INFINITY, f64::NAN];
        assert_eq!(marginal_scores(&rows, 2), [0.0; 4]);
    }
}
