//! One kind of event of one device: its windows of four lengths, and the storm that goes on.
use super::super::tail::ln;
use super::scale::Scale;
use crate::math::exp;

const DAY_S: f64 = 86_400.0;
/// A minute, ten minutes, an hour, a day.
const LENGTHS_S: [f64; 4] = [60.0, 600.0, 3600.0, DAY_S];
/// After so long an event weighs 1/e of a new one.
pub const MEMORY_S: f64 = 28.0 * DAY_S;
/// A device must have been known for so long before anything is said of how often events come, and for so many windows.
const WARM_UP_S: f64 = DAY_S / 4.0;
const WARM_UP_WINDOWS: f64 = 8.0;
/// Who has not seen all hours of a day may only say what is far out.
const FIRST_DAY_S: f64 = 0.98 * DAY_S;
const FIRST_DAY_NATS: f64 = 12.0;
/// Fewer in a window are no storm.
const MIN_EVENTS: u32 = 3;
/// A storm goes on while gaps are no longer than so many of its mean ones.
const GAPS: f64 = 5.0;
/// Part of the alert budget that events have beside the surprises of records, shared by the four lengths.
const BUDGET_SHARE: f64 = 0.25;
/// What comes more often than once in three days is no storm.
const MIN_STORM_NATS: f64 = 1.0;
/// So many times the rate before is another one.
const OTHER_RATE: f64 = 3.0;
/// A rate that has held for so long is the usual one.
const SETTLED_S: f64 = DAY_S;
/// Less than so much of one event is left: it was not seen for weeks.
const FORGOTTEN_EVENTS: f64 = 0.1;
/// Windows hold no more.
const MAX_COUNT: u32 = 1 << 24;

/// How often an event came, and how often before.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    pub name: String,
    pub count: f64,
    /// Time in which it was counted.
    pub seconds: f64,
    /// Before that; 0 when it was not seen in `known_seconds`.
    pub per_day: f64,
    pub known_seconds: f64,
    /// What a window of this length usually holds at most, beside the first event.
    pub expected: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Holding {
    began_s: f64,
    until_s: f64,
    /// Without one more event, by when it was strangest.
    hold_s: f64,
    events: f64,
    nats: f64,
    /// Time without an event before it, s; negative when there was none before.
    quiet_s: f32,
}

/// One kind of event.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    pub name: Box<str>,
    /// Of the device's time, that of the newest event; before the first one, when it was made.
    pub(super) last_s: f64,
    /// How long it has been known, events seen in it: older time and events weigh less.
    pub(super) known_s: f64,
    pub(super) events: f64,
    pub(super) scales: [Scale; 4],
    /// Place of the length whose window is strangest.
    told: usize,
    storm: Option<Holding>,
}

impl Class {
    /// One that has not been seen yet, in the `known_s` that the device has been known.
    pub fn new(name: &str, clock_s: f64, known_s: f64) -> Self {
        let known_s = MEMORY_S * (1.0 - exp(-known_s / MEMORY_S));
        Self::restored(name, [clock_s, known_s, 0.0], Default::default())
    }

    /// As it was kept.
    pub fn restored(name: &str, [last_s, known_s, events]: [f64; 3], scales: [Scale; 4]) -> Self {
        Self { name: name.into(), last_s, known_s, events, scales, told: 0, storm: None }
    }

    /// Takes an event in. True when its rate became the usual one.
    pub fn count(&mut self, clock_s: f64) -> bool {
        let passed_s = clock_s - self.last_s;
        let part = exp(-passed_s / MEMORY_S);
        self.known_s = self.known_s * part + MEMORY_S * (1.0 - part);
        #[allow(clippy::cast_possible_truncation)]
        let quiet_s = if self.events > 0.0 { passed_s as f32 } else { -1.0 };
        self.events = self.events * part + 1.0;
        for (scale, length_s) in self.scales.iter_mut().zip(LENGTHS_S) {
            scale.fade(part);
            scale.count(clock_s, length_s, quiet_s);
        }
        let gap_s = if quiet_s < 0.0 { 0.0 } else { passed_s };
        self.last_s = clock_s;
        self.judge(clock_s, gap_s)
    }

    /// Until when a storm of it holds, if it has one.
    pub fn hold_until_s(&self) -> f64 {
        self.storm.map_or(f64::NEG_INFINITY, |storm| storm.until_s)
    }

    /// Of a storm that goes on: see [`Scale::nats`], and how long it holds without one more event, s.
    pub fn storm(&self, clock_s: f64) -> Option<(f64, f64)> {
        let storm = self.storm.filter(|storm| clock_s <= storm.until_s)?;
        Some((storm.nats, storm.until_s - clock_s))
    }

    #[cfg(test)]
    pub fn end_storm(&mut self) {
        (self.storm, self.told) = (None, 0);
    }

