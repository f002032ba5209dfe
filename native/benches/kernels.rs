//! The kernels by themselves: `cargo bench --no-default-features`, or with a name behind `--`.
//!
//! Figures against other programs come from the benchmark in `bench/`; these are for seeing what a change
//! to one kernel does.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_wrap)] // Small made-up numbers.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lineheron_native::autoencoder::params::TrainingParams;
use lineheron_native::autoencoder::train::train;
use lineheron_native::channel::ChannelList;
use lineheron_native::engine::Engine;
use lineheron_native::engine::options::Options;
use lineheron_native::engine::output::Scope;
use lineheron_native::feature::{FeatureList, Statistic};
use lineheron_native::forest::fit::{Fitted, fit};
use lineheron_native::forest::params::ForestParams;
use lineheron_native::forest::{FeatureName, Forest};
use lineheron_native::parse::canonical;
use lineheron_native::random::Random;
use lineheron_native::window::{Mark, Window};

const ARRIVAL_MS: i64 = 1_800_000_000_000;
const START_MS: i64 = 1_700_000_000_000;

/// Normal rows of which one in twenty is three times as wide.
fn rows(count: usize, columns: usize) -> Vec<f64> {
    let mut random = Random::new(7);
    let spread = |row: usize| if row.is_multiple_of(20) { 3.0 } else { 1.0 };
    (0..count * columns).map(|index| random.normal() * spread(index / columns)).collect()
}

fn fitted(rows: &[f64], columns: usize) -> Fitted {
    let name = |index| FeatureName { name: format!("f{index}"), unit: String::new() };
    let params = ForestParams::new("0123456789abcdef", (0..columns).map(name).collect());
    fit(rows, params.check().expect("parameters are right")).expect("rows are right")
}

fn forests(criterion: &mut Criterion) {
    for columns in [15, 19] {
        let rows = rows(20_000, columns);
        let forest = fitted(&rows, columns).forest;
        let mut group = criterion.benchmark_group(format!("forest_{columns}"));
        let mut next = rows.chunks_exact(columns).cycle();
        group.bench_function("score_row", |b| b.iter(|| forest.score(next.next().unwrap_or(&[]))));
        group.bench_function("reference_row", |b| {
            b.iter(|| forest.reference_score(black_box(&rows[..columns])));
        });
        group.bench_function("reasons", |b| b.iter(|| forest.explain(black_box(&rows[..columns]), 3)));
        let mut scores = vec![0.0; 20_000];
        // As many as the engine scores at once.
        group.bench_function("score_rows_of_128", |b| {
            b.iter(|| forest.score_rows(&rows[..128 * columns], &mut scores[..128], 1));
        });
        group.throughput(Throughput::Elements(20_000)).sample_size(20);
        for threads in [1, 2] {
            group.bench_function(format!("score_rows_{threads}"), |b| {
                b.iter(|| forest.score_rows(&rows, &mut scores, threads));
            });
        }
        group.bench_function("fit_1e4", |b| b.iter(|| fitted(&rows[..10_000 * columns], columns)));
        group.finish();
    }
}

/// One record a millisecond from so many devices in turn.
fn lines(count: usize, devices: usize) -> String {
    let (mut random, mut text) = (Random::new(5), String::new());
    for index in 0..count {
        let (latency, traffic) = (20.0 + random.normal().abs() * 5.0, 10.0 + random.normal().abs() * 3.0);
        let (loss, retries, resets) = (random.unit() * 2.0, random.below(3), random.below(2));
        let code = if random.below(20) == 0 { 500 } else { 200 };
        let _ = writeln!(
            text,
            "{{\"timestamp\":{},\"device_id\":\"modem-{}\",\"latency_ms\":{latency:.3},\
             \"packet_loss_pct\":{loss:.2},\"retry_count\":{retries},\"error_code\":{code},\
             \"traffic_volume_mb\":{traffic:.3},\"connection_resets\":{resets}}}",
            START_MS + index as i64,
            index % devices,
        );
    }
    text
}

fn parsers(criterion: &mut Criterion) {
    let text = lines(1, 1);
    let (plain, channels) = (text.trim_end(), ChannelList::new(&[]).expect("no channels"));
    let escaped = plain.replace("modem-", "modem\\u002d");
    let mut group = criterion.benchmark_group("parse");
    for (name, line) in [("plain", plain), ("escaped", &escaped)] {
        group.throughput(Throughput::Bytes(line.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| canonical::parse(black_box(line.as_bytes()), &channels).is_ok());
        });
    }
    group.finish();
}

fn windows(criterion: &mut Criterion) {
    let channels = ChannelList::new(&[]).expect("no channels");
    let features = FeatureList::new(&channels, 30_000).expect("the default features");
    let plan = Arc::new(features.plan());
    let mut group = criterion.benchmark_group("window_push");
    for records in [30_i64, 3000, 30_000] {
        let mut window = Window::planned(30_000, &plan, 65_536);
        let (mut random, mut time_ms) = (Random::new(3), START_MS);
        let mut push = || {
            time_ms += 30_000 / records;
            let mark = Mark { time_ms, device: 1, error: false, server_error: false };
            let values: [f64; 5] = std::array::from_fn(|_| random.unit());
            window.push(mark, &values)
        };
        for _ in 0..2 * records {
            push();
        }
        group.bench_function(format!("{records}_records"), |b| b.iter(&mut push));
    }
    group.finish();
}

