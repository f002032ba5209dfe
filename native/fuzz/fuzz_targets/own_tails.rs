//! Bytes of what is rare for devices: whatever they are, reading refuses or gives devices that go on learning, and
//! what is saved of them is the same. A right checksum is put behind the input too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineheron_native::engine::own_tail::{FleetTail, OwnTails, ScoreTail, codec};
use sha2::{Digest, Sha256};

const WINDOW_MS: i64 = 30_000;
/// Of them, a block is two hundred.
const WINDOWS: i64 = 450;

fn check(bytes: &[u8]) {
    // Behind the magic and the version stands the forest: the input's own, so that none is refused for it.
    let Some(forest) = bytes.get(6..38).and_then(|forest| forest.try_into().ok()) else { return };
    let Ok(devices) = codec::from_bytes(bytes, forest) else { return };
    let again = codec::to_bytes(forest, devices.iter().map(|(name, tail)| (name.as_str(), tail)));
    assert!(again == bytes);
    let mut tails = OwnTails::default();
    let tail = ScoreTail { start: 0.45, scale: 0.01, floor: 0.46, effective_rows: 1000.0 };
    tails.set_fleet(Some(FleetTail { tail, windows_per_day: 86_400.0, budget: 0.2 }));
    for (slot, (_, tail)) in (0..).zip(devices) {
        tails.restore(slot as usize, tail);
        for window in 0..WINDOWS {
            let score = (window % 7) as f64 / 7.0;
            tails.learn(slot, (window * WINDOW_MS, WINDOW_MS), score, window % 11 == 0);
        }
        assert!(tails.threshold(Some(slot)).is_some_and(f64::is_finite));
    }
}

fuzz_target!(|body: &[u8]| {
    check(body);
    let mut sealed = body.to_vec();
    sealed.extend_from_slice(&Sha256::digest(body));
    check(&sealed);
});
