//! Time in windows: lateness, disorder, duplicates, clocks that jump, devices that come and go. A plain
//! model of the rules, which keeps every record and counts anew each time, is the judge.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Small made-up numbers.
#![allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)]
mod support;

#[path = "support/heap.rs"]
mod heap;

use std::collections::HashSet;

use lineheron_native::engine::late::{RESET_MS, RESET_RECORDS};
use lineheron_native::engine::output::{Push, Scope};
use lineheron_native::engine::{Engine, MAX_AHEAD_MS, MAX_GATEWAY_RECORDS};
use lineheron_native::random::Random;
use proptest::prelude::*;
use support::{START_MS, engine, line};

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

const WINDOW_MS: i64 = 10_000;
const LATENESS_MS: i64 = 2000;
const MAX_DEVICES: usize = 4;

/// A device as the model keeps it.
struct Device {
    name: usize,
    number: u64,
    newest_ms: Option<i64>,
    offset_ms: i64,
    /// Late records in a row: how many, the last one's time, how many went on far behind and since when.
    late: (u32, i64, u32, i64),
    records: Vec<(i64, f64)>,
}

#[derive(Default)]
struct Model {
    /// The longest idle device stands first.
    devices: Vec<Device>,
    gateway: Vec<(i64, u64, f64)>,
    gateway_ms: Option<i64>,
    made: u64,
    records: u64,
    late: u64,
    ahead: u64,
    clock_resets: u64,
    evicted: u64,
}

/// End, records, mean and distinct devices of a window.
type Shown = (i64, usize, f64, usize);

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / values.count() as f64
}

impl Model {
    /// What a record brings; `None` when it came too late.
    fn take(&mut self, name: usize, time_ms: i64, value: f64, arrival_ms: i64) -> Option<(Shown, Shown)> {
        let ahead = time_ms > arrival_ms + MAX_AHEAD_MS;
        self.ahead += u64::from(ahead);
        let time_ms = if ahead { arrival_ms } else { time_ms };
        self.make_latest(name);
        if !self.in_time(time_ms) {
            self.late += 1;
            return None;
        }
        self.records += 1;
        let device = self.devices.last_mut().unwrap();
        let newest_ms = device.newest_ms.map_or(time_ms, |newest_ms| newest_ms.max(time_ms));
        device.newest_ms = Some(newest_ms);
        device.records.push((time_ms, value));
        let held = device.records.iter().filter(|(time, _)| *time > newest_ms - WINDOW_MS);
        let own = (newest_ms, held.clone().count(), mean(held.map(|(_, value)| *value)), 1);
        Some((own, self.join_gateway(newest_ms.min(arrival_ms), value)))
    }

    fn make_latest(&mut self, name: usize) {
        if let Some(place) = self.devices.iter().position(|device| device.name == name) {
            let device = self.devices.remove(place);
            return self.devices.push(device);
        }
        if self.devices.len() == MAX_DEVICES {
            self.devices.remove(0);
            self.evicted += 1;
        }
        self.made += 1;
        let number = self.made;
        let (newest_ms, offset_ms, late, records) = (None, 0, (0, 0, 0, 0), Vec::new());
        self.devices.push(Device { name, number, newest_ms, offset_ms, late, records });
    }

    fn in_time(&mut self, time_ms: i64) -> bool {
        let device = self.devices.last_mut().unwrap();
        let newest_ms = device.newest_ms.unwrap_or(i64::MIN / 2);
        if time_ms < newest_ms - LATENESS_MS {
            let far = time_ms < newest_ms - WINDOW_MS - LATENESS_MS;
            let (count, last_ms, far_records, far_from_ms) = device.late;
            let goes_on = count > 0 && far_records > 0 && time_ms >= last_ms;
            let (far_records, far_from_ms) = match (far, goes_on) {
                (false, _) => (0, 0),
                (true, false) => (1, time_ms),
                (true, true) => (far_records + 1, far_from_ms),
            };
            device.late = (count + 1, time_ms, far_records, far_from_ms);
            let lasted = far_records >= 3 && time_ms - far_from_ms >= RESET_MS;
            if !(far_records > RESET_RECORDS || lasted) {
                return false;
            }
            self.clock_resets += 1;
            device.records.clear();
            device.newest_ms = None;
        }
        device.late = (0, 0, 0, 0);
        true
    }

