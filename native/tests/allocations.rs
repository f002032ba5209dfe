//! Once warm, a line costs no allocation: parsed, placed in both windows, measured and scored in both
//! scopes; only what is put out is allocated, so many pieces for each window.
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

fn scoring_engine(hop_seconds: f64) -> Engine {
    let mut engine = engine(|options| {
        options.hop_seconds = hop_seconds;
        "none".clone_into(&mut options.publish_records);
    });
    let names = engine.features().as_slice().iter();
    let names: Vec<_> = names.map(|f| FeatureName { name: f.name.clone(), unit: f.unit.clone() }).collect();
    let rows = support::normal_rows(500, names.len(), 1);
    let params = ForestParams::new(engine.features().fingerprint(), names).check().unwrap();
    let forest = fit(&rows, params).unwrap().forest;
    for scope in [Scope::Device, Scope::Gateway] {
        engine.set_forest(scope, Some(forest.clone())).unwrap();
        engine.set_threshold(scope, Some(1.0)).unwrap();
    }
    engine.set_detecting(true);
    engine
}

/// Allocations in 2,000 lines after windows have turned over three times, and the windows put out.
fn warm_calls(hop_seconds: f64) -> (u64, u64) {
    let (mut engine, mut random) = (scoring_engine(hop_seconds), Random::new(3));
    let warm = 4 * 30 * PER_SECOND + PER_SECOND;
    for from in (0..warm).step_by(2000) {
        let count = 2000.min(warm - from);
        engine.push(lines(from, count, &mut random).as_bytes(), START_MS + 300_000, true);
    }
    let text = lines(warm, 2000, &mut random);
    let before = heap::calls();
    let push = engine.push(text.as_bytes(), START_MS + 300_000, true);
    let calls = heap::calls() - before;
    assert_eq!(push.consumed_bytes, text.len());
    assert_eq!(engine.counters().records, (warm + 2000) as u64);
    (calls, push.windows.len() as u64)
}

#[test]
fn a_warm_engine_allocates_nothing_for_lines_that_bring_no_output() {
    assert_eq!(warm_calls(3600.0), (0, 0));
}

#[test]
fn a_window_that_is_put_out_costs_a_bounded_number_of_allocations() {
    let (calls, windows) = warm_calls(0.0);
    assert_eq!(windows, 4000, "one of each scope a line");
    // Its name and its features, and the growing list that it stands in.
    assert!(calls <= 2 * windows + 64, "{calls} allocations for {windows} windows");
}
