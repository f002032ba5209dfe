//! A survey of a stream before it is read: which way its times go, how many lines have one, in which order its dates
//! are. It has a reader of its own, so that nothing of it reaches the windows. Bounds: [`MAX_DEVICES`] devices are
//! looked at for the direction.
use std::collections::HashMap;

use super::Context;
use super::draft::Draft;
use super::registry::{Reader, Taken};
use super::time::order::DateOrder;
use crate::channel::ChannelList;
use crate::parse::Refusal;
use crate::parse::canonical::LineReader;

const MAX_DEVICES: usize = 4096;
/// A step back further than this is more than lines that changed places.
const JUMP_MS: i64 = 5_000;
/// A line that is a date alone speaks for so many lines behind it, and no more.
const DATE_SPEAKS_FOR: u64 = 60;
/// Of so many steps one goes far back in a stream that is in no order.
const STEPS_A_JUMP: u64 = 4;

/// Which way the times of a stream go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    /// The newest line comes first.
    Backward,
    /// To and fro.
    None,
}

impl Direction {
    /// The direction's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "newest_first",
            Self::None => "none",
        }
    }
}

/// What a line says of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineTime {
    /// No record, or one without a time.
    Nothing,
    At(i64),
    /// By a clock that was not set.
    Unset,
}

/// Counts of the lines so far.
#[derive(Debug)]
pub struct Survey {
    /// `None` for canonical lines.
    reader: Option<Reader>,
    canonical: LineReader,
    channels: ChannelList,
    draft: Draft,
    last_ms: HashMap<String, i64>,
    date_speaks_for: u64,
    /// A document went over several lines, or a line held several records.
    documents: bool,
    /// Records, and those whose line says when they happened.
    pub records: u64,
    pub timed: u64,
    /// Steps of a device's times; jumps are those far back.
    forward: u64,
    backward: u64,
    jumps: u64,
    pub first_ms: Option<i64>,
    pub newest_ms: Option<i64>,
}

impl Survey {
    /// Nothing is looked at yet.
    pub fn new(reader: Option<Reader>, channels: &ChannelList) -> Self {
        Self {
            reader,
            canonical: LineReader::new(channels),
            channels: channels.clone(),
            draft: Draft::default(),
            last_ms: HashMap::new(),
            date_speaks_for: 0,
            documents: false,
            records: 0,
            timed: 0,
            forward: 0,
            backward: 0,
            jumps: 0,
            first_ms: None,
            newest_ms: None,
        }
    }

    /// The order of the dates in numbers, where the stream shows it.
    pub fn date_order(&self) -> Option<DateOrder> {
        self.reader.as_ref().and_then(Reader::date_order)
    }

    /// Which way the times go.
    pub fn direction(&self) -> Direction {
        // The lines of a document have one order only.
        if self.documents {
            return Direction::Forward;
        }
        let steps = self.forward + self.backward;
        if self.backward > 2 * self.forward && self.jumps > 0 {
            Direction::Backward
        } else if self.jumps > 0 && self.jumps * STEPS_A_JUMP >= steps {
            Direction::None
        } else {
            Direction::Forward
        }
    }

    /// Looks at a line without its line feed. What is no record has no time either.
    pub fn add(&mut self, line: &[u8], context: &Context<'_>) -> LineTime {
        let read = self.read(line, context);
        let time = self.look(read);
        while let Some(reader) = &mut self.reader
            && let Some(next) = reader.more(context, &mut self.draft, &self.channels)
        {
            self.documents = true;
            let read = next.map(|taken| Self::time_of(&taken));
            self.look(read);
        }
        time
    }

    fn look(&mut self, read: Result<(u32, LineTime), Refusal>) -> LineTime {
        let Ok((records, time)) = read else { return LineTime::Nothing };
        if records > 0 {
            self.count(time, u64::from(records));
        }
        time
    }

    fn time_of(taken: &Taken) -> (u32, LineTime) {
        let time = match taken.last_ms {
            _ if taken.unsynchronised => LineTime::Unset,
            Some(time_ms) => LineTime::At(time_ms),
            None => LineTime::Nothing,
        };
        (taken.records, time)
    }

    fn read(&mut self, line: &[u8], context: &Context<'_>) -> Result<(u32, LineTime), Refusal> {
        let Some(reader) = &mut self.reader else {
            let record = self.canonical.read(line)?;
            self.draft.device.clear();
            self.draft.device.push_str(record.head.device);
            return Ok((1, record.head.timestamp_ms.map_or(LineTime::Nothing, LineTime::At)));
        };
        let taken = reader.take(line, context, &mut self.draft, &self.channels)?;
        if let Some(time_ms) = taken.date_ms {
            self.date_speaks_for = DATE_SPEAKS_FOR;
            self.note(time_ms);
            return Ok((0, LineTime::At(time_ms)));
        }
        self.documents |= taken.records == 0 && reader.reads_documents() && !line.trim_ascii().is_empty();
        Ok(Self::time_of(&taken))
    }

    fn count(&mut self, time: LineTime, records: u64) {
        self.records += records;
        if let LineTime::At(time_ms) = time {
            self.timed += records;
            self.note(time_ms);
            self.step(time_ms);
        } else {
            let spoken_for = records.min(self.date_speaks_for);
            self.timed += spoken_for;
            self.date_speaks_for -= spoken_for;
        }
    }

    fn note(&mut self, time_ms: i64) {
        self.first_ms.get_or_insert(time_ms);
        self.newest_ms = self.newest_ms.max(Some(time_ms));
    }

    fn step(&mut self, time_ms: i64) {
        let Some(last_ms) = self.last_ms.get_mut(&self.draft.device) else {
            if self.last_ms.len() < MAX_DEVICES {
                self.last_ms.insert(self.draft.device.clone(), time_ms);
            }
            return;
        };
        let step_ms = time_ms - std::mem::replace(last_ms, time_ms);
        self.forward += u64::from(step_ms > 0);
        self.backward += u64::from(step_ms < 0);
        self.jumps += u64::from(step_ms < -JUMP_MS);
    }
}
