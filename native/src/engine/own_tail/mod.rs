//! What is rare for one device: the highest forest scores of its own windows, which set its threshold
//! beside the fleet's.
//!
//! The rule is `thresholdForDevice` of the `models` workspace, in 64 bytes a device and without an
//! allocation a line (`models/src/score-tail.ts` states it): an exponential tail above the 90th percentile of n scores needs the n − ⌊0.9 n⌋
//! highest alone, so that of 200 scores twenty are kept, sixteen bits each. Two hundred make a block;
//! the next one counts once it is whole. Windows count one in a window's length, and none that holds a
//! record which the baseline found strange. The forest's own suspicion keeps none out: else a device
//! that is noisier by nature would alarm for ever. Gone with the device or the forest; kept over a restart.
pub mod codec;

use crate::math::{SCORE_RESOLUTION, above};

const BLOCK: u8 = 200;
const KEPT: usize = 20;
/// A score lies in 0–1.
const STEPS: f64 = 65_535.0;

const TAIL_SHARE: f64 = 0.1;
/// Of two hundred scores, so many of the highest may be strangers.
const RARE_ROWS: usize = 3;
const CLIP_MEDIANS: f64 = 5.0;
/// An exponential tail cut at five medians has a mean of 1 − 1/32.
const CLIPPED_MEAN: f64 = 32.0 / 31.0;
/// Own windows at which the threshold is half the device's, half the fleet's.
const HALF_OWN: f64 = 60.0;
const MIN_EFFECTIVE_ROWS: f64 = 30.0;
/// Own windows that set a threshold alone, where the forest's training says nothing.
const MIN_ALONE_ROWS: f64 = 120.0;
/// One-sided 95 % of a normal distribution.
const WIDTH: f64 = 1.645;

/// An exponential tail of scores, and how much is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreTail {
    /// The 90th percentile.
    pub start: f64,
    /// Mean excess over it.
    pub scale: f64,
    /// The highest score that is no stranger's: no threshold lies below it.
    pub floor: f64,
    pub effective_rows: f64,
}

impl ScoreTail {
    /// The score that normal windows exceed `budget` times of so many a day; `None` when too few are known.
    pub fn threshold(&self, windows_per_day: f64, budget: f64) -> Option<f64> {
        if self.effective_rows < MIN_EFFECTIVE_ROWS {
            return None;
        }
        let widened = self.scale * (1.0 + WIDTH / (TAIL_SHARE * self.effective_rows).sqrt());
        let allowed = TAIL_SHARE.min(budget / windows_per_day);
        Some(above(self.floor.max(self.start + widened * (TAIL_SHARE / allowed).ln())))
    }
}

/// How devices' own thresholds are set: by the tail of the forest's training, and the alert budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FleetTail {
    pub tail: ScoreTail,
    pub windows_per_day: f64,
    /// False alert episodes a device and day.
    pub budget: f64,
}

impl FleetTail {
    /// A device's threshold by its own tail and the fleet's; `None` while nothing is known of its own.
    pub fn threshold(&self, own: &ScoreTail) -> Option<f64> {
        let of_own = own.threshold(self.windows_per_day, self.budget)?;
        let Some(of_fleet) = self.tail.threshold(self.windows_per_day, self.budget) else {
            return (own.effective_rows >= MIN_ALONE_ROWS).then_some(of_own);
        };
        let weight = own.effective_rows / (own.effective_rows + HALF_OWN);
        Some((weight * of_own + (1.0 - weight) * of_fleet).max(above(own.floor)))
    }
}

/// One device's own scores.
#[derive(Debug, Clone, Copy)]
pub struct OwnTail {
    /// Of the block that fills, the highest first.
    highest: [u16; KEPT],
    /// Of the last whole block.
    start: f32,
    scale: f32,
    floor: f32,
    /// NaN: the scope's threshold counts.
    threshold: f32,
    /// Event time of the last window that counted or was strange, the low bits of its milliseconds.
    last_ms: u32,
    /// In the block that fills.
    rows: u8,
    begun: bool,
    whole: bool,
}

