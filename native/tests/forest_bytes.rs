//! Model bytes: every change of one bit and every truncation is refused, and no length is believed.
mod support;

#[path = "support/heap.rs"]
mod heap;

use lineheron_native::forest::Forest;
use lineheron_native::forest::fit::fit;
use lineheron_native::random::Random;
use sha2::{Digest, Sha256};
use support::{normal_rows, params};

const DIGEST_BYTES: usize = 32;

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

fn small_forest() -> Vec<u8> {
    let mut rows = normal_rows(60, 3, 9);
    rows[7] = f64::NAN;
    let mut params = params(3);
    (params.trees, params.sample_size) = (3.0, 12.0);
    fit(&rows, params.check().unwrap()).unwrap().forest.to_bytes()
}

/// The bytes with a checksum that is right again.
fn sealed(body: &[u8]) -> Vec<u8> {
    [body, Sha256::digest(body).as_slice()].concat()
}

/// A forest that was read must score, explain and be saved as what it came from.
fn check_usable(forest: &Forest, bytes: &[u8]) {
    assert_eq!(forest.to_bytes(), bytes);
    for value in [0.0, -1e300, f64::NAN, f64::INFINITY] {
        let row = vec![value; forest.features().len()];
        assert!((0.0..=1.0).contains(&forest.score(&row)));
        assert!(forest.explain(&row, 2).len() <= 2);
    }
}

#[test]
fn every_change_of_one_bit_is_refused() {
    let mut bytes = small_forest();
    assert!(Forest::from_bytes(&bytes).is_ok());
    for place in 0..bytes.len() * 8 {
        bytes[place / 8] ^= 1 << (place % 8);
        assert!(Forest::from_bytes(&bytes).is_err(), "bit {place}");
        bytes[place / 8] ^= 1 << (place % 8);
    }
}

#[test]
fn every_truncation_and_anything_behind_the_end_is_refused() {
    let bytes = small_forest();
    for length in 0..bytes.len() {
        assert!(Forest::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    let body = &bytes[..bytes.len() - DIGEST_BYTES];
    for length in 0..body.len() {
        assert!(Forest::from_bytes(&sealed(&body[..length])).is_err(), "body of {length} bytes");
    }
    for tail in [&[0][..], &[0; 6], &bytes] {
        assert!(Forest::from_bytes(&[&bytes, tail].concat()).is_err());
        assert!(Forest::from_bytes(&sealed(&[body, tail].concat())).is_err());
    }
}

#[test]
fn a_changed_body_under_a_right_checksum_is_refused_or_usable() {
    let bytes = small_forest();
    let body = &bytes[..bytes.len() - DIGEST_BYTES];
    let mut usable = 0;
    for place in 0..body.len() * 8 {
        let mut changed = body.to_vec();
        changed[place / 8] ^= 1 << (place % 8);
        let changed = sealed(&changed);
        if let Ok(forest) = Forest::from_bytes(&changed) {
            check_usable(&forest, &changed);
            usable += 1;
        }
    }
    assert!(usable > 0, "a changed threshold, for one, is no damage that structure can show");
    let mut random = Random::new(4);
    for _ in 0..2000 {
        let mut changed = body.to_vec();
        for _ in 0..=random.below(8) {
            let place = usize::try_from(random.below(body.len() as u64)).unwrap();
            changed[place] = random.next_u64().to_le_bytes()[0];
        }
        let changed = sealed(&changed);
        if let Ok(forest) = Forest::from_bytes(&changed) {
            check_usable(&forest, &changed);
        }
    }
}

#[test]
fn huge_lengths_are_refused_without_allocating_for_them() {
    let bytes = small_forest();
    let body = &bytes[..bytes.len() - DIGEST_BYTES];
    let own = {
        let before = heap::asked();
        Forest::from_bytes(&bytes).unwrap();
        heap::asked() - before
    };
    for place in 0..body.len() {
        for width in [1, 2, 4, 8] {
            let mut hostile = body.to_vec();
            let end = (place + width).min(hostile.len());
            hostile[place..end].fill(0xff);
            let hostile = sealed(&hostile);
            let before = heap::asked();
            let result = Forest::from_bytes(&hostile).is_ok();
            let allocated = heap::asked() - before;
            // A table of path lengths for the largest allowed sample is half a megabyte.
            assert!(allocated < own + 1_100_000, "{allocated} bytes at {place}, read: {result}");
        }
    }
}

/// Where the fuzz target of the same name begins; written when LINEHERON_WRITE_FIXTURES is set.
#[test]
fn the_seeds_of_the_fuzz_target_are_forests_of_the_present_version() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/forest");
    let bytes = small_forest();
    if std::env::var_os("LINEHERON_WRITE_FIXTURES").is_some() {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(format!("{folder}/whole"), &bytes).unwrap();
        std::fs::write(format!("{folder}/body"), &bytes[..bytes.len() - DIGEST_BYTES]).unwrap();
    }
    let hint = "write them anew with LINEHERON_WRITE_FIXTURES=1";
    let whole = std::fs::read(format!("{folder}/whole")).expect(hint);
    assert!(Forest::from_bytes(&whole).is_ok(), "{hint}");
    let body = std::fs::read(format!("{folder}/body")).expect(hint);
    assert!(Forest::from_bytes(&sealed(&body)).is_ok(), "{hint}");
}
