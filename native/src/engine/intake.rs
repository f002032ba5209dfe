//! Placing records: each in its device's window and in the gateway's, by the rules for lateness and clocks.
//!
//! Bounds: the options say how many devices, the constants below how many records.
use std::sync::Arc;

use super::counters::Counters;
use super::options::CheckedOptions;
use super::scorer::Arrival;
use crate::baseline::DeviceBaseline;
use crate::device::{Device, Devices};
use crate::feature::FeatureList;
use crate::parse::RecordView;
use crate::window::gateway_clock::GatewayClock;
use crate::window::plan::Plan;
use crate::window::{Mark, Window};

/// Most records in one device's window.
pub const MAX_DEVICE_RECORDS: usize = 4096;
/// Most records in the gateway's window.
pub const MAX_GATEWAY_RECORDS: usize = 65_536;
/// A record further ahead of arrival than this is stamped by arrival.
pub const MAX_AHEAD_MS: i64 = 300_000;
/// So many records in a row from far before the window mean that the device's clock was set back.
pub const CLOCK_RESET_RECORDS: u32 = 60;

/// The gateway's own window and the clock that orders it.
#[derive(Debug)]
struct Gateway {
    window: Window,
    clock: GatewayClock,
    first_ms: Option<i64>,
    rebooted_ms: Option<i64>,
    last_hop_ms: Option<i64>,
}

/// A window as it stands, and whether it is due even when quiet.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub window: &'a Window,
    /// Time of the scope's first record.
    pub first_ms: Option<i64>,
    /// The window holds a record of a reboot.
    pub rebooted: bool,
    pub due: bool,
    /// Of its device.
    pub slot: Option<u32>,
}

/// Where a record went.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// Event time, or arrival in its stead.
    pub time_ms: i64,
    /// Of its device; it holds until the next record is placed.
    pub slot: usize,
    device_due: bool,
    gateway_due: bool,
}

/// All windows.
#[derive(Debug)]
pub struct Intake {
    window_ms: i64,
    lateness_ms: i64,
    hop_ms: i64,
    plan: Arc<Plan>,
    devices: Devices,
    gateway: Gateway,
}

impl Intake {
    /// Empty windows that keep what these features need.
    pub fn new(options: &CheckedOptions, features: &FeatureList) -> Self {
        let plan = Arc::new(features.plan());
        let gateway = Gateway {
            window: Window::planned(options.window_ms, &plan, MAX_GATEWAY_RECORDS),
            clock: GatewayClock::new(options.window_ms + options.lateness_ms),
            first_ms: None,
            rebooted_ms: None,
            last_hop_ms: None,
        };
        Self {
            window_ms: options.window_ms,
            lateness_ms: options.lateness_ms,
            hop_ms: options.hop_ms,
            plan,
            devices: Devices::new(options.max_devices),
            gateway,
        }
    }

    /// How many devices are known.
    pub fn devices(&self) -> usize {
        self.devices.len()
    }

    /// What every device's baseline knows, with its name.
    pub fn baselines(&self) -> impl Iterator<Item = (&str, &DeviceBaseline)> {
        self.devices.iter().map(|device| (&*device.name, &device.baseline))
    }

