//! Isolation Forest as published (Liu, Ting, Zhou 2008): fit, score, explain, save and load.
//!
//! A row's score is 2^(−E\[h\] / c(ψ)), 0–1: E\[h\] is its mean path length over all trees, c(ψ) the mean
//! path length of an unsuccessful search in a binary tree of ψ rows. Rows are compared as f32; NaN is
//! unknown and follows the larger child of a split; infinities are refused by fit and never reach score.
pub mod codec;
pub mod explain;
pub mod fit;
pub mod params;
pub mod summary;
pub mod tree;

use crate::math;
use summary::FeatureSummary;
use tree::{PathLengths, Tree};

/// Name and unit of a feature, as the forest keeps it for its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureName {
    pub name: String,
    pub unit: String,
}

/// A fitted forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    fingerprint: String,
    features: Vec<FeatureName>,
    summaries: Vec<FeatureSummary>,
    seed: u64,
    /// Rows that each tree was grown from.
    sample_size: usize,
    /// Rows that the forest was fitted on.
    rows: u64,
    trees: Vec<Tree>,
    lengths: PathLengths,
}

impl Forest {
    /// Fingerprint of the feature list that it was fitted on.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Names and units of its features.
    pub fn features(&self) -> &[FeatureName] {
        &self.features
    }

    /// Median and range of each feature in training.
    pub fn summaries(&self) -> &[FeatureSummary] {
        &self.summaries
    }

    /// The seed that it was fitted with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Rows that each tree was grown from.
    pub fn sample_size(&self) -> usize {
        self.sample_size
    }

    /// Rows that it was fitted on.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Its trees.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The score of one row, one value a feature; a feature missing at the end counts as unknown.
    #[allow(clippy::cast_precision_loss)] // At most 10,000 trees.
    pub fn score(&self, row: &[f64]) -> f64 {
        let row = self.narrow(row);
        let total: f64 = self.trees.iter().map(|tree| tree.path_length(&row, &self.lengths)).sum();
        let expected = self.lengths.of(self.sample_size);
        // A forest of one row cannot tell anything apart: as for constant rows, the score is one half.
        if expected == 0.0 { 0.5 } else { score_of(total / self.trees.len() as f64, expected) }
    }

    #[allow(clippy::cast_possible_truncation)] // Trees compare f32, in fit and in score.
    fn narrow(&self, row: &[f64]) -> Vec<f32> {
        (0..self.features.len())
            .map(|index| row.get(index).map_or(f32::NAN, |&value| value as f32))
            .collect()
    }
}

fn score_of(mean_length: f64, expected: f64) -> f64 {
    math::exp(-std::f64::consts::LN_2 * mean_length / expected)
}
