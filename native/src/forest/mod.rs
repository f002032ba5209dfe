//! Isolation Forest as published (Liu, Ting, Zhou 2008): fit, score, explain, merge, save and load.
//!
//! A row's score is 2^(−E\[h\] / c(ψ)), 0–1: E\[h\] is its mean path length over all trees, c(ψ) the mean
//! path length of an unsuccessful search in a binary tree of ψ rows. In a forest of trees of different
//! samples or weights it is the weighted mean of h / c(ψ), each tree with its own ψ. Rows are compared as
//! f32; NaN is unknown and follows the larger child of a split; infinities are refused by fit.
//!
//! [`Forest::reference_score`] is the definition. The layouts for speed are made at first use and give
//! the same bits.
pub mod batch;
pub mod change;
pub mod codec;
mod column;
#[cfg(target_arch = "x86_64")]
mod column_wide;
mod compact;
mod credit;
pub mod explain;
pub mod fit;
mod flat;
mod follow;
mod grow;
pub mod lengths;
pub mod merge;
pub mod params;
mod sample;
mod split;
pub mod summary;
pub mod tree;
pub mod weighting;
#[cfg(target_arch = "x86_64")]
mod wide;

use std::sync::OnceLock;

use crate::math;
use compact::Compact;
use credit::CreditTable;
use flat::Flat;
use lengths::{Harmonic, PathLengths};
use summary::FeatureSummary;
use tree::Tree;

/// Name and unit of a feature, as the forest keeps it for its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureName {
    pub name: String,
    pub unit: String,
}

/// A fitted forest.
#[derive(Debug, Clone)]
pub struct Forest {
    head: Head,
    trees: Vec<Tree>,
    lengths: PathLengths,
    /// Of each tree, what its path length is multiplied by before the sum.
    factors: Vec<f64>,
    /// Steps of 1 that the parts of a sum are multiples of, a power of two.
    steps: f64,
    layout: OnceLock<Layout>,
    credit_table: OnceLock<Box<CreditTable>>,
}

/// What a forest is, besides its trees.
#[derive(Debug, Clone, PartialEq)]
struct Head {
    fingerprint: String,
    features: Vec<FeatureName>,
    summaries: Vec<FeatureSummary>,
    seed: u64,
    /// Rows that each tree was grown from; the largest of a merged forest.
    sample_size: usize,
    /// Rows that the forest was fitted on.
    rows: u64,
    harmonic: Harmonic,
}

#[derive(Debug, Clone)]
enum Layout {
    Compact(Box<Compact>),
    Flat(Box<Flat>),
    Plain,
}

/// Equal when they are the same model; how far the layouts are made does not matter.
impl PartialEq for Forest {
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head && self.trees == other.trees
    }
}

impl Forest {
    /// Puts a forest together; there is at least one tree.
    #[allow(clippy::cast_precision_loss)] // At most 10,000 trees.
    fn assemble(head: Head, trees: Vec<Tree>) -> Self {
        let lengths = PathLengths::with(head.sample_size, head.harmonic);
        let total: f64 = trees.iter().map(Tree::weight).sum();
        let factor = |tree: &Tree| {
            let expected = lengths.of(tree.sample_size());
            // A tree of one row cannot tell anything apart; its part is that of an expected path.
            if expected == 0.0 { tree.weight() / total } else { tree.weight() / (total * expected) }
        };
        let factors: Vec<f64> = trees.iter().map(factor).collect();
        // Each split leaves at least one row behind, so a path is shorter than its tree's rows are many.
        let longest = |tree: &Tree| tree.sample_size().saturating_sub(1).max(1) as f64;
        let most = trees.iter().zip(&factors).map(|(tree, factor)| longest(tree) * factor).sum();
        Self {
            head,
            trees,
            lengths,
            factors,
            steps: finest_steps(most),
            layout: OnceLock::new(),
            credit_table: OnceLock::new(),
        }
    }