    fn join_gateway(&mut self, own_ms: i64, value: f64) -> Shown {
        let device = self.devices.last_mut().unwrap();
        let now_ms = self.gateway_ms.unwrap_or(own_ms);
        if now_ms - (own_ms + device.offset_ms) > WINDOW_MS + LATENESS_MS {
            device.offset_ms = now_ms - own_ms;
        }
        let now_ms = now_ms.max(own_ms + device.offset_ms);
        self.gateway_ms = Some(now_ms);
        self.gateway.push((now_ms, device.number, value));
        let held = self.gateway.iter().filter(|(time, ..)| *time > now_ms - WINDOW_MS);
        let devices: HashSet<u64> = held.clone().map(|(_, number, _)| *number).collect();
        (now_ms, held.clone().count(), mean(held.map(|(.., value)| *value)), devices.len())
    }
}

fn watched() -> Engine {
    engine(|options| {
        options.window_seconds = WINDOW_MS as f64 / 1000.0;
        options.lateness_seconds = LATENESS_MS as f64 / 1000.0;
        options.hop_seconds = 0.0;
        options.max_devices = MAX_DEVICES as f64;
    })
}

fn shown(push: &Push, scope: Scope) -> Option<Shown> {
    let window = push.windows.iter().find(|window| window.scope == scope)?;
    let features = &window.judged.features;
    Some((window.judged.end_ms, window.judged.records, features[0], features[18] as usize))
}

fn close(found: Option<Shown>, expected: Option<Shown>) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            (found.0, found.1, found.3) == (expected.0, expected.1, expected.3)
                && (found.2 - expected.2).abs() <= 1e-9 * expected.2.abs().max(1.0)
        }
        (None, None) => true,
        _ => false,
    }
}

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// A device reports after so long, so much off its own clock.
    Report { device: usize, after_ms: i64, off_ms: i64 },
    /// A device's clock is set forth or back.
    Jump { device: usize, by_ms: i64 },
    /// The last record comes so many times again.
    Again(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let report = |off: std::ops::Range<i64>| {
        (0..6_usize, 0..900_i64, off).prop_map(|(device, after_ms, off_ms)| Step::Report {
            device,
            after_ms,
            off_ms,
        })
    };
    prop_oneof![
        30 => report(-1500..300),
        4 => report(-30_000..30_000),
        2 => (0..6_usize, prop_oneof![-700_000..700_000_i64, -15_000..15_000_i64])
            .prop_map(|(device, by_ms)| Step::Jump { device, by_ms }),
        1 => (1..80_usize).prop_map(Step::Again),
    ]
}

