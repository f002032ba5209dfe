//! Bytes of a calibration: whatever they are, reading refuses or gives a map that never falls and stays within
//! its bounds, and that is saved as the very bytes it came from. A right checksum is put behind the input too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineheron_native::calibrate::Calibration;
use sha2::{Digest, Sha256};

const MOST: f64 = 300.0;
const SCORES: [f64; 9] = [f64::NEG_INFINITY, -1e300, -1.0, 0.0, 0.5, 3.0, 40.0, 1e300, f64::INFINITY];

fn check(bytes: &[u8]) {
    let Ok(calibration) = Calibration::from_bytes(bytes) else { return };
    assert_eq!(calibration.to_bytes(), bytes);
    let mut last = 0.0;
    for tail in SCORES.map(|score| calibration.tail(score)) {
        assert!((last..=MOST).contains(&tail), "{tail} after {last}");
        last = tail;
    }
    for trusted in SCORES.map(|score| calibration.trusted(score)) {
        assert!((0.0..=MOST).contains(&trusted), "{trusted}");
    }
    assert!(calibration.tail(f64::NAN).is_nan());
}

fuzz_target!(|body: &[u8]| {
    check(body);
    let mut sealed = body.to_vec();
    sealed.extend_from_slice(&Sha256::digest(body));
    check(&sealed);
});