impl OwnTail {
    const EMPTY: Self = Self {
        highest: [0; KEPT],
        start: 0.0,
        scale: 0.0,
        floor: 0.0,
        threshold: f32::NAN,
        last_ms: 0,
        rows: 0,
        begun: false,
        whole: false,
    };

    /// Whether a window that ends then shares no record with the last one that counted.
    #[allow(clippy::cast_possible_wrap)]
    fn is_apart(&self, end_ms: u32, window_ms: i64) -> bool {
        let apart = end_ms.wrapping_sub(self.last_ms) as i32;
        !self.begun || i64::from(apart.unsigned_abs()) >= window_ms
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Within 0–65,535.
    fn add(&mut self, score: f64) {
        let score = (score.clamp(0.0, 1.0) * STEPS).round() as u16;
        let place = self.highest.partition_point(|held| *held >= score);
        if place < KEPT {
            self.highest.copy_within(place..KEPT - 1, place + 1);
            self.highest[place] = score;
        }
        self.rows += 1;
        if self.rows == BLOCK {
            let tail = self.filling();
            (self.start, self.scale, self.floor) = (tail.start as f32, tail.scale as f32, tail.floor as f32);
            (self.highest, self.rows, self.whole) = ([0; KEPT], 0, true);
        }
    }

    /// The tail of the block that fills.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // At most 200.
    fn filling(&self) -> ScoreTail {
        let rows = f64::from(self.rows);
        let kept = rows - ((1.0 - TAIL_SHARE) * rows).floor().min(rows - 1.0);
        let tail = &self.highest[..kept as usize];
        let score = |held: u16| f64::from(held) / STEPS;
        let start = score(tail[tail.len() - 1]);
        let median = score(tail[tail.len() - 1 - tail.len() / 2]) - start;
        // Where half of the tail is one value, the rest are no strangers to it: they are how it varies.
        let limit = if median > SCORE_RESOLUTION * start { CLIP_MEDIANS * median } else { f64::INFINITY };
        let excess: f64 = tail.iter().rev().map(|held| (score(*held) - start).min(limit)).sum();
        let floor = start.max(score(self.highest[RARE_ROWS]));
        ScoreTail { start, scale: excess * CLIPPED_MEAN / kept, floor, effective_rows: rows }
    }

    fn set_threshold(&mut self, fleet: Option<&FleetTail>) {
        let own = if self.whole {
            ScoreTail {
                start: f64::from(self.start),
                scale: f64::from(self.scale),
                floor: f64::from(self.floor),
                effective_rows: f64::from(BLOCK),
            }
        } else if self.rows > 0 {
            self.filling()
        } else {
            return;
        };
        let threshold = fleet.and_then(|fleet| fleet.threshold(&own));
        #[allow(clippy::cast_possible_truncation)] // Seven digits are plenty.
        let threshold = threshold.map_or(f32::NAN, |threshold| threshold as f32);
        self.threshold = threshold;
    }
}

/// The own scores of all devices, by their slots.
#[derive(Debug, Default)]
pub struct OwnTails {
    tails: Vec<OwnTail>,
    fleet: Option<FleetTail>,
}

impl OwnTails {
    /// The threshold of the device in `slot`; `None` while the scope's counts.
    pub fn threshold(&self, slot: Option<u32>) -> Option<f64> {
        self.fleet?;
        let tail = self.tails.get(slot? as usize)?;
        Some(f64::from(tail.threshold)).filter(|threshold| !threshold.is_nan())
    }

    /// Takes in a window's score; `strange`: the baseline found its last record so.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The low bits are meant.
    pub fn learn(&mut self, slot: u32, (end_ms, window_ms): (i64, i64), score: f64, strange: bool) {
        let fleet = self.fleet;
        let tail = self.at(slot as usize);
        let counts = !strange && tail.is_apart(end_ms as u32, window_ms);
        if !counts && !strange {
            return;
        }
        (tail.last_ms, tail.begun) = (end_ms as u32, true);
        if counts {
            tail.add(score);
            tail.set_threshold(fleet.as_ref());
        }
    }