fn play(steps: &[Step]) -> Result<(), TestCaseError> {
    let (mut engine, mut model) = (watched(), Model::default());
    let (mut now_ms, mut skew, mut last) = (START_MS, [0; 6], None);
    let mut value = 1.0;
    for step in steps {
        let (device, time_ms, times) = match *step {
            Step::Report { device, after_ms, off_ms } => {
                now_ms += after_ms;
                (device, now_ms + skew[device] + off_ms, 1)
            }
            Step::Jump { device, by_ms } => {
                skew[device] += by_ms;
                (device, now_ms + skew[device], 1)
            }
            Step::Again(times) => match last {
                Some((device, time_ms)) => (device, time_ms, times),
                None => continue,
            },
        };
        last = Some((device, time_ms));
        for _ in 0..times {
            value = (value * 1.7 + 3.1) % 1000.0;
            let text = line(time_ms, &format!("d{device}"), value);
            let push = engine.push(text.as_bytes(), now_ms, true);
            let (own, whole) = model.take(device, time_ms, value, now_ms).unzip();
            let found = (shown(&push, Scope::Device), shown(&push, Scope::Gateway));
            prop_assert!(close(found.0, own), "{:?} expected {:?} at {:?}", found.0, own, step);
            prop_assert!(close(found.1, whole), "{:?} expected {:?} at {:?}", found.1, whole, step);
        }
    }
    let counters = engine.counters();
    let found = [counters.records, counters.late, counters.ahead, counters.clock_resets];
    prop_assert_eq!(found, [model.records, model.late, model.ahead, model.clock_resets]);
    prop_assert_eq!(counters.evicted_devices, model.evicted);
    prop_assert_eq!(engine.devices(), model.devices.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn windows_clocks_lateness_and_devices_follow_the_plain_rules(
        steps in prop::collection::vec(step(), 1..250),
    ) {
        play(&steps)?;
    }

    #[test]
    fn within_the_lateness_the_order_of_arrival_changes_nothing_in_the_end(
        mut times in prop::collection::vec(0..LATENESS_MS, 1..120),
        seed in any::<u64>(),
    ) {
        // The newest record comes last both ways: its window is the one compared.
        let mut shuffled = times.clone();
        times.sort_unstable();
        Random::new(seed).shuffle(&mut shuffled);
        let run = |times: &[i64]| {
            let mut engine = watched();
            for time in times {
                engine.push(line(START_MS + time, "d0", *time as f64).as_bytes(), START_MS, true);
            }
            assert_eq!(engine.counters().late, 0);
            let push = engine.push(line(START_MS + LATENESS_MS, "d0", 7.0).as_bytes(), START_MS, true);
            let own = push.windows.iter().find(|window| window.scope == Scope::Device).unwrap();
            own.judged.features.clone()
        };
        for (found, expected) in run(&shuffled).iter().zip(run(&times)) {
            let same = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
            prop_assert!(same || found.is_nan() && expected.is_nan(), "{found} expected {expected}");
        }
    }
}

#[test]
fn a_record_that_comes_twice_counts_twice_since_records_have_no_number() {
    let mut engine = watched();
    let text = line(START_MS, "d0", 5.0).repeat(3) + &line(START_MS + 1, "d0", 11.0);
    let push = engine.push(text.as_bytes(), START_MS, true);
    let last = push.windows.iter().rfind(|window| window.scope == Scope::Device).unwrap();
    assert_eq!((last.judged.records, last.judged.features[0]), (4, 6.5));
    assert_eq!(last.judged.features[17], 0.4, "records a second");
}

#[test]
fn a_hundred_thousand_devices_come_and_go_in_the_memory_of_the_first_ten_thousand() {
    const DEVICES: i64 = 100_000;
    const KNOWN: i64 = 10_000;
    let mut engine = engine(|options| options.max_devices = KNOWN as f64);
    let start = heap::live();
    let (mut after_two_rounds, mut highest) = (0, 0);
    for index in 0..DEVICES {
        let now_ms = START_MS + index * 10;
        let mut text = line(now_ms, &format!("modem-{index:06}"), 20.0);
        if index % 10 == 0 {
            text += &line(now_ms, "steady", 20.0);
        }
        engine.push(text.as_bytes(), now_ms, false);
        let held = heap::live() - start;
        if index == 2 * KNOWN {
            after_two_rounds = held;
        } else if index > 2 * KNOWN {
            highest = highest.max(held);
        }
    }
    assert_eq!(engine.devices(), KNOWN as usize);
    assert_eq!(engine.counters().evicted_devices, (DEVICES + 1 - KNOWN) as u64);
    assert!(highest < after_two_rounds * 11 / 10, "{highest} bytes, {after_two_rounds} at first");
    let push = engine.push(line(START_MS + DEVICES * 10, "steady", 20.0).as_bytes(), START_MS * 2, true);
    let own = push.windows.iter().find(|window| window.scope == Scope::Device).unwrap();
    assert_eq!(own.judged.records, 300, "a device that goes on reporting is never the one to leave");
}

#[test]
fn a_flood_fills_the_gateways_window_to_its_limit_and_no_further() {
    let mut engine = engine(|options| options.hop_seconds = 0.0);
    let flood = MAX_GATEWAY_RECORDS + 5000;
    let text: String = (0..flood)
        .map(|index| line(START_MS + index as i64 / 20, &format!("d{}", index % 16), 1.0))
        .collect();
    let start = heap::live();
    let mut held = || {
        engine.push(text.as_bytes(), START_MS + 10_000, false);
        heap::live() - start
    };
    // Sixteen devices fill their own windows in one round too.
    let (full, later) = (held(), held());
    assert!(later < full * 11 / 10, "{later} bytes, {full} at first");
    let push = engine.push(line(START_MS + 4000, "d0", 1.0).as_bytes(), START_MS + 10_000, true);
    let whole = push.windows.iter().find(|window| window.scope == Scope::Gateway).unwrap();
    assert_eq!(whole.judged.records, MAX_GATEWAY_RECORDS);
    assert!(engine.counters().window_overflow > flood as u64, "{}", engine.counters().window_overflow);
}
