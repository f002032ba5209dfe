//! What the hours of the day have of their own in one channel, and whether that is worth anything.
//!
//! Beside the channel's own model stands a second one of the same kind, of values less their hour's offset. An hour's
//! offset is its mean against a middle that follows the line within a day or so (Holt 1957, Winters 1960: additive
//! seasons, in the channel's frame); from the second day on both models predict every record before they learn it.
//! The second one is used only while, over the last day or so, its mean absolute error is clearly smaller than the
//! own model's, and than it would be without the hours. The own model goes on learning as if the second were not
//! there, so that a channel whose hours say nothing keeps its scores to the bit. Hours are those of UTC: a change to
//! summer time moves them all by one, which the errors show and a few days mend.
use super::channel::{ChannelModel, FIRST_SAMPLE};
use super::frame::Frame;
use super::hours::{HOURS, Hours};
use super::level::Expected;
use super::memory::Memory;
use crate::math::exp;

/// Hours with records until each has its first offset, and until the errors are those of a day.
const KNOWN_HOURS: u16 = 24;
const JUDGED_HOURS: u16 = 48;
/// The second model begins to be used when its error is at most this share of its rivals', and ends above that.
const BEGIN: f64 = 0.8;
const END: f64 = 0.9;
/// Hours whose errors count, and after which the middle has followed, about.
const ERROR_HOURS: f64 = 24.0;
const MIDDLE_HOURS: f64 = 24.0;
/// Errors beyond so many deviations of the own model are cut to them: a fault is no model's merit.
const ERROR_CLIP: f64 = 5.0;
/// Values beyond so many from what was predicted are cut to them; fewer would hide what an hour really is.
const VALUE_CLIP: f64 = 20.0;
/// Events in an hour before the first one.
const PRIOR_EVENTS: f64 = 0.5;

/// Absolute errors: of the channel's own model, of the second one if it knew no hours, and as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Errors {
    own: f64,
    flat: f64,
    hourly: f64,
}

/// The hour that goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Hour {
    /// 0–23.
    at: usize,
    records: f64,
    weight: f64,
    sum: f64,
    errors: Errors,
}

/// One channel's hours. Memory: about 320 bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    frame: Frame,
    hours: Hours,
    /// Where the values lie over a day, in the frame; on the first one, where they lay when it began.
    middle: f64,
    /// Of values less their hour's offset; knows nothing until all hours are known.
    model: ChannelModel,
    /// Hours that were taken in.
    seen: u16,
    errors: Errors,
    used: bool,
    current: Option<Hour>,
}

/// All that is kept of a day but the second model; the hour that goes on is not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept {
    pub frame: u8,
    pub used: u8,
    pub seen: u16,
    pub known: [u8; HOURS],
    pub offsets: [f32; HOURS],
    pub middle: f64,
    pub errors: [f64; 3],
}

impl Day {
    /// One that has seen nothing of the channel; `None` for a channel whose hours are not followed.
    pub fn of(own: &ChannelModel) -> Option<Self> {
        let frame = Frame::of(own)?;
        let (middle, _) = frame.middle(own)?;
        let (hours, model, errors) = (Hours::default(), ChannelModel::default(), Errors::default());
        Some(Self { frame, hours, middle, model, seen: 0, errors, used: false, current: None })
    }

    /// How improbable `value` is at an hour of the day, 0 up to 24, in nats; `None` where the own model is to say.
    pub fn surprise(&self, value: f64, hour: f32) -> Option<f64> {
        let offset = self.offset(hour)?;
        self.frame.point(value)?;
        match &self.model {
            ChannelModel::Starting(_) => None,
            ChannelModel::Level(level) => Some(level.surprise(self.frame.without(value, offset))),
            ChannelModel::Events(events) => Some(events.surprise(value, exp(offset))),
        }
    }

    /// What is expected at an hour of the day, 0 up to 24; `None` where the own model is to say.
    pub fn expected(&self, hour: f32) -> Option<Expected> {
        let offset = self.offset(hour)?;
        match &self.model {
            ChannelModel::Starting(_) => None,
            ChannelModel::Level(level) => {
                let Expected { p5, median, p95 } = level.expected();
                let [p5, median, p95] = [p5, median, p95].map(|value| self.frame.with(value, offset));
                Some(Expected { p5, median, p95 })
            }
            ChannelModel::Events(events) => Some(events.scaled(exp(offset)).expected()),
        }
    }

