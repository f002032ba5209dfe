//! Windows hold the right records, and their features equal a plain two-pass reference to 1e-9.
mod support;

use lineheron_native::channel::{ChannelKind, ChannelList};
use lineheron_native::feature::FeatureList;
use lineheron_native::window::{Mark, Window};
use proptest::prelude::*;

const WINDOW_MS: i64 = 10_000;

#[derive(Debug, Clone)]
struct Sample {
    mark: Mark,
    values: Vec<f64>,
}

/// What a window should hold, computed anew each time.
fn kept(samples: &[Sample], max_records: usize) -> Vec<Sample> {
    let mut held: Vec<Sample> = Vec::new();
    let mut newest = i64::MIN;
    for sample in samples {
        newest = newest.max(sample.mark.time_ms);
        held.push(sample.clone());
        held.sort_by_key(|sample| sample.mark.time_ms);
        held.retain(|sample| sample.mark.time_ms > newest - WINDOW_MS);
        let excess = held.len().saturating_sub(max_records);
        held.drain(..excess);
    }
    held
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let low = position.floor() as usize;
    let high = position.ceil() as usize;
    sorted[low] + (sorted[high] - sorted[low]) * (position - low as f64)
}

struct Stats {
    mean: f64,
    variance: f64,
    max: f64,
    min: f64,
    p95: f64,
    total: f64,
    rate: f64,
}

#[allow(clippy::cast_precision_loss)]
fn stats(held: &[Sample], channel: usize) -> Stats {
    let mut known: Vec<f64> = held.iter().map(|s| s.values[channel]).filter(|v| !v.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    let n = known.len() as f64;
    if known.is_empty() {
        let nan = f64::NAN;
        return Stats { mean: nan, variance: nan, max: nan, min: nan, p95: nan, total: nan, rate: nan };
    }
    let total: f64 = known.iter().sum();
    let mean = total / n;
    let squares: f64 = known.iter().map(|v| (v - mean) * (v - mean)).sum();
    Stats {
        mean,
        variance: if known.len() > 1 { squares / (n - 1.0) } else { f64::NAN },
        max: known[known.len() - 1],
        min: known[0],
        p95: quantile(&known, 0.95),
        total,
        rate: known.iter().filter(|v| **v > 0.0).count() as f64 / n,
    }
}

#[allow(clippy::cast_precision_loss)]
fn reference(held: &[Sample]) -> Vec<f64> {
    let n = held.len() as f64;
    let [latency, loss, retries, traffic, resets, level, count] =
        std::array::from_fn(|channel| stats(held, channel));
    let mut devices: Vec<u64> = held.iter().map(|s| s.mark.device).collect();
    devices.sort_unstable();
    devices.dedup();
    let share = |hit: fn(&Mark) -> bool| held.iter().filter(|s| hit(&s.mark)).count() as f64 / n;
    vec![
        latency.mean,
        latency.variance,
        latency.max,
        latency.p95,
        loss.mean,
        loss.max,
        loss.variance,
        retries.mean,
        retries.max,
        retries.rate,
        share(|m| m.error),
        share(|m| m.server_error),
        traffic.mean,
        traffic.variance,
        traffic.max - traffic.min,
        resets.mean,
        resets.total,
        n / (WINDOW_MS as f64 / 1000.0),
        devices.len() as f64,
        level.mean,
        level.variance,
        level.max,
        level.p95,
        count.mean,
        count.max,
        count.total,
        count.rate,
    ]
}

fn channels() -> ChannelList {
    let declared = [
        ("signal_dbm".to_owned(), "dBm".to_owned(), ChannelKind::Gauge),
        ("attaches".to_owned(), String::new(), ChannelKind::Count),
    ];
    ChannelList::new(&declared).unwrap()
}

fn check(samples: &[Sample], max_records: usize) -> Result<(), TestCaseError> {
    let features = FeatureList::new(&channels(), WINDOW_MS).unwrap();
    let mut window = Window::new(WINDOW_MS, channels().as_slice().len(), max_records);
    let mut measured = Vec::new();
    for end in 1..=samples.len() {
        let sample = &samples[end - 1];
        window.push(sample.mark, &sample.values);
        // The reference is slow: compare at every early step, then now and then.
        if end > 60 && end % 17 != 0 && end != samples.len() {
            continue;
        }
        let held = kept(&samples[..end], max_records);
        prop_assert_eq!(window.len(), held.len());
        features.measure(&window, &mut measured);
        for ((found, expected), feature) in measured.iter().zip(reference(&held)).zip(features.as_slice()) {
            let close = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
            let same = close || (found.is_nan() && expected.is_nan());
            prop_assert!(same, "{} at {}: {} expected {}", feature.name, end, found, expected);
        }
    }
    Ok(())
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => Just(f64::NAN),
        2 => Just(0.0),
        10 => 0.0..100.0_f64,
        2 => 1000.0..1001.0_f64,
        1 => Just(3e4),
    ]
}

