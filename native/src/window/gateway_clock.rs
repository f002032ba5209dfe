//! The time of the gateway's window, which orders records by arrival.
//!
//! Devices' clocks disagree, and the gateway's window must suffer from none of them. Ordering by the
//! newest event time would let one device that runs ahead empty the window for all others; ordering by
//! arrival alone would fold a back-filled hour into one moment. So each device's own clock says only
//! how fast time passes:
//!
//! - a device's time is its newest event time, but no later than arrival, plus an offset (first 0);
//! - the gateway's time is the largest of them so far and never steps back;
//! - a device that lags by more than `tolerance_ms` gets an offset that puts it level.
//!
//! A device ahead of arrival thus counts as arrival, one far behind (a slow clock, a file read after
//! another) goes on from where the gateway is, and one that dies stops nobody. A forward jump within
//! what arrival allows moves the window once; then the others are put level.
//! Known limit: a device that delivers in batches longer than the tolerance makes time pass faster.

/// The gateway's running time.
#[derive(Debug, Clone, Copy)]
pub struct GatewayClock {
    now_ms: Option<i64>,
    tolerance_ms: i64,
}

/// How far one device's clock was moved to be level with the gateway's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockOffset(i64);

impl GatewayClock {
    /// A clock that has seen nothing.
    pub fn new(tolerance_ms: i64) -> Self {
        Self { now_ms: None, tolerance_ms }
    }

    /// Takes a device's newest event time as of `arrival_ms`; returns the gateway's time.
    pub fn advance(&mut self, newest_ms: i64, arrival_ms: i64, offset: &mut ClockOffset) -> i64 {
        let own = newest_ms.min(arrival_ms);
        let now = self.now_ms.unwrap_or(own);
        if now - (own + offset.0) > self.tolerance_ms {
            offset.0 = now - own;
        }
        let now = now.max(own + offset.0);
        self.now_ms = Some(now);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: i64 = 35_000;

    #[test]
    fn a_device_ahead_of_arrival_moves_the_window_no_faster_than_the_others() {
        let mut clock = GatewayClock::new(TOLERANCE);
        let (mut right, mut ahead) = (ClockOffset::default(), ClockOffset::default());
        for second in 0..600 {
            let now = 1_000_000_000 + second * 1000;
            assert_eq!(clock.advance(now, now, &mut right), now);
            assert_eq!(clock.advance(now + 240_000, now, &mut ahead), now);
        }
    }

    #[test]
    fn a_device_behind_or_read_after_another_goes_on_from_where_the_gateway_is() {
        let mut clock = GatewayClock::new(TOLERANCE);
        let (mut first, mut second) = (ClockOffset::default(), ClockOffset::default());
        for step in 0..600 {
            clock.advance(1_000_000 + step * 1000, 9_000_000_000, &mut first);
        }
        let start = 1_000_000 + 599_000;
        for step in 0..600 {
            let now = clock.advance(1_000_000 + step * 1000, 9_000_000_000, &mut second);
            assert_eq!(now, start + step * 1000);
        }
    }

    #[test]
    fn a_device_that_goes_silent_stops_nobody() {
        let mut clock = GatewayClock::new(TOLERANCE);
        let (mut silent, mut alive) = (ClockOffset::default(), ClockOffset::default());
        clock.advance(100_000, 100_000, &mut silent);
        for now in (100_000..900_000).step_by(1000) {
            assert_eq!(clock.advance(now, now, &mut alive), now);
        }
    }

    #[test]
    fn a_forward_jump_in_the_past_moves_time_once_and_the_others_are_put_level() {
        let mut clock = GatewayClock::new(TOLERANCE);
        let (mut steady, mut jumping) = (ClockOffset::default(), ClockOffset::default());
        let arrival = 9_000_000_000;
        clock.advance(0, arrival, &mut steady);
        let jumped = clock.advance(240_000, arrival, &mut jumping);
        assert_eq!(jumped, 240_000);
        assert_eq!(clock.advance(1000, arrival, &mut steady), 240_000);
        assert_eq!(clock.advance(2000, arrival, &mut steady), 241_000);
    }
}
