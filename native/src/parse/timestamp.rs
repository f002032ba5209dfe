//! Event times: ISO 8601 with an offset, or epoch seconds or milliseconds as a number.
//!
//! A time without an offset is refused: guessing a zone would be wrong by hours without a sign of it.

/// Numbers from here on are milliseconds; as seconds it would be the year 5138.
const FIRST_MILLISECONDS: f64 = 1e11;
/// End of the year 9999 in epoch ms; nothing later is believed.
const MAX_MS: i64 = 253_402_300_799_999;

/// Epoch ms of a number that is epoch seconds or, from 10¹¹ on, ms.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // The range is checked first.
pub fn from_number(value: f64) -> Option<i64> {
    let milliseconds = if value >= FIRST_MILLISECONDS { value } else { value * 1000.0 };
    (value >= 0.0 && milliseconds <= MAX_MS as f64).then(|| milliseconds.round() as i64)
}

/// Epoch ms of `2026-01-31T12:00:00.123+01:00`; seconds' fraction is optional, digits past ms are cut.
pub fn from_iso(text: &str) -> Option<i64> {
    from_iso_bytes(text.as_bytes())
}

/// The same of a text that is only bytes yet.
pub fn from_iso_bytes(text: &[u8]) -> Option<i64> {
    let mut cursor = Cursor(text);
    let (year, month, day) = (cursor.date_part(4)?, cursor.after(b"-")?, cursor.after(b"-")?);
    cursor.one_of(b"Tt ")?;
    let (hour, minute, second) = (cursor.date_part(2)?, cursor.after(b":")?, cursor.after(b":")?);
    let milliseconds = cursor.fraction()?;
    let offset_minutes = cursor.offset()?;
    let valid = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60; // A leap second is the next second.
    let minutes = (days_from_epoch(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
    let total = (minutes * 60 + second) * 1000 + milliseconds;
    (valid && cursor.0.is_empty() && (0..=MAX_MS).contains(&total)).then_some(total)
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        allowed.contains(&first).then(|| {
            self.0 = rest;
            first
        })
    }

    fn date_part(&mut self, digits: usize) -> Option<i64> {
        let (head, rest) = self.0.split_at_checked(digits)?;
        let mut value = 0;
        for digit in head {
            value = value * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        self.0 = rest;
        Some(value)
    }

    fn after(&mut self, separator: &[u8]) -> Option<i64> {
        self.one_of(separator)?;
        self.date_part(2)
    }

    fn fraction(&mut self) -> Option<i64> {
        if self.one_of(b".,").is_none() {
            return Some(0);
        }
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (head, rest) = self.0.split_at(digits);
        let scaled = head.iter().zip([100, 10, 1]).map(|(digit, weight)| i64::from(digit - b'0') * weight);
        let milliseconds = scaled.sum();
        self.0 = rest;
        (digits > 0).then_some(milliseconds)
    }

    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.date_part(2)?;
        let _ = self.one_of(b":");
        let minutes = if self.0.is_empty() { 0 } else { self.date_part(2)? };
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    }
}

pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, counting years from March so that the leap day is a year's last.
pub(crate) fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month > 2 { year } else { year - 1 };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_times_with_an_offset_are_read() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-01-31T12:00:00.123+01:00", 1_769_857_200_123),
            ("2024-02-29T23:59:59.999999-0530", 1_709_270_999_999),
            ("2000-03-01 00:00:00,5+00", 951_868_800_500),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ] {
            assert_eq!(from_iso(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_or_has_no_offset_is_refused() {
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-02-30T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00Zx",
            "2026-01-31T12:00:00+1",
            "1969-12-31T23:59:59Z",
            "yesterday",
            "2026-01-31T12:00:00+25:00",
        ] {
            assert_eq!(from_iso(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_seconds_up_to_ten_to_the_eleven_and_milliseconds_from_there() {
        assert_eq!(from_number(1_769_857_200.5), Some(1_769_857_200_500));
        assert_eq!(from_number(1_769_857_200_123.0), Some(1_769_857_200_123));
        assert_eq!(from_number(0.0), Some(0));
        for value in [-1.0, 1e15, f64::NAN, f64::INFINITY] {
            assert_eq!(from_number(value), None, "{value}");
        }
    }
}
