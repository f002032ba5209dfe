//! Bytes of baselines: whatever they are, reading refuses or gives devices that go on scoring, and what is
//! saved of them reads and is saved as the same. A right checksum is put behind the input too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineheron_native::baseline::{DeviceBaseline, Memory, codec};
use lineheron_native::channel::ChannelKind::{Count, Gauge};
use sha2::{Digest, Sha256};

const FINGERPRINT: &str = "0123";
const VALUES: [f32; 7] = [0.0, -1e30, 20.0, 1.0, 1e30, f32::NAN, 1e-40];
const START_MS: i64 = 1_800_000_000_000;
const RECORDS: usize = 70;

fn saved(devices: &[(String, DeviceBaseline)]) -> Vec<u8> {
    codec::to_bytes(FINGERPRINT, 3, devices.iter().map(|(name, device)| (name.as_str(), device)))
}

fn check(bytes: &[u8]) {
    let kinds = [Gauge, Gauge, Count];
    let Ok(devices) = codec::from_bytes(bytes, FINGERPRINT, kinds.len()) else { return };
    let once = saved(&devices);
    let again = codec::from_bytes(&once, FINGERPRINT, kinds.len()).expect("what was saved is read");
    assert!(saved(&again) == once);
    for (_, mut device) in devices {
        let mut surprises = Vec::new();
        for (record, time_ms) in (START_MS..).step_by(1000).take(RECORDS).enumerate() {
            device.rates.see(time_ms, [Some("T3-timeout"), Some("503"), None][record % 3]);
            assert!(device.rates.storms().iter().all(|storm| storm.nats.is_finite() && storm.hold_s >= 0.0));
            let row: [f32; 3] = std::array::from_fn(|column| VALUES[(record * (column + 1)) % VALUES.len()]);
            if let Some(score) = device.push(time_ms, &row, &kinds, Memory::default(), &mut surprises) {
                assert!(!score.nats.is_nan() && !score.strangeness.is_nan(), "{score:?}");
            }
        }
    }
}

fuzz_target!(|body: &[u8]| {
    check(body);
    let mut sealed = body.to_vec();
    sealed.extend_from_slice(&Sha256::digest(body));
    check(&sealed);
});
