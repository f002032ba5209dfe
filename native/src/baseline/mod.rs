//! `adaptive_baseline`: how improbable each record is by what its device did lately.
//!
//! The windows' models see a fault when the window has filled with it, and need training; this one scores every
//! record from the thirtieth on, by channel, and goes on learning: from the normal in full, hardly from what it
//! just called anomalous. What is improbable under such a model, and goes further than the line's outbreaks do,
//! alarms; how strange the device is among its own
//! past, by which records are ranked, takes levels of two speeds beside it. Memory per device: about 70 bytes a
//! channel and the last 21 records; once it has been known for a day and its hours are followed, 320 more a channel;
//! about 250 a kind of event (see [`rates`]).
mod change;
mod channel;
pub mod codec;
mod day;
mod days;
mod device;
mod events;
mod extremes;
mod frame;
mod hours;
mod level;
pub mod marginal;
mod memory;
mod own_tail;
mod peaks;
pub mod rates;
mod recent;
mod score_tail;
mod shift;
pub mod tail;
mod two_speed;

pub use channel::{ChannelModel, FIRST_SAMPLE};
pub use device::{DeviceBaseline, Score};
pub use level::Expected;
pub use memory::Memory;
pub use shift::SETTLED_MS;

/// The surprise, in nats, from which on a record alarms: so that of `records_per_day` normal records no more
/// than `budget` do in a day. Successive records are not independent, so episodes are fewer than that.
pub fn threshold_nats(records_per_day: f64, budget: f64) -> f64 {
    tail::ln((records_per_day / budget).max(1.0)).max(MIN_THRESHOLD_NATS)
}

/// No budget, however generous, makes one record in 100 an alarm.
const MIN_THRESHOLD_NATS: f64 = 4.6;
