//! When a line happened: from what it says to epoch ms, whatever it leaves out.
//!
//! - no zone: the configured one. In the hour that is lived twice, the reading nearest to receipt; of lines received
//!   later, the first one that does not go back;
//! - no year: the last one that puts the line no more than a day after its receipt; 29 February goes to a leap year.
//!   A configured `year` wins, for old files;
//! - day, month and year as numbers: `date_order`, else the order that the stream shows ([`order`]);
//! - a clock not yet set (before `clock_valid_from`, 2020-01-01 unless configured; without a year: the
//!   first hour of 1 January more than a day from receipt): marked, and placed by [`sync`].
pub mod civil;
pub mod date;
pub mod form;
pub mod heard;
mod names;
pub mod order;
pub mod sync;
pub mod zone;

use super::draft::Stamp;
use super::keys::Keys;
use crate::error::Result;
use crate::parse::Refusal;
use civil::{Civil, Scanner, year_of};
use order::{DateOrder, Orders};
use zone::Zone;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// Lines that stand this close may have changed places.
const OUT_OF_ORDER_MS: i64 = 5_000;
/// 2020-01-01: no device that is set shows less today.
const DEFAULT_VALID_FROM_MS: i64 = 1_577_836_800_000;
/// Within so many years there is a leap year.
const LEAP_YEARS: i64 = 8;

/// How a source's clock is read.
#[derive(Debug, Clone)]
pub struct Clock {
    zone: Zone,
    valid_from_ms: i64,
    year: Option<i64>,
    orders: Orders,
    /// Where the last line stood.
    last_ms: i64,
}

impl Clock {
    /// From the keys `timezone`, `clock_valid_from`, `year` and `date_order`.
    pub fn from_keys(keys: &Keys<'_>) -> Result<Self> {
        let zone = keys.text("timezone")?.unwrap_or("UTC");
        let zone = Zone::from_name(zone).map_err(|error| keys.error("timezone", error))?;
        let valid_from_ms = match keys.text("clock_valid_from")? {
            None => DEFAULT_VALID_FROM_MS,
            Some(text) => day(text).ok_or_else(|| {
                keys.error("clock_valid_from", format!("\"{text}\" is no date; write 2020-01-01"))
            })?,
        };
        let year = keys.number("year")?;
        if let Some(year) = year.filter(|year| year.fract() != 0.0 || !(1970.0..=9999.0).contains(year)) {
            return Err(keys.error("year", format!("{year} is no year from 1970 to 9999")));
        }
        let order = match keys.text("date_order")? {
            None | Some("auto") => None,
            Some(name) => Some(DateOrder::from_name(name).ok_or_else(|| {
                let expected = "expected auto, day_first, month_first or year_first";
                keys.error("date_order", format!("unknown order \"{name}\"; {expected}"))
            })?),
        };
        #[allow(clippy::cast_possible_truncation)] // Whole and in range.
        let year = year.map(|year| year as i64);
        Ok(Self { zone, valid_from_ms, year, orders: Orders::new(order), last_ms: i64::MIN })
    }

    /// The order of dates in numbers, shared by all clocks that were made of this one.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// A line's time as of its arrival.
    pub fn stamp(&mut self, civil: &Civil, arrival_ms: i64) -> std::result::Result<Stamp, Refusal> {
        let resolved;
        let civil = match civil.numeric {
            None => civil,
            Some(numbers) => {
                let zone = &mut self.zone;
                let epoch = |civil: &Civil| Some(zoned(zone, civil, civil.local_ms(civil.year?)?).0);
                let found = self.orders.resolve(numbers, civil, arrival_ms, epoch);
                resolved = found.ok_or(Refusal::BadTimestamp)?;
                &resolved
            }
        };
        let stamp = match civil.year.or(self.year) {
            None => self.without_year(civil, arrival_ms)?,
            Some(year) => {
                let local_ms = civil.local_ms(year).ok_or(Refusal::BadTimestamp)?;
                let time_ms = self.epoch(civil, local_ms, arrival_ms);
                self.stamp_epoch(time_ms)?
            }
        };
        if let Stamp::At(time_ms) = stamp {
            self.last_ms = time_ms;
        }
        Ok(stamp)
    }

    /// A time that needs no reading.
    pub fn stamp_epoch(&self, time_ms: i64) -> std::result::Result<Stamp, Refusal> {
        const MAX_MS: i64 = 253_402_300_799_999;
        match time_ms {
            ..=MAX_MS if time_ms < self.valid_from_ms.max(0) => Ok(Stamp::Unsynchronised(time_ms)),
            ..=MAX_MS => Ok(Stamp::At(time_ms)),
            _ => Err(Refusal::BadTimestamp),
        }
    }

