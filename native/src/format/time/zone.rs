//! Time zones: UTC, a fixed offset or a zone of the IANA database, which is compiled in.
//!
//! Asking the database costs more than reading a line, so the answer is kept for the quarter of an hour
//! that it was asked for: no zone changes at any other moment.
use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::error::{Error, Result};

const QUARTER_MS: i64 = 900_000;

/// A zone and the last answer.
#[derive(Debug, Clone)]
pub struct Zone {
    rules: Rules,
    quarter: i64,
    offset_ms: i64,
}

#[derive(Debug, Clone)]
enum Rules {
    Fixed(i64),
    Named(TimeZone),
}

impl Zone {
    /// `UTC`, `+02:00` or a name such as `Europe/Berlin`.
    pub fn from_name(name: &str) -> Result<Self> {
        let rules = match name {
            "UTC" | "Z" => Rules::Fixed(0),
            _ if name.starts_with(['+', '-']) => Rules::Fixed(fixed(name)?),
            _ => Rules::Named(named(name)?),
        };
        Ok(Self { rules, quarter: i64::MIN, offset_ms: 0 })
    }

    /// Epoch ms of a local time. Where clocks are set back it has two: the earlier and the later;
    /// where they are set forward a time that is left out is read as if they were not yet.
    pub fn to_epoch(&mut self, local_ms: i64) -> (i64, i64) {
        let zone = match &self.rules {
            Rules::Fixed(offset_ms) => return (local_ms - offset_ms, local_ms - offset_ms),
            Rules::Named(zone) => zone,
        };
        let quarter = local_ms.div_euclid(QUARTER_MS);
        if quarter != self.quarter {
            let Ok(moment) = Timestamp::from_millisecond(local_ms) else { return (local_ms, local_ms) };
            let local = Offset::UTC.to_datetime(moment);
            let ms = |offset: Offset| i64::from(offset.seconds()) * 1000;
            self.offset_ms = match zone.to_ambiguous_timestamp(local).offset() {
                AmbiguousOffset::Unambiguous { offset } => ms(offset),
                AmbiguousOffset::Gap { before, .. } => ms(before),
                AmbiguousOffset::Fold { before, after } => {
                    self.quarter = i64::MIN;
                    return (local_ms - ms(before), local_ms - ms(after));
                }
            };
            self.quarter = quarter;
        }
        (local_ms - self.offset_ms, local_ms - self.offset_ms)
    }
}

fn fixed(name: &str) -> Result<i64> {
    let minutes = super::civil::Scanner::new(name.as_bytes()).offset().filter(|_| name.len() >= 3);
    let error = || Error::new(format!("\"{name}\" is no offset; write +02:00"));
    minutes.map(|minutes| i64::from(minutes) * 60_000).ok_or_else(error)
}

fn named(name: &str) -> Result<TimeZone> {
    let unknown = |_| {
        Error::new(format!(
            "unknown time zone \"{name}\"; write UTC, +02:00 or a name such as Europe/Berlin"
        ))
    };
    jiff::tz::TimeZoneDatabase::bundled().get(name).map_err(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::timestamp::from_iso;

    #[test]
    fn local_times_are_read_by_their_zones_rules() {
        let mut berlin = Zone::from_name("Europe/Berlin").unwrap();
        let mut epoch = |text: &str| berlin.to_epoch(from_iso(&format!("{text}Z")).unwrap());
        for (local, utc, later) in [
            ("2026-01-31T12:00:00", "2026-01-31T11:00:00Z", None),
            ("2026-07-31T12:00:00", "2026-07-31T10:00:00Z", None),
            ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z", None),
            ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z", None),
            ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z", Some("2026-10-25T01:30:00Z")),
            ("2026-10-25T02:31:00", "2026-10-25T00:31:00Z", Some("2026-10-25T01:31:00Z")),
            ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z", None),
        ] {
            let expected = from_iso(utc).unwrap();
            assert_eq!(
                epoch(local),
                (expected, later.map_or(expected, |l| from_iso(l).unwrap())),
                "{local}"
            );
        }
    }

    #[test]
    fn offsets_and_unknown_zones() {
        assert_eq!(Zone::from_name("-05:30").unwrap().to_epoch(0), (19_800_000, 19_800_000));
        for name in ["Mars/Olympus", "", "+2", "+25:00", "local"] {
            assert!(Zone::from_name(name).is_err(), "{name}");
        }
    }
}
