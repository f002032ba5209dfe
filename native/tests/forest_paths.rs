//! Every way of scoring gives the bits of the plain definition, and the same seed the same bytes: over
//! random forests of every kind and rows with unknown, infinite, zero and borderline values.
#![allow(clippy::cast_precision_loss)] // Small made-up numbers.
mod support;

use lineheron_native::forest::Forest;
use lineheron_native::forest::fit::fit;
use lineheron_native::forest::params::ForestParams;
use lineheron_native::forest::tree::Tree;
use lineheron_native::random::Random;
use proptest::prelude::*;
use support::params;

#[derive(Debug, Clone)]
struct Kind {
    columns: usize,
    rows: usize,
    trees: usize,
    sample_size: usize,
    max_depth: Option<usize>,
    ndim: usize,
    split_choice: &'static str,
    harmonic: &'static str,
    /// Share of unknown values, in percent.
    unknown: u64,
    seed: u64,
}

fn kind() -> impl Strategy<Value = Kind> {
    let shape = (
        prop_oneof![4 => 1..21_usize, 1 => 21..45_usize],
        prop_oneof![1 => 1..4_usize, 4 => 4..700_usize],
        1..61_usize,
        prop_oneof![2 => Just(256_usize), 2 => 2..64_usize, 1 => 300..700_usize],
        prop_oneof![3 => Just(None), 1 => (1..12_usize).prop_map(Some)],
    );
    let variant = (
        prop_oneof![3 => Just(1_usize), 1 => 2..4_usize],
        prop::sample::select(vec!["uniform", "pooled_gain", "density"]),
        prop::sample::select(vec!["exact", "euler"]),
        prop_oneof![2 => Just(0_u64), 1 => 1..60_u64],
        0..1_000_000_u64,
    );
    (shape, variant).prop_map(|(shape, variant)| {
        let (columns, rows, trees, sample_size, max_depth) = shape;
        let (ndim, split_choice, harmonic, unknown, seed) = variant;
        Kind {
            columns,
            rows,
            trees,
            sample_size,
            max_depth,
            ndim: ndim.min(columns),
            split_choice,
            harmonic,
            unknown,
            seed,
        }
    })
}

/// Normal, coarse, constant and wide columns, some values unknown.
fn rows(kind: &Kind, count: usize, random: &mut Random) -> Vec<f64> {
    let mut value = |place: usize| match place % kind.columns % 5 {
        _ if random.below(100) < kind.unknown => f64::NAN,
        0 | 1 => random.normal(),
        2 => random.normal().round(),
        3 if kind.columns > 4 => 7.5,
        _ => random.normal() * 1e30,
    };
    (0..count * kind.columns).map(&mut value).collect()
}

fn fitted(kind: &Kind, threads: usize) -> Forest {
    let mut random = Random::new(kind.seed);
    let rows = rows(kind, kind.rows, &mut random);
    let params = ForestParams {
        trees: kind.trees as f64,
        sample_size: kind.sample_size as f64,
        seed: kind.seed as f64,
        ndim: kind.ndim as f64,
        split_choice: kind.split_choice.to_owned(),
        max_depth: kind.max_depth.map(|depth| depth as f64),
        harmonic: kind.harmonic.to_owned(),
        threads: threads as f64,
        ..params(kind.columns)
    };
    fit(&rows, params.check().unwrap()).unwrap().forest
}

/// Rows like those fitted on, and rows of awkward values: thresholds themselves, infinities, zeros.
fn rows_to_score(kind: &Kind, forest: &Forest, count: usize) -> Vec<f64> {
    let mut random = Random::new(kind.seed + 1);
    let mut rows = rows(kind, count, &mut random);
    let splits = forest.trees().iter().flat_map(Tree::nodes).filter(|node| !node.is_leaf());
    let mut awkward: Vec<f64> = splits.take(50).map(|node| f64::from(node.threshold)).collect();
    awkward.extend([f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, -0.0, 1e300, -1e300, 1e-310]);
    awkward.extend([f64::from(f32::MAX), f64::from(f32::MIN), f64::from(f32::MIN_POSITIVE)]);
    for value in &mut rows {
        if random.below(3) == 0 {
            *value = awkward[usize::try_from(random.below(awkward.len() as u64)).unwrap()];
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_row_blocks_and_threads_score_as_the_definition_to_the_last_bit(
        kind in kind(),
        count in prop_oneof![1..300_usize, Just(9001_usize)],
    ) {
        let forest = fitted(&kind, 1);
        let rows = rows_to_score(&kind, &forest, count);
        let expected: Vec<f64> =
            rows.chunks_exact(kind.columns).map(|row| forest.reference_score(row)).collect();
        prop_assert!(expected.iter().all(|score| (0.0..=1.0).contains(score)));
        for (row, expected) in rows.chunks_exact(kind.columns).zip(&expected).take(300) {
            prop_assert_eq!(forest.score(row).to_bits(), expected.to_bits());
        }
        for threads in [1, 3] {
            let mut scores = vec![f64::NAN; count];
            forest.score_rows(&rows, &mut scores, threads);
            let same = scores.iter().zip(&expected).all(|(found, wanted)| found.to_bits() == wanted.to_bits());
            prop_assert!(same, "{threads} threads");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads_and_they_load(kind in kind()) {
        let forest = fitted(&kind, 1);
        let bytes = forest.to_bytes();
        prop_assert_eq!(&fitted(&kind, 4).to_bytes(), &bytes);
        let loaded = Forest::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&loaded.to_bytes(), &bytes);
        let rows = rows_to_score(&kind, &forest, 40);
        for row in rows.chunks_exact(kind.columns) {
            prop_assert_eq!(loaded.score(row).to_bits(), forest.score(row).to_bits());
        }
    }

    #[test]
    fn every_row_has_finite_signed_shares_that_account_for_it(kind in kind()) {
        let forest = fitted(&kind, 1);
        let rows = rows_to_score(&kind, &forest, 30);
        for row in rows.chunks_exact(kind.columns) {
            let total: f64 = forest.shares(row).iter().map(|share| share.abs()).sum();
            prop_assert!((total - 1.0).abs() < 1e-9 || total == 0.0, "{total}");
            let bits = |credits: Vec<f64>| credits.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            prop_assert_eq!(bits(forest.credits(row)), bits(forest.reference_credits(row)));
            let reasons = forest.explain(row, 3);
            prop_assert!(reasons.len() <= 3);
            prop_assert!(reasons.windows(2).all(|pair| pair[0].share >= pair[1].share));
            prop_assert!(reasons.iter().all(|reason| reason.share > 0.0 && reason.share <= 1.0));
        }
    }
}

#[test]
fn a_column_of_nothing_but_minus_zero_gives_finite_shares() {
    let rows: Vec<f64> = (0..10).flat_map(|row| [f64::from(row), -0.0]).collect();
    let forest = fit(&rows, params(2).check().unwrap()).unwrap().forest;
    for value in [-0.0, 0.0, 5.0, -5.0, f64::NAN, f64::INFINITY] {
        let shares = forest.shares(&[4.0, value]);
        assert!(shares.iter().all(|share| share.is_finite()), "{shares:?}");
    }
}
