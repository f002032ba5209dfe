//! Shared by the integration tests: an engine to feed, lines to feed it, rows to fit on.
#![allow(dead_code)] // Each test file uses a part.

use lineheron_native::engine::Engine;
use lineheron_native::engine::options::Options;
use lineheron_native::engine::output::Push;
use lineheron_native::forest::FeatureName;
use lineheron_native::forest::params::ForestParams;
use lineheron_native::random::Random;

/// An event time to start from, epoch ms.
pub const START_MS: i64 = 1_700_000_000_000;

/// An engine with options changed from the defaults.
pub fn engine(change: impl FnOnce(&mut Options)) -> Engine {
    let mut options = Options::default();
    change(&mut options);
    Engine::new(options.check().expect("options are right")).expect("an engine")
}

/// A plain line.
pub fn line(time_ms: i64, device: &str, latency: f64) -> String {
    format!("{{\"timestamp\":{time_ms},\"device_id\":\"{device}\",\"latency_ms\":{latency:?}}}\n")
}

/// Feeds one plain line that arrives when it happens.
pub fn feed(engine: &mut Engine, time_ms: i64, device: &str) -> Push {
    engine.push(line(time_ms, device, 20.0).as_bytes(), time_ms, true)
}

/// Parameters for rows of `columns` features called f0, f1 …
pub fn params(columns: usize) -> ForestParams {
    let name = |index| FeatureName { name: format!("f{index}"), unit: "u".to_owned() };
    ForestParams::new("0123456789abcdef", (0..columns).map(name).collect())
}

/// Row-major standard normal rows.
pub fn normal_rows(count: usize, columns: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count * columns).map(|_| random.normal()).collect()
}
