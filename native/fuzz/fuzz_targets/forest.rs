//! Model bytes: whatever they are, loading refuses or gives a forest that scores by every path as by
//! definition, explains, merges and is saved as the very bytes it came from. A right checksum is put
//! behind the input too, since no fuzzer guesses one and the checks behind it must hold alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineheron_native::forest::Forest;
use sha2::{Digest, Sha256};

const VALUES: [f64; 7] = [0.0, -1e300, 3.5, -0.0, f64::INFINITY, f64::NAN, 1e-310];
const ROWS: usize = 35;

fn check(bytes: &[u8]) {
    let Ok(forest) = Forest::from_bytes(bytes) else { return };
    assert_eq!(forest.to_bytes(), bytes);
    let columns = forest.features().len();
    let rows: Vec<f64> =
        (0..ROWS * columns).map(|place| VALUES[(place + place / 7) % VALUES.len()]).collect();
    let mut scores = vec![0.0; ROWS];
    forest.score_rows(&rows, &mut scores, 2);
    for (row, score) in rows.chunks_exact(columns).zip(scores) {
        assert!((0.0..=1.0).contains(&score), "{score}");
        assert_eq!(score.to_bits(), forest.reference_score(row).to_bits());
        assert_eq!(score.to_bits(), forest.score(row).to_bits());
        assert!(forest.explain(row, 3).iter().all(|reason| reason.share.is_finite()));
    }
    if let Ok(merged) = Forest::merge(&[&forest, &forest], None) {
        assert_eq!(merged.trees().len(), 2 * forest.trees().len());
        assert!(merged.prune(1).is_ok_and(|pruned| pruned.trees().len() == 1));
    }
}

fuzz_target!(|body: &[u8]| {
    check(body);
    let mut sealed = body.to_vec();
    sealed.extend_from_slice(&Sha256::digest(body));
    check(&sealed);
});
