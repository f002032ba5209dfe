//! Records that come later than the lateness allows: what it probably was, and when to go on with the device's new time.
//!
//! A run is the late records of one device with none in time between them. One that goes back in time from record to
//! record is a log that is newest first. One that goes on far behind the window is a clock that was set back: after
//! [`RESET_RECORDS`] records, or a minute of it, the window begins anew there. Bounds: four numbers a device, one
//! sample a kind.

/// Records of a run far behind that mean by themselves that the clock was set back.
pub const RESET_RECORDS: u32 = 60;
/// Fewer mean it too when they go on for so long, by their own times.
pub const RESET_MS: i64 = 60_000;
const MIN_RESET_RECORDS: u32 = 3;
/// How far a clock goes back at the end of daylight saving, less what goes by between two records.
const DAYLIGHT_MS: std::ops::RangeInclusive<i64> = 3_000_000..=3_605_000;

/// What late records probably were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateKind {
    /// Each is older than the one before it.
    NewestFirst,
    ClockSetBack,
    /// Set back by an hour.
    DaylightSaving,
    /// A line without a time of its own, stamped by arrival, had carried the device's time ahead.
    AfterArrivalTime,
    /// They were under way for long, or two sources tell of one device.
    Delayed,
}

impl LateKind {
    /// Every kind, in the order of counters.
    pub const ALL: [Self; 5] =
        [Self::NewestFirst, Self::ClockSetBack, Self::DaylightSaving, Self::AfterArrivalTime, Self::Delayed];

    /// The name that counters show.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewestFirst => "newest_first",
            Self::ClockSetBack => "clock_set_back",
            Self::DaylightSaving => "daylight_saving",
            Self::AfterArrivalTime => "after_line_without_time",
            Self::Delayed => "delayed",
        }
    }
}

/// A late record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    pub kind: LateKind,
    /// What the first of the run was taken for before the second one told.
    pub instead_of: Option<LateKind>,
    /// The window begins anew with this record.
    pub resets: bool,
}

/// One device's run of late records.
#[derive(Debug, Clone, Copy, Default)]
pub struct LateRun {
    count: u32,
    /// Records that went on far behind, and the time of the first of them.
    far: u32,
    far_from_ms: i64,
    last_ms: i64,
}

impl LateRun {
    /// Takes a record that is older than the lateness allows. `far_ms` behind `newest_ms` nothing of it can be in
    /// the window; `by_arrival` says that the newest time was an arrival.
    pub fn add(&mut self, time_ms: i64, newest_ms: i64, far_ms: i64, by_arrival: bool) -> Late {
        let goes_on = self.count > 0 && time_ms >= self.last_ms;
        let far = time_ms < newest_ms - far_ms;
        if !far {
            self.far = 0;
        } else if !goes_on || self.far == 0 {
            (self.far, self.far_from_ms) = (1, time_ms);
        } else {
            self.far += 1;
        }
        self.count = self.count.saturating_add(1);
        self.last_ms = time_ms;
        let kind = match (by_arrival, goes_on, self.count) {
            (true, ..) => LateKind::AfterArrivalTime,
            (_, _, 1) => LateKind::Delayed,
            (_, false, _) => LateKind::NewestFirst,
            _ if self.far < 2 => LateKind::Delayed,
            _ if DAYLIGHT_MS.contains(&(newest_ms - self.far_from_ms)) => LateKind::DaylightSaving,
            _ => LateKind::ClockSetBack,
        };
        let lasted = self.far >= MIN_RESET_RECORDS && time_ms - self.far_from_ms >= RESET_MS;
        Late {
            kind,
            instead_of: (self.count == 2 && !by_arrival).then_some(LateKind::Delayed),
            resets: far && (self.far > RESET_RECORDS || lasted),
        }
    }

    /// A record was in time.
    pub fn end(&mut self) {
        self.count = 0;
        self.far = 0;
    }
}

/// A late record of a kind, for whoever asks where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateExample {
    pub kind: LateKind,
    pub device: String,
    /// How far behind its device's newest record.
    pub behind_ms: i64,
}

/// One example a kind since they were last taken.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LateSample(Vec<LateExample>);

impl LateSample {
    /// Keeps the first of its kind.
    pub fn add(&mut self, kind: LateKind, device: &str, behind_ms: i64) {
        if !self.0.iter().any(|example| example.kind == kind) {
            self.0.push(LateExample { kind, device: device.to_owned(), behind_ms });
        }
    }

    /// All examples, which are forgotten.
    pub fn take(&mut self) -> Vec<LateExample> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: i64 = 100_000_000;

    fn run(times: impl IntoIterator<Item = i64>) -> (Vec<LateKind>, Option<usize>) {
        let mut run = LateRun::default();
        let late: Vec<Late> =
            times.into_iter().map(|time_ms| run.add(NEWEST + time_ms, NEWEST, 35_000, false)).collect();
        (late.iter().map(|late| late.kind).collect(), late.iter().position(|late| late.resets))
    }

    #[test]
    fn a_run_that_goes_back_is_newest_first_and_never_begins_anew() {
        let (kinds, reset) = run((1..500).map(|step| -60_000 * step));
        assert!(kinds[1..].iter().all(|kind| *kind == LateKind::NewestFirst));
        assert_eq!(reset, None);
    }

    #[test]
    fn a_run_that_goes_on_begins_anew_after_a_minute_or_sixty_records() {
        let (kinds, reset) = run((0..10).map(|step| -7_200_000 + 10_000 * step));
        assert_eq!((kinds[2], reset), (LateKind::ClockSetBack, Some(6)));
        let (kinds, reset) = run((0..10).map(|step| -3_590_000 + 60_000 * step));
        assert_eq!((kinds[2], reset), (LateKind::DaylightSaving, Some(2)));
        assert_eq!(run((0..100).map(|step| -7_200_000 + 10 * step)).1, Some(60));
        assert_eq!(run((0..100).map(|step| -20_000 + 10 * step)).1, None, "too near to the window");
    }

    #[test]
    fn the_second_record_tells_what_the_first_one_was() {
        let mut run = LateRun::default();
        let first = run.add(NEWEST - 7_200_000, NEWEST, 35_000, false);
        assert_eq!((first.kind, first.instead_of), (LateKind::Delayed, None));
        let second = run.add(NEWEST - 7_300_000, NEWEST, 35_000, false);
        assert_eq!((second.kind, second.instead_of), (LateKind::NewestFirst, Some(LateKind::Delayed)));
        run.end();
        assert_eq!(run.add(NEWEST - 7_200_000, NEWEST, 35_000, true).kind, LateKind::AfterArrivalTime);
    }
}
