//! Units: what a line's number is measured in, and the step to the unit of our field.
//!
//! A unit is written as itself (`s`, `kB`, `%`) or with a factor before it (`0.1 dB`, `100 ms`), or in
//! words (`tenths of dB`). Base units of the table: s, B, 1 (ratio), dB, °C. kB is 10³ B, KiB 2¹⁰ B.
use crate::error::{Error, Result};

/// value · `factor` + `offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    pub factor: f64,
    pub offset: f64,
}

impl Scale {
    /// As it is.
    pub const NONE: Self = Self { factor: 1.0, offset: 0.0 };

    /// A value of the line's unit in our field's.
    pub fn apply(self, value: f64) -> f64 {
        value * self.factor + self.offset
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Time,
    Data,
    Ratio,
    Temperature,
    Decibel,
    Power,
}

/// Name, quantity, and factor and offset to the quantity's base unit.
const UNITS: [(&str, Quantity, f64, f64); 44] = [
    ("ns", Quantity::Time, 1e-9, 0.0),
    ("us", Quantity::Time, 1e-6, 0.0),
    ("µs", Quantity::Time, 1e-6, 0.0),
    ("ms", Quantity::Time, 1e-3, 0.0),
    ("s", Quantity::Time, 1.0, 0.0),
    ("usec", Quantity::Time, 1e-6, 0.0),
    ("msec", Quantity::Time, 1e-3, 0.0),
    ("sec", Quantity::Time, 1.0, 0.0),
    ("secs", Quantity::Time, 1.0, 0.0),
    ("seconds", Quantity::Time, 1.0, 0.0),
    ("milliseconds", Quantity::Time, 1e-3, 0.0),
    ("pct", Quantity::Ratio, 1e-2, 0.0),
    ("min", Quantity::Time, 60.0, 0.0),
    ("h", Quantity::Time, 3600.0, 0.0),
    ("bits", Quantity::Data, 0.125, 0.0),
    ("bit", Quantity::Data, 0.125, 0.0),
    ("kbit", Quantity::Data, 125.0, 0.0),
    ("Mbit", Quantity::Data, 125e3, 0.0),
    ("Gbit", Quantity::Data, 125e6, 0.0),
    ("bytes", Quantity::Data, 1.0, 0.0),
    ("B", Quantity::Data, 1.0, 0.0),
    ("kB", Quantity::Data, 1e3, 0.0),
    ("MB", Quantity::Data, 1e6, 0.0),
    ("GB", Quantity::Data, 1e9, 0.0),
    ("KiB", Quantity::Data, 1024.0, 0.0),
    ("MiB", Quantity::Data, 1_048_576.0, 0.0),
    ("GiB", Quantity::Data, 1_073_741_824.0, 0.0),
    ("ratio", Quantity::Ratio, 1.0, 0.0),
    ("%", Quantity::Ratio, 1e-2, 0.0),
    ("percent", Quantity::Ratio, 1e-2, 0.0),
    ("permille", Quantity::Ratio, 1e-3, 0.0),
    ("‰", Quantity::Ratio, 1e-3, 0.0),
    ("ppm", Quantity::Ratio, 1e-6, 0.0),
    ("dB", Quantity::Decibel, 1.0, 0.0),
    ("dBmV", Quantity::Decibel, 1.0, 0.0),
    ("dBuV", Quantity::Decibel, 1.0, 0.0),
    ("dBm", Quantity::Decibel, 1.0, 0.0),
    ("°C", Quantity::Temperature, 1.0, 0.0),
    ("C", Quantity::Temperature, 1.0, 0.0),
    ("K", Quantity::Temperature, 1.0, -273.15),
    ("°F", Quantity::Temperature, 5.0 / 9.0, -160.0 / 9.0),
    ("F", Quantity::Temperature, 5.0 / 9.0, -160.0 / 9.0),
    ("mW", Quantity::Power, 1e-3, 0.0),
    ("W", Quantity::Power, 1.0, 0.0),
];

/// Parts of a unit that are said in words.
const WORDS: [(&str, f64); 6] = [
    ("tenths of ", 0.1),
    ("tenth of ", 0.1),
    ("hundredths of ", 0.01),
    ("hundredth of ", 0.01),
    ("thousandths of ", 1e-3),
    ("thousandth of ", 1e-3),
];

/// The step from `unit` to `own`, the unit of our field; the error says which units would do.
pub fn scale(unit: &str, own: &str) -> Result<Scale> {
    let (multiple, name) = split(unit);
    if name == own {
        return Ok(Scale { factor: multiple, offset: 0.0 });
    }
    let find = |name: &str| UNITS.iter().find(|(known, ..)| *known == name);
    let target = find(own);
    let fitting = || match target {
        Some((_, quantity, ..)) => {
            let same = UNITS.iter().filter(|(_, other, ..)| other == quantity);
            same.map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
        }
        None if own.is_empty() => "none: the field counts events; use scale instead".to_owned(),
        None => own.to_owned(),
    };
    match (find(name), target) {
        (None, _) => Err(Error::new(format!("unknown unit \"{unit}\"; expected {}", fitting()))),
        (Some((_, quantity, ..)), Some((_, other, ..)))
            if quantity == other && (*quantity != Quantity::Decibel || name == "dB" || own == "dB") =>
        {
            let ((_, _, factor, offset), (_, _, own_factor, own_offset)) =
                (find(name).unwrap(), target.unwrap());
            let (factor, offset) = (factor / own_factor, (offset - own_offset) / own_factor);
            Ok(Scale { factor: multiple * factor, offset })
        }
        _ => Err(Error::new(format!(
            "unit \"{unit}\" cannot be turned into \"{own}\"; expected {}",
            fitting()
        ))),
    }
}

/// A factor before the unit, and the unit.
fn split(unit: &str) -> (f64, &str) {
    let unit = unit.trim();
    for (word, factor) in WORDS {
        if let Some(name) = unit.strip_prefix(word) {
            return (factor, name);
        }
    }
    let digits = unit.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unit.len());
    match unit[..digits].parse::<f64>() {
        Ok(factor) if factor > 0.0 && factor.is_finite() => (factor, unit[digits..].trim_start()),
        _ => (1.0, unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(unit: &str, own: &str, value: f64) -> f64 {
        scale(unit, own).unwrap().apply(value)
    }

    #[test]
    fn units_are_turned_into_the_fields_own() {
        for (unit, own, value, expected) in [
            ("s", "ms", 0.25, 250.0),
            ("us", "ms", 1500.0, 1.5),
            ("µs", "ms", 1500.0, 1.5),
            ("100 ms", "ms", 3.0, 300.0),
            ("ratio", "%", 0.07, 7.0),
            ("permille", "%", 5.0, 0.5),
            ("bytes", "MB", 1_500_000.0, 1.5),
            ("bits", "MB", 8e6, 1.0),
            ("KiB", "MB", 1000.0, 1.024),
            ("0.1 dB", "dB", 375.0, 37.5),
            ("tenths of dBmV", "dBmV", -12.0, -1.2),
            ("hundredths of dB", "dBm", -4512.0, -45.12),
            ("K", "°C", 300.0, 26.85),
            ("°F", "°C", 212.0, 100.0),
            ("0.001 °C", "°C", 41_250.0, 41.25),
            ("rpm", "rpm", 12.0, 12.0),
        ] {
            let found = step(unit, own, value);
            assert!((found - expected).abs() < 1e-9, "{value} {unit} is {found} {own}, not {expected}");
        }
    }

    #[test]
    fn units_that_do_not_fit_are_refused_with_those_that_do() {
        for (unit, own, text) in [
            ("jiffies", "ms", "unknown unit \"jiffies\"; expected ns, us"),
            ("MB", "ms", "\"MB\" cannot be turned into \"ms\""),
            ("dBm", "dBmV", "cannot be turned"),
            ("ms", "", "counts events"),
            ("0 dB", "dB", "unknown unit"),
            ("", "ms", "unknown unit"),
        ] {
            let error = scale(unit, own).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
