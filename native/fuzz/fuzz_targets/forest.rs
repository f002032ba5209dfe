//! Model bytes: whatever they are, loading refuses or gives a forest that scores, explains and is
//! saved as the very bytes it came from. A right checksum is put behind the input too, since no
//! fuzzer guesses one and the checks behind it must hold alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineheron_native::forest::Forest;
use sha2::{Digest, Sha256};

fn check(bytes: &[u8]) {
    let Ok(forest) = Forest::from_bytes(bytes) else { return };
    assert_eq!(forest.to_bytes(), bytes);
    let columns = forest.features().len();
    for value in [0.0, -1e300, 3.5, f64::INFINITY, f64::NAN] {
        let row = vec![value; columns];
        let score = forest.score(&row);
        assert!((0.0..=1.0).contains(&score), "{score}");
        assert!(forest.explain(&row, 3).iter().all(|reason| reason.share.is_finite()));
    }
}

fuzz_target!(|body: &[u8]| {
    check(body);
    let mut sealed = body.to_vec();
    sealed.extend_from_slice(&Sha256::digest(body));
    check(&sealed);
});
