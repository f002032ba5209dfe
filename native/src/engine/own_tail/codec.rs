//! What is rare for many devices, as bytes and back, so that a restart forgets nothing.
//!
//! Little endian: `LHOT`, version u16; SHA-256 of the forest whose scores they are; device count u32; then of each
//! device its name (u16 length, UTF-8), its last time u32, of the last whole block (0: there is none yet) a u8, its
//! start, scale and floor f32, and of the block that fills its scores u8 and the highest of them, twenty u16. At the end
//! stands SHA-256 of all before it. Loading checks the digest and then trusts no length all the same.
use sha2::{Digest, Sha256};

use super::{BLOCK, KEPT, OwnTail};
use crate::error::{Error, Result};

const MAGIC: &[u8; 4] = b"LHOT";
const VERSION: u16 = 2;
const DIGEST_BYTES: usize = 32;
/// More devices than any engine follows.
const MAX_DEVICES: u32 = 1_000_000;

/// The tails as bytes, of the scores that this forest gave.
#[allow(clippy::cast_possible_truncation)] // Names and devices are bounded by the engine.
pub fn to_bytes<'a>(
    forest: &[u8; DIGEST_BYTES],
    devices: impl Iterator<Item = (&'a str, &'a OwnTail)>,
) -> Vec<u8> {
    let mut out = Vec::from(*MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend(forest);
    let count_at = out.len();
    out.extend([0; 4]);
    let mut count = 0_u32;
    for (name, tail) in devices {
        out.extend((name.len() as u16).to_le_bytes());
        out.extend(name.as_bytes());
        out.extend(tail.last_ms.to_le_bytes());
        out.push(u8::from(tail.whole));
        out.extend([tail.start, tail.scale, tail.floor].iter().flat_map(|number| number.to_le_bytes()));
        out.push(tail.rows);
        out.extend(tail.highest.iter().flat_map(|score| score.to_le_bytes()));
        count += 1;
    }
    out[count_at..count_at + 4].copy_from_slice(&count.to_le_bytes());
    let digest = Sha256::digest(&out);
    out.extend(digest);
    out
}

/// Reads tails, their thresholds not set yet; anything damaged, cut, contradictory or of another forest is refused.
pub fn from_bytes(bytes: &[u8], forest: &[u8; DIGEST_BYTES]) -> Result<Vec<(String, OwnTail)>> {
    let Some((body, digest)) = bytes.split_last_chunk::<DIGEST_BYTES>() else {
        return Err(damaged("they are too short"));
    };
    if !body.starts_with(MAGIC) || Sha256::digest(body).as_slice() != digest {
        return Err(damaged("their checksum is wrong"));
    }
    let mut reader = Reader(&body[MAGIC.len()..]);
    if u16::from_le_bytes(reader.take()?) != VERSION {
        return Err(damaged("they are of another version"));
    }
    if reader.take()? != *forest {
        return Err(damaged("they are of another forest"));
    }
    let count = u32::from_le_bytes(reader.take()?);
    if count > MAX_DEVICES {
        return Err(damaged("they are of too many devices"));
    }
    let devices = (0..count).map(|_| Ok((reader.name()?, reader.tail()?))).collect::<Result<Vec<_>>>()?;
    if reader.0.is_empty() { Ok(devices) } else { Err(damaged("something follows their end")) }
}

fn damaged(why: &str) -> Error {
    Error::new(format!("these are no usable scores of devices: {why}"))
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| damaged("they end early"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn name(&mut self) -> Result<String> {
        let length = usize::from(u16::from_le_bytes(self.take()?));
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(|| damaged("they end early"))?;
        self.0 = rest;
        String::from_utf8(head.to_vec()).map_err(|_| damaged("a name is not UTF-8"))
    }

    fn tail(&mut self) -> Result<OwnTail> {
        let last_ms = u32::from_le_bytes(self.take()?);
        let [whole] = self.take()?;
        let mut number = || Ok(f32::from_le_bytes(self.take()?));
        let (start, scale, floor) = (number()?, number()?, number()?);
        let [rows] = self.take()?;
        let mut highest = [0; KEPT];
        for score in &mut highest {
            *score = u16::from_le_bytes(self.take()?);
        }
        let fits = whole <= 1
            && rows < BLOCK
            && [start, scale, floor].iter().all(|number| (0.0..2.0).contains(number));
        let descends = highest.is_sorted_by(|higher, lower| higher >= lower);
        if !fits || !descends || highest.iter().skip(usize::from(rows)).any(|score| *score > 0) {
            return Err(damaged("a device's are none"));
        }
        let threshold = f32::NAN;
        Ok(OwnTail {
            highest,
            start,
            scale,
            floor,
            threshold,
            last_ms,
            rows,
            begun: true,
            whole: whole == 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const FOREST: [u8; DIGEST_BYTES] = [7; DIGEST_BYTES];

    /// Of a device that has shown so many windows.
    fn tail_of(windows: u32) -> OwnTail {
        let mut random = Random::new(u64::from(windows));
        let mut tail = OwnTail { last_ms: 30_000 * windows, begun: true, ..OwnTail::EMPTY };
        (0..windows).for_each(|_| tail.add(0.4 + 0.2 * random.unit()));
        tail
    }

    fn bytes() -> Vec<u8> {
        let devices = [("modem-1", tail_of(12)), ("é", tail_of(0)), ("", tail_of(523))];
        to_bytes(&FOREST, devices.iter().map(|(name, tail)| (*name, tail)))
    }

    #[test]
    fn tails_come_back_with_all_that_they_know() {
        let read = from_bytes(&bytes(), &FOREST).unwrap();
        let names: Vec<&str> = read.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["modem-1", "é", ""]);
        for ((_, tail), windows) in read.iter().zip([12, 0, 523]) {
            assert_eq!(format!("{tail:?}"), format!("{:?}", tail_of(windows)));
        }
        assert_eq!(to_bytes(&FOREST, read.iter().map(|(name, tail)| (name.as_str(), tail))), bytes());
        assert!(from_bytes(&to_bytes(&FOREST, std::iter::empty()), &FOREST).unwrap().is_empty());
    }

    #[test]
    fn every_changed_bit_every_cut_and_another_forests_are_refused() {
        let bytes = bytes();
        for length in 0..bytes.len() {
            assert!(from_bytes(&bytes[..length], &FOREST).is_err());
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[length] ^= 1 << bit;
                assert!(from_bytes(&damaged, &FOREST).is_err());
            }
        }
        let error = from_bytes(&bytes, &[8; DIGEST_BYTES]).unwrap_err().to_string();
        assert!(error.contains("another forest"), "{error}");
    }

    #[test]
    fn what_no_device_can_have_is_refused_under_a_right_checksum() {
        let refused =
            |tail: OwnTail| from_bytes(&to_bytes(&FOREST, std::iter::once(("a", &tail))), &FOREST).is_err();
        assert!(!refused(tail_of(523)));
        assert!(refused(OwnTail { rows: BLOCK, ..tail_of(523) }));
        assert!(refused(OwnTail { start: f32::NAN, ..tail_of(523) }));
        assert!(refused(OwnTail { scale: -0.1, ..tail_of(523) }));
        assert!(refused(OwnTail { rows: 3, ..tail_of(12) }));
        let mut unsorted = tail_of(12);
        unsorted.highest.swap(0, 11);
        assert!(refused(unsorted));
    }
}