    fn without_year(&mut self, civil: &Civil, arrival_ms: i64) -> std::result::Result<Stamp, Refusal> {
        let time_ms = self.latest(civil, arrival_ms).ok_or(Refusal::BadTimestamp)?;
        if (time_ms - arrival_ms).abs() > DAY_MS
            && let Some(raw_ms) = self.since_epoch(civil)
        {
            return Ok(Stamp::Unsynchronised(raw_ms));
        }
        Ok(Stamp::At(time_ms))
    }

    /// The last reading without a year that is no more than a day after receipt; the first since 1970 where the clock
    /// of this machine was never set and there is none.
    fn latest(&mut self, civil: &Civil, arrival_ms: i64) -> Option<i64> {
        let year = year_of(arrival_ms);
        let before = (year - LEAP_YEARS..=year + 1).rev();
        let known = 0..=arrival_ms + DAY_MS;
        let latest =
            before.filter_map(|year| self.reading(civil, year, arrival_ms)).find(|ms| known.contains(ms));
        latest.or_else(|| {
            let since = 1970..=1970 + LEAP_YEARS;
            since.filter_map(|year| self.reading(civil, year, arrival_ms)).find(|ms| *ms >= 0)
        })
    }

    fn reading(&mut self, civil: &Civil, year: i64, arrival_ms: i64) -> Option<i64> {
        let local_ms = civil.local_ms(year)?;
        Some(self.epoch(civil, local_ms, arrival_ms))
    }

    /// Ms on a clock that began at the epoch less than an hour ago, in UTC or in the zone.
    fn since_epoch(&mut self, civil: &Civil) -> Option<i64> {
        let local_ms = civil.local_ms(if civil.month == 1 { 1970 } else { 1969 })?;
        let candidates = [local_ms, self.zone.to_epoch(local_ms).0];
        candidates.into_iter().find(|ms| (0..HOUR_MS).contains(ms))
    }

    fn epoch(&mut self, civil: &Civil, local_ms: i64, arrival_ms: i64) -> i64 {
        let (earlier, later) = zoned(&mut self.zone, civil, local_ms);
        if earlier == later {
            return earlier;
        }
        // Long after, both are equally far from receipt: only the lines before tell which one it is.
        let is_later = if arrival_ms - later > 2 * HOUR_MS {
            earlier < self.last_ms.saturating_sub(OUT_OF_ORDER_MS)
        } else {
            (later - arrival_ms).abs() < (earlier - arrival_ms).abs()
        };
        if is_later { later } else { earlier }
    }
}

/// Epoch ms of a local time: the earlier and the later reading.
fn zoned(zone: &mut Zone, civil: &Civil, local_ms: i64) -> (i64, i64) {
    match civil.offset_minutes {
        Some(minutes) => {
            (local_ms - i64::from(minutes) * MINUTE_MS, local_ms - i64::from(minutes) * MINUTE_MS)
        }
        None => zone.to_epoch(local_ms),
    }
}