fn sample() -> impl Strategy<Value = (i64, u64, bool, bool, Vec<f64>)> {
    (-2500..3000_i64, 0..4_u64, any::<bool>(), any::<bool>(), prop::collection::vec(value(), 7))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn features_equal_a_two_pass_reference_on_random_streams(
        steps in prop::collection::vec(sample(), 1..160),
        max_records in prop_oneof![Just(4096_usize), 3..20_usize],
    ) {
        let mut newest = support::START_MS;
        let mut samples = Vec::new();
        for (step, device, error, server, values) in steps {
            let time_ms = newest + step;
            newest = newest.max(time_ms);
            let mark = Mark { time_ms, device, error, server_error: error && server };
            samples.push(Sample { mark, values });
        }
        check(&samples, max_records)?;
    }
}

fn steady(values: impl Iterator<Item = f64>) -> Vec<Sample> {
    let mark = |index: i64| Mark {
        time_ms: support::START_MS + index * 100,
        device: 1,
        error: false,
        server_error: false,
    };
    (0..).zip(values).map(|(index, value)| Sample { mark: mark(index), values: vec![value; 7] }).collect()
}

#[test]
fn a_large_offset_a_ramp_and_a_wild_value_that_left_cost_no_digits() {
    let mut random = lineheron_native::random::Random::new(5);
    check(&steady((0..600).map(|_| 1e6 + random.unit())), 4096).unwrap();
    check(&steady((0..600).map(|index| f64::from(index) * 1000.0)), 4096).unwrap();
    let wild = |index: i32| if index % 150 == 10 { 1e12 } else { 20.0 + f64::from(index % 7) };
    let samples = steady((0..600).map(wild));
    let features = FeatureList::new(&channels(), WINDOW_MS).unwrap();
    let (mut window, mut measured) = (Window::new(WINDOW_MS, 7, 4096), Vec::new());
    for (index, sample) in samples.iter().enumerate() {
        window.push(sample.mark, &sample.values);
        let held = kept(&samples[index.saturating_sub(120)..=index], 4096);
        features.measure(&window, &mut measured);
        let expected = reference(&held);
        for (found, expected) in measured.iter().zip(expected) {
            let close = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
            assert!(close || found.is_nan() && expected.is_nan(), "{index}: {found} {expected}");
        }
    }
}

#[test]
fn constant_values_have_a_variance_of_exactly_zero() {
    let mut window = Window::new(WINDOW_MS, 7, 4096);
    for sample in steady(std::iter::repeat_n(0.1, 500)) {
        window.push(sample.mark, &sample.values);
    }
    let variance = window.statistic(0, lineheron_native::feature::Statistic::Variance);
    assert_eq!(variance.to_bits(), 0.0_f64.to_bits());
}

#[test]
fn the_window_is_open_at_its_old_end_and_closed_at_its_new_one() {
    let mut window = Window::new(WINDOW_MS, 7, 4096);
    let mark = |time_ms| Mark { time_ms, device: 1, error: false, server_error: false };
    window.push(mark(0), &[1.0; 7]);
    window.push(mark(WINDOW_MS - 1), &[1.0; 7]);
    assert_eq!(window.len(), 2);
    window.push(mark(WINDOW_MS), &[1.0; 7]);
    assert_eq!(window.len(), 2, "the record exactly one length old is out");
}
