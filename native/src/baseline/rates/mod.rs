//! How often events come, by kind and in time: what a record says of errors cannot show that forty came in the time of three.
//!
//! Each kind of event (error code, name of a shipped event) of a device has windows of four lengths. A window begins with
//! an event and ends after its length; it is known by how many more events came in it. Quiet time thus counts as what
//! lies between windows, events that come in groups count as groups, and nothing is done for a record without an event.
//! How many windows begin in a day and how many more events they hold is remembered for weeks; a predictive
//! distribution of the latter gives how often a day should bring a window that holds as many as the present one (see
//! [`scale`]). As −ln of that rate it stands beside the surprises of records: both are held against the alert budget.
//!
//! Time is the device's own: what passes between its records, by event time, a week at most for one pause. So a batch
//! of old lines is judged as it would have been. A storm holds for five of its mean gaps after its last event, so that
//! quiet records between do not end it; a rate that has held for a day is the usual one from then on.
//!
//! Bounds a device: 15 kinds and one for all others, about 250 bytes each; a kind that was not seen for weeks leaves.
mod class;
mod codec;
mod scale;
#[cfg(test)]
mod tests;

use class::Class;
pub use class::Rate;

/// Kinds of events of one device, that for all others among them.
pub const MAX_CLASSES: usize = 16;
/// What is older than this against the newest record is not late: the clock was set back.
const SET_BACK_MS: i64 = 60_000;
/// A pause counts for this at most.
const MAX_PAUSE_MS: i64 = 7 * 86_400_000;
/// What the kind for all others is called.
const OTHERS: &str = "other errors";

/// A kind of event that comes too often now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Storm {
    /// Its place, for [`Rates::rate`].
    pub place: usize,
    /// −ln of how many such windows a day usually brings, of all kinds and lengths together.
    pub nats: f64,
    /// It is over when so much time passes without one more, s.
    pub hold_s: f64,
}

/// The events of one device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rates {
    /// Time of the device, s, and the newest record's.
    clock_s: f64,
    last_ms: Option<i64>,
    /// No storm holds longer.
    hold_until_s: f64,
    classes: Vec<Class>,
    /// Kinds have left or were put together: a new one may have been there before.
    crowded: bool,
}

impl Rates {
    /// Takes note of a record and of its event if it tells one. True when a rate that has held for a day became the
    /// usual one.
    #[inline]
    pub fn see(&mut self, time_ms: i64, event: Option<&str>) -> bool {
        let passed_ms = time_ms.saturating_sub(self.last_ms.unwrap_or(time_ms));
        if !(-SET_BACK_MS..0).contains(&passed_ms) {
            self.last_ms = Some(time_ms);
        }
        #[allow(clippy::cast_precision_loss)] // A week of milliseconds.
        let passed_ms = passed_ms.clamp(0, MAX_PAUSE_MS) as f64;
        self.clock_s += passed_ms / 1000.0;
        event.is_some_and(|event| self.count(event))
    }

    /// The storms that go on, the strangest first.
    #[inline]
    pub fn storms(&self) -> Vec<Storm> {
        if self.clock_s > self.hold_until_s { Vec::new() } else { self.holding() }
    }

    /// What the window of a kind holds that is strangest.
    pub fn rate(&self, place: usize) -> Rate {
        self.classes[place].rate()
    }

    /// The place of an event of the newest record.
    pub fn place(&self, event: &str) -> Option<usize> {
        let place_of = |name: &str| self.classes.iter().position(|class| &*class.name == name);
        place_of(event).or_else(|| place_of(OTHERS))
    }

    /// With how many events in its window, of so many seconds, a storm would not have been stranger than `nats`.
    pub fn most_normal(&self, place: usize, nats: f64) -> (f64, f64) {
        self.classes[place].most_normal(nats + self.choice())
    }

    /// Goes on after a restart: the newest record was of then.
    pub fn resume(&mut self, last_ms: Option<i64>) {
        self.last_ms = last_ms;
    }

    /// As it is kept.
    #[cfg(test)]
    #[must_use]
    pub fn without_storms(mut self) -> Self {
        self.hold_until_s = 0.0;
        self.classes.iter_mut().for_each(Class::end_storm);
        self
    }

    fn holding(&self) -> Vec<Storm> {
        let choice = self.choice();
        let storms = self.classes.iter().enumerate().filter_map(|(place, class)| {
            let (nats, hold_s) = class.storm(self.clock_s)?;
            Some(Storm { place, nats: nats - choice, hold_s })
        });
        let mut storms: Vec<Storm> = storms.collect();
        storms.sort_by(|a, b| b.nats.total_cmp(&a.nats));
        storms
    }

    /// Any kind might have been the one.
    #[allow(clippy::cast_precision_loss)] // At most sixteen.
    fn choice(&self) -> f64 {
        super::tail::ln(self.classes.len().max(1) as f64)
    }

    fn count(&mut self, event: &str) -> bool {
        let place = self.place_for(event);
        let class = &mut self.classes[place];
        let settled = class.count(self.clock_s);
        self.hold_until_s = self.hold_until_s.max(class.hold_until_s());
        settled
    }

    fn place_for(&mut self, event: &str) -> usize {
        let known = self.classes.iter().position(|class| &*class.name == event);
        known.unwrap_or_else(|| self.place_for_new(event))
    }

    fn place_for_new(&mut self, event: &str) -> usize {
        let known_s = if self.crowded { 0.0 } else { self.clock_s };
        if self.classes.len() + 1 < MAX_CLASSES {
            return self.add(event, known_s);
        }
        let clock_s = self.clock_s;
        self.crowded = true;
        if let Some(place) = self.classes.iter().position(|class| class.is_forgotten(clock_s)) {
            self.classes[place] = Class::new(event, clock_s, 0.0);
            return place;
        }
        let others = self.classes.iter().position(|class| &*class.name == OTHERS);
        others.unwrap_or_else(|| self.add(OTHERS, known_s))
    }

    fn add(&mut self, name: &str, known_s: f64) -> usize {
        self.classes.reserve_exact(1);
        self.classes.push(Class::new(name, self.clock_s, known_s));
        self.classes.len() - 1
    }
}