    /// Fingerprint of the feature list that it was fitted on.
    pub fn fingerprint(&self) -> &str {
        &self.head.fingerprint
    }

    /// Names and units of its features.
    pub fn features(&self) -> &[FeatureName] {
        &self.head.features
    }

    /// Median and range of each feature in training.
    pub fn summaries(&self) -> &[FeatureSummary] {
        &self.head.summaries
    }

    /// The seed that it was fitted with.
    pub fn seed(&self) -> u64 {
        self.head.seed
    }

    /// Rows that each tree was grown from; the largest of a merged forest.
    pub fn sample_size(&self) -> usize {
        self.head.sample_size
    }

    /// Rows that it was fitted on.
    pub fn rows(&self) -> u64 {
        self.head.rows
    }

    /// How its harmonic numbers are taken.
    pub fn harmonic(&self) -> Harmonic {
        self.head.harmonic
    }

    /// Its trees.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The score of one row, one value a feature; a feature missing at the end counts as unknown.
    pub fn score(&self, row: &[f64]) -> f64 {
        match self.layout() {
            Layout::Compact(compact) => score_of(compact.sum(row)),
            Layout::Flat(flat) => score_of(flat.sum(row)),
            Layout::Plain => self.reference_score(row),
        }
    }

    /// The score by the definition: each tree walked node by node, and the parts summed.
    pub fn reference_score(&self, row: &[f64]) -> f64 {
        let row = self.narrow(row);
        let part = |(tree, &factor): (&Tree, &f64)| {
            let length = tree.path_length(&row, &self.lengths);
            self.part(tree.sample_size(), length, factor)
        };
        score_of(self.trees.iter().zip(&self.factors).fold(0.0, |sum, tree| sum + part(tree)))
    }

    /// What a leaf at `level` for `size` rows adds to the sum; a tree without splits is its own leaf.
    fn leaf_value(&self, level: u32, size: u32, factor: f64) -> f64 {
        let rows = if level == 0 { size as usize } else { self.sample_size() };
        self.part(rows, f64::from(level) + self.lengths.of(size as usize), factor)
    }

    /// What a path adds to the sum, in steps so fine that no sum is rounded: it is the same in whatever order its
    /// parts are added, and what one tree added can be taken out again.
    fn part(&self, rows: usize, length: f64, factor: f64) -> f64 {
        let part = if rows < 2 { factor } else { length * factor };
        (part * self.steps).round_ties_even() / self.steps
    }

    fn layout(&self) -> &Layout {
        self.layout.get_or_init(|| {
            if let Some(compact) = Compact::of(self) {
                return Layout::Compact(Box::new(compact));
            }
            Flat::of(self).map_or(Layout::Plain, |flat| Layout::Flat(Box::new(flat)))
        })
    }

    fn compact(&self) -> Option<&Compact> {
        if let Layout::Compact(compact) = self.layout() { Some(compact) } else { None }
    }

    #[allow(clippy::cast_possible_truncation)] // Trees compare f32, in fit and in score.
    fn narrow(&self, row: &[f64]) -> Vec<f32> {
        (0..self.features().len())
            .map(|index| row.get(index).map_or(f32::NAN, |&value| value as f32))
            .collect()
    }
}

/// The most steps of 1, a power of two, of which a sum up to `most` keeps every one; half of the room is left for
/// parts that were rounded up.
fn finest_steps(most: f64) -> f64 {
    const ROOM: f64 = 4_503_599_627_370_496.0; // 2⁵²
    let halved = std::iter::successors(Some(ROOM), |steps| Some(steps / 2.0));
    halved.take_while(|&steps| steps >= 1.0).find(|steps| most * steps <= ROOM).unwrap_or(1.0)
}

/// The score of a weighted mean of path lengths, each over its expectation.
fn score_of(mean: f64) -> f64 {
    math::exp(-std::f64::consts::LN_2 * mean)
}