/// The nineteen default features written out, as if channels were no data.
fn by_hand(window: &Window, table: &mut [f64], out: &mut Vec<f64>) {
    use lineheron_native::feature::Statistic::{Delta, Max, Mean, P95, Rate, Total, Variance};
    window.write_statistics(table);
    let of = |channel: usize, statistic: Statistic| table[statistic.place(channel, 5)];
    let records = window.len() as f64;
    out.extend_from_slice(&[
        of(0, Mean),
        of(0, Variance),
        of(0, Max),
        of(0, P95),
        of(1, Mean),
        of(1, Max),
        of(1, Variance),
        of(2, Mean),
        of(2, Max),
        of(2, Rate),
        f64::from(window.errors()) / records,
        f64::from(window.server_errors()) / records,
        of(3, Mean),
        of(3, Variance),
        of(3, Delta),
        of(4, Mean),
        of(4, Total),
        records / 30.0,
        window.devices() as f64,
    ]);
}

/// What it costs that features come from a list of channels: next to nothing.
fn features(criterion: &mut Criterion) {
    let channels = ChannelList::new(&[]).expect("no channels");
    let list = FeatureList::new(&channels, 30_000).expect("the default features");
    let mut window = Window::planned(30_000, &Arc::new(list.plan()), 4096);
    let mut random = Random::new(3);
    for step in 0..300 {
        let mark = Mark { time_ms: START_MS + step * 100, device: 1, error: false, server_error: false };
        // Latency and loss, retries, traffic, resets in the order of the defaults.
        window.push(mark, &std::array::from_fn::<f64, 5, _>(|_| random.unit()));
    }
    let (mut table, mut row) = (vec![f64::NAN; Statistic::places(5)], Vec::new());
    let mut space = Vec::new();
    let (mut listed, mut written) = (Vec::new(), Vec::new());
    list.measure(&window, &mut listed);
    by_hand(&window, &mut table, &mut written);
    let names: Vec<&str> = channels.as_slice().iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(
        names,
        ["latency_ms", "packet_loss_pct", "retry_count", "traffic_volume_mb", "connection_resets"]
    );
    assert_eq!(listed, written);
    let mut group = criterion.benchmark_group("features");
    group.bench_function("by_the_list", |b| {
        b.iter(|| {
            row.clear();
            list.measure_more(black_box(&window), &mut space, &mut row);
        });
    });
    group.bench_function("by_hand", |b| {
        b.iter(|| {
            row.clear();
            by_hand(black_box(&window), &mut table, &mut row);
        });
    });
    group.finish();
}

/// An engine with a forest in each scope, fitted on windows of the same lines.
fn detecting(text: &str) -> Engine {
    let make = |hop_seconds| {
        let options = Options { hop_seconds, ..Options::default() };
        Engine::new(options.check().expect("options are right")).expect("an engine")
    };
    let (mut engine, push) = (make(1.0), make(0.0).push(text.as_bytes(), ARRIVAL_MS, true));
    for scope in [Scope::Device, Scope::Gateway] {
        let rows = push.windows.iter().filter(|window| window.scope == scope);
        let rows: Vec<f64> = rows.flat_map(|window| window.judged.features.clone()).collect();
        let names = engine.features().as_slice().iter();
        let names = names.map(|f| FeatureName { name: f.name.clone(), unit: f.unit.clone() }).collect();
        let params = ForestParams::new(engine.features().fingerprint(), names);
        let forest: Forest = fit(&rows, params.check().expect("right")).expect("right").forest;
        engine.set_forest(scope, Some(forest)).expect("made for it");
        engine.set_threshold(scope, Some(0.9)).expect("finite");
    }
    engine.set_detecting(true);
    engine
}

fn engines(criterion: &mut Criterion) {
    const LINES: usize = 60_000;
    let mut group = criterion.benchmark_group("lines_scored");
    group.throughput(Throughput::Elements(LINES as u64 / 2)).sample_size(10);
    for devices in [10, 100, 1000] {
        let text = lines(LINES, devices);
        let half = text.len() / 2 + text[text.len() / 2..].find('\n').map_or(0, |place| place + 1);
        group.bench_function(format!("{devices}_devices"), |b| {
            let warm = || {
                let mut engine = detecting(&text[..half]);
                engine.push(&text.as_bytes()[..half], ARRIVAL_MS, true);
                engine
            };
            let run =
                |mut engine: Engine| engine.push(&text.as_bytes()[half..], ARRIVAL_MS, true).windows.len();
            b.iter_batched(warm, run, criterion::BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn training(criterion: &mut Criterion) {
    let rows = rows(2000, 19);
    let params = TrainingParams { patience: 50.0, ..TrainingParams::default() };
    let params = params.check(19).expect("parameters are right");
    let mut group = criterion.benchmark_group("autoencoder");
    group.sample_size(10);
    group.bench_function("train_2000_rows_50_epochs", |b| b.iter(|| train(&rows, &params).is_ok()));
    group.finish();
}

criterion_group!(benches, forests, parsers, windows, features, engines, training);
criterion_main!(benches);
