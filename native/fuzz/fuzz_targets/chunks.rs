//! A stream of any bytes: however it is cut into chunks, the engine puts out the same windows and
//! records and counts the same, and its bounds hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineheron_native::engine::options::Options;
use lineheron_native::engine::output::Push;
use lineheron_native::engine::{Engine, MAX_DEVICE_RECORDS, MAX_GATEWAY_RECORDS};

const ARRIVAL_MS: i64 = 1_700_000_300_000;
const MAX_DEVICES: usize = 3;

fn engine() -> Engine {
    let options = Options {
        hop_seconds: 0.0,
        publish_records: "all".to_owned(),
        max_devices: MAX_DEVICES as f64,
        ..Options::default()
    };
    Engine::new(options.check().expect("the options are right")).expect("an engine")
}

/// Everything put out but offsets, which depend on the cuts.
fn shown(push: &Push) -> Vec<String> {
    let windows = push.windows.iter().map(|window| {
        let judged = &window.judged;
        let bits: Vec<u64> = judged.features.iter().map(|value| value.to_bits()).collect();
        assert!(judged.records <= MAX_GATEWAY_RECORDS.max(MAX_DEVICE_RECORDS) && judged.records > 0);
        format!("{:?} {} {} {} {bits:?}", window.scope, window.device, judged.end_ms, judged.records)
    });
    let records = push.records.iter().map(|output| {
        let record = &output.record;
        format!("{} {} {:?} {:?}", output.time_ms, record.device, record.values, record.error_code)
    });
    windows.chain(records).collect()
}

fn feed(bytes: &[u8], mut cut: impl FnMut() -> usize) -> (Vec<String>, Engine) {
    let (mut engine, mut rest, mut out, mut place) = (engine(), Vec::new(), Vec::new(), 0);
    while place < bytes.len() {
        let end = (place + cut().max(1)).min(bytes.len());
        rest.extend_from_slice(&bytes[place..end]);
        place = end;
        let push = engine.push(&rest, ARRIVAL_MS, true);
        out.extend(shown(&push));
        rest.drain(..push.consumed_bytes);
    }
    (out, engine)
}

fuzz_target!(|input: &[u8]| {
    let Some((&step, bytes)) = input.split_first() else { return };
    let (mut whole, first) = feed(bytes, || usize::MAX / 2);
    let mut state = usize::from(step);
    let (mut pieces, second) = feed(bytes, || {
        state = state.wrapping_mul(5).wrapping_add(3) % 251;
        state
    });
    // Windows and records stand in lists of their own: one order for both ways of cutting.
    whole.sort_unstable();
    pieces.sort_unstable();
    assert_eq!(whole, pieces);
    assert_eq!(first.counters(), second.counters());
    assert!(first.devices() <= MAX_DEVICES);
});
