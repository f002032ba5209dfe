//! What a device's window costs in memory at one record a second: always below four KiB, also for values
//! that are the hardest to keep, and again after a burst.
#![allow(clippy::cast_possible_wrap)] // Small made-up numbers.
mod support;

#[path = "support/heap.rs"]
mod heap;

use std::fmt::Write as _;
use std::sync::Arc;

use lineheron_native::channel::ChannelList;
use lineheron_native::engine::{MAX_DEVICE_RECORDS, MAX_GATEWAY_RECORDS};
use lineheron_native::feature::FeatureList;
use lineheron_native::random::Random;
use lineheron_native::window::{Mark, Window};
use support::{START_MS, engine};

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

/// With both numbers of devices the gateway's window is full, so that the difference is the devices' own.
const FEW: usize = MAX_GATEWAY_RECORDS / 30 + 16;
const MANY: usize = FEW + 1000;
const WINDOW_SECONDS: usize = 30;
/// Ahead of what is asked for, the system's allocator keeps 16 bytes for each piece at most.
const MAX_BYTES: i64 = 4096 - 16 * 16;
/// What a kind of event takes besides: here resets, which every record tells of.
const EVENT_KIND_BYTES: i64 = 300;

/// One record of every device; `level` 0–1 says how large its values are.
fn second(devices: usize, time_ms: i64, mut level: impl FnMut() -> f64) -> String {
    let mut text = String::new();
    for device in 0..devices {
        let (level, count) = (level(), (level() * 1000.0).round());
        let _ = writeln!(
            text,
            "{{\"timestamp\":{time_ms},\"device_id\":\"modem-{device:06}\",\"latency_ms\":{level:.4},\
             \"packet_loss_pct\":{level:.4},\"retry_count\":{count},\"traffic_volume_mb\":{level:.4},\
             \"connection_resets\":{count}}}"
        );
    }
    text
}

/// Bytes held when so many devices have sent one record a second for some time.
fn held(devices: usize, falling: bool) -> i64 {
    let mut random = Random::new(11);
    let before = heap::live();
    let mut engine = engine(|options| "none".clone_into(&mut options.publish_records));
    let mut level = 1.0;
    for step in 1..=WINDOW_SECONDS + 5 {
        let time_ms = START_MS + step as i64 * 1000;
        level *= 0.99;
        let text = second(devices, time_ms, || if falling { level } else { random.unit() });
        engine.push(text.as_bytes(), time_ms, false);
    }
    assert_eq!(engine.devices(), devices);
    heap::live() - before
}

#[test]
fn a_device_at_one_record_a_second_takes_less_than_four_kibibytes_beside_its_kinds_of_events() {
    for falling in [false, true] {
        let [few, many] = [FEW, MANY].map(|devices| held(devices, falling));
        let bytes = (many - few) / (MANY - FEW) as i64;
        assert!(bytes <= MAX_BYTES + EVENT_KIND_BYTES, "{bytes} bytes a device, falling {falling}");
    }
}

/// Bytes of a device's window after as many records, each so much later than the one before.
fn window_bytes(steps_ms: impl Iterator<Item = i64>, falling: bool) -> i64 {
    let features = FeatureList::new(&ChannelList::new(&[]).unwrap(), 30_000).unwrap();
    let plan = Arc::new(features.plan());
    let (mut random, mut mark) =
        (Random::new(5), Mark { time_ms: START_MS, device: 1, error: false, server_error: false });
    let before = heap::live();
    let mut window = Window::planned(30_000, &plan, MAX_DEVICE_RECORDS).of_one_device();
    let mut level = 1.0;
    for step_ms in steps_ms {
        mark.time_ms += step_ms;
        level *= 0.999;
        window.push(mark, &[if falling { level } else { random.unit() }; 5]);
    }
    heap::live() - before + size_of::<Window>() as i64
}

#[test]
fn a_burst_leaves_no_memory_behind_once_it_has_passed() {
    let steady = || std::iter::repeat_n(1000, 4 * WINDOW_SECONDS);
    for falling in [false, true] {
        let never = window_bytes(steady(), falling);
        for step_ms in [500, 100, 20] {
            let burst = std::iter::repeat_n(step_ms, 2000);
            let bytes = window_bytes(burst.chain(steady()), falling);
            // Of four KiB the rest of what a device costs: its name and places in the lists of devices.
            assert!(bytes <= 4096 - 256, "{bytes} bytes, {never} without a burst of {step_ms} ms");
        }
    }
}
