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
use crate::format::time::heard::Heard;
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
        let (slot, evicted) = self.touch(record.head.device);
        counters.evicted_devices += u64::from(evicted);
        let time = self.time(slot, record.head.timestamp_ms, arrival, counters);
        self.join_device(record, slot, time, counters)?;
        let time_ms = time.ms();
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

    /// When a record happened.
    fn time(
        &mut self,
        slot: usize,
        timestamp_ms: Option<i64>,
        arrival: &Arrival,
        counters: &mut Counters,
    ) -> Time {
        let device = self.devices.at(slot);
        match timestamp_ms {
            Some(time_ms) if time_ms.saturating_sub(arrival.time_ms) > MAX_AHEAD_MS => {
                counters.ahead += 1;
                Time::Arrival(arrival.time_ms)
            }
            Some(time_ms) => {
                device.heard = Some(Heard { time_ms, arrival_ms: arrival.time_ms });
                Time::Own(time_ms)
            }
            None => {
                let source = arrival.source;
                let own = device.heard.filter(|_| !source.is_date_line);
                let before = own.or(source.heard);
                let stands_in = before.and_then(|heard| heard.stands_in(arrival.time_ms, self.lateness_ms));
                counters.time_of_line_before += u64::from(stands_in.is_some());
                stands_in.map_or(Time::Arrival(arrival.time_ms), Time::Own)
            }
        }
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

    /// Puts the record in its device's window; `None` when the record came too late.
    fn join_device(
        &mut self,
        record: &RecordView<'_>,
        slot: usize,
        time: Time,
        counters: &mut Counters,
    ) -> Option<()> {
        let far_ms = self.window_ms + self.lateness_ms;
        let (device, time_ms) = (self.devices.at(slot), time.ms());
        let newest_ms = device.window.newest_ms();
        if device.first_ms.is_some() && time_ms < newest_ms - self.lateness_ms {
            let late = device.late.add(time_ms, newest_ms, far_ms, device.newest_is_arrival);
            if !late.resets {
                counters.count_late(late, &device.name, newest_ms - time_ms);
                return None;
            }
            counters.clock_resets += 1;
            device.window = Window::planned(self.window_ms, &self.plan, MAX_DEVICE_RECORDS).of_one_device();
            (device.first_ms, device.last_hop_ms, device.rebooted_ms) = (None, None, None);
        }
        device.late.end();
        if device.first_ms.is_none() || time_ms > newest_ms {
            device.newest_is_arrival = matches!(time, Time::Arrival(_));
        }
        device.first_ms.get_or_insert(time_ms);
        let overflowed = device.window.push(mark(record, time_ms, device.number), record.values);
        counters.window_overflow += u64::from(overflowed);
        Some(())
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

/// An event time, and whose clock it is by.
#[derive(Debug, Clone, Copy)]
enum Time {
    Own(i64),
    Arrival(i64),
}

impl Time {
    fn ms(self) -> i64 {
        match self {
            Self::Own(time_ms) | Self::Arrival(time_ms) => time_ms,
        }
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
