//! Times the way of a line on one core: `cargo run --release --no-default-features --example hot_path`.
//!
//! Each figure is the best of nine passes, in nanoseconds of processor time a line, over a text of lines
//! made beforehand: reading alone, reading and windows (detection off), and all with a forest in both
//! scopes. `-- DEVICES RATE` times one fleet only.
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use lineheron_native::channel::ChannelList;
use lineheron_native::engine::Engine;
use lineheron_native::engine::options::Options;
use lineheron_native::engine::output::Scope;
use lineheron_native::forest::FeatureName;
use lineheron_native::forest::fit::fit;
use lineheron_native::forest::params::ForestParams;
use lineheron_native::parse::canonical::LineReader;
use lineheron_native::random::Random;

const START_MS: i64 = 1_700_000_000_000;
/// When everything has arrived; the past may be any old.
const ARRIVAL_MS: i64 = START_MS + 1_000_000_000;
const LINES: usize = 100_000;
const PASSES: usize = 9;

/// Lines of all devices in turn, each device `rate` times a second.
#[allow(clippy::cast_possible_wrap)] // Small numbers.
fn lines(devices: usize, rate: usize) -> String {
    let (mut text, mut random) = (String::new(), Random::new(7));
    for index in 0..LINES {
        let time_ms = START_MS + (index * 1000 / (devices * rate)) as i64;
        let (latency, traffic) = (20.0 + random.normal().abs() * 4.0, 5.0 + random.unit());
        let (loss, code) = (random.unit(), if random.below(50) == 0 { 503 } else { 200 });
        let (retries, resets) = (random.below(3), random.below(20) / 19);
        let _ = writeln!(
            text,
            "{{\"timestamp\":{time_ms},\"device_id\":\"modem-{:04}\",\"latency_ms\":{latency:.3},\
             \"packet_loss_pct\":{loss:.2},\"retry_count\":{retries},\"error_code\":{code},\
             \"traffic_volume_mb\":{traffic:.3},\"connection_resets\":{resets}}}",
            index % devices
        );
    }
    text
}

/// Nanoseconds that this thread has run; of the clock where the system does not say.
fn processor_ns(start: Instant) -> f64 {
    let run = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let run = run.and_then(|text| text.split(' ').next()?.parse().ok());
    run.unwrap_or(start.elapsed().as_secs_f64() * 1e9)
}

/// Nanoseconds a line of the best pass; `prepare` is not timed.
#[allow(clippy::cast_precision_loss)] // Small numbers.
fn best<T>(mut prepare: impl FnMut() -> T, mut pass: impl FnMut(&mut T)) -> f64 {
    let mut times = (0..PASSES).map(|_| {
        let mut state = prepare();
        let start = Instant::now();
        let before = processor_ns(start);
        pass(&mut state);
        (processor_ns(start) - before) / LINES as f64
    });
    let first = times.next().unwrap_or(f64::NAN);
    times.fold(first, f64::min)
}

fn engine() -> Engine {
    let options = Options { publish_records: "none".to_owned(), ..Options::default() };
    Engine::new(options.check().expect("options are right")).expect("an engine")
}

/// An engine with a forest in both scopes, fitted on windows of the same lines.
fn scoring(text: &str) -> Engine {
    let mut all = Engine::new(Options { hop_seconds: 0.0, ..Options::default() }.check().unwrap()).unwrap();
    let windows = all.push(&text.as_bytes()[..text.len() / 4], ARRIVAL_MS, true).windows;
    let rows: Vec<f64> = windows.iter().flat_map(|window| window.judged.features.clone()).collect();
    let mut engine = engine();
    let names = engine.features().as_slice().iter();
    let names = names.map(|f| FeatureName { name: f.name.clone(), unit: f.unit.clone() }).collect();
    let params = ForestParams::new(engine.features().fingerprint(), names).check().expect("parameters");
    let forest = fit(&rows, params).expect("a forest").forest;
    for scope in [Scope::Device, Scope::Gateway] {
        engine.set_forest(scope, Some(forest.clone())).expect("the same features");
        engine.set_threshold(scope, Some(0.999)).expect("a number");
    }
    engine.set_detecting(true);
    engine
}

fn main() {
    let given: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let all = [(10, 1), (100, 1), (1000, 1), (10, 10), (100, 10)];
    let chosen = if let [devices, rate] = given[..] { vec![(devices, rate)] } else { all.to_vec() };
    println!("devices  per s   parse  windows      all   ns a line; lines/s in all");
    for (devices, rate) in chosen {
        let text = lines(devices, rate);
        let channels = ChannelList::new(&[]).expect("the default channels");
        let parse = best(
            || LineReader::new(&channels),
            |reader| {
                for line in text.as_bytes().split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                    black_box(reader.read(line).expect("a record"));
                }
            },
        );
        let push = |engine: &mut Engine| {
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let chunk = &rest[..rest.len().min(65_536)];
                let consumed = black_box(engine.push(chunk, ARRIVAL_MS, true)).consumed_bytes;
                rest = &rest[consumed..];
            }
        };
        let windows = best(engine, push);
        let all = best(|| scoring(&text), push);
        println!("{devices:7} {rate:6} {parse:7.0} {windows:8.0} {all:8.0}   {:.2} M", 1e3 / all);
    }
}