    /// Sets how thresholds follow from scores; `None`: the scope's threshold counts for all.
    pub fn set_fleet(&mut self, fleet: Option<FleetTail>) {
        self.fleet = fleet;
        for tail in &mut self.tails {
            tail.set_threshold(self.fleet.as_ref());
        }
    }

    /// Those of devices that have shown a window, with their names, which stand in the order of the slots.
    pub fn known<'a>(
        &'a self,
        names: impl Iterator<Item = &'a str>,
    ) -> impl Iterator<Item = (&'a str, &'a OwnTail)> {
        names.zip(&self.tails).filter(|(_, tail)| tail.begun)
    }

    /// Gives the device in the slot what it had before a restart.
    pub fn restore(&mut self, slot: usize, mut tail: OwnTail) {
        tail.set_threshold(self.fleet.as_ref());
        *self.at(slot) = tail;
    }

    fn at(&mut self, slot: usize) -> &mut OwnTail {
        if slot >= self.tails.len() {
            self.tails.resize(slot + 1, OwnTail::EMPTY);
        }
        &mut self.tails[slot]
    }

    /// Another device stands in the slot now.
    pub fn forget(&mut self, slot: usize) {
        if let Some(tail) = self.tails.get_mut(slot) {
            *tail = OwnTail::EMPTY;
        }
    }

    /// Another forest's scores say nothing of this one's.
    pub fn forget_all(&mut self) {
        self.tails.clear();
    }
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Small.
mod tests {
    use super::*;
    use crate::random::Random;

    const WINDOW_MS: i64 = 30_000;

    fn fleet(rows: f64) -> FleetTail {
        let tail = ScoreTail { start: 0.45, scale: 0.01, floor: 0.46, effective_rows: rows };
        FleetTail { tail, windows_per_day: 86_400.0, budget: 0.2 }
    }

    /// The same by the whole list of scores, as `scoreTail` has it.
    fn by_all(scores: &[f64]) -> ScoreTail {
        let mut sorted: Vec<f64> = scores.iter().map(|score| (score * STEPS).round() / STEPS).collect();
        sorted.sort_by(f64::total_cmp);
        let first = (sorted.len() - 1).min(((1.0 - TAIL_SHARE) * sorted.len() as f64).floor() as usize);
        let (start, tail) = (sorted[first], &sorted[first..]);
        let median = tail[tail.len() / 2] - start;
        let limit = if median > SCORE_RESOLUTION * start { CLIP_MEDIANS * median } else { f64::INFINITY };
        let excess: f64 = tail.iter().map(|score| (score - start).min(limit)).sum();
        let scale = excess * CLIPPED_MEAN / tail.len() as f64;
        let floor =
            if sorted.len() > RARE_ROWS { sorted[sorted.len() - 1 - RARE_ROWS].max(start) } else { start };
        ScoreTail { start, scale, floor, effective_rows: sorted.len() as f64 }
    }

    #[test]
    fn twenty_scores_of_a_block_say_as_much_as_all_of_them() {
        let (mut random, mut tail, mut scores) = (Random::new(5), OwnTail::EMPTY, Vec::new());
        for _ in 0..usize::from(BLOCK) - 1 {
            let score = 0.4 + 0.2 * random.unit() * random.unit();
            tail.add(score);
            scores.push(score);
            assert_eq!(tail.filling(), by_all(&scores), "{} scores", scores.len());
        }
    }

    #[test]
    fn a_device_costs_64_bytes() {
        assert_eq!(size_of::<OwnTail>(), 64);
    }