    /// All devices' names, in the order of their slots.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.devices.iter().map(|device| &*device.name)
    }

    /// The slot of a device, which is known from then on; the flag says that another was evicted for it.
    pub fn touch(&mut self, name: &str) -> (usize, bool) {
        let (window_ms, plan) = (self.window_ms, &self.plan);
        let new_window = || Window::planned(window_ms, plan, MAX_DEVICE_RECORDS).of_one_device();
        self.devices.touch(name, new_window)
    }

    /// A device as [`Intake::place`] gave its slot.
    pub fn device(&mut self, slot: usize) -> &mut Device {
        self.devices.at(slot)
    }

    /// Puts a record in both windows; `None` when it came too late.
    pub fn place(
        &mut self,
        record: &RecordView<'_>,
        arrival: &Arrival,
        counters: &mut Counters,
    ) -> Option<Placed> {
        let time_ms = stamp(record.head.timestamp_ms, arrival.time_ms, counters);
        let slot = self.join_device(record, time_ms, counters)?;
        let gateway_ms = self.join_gateway(record, slot, arrival.time_ms, counters);
        if arrival.rebooted {
            let device = self.devices.at(slot);
            device.rebooted_ms = device.rebooted_ms.max(Some(time_ms));
            self.gateway.rebooted_ms = self.gateway.rebooted_ms.max(Some(gateway_ms));
        }
        let (device, gateway) = (self.devices.at(slot), &mut self.gateway);
        let device_due = is_due(&mut device.last_hop_ms, device.window.newest_ms(), self.hop_ms);
        let gateway_due = is_due(&mut gateway.last_hop_ms, gateway.window.newest_ms(), self.hop_ms);
        Some(Placed { time_ms, slot, device_due, gateway_due })
    }

    /// The windows that a record went into: its device's and the gateway's.
    pub fn views(&mut self, placed: Placed) -> (View<'_>, View<'_>) {
        let (device, gateway) = (self.devices.at(placed.slot), &self.gateway);
        let holds = |window: &Window, time_ms: Option<i64>| {
            time_ms.is_some_and(|time_ms| time_ms > window.newest_ms() - self.window_ms)
        };
        (
            View {
                window: &device.window,
                first_ms: device.first_ms,
                rebooted: holds(&device.window, device.rebooted_ms),
                due: placed.device_due,
                slot: u32::try_from(placed.slot).ok(),
            },
            View {
                window: &gateway.window,
                first_ms: gateway.first_ms,
                rebooted: holds(&gateway.window, gateway.rebooted_ms),
                due: placed.gateway_due,
                slot: None,
            },
        )
    }

    /// Puts the record in its device's window; the device's slot, or `None` when the record came too late.
    fn join_device(
        &mut self,
        record: &RecordView<'_>,
        time_ms: i64,
        counters: &mut Counters,
    ) -> Option<usize> {
        let (window_ms, plan) = (self.window_ms, &self.plan);
        let new_window = || Window::planned(window_ms, plan, MAX_DEVICE_RECORDS).of_one_device();
        let (slot, evicted) = self.devices.touch(record.head.device, new_window);
        counters.evicted_devices += u64::from(evicted);
        let device = self.devices.at(slot);
        if device.first_ms.is_some() && time_ms < device.window.newest_ms() - self.lateness_ms {
            if !clock_was_set_back(device, time_ms, self.window_ms + self.lateness_ms) {
                counters.late += 1;
                return None;
            }
            counters.clock_resets += 1;
            device.window = new_window();
            (device.first_ms, device.last_hop_ms, device.rebooted_ms) = (None, None, None);
        }
        device.far_behind = 0;
        device.first_ms.get_or_insert(time_ms);
        let overflowed = device.window.push(mark(record, time_ms, device.number), record.values);
        counters.window_overflow += u64::from(overflowed);
        Some(slot)
    }

    /// Puts the record in the gateway's window; its time there.
    fn join_gateway(
        &mut self,
        record: &RecordView<'_>,
        slot: usize,
        arrival_ms: i64,
        counters: &mut Counters,
    ) -> i64 {
        let (gateway, device) = (&mut self.gateway, self.devices.at(slot));
        let newest_ms = device.window.newest_ms();
        let now_ms = gateway.clock.advance(newest_ms, arrival_ms, &mut device.offset);
        gateway.first_ms.get_or_insert(now_ms);
        let overflowed = gateway.window.push(mark(record, now_ms, device.number), record.values);
        counters.window_overflow += u64::from(overflowed);
        now_ms
    }
}

fn stamp(timestamp_ms: Option<i64>, arrival_ms: i64, counters: &mut Counters) -> i64 {
    match timestamp_ms {
        Some(time_ms) if time_ms.saturating_sub(arrival_ms) > MAX_AHEAD_MS => {
            counters.ahead += 1;
            arrival_ms
        }
        Some(time_ms) => time_ms,
        None => arrival_ms,
    }
}

fn mark(record: &RecordView<'_>, time_ms: i64, device: u64) -> Mark {
    let (error, server_error) = (record.head.error_code.is_some(), record.head.server_error);
    Mark { time_ms, device, error, server_error }
}

/// Whether a quiet window is due; it depends on times alone, so that a silent refill gives the same hops.
fn is_due(last_hop_ms: &mut Option<i64>, now_ms: i64, hop_ms: i64) -> bool {
    let due = last_hop_ms.is_none_or(|last_ms| now_ms >= last_ms + hop_ms);
    if due {
        *last_hop_ms = Some(now_ms);
    }
    due
}

/// A device whose records stay far behind its own past has had its clock set back: without this, one
/// wrong time in the future would mute it for as long as the clock was wrong.
fn clock_was_set_back(device: &mut Device, time_ms: i64, far_ms: i64) -> bool {
    let far = time_ms < device.window.newest_ms() - far_ms;
    device.far_behind = if far { device.far_behind + 1 } else { 0 };
    device.far_behind > CLOCK_RESET_RECORDS
}
