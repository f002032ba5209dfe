//! The layouts for speed give the very bits of the definition; merging equals its plain definition.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Small made-up numbers.
mod support;

use lineheron_native::forest::Forest;
use lineheron_native::forest::fit::fit;
use lineheron_native::forest::params::ForestParams;
use lineheron_native::forest::tree::{PathLengths, Tree};
use lineheron_native::random::Random;
use proptest::prelude::*;
use support::{normal_rows, params};

fn fitted(rows: &[f64], columns: usize, change: impl FnOnce(&mut ForestParams)) -> Forest {
    let mut params = params(columns);
    change(&mut params);
    fit(rows, params.check().unwrap()).unwrap().forest
}

/// Rows with unknown, infinite, huge and negative zero values strewn in.
fn wild_rows(count: usize, columns: usize, seed: u64, share: u64) -> Vec<f64> {
    let mut rows = normal_rows(count, columns, seed);
    let mut random = Random::new(seed + 77);
    let odd = [f64::NAN, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -0.0, 0.0, 1e-320];
    for value in &mut rows {
        if share > 0 && random.below(share) == 0 {
            *value = odd[usize::try_from(random.below(8)).unwrap()];
        }
    }
    rows
}

/// One row, blocks, the vector kernel where there is one, and threads against the definition.
fn assert_all_paths_equal(forest: &Forest, rows: &[f64]) {
    let columns = forest.features().len();
    let expected: Vec<u64> =
        rows.chunks_exact(columns).map(|row| forest.reference_score(row).to_bits()).collect();
    let one: Vec<u64> = rows.chunks_exact(columns).map(|row| forest.score(row).to_bits()).collect();
    assert_eq!(one, expected);
    let mut following = vec![0.0; expected.len()];
    forest.score_following(rows, &mut following);
    assert_eq!(following.into_iter().map(f64::to_bits).collect::<Vec<_>>(), expected);
    for threads in [1, 3] {
        let mut scores = vec![0.0; expected.len()];
        forest.score_rows(rows, &mut scores, threads);
        let found: Vec<u64> = scores.into_iter().map(f64::to_bits).collect();
        assert_eq!(found, expected, "{threads} threads");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_path_gives_the_bits_of_the_definition(
        columns in 1..40_usize,
        trees in 1..40_u32,
        sample in prop_oneof![2..40_u32, Just(256_u32), Just(600_u32)],
        rows in 1..500_usize,
        unknown in prop_oneof![Just(0_u64), Just(30), Just(3)],
        seed in any::<u32>(),
        ndim in prop_oneof![4 => Just(1_u32), 1 => Just(2), 1 => Just(50)],
        choice in prop_oneof![Just("uniform"), Just("pooled_gain"), Just("density")],
        weighting in prop_oneof![Just("uniform"), Just("kurtosis")],
        max_depth in prop_oneof![Just(None), (1..64_u32).prop_map(Some)],
    ) {
        let mut training = normal_rows(700, columns, u64::from(seed));
        let mut random = Random::new(u64::from(seed));
        for value in &mut training {
            *value = match random.below(12) { 0 => f64::NAN, 1 => 0.0, 2 => -0.0, _ => *value };
        }
        let forest = fitted(&training, columns, |params| {
            (params.trees, params.sample_size) = (f64::from(trees), f64::from(sample));
            (params.seed, params.ndim) = (f64::from(seed), f64::from(ndim));
            params.split_choice = choice.to_owned();
            params.weighting = weighting.to_owned();
            params.max_depth = max_depth.map(f64::from);
        });
        assert_all_paths_equal(&forest, &wild_rows(rows, columns, u64::from(seed) + 1, unknown));
        let back = Forest::from_bytes(&forest.to_bytes()).unwrap();
        prop_assert!(back == forest);
        prop_assert_eq!(back.score(&training[..columns]).to_bits(), forest.score(&training[..columns]).to_bits());
    }
}

#[test]
fn values_at_a_threshold_and_its_neighbours_go_the_way_of_the_definition() {
    let forest = fitted(&normal_rows(2000, 15, 3), 15, |_| {});
    let mut rows = Vec::new();
    for node in forest.trees().iter().flat_map(Tree::nodes).filter(|node| !node.is_leaf()) {
        for value in [node.threshold.next_down(), node.threshold, node.threshold.next_up()] {
            let mut row = vec![0.1; 15];
            row[usize::from(node.feature)] = f64::from(value);
            rows.extend(row);
        }
    }
    assert!(rows.len() > 100_000);
    assert_all_paths_equal(&forest, &rows);
}

#[test]
fn large_batches_are_the_same_on_any_number_of_threads() {
    let forest = fitted(&normal_rows(3000, 19, 4), 19, |_| {});
    assert_all_paths_equal(&forest, &wild_rows(20_011, 19, 5, 50));
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let rows = normal_rows(70_000, 3, 6);
    let one = fitted(&rows, 3, |_| {});
    for threads in [2.0, 7.0, 64.0] {
        let other = fitted(&rows, 3, |params| params.threads = threads);
        assert_eq!(other.to_bytes(), one.to_bytes(), "{threads}");
    }
}

#[test]
fn of_many_rows_each_is_as_likely_and_none_is_taken_twice_by_a_tree() {
    // One column that names its row: the first split's range and the leaves' sizes show what was taken.
    let rows: Vec<f64> = (0..200_000).map(f64::from).collect();
    let forest = fitted(&rows, 1, |params| params.max_depth = Some(64.0));
    for tree in forest.trees() {
        assert_eq!(tree.nodes().iter().filter(|node| node.is_leaf()).count(), 256);
        assert!(tree.nodes().iter().all(|node| !node.is_leaf() || node.size == 1));
    }
    let thresholds = forest.trees().iter().flat_map(Tree::nodes).filter(|node| !node.is_leaf());
    let (count, sum) = thresholds.fold((0, 0.0), |(n, sum), node| (n + 1, sum + f64::from(node.threshold)));
    assert!((sum / f64::from(count) / 200_000.0 - 0.5).abs() < 0.01);
}

#[test]
fn an_infinity_is_found_among_rows_that_are_taken() {
    let mut rows = vec![1.0; 70_000];
    rows.fill(f64::INFINITY);
    assert!(fit(&rows, params(1).check().unwrap()).unwrap_err().to_string().contains("infinite"));
}

#[test]
fn extended_splits_find_what_no_single_column_shows() {
    // Two equal columns; the odd row breaks the rule but no range.
    let mut rows: Vec<f64> = normal_rows(1000, 1, 8).iter().flat_map(|&x| [x, x]).collect();
    rows.extend([1.5, -1.5]);
    let odd = &[1.5, -1.5];
    let rank = |forest: &Forest| {
        let own = forest.score(odd);
        rows.chunks_exact(2).filter(|row| forest.score(row) > own).count()
    };
    let (plain, extended) = (fitted(&rows, 2, |_| {}), fitted(&rows, 2, |params| params.ndim = 2.0));
    assert!(rank(&extended) < rank(&plain).max(3), "{} {}", rank(&extended), rank(&plain));
    assert!(extended.trees()[0].is_extended() && !plain.trees()[0].is_extended());
    let credits: f64 = extended.credits(odd).iter().sum();
    assert!(credits > 0.0);
}

#[test]
fn pooled_gain_parts_groups_sooner_than_chance() {
    let mut rows = normal_rows(980, 2, 9);
    rows.extend(normal_rows(20, 2, 10).iter().map(|value| 40.0 + value));
    let apart = |choice: &str| {
        let forest = fitted(&rows, 2, |params| params.split_choice = choice.to_owned());
        let roots = forest.trees().iter().map(|tree| tree.nodes()[0].threshold);
        roots.filter(|threshold| (4.0..37.0).contains(threshold)).count()
    };
    assert_eq!(apart("pooled_gain"), 100);
    assert!(apart("uniform") < 98);
}

#[test]
fn columns_are_drawn_by_their_kurtosis() {
    // Column 0 is 1 or −1 (kurtosis 1), column 1 normal (about 3), column 2 constant.
    let normal = normal_rows(256, 1, 13);
    let rows: Vec<f64> =
        normal.iter().enumerate().flat_map(|(row, &x)| [(row % 2) as f64 * 2.0 - 1.0, x, 4.0]).collect();
    let share = |weighting: &str| {
        let forest = fitted(&rows, 3, |params| {
            (params.trees, params.weighting) = (2000.0, weighting.to_owned());
        });
        let roots = forest.trees().iter().filter(|tree| tree.nodes()[0].feature == 1).count();
        assert!(forest.trees().iter().flat_map(Tree::nodes).all(|node| node.feature < 2));
        roots as f64 / 2000.0
    };
    let mean = normal.iter().sum::<f64>() / 256.0;
    let power = |n| normal.iter().map(|x| (x - mean).powi(n)).sum::<f64>();
    let kurtosis = 256.0 * power(4) / power(2).powi(2);
    assert!((share("uniform") - 0.5).abs() < 0.05);
    assert!((share("kurtosis") - kurtosis / (1.0 + kurtosis)).abs() < 0.05, "{}", share("kurtosis"));
}

#[test]
fn a_depth_limit_is_kept() {
    let rows = normal_rows(1000, 3, 11);
    for limit in [1_u32, 3, 12] {
        let forest = fitted(&rows, 3, |params| params.max_depth = Some(f64::from(limit)));
        let deepest = forest.trees().iter().flat_map(Tree::depths).max();
        assert_eq!(deepest, Some(limit));
    }
}

#[test]
fn eulers_approximation_changes_scores_as_much_as_c_of_256_does() {
    let rows = normal_rows(2000, 3, 12);
    let exact = fitted(&rows, 3, |_| {});
    let euler = fitted(&rows, 3, |params| params.harmonic = "euler".to_owned());
    assert!(exact.trees() == euler.trees());
    let differences = rows.chunks_exact(3).map(|row| (exact.score(row) - euler.score(row)).abs());
    let largest = differences.fold(0.0, f64::max);
    assert!(largest > 1e-6 && largest < 2e-2, "{largest}");
}

/// Three gateways' forests over the same features.
fn parts() -> [Forest; 3] {
    [(300, 256.0), (2000, 256.0), (150, 64.0)].map(|(count, sample)| {
        fitted(&normal_rows(count, 4, count as u64), 4, |params| {
            (params.trees, params.sample_size) = (30.0, sample);
            params.seed = count as f64;
        })
    })
}

/// −log₂ of a score: the mean of path lengths over their expectation.
fn depth(forest: &Forest, row: &[f64]) -> f64 {
    -forest.score(row).log2()
}

#[test]
fn a_merged_forests_mean_is_the_weighted_mean_of_its_parts_means() {
    let parts = parts();
    let all: Vec<&Forest> = parts.iter().collect();
    let plain = Forest::merge(&all, None).unwrap();
    let weighted = Forest::merge(&all, Some(&[5.0, 1.0, 2.0])).unwrap();
    assert_eq!((plain.trees().len(), plain.rows(), plain.sample_size()), (90, 2450, 256));
    for row in normal_rows(200, 4, 13).chunks_exact(4) {
        let depths: Vec<f64> = parts.iter().map(|part| depth(part, row)).collect();
        let mean = (depths[0] + depths[1] + depths[2]) / 3.0;
        assert!((depth(&plain, row) - mean).abs() < 1e-12);
        let mean = (5.0 * depths[0] + depths[1] + 2.0 * depths[2]) / 8.0;
        assert!((depth(&weighted, row) - mean).abs() < 1e-12);
    }
    assert_all_paths_equal(&weighted, &wild_rows(300, 4, 14, 10));
    let back = Forest::from_bytes(&weighted.to_bytes()).unwrap();
    assert!(back == weighted);
    assert_eq!(back.score(&[0.5; 4]).to_bits(), weighted.score(&[0.5; 4]).to_bits());
}

#[test]
fn merging_forests_of_one_fit_gives_that_fit() {
    let whole = fitted(&normal_rows(500, 4, 15), 4, |_| {});
    let merged = Forest::merge(&[&whole], None).unwrap();
    assert!(merged == whole);
}

#[test]
fn pruning_keeps_every_parts_share_and_the_scores_near() {
    let parts = parts();
    let merged = Forest::merge(&parts.iter().collect::<Vec<_>>(), Some(&[4.0, 1.0, 1.0])).unwrap();
    let pruned = merged.prune(60).unwrap();
    assert!(pruned.trees().len() <= 60);
    let share = |from: &Forest| {
        let own =
            pruned.trees().iter().filter(|tree| from.trees().iter().any(|t| t.nodes() == tree.nodes()));
        own.map(Tree::weight).sum::<f64>() / pruned.weight()
    };
    for (part, expected) in parts.iter().zip([4.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0]) {
        assert!((share(part) - expected).abs() < 0.02, "{}", share(part));
    }
    for row in normal_rows(100, 4, 16).chunks_exact(4) {
        assert!((pruned.score(row) - merged.score(row)).abs() < 0.03);
    }
    assert!(merged.prune(90).unwrap() == merged);
    assert!(merged.prune(0).is_err());
}

#[test]
fn replacing_trees_one_by_one_ends_with_the_fresh_forest() {
    let old = fitted(&normal_rows(500, 4, 17), 4, |params| params.trees = 10.0);
    let fresh = fitted(&normal_rows(500, 4, 18), 4, |params| params.trees = 10.0);
    let half = old.replace_trees(&fresh, 5).unwrap();
    for row in normal_rows(50, 4, 19).chunks_exact(4) {
        let lengths = |forest: &Forest, from: usize| -> f64 {
            let expected = PathLengths::up_to(256);
            let row: Vec<f32> = row.iter().map(|&value| value as f32).collect();
            forest.trees()[from..from + 5].iter().map(|tree| tree.path_length(&row, &expected)).sum()
        };
        let c = PathLengths::up_to(256).of(256);
        let mean = (lengths(&old, 5) + lengths(&fresh, 0)) / 10.0 / c;
        assert!((depth(&half, row) - mean).abs() < 1e-12);
    }
    assert!(old.replace_trees(&fresh, 10).unwrap().trees() == fresh.trees());
    assert!(old.replace_trees(&fresh, 11).is_err());
}

#[test]
fn forests_that_do_not_belong_together_are_refused() {
    let rows = normal_rows(100, 2, 20);
    let base = fitted(&rows, 2, |_| {});
    let others = [
        fitted(&rows, 2, |params| params.fingerprint = "other".to_owned()),
        fitted(&normal_rows(100, 3, 21), 3, |_| {}),
        fitted(&rows, 2, |params| params.harmonic = "euler".to_owned()),
    ];
    for other in &others {
        assert!(Forest::merge(&[&base, other], None).is_err());
        assert!(base.replace_trees(other, 1).is_err());
    }
    assert!(Forest::merge(&[], None).is_err());
    for weights in [&[1.0][..], &[1.0, 0.0], &[1.0, f64::NAN], &[1.0, 1e10], &[1.0, -1.0]] {
        assert!(Forest::merge(&[&base, &base], Some(weights)).is_err());
    }
    let many = vec![&base; 101];
    assert!(Forest::merge(&many, None).unwrap_err().to_string().contains("10000"));
}

#[test]
fn a_model_of_the_first_version_is_refused_by_its_number() {
    use sha2::{Digest, Sha256};
    let bytes = fitted(&normal_rows(20, 2, 22), 2, |_| {}).to_bytes();
    let mut body = bytes[..bytes.len() - 32].to_vec();
    body[4] = 1;
    let digest = Sha256::digest(&body);
    body.extend_from_slice(&digest);
    let error = Forest::from_bytes(&body).unwrap_err().to_string();
    assert!(error.contains("version is 1") && error.contains("train it anew"), "{error}");
}

/// Rows that walk in small steps, with jumps, and values that stay away for a while.
fn walking_rows(count: usize, columns: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut row: Vec<f64> = (0..columns).map(|_| random.normal()).collect();
    let mut rows = Vec::new();
    for step in 0..count {
        let size = if step % 500 == 499 { 2.0 } else { 0.002 };
        for value in &mut row {
            // Now and then a row is that before once more.
            if step % 7 > 0 {
                *value += random.normal() * size;
            }
            if random.below(4000) == 0 {
                *value = [f64::NAN, f64::INFINITY, 1e300][usize::try_from(random.below(3)).unwrap()];
            } else if !value.is_finite() && random.below(200) == 0 {
                *value = random.normal();
            }
        }
        rows.extend_from_slice(&row);
    }
    rows
}

#[test]
fn rows_that_follow_one_another_get_the_bits_of_the_definition() {
    for (columns, trees, seed) in [(1, 7.0, 1), (5, 100.0, 2), (19, 100.0, 3), (19, 129.0, 4)] {
        let mut known = walking_rows(3000, columns, seed);
        let rows = known.clone();
        known.iter_mut().filter(|value| value.abs() > 1e3).for_each(|value| *value = f64::NAN);
        assert_all_paths_equal(&fitted(&known, columns, |params| params.trees = trees), &rows);
    }
}

#[test]
fn a_sum_of_path_lengths_is_the_same_in_any_order_of_the_trees() {
    let rows = normal_rows(3000, 7, 21);
    let forest = fitted(&rows, 7, |params| params.trees = 128.0);
    let parts: Vec<Forest> = (0..128).map(|tree| forest.replace_trees(&forest, tree).unwrap()).collect();
    for row in rows.chunks_exact(7).take(50) {
        let score = forest.score(row).to_bits();
        // Replacing its oldest trees by themselves puts them last.
        assert!(parts.iter().all(|other| other.score(row).to_bits() == score));
        assert!(parts.iter().all(|other| other.reference_score(row).to_bits() == score));
    }
}