    #[test]
    fn few_windows_leave_the_fleets_threshold_and_many_weigh_against_it() {
        let mut tails = OwnTails::default();
        tails.set_fleet(Some(fleet(1000.0)));
        let learn = |tails: &mut OwnTails, window: i64| {
            tails.learn(3, (window * WINDOW_MS, WINDOW_MS), 0.6 + 0.001 * (window % 10) as f64, false);
        };
        (0..29).for_each(|window| learn(&mut tails, window));
        assert_eq!(tails.threshold(Some(3)), None);
        learn(&mut tails, 29);
        let early = tails.threshold(Some(3)).unwrap();
        (30..600).for_each(|window| learn(&mut tails, window));
        let late = tails.threshold(Some(3)).unwrap();
        let of_fleet = fleet(1000.0).tail.threshold(86_400.0, 0.2).unwrap();
        assert!(of_fleet < early && early <= late, "{of_fleet} {early} {late}");
        assert!(late > 0.6, "not alarmed on: {late}");
        assert_eq!([tails.threshold(Some(2)), tails.threshold(Some(9)), tails.threshold(None)], [None; 3]);
        tails.set_fleet(None);
        assert_eq!(tails.threshold(Some(3)), None, "the set threshold alone");
        tails.set_fleet(Some(fleet(1000.0)));
        assert_eq!(tails.threshold(Some(3)), Some(late));
        tails.forget(3);
        assert_eq!(tails.threshold(Some(3)), None);
    }

    #[test]
    fn a_fleet_that_knows_too_little_leaves_it_to_the_device() {
        let own = ScoreTail { start: 0.5, scale: 0.02, floor: 0.55, effective_rows: 120.0 };
        assert_eq!(fleet(10.0).threshold(&own), own.threshold(86_400.0, 0.2));
        assert_eq!(fleet(10.0).threshold(&ScoreTail { effective_rows: 119.0, ..own }), None);
        let few = ScoreTail { effective_rows: 29.0, ..own };
        assert_eq!(fleet(1000.0).threshold(&few), None);
    }

    #[test]
    fn a_score_that_a_device_shows_again_and_again_is_never_above_its_threshold() {
        // Two values, three, one in ten, one in twenty, and as good as one: never a hair too low.
        let kinds: [fn(i64) -> f64; 6] = [
            |window| if window % 2 == 0 { 0.622_16 } else { 0.45 },
            |window| [0.41, 0.5, 0.622_163_7][(window % 3) as usize],
            |window| if window % 10 == 0 { 0.71 } else { 0.44 },
            |window| if window % 20 == 0 { 0.71 } else { 0.44 + 0.0001 * (window % 7) as f64 },
            |window| 0.622_15 + 0.000_000_1 * (window % 5) as f64,
            |_| 0.375_000_1,
        ];
        for (kind, score) in kinds.iter().enumerate() {
            let mut tails = OwnTails::default();
            tails.set_fleet(Some(fleet(1000.0)));
            for window in 0..900 {
                tails.learn(0, (window * WINDOW_MS, WINDOW_MS), score(window), false);
                let threshold = tails.threshold(Some(0));
                if window < 100 {
                    continue;
                }
                assert!(
                    (0..100).all(|other| threshold.is_some_and(|limit| score(other) <= limit)),
                    "{kind}"
                );
            }
        }
    }

    #[test]
    fn windows_that_overlap_another_or_hold_a_strange_record_do_not_count() {
        let mut tails = OwnTails::default();
        let rows = |tails: &OwnTails| tails.tails[0].rows;
        tails.learn(0, (0, WINDOW_MS), 0.5, false);
        tails.learn(0, (29_999, WINDOW_MS), 0.5, false);
        assert_eq!(rows(&tails), 1);
        tails.learn(0, (30_000, WINDOW_MS), 0.5, false);
        tails.learn(0, (60_000, WINDOW_MS), 0.9, true);
        tails.learn(0, (89_999, WINDOW_MS), 0.9, false);
        assert_eq!(rows(&tails), 2);
        tails.learn(0, (90_000, WINDOW_MS), 0.5, false);
        assert_eq!(rows(&tails), 3);
        // The low bits of the time wrap in the forty-ninth day.
        let far = i64::from(u32::MAX) + 1 + 90_000;
        tails.learn(0, (far - 5_000, WINDOW_MS), 0.5, false);
        assert_eq!(rows(&tails), 3);
        tails.learn(0, (far + 30_000, WINDOW_MS), 0.5, false);
        assert_eq!(rows(&tails), 4);
    }
}
