//! The hours of the day in all channels of one device, once it has been known for a day.
//!
//! Younger devices pay nothing but an empty place, and fast ones neither: where the memory of the channels' models is
//! shorter than an hour, their levels follow the day by themselves, and an hour's mean tells them nothing new.
use super::channel::ChannelModel;
use super::day::Day;
use super::level::Expected;
use super::memory::Memory;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Of each channel its hours, if they are followed.
pub type Channels = Box<[Option<Box<Day>>]>;

/// A device's hours.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Days {
    /// Time of the first record.
    pub(super) since_ms: Option<i64>,
    pub(super) channels: Option<Channels>,
    /// Hour of the day of the newest record, 0 up to 24.
    hour: f32,
}

impl Days {
    /// What was kept.
    pub fn restored(since_ms: Option<i64>, channels: Option<Channels>) -> Self {
        Self { since_ms, channels, hour: 0.0 }
    }

    /// Takes note of a record's time, and of how many milliseconds usually are between two.
    pub fn note(&mut self, time_ms: i64, interval_ms: f64, channels: usize, memory: Memory) {
        #[allow(clippy::cast_precision_loss)] // A day of milliseconds.
        let hour = time_ms.rem_euclid(DAY_MS) as f32 / HOUR_MS as f32;
        self.hour = hour;
        let since_ms = *self.since_ms.get_or_insert(time_ms);
        if self.channels.is_some() || time_ms.saturating_sub(since_ms) < DAY_MS {
            return;
        }
        #[allow(clippy::cast_precision_loss)] // An hour of milliseconds.
        if memory.records * interval_ms >= HOUR_MS as f64 {
            self.channels = Some((0..channels).map(|_| None).collect());
        }
    }

    /// Hour of the day of the newest record, 0 up to 24.
    pub fn hour(&self) -> f32 {
        self.hour
    }

    /// How improbable a value of the newest record's channel at `place` is, in nats.
    #[inline]
    pub fn surprise(&self, place: usize, value: f64, plain: &ChannelModel) -> Option<f64> {
        let by_hour = self.at(place).and_then(|day| day.surprise(value, self.hour));
        by_hour.or_else(|| plain.surprise(value))
    }

    /// What was to be expected of the newest record's channel at `place`.
    pub fn expected(&self, place: usize, plain: &ChannelModel) -> Option<Expected> {
        self.at(place).and_then(|day| day.expected(self.hour)).or_else(|| plain.expected())
    }

    /// Takes in a value of the channel at `place` from this hour, with a weight of 0–1, before `plain` does.
    #[inline]
    pub fn learn(
        &mut self,
        place: usize,
        (value, hour): (f32, f32),
        weight: f64,
        plain: &ChannelModel,
        memory: Memory,
    ) {
        let Some(slot) = self.channels.as_mut().and_then(|channels| channels.get_mut(place)) else { return };
        if slot.is_none() {
            *slot = Day::of(plain).map(Box::new);
        }
        if let Some(day) = slot {
            day.learn(f64::from(value), hour, weight, plain, memory);
        }
    }

    /// Goes on from the models that a shift has put in place.
    pub fn shift_to(&mut self, plain: &[ChannelModel]) {
        let hour = self.hour;
        for (slot, plain) in self.channels.iter_mut().flatten().zip(plain) {
            if slot.as_mut().is_some_and(|day| !day.shift_to(plain, hour)) {
                *slot = None;
            }
        }
    }

    #[inline]
    fn at(&self, place: usize) -> Option<&Day> {
        self.channels.as_ref()?.get(place)?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, Days, HOUR_MS};
    use crate::baseline::{DeviceBaseline, Memory, codec, threshold_nats};
    use crate::channel::ChannelKind::{self, Count, Gauge};
    use crate::math::exp;
    use crate::random::Random;

    const MINUTE_MS: i64 = 60_000;
    /// A midnight.
    const START_MS: i64 = 1_700_006_400_000;

