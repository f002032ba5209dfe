//! Bytes of an `.onnx` file: whatever they are, reading refuses or gives an autoencoder that scores rows
//! with unknown and infinite values, and that is written to a file which reads as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineheron_native::autoencoder::onnx;

fuzz_target!(|bytes: &[u8]| {
    let Ok((autoencoder, properties)) = onnx::read(bytes) else { return };
    let columns = autoencoder.scaler().columns();
    for value in [0.0, 1e300, f64::NEG_INFINITY, f64::NAN] {
        let row = vec![value; columns];
        assert_eq!(autoencoder.errors(&row).len(), columns);
        let score = autoencoder.score(&row);
        assert!(score >= 0.0 || score.is_nan(), "{score}");
    }
    let written = onnx::write(&autoencoder, &properties);
    let (again, same) = onnx::read(&written).expect("what was written is read");
    assert!(again == autoencoder && same == properties);
});
