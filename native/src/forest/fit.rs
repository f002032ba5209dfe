//! Growing the trees: each from a sample without replacement, split at random until rows stand alone.
//!
//! A node picks a feature uniformly among those that vary in it and a threshold uniformly between the
//! feature's smallest and largest known value. A tree is at most ⌈log₂ ψ⌉ splits deep. Each tree has a
//! random stream of its own, so the order of growing them cannot matter. Nodes are grown breadth first,
//! which is the order that the codec writes.
use std::collections::HashSet;

use super::Forest;
use super::params::CheckedForestParams;
use super::summary::summarize;
use super::tree::{Node, PathLengths, Tree};
use crate::error::{Error, Result};
use crate::math::quantile_sorted;
use crate::random::Random;

/// A fitted forest with the threshold that the contamination asks for.
#[derive(Debug, Clone)]
pub struct Fitted {
    pub forest: Forest,
    /// The (1 − contamination) quantile of the training rows' scores.
    pub threshold: f64,
}

/// Fits a forest on row-major `rows`, one column a feature; NaN is unknown.
pub fn fit(rows: &[f64], params: CheckedForestParams) -> Result<Fitted> {
    let columns = params.features.len();
    let narrow = check_rows(rows, columns)?;
    let count = rows.len() / columns;
    let sample_size = params.sample_size.min(count);
    let grower = Grower { rows: &narrow, columns, max_depth: sample_size.next_power_of_two().ilog2() };
    let trees = (0..params.trees as u64)
        .map(|index| grower.grow(sample_size, &mut Random::for_part(params.seed, index)))
        .collect();
    let forest = Forest {
        summaries: (0..columns).map(|column| summarize(rows, columns, column)).collect(),
        fingerprint: params.fingerprint,
        features: params.features,
        seed: params.seed,
        sample_size,
        rows: count as u64,
        trees,
        lengths: PathLengths::up_to(sample_size),
    };
    let mut scores: Vec<f64> = rows.chunks_exact(columns).map(|row| forest.score(row)).collect();
    scores.sort_unstable_by(f64::total_cmp);
    let threshold = quantile_sorted(&scores, 1.0 - params.contamination);
    Ok(Fitted { forest, threshold })
}

#[allow(clippy::cast_possible_truncation)] // Trees compare f32; what does not fit is refused here.
fn check_rows(rows: &[f64], columns: usize) -> Result<Vec<f32>> {
    if rows.is_empty() || !rows.len().is_multiple_of(columns) {
        let length = rows.len();
        return Err(Error::new(format!("{length} values are no rows of {columns} features, at least one")));
    }
    if u32::try_from(rows.len() / columns).is_err() {
        return Err(Error::new("a forest is fitted on at most 2^32 − 1 rows"));
    }
    let narrow: Vec<f32> = rows.iter().map(|&value| value as f32).collect();
    match narrow.iter().position(|value| value.is_infinite()) {
        Some(place) => {
            let (row, column) = (place / columns, place % columns);
            Err(Error::new(format!("row {row}, feature {column} is infinite or beyond 3.4e38")))
        }
        None => Ok(narrow),
    }
}

struct Grower<'a> {
    rows: &'a [f32],
    columns: usize,
    max_depth: u32,
}

/// A split before its children's places are known.
struct Split {
    feature: usize,
    threshold: f32,
    missing_right: bool,
}

/// Rows still to be placed: a node's position, its range in the sample, its depth.
struct Pending {
    node: usize,
    start: usize,
    end: usize,
    depth: u32,
}