    /// Whether it was not seen for weeks, so that another may have its place.
    pub fn is_forgotten(&self, clock_s: f64) -> bool {
        self.events * exp((self.last_s - clock_s) / MEMORY_S) < FORGOTTEN_EVENTS
    }

    /// What the storm holds, or else the newest minute, and how often events came before.
    pub fn rate(&self) -> Rate {
        let [minute, longer, ..] = &self.scales;
        let now =
            self.storm.map_or((minute.began_s, minute.count.into()), |storm| (storm.began_s, storm.events));
        // A minute may begin in the middle of what is going on.
        let (apart, quiet_s) =
            self.storm.map_or((longer.count.max(minute.count).into(), longer.quiet_s), |storm| {
                (storm.events, storm.quiet_s)
            });
        let before: f64 = (self.events - apart).max(0.0);
        let seen = before >= 0.5;
        Rate {
            name: self.name.to_string(),
            count: now.1,
            seconds: self.last_s - now.0,
            per_day: if seen { before * DAY_S / self.known_s } else { 0.0 },
            known_seconds: if seen || quiet_s < 0.0 { self.known_s } else { f64::from(quiet_s) },
            expected: self.scales[self.told].expected(),
        }
    }

    /// The most events in the strangest window that would have been no stranger than `nats`, and its length, s.
    pub fn most_normal(&self, nats: f64) -> (f64, f64) {
        let (mut normal, mut strange) = (MIN_EVENTS - 1, self.scales[self.told].count.min(MAX_COUNT));
        while normal + 1 < strange {
            let middle = normal.midpoint(strange);
            let is_strange = self.nats(self.told, middle).is_some_and(|found| found > nats);
            if is_strange { strange = middle } else { normal = middle }
        }
        (f64::from(normal), LENGTHS_S[self.told])
    }

    /// Judges the windows as they stand. True when a storm has lasted for so long that its rate is the usual one.
    fn judge(&mut self, clock_s: f64, gap_s: f64) -> bool {
        let before = self.storm.take().filter(|storm| clock_s <= storm.until_s);
        if let Some(storm) = before.filter(|storm| clock_s - storm.began_s >= SETTLED_S) {
            return self.settle(storm.events * DAY_S / (clock_s - storm.began_s), storm.events);
        }
        self.storm = before.map(|storm| Holding { events: storm.events + 1.0, ..storm });
        for (place, length_s) in LENGTHS_S.into_iter().enumerate() {
            let scale = &self.scales[place];
            let Some(nats) = self.nats(place, scale.count) else { continue };
            let mean_gap_s = (clock_s - scale.began_s) / f64::from(scale.count - 1);
            // What came before a long gap is over.
            if nats <= self.storm.map_or(MIN_STORM_NATS, |storm| storm.nats) || gap_s > GAPS * mean_gap_s {
                continue;
            }
            let hold_s = (GAPS * mean_gap_s).min(length_s / 2.0);
            let (began_s, quiet_s, events) = (scale.began_s, scale.quiet_s, f64::from(scale.count));
            let begun = Holding { began_s, until_s: clock_s, hold_s, events, nats, quiet_s };
            // Of several lengths the one that holds most began it.
            self.storm = Some(match self.storm {
                Some(storm) if storm.events >= events => Holding { hold_s, nats, ..storm },
                _ => begun,
            });
            self.told = place;
        }
        match &mut self.storm {
            Some(storm) => storm.until_s = clock_s + storm.hold_s,
            None => self.told = 0,
        }
        false
    }

    /// Ends a storm that has lasted. Where its rate is another one, what was before says nothing any more: it is learnt
    /// anew.
    fn settle(&mut self, per_day: f64, storm_events: f64) -> bool {
        let before = (self.events - storm_events).max(0.0) * DAY_S / self.known_s;
        if per_day < OTHER_RATE * before {
            return false;
        }
        self.scales = Default::default();
        (self.known_s, self.events) = (0.0, 0.0);
        true
    }

    /// −ln of how often a day brings a window with so many events, by all lengths together; `None` while too little is
    /// known or few have come.
    fn nats(&self, place: usize, count: u32) -> Option<f64> {
        let known = self.known_s >= WARM_UP_S.max(WARM_UP_WINDOWS * LENGTHS_S[place]);
        if !known || count < MIN_EVENTS {
            return None;
        }
        #[allow(clippy::cast_precision_loss)] // Four.
        let questions = LENGTHS_S.len() as f64 / BUDGET_SHARE;
        let young_nats = if self.known_s < FIRST_DAY_S { FIRST_DAY_NATS } else { 0.0 };
        Some(self.scales[place].nats(count, self.known_s / DAY_S) - ln(questions) - young_nats)
    }
}
