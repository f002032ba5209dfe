//! Placing lines of clocks that are not yet set, and going on when they are.
//!
//! A device without a battery starts at 1970 or at its firmware's date until it hears of the time. Live,
//! such a line has just happened: arrival stands in. In a backlog (the device's last good time was more
//! than a minute behind its arrival) arrival would be wrong by the backlog's age: then the line goes on
//! from the device's last good time by as much as its own clock has moved since it restarted. Once a
//! good time is heard, that counts again. At most [`MAX_DEVICES`] are remembered; past that all are
//! forgotten, and only a backlog's unset clocks are placed worse for it.
use std::collections::HashMap;

use crate::format::draft::Stamp;

/// Most devices remembered.
const MAX_DEVICES: usize = 65_536;
/// A good time this much behind its arrival comes from a backlog.
const BACKLOG_MS: i64 = 60_000;
/// An unset clock that steps further than this was restarted.
const MAX_STEP_MS: i64 = 86_400_000;

#[derive(Debug, Clone, Copy, Default)]
struct Memory {
    /// Last good time and its arrival.
    good: Option<(i64, i64)>,
    /// The unset clock's last time, and where its line was placed.
    unset: Option<(i64, i64)>,
}

/// What is known of the devices' clocks.
#[derive(Debug, Default)]
pub struct Placer {
    devices: HashMap<String, Memory>,
}

impl Placer {
    /// Where a line goes; `None` is its arrival.
    pub fn place(&mut self, device: &str, stamp: Stamp, arrival_ms: i64) -> Option<i64> {
        match stamp {
            Stamp::Missing => None,
            Stamp::At(time_ms) => {
                *self.memory(device) = Memory { good: Some((time_ms, arrival_ms)), unset: None };
                Some(time_ms)
            }
            Stamp::Unsynchronised(raw_ms) => self.memory(device).place(raw_ms, arrival_ms),
        }
    }

    fn memory(&mut self, device: &str) -> &mut Memory {
        if !self.devices.contains_key(device) {
            if self.devices.len() >= MAX_DEVICES {
                self.devices.clear();
            }
            self.devices.insert(device.to_owned(), Memory::default());
        }
        self.devices.get_mut(device).expect("it was just put in")
    }
}

impl Memory {
    fn place(&mut self, raw_ms: i64, arrival_ms: i64) -> Option<i64> {
        let (good_ms, _) = self.good.filter(|(time_ms, arrival_ms)| arrival_ms - time_ms > BACKLOG_MS)?;
        let (last_raw_ms, last_ms) = self.unset.unwrap_or((raw_ms, good_ms));
        let step_ms = raw_ms.saturating_sub(last_raw_ms);
        let step_ms = if (0..=MAX_STEP_MS).contains(&step_ms) { step_ms } else { 0 };
        let placed_ms = (last_ms + step_ms).min(arrival_ms);
        self.unset = Some((raw_ms, placed_ms));
        Some(placed_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn live_lines_of_an_unset_clock_are_placed_by_arrival_and_later_ones_by_their_own_time() {
        let mut placer = Placer::default();
        assert_eq!(placer.place("a", Stamp::Unsynchronised(5000), NOW), None);
        assert_eq!(placer.place("a", Stamp::At(NOW + 900), NOW + 1000), Some(NOW + 900));
        assert_eq!(placer.place("a", Stamp::Unsynchronised(5000), NOW + 2000), None, "it restarted");
        assert_eq!(placer.place("a", Stamp::Missing, NOW + 3000), None);
    }

    #[test]
    fn in_a_backlog_they_go_on_from_the_last_good_time_by_their_own_clock() {
        let mut placer = Placer::default();
        let hour_ago = NOW - 3_600_000;
        placer.place("a", Stamp::At(hour_ago), NOW);
        let raw = [5000, 7500, 9000, 1000, 2000];
        let expected = [0, 2500, 4000, 4000, 5000].map(|step| Some(hour_ago + step));
        assert_eq!(raw.map(|raw| placer.place("a", Stamp::Unsynchronised(raw), NOW)), expected);
        assert_eq!(placer.place("b", Stamp::Unsynchronised(1), NOW), None, "nothing is known of b");
        assert_eq!(placer.place("a", Stamp::At(hour_ago + 60_000), NOW), Some(hour_ago + 60_000));
    }

    #[test]
    fn a_crowd_of_devices_is_forgotten_instead_of_growing() {
        let mut placer = Placer::default();
        for number in 0..=MAX_DEVICES {
            placer.place(&number.to_string(), Stamp::At(NOW), NOW);
        }
        assert_eq!(placer.devices.len(), 1);
    }
}
