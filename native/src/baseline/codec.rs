//! What many devices' baselines know, as bytes and back, so that a restart forgets nothing.
//!
//! Little endian: `LHAB`, version u16; fingerprint (u8 length, UTF-8); channel count u16; device count u32;
//! then of each device its name (u16 length, UTF-8), newest time i64, mean interval f64, records u32, the
//! tail's mean excess and count f64, its outbreaks' three numbers f32, and of each channel its average f32, a tag u8 and the model: 0 with a
//! sample (u8 length, f32 each), 1 with a level's ten numbers, 2 with a rate's three; then f32: thirteen of the
//! levels of two speeds, and six of each channel's. Then the time of the first record i64 and a tag u8, 1 when hours of
//! the day are followed: of each channel a tag u8 and, if it is 1, frame u8, used u8, hours seen u16, days known of each
//! hour u8, offset of each hour f32, middle and three errors f64, and the second model like a channel's. Then its events
//! (see [`super::rates`]). At the end stands SHA-256 of all before it. The last few records, the hour and a shift that are going on are not kept. Loading checks
//! the digest and then trusts no length all the same; what is not finite or out of range is refused.
use sha2::{Digest, Sha256};

use super::channel::{ChannelModel, FIRST_SAMPLE};
use super::day::{Day, Kept};
use super::days::Days;
use super::device::DeviceBaseline;
use super::events::Events;
use super::hours::HOURS;
use super::level::Level;
use super::peaks::Peaks;
use super::rates::Rates;
use super::score_tail::ScoreTail;
use super::two_speed::TwoSpeed;
use crate::error::{Error, Result};

const MAGIC: &[u8; 4] = b"LHAB";
const VERSION: u16 = 5;
const DIGEST_BYTES: usize = 32;
/// More devices than any engine follows.
const MAX_DEVICES: u32 = 1_000_000;

