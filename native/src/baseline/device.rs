//! One device's baseline: every record is scored by what its channels have lately been, then learnt a little
//! later.
//!
//! The surprises of the channels (−ln of a tail probability each) are pooled twice: of this record alone, and
//! of the last few by an exponential average, which finds what is mild and lasts. Both are taken as a sum over
//! all channels (Fisher 1925) and as the strangest channel alone (Bonferroni); the highest of the four speaks,
//! paying for having asked four times.
use super::channel::{ChannelModel, FIRST_SAMPLE};
use super::days::Days;
use super::level::Expected;
use super::memory::Memory;
use super::peaks::Peaks;
use super::rates::Rates;
use super::recent::Recent;
use super::score_tail::ScoreTail;
use super::shift::Shift;
use super::tail::{gamma_nats, ln};
use super::two_speed::{FIRST_VALUES, TwoSpeed};
use crate::channel::ChannelKind;

/// Share of the newest record in the average of the last few; an average of independent surprises is then a
/// gamma variable of shape (2 − λ) / λ.
pub(super) const AVERAGE_STEP: f32 = 0.25;
const AVERAGE_SHAPE: u32 = 7;
/// A record that is no stranger than this by itself is an ordinary one: what normal records come to on average, in nats.
const ORDINARY_NATS: f64 = 1.0;
/// The average before an ordinary record counts at most so much: enough to hold what only the average can see, and no
/// memory of a fault that is over.
const HELD_AVERAGE: f32 = 5.0;
/// One record counts at most so much in the average, and in the sum: one alone must not pass for several.
const AVERAGE_CAP: f64 = 14.0;
const SUM_CAP: f64 = 40.0;
/// Ways of pooling, all of which may speak.
const QUESTIONS: f64 = 4.0;
const DAY_MS: f64 = 86_400_000.0;
/// More time than this between two records says nothing of how often they come.
const MAX_INTERVAL_MS: f64 = DAY_MS;

/// What a record came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// −ln of the probability that a normal record is at least as strange, or begins what becomes so; 0 too while
    /// that is not known.
    pub nats: f64,
    /// How strange the last records are among the device's own, in nats: for ranking, and no alarm by itself.
    pub strangeness: f64,
    /// A level that has lasted became the normal one with this record.
    pub level_shift: bool,
}

/// The baseline of one device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeviceBaseline {
    pub(super) channels: Vec<ChannelModel>,
    /// Of the last few surprises, a channel each.
    pub(super) averages: Vec<f32>,
    pub(super) recent: Recent,
    pub(super) tail: ScoreTail,
    pub(super) records: u32,
    pub(super) last_ms: Option<i64>,
    pub(super) interval_ms: f64,
    pub(super) shift: Shift,
    pub(super) two_speed: TwoSpeed,
    pub(super) peaks: Peaks,
    pub(super) days: Days,
    /// How often events come.
    pub rates: Rates,
    /// How far over its threshold a record was when it was last asked what would have made it normal; 0 after a normal one.
    pub asked_ratio: f32,
    /// Newest time that was known before a restart: records up to it were learnt.
    pub(super) restored_until_ms: Option<i64>,
}

/// What a record's channels say together.
#[derive(Debug, Default)]
pub(super) struct Pool {
    known: u32,
    sum: f64,
    highest: f64,
    average_sum: f64,
    highest_average: f32,
}

impl Pool {
    /// A known channel's surprise, and its average of the last few with it.
    #[inline]
    pub(super) fn add(&mut self, surprise: f64, average: f32) {
        self.known += 1;
        self.sum += surprise.min(SUM_CAP);
        self.highest = self.highest.max(surprise);
        self.average_sum += f64::from(average);
        self.highest_average = self.highest_average.max(average);
    }

