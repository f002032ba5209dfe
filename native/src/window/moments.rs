//! Mean and variance of every channel, maintained.
//!
//! Sums are taken over x − k, k one of the values and at most one deviation from their mean. They are
//! taken anew from the records when they lose digits: after a removal that takes nearly all of the sum of
//! squares, when the mean has moved far from k, and after so many removals that rounding could add up. So
//! they stay within 1e-9 of a two-pass computation, whatever passes through. Each costs all records, but
//! comes only after as many removals, or when what left was ten times as far out as all that stays.
//!
//! Eight channels' sums of a kind stand side by side, so that [`super::moments_wide`] takes one instruction for
//! all of them; the plain steps here are the definition. Counts are f64 for the same reason.
#[cfg(target_arch = "x86_64")]
use super::moments_wide::Wide;
use super::ring::Ring;

/// Removals after which the sums are taken anew, for each record held.
const MAX_REMOVALS: usize = 32;
/// Sums of squares below this share of the largest since then have lost too many digits.
pub const MIN_SHARE: f64 = 0.01;
/// What [`Moments::write`] tells of each channel.
pub const TOLD: usize = 4;
/// Channels of a wide register.
pub const LANES: usize = 8;

/// Places of so many channels: whole registers.
pub fn stride(channels: usize) -> usize {
    channels.next_multiple_of(LANES)
}

/// Sums over the known values of one channel.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    shift: f64,
    sum: f64,
    squares: f64,
    /// Largest sum of squares since the sums were taken.
    peak: f64,
    known: f64,
    positive: f64,
}

/// The sums of eight channels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Block {
    pub shift: [f64; LANES],
    pub sum: [f64; LANES],
    pub squares: [f64; LANES],
    pub peak: [f64; LANES],
    pub known: [f64; LANES],
    pub positive: [f64; LANES],
}

/// Sums over the known values of all channels.
#[derive(Debug, Clone)]
pub struct Moments {
    blocks: Box<[Block]>,
    channels: usize,
    /// Since the sums were taken.
    removals: u32,
    /// Some sums have lost digits.
    worn: bool,
    #[cfg(target_arch = "x86_64")]
    wide: Option<Wide>,
}

impl Moments {
    /// Of so many channels and no records.
    pub fn new(channels: usize) -> Self {
        Self {
            blocks: vec![Block::default(); channels.div_ceil(LANES)].into(),
            channels,
            removals: 0,
            worn: false,
            #[cfg(target_arch = "x86_64")]
            wide: Wide::detect(),
        }
    }

    /// Takes away the ring's oldest `leaving` records, which are in it still, and adds a record's values.
    /// Then [`Self::settle`] is to be called, once the ring has changed too.
    pub fn step(&mut self, ring: &Ring, leaving: usize, coming: Option<&[f64]>) {
        self.removals += u32::try_from(leaving).unwrap_or(u32::MAX);
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = self.wide {
            self.worn |= wide.step(&mut self.blocks, ring, leaving, coming);
            return;
        }
        for channel in 0..self.channels {
            let mut sums = self.of(channel);
            for gone in 0..leaving {
                sums.remove(ring.value(gone, channel));
            }
            if let Some(values) = coming {
                sums.insert(values[channel]);
            }
            self.worn |= sums.is_worn();
            self.put(channel, sums);
        }
    }

    /// Takes sums anew that have lost digits.
    #[inline]
    pub fn settle(&mut self, ring: &Ring) {
        if self.worn || self.is_old(ring) {
            self.retake(ring);
        }
    }

    fn is_old(&self, ring: &Ring) -> bool {
        self.removals as usize > MAX_REMOVALS * ring.len() + 64
    }

    #[cold]
    fn retake(&mut self, ring: &Ring) {
        let old = self.is_old(ring);
        for channel in 0..self.channels {
            let mut sums = self.of(channel);
            if sums.known > 0.0 && (old || sums.is_worn()) {
                sums.retake(ring.channel(channel).filter(|value| !value.is_nan()));
                self.put(channel, sums);
            }
        }
        self.worn = false;
        if old {
            self.removals = 0;
        }
    }

    /// Writes what the channels' known values come to: every channel's mean (NaN of nothing), then their sample
    /// variances (n − 1; NaN for fewer than two values), sums (NaN of nothing) and shares above 0 (NaN of
    /// nothing), each in [`stride`] places of which those behind the last channel are of no meaning.
    pub fn write(&self, out: &mut [f64]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = self.wide {
            return wide.write(&self.blocks, out);
        }
        for channel in 0..self.channels {
            let Sums { shift, sum, squares, known, positive, .. } = self.of(channel);
            // Of nothing, 0 / 0 is NaN.
            let mean = sum / known;
            let spread = (squares - sum * mean).max(0.0);
            let variance = spread * if known < 2.0 { f64::NAN } else { 1.0 / (known - 1.0) };
            let total = if known > 0.0 { shift * known + sum } else { f64::NAN };
            let told: [f64; TOLD] = [shift + mean, variance, total, positive / known];
            for (kind, value) in told.into_iter().enumerate() {
                out[kind * stride(self.channels) + channel] = value;
            }
        }
    }

