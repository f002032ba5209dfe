//! Totals that only grow, as their differences, one state a device.
//!
//! The first total of a device gives no difference. One that is smaller than the last has wrapped at
//! 2³² when the last was in the top quarter of 32 bits and it is in the bottom quarter; else the device
//! counts anew from 0, and the total is the difference. At most [`MAX_DEVICES`] are remembered; past
//! that all are forgotten, which costs each its next difference.
use std::collections::HashMap;

const MAX_DEVICES: usize = 65_536;
const WRAP: f64 = 4_294_967_296.0;

/// All counters of one format.
#[derive(Debug, Default)]
pub struct Counters {
    devices: HashMap<String, Vec<f64>>,
    /// Totals of the line at hand, and their differences after [`Counters::turn`]; NaN is unknown.
    line: Vec<f64>,
}

impl Counters {
    /// One more counter; its place.
    pub fn add(&mut self) -> usize {
        self.line.push(f64::NAN);
        self.line.len() - 1
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Takes a total of the line at hand.
    pub fn read(&mut self, counter: usize, total: f64) {
        self.line[counter] = total;
    }

    /// Makes the line's totals differences and keeps them as the device's last.
    pub fn turn(&mut self, device: &str) {
        if !self.devices.contains_key(device) {
            if self.devices.len() >= MAX_DEVICES {
                self.devices.clear();
            }
            self.devices.insert(device.to_owned(), vec![f64::NAN; self.line.len()]);
        }
        let last = self.devices.get_mut(device).expect("it was just put in");
        for (total, last) in self.line.iter_mut().zip(last) {
            let new = *total;
            *total = difference(*last, new);
            if !new.is_nan() {
                *last = new;
            }
        }
    }

    /// A counter's difference, which is taken.
    pub fn difference(&mut self, counter: usize) -> Option<f64> {
        let value = std::mem::replace(&mut self.line[counter], f64::NAN);
        (!value.is_nan()).then_some(value)
    }

    /// Forgets a line that was refused half way.
    pub fn forget_line(&mut self) {
        self.line.fill(f64::NAN);
    }
}

fn difference(last: f64, new: f64) -> f64 {
    let wrapped = (0.75 * WRAP..WRAP).contains(&last) && (0.0..0.25 * WRAP).contains(&new);
    match new {
        _ if new.is_nan() || last.is_nan() => f64::NAN,
        _ if new >= last => new - last,
        _ if wrapped => new + WRAP - last,
        _ => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_become_differences_over_growth_wrap_and_reset() {
        let mut counters = Counters::default();
        let counter = counters.add();
        let mut next = |device: &str, total: f64| {
            counters.read(counter, total);
            counters.turn(device);
            counters.difference(counter)
        };
        assert_eq!(next("a", 100.0), None, "the first has nothing before it");
        assert_eq!(next("a", 150.0), Some(50.0));
        assert_eq!(next("b", 7.0), None, "each device has its own");
        assert_eq!(next("a", 150.0), Some(0.0));
        assert_eq!(next("a", 30.0), Some(30.0), "it began anew");
        assert_eq!(next("a", f64::NAN), None);
        assert_eq!(next("a", 40.0), Some(10.0), "over a gap");
        assert_eq!(next("a", WRAP - 6.0), Some(WRAP - 46.0));
        assert_eq!(next("a", 4.0), Some(10.0), "it wrapped at 32 bits");
        assert_eq!(next("a", 1e15), Some(1e15 - 4.0), "it has more bits");
    }
}
