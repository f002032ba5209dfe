//! A date and time of day as a line has it, and the scanner that reads its parts from bytes.
use super::names;
use super::order::NumericDate;
use crate::parse::timestamp::{days_from_epoch, days_in_month};

/// Date and time of day, perhaps without a year or a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Civil {
    pub year: Option<i64>,
    /// 1–12.
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    /// 60 is a leap second: the next second.
    pub second: i64,
    pub millisecond: i64,
    /// Minutes east of UTC, when the line says so.
    pub offset_minutes: Option<i32>,
    /// A date in numbers whose order the line does not say, in place of year, month and day.
    pub numeric: Option<NumericDate>,
}

impl Civil {
    /// Milliseconds from 1970-01-01 00:00 on the same clock in `year`; `None` when there is no such time.
    pub fn local_ms(&self, year: i64) -> Option<i64> {
        let valid = (1..=9999).contains(&year)
            && (1..=12).contains(&self.month)
            && (1..=days_in_month(year, self.month)).contains(&self.day)
            && (0..24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..=60).contains(&self.second);
        let minutes = (days_from_epoch(year, self.month, self.day) * 24 + self.hour) * 60 + self.minute;
        valid.then(|| (minutes * 60 + self.second) * 1000 + self.millisecond)
    }
}

/// The year of a moment.
pub fn year_of(ms: i64) -> i64 {
    let days = ms.div_euclid(86_400_000);
    // 365.2425 days a year; the guess is at most one off.
    let guess = 1970 + (days * 10_000).div_euclid(3_652_425);
    if days_from_epoch(guess + 1, 1, 1) <= days {
        guess + 1
    } else if days_from_epoch(guess, 1, 1) > days {
        guess - 1
    } else {
        guess
    }
}