    /// A line of one channel, heard by a device that knows the hours and by one that forgets them every time.
    struct Line {
        kind: ChannelKind,
        step_ms: i64,
        time_ms: i64,
        random: Random,
        with: DeviceBaseline,
        without: DeviceBaseline,
    }

    impl Line {
        fn new(kind: ChannelKind, step_ms: i64, seed: u64) -> Self {
            let (with, without) = (DeviceBaseline::default(), DeviceBaseline::default());
            Self { kind, step_ms, time_ms: START_MS, random: Random::new(seed), with, without }
        }

        /// Surprises of the next record, with the hours and without, in nats; 0 while none is known.
        #[allow(clippy::cast_possible_truncation)] // Made-up numbers of ordinary size.
        fn push(&mut self, value: f64) -> [f64; 2] {
            self.without.days = Days::default();
            let nats = [&mut self.with, &mut self.without].map(|device| {
                let row = [value as f32];
                device.push(self.time_ms, &row, &[self.kind], Memory::default(), &mut Vec::new())
            });
            self.time_ms += self.step_ms;
            nats.map(|score| score.map_or(0.0, |score| score.nats))
        }

        /// How many records of such a time alarm, with the hours and without; values by the hour of the day.
        #[allow(clippy::cast_precision_loss)] // A day of milliseconds.
        fn alarms(&mut self, time_ms: i64, value: impl Fn(f64, &mut Random) -> f64) -> [u32; 2] {
            let limit = threshold_nats(DAY_MS as f64 / self.step_ms as f64, 0.2);
            let mut alarms = [0; 2];
            for _ in 0..time_ms / self.step_ms {
                let hour = (self.time_ms - START_MS) as f64 / 3_600_000.0 % 24.0;
                let value = value(hour, &mut self.random);
                for (count, nats) in alarms.iter_mut().zip(self.push(value)) {
                    *count += u32::from(nats > limit);
                }
            }
            alarms
        }

        fn uses_hours(&self) -> bool {
            let channels = self.with.days.channels.as_ref();
            channels.is_some_and(|channels| channels.iter().flatten().any(|day| day.is_used()))
        }
    }

    /// What a line's values are, by the hour of the day.
    type Values = fn(f64, &mut Random) -> f64;

    /// 1 at 20 o'clock, −1 at 8, all day long.
    fn wave(hour: f64) -> f64 {
        ((hour - 20.0) / 24.0 * std::f64::consts::TAU).cos()
    }

    /// 1 at 20 o'clock, 0 from two hours before to two after.
    fn evening(hour: f64) -> f64 {
        exp(-((hour - 20.0) / 1.5).powi(2))
    }

    fn latency(hour: f64, random: &mut Random) -> f64 {
        20.0 * exp(0.15 * random.normal() + 1.5 * evening(hour))
    }

    fn signal(hour: f64, random: &mut Random) -> f64 {
        -60.0 + 2.0 * random.normal() - 12.0 * evening(hour)
    }

    fn retries(hour: f64, random: &mut Random) -> f64 {
        let (mut count, mut left) = (0.0, random.unit());
        let none = exp(-2.0 * exp(2.0 * evening(hour)));
        while left > none {
            (count, left) = (count + 1.0, left * random.unit());
        }
        count
    }

    #[test]
    fn from_the_fourth_day_on_an_evening_that_is_high_every_day_no_longer_alarms_and_from_the_sixth_for_counts()
     {
        let lines: [(&str, ChannelKind, Values); 3] =
            [("latency", Gauge, latency), ("signal", Gauge, signal), ("retries", Count, retries)];
        for (name, kind, value) in lines {
            for seconds in [10, 60, 300] {
                let mut line = Line::new(kind, seconds * 1000, 3);
                let first = line.alarms(3 * DAY_MS, value);
                assert_eq!(first[0], first[1], "{name} every {seconds} s");
                // A single count says little.
                line.alarms(2 * i64::from(kind == Count) * DAY_MS, value);
                let [with, without] = line.alarms(4 * DAY_MS, value);
                assert!(20 * with < without, "{name} every {seconds} s: {with} with, {without} without");
            }
        }
    }

