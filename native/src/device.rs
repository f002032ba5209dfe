//! The devices that are known: their windows and clocks, at most so many, the longest idle leaving first.
//!
//! Devices stand in slots linked by how lately they were heard of, so that finding the idlest takes no
//! search. Each gets a number that is never used twice, so that a newcomer is not taken for the one
//! that left.
use std::collections::HashMap;
use std::sync::Arc;

use crate::baseline::DeviceBaseline;
use crate::engine::late::LateRun;
use crate::format::time::heard::Heard;
use crate::window::Window;
use crate::window::gateway_clock::ClockOffset;

const NONE: usize = usize::MAX;

/// What is kept of one device.
#[derive(Debug)]
pub struct Device {
    /// Name in its records.
    pub name: Arc<str>,
    /// Number that stands for it in the gateway's window.
    pub number: u64,
    /// Its own window.
    pub window: Window,
    /// What its records have lately been.
    pub baseline: DeviceBaseline,
    /// Its clock against the gateway's.
    pub offset: ClockOffset,
    /// Event time of its first record since it appeared or its clock was reset.
    pub first_ms: Option<i64>,
    /// Event time of its newest record of a reboot.
    pub rebooted_ms: Option<i64>,
    /// Event time of its last published quiet window.
    pub last_hop_ms: Option<i64>,
    /// Its last record with a time of its own.
    pub heard: Option<Heard>,
    /// The newest event time of its window is an arrival.
    pub newest_is_arrival: bool,
    /// Its records that came too late since one was in time.
    pub late: LateRun,
    earlier: usize,
    later: usize,
}

/// All known devices.
#[derive(Debug)]
pub struct Devices {
    slots: Vec<Device>,
    by_name: HashMap<Arc<str>, usize>,
    idlest: usize,
    latest: usize,
    capacity: usize,
    next_number: u64,
}

impl Devices {
    /// No devices yet, and never more than `capacity`.
    pub fn new(capacity: usize) -> Self {
        let by_name = HashMap::new();
        Self { slots: Vec::new(), by_name, idlest: NONE, latest: NONE, capacity, next_number: 0 }
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// All of them, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = &Device> {
        self.slots.iter()
    }

    /// The device in `slot`, as [`Devices::touch`] gave it.
    pub fn at(&mut self, slot: usize) -> &mut Device {
        &mut self.slots[slot]
    }

    /// The slot of the device called `name`, made with `window` when new; the flag says that another
    /// was evicted for it. The slot holds until the next call.
    pub fn touch(&mut self, name: &str, window: impl FnOnce() -> Window) -> (usize, bool) {
        let known = self.slot_of(name);
        let full = self.slots.len() >= self.capacity;
        let slot = match known {
            Some(slot) => slot,
            None if full => self.replace_idlest(name, window()),
            None => self.append(name, window()),
        };
        self.move_to_latest(slot);
        (slot, known.is_none() && full)
    }

    /// Devices mostly report in bursts or in turn: then it is the latest or the idlest, and no hash is
    /// needed.
    fn slot_of(&self, name: &str) -> Option<usize> {
        let is_called = |slot: &usize| self.slots.get(*slot).is_some_and(|device| *device.name == *name);
        let likely = [self.latest, self.idlest].into_iter().find(is_called);
        likely.or_else(|| self.by_name.get(name).copied())
    }

    fn append(&mut self, name: &str, window: Window) -> usize {
        let slot = self.slots.len();
        let device = self.make(name, window);
        self.by_name.insert(Arc::clone(&device.name), slot);
        self.slots.push(device);
        slot
    }

    fn replace_idlest(&mut self, name: &str, window: Window) -> usize {
        let slot = self.idlest;
        self.unlink(slot);
        self.by_name.remove(&self.slots[slot].name);
        self.slots[slot] = self.make(name, window);
        self.by_name.insert(Arc::clone(&self.slots[slot].name), slot);
        slot
    }

    fn make(&mut self, name: &str, window: Window) -> Device {
        self.next_number += 1;
        Device {
            name: name.into(),
            number: self.next_number,
            window,
            baseline: DeviceBaseline::default(),
            offset: ClockOffset::default(),
            first_ms: None,
            rebooted_ms: None,
            last_hop_ms: None,
            heard: None,
            newest_is_arrival: false,
            late: LateRun::default(),
            earlier: NONE,
            later: NONE,
        }
    }

    fn move_to_latest(&mut self, slot: usize) {
        if self.latest == slot {
            return;
        }
        self.unlink(slot);
        self.slots[slot].earlier = self.latest;
        if let Some(previous) = self.slots.get_mut(self.latest) {
            previous.later = slot;
        }
        self.latest = slot;
        if self.idlest == NONE {
            self.idlest = slot;
        }
    }

    fn unlink(&mut self, slot: usize) {
        let Device { earlier, later, .. } = self.slots[slot];
        if let Some(device) = self.slots.get_mut(earlier) {
            device.later = later;
        }
        if let Some(device) = self.slots.get_mut(later) {
            device.earlier = earlier;
        }
        if self.idlest == slot {
            self.idlest = later;
        }
        if self.latest == slot {
            self.latest = earlier;
        }
        (self.slots[slot].earlier, self.slots[slot].later) = (NONE, NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(devices: &mut Devices, name: &str) -> (u64, bool) {
        let (slot, evicted) = devices.touch(name, || Window::new(1000, 1, 10));
        let device = devices.at(slot);
        assert_eq!(&*device.name, name);
        (device.number, evicted)
    }

    #[test]
    fn the_longest_idle_device_leaves_when_a_new_one_needs_its_place() {
        let mut devices = Devices::new(3);
        for name in ["a", "b", "c", "a"] {
            assert!(!touch(&mut devices, name).1);
        }
        assert!(touch(&mut devices, "d").1, "b leaves");
        assert!(!touch(&mut devices, "a").1);
        assert!(!touch(&mut devices, "c").1);
        assert!(touch(&mut devices, "b").1, "d leaves");
        assert_eq!(devices.len(), 3);
    }

    #[test]
    fn churn_agrees_with_a_plain_list_and_numbers_are_never_used_twice() {
        let (mut devices, mut list, mut random) =
            (Devices::new(7), Vec::new(), crate::random::Random::new(3));
        let mut newest = 0;
        for _ in 0..5000 {
            let name = format!("d{}", random.below(20));
            let known = list.contains(&name);
            list.retain(|other| other != &name);
            let evicts = !known && list.len() == 7;
            if evicts {
                list.remove(0);
            }
            list.push(name.clone());
            let (number, evicted) = touch(&mut devices, &name);
            assert_eq!(evicted, evicts);
            assert_eq!(number > newest, !known);
            newest = newest.max(number);
        }
    }

    #[test]
    fn one_device_may_be_the_limit() {
        let mut devices = Devices::new(1);
        assert_eq!([touch(&mut devices, "a").1, touch(&mut devices, "b").1], [false, true]);
        assert_eq!((devices.len(), devices.is_empty()), (1, false));
    }
}