    fn of(&self, channel: usize) -> Sums {
        let (block, lane) = (&self.blocks[channel / LANES], channel % LANES);
        Sums {
            shift: block.shift[lane],
            sum: block.sum[lane],
            squares: block.squares[lane],
            peak: block.peak[lane],
            known: block.known[lane],
            positive: block.positive[lane],
        }
    }

    fn put(&mut self, channel: usize, sums: Sums) {
        let (block, lane) = (&mut self.blocks[channel / LANES], channel % LANES);
        block.shift[lane] = sums.shift;
        block.sum[lane] = sums.sum;
        block.squares[lane] = sums.squares;
        block.peak[lane] = sums.peak;
        block.known[lane] = sums.known;
        block.positive[lane] = sums.positive;
    }
}

impl Sums {
    fn insert(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        if self.known == 0.0 {
            *self = Self { shift: value, ..Self::default() };
        }
        self.known += 1.0;
        self.positive += f64::from(u8::from(value > 0.0));
        let distance = value - self.shift;
        self.sum += distance;
        self.squares += distance * distance;
        self.peak = self.peak.max(self.squares);
    }

    fn remove(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.known -= 1.0;
        self.positive -= f64::from(u8::from(value > 0.0));
        let distance = value - self.shift;
        self.sum -= distance;
        self.squares -= distance * distance;
    }

    /// Whether the sums have to be taken anew.
    fn is_worn(&self) -> bool {
        let cancelled = self.squares < self.peak * MIN_SHARE;
        let moved = self.sum * self.sum > (1.0 - MIN_SHARE) * self.squares * self.known;
        (cancelled || moved && self.squares > 0.0) && self.known > 0.0
    }

    /// Takes the sums anew from all known values.
    fn retake(&mut self, known: impl Iterator<Item = f64> + Clone) {
        let distances = known.clone().map(|value| value - self.shift);
        let mean = self.shift + distances.sum::<f64>() / self.known;
        let nearer = |best: f64, value: f64| {
            if (value - mean).abs() < (best - mean).abs() { value } else { best }
        };
        self.shift = known.clone().fold(f64::INFINITY, nearer);
        (self.sum, self.squares) = (0.0, 0.0);
        for value in known {
            let distance = value - self.shift;
            self.sum += distance;
            self.squares += distance * distance;
        }
        self.peak = self.squares;
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::window::Mark;

    #[test]
    fn eight_channels_at_once_give_the_bits_of_one_by_one() {
        let mut random = Random::new(12);
        for channels in [1, 5, 8, 11, 69] {
            let mut ring = Ring::new(channels, 1000, usize::MAX);
            let (mut wide, mut plain) = (Moments::new(channels), Moments::new(channels));
            plain.wide = None;
            for step in 0..2000 {
                let mut value = |channel: usize| match random.below(20) {
                    0 => f64::NAN,
                    1 if channel.is_multiple_of(3) => 1e6 * random.normal(),
                    _ => (random.normal() * 100.0).round() / if step > 1000 { 97.0 } else { 100.0 },
                };
                let values: Vec<f64> = (0..channels).map(&mut value).collect();
                let leaving = ring.len().saturating_sub(step % 40);
                for moments in [&mut wide, &mut plain] {
                    moments.step(&ring, leaving, Some(&values));
                }
                for _ in 0..leaving {
                    ring.drop_oldest();
                }
                let mark = Mark { time_ms: 0, device: 0, error: false, server_error: false };
                ring.insert(ring.len(), mark, &values);
                let told = [&mut wide, &mut plain].map(|moments| {
                    moments.settle(&ring);
                    let mut told = vec![0.0; TOLD * stride(channels)];
                    moments.write(&mut told);
                    let of = |kind: usize| told[kind * stride(channels)..][..channels].to_vec();
                    (0..TOLD).flat_map(of).map(f64::to_bits).collect::<Vec<_>>()
                });
                // NaN has one bit pattern here; 0 may have either sign.
                let same = |(a, b): (&u64, &u64)| {
                    a == b || f64::from_bits(*a) == f64::from_bits(*b) || {
                        f64::from_bits(*a).is_nan() && f64::from_bits(*b).is_nan()
                    }
                };
                assert!(told[0].iter().zip(&told[1]).all(same), "{channels} channels, step {step}");
            }
        }
    }
}
