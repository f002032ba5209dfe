//! Forms of a time stamp in a field: named ones, or a pattern in the manner of `strftime`.
//!
//! Named: `auto` (ISO 8601, the ways of [`super::date`], or an epoch number by its size in s, ms, µs or ns), `iso`,
//! `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`. Patterns know %Y %y %m %d %e %b %B %a %A %j %H %I %p %M %S %f %L
//! (a fraction's digits) %z %Z %s %F %T %D %R %n %t %%; a blank stands for any number of them.
use super::civil::{Civil, Scanner};
use super::{Clock, date};
use crate::error::{Error, Result};
use crate::format::draft::{Raw, Stamp};
use crate::parse::Refusal;

const MAX_ITEMS: usize = 64;

/// A form that can be read.
#[derive(Debug, Clone, PartialEq)]
pub enum TimeForm {
    Auto,
    Iso,
    /// Numbers of so many a second.
    Epoch(f64),
    Pattern(Vec<Item>),
}

/// One part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    Byte(u8),
    Blanks,
    /// The letter after the sign.
    Field(u8),
}

impl TimeForm {
    /// Reads a form's name or pattern.
    pub fn from_text(text: &str) -> Result<Self> {
        Ok(match text {
            "auto" => Self::Auto,
            "iso" => Self::Iso,
            "epoch_s" => Self::Epoch(1.0),
            "epoch_ms" => Self::Epoch(1e3),
            "epoch_us" => Self::Epoch(1e6),
            "epoch_ns" => Self::Epoch(1e9),
            _ if text.contains('%') => Self::Pattern(pattern(text)?),
            _ => {
                let known =
                    "auto, iso, epoch_s, epoch_ms, epoch_us, epoch_ns or a pattern such as %d/%m/%Y %T";
                return Err(Error::new(format!("unknown time form \"{text}\"; expected {known}")));
            }
        })
    }

    /// A field's time; nothing in it is no time.
    pub fn read(&self, raw: Raw<'_>, clock: &mut Clock, arrival_ms: i64) -> Read<Stamp> {
        match raw {
            Raw::Absent => Ok(Stamp::Missing),
            Raw::Number(number) => self.number(number, clock),
            Raw::Text(text) => match text.trim_ascii() {
                b"" => Ok(Stamp::Missing),
                text => self.text(text, clock, arrival_ms),
            },
            Raw::Flag(_) | Raw::Other => Err(Refusal::BadTimestamp),
        }
    }

    fn number(&self, number: f64, clock: &mut Clock) -> Read<Stamp> {
        let per_second = match self {
            Self::Epoch(per_second) => *per_second,
            Self::Auto => match number {
                ..1e11 => 1.0,
                ..1e14 => 1e3,
                ..1e17 => 1e6,
                _ => 1e9,
            },
            Self::Pattern(items) if *items == [Item::Field(b's')] => 1.0,
            _ => return Err(Refusal::BadTimestamp),
        };
        let milliseconds = number / per_second * 1000.0;
        if !(0.0..=253_402_300_799_999.0).contains(&milliseconds) {
            return Err(Refusal::BadTimestamp);
        }
        #[allow(clippy::cast_possible_truncation)] // The range is checked.
        clock.stamp_epoch(milliseconds.round() as i64)
    }

    fn text(&self, text: &[u8], clock: &mut Clock, arrival_ms: i64) -> Read<Stamp> {
        let mut scanner = Scanner::new(text);
        let civil = match self {
            Self::Auto | Self::Epoch(_) if text.first().is_some_and(u8::is_ascii_digit) => {
                if let Some(number) = crate::format::fields::number(text) {
                    return self.number(number, clock);
                }
                if *self == Self::Auto { date::written(&mut scanner) } else { scanner.iso() }
            }
            Self::Auto => date::written(&mut scanner),
            Self::Iso => scanner.iso().or_else(|| scanner.month_first()),
            Self::Epoch(_) => None,
            Self::Pattern(items) => match parse(items, &mut scanner).ok_or(Refusal::BadTimestamp)? {
                Parsed::Epoch(time_ms) if scanner.rest.is_empty() => return clock.stamp_epoch(time_ms),
                Parsed::Epoch(_) => None,
                Parsed::Civil(civil) => Some(civil),
            },
        };
        let civil = civil.filter(|_| scanner.rest.is_empty()).ok_or(Refusal::BadTimestamp)?;
        clock.stamp(&civil, arrival_ms)
    }
}