    /// The highest of the four answers, in nats, before the tail is fitted.
    #[inline]
    pub(super) fn nats(&self) -> f64 {
        let shape = f64::from(AVERAGE_SHAPE);
        let choice = ln(f64::from(self.known));
        let together = gamma_nats(self.known, self.sum);
        // Of a record that is ordinary as a whole, all averages together say only what was before it.
        let average_sum = if together > 0.0 { self.average_sum } else { 0.0 };
        let answers = [
            together,
            self.highest - choice,
            gamma_nats(AVERAGE_SHAPE * self.known, average_sum * shape),
            gamma_nats(AVERAGE_SHAPE, f64::from(self.highest_average) * shape) - choice,
        ];
        (answers.into_iter().fold(0.0, f64::max) - ln(QUESTIONS)).max(0.0)
    }
}

/// A surprise as it counts in the average.
#[inline]
#[allow(clippy::cast_possible_truncation)]
pub(super) fn capped(surprise: f64) -> f32 {
    surprise.min(AVERAGE_CAP) as f32
}

/// The average after one more surprise. By itself it would remember a strong fault for six records; a bound on what
/// was added up ends it with the fault, as in bounded CUSUM charts.
#[inline]
pub(super) fn averaged(before: f32, surprise: f64) -> f32 {
    let held = if surprise <= ORDINARY_NATS { before.min(HELD_AVERAGE) } else { before };
    held + AVERAGE_STEP * (capped(surprise) - held)
}

impl DeviceBaseline {
    /// Scores a record and takes it in. `values` are in the order of `kinds`, NaN is unknown; `surprises` is
    /// left with each channel's, in nats. `None` while too little is known; at first only a strangeness is.
    pub fn push(
        &mut self,
        time_ms: i64,
        values: &[f32],
        kinds: &[ChannelKind],
        memory: Memory,
        surprises: &mut Vec<f64>,
    ) -> Option<Score> {
        let nats = self.step(time_ms, values, kinds, memory, surprises);
        let strangeness = self.two_speed.push(values, nats);
        self.start_levels();
        let strangeness = strangeness.or(nats.and(Some(0.0)))?;
        let told = nats.map(|nats| self.peaks.push(nats, time_ms));
        let mut score = Score { nats: told.unwrap_or(0.0), strangeness, level_shift: false };
        if told.is_none() {
            return Some(score);
        }
        let hot = self.recent.hot_share() > 0.5;
        if let Some(settled) = self.shift.follow(hot, time_ms, values, kinds, memory) {
            // Levels of two speeds have followed by themselves, and the line's outbreaks and days are what they are.
            let (two_speed, peaks) = (std::mem::take(&mut self.two_speed), std::mem::take(&mut self.peaks));
            let (mut days, rates) = (std::mem::take(&mut self.days), std::mem::take(&mut self.rates));
            days.shift_to(&settled.channels);
            *self = Self { two_speed, peaks, days, rates, ..settled };
            score.level_shift = true;
        }
        Some(score)
    }

    /// Channels with enough first values get their levels.
    fn start_levels(&mut self) {
        let channels = self.channels.len();
        for (place, channel) in self.channels.iter().enumerate() {
            if let ChannelModel::Starting(sample) = channel
                && sample.len() >= FIRST_VALUES
                && self.two_speed.lacks(place)
            {
                self.two_speed.start(place, channels, sample);
            }
        }
    }

    /// The surprise by the models alone, without a strangeness and without following outbreaks or a shift.
    pub(super) fn step(
        &mut self,
        time_ms: i64,
        values: &[f32],
        kinds: &[ChannelKind],
        memory: Memory,
        surprises: &mut Vec<f64>,
    ) -> Option<f64> {
        self.channels.resize_with(values.len(), ChannelModel::default);
        self.averages.resize(values.len(), 1.0);
        self.note_time(time_ms);
        self.days.note(time_ms, self.interval_ms, values.len(), memory);
        let raw = self.pool(values, surprises);
        self.records = self.records.saturating_add(1);
        let Some(raw) = raw else {
            self.learn_at_once(values, kinds, memory);
            return None;
        };
        let nats = self.tail.fitted(raw);
        #[allow(clippy::cast_possible_truncation)]
        let due = self.recent.push(values, self.days.hour(), nats as f32, raw as f32);
        if let Some(due) = due {
            self.tail.learn(due.raw_nats, due.weight);
            let parts = self.channels.iter_mut().zip(due.values).zip(kinds).enumerate();
            for (place, ((channel, value), kind)) in parts {
                if !value.is_nan() {
                    self.days.learn(place, (*value, due.hour), due.weight, channel, memory);
                    channel.learn(*value, due.weight, *kind, memory);
                }
            }
        }
        Some(nats)
    }

