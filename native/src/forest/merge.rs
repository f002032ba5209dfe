//! Forests of the same features made into one, cut to a size, and renewed tree by tree.
//!
//! A fleet's forest is made of many gateways' trees without any row leaving them. Trees carry weights;
//! a merged forest's mean is the weighted mean of its parts' means. What training saw is told by the
//! parts' summaries, weighted by their rows: close to the percentiles of all rows when the parts are
//! alike, and no more than that.
use super::params::MAX_TREES;
use super::summary::FeatureSummary;
use super::tree::Tree;
use super::{Forest, Head};
use crate::error::{Error, Result};

/// Largest weight of a part or a tree.
pub const MAX_WEIGHT: f64 = 1e9;

impl Forest {
    /// Sum of its trees' weights.
    pub fn weight(&self) -> f64 {
        self.trees.iter().map(Tree::weight).sum()
    }

    /// One forest of all parts' trees, in their order. With `weights` each part's trees share its weight;
    /// without, every tree keeps its own.
    pub fn merge(parts: &[&Self], weights: Option<&[f64]>) -> Result<Self> {
        let Some(first) = parts.first() else { return Err(Error::new("there is no forest to merge")) };
        check_parts(first, parts, weights)?;
        let mut trees = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let scale = weights.map_or(1.0, |weights| weights[index] / part.weight());
            let scaled = |tree: &Tree| tree.clone().weighted(tree.weight() * scale);
            trees.extend(part.trees.iter().map(scaled));
        }
        check_trees(&trees)?;
        Ok(Self::assemble(merged_head(&first.head, parts), trees))
    }

    /// At most `count` trees that stand for all of them: picked at even steps of the running weight, each
    /// weighing as often as it is picked, so that every part keeps its share.
    #[allow(clippy::cast_precision_loss)] // At most 10,000 trees.
    pub fn prune(&self, count: usize) -> Result<Self> {
        if count == 0 {
            return Err(Error::new("a forest keeps at least one tree"));
        }
        if count >= self.trees.len() {
            return Ok(self.clone());
        }
        let step = self.weight() / count as f64;
        let (mut kept, mut running, mut picks) = (Vec::new(), 0.0, 0);
        for tree in &self.trees {
            running += tree.weight();
            let before = picks;
            while picks < count && (picks as f64 + 0.5) * step < running {
                picks += 1;
            }
            if picks > before {
                kept.push(tree.clone().weighted((picks - before) as f64));
            }
        }
        Ok(Self::assemble(self.head.clone(), kept))
    }

    /// The same forest with its `count` oldest trees replaced by the first `count` of `fresh`, which
    /// stand last then. Each takes over the weight of the one that it replaces.
    pub fn replace_trees(&self, fresh: &Self, count: usize) -> Result<Self> {
        check_parts(self, &[fresh], None)?;
        if count > self.trees.len().min(fresh.trees.len()) {
            return Err(Error::new(format!("there are fewer than {count} trees to replace")));
        }
        let (old, kept) = self.trees.split_at(count);
        let renewed = fresh.trees.iter().zip(old).map(|(tree, old)| tree.clone().weighted(old.weight()));
        let trees = kept.iter().cloned().chain(renewed).collect();
        let mut head = merged_head(&self.head, &[self, fresh]);
        head.rows = fresh.rows();
        Ok(Self::assemble(head, trees))
    }
}

fn check_parts(first: &Forest, parts: &[&Forest], weights: Option<&[f64]>) -> Result<()> {
    for part in parts {
        let same = part.fingerprint() == first.fingerprint()
            && part.features() == first.features()
            && part.harmonic() == first.harmonic();
        if !same {
            return Err(Error::new("forests of different features or harmonic numbers cannot be merged"));
        }
    }
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != parts.len() || !weights.iter().all(|&weight| is_weight(weight)) {
        return Err(Error::new(format!("weights must be {} numbers above 0, at most 1e9", parts.len())));
    }
    Ok(())
}

/// Whether a tree or a part may have this weight.
pub(super) fn is_weight(weight: f64) -> bool {
    weight.is_normal() && (0.0..=MAX_WEIGHT).contains(&weight)
}

fn check_trees(trees: &[Tree]) -> Result<()> {
    if trees.len() > MAX_TREES {
        return Err(Error::new(format!(
            "a forest has at most {MAX_TREES} trees, these are {}",
            trees.len()
        )));
    }
    if trees.iter().all(|tree| is_weight(tree.weight())) {
        return Ok(());
    }
    Err(Error::new("a tree's weight would be out of range"))
}

fn merged_head(first: &Head, parts: &[&Forest]) -> Head {
    let summary = |column: usize| {
        let mean =
            |of: fn(&FeatureSummary) -> f64| weighted_mean(parts, |part| of(&part.summaries()[column]));
        FeatureSummary { median: mean(|s| s.median), p5: mean(|s| s.p5), p95: mean(|s| s.p95) }
    };
    Head {
        summaries: (0..first.features.len()).map(summary).collect(),
        sample_size: parts.iter().map(|part| part.sample_size()).fold(first.sample_size, usize::max),
        rows: parts.iter().fold(0, |sum, part| u64::saturating_add(sum, part.rows())),
        ..first.clone()
    }
}

/// Mean of the known values, weighted by rows; NaN when none is known.
#[allow(clippy::cast_precision_loss)] // A mean.
fn weighted_mean(parts: &[&Forest], value: impl Fn(&Forest) -> f64) -> f64 {
    let (mut mean, mut rows) = (f64::NAN, 0.0);
    for part in parts {
        let (value, own) = (value(part), part.rows() as f64);
        if !value.is_nan() {
            rows += own;
            // Step by step, so that equal values stay what they are.
            mean = if mean.is_nan() { value } else { mean + (value - mean) * own / rows };
        }
    }
    mean
}
