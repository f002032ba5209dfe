//! Features of every window equal plain NumPy's to 1e-9, from lines on: tests/fixtures/make_windows.py.
mod support;

use lineheron_native::engine::output::{Scope, WindowOutput};
use serde::Deserialize;
use support::START_MS;

#[derive(Deserialize)]
struct Fixture {
    lines: Vec<String>,
    accepted: u64,
    late: u64,
    expected: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    line: usize,
    device: Vec<Option<f64>>,
    gateway: Vec<Option<f64>>,
}

fn compare(windows: &[WindowOutput], scope: Scope, expected: &[Option<f64>], names: &[String], line: usize) {
    let window = windows.iter().find(|window| window.scope == scope).expect("a window of each scope");
    assert_eq!(window.judged.features.len(), expected.len());
    for ((found, expected), name) in window.judged.features.iter().zip(expected).zip(names) {
        let close = match expected {
            Some(expected) => (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            None => found.is_nan(),
        };
        assert!(close, "line {line}, {scope:?}, {name}: {found} expected {expected:?}");
    }
}

#[test]
fn every_feature_of_both_scopes_equals_numpys_on_a_random_stream() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/windows.json")).unwrap();
    let mut engine = support::engine(|options| options.hop_seconds = 0.0);
    let names: Vec<String> = engine.features().as_slice().iter().map(|f| f.name.clone()).collect();
    let mut expected = fixture.expected.iter().peekable();
    for (index, line) in fixture.lines.iter().enumerate() {
        let push = engine.push(format!("{line}\n").as_bytes(), START_MS + 3_600_000, true);
        if let Some(expected) = expected.next_if(|expected| expected.line == index) {
            compare(&push.windows, Scope::Device, &expected.device, &names, index);
            compare(&push.windows, Scope::Gateway, &expected.gateway, &names, index);
        }
    }
    assert!(expected.next().is_none() && fixture.expected.len() > 50);
    let counters = engine.counters();
    assert_eq!((counters.records, counters.late), (fixture.accepted, fixture.late));
}
