//! The adaptive baseline from outside: what it finds, what it leaves alone, what it learns.
#![allow(clippy::cast_possible_truncation)] // Made-up numbers of ordinary size.
use lineheron_native::baseline::{DeviceBaseline, FIRST_SAMPLE, Memory, SETTLED_MS, Score, threshold_nats};
use lineheron_native::channel::ChannelKind::{self, Count, Gauge};
use lineheron_native::random::Random;
use proptest::prelude::*;

const KINDS: [ChannelKind; 3] = [Gauge, Gauge, Count];
/// What the default budget allows at one record a second.
const LIMIT_NATS: f64 = 12.97;

/// A device that reports once a second: latency around 20 ms, now and then some loss, few retries.
struct Line {
    baseline: DeviceBaseline,
    random: Random,
    time_ms: i64,
    surprises: Vec<f64>,
}

impl Line {
    fn new(seed: u64) -> Self {
        let (baseline, random) = (DeviceBaseline::default(), Random::new(seed));
        Self { baseline, random, time_ms: 1_700_000_000_000, surprises: Vec::new() }
    }

    fn push(&mut self, values: &[f32]) -> Option<Score> {
        self.time_ms += 1000;
        self.baseline.push(self.time_ms, values, &KINDS, Memory::default(), &mut self.surprises)
    }

    /// A normal record, its latency multiplied and its loss raised.
    fn record(&mut self, factor: f32, loss: f32) -> Option<Score> {
        let noise: f64 = (0..12).map(|_| self.random.unit()).sum::<f64>() - 6.0;
        let (lossy, retry) = (self.random.unit() < 0.05, self.random.unit() < 0.1);
        let base = if lossy { 0.5 + self.random.unit() } else { 0.0 };
        let latency = (20.0 * (0.12 * noise).exp()) as f32;
        self.push(&[latency * factor, base as f32 + loss, f32::from(u8::from(retry))])
    }

    fn normal(&mut self, records: usize) -> Vec<f64> {
        (0..records).filter_map(|_| self.record(1.0, 0.0)).map(|score| score.nats).collect()
    }
}

#[test]
fn sixteen_records_have_no_score_and_until_the_thirtieth_nothing_is_a_surprise() {
    let mut line = Line::new(1);
    assert_eq!(line.normal(16).len(), 0);
    assert_eq!(line.normal(FIRST_SAMPLE - 16), [0.0; FIRST_SAMPLE - 16]);
    assert!(line.normal(20).iter().any(|nats| *nats > 0.0));
}

#[test]
fn a_jump_back_to_a_level_of_long_ago_is_strange() {
    let mut line = Line::new(12);
    line.normal(600);
    for _ in 0..1800 {
        line.record(4.0, 0.0);
    }
    let before: f64 = (0..50).map(|_| line.record(4.0, 0.0).unwrap().strangeness).sum::<f64>() / 50.0;
    let after = (0..10).map(|_| line.record(1.0, 0.0).unwrap().strangeness).fold(0.0, f64::max);
    assert!(after > 1.5 * before, "{after} after {before}");
}

#[test]
fn normal_records_stay_within_the_alert_budget() {
    let alarms: usize = (0..10)
        .map(|seed| Line::new(seed).normal(20_000).into_iter().filter(|nats| *nats > LIMIT_NATS).count())
        .sum();
    // 200,000 records are two days and a third of one device: 0.2 a day are half an alarm; a few belong to
    // the first minute, which cannot know a tail.
    assert!(alarms <= 3, "{alarms} alarms");
}