    #[test]
    fn on_the_fourth_day_an_evening_value_at_four_in_the_morning_is_found_and_only_by_the_hours() {
        // A day's wave that the own model takes for the usual spread, since it remembers days.
        let latency: Values = |hour, random| 20.0 * exp(0.08 * random.normal() + 0.6 * wave(hour));
        let signal: Values = |hour, random| -60.0 + 1.5 * random.normal() - 8.0 * wave(hour);
        let lines: [(&str, Values); 2] = [("latency", latency), ("signal", signal)];
        for (name, value) in lines {
            let mut line = Line::new(Gauge, 5 * MINUTE_MS, 5);
            line.alarms(3 * DAY_MS, value);
            line.alarms(4 * HOUR_MS, value);
            let found = line.alarms(HOUR_MS / 2, |_, random| value(20.0, random));
            assert!(found[0] >= 3 && found[1] == 0, "{name}: {found:?}");
        }
    }

    #[test]
    fn a_line_without_hours_of_its_own_has_the_scores_to_the_bit_that_it_had_without_any() {
        for (kind, wanders) in [(Gauge, 0.0), (Gauge, 0.99), (Count, 0.0)] {
            for seed in 0..5 {
                let (mut line, mut state) = (Line::new(kind, MINUTE_MS, seed), 0.0);
                for _ in 0..7 * DAY_MS / MINUTE_MS {
                    state = wanders * state + line.random.normal();
                    let value = 50.0 + state;
                    let [with, without] = line.push(if kind == Count { state.abs().round() } else { value });
                    assert_eq!(with.to_bits(), without.to_bits());
                }
                assert!(line.with.days.channels.is_some() && !line.uses_hours());
            }
        }
    }

    #[test]
    fn hours_that_are_no_more_the_line_s_are_no_longer_used() {
        let mut line = Line::new(Gauge, MINUTE_MS, 2);
        line.alarms(5 * DAY_MS, latency);
        assert!(line.uses_hours());
        line.alarms(2 * DAY_MS, |_, random| latency(4.0, random));
        assert!(!line.uses_hours(), "holidays go on for two days");
        // And back again once the evenings are.
        line.alarms(3 * DAY_MS, latency);
        assert!(line.uses_hours());
    }

    #[test]
    fn what_is_expected_is_expected_of_the_hour() {
        let mut line = Line::new(Gauge, MINUTE_MS, 4);
        line.alarms(4 * DAY_MS, latency);
        let [night, evening] = [4, 16].map(|hours| {
            line.alarms(hours * HOUR_MS, latency);
            line.with.expected(0).unwrap()
        });
        assert!((night.median - 20.0).abs() < 2.0 && night.p95 < 35.0, "{night:?}");
        assert!((evening.median - 90.0).abs() < 10.0 && evening.p5 > 50.0, "{evening:?}");
    }

    #[test]
    fn hours_outlive_a_restart_and_give_the_same_scores_after_it() {
        let mut line = Line::new(Gauge, MINUTE_MS, 6);
        line.alarms(4 * DAY_MS, latency);
        let saved = codec::to_bytes("0123", 1, [("a", &line.with)].into_iter());
        let (_, mut restored) = codec::from_bytes(&saved, "0123", 1).unwrap().remove(0);
        assert_eq!(codec::to_bytes("0123", 1, [("a", &restored)].into_iter()), saved);
        std::mem::swap(&mut line.with, &mut restored);
        assert!(line.uses_hours());
        let [with, without] = line.alarms(2 * DAY_MS, latency);
        assert!(20 * with < without, "{with} with, {without} without");
    }

    #[test]
    fn young_and_fast_lines_follow_no_hours() {
        for (days, step_ms) in [(1, MINUTE_MS), (2, 2_000)] {
            let mut line = Line::new(Gauge, step_ms, 1);
            line.alarms(days * DAY_MS, latency);
            assert!(line.with.days.channels.is_none());
        }
    }
}