type Read<T> = std::result::Result<T, Refusal>;

/// What a pattern found.
enum Parsed {
    Civil(Civil),
    Epoch(i64),
}

fn pattern(text: &str) -> Result<Vec<Item>> {
    let items = items(text)?;
    if items.len() > MAX_ITEMS {
        return Err(Error::new(format!("the time form \"{text}\" has more than {MAX_ITEMS} parts")));
    }
    let has = |wanted: &[u8]| items.iter().any(|item| matches!(item, Item::Field(f) if wanted.contains(f)));
    if has(b"s") || has(b"j") && has(b"Yy") || has(b"de") && has(b"mbB") {
        return Ok(items);
    }
    let needs = "needs a day and a month (%d %m), a year and its day (%Y %j) or epoch seconds (%s)";
    Err(Error::new(format!("the time form \"{text}\" {needs}")))
}

fn items(text: &str) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' => items.push(Item::Blanks),
            b'%' => match bytes.next() {
                Some(b'F') => items.extend(self::items("%Y-%m-%d")?),
                Some(b'T') => items.extend(self::items("%H:%M:%S")?),
                Some(b'D') => items.extend(self::items("%m/%d/%y")?),
                Some(b'R') => items.extend(self::items("%H:%M")?),
                Some(b'n' | b't') => items.push(Item::Blanks),
                Some(b'%') => items.push(Item::Byte(b'%')),
                Some(field) if b"YymdebBaAjHIpMSfLzZs".contains(&field) => items.push(Item::Field(field)),
                other => {
                    let shown = other.map(char::from).unwrap_or_default();
                    return Err(Error::new(format!("unknown sign %{shown} in the time form \"{text}\"")));
                }
            },
            _ => items.push(Item::Byte(byte)),
        }
    }
    Ok(items)
}

fn parse(items: &[Item], scanner: &mut Scanner<'_>) -> Option<Parsed> {
    let mut civil = Civil { month: 1, day: 1, ..Civil::default() };
    let (mut afternoon, mut epoch_s, mut day_of_year) = (None, None, None);
    for item in items {
        match item {
            Item::Byte(byte) => scanner.byte(*byte)?,
            Item::Blanks => drop(scanner.blanks()),
            Item::Field(b'Y') => civil.year = Some(scanner.digits(4, 4)?),
            Item::Field(b'y') => {
                let year = scanner.digits(2, 2)?;
                civil.year = Some(if year < 69 { 2000 + year } else { 1900 + year });
            }
            Item::Field(b'm') => civil.month = scanner.digits(1, 2)?,
            Item::Field(b'd' | b'e') => {
                scanner.blanks();
                civil.day = scanner.digits(1, 2)?;
            }
            Item::Field(b'b' | b'B') => civil.month = scanner.month_name()?,
            Item::Field(b'a' | b'A') => drop(scanner.day_name()?),
            Item::Field(b'j') => day_of_year = Some(scanner.digits(1, 3)?),
            Item::Field(b'H' | b'I') => civil.hour = scanner.digits(1, 2)?,
            Item::Field(b'p') => {
                let letter = scanner.one_of(b"aApP")?;
                scanner.one_of(b"mM")?;
                afternoon = Some(letter.eq_ignore_ascii_case(&b'p'));
            }
            Item::Field(b'M') => civil.minute = scanner.digits(1, 2)?,
            Item::Field(b'S') => civil.second = scanner.digits(1, 2)?,
            Item::Field(b'f' | b'L') => civil.millisecond = scanner.fraction_digits()?,
            Item::Field(b'z') => civil.offset_minutes = Some(scanner.offset()?),
            Item::Field(b'Z') => {
                civil.offset_minutes = scanner.zone_name();
                while scanner.rest.first().is_some_and(u8::is_ascii_alphabetic) {
                    scanner.rest = &scanner.rest[1..];
                }
            }
            Item::Field(_) => epoch_s = Some(scanner.digits(1, 12)?),
        }
    }
    if let Some(afternoon) = afternoon {
        civil.hour = civil.hour % 12 + 12 * i64::from(afternoon);
    }
    if let Some(seconds) = epoch_s {
        return Some(Parsed::Epoch(seconds * 1000 + civil.millisecond));
    }
    if let Some(day) = day_of_year {
        (civil.month, civil.day) = month_and_day(civil.year?, day)?;
    }
    Some(Parsed::Civil(civil))
}