#[test]
fn a_fault_is_found_at_once_and_its_channel_named_first() {
    // Few records had any loss, so how much is much takes one more to tell.
    for (factor, loss, channel, records) in [(6.0, 0.0, 0, 1), (1.0, 40.0, 1, 2)] {
        let mut line = Line::new(7);
        line.normal(300);
        let found = (0..records).any(|_| line.record(factor, loss).unwrap().nats > LIMIT_NATS);
        assert!(found, "channel {channel}");
        let shares = line.baseline.shares(&line.surprises);
        let first = (0..3).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap();
        assert_eq!(first, channel, "{shares:?}");
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}

#[test]
fn a_mild_fault_that_lasts_is_found_within_ten_records() {
    let found = (0..50).filter(|seed| {
        let mut line = Line::new(*seed);
        line.normal(120);
        (0..10).any(|_| line.record(1.5, 0.0).is_some_and(|score| score.nats > LIMIT_NATS))
    });
    assert!(found.count() >= 48);
}

#[test]
fn a_fault_of_five_minutes_is_not_learnt_and_normal_records_after_it_are_normal() {
    let mut line = Line::new(3);
    line.normal(600);
    let during: Vec<f64> = (0..300).map(|_| line.record(4.0, 0.0).unwrap().nats).collect();
    assert!(during.iter().all(|nats| *nats > LIMIT_NATS));
    let after = line.normal(600);
    let strange = after.iter().skip(10).filter(|nats| **nats > LIMIT_NATS).count();
    assert_eq!(strange, 0);
}

#[test]
fn a_level_that_lasts_a_quarter_of_an_hour_becomes_the_normal_one() {
    let mut line = Line::new(4);
    line.normal(600);
    let start_ms = line.time_ms;
    let shifted = loop {
        let score = line.record(4.0, 0.0).unwrap();
        if score.level_shift || line.time_ms - start_ms > 2 * SETTLED_MS {
            break score.level_shift;
        }
    };
    assert!(shifted, "still strange after half an hour");
    assert!(line.time_ms - start_ms >= SETTLED_MS - 60_000);
    let quiet = (0..300).filter(|_| line.record(4.0, 0.0).unwrap().nats <= LIMIT_NATS).count();
    assert!(quiet >= 299, "{quiet} of 300");
    assert!(line.record(1.0, 0.0).unwrap().nats > LIMIT_NATS, "the old level is the strange one now");
}

#[test]
fn what_is_unknown_changes_nothing() {
    let (mut with, mut without) = (Line::new(5), Line::new(5));
    with.normal(100);
    without.normal(100);
    assert_eq!(with.push(&[f32::NAN; 3]), None);
    without.time_ms += 1000;
    let (a, b) = (with.record(1.0, 0.0).unwrap(), without.record(1.0, 0.0).unwrap());
    assert!((a.nats - b.nats).abs() < 1e-9);
}

#[test]
fn a_constant_channel_that_moves_is_strange_and_one_that_stays_is_not() {
    let mut line = Line::new(6);
    for _ in 0..200 {
        line.push(&[20.0, 0.0, 0.0]);
    }
    assert!(line.push(&[20.0, 0.0, 0.0]).unwrap().nats < 1.0);
    assert!(line.push(&[21.0, 0.0, 0.0]).unwrap().nats > 1.0);
}

#[test]
fn a_tighter_budget_and_more_records_a_day_need_a_higher_threshold() {
    assert!((threshold_nats(86_400.0, 0.2) - LIMIT_NATS).abs() < 0.01);
    assert!(threshold_nats(86_400.0, 0.02) > threshold_nats(86_400.0, 0.2));
    assert!(threshold_nats(288.0, 0.2) < threshold_nats(86_400.0, 0.2));
}

fn any_value() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -1e3_f32..1e3,
        1 => Just(0.0_f32),
        1 => Just(f32::NAN),
        1 => -1e12_f32..1e12,
        1 => 0.0_f32..1e-12,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_comes_the_score_is_a_number_and_the_same_again(
        rows in prop::collection::vec((any_value(), any_value(), 0.0_f32..1e6), 1..200),
        steps in prop::collection::vec(-5000_i64..3_600_000, 200),
    ) {
        let run = || {
            let (mut baseline, mut surprises, mut time_ms) = (DeviceBaseline::default(), Vec::new(), 0_i64);
            let mut scores = Vec::new();
            for ((a, b, c), step) in rows.iter().zip(&steps) {
                time_ms += step;
                let row = [*a, *b, c.floor()];
                let score = baseline.push(time_ms, &row, &KINDS, Memory::default(), &mut surprises);
                scores.push(score.map_or(-1.0, |score| score.nats));
            }
            scores
        };
        let scores = run();
        prop_assert!(scores.iter().all(|nats| nats.is_finite()));
        prop_assert_eq!(scores, run());
    }
}

#[test]
fn the_nearest_normal_value_is_found_normal_and_a_little_further_out_is_not() {
    // Latency is a level; many retries are events, and stay whole.
    for (fault, channel, step) in [([140.0, 0.0, 0.0], 0, 2.0), ([20.0, 0.0, 9.0], 2, 1.0)] {
        let mut line = Line::new(5);
        line.normal(400);
        let again = |value: f32| {
            let (mut baseline, mut values) = (line.baseline.clone(), fault);
            values[channel] = value;
            let mut surprises = Vec::new();
            let score =
                baseline.push(line.time_ms + 1000, &values, &KINDS, Memory::default(), &mut surprises);
            (score.unwrap().nats, baseline, surprises)
        };
        let (nats, baseline, surprises) = again(fault[channel]);
        assert!(nats > LIMIT_NATS, "{nats}");
        let (place, value) = baseline.nearest_normal(&fault, &surprises, &KINDS, LIMIT_NATS).unwrap();
        assert_eq!(place, channel);
        assert!(channel == 0 || value.fract() == 0.0);
        assert!(again(value as f32).0 <= LIMIT_NATS);
        assert!(again(value as f32 + step).0 > LIMIT_NATS, "{value}");
    }
}

#[test]
fn no_value_of_one_channel_is_told_where_two_are_out() {
    let mut line = Line::new(5);
    line.normal(400);
    let values = [200.0, 90.0, 9.0];
    assert!(line.push(&values).unwrap().nats > LIMIT_NATS);
    assert_eq!(line.baseline.nearest_normal(&values, &line.surprises, &KINDS, LIMIT_NATS), None);
}