/// Reads parts from the front of bytes. Every step moves on only when it succeeds.
#[derive(Debug, Clone, Copy)]
pub struct Scanner<'a> {
    pub rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    /// At the front of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// One byte that is wanted.
    pub fn byte(&mut self, wanted: u8) -> Option<()> {
        let (&first, rest) = self.rest.split_first()?;
        (first == wanted).then(|| self.rest = rest)
    }

    /// One of several bytes.
    pub fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        wanted.contains(&first).then(|| {
            self.rest = rest;
            first
        })
    }

    /// A text that is wanted.
    pub fn text(&mut self, wanted: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    /// Blanks and tabs; how many.
    pub fn blanks(&mut self) -> usize {
        let count = self.rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.rest = &self.rest[count..];
        count
    }

    /// A number of `min` to `max` digits, at most 18.
    pub fn digits(&mut self, min: usize, max: usize) -> Option<i64> {
        let mut value = 0;
        let mut count = 0;
        while let Some(digit) = self.rest.get(count).filter(|byte| count < max && byte.is_ascii_digit()) {
            value = value * 10 + i64::from(digit - b'0');
            count += 1;
        }
        (count >= min).then(|| {
            self.rest = &self.rest[count..];
            value
        })
    }

    /// Bytes up to a blank; at least one.
    pub fn word(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        (end > 0).then(|| {
            self.rest = rest;
            word
        })
    }

    /// A month's name, short or long, in English or another language of makers; 1–12.
    pub fn month_name(&mut self) -> Option<i64> {
        let (month, length) = names::month(self.rest)?;
        self.rest = &self.rest[length..];
        Some(month)
    }

    /// A weekday's English name, short or long.
    pub fn day_name(&mut self) -> Option<()> {
        let length = names::weekday(self.rest)?;
        self.rest = &self.rest[length..];
        Some(())
    }

    /// A fraction after a point or comma as ms, digits past ms cut; nothing is 0.
    pub fn fraction(&mut self) -> Option<i64> {
        let mut ahead = *self;
        if ahead.one_of(b".,").is_none() || !ahead.rest.first().is_some_and(u8::is_ascii_digit) {
            return Some(0);
        }
        let value = ahead.fraction_digits()?;
        *self = ahead;
        Some(value)
    }

    /// Digits of a fraction as ms.
    pub fn fraction_digits(&mut self) -> Option<i64> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(count);
        let scaled = digits.iter().zip([100, 10, 1]).map(|(digit, weight)| i64::from(digit - b'0') * weight);
        let milliseconds = scaled.sum();
        self.rest = rest;
        (count > 0).then_some(milliseconds)
    }

    /// `12:34:56` with an optional fraction; Comware writes `12:34:56:789`.
    pub fn time_of_day(&mut self, civil: &mut Civil) -> Option<()> {
        civil.hour = self.digits(1, 2)?;
        self.byte(b':')?;
        civil.minute = self.digits(2, 2)?;
        self.byte(b':')?;
        civil.second = self.digits(2, 2)?;
        civil.millisecond = self.fraction()?;
        let mut ahead = *self;
        if let (Some(()), Some(milliseconds)) = (ahead.byte(b':'), ahead.digits(3, 3))
            && ahead.rest.first() == Some(&b' ')
        {
            civil.millisecond = milliseconds;
            *self = ahead;
        }
        Some(())
    }

    /// `Z`, `+02:00`, `-0530`, `+02`; minutes east of UTC.
    pub fn offset(&mut self) -> Option<i32> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.digits(2, 2)?;
        let _ = self.byte(b':');
        let minutes = self.digits(2, 2).unwrap_or(0);
        let total = i32::try_from(hours * 60 + minutes).ok()?;
        (hours < 24 && minutes < 60).then_some(sign * total)
    }

    /// A zone's abbreviation that is known.
    pub fn zone_name(&mut self) -> Option<i32> {
        let length = self.rest.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
        let (name, rest) = self.rest.split_at(length);
        let minutes = names::zone_minutes(name)?;
        self.rest = rest;
        Some(minutes)
    }

    /// `2026-01-31T12:00:00.123+01:00`; the offset may be absent or stand behind a blank, `T` may be a blank, `-` may
    /// be `/`. Huawei's VRP counts on behind the fraction: `12:00:00.123.1`.
    pub fn iso(&mut self) -> Option<Civil> {
        let mut ahead = *self;
        let mut civil = Civil { year: Some(ahead.digits(4, 4)?), ..Civil::default() };
        let separator = ahead.one_of(b"-/")?;
        civil.month = ahead.digits(1, 2)?;
        ahead.byte(separator)?;
        civil.day = ahead.digits(1, 2)?;
        ahead.one_of(b"Tt ,_")?;
        ahead.blanks();
        ahead.time_of_day(&mut civil)?;
        let mut counted = ahead;
        if counted.byte(b'.').is_some() && counted.digits(1, 4).is_some() {
            ahead = counted;
        }
        let mut zone = ahead;
        civil.offset_minutes = zone.offset();
        if civil.offset_minutes.is_some() {
            ahead = zone;
        } else {
            ahead.signed_offset(&mut civil);
        }
        *self = ahead;
        Some(civil)
    }

    /// ` +0100` or `-05:00` where a word ends; nothing else is taken.
    pub fn signed_offset(&mut self, civil: &mut Civil) {
        let mut ahead = *self;
        ahead.blanks();
        if !ahead.rest.first().is_some_and(|byte| matches!(byte, b'+' | b'-')) {
            return;
        }
        let offset = ahead.offset();
        if offset.is_some()
            && ahead.rest.first().is_none_or(|byte| matches!(byte, b' ' | b'\t' | b':' | b']'))
        {
            civil.offset_minutes = offset;
            *self = ahead;
        }
    }

    /// `Nov  2 15:40:14`, with a fraction, or with the year after the day or after the time.
    pub fn month_first(&mut self) -> Option<Civil> {
        let mut ahead = *self;
        let mut civil = Civil { month: ahead.month_name()?, ..Civil::default() };
        ahead.blanks();
        civil.day = ahead.digits(1, 2)?;
        ahead.one_of(b" \t,")?;
        ahead.blanks();
        let mut year = ahead;
        if let (Some(number), Some(_)) = (year.digits(4, 4), year.one_of(b" \t")) {
            civil.year = Some(number);
            ahead = year;
            ahead.blanks();
        }
        ahead.time_of_day(&mut civil)?;
        if civil.year.is_none() {
            ahead.year_after(&mut civil);
        }
        *self = ahead;
        Some(civil)
    }

    /// ` 2026` behind a time of day, where a blank, a colon or the end follows.
    fn year_after(&mut self, civil: &mut Civil) {
        let mut ahead = *self;
        ahead.blanks();
        let found = ahead.digits(4, 4).filter(|year| (1970..2200).contains(year));
        if found.is_some() && ahead.rest.first().is_none_or(|byte| matches!(byte, b' ' | b'\t' | b':')) {
            civil.year = found;
            *self = ahead;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_of_every_days_first_and_last_millisecond_is_right() {
        for year in [1970, 1971, 1999, 2000, 2001, 2023, 2024, 2025, 2026, 2100, 2400, 9998] {
            let start = days_from_epoch(year, 1, 1) * 86_400_000;
            assert_eq!((year_of(start), year_of(start - 1)), (year, year - 1));
        }
    }

    #[test]
    fn dates_are_read_in_the_ways_that_devices_write_them() {
        let civil = |text: &str| Scanner::new(text.as_bytes()).month_first();
        let plain = civil("Nov  2 15:40:14 host").unwrap();
        assert_eq!((plain.year, plain.month, plain.day, plain.second), (None, 11, 2, 14));
        assert_eq!(civil("Feb 29 2024 00:00:01.5 x").unwrap().year, Some(2024));
        assert_eq!(civil("Jan  1 00:00:25 1970 kern.info").unwrap().year, Some(1970));
        assert_eq!(civil("Jan  1 00:00:25 2048kb").unwrap().year, None);
        assert_eq!(civil("Janv 1 00:00"), None);
        let iso = Scanner::new(b"2026-01-31T12:00:00.1239+01:00").iso().unwrap();
        assert_eq!((iso.millisecond, iso.offset_minutes), (123, Some(60)));
        assert_eq!(Scanner::new(b"2026-01-31 12:00:00 x").iso().unwrap().offset_minutes, None);
    }
}
