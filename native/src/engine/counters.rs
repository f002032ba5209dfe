//! What the engine counts: everything it refused, skipped, dropped or corrected.
use super::late::{Late, LateKind, LateSample};
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
    late_kinds: [u64; LateKind::ALL.len()],
    pub late_sample: LateSample,
    /// Records without a time of their own that stand at the time of a line before.
    pub time_of_line_before: u64,
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
    refused_cells: [u64; REFUSALS.len()],
}

impl Counters {
    /// Counts a refused line.
    pub fn refuse(&mut self, refusal: Refusal) {
        count(&mut self.refused, refusal);
    }

    /// Counts a line that counts but for a cell.
    pub fn refuse_cell(&mut self, refusal: Refusal) {
        count(&mut self.refused_cells, refusal);
    }

    /// Counts a record that came too late.
    pub fn count_late(&mut self, late: Late, device: &str, behind_ms: i64) {
        self.late += 1;
        self.late_kinds[late.kind as usize] += 1;
        if let Some(kind) = late.instead_of {
            self.late_kinds[kind as usize] -= 1;
            self.late_kinds[late.kind as usize] += 1;
        }
        // The first of a run is not known yet for what it is.
        if late.kind != LateKind::Delayed {
            self.late_sample.add(late.kind, device, behind_ms);
        }
    }

    /// Every kind of late records that occurred with its count.
    pub fn late_kinds(&self) -> impl Iterator<Item = (LateKind, u64)> + '_ {
        LateKind::ALL.into_iter().zip(self.late_kinds).filter(|(_, count)| *count > 0)
    }

    /// Every reason for which lines were refused, with their count.
    pub fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        counted(self.refused)
    }

    /// Every reason for which lines count but for a cell, with their count.
    pub fn refused_cells(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        counted(self.refused_cells)
    }
}

fn count(counts: &mut [u64; REFUSALS.len()], refusal: Refusal) {
    if let Some(place) = REFUSALS.iter().position(|(known, _)| *known == refusal) {
        counts[place] += 1;
    }
}

fn counted(counts: [u64; REFUSALS.len()]) -> impl Iterator<Item = (&'static str, u64)> {
    let counted = REFUSALS.iter().zip(counts).map(|((_, name), count)| (*name, count));
    counted.filter(|(_, count)| *count > 0)
}
