//! One cell of a line as a number: `12.5`, `12,5` where the format says so, `12.5ms`, or nothing that was measured.
//!
//! A unit in the cell counts before the field's `unit`. What stands for "not measured" is unknown: nothing, the usual
//! words, and what `missing` lists, for a field or for all. Anything else is refused, and the rest of its line counts.
use serde_json::Value;

use super::draft::Raw;
use super::keys::{Keys, wrong};
use super::unit::{self, Scale};
use crate::error::Result;
use crate::parse::Refusal;

/// Longest text of a number with its unit, bytes.
const MAX_BYTES: usize = 64;
const MAX_MISSING: usize = 64;
/// How programs write that they do not know, whatever their case.
const UNKNOWN: [&str; 21] = [
    "-",
    "--",
    "---",
    "*",
    "?",
    "null",
    "none",
    "nil",
    "nan",
    "-nan",
    "inf",
    "+inf",
    "-inf",
    "infinity",
    "-infinity",
    "n/a",
    "na",
    "timeout",
    "timed out",
    "unknown",
    "undefined",
];

/// How the cells of a format, or of one field, are written.
#[derive(Debug, Clone)]
pub struct Cells {
    /// A comma; then a point only parts thousands.
    comma: bool,
    missing_numbers: Vec<f64>,
    missing_texts: Vec<String>,
}

impl Cells {
    /// From the format's keys `decimal` and `missing`.
    pub fn from_keys(keys: &Keys<'_>) -> Result<Self> {
        let comma = match keys.text("decimal")? {
            None | Some(".") => false,
            Some(",") => true,
            Some(other) => return Err(keys.error("decimal", format!("\"{other}\" is neither . nor ,"))),
        };
        Self { comma, missing_numbers: Vec::new(), missing_texts: Vec::new() }.and(keys)
    }

    /// The same with an entry's own `missing` besides.
    pub fn and(&self, keys: &Keys<'_>) -> Result<Self> {
        let mut cells = self.clone();
        let list = keys.list("missing")?.unwrap_or_default();
        for value in list {
            match value {
                Value::Number(number) => cells.missing_numbers.extend(number.as_f64()),
                Value::String(text) => cells.missing_texts.push(text.trim().to_owned()),
                other => return Err(wrong(&keys.path("missing"), "a list of numbers and texts", other)),
            }
        }
        if list.len() > MAX_MISSING {
            return Err(keys.error("missing", format!("has more than {MAX_MISSING} entries")));
        }
        Ok(cells)
    }

    /// A cell's value in the unit `own`; `scale` turns the line's unit into it and `factor` is the part of it that
    /// comes on top of a unit. `None` is not measured.
    pub fn read(&self, raw: Raw<'_>, scale: Scale, factor: f64, own: &str) -> Read<Option<f64>> {
        let known = |number: f64| !self.missing_numbers.contains(&number);
        match raw {
            Raw::Absent => Ok(None),
            Raw::Number(number) => Ok(Some(number).filter(|number| known(*number)).map(|n| scale.apply(n))),
            Raw::Text(text) => {
                let text = text.trim_ascii();
                if text.is_empty() || self.stands_for_nothing(text) {
                    return Ok(None);
                }
                let (number, unit) = self.number_and_unit(text).ok_or(Refusal::NotANumber)?;
                if !known(number) {
                    return Ok(None);
                }
                if unit.is_empty() {
                    return Ok(Some(scale.apply(number)));
                }
                let unit = unit::scale(unit, own).map_err(|_| Refusal::NotANumber)?;
                Ok(Some(unit.apply(number) * factor))
            }
            Raw::Flag(_) | Raw::Other => Err(Refusal::NotANumber),
        }
    }

    fn stands_for_nothing(&self, text: &[u8]) -> bool {
        let same = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
        UNKNOWN.into_iter().any(same) || self.missing_texts.iter().any(|word| same(word))
    }

