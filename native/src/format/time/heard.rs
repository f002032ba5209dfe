//! When a line without a time of its own happened: by the line before it, of its device, else of its source.
//!
//! In a backlog (the line before was more than a minute old when it came) that line's time stands in: receipt would
//! carry the device's clock to the present, and what follows would be too late. Of a device whose clock is a little
//! slow, receipt less that. Live, receipt, as it is when nothing came for a minute.

/// A line this much behind its arrival comes from a backlog, and is spoken of by lines that arrive this soon.
const BACKLOG_MS: i64 = 60_000;

/// A time that a line had, and its arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    pub time_ms: i64,
    pub arrival_ms: i64,
}

impl Heard {
    /// The time of a line without one that arrives now; `None` is arrival.
    pub fn stands_in(self, arrival_ms: i64, lateness_ms: i64) -> Option<i64> {
        let behind_ms = self.arrival_ms - self.time_ms;
        let since_ms = arrival_ms - self.arrival_ms;
        match (since_ms, behind_ms) {
            (0..=BACKLOG_MS, _) if behind_ms > BACKLOG_MS => Some(self.time_ms),
            (0..=BACKLOG_MS, _) if behind_ms > lateness_ms => Some(arrival_ms - behind_ms),
            _ => None,
        }
    }
}

/// What a source's lines last said of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SourceTime {
    pub heard: Option<Heard>,
    /// It was a line that holds nothing but a date: what follows happened then, whoever it is of.
    pub is_date_line: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_backlogs_lines_and_slow_clocks_stand_in_for_arrival() {
        const NOW: i64 = 1_000_000_000;
        let heard = |behind_ms: i64| Heard { time_ms: NOW - behind_ms, arrival_ms: NOW };
        assert_eq!(heard(3_600_000).stands_in(NOW + 500, 5000), Some(NOW - 3_600_000));
        assert_eq!(heard(20_000).stands_in(NOW + 500, 5000), Some(NOW - 19_500));
        assert_eq!(heard(200).stands_in(NOW + 500, 5000), None);
        assert_eq!(heard(3_600_000).stands_in(NOW + 61_000, 5000), None);
        assert_eq!(heard(3_600_000).stands_in(NOW - 1, 5000), None);
    }
}
