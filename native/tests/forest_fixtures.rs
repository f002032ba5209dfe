//! Forests of scikit-learn and isotree score as those libraries score them, and ours finds outliers as
//! well as theirs: tests/fixtures/make_forests.py. Their trees come in as model bytes, written here by
//! the description in the codec's header alone.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Small made-up numbers.
mod support;

use lineheron_native::forest::Forest;
use lineheron_native::forest::fit::fit;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use support::params;

const VERSION: u16 = 2;
const EXACT: u8 = 0;
const EULER: u8 = 1;

#[derive(Deserialize)]
struct Tree {
    /// −1 marks a leaf.
    feature: Vec<i32>,
    threshold: Vec<f64>,
    left: Vec<usize>,
    right: Vec<usize>,
    size: Vec<u32>,
}

#[derive(Deserialize)]
struct Fixture {
    sample_size: u32,
    trees: Vec<Tree>,
    rows: Vec<Vec<f64>>,
    scores: Vec<f64>,
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(u8::try_from(text.len()).unwrap());
    out.extend(text.as_bytes());
}

/// Breadth first, children side by side, six bytes a node.
fn put_tree(out: &mut Vec<u8>, tree: &Tree) {
    out.extend(1.0_f64.to_le_bytes());
    out.extend(u32::try_from(tree.feature.len()).unwrap().to_le_bytes());
    let (mut order, mut next) = (vec![0], 0);
    while let Some(&place) = order.get(next) {
        next += 1;
        if let Ok(feature) = u16::try_from(tree.feature[place]) {
            out.extend(feature.to_le_bytes());
            out.extend((tree.threshold[place] as f32).to_le_bytes());
            order.extend([tree.left[place], tree.right[place]]);
        } else {
            out.extend(u16::MAX.to_le_bytes());
            out.extend(tree.size[place].to_le_bytes());
        }
    }
    assert_eq!(order.len(), tree.feature.len());
}

fn model_bytes(fixture: &Fixture, harmonic: u8) -> Vec<u8> {
    let mut out = b"LHIF".to_vec();
    out.extend(VERSION.to_le_bytes());
    put_text(&mut out, "0123456789abcdef");
    out.extend(7_u64.to_le_bytes());
    out.extend(fixture.sample_size.to_le_bytes());
    out.extend(700_u64.to_le_bytes());
    out.push(harmonic);
    let columns = fixture.rows[0].len();
    out.extend(u16::try_from(columns).unwrap().to_le_bytes());
    for column in 0..columns {
        put_text(&mut out, &format!("f{column}"));
        put_text(&mut out, "u");
        for quantile in [0.0_f64, -1.0, 1.0] {
            out.extend(quantile.to_le_bytes());
        }
    }
    out.extend(u32::try_from(fixture.trees.len()).unwrap().to_le_bytes());
    for tree in &fixture.trees {
        put_tree(&mut out, tree);
    }
    let digest = Sha256::digest(&out);
    out.extend(digest);
    out
}

/// Largest difference between our scores with their trees and theirs.
fn largest_difference(fixture: &Fixture, harmonic: u8) -> f64 {
    let bytes = model_bytes(fixture, harmonic);
    let forest = Forest::from_bytes(&bytes).unwrap();
    assert_eq!(forest.to_bytes(), bytes, "what was read is written as it was");
    assert!(fixture.rows.len() > 100 && fixture.rows.len() == fixture.scores.len());
    let differences = fixture.rows.iter().zip(&fixture.scores).map(|(row, score)| {
        assert!(row.iter().all(|value| f64::from(*value as f32).to_bits() == value.to_bits()));
        (forest.score(row) - score).abs()
    });
    differences.fold(0.0, f64::max)
}

#[test]
fn a_forest_of_scikit_learn_scores_as_there_with_its_harmonic_numbers() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/forest_sklearn.json")).unwrap();
    assert!(largest_difference(&fixture, EULER) < 1e-6, "{}", largest_difference(&fixture, EULER));
    // Exact ones differ from its approximation by about 1e-4: the switch is no ornament.
    let exact = largest_difference(&fixture, EXACT);
    assert!((1e-5..1e-2).contains(&exact), "{exact}");
}

#[test]
fn a_forest_of_isotree_scores_as_there() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/forest_isotree.json")).unwrap();
    assert!(largest_difference(&fixture, EXACT) < 1e-6, "{}", largest_difference(&fixture, EXACT));
}

#[derive(Deserialize)]
struct Found {
    rows: usize,
    outliers: usize,
    columns: usize,
    sklearn: Vec<f64>,
    isotree: Vec<f64>,
    first_row: Vec<f64>,
    sum_of_seed_1: f64,
}

/// The rows of the script, number by number: SplitMix64, sums of twelve, outliers first.
fn auc_rows(found: &Found, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    };
    let mut rows = Vec::with_capacity(found.rows * found.columns);
    for row in 0..found.rows {
        for _ in 0..found.columns {
            // Uniforms have 53 bits and NumPy adds in another order: the grid swallows the difference.
            let sum: f64 = (0..12).map(|_| uniform()).sum();
            let value = ((sum - 6.0) * 1024.0).floor() / 1024.0;
            rows.push(if row < found.outliers { value * 1.75 } else { value });
        }
    }
    rows
}

/// Share of pairs of an outlier and another row in which the outlier scores higher, ties half.
fn auc(scores: &[f64], outliers: usize) -> f64 {
    let (high, low) = scores.split_at(outliers);
    let won = |score: &f64| -> f64 {
        low.iter().map(|other| if score > other { 1.0 } else { 0.5 * f64::from(score == other) }).sum()
    };
    high.iter().map(won).sum::<f64>() / (high.len() * low.len()) as f64
}

/// Mean of the differences and its standard error.
fn mean_and_error(differences: &[f64]) -> (f64, f64) {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

#[test]
fn roc_auc_over_twenty_seeds_is_that_of_scikit_learn_and_isotree_within_noise() {
    let found: Found = serde_json::from_str(include_str!("fixtures/forest_auc.json")).unwrap();
    let first = auc_rows(&found, 1);
    assert_eq!(first[..found.columns], found.first_row);
    assert!((first.iter().sum::<f64>() - found.sum_of_seed_1).abs() < 1e-6);
    let ours: Vec<f64> = (1..=found.sklearn.len() as u64)
        .map(|seed| {
            let rows = auc_rows(&found, seed);
            let mut params = params(found.columns);
            params.seed = seed as f64;
            let forest = fit(&rows, params.check().unwrap()).unwrap().forest;
            let scores: Vec<f64> = rows.chunks_exact(found.columns).map(|row| forest.score(row)).collect();
            auc(&scores, found.outliers)
        })
        .collect();
    assert_eq!(ours.len(), 20);
    for (peer, theirs) in [("scikit-learn", &found.sklearn), ("isotree", &found.isotree)] {
        let differences: Vec<f64> = ours.iter().zip(theirs).map(|(own, other)| own - other).collect();
        let (mean, error) = mean_and_error(&differences);
        // Seeds are fixed, so this is one draw: three standard errors, and a hundredth in any case.
        assert!(mean > -3.0 * error && mean.abs() < 0.01, "{peer}: {mean:.5} ± {error:.5}");
        assert!(error < 0.003 && theirs.iter().sum::<f64>() / 20.0 > 0.85, "{peer}: {error}");
    }
}
