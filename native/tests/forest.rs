//! The forest: the published algorithm's figures, its edge cases, its bytes and its reasons.
#![allow(clippy::cast_possible_wrap, clippy::cast_precision_loss)] // Small made-up numbers.
mod support;

use lineheron_native::forest::Forest;
use lineheron_native::forest::fit::{Fitted, fit};
use lineheron_native::forest::tree::PathLengths;
use lineheron_native::random::Random;
use sha2::{Digest, Sha256};
use support::{normal_rows, params};

fn fitted(rows: &[f64], columns: usize) -> Fitted {
    fit(rows, params(columns).check().unwrap()).unwrap()
}

#[test]
fn outliers_score_higher_than_the_crowd() {
    let forest = fitted(&normal_rows(2000, 4, 1), 4).forest;
    let (centre, edge, outside) =
        (forest.score(&[0.0; 4]), forest.score(&[2.0; 4]), forest.score(&[6.0; 4]));
    assert!(centre < 0.45 && edge > centre + 0.05 && outside > 0.65, "{centre} {edge} {outside}");
}

#[test]
fn the_threshold_leaves_no_more_than_the_contaminated_share_above_it() {
    let rows = normal_rows(1000, 3, 2);
    for contamination in [0.0, 0.05, 0.1, 0.5] {
        let mut params = params(3);
        params.contamination = Some(contamination);
        let fitted = fit(&rows, params.check().unwrap()).unwrap();
        let scores = rows.chunks_exact(3).map(|row| fitted.forest.score(row));
        let above = scores.filter(|&score| score > fitted.threshold).count() as f64;
        let most = (1000.0 * contamination).round();
        // It lies one resolution of the scores higher, so that a few rows less do.
        assert!(above <= most && above >= most - 20.0, "{above} of {most}");
    }
}

#[test]
fn one_row_constant_rows_and_duplicates_all_score_one_half() {
    for rows in [vec![1.0, 2.0], [1.0, 2.0].repeat(300), vec![f64::NAN; 20]] {
        let forest = fitted(&rows, 2).forest;
        for row in [[1.0, 2.0], [9.0, f64::NAN]] {
            assert!((forest.score(&row) - 0.5).abs() < 1e-12);
        }
        assert!(forest.explain(&[1.0, 2.0], 3).is_empty());
    }
    // Duplicates among others: they share a leaf, and the odd one out stands alone at once.
    let mut rows = [5.0].repeat(255);
    rows.push(9.0);
    let forest = fitted(&rows, 1).forest;
    assert!(forest.score(&[9.0]) > 0.9 && forest.score(&[5.0]) < 0.5);
}

#[test]
fn rows_that_cannot_be_fitted_are_refused_with_the_place() {
    let checked = || params(2).check().unwrap();
    assert!(fit(&[], checked()).is_err());
    assert!(fit(&[1.0], checked()).is_err());
    for wild in [f64::INFINITY, f64::NEG_INFINITY, 1e39] {
        let error = fit(&[0.0, 0.0, 0.0, wild], checked()).unwrap_err().to_string();
        assert!(error.contains("row 1, feature 1"), "{error}");
    }
}

#[test]
fn unknown_values_follow_the_larger_child_and_an_unknown_feature_is_never_chosen() {
    let mut rows = normal_rows(500, 3, 3);
    for row in rows.chunks_exact_mut(3) {
        row[2] = f64::NAN;
        if row[0] > 0.5 {
            row[1] = f64::NAN;
        }
    }
    let forest = fitted(&rows, 3).forest;
    for tree in forest.trees() {
        for node in tree.nodes().iter().filter(|node| !node.is_leaf()) {
            assert!(node.feature < 2);
            let left = tree.nodes()[node.left as usize].size;
            let right = tree.nodes()[node.left as usize + 1].size;
            let larger_by_far = left.max(right) > 4 * left.min(right);
            assert!(!larger_by_far || (right > left) == node.missing_right || node.feature == 1);
        }
    }
    assert!(forest.score(&[0.0, f64::NAN, f64::NAN]) < forest.score(&[5.0, 5.0, f64::NAN]));
    assert!(forest.summaries()[2].median.is_nan());
}

