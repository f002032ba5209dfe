//! Level shifts: trouble that lasts and is steady is the line's new normal, and must become so.
//!
//! While records stay anomalous, a second baseline learns from them alone, as if the device were new. When the
//! trouble has lasted [`SETTLED_MS`] and the second one finds nothing strange any more, it takes over.
use super::device::DeviceBaseline;
use super::memory::Memory;
use crate::channel::ChannelKind;

/// A level that has been stable for so long is the new one.
pub const SETTLED_MS: i64 = 15 * 60_000;
/// Trouble shorter than this needs no second opinion.
const WATCH_MS: i64 = 60_000;
/// So long without an anomalous record ends the trouble.
const QUIET_MS: i64 = 60_000;
/// A second baseline that still wonders more than this began too early: it begins anew.
const STRANGE_NATS: f64 = 9.0;
/// Records that it must have found normal in a row.
const CALM_RECORDS: u32 = 30;

#[derive(Debug, Clone, PartialEq)]
struct Second {
    baseline: DeviceBaseline,
    since_ms: i64,
    calm: u32,
}

/// The trouble that goes on, if any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shift {
    since_ms: Option<i64>,
    hot_ms: i64,
    second: Option<Box<Second>>,
}

impl Shift {
    /// Goes on with one record; returns the baseline that takes over.
    pub fn follow(
        &mut self,
        hot: bool,
        time_ms: i64,
        values: &[f32],
        kinds: &[ChannelKind],
        memory: Memory,
    ) -> Option<DeviceBaseline> {
        if hot {
            self.hot_ms = time_ms;
        }
        let since_ms = match self.since_ms {
            None if !hot => return None,
            Some(_) if time_ms - self.hot_ms > QUIET_MS => {
                *self = Self::default();
                return None;
            }
            known => *self.since_ms.insert(known.unwrap_or(time_ms)),
        };
        if time_ms - since_ms < WATCH_MS {
            return None;
        }
        let fresh = || Box::new(Second { baseline: DeviceBaseline::default(), since_ms: time_ms, calm: 0 });
        let second = self.second.get_or_insert_with(fresh);
        let nats = second.baseline.step(time_ms, values, kinds, memory, &mut Vec::new());
        match nats {
            Some(nats) if nats > STRANGE_NATS => second.calm = 0,
            Some(_) => second.calm += 1,
            None => {}
        }
        if time_ms - second.since_ms < SETTLED_MS - WATCH_MS {
            return None;
        }
        if second.calm < CALM_RECORDS {
            // Still moving: what it learnt so far is no level.
            self.second = Some(fresh());
            return None;
        }
        let settled = self.second.take()?;
        *self = Self::default();
        Some(settled.baseline)
    }
}
