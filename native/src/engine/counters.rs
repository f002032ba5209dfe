//! What the engine counts: everything it refused, skipped, dropped or corrected.
use crate::parse::{REFUSALS, Refusal};

/// Counts since the engine was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Lines that were not blank, refused and too long ones included.
    pub lines: u64,
    /// Records that joined their windows.
    pub records: u64,
    /// Lines over the length limit.
    pub too_long: u64,
    /// Records that came later than the lateness allows.
    pub late: u64,
    /// Records so far ahead that they were stamped by arrival.
    pub ahead: u64,
    /// Devices' windows begun anew because the clock was set back.
    pub clock_resets: u64,
    /// Records that full windows dropped early.
    pub window_overflow: u64,
    /// Lines that are known to hold no record: banners, headers.
    pub skipped: u64,
    /// Records beyond the first of lines that say how often an event happened.
    pub expanded: u64,
    /// Lines of a clock that was not yet set.
    pub unsynchronised: u64,
    /// Devices that made room for others.
    pub evicted_devices: u64,
    refused: [u64; REFUSALS.len()],
}

impl Counters {
    /// Counts a refused line.
    pub fn refuse(&mut self, refusal: Refusal) {
        if let Some(place) = REFUSALS.iter().position(|(known, _)| *known == refusal) {
            self.refused[place] += 1;
        }
    }

    /// Every reason that occurred with its count.
    pub fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counted = REFUSALS.iter().zip(self.refused).map(|((_, name), count)| (*name, count));
        counted.filter(|(_, count)| *count > 0)
    }
}