/// The baselines as bytes, made for features with this fingerprint.
#[allow(clippy::cast_possible_truncation)] // Channels and devices are bounded by the engine's options.
pub fn to_bytes<'a>(
    fingerprint: &str,
    channels: usize,
    devices: impl Iterator<Item = (&'a str, &'a DeviceBaseline)>,
) -> Vec<u8> {
    let mut out = Vec::from(*MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.push(fingerprint.len() as u8);
    out.extend_from_slice(fingerprint.as_bytes());
    out.extend_from_slice(&(channels as u16).to_le_bytes());
    let count_at = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut count = 0_u32;
    for (name, device) in devices.filter(|(_, device)| device.channels.len() == channels) {
        out.extend_from_slice(&(name.len() as u16).to_le_bytes());
        out.extend_from_slice(name.as_bytes());
        put_device(&mut out, device);
        count += 1;
    }
    out[count_at..count_at + 4].copy_from_slice(&count.to_le_bytes());
    let digest = Sha256::digest(&out);
    out.extend_from_slice(&digest);
    out
}

/// Reads baselines; anything damaged, cut, contradictory or made for other features is refused.
pub fn from_bytes(
    bytes: &[u8],
    fingerprint: &str,
    channels: usize,
) -> Result<Vec<(String, DeviceBaseline)>> {
    let Some((body, digest)) = bytes.split_last_chunk::<DIGEST_BYTES>() else {
        return Err(damaged("it is too short"));
    };
    if !body.starts_with(MAGIC) || Sha256::digest(body).as_slice() != digest {
        return Err(damaged("its checksum is wrong"));
    }
    let mut reader = Reader(&body[MAGIC.len()..]);
    if u16::from_le_bytes(reader.take()?) != VERSION {
        return Err(damaged("it is of another version"));
    }
    let [length] = reader.take()?;
    let made_for = reader.text(usize::from(length))?;
    if made_for != fingerprint || usize::from(u16::from_le_bytes(reader.take()?)) != channels {
        return Err(damaged("it was made from other channels"));
    }
    let count = u32::from_le_bytes(reader.take()?);
    if count > MAX_DEVICES {
        return Err(damaged("it has too many devices"));
    }
    let mut devices = Vec::new();
    for _ in 0..count {
        let length = u16::from_le_bytes(reader.take()?);
        let name = reader.text(usize::from(length))?;
        devices.push((name, reader.device(channels)?));
    }
    if reader.0.is_empty() { Ok(devices) } else { Err(damaged("something follows its end")) }
}

pub(super) fn damaged(why: &str) -> Error {
    Error::new(format!("these are no usable baselines: {why}"))
}

pub(super) fn put_numbers(out: &mut Vec<u8>, numbers: &[f64]) {
    out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put_device(out: &mut Vec<u8>, device: &DeviceBaseline) {
    out.extend_from_slice(&device.last_ms.unwrap_or(i64::MIN).to_le_bytes());
    put_numbers(out, &[device.interval_ms]);
    out.extend_from_slice(&device.records.to_le_bytes());
    put_numbers(out, &device.tail.numbers());
    out.extend(device.peaks.numbers().iter().flat_map(|number| number.to_le_bytes()));
    for (channel, average) in device.channels.iter().zip(&device.averages) {
        out.extend_from_slice(&average.to_le_bytes());
        put_channel(out, channel);
    }
    out.extend(device.two_speed.numbers(device.channels.len()).flat_map(f32::to_le_bytes));
    put_days(out, &device.days);
    device.rates.put(out);
}

fn put_days(out: &mut Vec<u8>, days: &Days) {
    out.extend_from_slice(&days.since_ms.unwrap_or(i64::MIN).to_le_bytes());
    out.push(u8::from(days.channels.is_some()));
    for day in days.channels.iter().flatten() {
        out.push(u8::from(day.is_some()));
        let Some(day) = day else { continue };
        let Kept { frame, used, seen, known, offsets, middle, errors } = day.kept();
        out.extend_from_slice(&[frame, used]);
        out.extend_from_slice(&seen.to_le_bytes());
        out.extend_from_slice(&known);
        out.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
        put_numbers(out, &[middle]);
        put_numbers(out, &errors);
        put_channel(out, day.model());
    }
}

#[allow(clippy::cast_possible_truncation)] // A first sample has at most thirty values.
fn put_channel(out: &mut Vec<u8>, channel: &ChannelModel) {
    match channel {
        ChannelModel::Starting(sample) => {
            out.extend_from_slice(&[0, sample.len() as u8]);
            out.extend(sample.iter().flat_map(|value| value.to_le_bytes()));
        }
        ChannelModel::Level(level) => {
            out.push(1);
            put_numbers(out, &level.numbers());
        }
        ChannelModel::Events(events) => {
            out.push(2);
            put_numbers(out, &events.numbers());
        }
    }
}

pub(super) struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn text(&mut self, length: usize) -> Result<String> {
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        String::from_utf8(head.to_vec()).map_err(|_| damaged("a text is not UTF-8"))
    }

    pub(super) fn numbers<const N: usize>(&mut self) -> Result<[f64; N]> {
        let mut numbers = [0.0; N];
        for number in &mut numbers {
            *number = f64::from_le_bytes(self.take()?);
        }
        Ok(numbers)
    }

    pub(super) fn floats<const N: usize>(&mut self) -> Result<[f32; N]> {
        let mut floats = [0.0; N];
        for float in &mut floats {
            *float = f32::from_le_bytes(self.take()?);
        }
        Ok(floats)
    }

    fn value(&mut self) -> Result<f32> {
        let value = f32::from_le_bytes(self.take()?);
        if value.is_finite() { Ok(value) } else { Err(damaged("a value is not finite")) }
    }

    fn device(&mut self, channels: usize) -> Result<DeviceBaseline> {
        let last_ms = i64::from_le_bytes(self.take()?);
        let [interval_ms] = self.numbers()?;
        let records = u32::from_le_bytes(self.take()?);
        let tail = ScoreTail::of_numbers(self.numbers()?).ok_or_else(|| damaged("its tail is none"))?;
        let peaks = Peaks::of_numbers(self.floats()?).ok_or_else(|| damaged("its outbreaks are none"))?;
        if !(0.0..=1e9).contains(&interval_ms) {
            return Err(damaged("its interval is out of range"));
        }
        let mut device = DeviceBaseline { tail, records, interval_ms, peaks, ..DeviceBaseline::default() };
        device.last_ms = (last_ms != i64::MIN).then_some(last_ms);
        device.restored_until_ms = device.last_ms;
        for _ in 0..channels {
            device.averages.push(self.value()?);
            device.channels.push(self.channel()?);
        }
        let own = self.floats()?;
        let levels = (0..channels).map(|_| self.floats()).collect::<Result<Vec<_>>>()?;
        device.two_speed =
            TwoSpeed::of_numbers(own, &levels).ok_or_else(|| damaged("its levels are none"))?;
        device.days = self.days(channels)?;
        device.rates = Rates::taken(self)?;
        device.rates.resume(device.last_ms);
        Ok(device)
    }

    fn days(&mut self, channels: usize) -> Result<Days> {
        let since_ms = i64::from_le_bytes(self.take()?);
        let followed = self.flag()?;
        let channels = followed.then(|| (0..channels).map(|_| self.day()).collect());
        Ok(Days::restored((since_ms != i64::MIN).then_some(since_ms), channels.transpose()?))
    }

    fn day(&mut self) -> Result<Option<Box<Day>>> {
        if !self.flag()? {
            return Ok(None);
        }
        let [frame, used] = self.take()?;
        let seen = u16::from_le_bytes(self.take()?);
        let (known, offsets) = (self.take::<HOURS>()?, self.floats::<HOURS>()?);
        let ([middle], errors) = (self.numbers()?, self.numbers()?);
        let kept = Kept { frame, used, seen, known, offsets, middle, errors };
        let day = Day::of_kept(kept, self.channel()?).ok_or_else(|| damaged("its hours are none"))?;
        Ok(Some(Box::new(day)))
    }

    pub(super) fn flag(&mut self) -> Result<bool> {
        match self.take()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(damaged("a flag is neither 0 nor 1")),
        }
    }

    fn channel(&mut self) -> Result<ChannelModel> {
        let none = || damaged("a channel's model is none");
        match self.take::<1>()? {
            [0] => {
                let [length] = self.take()?;
                if usize::from(length) >= FIRST_SAMPLE {
                    return Err(none());
                }
                let sample: Result<Vec<f32>> = (0..length).map(|_| self.value()).collect();
                Ok(ChannelModel::Starting(sample?))
            }
            [1] => Level::of_numbers(self.numbers()?).map(ChannelModel::Level).ok_or_else(none),
            [2] => Events::of_numbers(self.numbers()?).map(ChannelModel::Events).ok_or_else(none),
            _ => Err(none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Memory;
    use crate::channel::ChannelKind::{Count, Gauge};

    fn known() -> Vec<(String, DeviceBaseline)> {
        let mut random = crate::random::Random::new(2);
        let mut device = |records: usize, step_ms: i64| {
            let (mut device, mut surprises) = (DeviceBaseline::default(), Vec::new());
            for step in 0..records {
                #[allow(clippy::cast_possible_truncation)]
                let row = [20.0 + random.normal() as f32, 0.0, f32::from(u8::from(random.unit() < 0.1))];
                let time_ms = step_ms * i64::try_from(step).unwrap();
                device.rates.see(time_ms, (["T3-timeout", "503"]).get(step % 7).copied());
                device.push(time_ms, &row, &[Gauge, Gauge, Count], Memory::default(), &mut surprises);
            }
            device
        };
        // The last one has been known for days.
        let devices = [("a", device(500, 1000)), ("b", device(12, 1000)), ("c", device(4 * 24, 3_600_000))];
        devices.map(|(name, device)| (name.to_owned(), device)).into()
    }

    fn bytes() -> Vec<u8> {
        let known = known();
        to_bytes("0123", 3, known.iter().map(|(name, device)| (name.as_str(), device)))
    }

    #[test]
    fn baselines_come_back_with_all_that_they_know() {
        let read = from_bytes(&bytes(), "0123", 3).unwrap();
        for ((name, device), (expected_name, expected)) in read.iter().zip(&known()) {
            assert_eq!(name, expected_name);
            // A level without an atom holds a NaN, which equals nothing.
            assert_eq!(format!("{:?}", device.channels), format!("{:?}", expected.channels));
            assert_eq!((&device.averages, &device.tail), (&expected.averages, &expected.tail));
            assert_eq!(device.peaks.numbers(), expected.peaks.numbers());
            assert_eq!(device.rates, expected.rates.clone().without_storms());
            assert_eq!((device.records, device.interval_ms), (expected.records, expected.interval_ms));
            assert_eq!(format!("{:?}", device.two_speed), format!("{:?}", expected.two_speed));
            let hours = |device: &DeviceBaseline| {
                let days = device.days.channels.iter().flatten();
                days.map(|day| day.as_ref().map(|day| format!("{:?}", (day.kept(), day.model()))))
                    .collect::<Vec<_>>()
            };
            assert_eq!((hours(device), device.days.since_ms), (hours(expected), expected.days.since_ms));
            assert_eq!((device.last_ms, device.restored_until_ms), (expected.last_ms, expected.last_ms));
        }
        let days = read[2].1.days.channels.as_ref().unwrap();
        assert!([0, 2].iter().all(|place| days[*place].is_some()) && days[1].is_none());
        let again = to_bytes("0123", 3, read.iter().map(|(name, device)| (name.as_str(), device)));
        assert_eq!(again, bytes());
    }

    #[test]
    fn every_changed_bit_every_cut_and_other_channels_are_refused() {
        let bytes = bytes();
        for length in 0..bytes.len() {
            assert!(from_bytes(&bytes[..length], "0123", 3).is_err());
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[length] ^= 1 << bit;
                assert!(from_bytes(&damaged, "0123", 3).is_err());
            }
        }
        assert!(from_bytes(&bytes, "0124", 3).is_err());
        assert!(from_bytes(&bytes, "0123", 4).is_err());
    }
}