fn day(text: &str) -> Option<i64> {
    let midnight = format!("{text}T00:00:00Z");
    let civil = Scanner::new(midnight.as_bytes()).iso()?;
    civil.local_ms(civil.year?).filter(|day_ms| text.len() == 10 && *day_ms >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::timestamp::from_iso;

    fn clock(definition: &str) -> Clock {
        let value = serde_json::from_str(definition).unwrap();
        Clock::from_keys(&Keys::new("format", &value).unwrap()).unwrap()
    }

    fn read(definition: &str, text: &str, arrival: &str) -> Stamp {
        let civil = Scanner::new(text.as_bytes()).month_first().unwrap();
        clock(definition).stamp(&civil, from_iso(arrival).unwrap()).unwrap()
    }

    fn at(text: &str) -> Stamp {
        Stamp::At(from_iso(text).unwrap())
    }

    #[test]
    fn a_missing_year_is_the_last_one_that_is_not_in_the_future() {
        for (text, arrival, expected) in [
            ("Dec 31 23:59:59", "2027-01-01T00:00:02Z", "2026-12-31T23:59:59Z"),
            ("Jan  1 00:00:01", "2026-12-31T23:59:59Z", "2027-01-01T00:00:01Z"),
            ("Jan  1 00:00:01", "2027-01-01T00:10:00Z", "2027-01-01T00:00:01Z"),
            ("Nov 22 12:00:00", "2026-11-22T12:00:01Z", "2026-11-22T12:00:00Z"),
            ("Feb 29 10:00:00", "2028-03-01T10:00:00Z", "2028-02-29T10:00:00Z"),
            ("Feb 29 10:00:00", "2026-11-22T10:00:00Z", "2024-02-29T10:00:00Z"),
            ("Feb 29 10:00:00", "2027-12-01T10:00:00Z", "2024-02-29T10:00:00Z"),
            ("Feb 29 10:00:00", "2028-02-28T10:00:00Z", "2028-02-29T10:00:00Z"),
            ("Mar  1 10:00:00", "2027-02-28T10:00:00Z", "2027-03-01T10:00:00Z"),
            ("Dec  1 03:00:00", "1970-01-02T00:00:00Z", "1970-12-01T03:00:00Z"),
            ("Feb 29 03:00:00", "1970-03-02T00:00:00Z", "1972-02-29T03:00:00Z"),
            ("Apr 10 08:00:00", "2026-11-30T12:00:00Z", "2026-04-10T08:00:00Z"),
            ("Dec  2 13:00:00", "2026-11-30T12:00:00Z", "2025-12-02T13:00:00Z"),
            ("Jun  1 00:00:00", "2026-06-01T00:00:01Z", "2026-06-01T00:00:00Z"),
        ] {
            assert_eq!(read("{}", text, arrival), at(expected), "{text} at {arrival}");
        }
        assert_eq!(
            read(r#"{"year":2021}"#, "Sep 24 10:04:52", "2026-11-22T12:00:00Z"),
            at("2021-09-24T10:04:52Z")
        );
    }

    #[test]
    fn a_local_time_that_comes_twice_is_the_one_nearest_to_receipt() {
        let berlin = r#"{"timezone":"Europe/Berlin"}"#;
        for (arrival, expected) in [
            ("2026-10-25T00:30:05Z", "2026-10-25T00:30:00Z"),
            ("2026-10-25T01:30:05Z", "2026-10-25T01:30:00Z"),
        ] {
            assert_eq!(read(berlin, "Oct 25 02:30:00", arrival), at(expected));
        }
    }

    #[test]
    fn the_hour_that_comes_twice_is_read_in_the_order_of_its_lines_when_it_is_long_past() {
        let mut berlin = clock(r#"{"timezone":"Europe/Berlin"}"#);
        let arrival_ms = from_iso("2026-11-22T12:00:00Z").unwrap();
        for (text, expected) in [
            ("Oct 25 01:59:00", "2026-10-24T23:59:00Z"),
            ("Oct 25 02:00:00", "2026-10-25T00:00:00Z"),
            ("Oct 25 02:59:00", "2026-10-25T00:59:00Z"),
            ("Oct 25 02:00:00", "2026-10-25T01:00:00Z"),
            ("Oct 25 02:59:00", "2026-10-25T01:59:00Z"),
            ("Oct 25 03:00:00", "2026-10-25T02:00:00Z"),
        ] {
            let civil = Scanner::new(text.as_bytes()).month_first().unwrap();
            assert_eq!(berlin.stamp(&civil, arrival_ms), Ok(at(expected)), "{text}");
        }
    }

    #[test]
    fn a_clock_that_was_never_set_is_told_from_new_year() {
        let arrival = "2026-11-22T12:00:00Z";
        assert_eq!(read("{}", "Jan  1 00:00:07", arrival), Stamp::Unsynchronised(7000));
        assert_eq!(read("{}", "Jan  1 00:00:07 1970", arrival), Stamp::Unsynchronised(7000));
        let los_angeles = r#"{"timezone":"America/Los_Angeles"}"#;
        assert_eq!(read(los_angeles, "Dec 31 16:00:07", arrival), Stamp::Unsynchronised(7000));
        assert!(matches!(read("{}", "Jan  1 00:00:07 2000", arrival), Stamp::Unsynchronised(_)));
        assert_eq!(read("{}", "Jan  1 00:00:07", "2026-01-01T00:00:09Z"), at("2026-01-01T00:00:07Z"));
        assert_eq!(read("{}", "Jan  1 02:00:07", arrival), at("2026-01-01T02:00:07Z"));
        let old = r#"{"clock_valid_from":"2015-01-01"}"#;
        assert_eq!(read(old, "Aug  4 10:53:15 2017", arrival), at("2017-08-04T10:53:15Z"));
    }

    #[test]
    fn wrong_settings_are_refused_by_key() {
        for (definition, key) in [
            (r#"{"timezone":"Mars"}"#, "format.timezone"),
            (r#"{"year":20.5}"#, "format.year"),
            (r#"{"clock_valid_from":"soon"}"#, "format.clock_valid_from"),
            (r#"{"date_order":"british"}"#, "format.date_order"),
        ] {
            let value = serde_json::from_str(definition).unwrap();
            let error = Clock::from_keys(&Keys::new("format", &value).unwrap()).unwrap_err().to_string();
            assert!(error.starts_with(key), "{error}");
        }
    }

    #[test]
    fn no_such_day_is_refused() {
        let civil = Scanner::new(b"Feb 30 10:00:00").month_first().unwrap();
        assert_eq!(clock("{}").stamp(&civil, 0), Err(Refusal::BadTimestamp));
    }
}