fn month_and_day(year: i64, mut day: i64) -> Option<(i64, i64)> {
    for month in 1..=12 {
        let length = crate::parse::timestamp::days_in_month(year, month);
        if day <= length {
            return (day > 0).then_some((month, day));
        }
        day -= length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::keys::Keys;
    use crate::parse::timestamp::from_iso;

    fn read(form: &str, raw: Raw<'_>) -> Read<Stamp> {
        let value = serde_json::json!({ "timezone": "+01:00" });
        let mut clock = Clock::from_keys(&Keys::new("format", &value).unwrap()).unwrap();
        let arrival_ms = from_iso("2026-02-01T00:00:00Z").unwrap();
        TimeForm::from_text(form).unwrap().read(raw, &mut clock, arrival_ms)
    }

    #[test]
    fn every_form_gives_the_same_moment() {
        let expected = Ok(Stamp::At(from_iso("2026-01-31T11:00:05.250Z").unwrap()));
        for (form, text) in [
            ("auto", "2026-01-31T12:00:05.250+01:00"),
            ("auto", "2026-01-31 12:00:05.25"),
            ("auto", "1769857205.25"),
            ("auto", "1769857205250"),
            ("auto", "31.01.2026 12:00:05.25"),
            ("auto", "1/31/2026 12:00:05.25 PM"),
            ("auto", "Sat, 31 Jan 2026 11:00:05.25 +0000"),
            ("auto", "31/Jan/2026:12:00:05.25 +0100"),
            ("auto", "Sat Jan 31 11:00:05.25 UTC 2026"),
            ("auto", "2026-01-31 11:00:05.25 UTC"),
            ("iso", "2026-01-31T11:00:05.250Z"),
            ("epoch_s", "1769857205.250"),
            ("epoch_ms", "1769857205250"),
            ("epoch_us", "1769857205250000"),
            ("epoch_ns", "1769857205250000000"),
            ("%d/%b/%Y:%H:%M:%S.%f %z", "31/Jan/2026:11:00:05.250 +0000"),
            ("%A, %B %e %y %I:%M:%S.%L %p", "Saturday, January 31 26 12:00:05.25 PM"),
            ("%Y.%j %T.%f", "2026.031 12:00:05.250"),
            ("%s.%f", "1769857205.250"),
            ("%b %d %T.%f %Z", "Jan 31 11:00:05.250 UTC"),
            ("%b %d %T.%f", "Jan 31 12:00:05.250"),
        ] {
            assert_eq!(read(form, Raw::Text(text.as_bytes())), expected, "{form}: {text}");
        }
        for (form, number) in [
            ("auto", 1_769_857_205.25),
            ("auto", 1_769_857_205_250_000_000.0),
            ("epoch_ms", 1_769_857_205_250.0),
        ] {
            assert_eq!(read(form, Raw::Number(number)), expected, "{form}: {number}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_and_nothing_is_no_time() {
        for (form, text) in [
            ("auto", "yesterday"),
            ("auto", "-5"),
            ("iso", "2026-01-31"),
            ("epoch_ms", "1e30"),
            ("%Y-%m-%d", "2026-01-31 "),
            ("%Y-%m-%d", "2026-02-30"),
            ("%Y %j", "2026 366"),
            ("%s", "123456789012x"),
        ] {
            let found = read(form, Raw::Text(text.as_bytes()));
            assert!(text.ends_with(' ') || found == Err(Refusal::BadTimestamp), "{form}: {text}: {found:?}");
        }
        assert_eq!(read("auto", Raw::Text(b" ")), Ok(Stamp::Missing));
        assert_eq!(read("auto", Raw::Flag(true)), Err(Refusal::BadTimestamp));
    }

    #[test]
    fn wrong_forms_are_refused() {
        for (form, text) in [
            ("unix", "expected auto"),
            ("%Q", "unknown sign %Q"),
            ("%H:%M:%S", "needs a day"),
            ("%", "unknown sign %"),
        ] {
            let error = TimeForm::from_text(form).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
        assert!(TimeForm::from_text(&"%Y".repeat(65)).is_err());
    }
}