impl Grower<'_> {
    #[allow(clippy::cast_possible_truncation)] // Samples have at most 65,536 rows.
    fn grow(&self, sample_size: usize, random: &mut Random) -> Tree {
        let mut sample = self.sample(sample_size, random);
        let mut nodes = vec![Node::leaf(sample_size as u32)];
        let mut pending = vec![Pending { node: 0, start: 0, end: sample_size, depth: 0 }];
        let mut next = 0;
        while let Some(&Pending { node, start, end, depth }) = pending.get(next) {
            next += 1;
            if depth >= self.max_depth || end - start < 2 {
                continue;
            }
            let Some(split) = self.choose(&sample[start..end], random) else { continue };
            let middle = start + self.part(&mut sample[start..end], &split);
            let left = nodes.len();
            nodes[node] = Node {
                threshold: split.threshold,
                left: left as u32,
                size: (end - start) as u32,
                feature: split.feature as u16,
                missing_right: split.missing_right,
            };
            for (offset, (start, end)) in [(start, middle), (middle, end)].into_iter().enumerate() {
                nodes.push(Node::leaf((end - start) as u32));
                pending.push(Pending { node: left + offset, start, end, depth: depth + 1 });
            }
        }
        Tree::new(nodes)
    }

    /// Distinct rows, each set equally likely (Floyd's method): touches no more rows than it takes.
    #[allow(clippy::cast_possible_truncation)] // Fewer than 2³² rows is checked.
    fn sample(&self, size: usize, random: &mut Random) -> Vec<u32> {
        let count = self.rows.len() / self.columns;
        let (mut taken, mut sample) = (HashSet::with_capacity(size), Vec::with_capacity(size));
        for last in count - size..count {
            let drawn = random.below(last as u64 + 1) as u32;
            let row = if taken.insert(drawn) { drawn } else { last as u32 };
            taken.insert(row);
            sample.push(row);
        }
        sample
    }

    fn value(&self, row: u32, feature: usize) -> f32 {
        self.rows[row as usize * self.columns + feature]
    }

    /// A split of these rows, or none when no feature varies in them.
    #[allow(clippy::cast_possible_truncation)] // The drawn index is below a small count.
    fn choose(&self, rows: &[u32], random: &mut Random) -> Option<Split> {
        // Drawing features without putting back until one varies is uniform among those that vary.
        let mut order: Vec<usize> = (0..self.columns).collect();
        for left in (1..=order.len()).rev() {
            let feature = order.swap_remove(random.below(left as u64) as usize);
            let (low, high) = self.range(rows, feature);
            if low < high {
                let threshold = draw_between(low, high, random);
                let known = rows.iter().map(|&row| self.value(row, feature)).filter(|value| !value.is_nan());
                let (below, from) = known.fold((0, 0), |(below, from), value| {
                    if value < threshold { (below + 1, from) } else { (below, from + 1) }
                });
                return Some(Split { feature, threshold, missing_right: from > below });
            }
        }
        None
    }

    /// Smallest and largest known value; smallest above largest when none is known.
    fn range(&self, rows: &[u32], feature: usize) -> (f32, f32) {
        rows.iter().map(|&row| self.value(row, feature)).fold(
            (f32::INFINITY, f32::NEG_INFINITY),
            |(low, high), value| (low.min(value), high.max(value)), // Both pass NaN over.
        )
    }

    /// Puts the rows that go left in front; returns how many they are.
    fn part(&self, rows: &mut [u32], split: &Split) -> usize {
        let mut left = 0;
        for index in 0..rows.len() {
            let value = self.value(rows[index], split.feature);
            let right = if value.is_nan() { split.missing_right } else { value >= split.threshold };
            if !right {
                rows.swap(left, index);
                left += 1;
            }
        }
        left
    }
}

/// A threshold in (low, high], so that low goes left and high goes right whatever the rounding.
#[allow(clippy::cast_possible_truncation)] // Rounding to f32 is meant and corrected.
fn draw_between(low: f32, high: f32, random: &mut Random) -> f32 {
    let (low_wide, high_wide) = (f64::from(low), f64::from(high));
    let drawn = (high_wide - random.unit() * (high_wide - low_wide)) as f32;
    if drawn <= low { low.next_up() } else { drawn.min(high) }
}