    /// Takes a value of an hour of the day in, with a weight of 0–1, before the channel's `own` model does.
    pub fn learn(&mut self, value: f64, hour: f32, weight: f64, own: &ChannelModel, memory: Memory) {
        let (Some((own_middle, deviation)), Some(point)) = (self.frame.middle(own), self.frame.point(value))
        else {
            return;
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0–24.
        let at = (hour as usize).min(HOURS - 1);
        if self.current.is_none_or(|current| current.at != at) {
            self.end_hour();
            if self.seen >= KNOWN_HOURS && !self.predicts() {
                let above = self.frame.between(self.middle, own_middle, 0.0);
                let model = self.frame.model_without(own, above);
                // The day's swing is in its spread, which what comes now soon replaces.
                self.model = model.map(|model| model.known_by(FIRST_SAMPLE)).unwrap_or_default();
            }
            let errors = Errors::default();
            self.current = Some(Hour { at, records: 0.0, weight: 0.0, sum: 0.0, errors });
        }
        let offset = self.hours.offset(hour);
        let flat = self.frame.middle(&self.model).map(|(middle, _)| middle);
        let predicted = flat.map(|middle| self.frame.in_hour(middle, offset));
        let Some(current) = &mut self.current else { return };
        let (around, reach) = (predicted.unwrap_or(own_middle), VALUE_CLIP * deviation);
        current.records += 1.0;
        current.weight += weight;
        current.sum += weight * point.clamp(around - reach, around + reach);
        let (Some(flat), Some(predicted)) = (flat, predicted) else { return };
        let error = |predicted: f64| (point - predicted).abs().min(ERROR_CLIP * deviation);
        current.errors.own += error(own_middle);
        current.errors.flat += error(flat);
        current.errors.hourly += error(predicted);
        match &mut self.model {
            ChannelModel::Starting(_) => {}
            ChannelModel::Level(level) => level.learn(self.frame.without(value, offset), weight, memory),
            ChannelModel::Events(events) => events.learn(value, weight, exp(offset), memory),
        }
    }

    /// Goes on from `own`, which a shift has made the channel's model at this hour; whether it can. Hours that are not
    /// used need not: what shifts there may well be the hour.
    pub fn shift_to(&mut self, own: &ChannelModel, hour: f32) -> bool {
        let Some(offset) = self.offset(hour) else { return true };
        let Some(model) = self.frame.model_without(own, offset) else { return false };
        let middle_of = |model| self.frame.middle(model).map(|(middle, _)| middle);
        if let (Some(from), Some(to)) = (middle_of(&self.model), middle_of(&model)) {
            self.middle = self.frame.in_hour(self.middle, self.frame.between(from, to, 0.0));
        }
        self.model = model;
        // Of an hour with two levels in it nothing is learnt.
        self.current = None;
        true
    }

    /// The second model, to be kept.
    pub fn model(&self) -> &ChannelModel {
        &self.model
    }

    /// All else that is kept.
    pub fn kept(&self) -> Kept {
        let (offsets, known) = self.hours.numbers();
        let Errors { own, flat, hourly } = self.errors;
        Kept {
            frame: self.frame.number(),
            used: u8::from(self.used),
            seen: self.seen,
            known,
            offsets,
            middle: self.middle,
            errors: [own, flat, hourly],
        }
    }

    /// The same back; `None` when no day has such numbers or such a model.
    pub fn of_kept(kept: Kept, model: ChannelModel) -> Option<Self> {
        let frame = Frame::of_number(kept.frame)?;
        let most = frame.most_offset();
        let hours = Hours::of_numbers(kept.offsets, kept.known, most)?;
        let [own, flat, hourly] = kept.errors;
        let errors_fit = kept.errors.iter().all(|error| (0.0..=1e300).contains(error));
        let model_fits = match &model {
            ChannelModel::Starting(sample) => sample.is_empty() && kept.used == 0,
            ChannelModel::Level(_) => frame != Frame::Rate,
            ChannelModel::Events(_) => frame == Frame::Rate,
        };
        let fits = errors_fit && model_fits && kept.used <= 1 && kept.middle.is_finite();
        let (middle, errors) = (kept.middle, Errors { own, flat, hourly });
        let (seen, used) = (kept.seen, kept.used == 1);
        fits.then_some(Self { frame, hours, middle, model, seen, errors, used, current: None })
    }

    /// Whether the hours are used.
    #[cfg(test)]
    pub fn is_used(&self) -> bool {
        self.used
    }

    #[inline]
    fn offset(&self, hour: f32) -> Option<f64> {
        self.used.then(|| self.hours.offset(hour))
    }

    fn predicts(&self) -> bool {
        !matches!(self.model, ChannelModel::Starting(_))
    }

    fn end_hour(&mut self) {
        let Some(hour) = self.current.take().filter(|hour| hour.weight > 0.0) else { return };
        let most = self.frame.most_offset();
        let before = PRIOR_EVENTS / hour.records;
        let offset = self.frame.between(self.middle, hour.sum / hour.weight, before).clamp(-most, most);
        // What a day is worth is what its records were.
        let weight = hour.weight / hour.records;
        let innovation = if self.seen < KNOWN_HOURS { 0.0 } else { offset - self.hours.of(hour.at) };
        self.hours.learn(hour.at, offset, weight);
        self.seen = self.seen.saturating_add(1);
        if self.seen < KNOWN_HOURS {
            return;
        }
        let moved = weight * innovation / MIDDLE_HOURS + self.hours.center();
        self.middle = self.frame.in_hour(self.middle, moved);
        if self.predicts() {
            self.judge(&hour);
        }
    }

    fn judge(&mut self, hour: &Hour) {
        let step = 1.0 / f64::from(self.seen - KNOWN_HOURS).clamp(1.0, ERROR_HOURS);
        let follow = |error: &mut f64, sum: f64| *error += step * (sum / hour.records - *error);
        follow(&mut self.errors.own, hour.errors.own);
        follow(&mut self.errors.flat, hour.errors.flat);
        follow(&mut self.errors.hourly, hour.errors.hourly);
        let share = if self.used { END } else { BEGIN };
        let rival = self.errors.own.min(self.errors.flat);
        self.used = self.seen >= JUDGED_HOURS && self.errors.hourly < share * rival;
    }
}