    /// Records a day at the rate of late, to turn a budget into a threshold; 86,400 until a rate is known.
    pub fn records_per_day(&self) -> f64 {
        if self.interval_ms > 0.0 { DAY_MS / self.interval_ms } else { DAY_MS / 1000.0 }
    }

    /// Time of the newest record.
    pub fn last_ms(&self) -> Option<i64> {
        self.last_ms
    }

    /// What was to be expected of the newest record's channel at `place`; `None` while too little is known.
    pub fn expected(&self, place: usize) -> Option<Expected> {
        self.days.expected(place, self.channels.get(place)?)
    }

    /// How improbable a value of the newest record's channel at `place` is, in nats; `None` while too little is known.
    pub(super) fn surprise(&self, place: usize, value: f64) -> Option<f64> {
        self.days.surprise(place, value, self.channels.get(place)?)
    }

    /// Whether a record of this time was learnt before a restart.
    pub fn has_learnt(&self, time_ms: i64) -> bool {
        self.restored_until_ms.is_some_and(|until_ms| time_ms <= until_ms)
    }

    /// Each channel's part in the newest record's score, of `surprises` as [`DeviceBaseline::push`] left them:
    /// what is strange now, or has been for a few records. They add up to 1, or all are 0.
    pub fn shares(&self, surprises: &[f64]) -> Vec<f64> {
        let shape = f64::from(AVERAGE_SHAPE);
        let strangeness = |(surprise, average): (&f64, &f32)| {
            surprise.max(gamma_nats(AVERAGE_SHAPE, f64::from(*average) * shape)).max(0.0)
        };
        let parts: Vec<f64> = surprises.iter().zip(&self.averages).map(strangeness).collect();
        let sum: f64 = parts.iter().sum();
        parts.into_iter().map(|part| if sum > 0.0 { part / sum } else { 0.0 }).collect()
    }

    /// Pools the channels' surprises; `None` while no channel knows anything, or the first sample is not whole.
    fn pool(&mut self, values: &[f32], surprises: &mut Vec<f64>) -> Option<f64> {
        surprises.clear();
        let mut pool = Pool::default();
        let parts = self.channels.iter().zip(&mut self.averages).zip(values).enumerate();
        for (place, ((channel, average), value)) in parts {
            let value = f64::from(*value);
            let surprise = if value.is_nan() { None } else { self.days.surprise(place, value, channel) };
            surprises.push(surprise.unwrap_or(f64::NAN));
            let Some(surprise) = surprise else { continue };
            *average = averaged(*average, surprise);
            pool.add(surprise, *average);
        }
        if pool.known == 0 || (self.records as usize) < FIRST_SAMPLE {
            return None;
        }
        Some(pool.nats())
    }

    fn learn_at_once(&mut self, values: &[f32], kinds: &[ChannelKind], memory: Memory) {
        for ((channel, value), kind) in self.channels.iter_mut().zip(values).zip(kinds) {
            if !value.is_nan() {
                channel.learn(*value, 1.0, *kind, memory);
            }
        }
    }

    fn note_time(&mut self, time_ms: i64) {
        if let Some(last_ms) = self.last_ms {
            #[allow(clippy::cast_precision_loss)]
            let interval = (time_ms.saturating_sub(last_ms) as f64).clamp(1.0, MAX_INTERVAL_MS);
            let step = if self.interval_ms == 0.0 { 1.0 } else { 0.05 };
            self.interval_ms += step * (interval - self.interval_ms);
        }
        self.last_ms = Some(self.last_ms.map_or(time_ms, |last_ms| last_ms.max(time_ms)));
    }
}
