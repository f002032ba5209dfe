//! Once warm, a line costs no allocation: parsed, placed in both windows, measured and scored in both
//! scopes; only what is put out is allocated, and working space for each block of lines that is scored.
#![allow(clippy::cast_possible_wrap)] // Small made-up numbers.
mod support;

#[path = "support/heap.rs"]
mod heap;

use std::fmt::Write as _;

use lineheron_native::engine::Engine;
use lineheron_native::engine::output::Scope;
use lineheron_native::forest::FeatureName;
use lineheron_native::forest::fit::fit;
use lineheron_native::forest::params::ForestParams;
use lineheron_native::random::Random;
use support::{START_MS, engine};

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

const DEVICES: usize = 20;
const PER_SECOND: usize = 100;

/// Plain lines of all devices in turn, values of a seeded generator.
fn lines(from: usize, count: usize, random: &mut Random) -> String {
    let mut text = String::new();
    for index in from..from + count {
        let time_ms = START_MS + (index * 1000 / PER_SECOND) as i64;
        let (latency, traffic) = (20.0 + random.normal().abs(), 5.0 + random.unit());
        let retries = random.below(3);
        let _ = writeln!(
            text,
            "{{\"timestamp\":{time_ms},\"device_id\":\"modem-{}\",\"latency_ms\":{latency:.3},\
             \"packet_loss_pct\":0.5,\"retry_count\":{retries},\"error_code\":200,\
             \"traffic_volume_mb\":{traffic:.3},\"connection_resets\":0}}",
            index % DEVICES
        );
    }
    text
}

fn scoring_engine() -> Engine {
    let mut engine = engine(|options| {
        options.hop_seconds = 3600.0;
        "none".clone_into(&mut options.publish_records);
    });
    let names = engine.features().as_slice().iter();
    let names: Vec<_> = names.map(|f| FeatureName { name: f.name.clone(), unit: f.unit.clone() }).collect();
    let rows = support::normal_rows(500, names.len(), 1);
    let params = ForestParams::new(engine.features().fingerprint(), names).check().unwrap();
    let forest = fit(&rows, params).unwrap().forest;
    for scope in [Scope::Device, Scope::Gateway] {
        engine.set_forest(scope, Some(forest.clone())).unwrap();
        engine.set_threshold(scope, 1.0).unwrap();
    }
    engine.set_detecting(true);
    engine
}

#[test]
fn a_warm_engine_allocates_by_the_block_and_not_for_a_line_that_brings_no_output() {
    let (mut engine, mut random) = (scoring_engine(), Random::new(3));
    // Two windows' lengths: the second turns over what the first has filled.
    let warm = 2 * 30 * PER_SECOND + PER_SECOND;
    engine.push(lines(0, warm, &mut random).as_bytes(), START_MS + 200_000, true);
    let text = lines(warm, 2000, &mut random);
    let before = heap::calls();
    let push = engine.push(text.as_bytes(), START_MS + 200_000, true);
    let calls = heap::calls() - before;
    assert_eq!((push.consumed_bytes, push.windows.len()), (text.len(), 0));
    assert_eq!(engine.counters().records, (warm + 2000) as u64);
    // Both forests take one for each block of 128; windows rarely one for a size they never had.
    assert!(calls <= 2 * 2000_u64.div_ceil(128) + 4, "{calls} allocations in 2,000 lines");
}
