//! A device's events as bytes and back: its time f64, a flag u8 when crowded, kinds u8, and of each its name (u8 length,
//! UTF-8), time of the newest, time known and events f64, then of each length when its window began f64, the count u32
//! and six numbers f32. Storms that go on are not kept.
use super::super::codec::{Reader, damaged, put_numbers};
use super::class::{Class, MEMORY_S};
use super::scale::Scale;
use super::{MAX_CLASSES, Rates};
use crate::error::Result;

/// Thirty thousand years.
const MAX_CLOCK_S: f64 = 1e12;

impl Rates {
    #[allow(clippy::cast_possible_truncation)] // Names are cut, kinds are few.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_numbers(out, &[self.clock_s]);
        out.extend_from_slice(&[u8::from(self.crowded), self.classes.len() as u8]);
        for class in &self.classes {
            out.push(class.name.len() as u8);
            out.extend_from_slice(class.name.as_bytes());
            put_numbers(out, &[class.last_s, class.known_s, class.events]);
            for scale in &class.scales {
                put_numbers(out, &[scale.began_s]);
                out.extend_from_slice(&scale.count.to_le_bytes());
                out.extend(scale.numbers().iter().flat_map(|number| number.to_le_bytes()));
            }
        }
    }

    pub(in crate::baseline) fn taken(reader: &mut Reader<'_>) -> Result<Self> {
        let none = || damaged("its events are none");
        let [clock_s] = reader.numbers()?;
        let crowded = reader.flag()?;
        let [count] = reader.take()?;
        if !(0.0..=MAX_CLOCK_S).contains(&clock_s) || usize::from(count) > MAX_CLASSES {
            return Err(none());
        }
        let mut classes = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let [length] = reader.take()?;
            let name = reader.text(usize::from(length))?;
            let numbers: [f64; 3] = reader.numbers()?;
            let [last_s, known_s, events] = numbers;
            let fits = (0.0..=clock_s).contains(&last_s)
                && (0.0..=MEMORY_S).contains(&known_s)
                && (0.0..=MAX_CLOCK_S).contains(&events);
            if !fits {
                return Err(none());
            }
            let mut scales: [Scale; 4] = Default::default();
            for scale in &mut scales {
                let ([began_s], number) = (reader.numbers()?, u32::from_le_bytes(reader.take()?));
                let read = Scale::of_numbers(began_s, number, reader.floats()?);
                *scale = read.filter(|_| (0.0..=clock_s).contains(&began_s)).ok_or_else(none)?;
            }
            classes.push(Class::restored(&name, numbers, scales));
        }
        Ok(Self { clock_s, classes, crowded, ..Self::default() })
    }
}