    fn number_and_unit<'a>(&self, text: &'a [u8]) -> Option<(f64, &'a str)> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MAX_BYTES)?;
        let bytes = text.as_bytes();
        let digit_at = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
        let mut end = 0;
        while let Some(byte) = bytes.get(end) {
            let exponent = matches!(byte, b'e' | b'E') && end > 0 && {
                let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
                digit_at(end + 1 + usize::from(signed))
            };
            let sign = matches!(byte, b'+' | b'-') && (end == 0 || matches!(bytes[end - 1], b'e' | b'E'));
            if !(byte.is_ascii_digit() || *byte == b'.' || exponent || sign || (self.comma && *byte == b','))
            {
                break;
            }
            end += 1;
        }
        let number =
            if self.comma { with_comma(&bytes[..end])? } else { super::fields::number(&bytes[..end])? };
        Some((number, text[end..].trim_start()))
    }
}

type Read<T> = std::result::Result<T, Refusal>;

/// `1.234,5`: points part thousands and stand nowhere else.
fn with_comma(text: &[u8]) -> Option<f64> {
    let (mut plain, mut length) = ([0; MAX_BYTES], 0);
    let whole = text.iter().position(|byte| *byte == b',').unwrap_or(text.len());
    let mut groups = text[..whole].split(|byte| *byte == b'.');
    groups.next()?;
    if !groups.all(|group| group.len() == 3) || text[whole..].contains(&b'.') {
        return None;
    }
    for byte in text.iter().filter(|byte| **byte != b'.') {
        *plain.get_mut(length)? = if *byte == b',' { b'.' } else { *byte };
        length += 1;
    }
    super::fields::number(&plain[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(definition: &str, text: &str, own: &str) -> Read<Option<f64>> {
        let value = serde_json::from_str(definition).unwrap();
        let cells = Cells::from_keys(&Keys::new("format", &value).unwrap()).unwrap();
        cells.read(Raw::Text(text.as_bytes()), Scale::NONE, 1.0, own)
    }

    #[test]
    fn cells_are_numbers_with_units_or_stand_for_nothing() {
        for (text, own, expected) in [
            ("12.5", "ms", Ok(Some(12.5))),
            ("12.5ms", "ms", Ok(Some(12.5))),
            ("1.2 s", "ms", Ok(Some(1200.0))),
            ("0%", "%", Ok(Some(0.0))),
            ("3 dB", "dB", Ok(Some(3.0))),
            ("1.5e2ms", "ms", Ok(Some(150.0))),
            ("900 usec", "ms", Ok(Some(0.9))),
            ("-3 dBmV", "dBmV", Ok(Some(-3.0))),
            ("1.5 GB", "MB", Ok(Some(1500.0))),
            ("NaN", "ms", Ok(None)),
            ("-Infinity", "ms", Ok(None)),
            (" n/a ", "ms", Ok(None)),
            ("TIMEOUT", "ms", Ok(None)),
            ("*", "ms", Ok(None)),
            ("", "ms", Ok(None)),
            ("12,5", "ms", Err(Refusal::NotANumber)),
            ("12 GB", "ms", Err(Refusal::NotANumber)),
            ("fast", "ms", Err(Refusal::NotANumber)),
            ("e5", "ms", Err(Refusal::NotANumber)),
            ("1-2", "ms", Err(Refusal::NotANumber)),
            ("3 times", "", Err(Refusal::NotANumber)),
        ] {
            assert_eq!(read("{}", text, own), expected, "{text}");
        }
    }

    #[test]
    fn a_decimal_comma_and_what_is_missing_are_keys() {
        let comma = r#"{"decimal":",","missing":[-1,"kaputt"]}"#;
        for (text, expected) in [
            ("12,5", Ok(Some(12.5))),
            ("1.234,5 ms", Ok(Some(1234.5))),
            ("1.234.567", Ok(Some(1_234_567.0))),
            ("12.5", Err(Refusal::NotANumber)),
            ("1,2,3", Err(Refusal::NotANumber)),
            ("1,234.5", Err(Refusal::NotANumber)),
            ("-1", Ok(None)),
            ("-1,0", Ok(None)),
            ("Kaputt", Ok(None)),
            ("-2", Ok(Some(-2.0))),
        ] {
            assert_eq!(read(comma, text, "ms"), expected, "{text}");
        }
    }
}
