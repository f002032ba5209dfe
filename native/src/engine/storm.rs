//! Events that come too often, beside the surprise of a record: their names, reasons and shares.
use std::fmt::Write as _;

use crate::baseline::rates::{Rate, Rates, Storm};
use crate::channel::RESETS;
use crate::forest::change::Change;
use crate::forest::explain::Reason;
use crate::parse::{ErrorCode, RecordView};

/// The event that a record tells, in memory that is used again.
#[derive(Debug, Default)]
pub struct EventName {
    name: String,
}

/// What happens without an error code.
const RESET: &str = "connection_resets";

impl EventName {
    /// Its error code; without one, that connections were reset.
    pub fn of<'a>(&'a mut self, record: &RecordView<'_>) -> Option<&'a str> {
        self.name.clear();
        match record.head.error_code {
            Some(ErrorCode::Text(text)) => self.name.push_str(text),
            Some(ErrorCode::Number(code)) => write!(self.name, "{code}").unwrap_or_default(),
            None if record.values.get(RESETS).is_some_and(|resets| *resets > 0.0) => {
                self.name.push_str(RESET);
            }
            None => {}
        }
        self.last()
    }

    /// The same once more.
    pub fn last(&self) -> Option<&str> {
        (!self.name.is_empty()).then_some(&*self.name)
    }
}

/// What makes a record suspect.
#[derive(Debug)]
pub struct Found {
    pub threshold: f64,
    /// ln of the records a day: what turns the rate of a storm into a surprise of a record.
    pub records_nats: f64,
    pub by_record: f64,
    /// Those over the threshold, the strangest first; none when the record tells of none of them.
    pub storms: Vec<Storm>,
}

impl Found {
    /// Whether the record is suspect without any event.
    pub fn is_strange_record(&self) -> bool {
        self.by_record > self.threshold
    }

    /// The record's part in what is suspect, 0–1.
    pub fn record_share(&self) -> f64 {
        self.by_record / self.sum()
    }

    fn sum(&self) -> f64 {
        let by_record = if self.is_strange_record() { self.by_record } else { 0.0 };
        by_record + self.storms.iter().map(|storm| storm.nats + self.records_nats).sum::<f64>()
    }

    /// One of each storm.
    pub fn event_reasons(&self, rates: &Rates) -> Vec<Reason> {
        let sum = self.sum();
        let reason =
            |storm: &Storm| event_reason(rates.rate(storm.place), (storm.nats + self.records_nats) / sum);
        self.storms.iter().map(reason).collect()
    }

    /// With how many events of a kind there would have been no storm.
    pub fn most_normal(&self, rates: &Rates, place: usize) -> Change {
        let (value, seconds) = rates.most_normal(place, self.threshold - self.records_nats);
        let feature = feature(&rates.rate(place).name);
        Change { feature, unit: String::new(), value, below: true, seconds: Some(seconds) }
    }
}

fn feature(event: &str) -> String {
    format!("events:{event}")
}

/// A reason that is said by the event's name.
pub fn event_reason(rate: Rate, share: f64) -> Reason {
    Reason {
        feature: feature(&rate.name),
        unit: String::new(),
        observed: rate.count,
        median: f64::NAN,
        p5: 0.0,
        p95: rate.expected,
        share,
        event: Some(Box::new(rate)),
    }
}