#[test]
fn trees_are_no_deeper_than_the_logarithm_of_their_sample_and_sizes_add_up() {
    let forest = fitted(&normal_rows(3000, 5, 4), 5).forest;
    assert_eq!((forest.trees().len(), forest.sample_size(), forest.rows()), (100, 256, 3000));
    for tree in forest.trees() {
        let nodes = tree.nodes();
        let mut depth = vec![0_u32; nodes.len()];
        for (place, node) in nodes.iter().enumerate().filter(|(_, node)| !node.is_leaf()) {
            let left = node.left as usize;
            assert_eq!(node.size, nodes[left].size + nodes[left + 1].size);
            depth[left] = depth[place] + 1;
            depth[left + 1] = depth[place] + 1;
        }
        assert_eq!((nodes[0].size, depth.iter().max()), (256, Some(&8)));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_they_never_change() {
    // Rows without any transcendental function, so that they are the same everywhere.
    let mut random = Random::new(42);
    let rows: Vec<f64> = (0..900).map(|_| random.unit() * 10.0).collect();
    let bytes = fitted(&rows, 3).forest.to_bytes();
    assert_eq!(bytes, fitted(&rows, 3).forest.to_bytes());
    let mut other = params(3);
    other.seed = 1.0;
    assert_ne!(bytes, fit(&rows, other.check().unwrap()).unwrap().forest.to_bytes());
    let digest = format!("{:x}", Sha256::digest(&bytes));
    assert_eq!(digest, "cfad77c8ade7737140183eb51425d94cb0290c44b2f93dff47c8b153cc611dd5");
}

fn small_forest() -> Forest {
    let mut small = params(2);
    (small.trees, small.sample_size) = (3.0, 8.0);
    fit(&normal_rows(20, 2, 5), small.check().unwrap()).unwrap().forest
}

#[test]
fn a_saved_forest_comes_back_equal() {
    for forest in [small_forest(), fitted(&normal_rows(400, 19, 6), 19).forest, fitted(&[1.0], 1).forest] {
        let back = Forest::from_bytes(&forest.to_bytes()).unwrap();
        assert_eq!(back, forest);
    }
}

#[test]
fn every_truncation_every_flipped_bit_and_every_added_byte_is_refused() {
    let bytes = small_forest().to_bytes();
    for length in 0..bytes.len() {
        assert!(Forest::from_bytes(&bytes[..length]).is_err(), "cut to {length}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Forest::from_bytes(&damaged).is_err(), "bit {bit}");
    }
    assert!(Forest::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn a_right_checksum_over_wrong_contents_cannot_crash_the_reader() {
    let bytes = small_forest().to_bytes();
    let body = bytes.len() - 32;
    let mut refused = 0;
    for place in 6..body {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut forged = bytes[..body].to_vec();
            forged[place] = value;
            let digest = Sha256::digest(&forged);
            forged.extend_from_slice(&digest);
            match Forest::from_bytes(&forged) {
                // What passes must be usable: paths end, columns exist.
                Ok(forest) => assert!(forest.score(&[0.0, f64::NAN]).is_finite()),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn credits_account_for_the_whole_of_a_score_and_shares_add_up_to_one() {
    let forest = fitted(&normal_rows(600, 6, 7), 6).forest;
    let expected = PathLengths::up_to(256).of(256);
    for row in normal_rows(50, 6, 8).chunks_exact(6) {
        let length = expected - forest.credits(row).iter().sum::<f64>();
        assert!((forest.score(row) - (-length / expected).exp2()).abs() < 1e-12);
        let shares = forest.shares(row);
        assert!((shares.iter().map(|share| share.abs()).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn a_feature_eight_deviations_off_is_the_first_reason_in_at_least_95_of_100_cases() {
    let (columns, mut first, mut cases) = (19, 0, 0);
    for seed in 0..5_u32 {
        let mut seeded = params(columns);
        seeded.seed = f64::from(seed);
        let rows = normal_rows(1000, columns, 10_000 + u64::from(seed));
        let forest = fit(&rows, seeded.check().unwrap()).unwrap().forest;
        let mut usual = normal_rows(4 * columns, columns, 20_000 + u64::from(seed));
        for (index, row) in usual.chunks_exact_mut(columns).enumerate() {
            let fault = index % columns;
            row[fault] = if index % 2 == 0 { 8.0 } else { -8.0 };
            let reasons = forest.explain(row, 3);
            first += usize::from(reasons[0].feature == format!("f{fault}"));
            cases += 1;
            assert!(reasons.len() <= 3 && reasons.windows(2).all(|pair| pair[0].share >= pair[1].share));
        }
    }
    assert!(first * 100 >= cases * 95, "{first} of {cases}");
}

#[test]
fn a_reason_tells_what_was_observed_and_what_is_usual() {
    let mut rows = normal_rows(1000, 2, 9);
    rows[0] = f64::NAN;
    let reason = fitted(&rows, 2).forest.explain(&[0.0, 9.0], 1).remove(0);
    assert_eq!((reason.feature.as_str(), reason.unit.as_str(), reason.observed), ("f1", "u", 9.0));
    let near = |value: f64, expected: f64| (value - expected).abs() < 0.2;
    assert!(near(reason.median, 0.0) && near(reason.p5, -1.64) && near(reason.p95, 1.64), "{reason:?}");
    assert!(reason.share > 0.4);
}

#[test]
fn the_smallest_change_of_one_feature_is_scored_and_makes_the_row_normal() {
    let forest = fitted(&normal_rows(2000, 4, 11), 4).forest;
    for (feature, value) in [(2, 6.0), (0, -5.0)] {
        let mut row = [0.1, -0.2, 0.3, 0.0];
        let calm = forest.score(&row);
        row[feature] = value;
        let threshold = f64::midpoint(calm, forest.score(&row));
        let change = forest.smallest_change(&row, threshold).expect("one feature alone is odd");
        assert_eq!(change.feature, forest.features()[feature].name);
        assert_eq!(change.below, value > 0.0);
        row[feature] = change.value;
        assert!(forest.score(&row) <= threshold);
        // Within a 2,000th of the way further out it was not normal any more.
        let further = |step: u32| change.value + value * f64::from(step) / 16_000.0;
        let out = (1..=8).any(|step| {
            row[feature] = further(step);
            forest.score(&row) > threshold
        });
        assert!(out, "{value}: {change:?}");
    }
}

#[test]
fn no_single_change_is_told_where_none_makes_the_row_normal() {
    let fitted = fitted(&normal_rows(2000, 4, 11), 4);
    assert_eq!(fitted.forest.smallest_change(&[5.0, -5.0, 6.0, 5.0], fitted.threshold), None);
    assert_eq!(fitted.forest.smallest_change(&[f64::NAN; 4], 0.0), None);
}
