//! The formats in use, by number, and the steps that are the same for all of them.
//!
//! Number 0 is the engine's own reader of canonical lines; a canonical format added under another
//! number is read by the same reader and only keeps its own place in a line that is too long.
use super::document::MAX_DOCUMENT_BYTES;
use super::draft::{Draft, Stamp};
use super::keys::Keys;
use super::latin;
use super::survey::Survey;
use super::time::civil::Scanner;
use super::time::order::DateOrder;
use super::time::sync::Placer;
use super::time::{Clock, date};
use super::{CANONICAL, Context, Format, Found, make, parse_definition};
use crate::channel::ChannelList;
use crate::error::{Error, Result};
use crate::format::time::heard::{Heard, SourceTime};
use crate::parse::lines::{LineSplitter, MAX_LINE_BYTES};
use crate::parse::{RecordView, Refusal, general};

/// Most formats at once.
pub const MAX_FORMATS: usize = 4096;
/// Most records of one line; an event counted more often is cut to so many.
pub const MAX_REPEAT: u32 = 1000;

/// How long a date alone is.
const DATE_LINE_BYTES: std::ops::RangeInclusive<usize> = 10..=64;

/// One format in use.
#[derive(Debug, Default)]
struct Slot {
    used: bool,
    splitter: LineSplitter,
    definition: String,
    /// `None` reads canonical lines.
    reader: Option<Reader>,
    /// What its lines last said of the time.
    time: SourceTime,
    survey: Option<Box<Survey>>,
}

/// A format and what is the same for all of them.
#[derive(Debug)]
pub struct Reader {
    format: Box<dyn Format>,
    device: Option<String>,
    placer: Placer,
    clock: Clock,
    /// The last line as UTF-8, where lines are in windows-1252.
    decoded: Option<Vec<u8>>,
}

impl Reader {
    /// Completes what was found, whatever the format.
    fn taken(
        &mut self,
        found: Found,
        context: &Context<'_>,
        channels: &ChannelList,
        draft: &mut Draft,
    ) -> std::result::Result<Taken, Refusal> {
        if found == Found::Nothing {
            return Ok(Taken::NOTHING);
        }
        if draft.device.is_empty() {
            let device = self.device.as_deref().or(context.device).ok_or(Refusal::MissingDevice)?;
            draft.set_device(device.as_bytes())?;
        }
        self.format.finish(draft)?;
        for (place, channel) in channels.as_slice().iter().enumerate() {
            let value = draft.values[place];
            if !value.is_nan()
                && let Err(refusal) = general::check_number(value, channel)
            {
                draft.refuse(refusal);
                draft.values[place] = f64::NAN;
            }
        }
        let last_ms = self.placer.place(&draft.device, draft.stamp, context.arrival_ms);
        let records = draft.repeat.clamp(1, MAX_REPEAT);
        let first_ms = draft.first_ms.filter(|first_ms| Some(*first_ms) <= last_ms);
        let unsynchronised = matches!(draft.stamp, Stamp::Unsynchronised(_));
        let (rebooted, refused_cell) = (draft.rebooted, draft.refused);
        Ok(Taken { records, first_ms, last_ms, unsynchronised, rebooted, refused_cell, date_ms: None })
    }
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// So many records, in even steps of time.
    pub records: u32,
    /// Epoch ms of the first and the last; `None` is arrival.
    pub first_ms: Option<i64>,
    pub last_ms: Option<i64>,
    /// The line's clock was not set.
    pub unsynchronised: bool,
    /// It tells that the device began anew.
    pub rebooted: bool,
    /// Why a cell of it was left out.
    pub refused_cell: Option<Refusal>,
    /// It is a date alone, for the lines behind it.
    pub date_ms: Option<i64>,
}

impl Taken {
    const NOTHING: Self = Self {
        records: 0,
        first_ms: None,
        last_ms: None,
        unsynchronised: false,
        rebooted: false,
        refused_cell: None,
        date_ms: None,
    };

    /// Time of the record at `place`.
    pub fn time_ms(&self, place: u32) -> Option<i64> {
        let (Some(first), Some(last)) = (self.first_ms, self.last_ms) else { return self.last_ms };
        let steps = i64::from(self.records.saturating_sub(1)).max(1);
        Some(if self.records < 2 { last } else { first + (last - first) * i64::from(place) / steps })
    }
}

/// All formats of an engine.
#[derive(Debug)]
pub struct Formats {
    channels: ChannelList,
    slots: Vec<Slot>,
    draft: Draft,
}

impl Formats {
    /// Canonical lines alone.
    pub fn new(channels: &ChannelList) -> Self {
        let canonical = Slot { used: true, ..Slot::default() };
        Self { channels: channels.clone(), slots: vec![canonical], draft: Draft::default() }
    }

    /// Adds a format by its definition; its number.
    pub fn add(&mut self, definition: &str) -> Result<u32> {
        let reader = make_reader(definition, &self.channels)?;
        let documents = reader.as_ref().is_some_and(|reader| reader.format.reads_documents());
        let limit = if documents { MAX_DOCUMENT_BYTES } else { MAX_LINE_BYTES };
        let splitter = LineSplitter::new(limit);
        let slot =
            Slot { used: true, splitter, definition: definition.to_owned(), reader, ..Slot::default() };
        let free = self.slots.iter().position(|slot| !slot.used);
        let place = free.unwrap_or(self.slots.len());
        if place >= MAX_FORMATS {
            return Err(Error::new(format!("format: more than {MAX_FORMATS} formats at once")));
        }
        if free.is_none() {
            self.slots.push(Slot::default());
        }
        self.slots[place] = slot;
        Ok(u32::try_from(place).expect("at most MAX_FORMATS"))
    }

    /// Forgets a format, so that its number may be given again.
    pub fn remove(&mut self, number: u32) -> Result<()> {
        self.check(number)?;
        if number == 0 {
            return Err(Error::new("format 0 is always there"));
        }
        self.slots[number as usize] = Slot::default();
        Ok(())
    }

    /// Refuses a number that stands for no format.
    pub fn check(&self, number: u32) -> Result<()> {
        let used = self.slots.get(number as usize).is_some_and(|slot| slot.used);
        used.then_some(()).ok_or_else(|| Error::new(format!("there is no format {number}: add it first")))
    }

    /// Whether a format's lines are canonical.
    pub fn is_canonical(&self, number: u32) -> bool {
        self.slots[number as usize].reader.is_none()
    }

    /// Where a format's stream stands in a line that is too long.
    pub fn splitter(&mut self, number: u32) -> &mut LineSplitter {
        &mut self.slots[number as usize].splitter
    }

    /// Reads a line of a format that is not canonical; its record is then in [`Formats::record`].
    pub fn read(
        &mut self,
        number: u32,
        line: &[u8],
        context: &Context<'_>,
    ) -> std::result::Result<Taken, Refusal> {
        let Slot { reader, time, .. } = &mut self.slots[number as usize];
        let Some(reader) = reader else { return Ok(Taken::NOTHING) };
        let taken = reader.take(line, context, &mut self.draft, &self.channels)?;
        if let Some(time_ms) = taken.date_ms {
            let heard = Heard { time_ms, arrival_ms: context.arrival_ms };
            *time = SourceTime { heard: Some(heard), is_date_line: true };
        }
        Ok(taken)
    }

    /// Reads the next record of the line that was read last, whatever became of the one before; `None` at its end.
    pub fn more(
        &mut self,
        number: u32,
        context: &Context<'_>,
    ) -> Option<std::result::Result<Taken, Refusal>> {
        let reader = self.slots[number as usize].reader.as_mut()?;
        reader.more(context, &mut self.draft, &self.channels)
    }

    /// What the lines of a format last said of the time.
    pub fn time(&self, number: u32) -> SourceTime {
        self.slots[number as usize].time
    }

    /// Notes the time that a record had.
    pub fn hear(&mut self, number: u32, heard: Heard) {
        self.slots[number as usize].time = SourceTime { heard: Some(heard), is_date_line: false };
    }

    /// Takes over what a survey of the stream found: the order of its dates, and the time of lines before the first
    /// one that has a time.
    pub fn expect(&mut self, number: u32, order: Option<DateOrder>, first: Option<Heard>) {
        let slot = &mut self.slots[number as usize];
        if let (Some(reader), Some(order)) = (&slot.reader, order) {
            reader.clock.orders().assume(order);
        }
        slot.time = SourceTime { heard: first, is_date_line: false };
    }

    /// The survey of a format's stream, a new one when asked for.
    pub fn survey(&mut self, number: u32, anew: bool) -> &mut Survey {
        let slot = &mut self.slots[number as usize];
        if anew {
            slot.survey = None;
        }
        let (definition, channels, reader) = (&slot.definition, &self.channels, &slot.reader);
        slot.survey.get_or_insert_with(|| {
            // The stream's own reader must not be moved: it remembers headers and totals.
            let own = reader.as_ref().map(|reader| {
                let fresh = make_reader(definition, channels).ok().flatten().expect("it was made before");
                if let Some(order) = reader.clock.orders().proven() {
                    fresh.clock.orders().assume(order);
                }
                fresh
            });
            Box::new(Survey::new(own, channels))
        })
    }

    /// The record of the line that was last read, at a time.
    pub fn record(&self, timestamp_ms: Option<i64>) -> RecordView<'_> {
        self.draft.view(timestamp_ms)
    }
}

/// The reader of a definition; `None` reads canonical lines.
fn make_reader(definition: &str, channels: &ChannelList) -> Result<Option<Reader>> {
    let value = parse_definition(definition)?;
    let keys = Keys::new("format", &value)?;
    if keys.text("type")? == Some(CANONICAL) {
        keys.finish()?;
        return Ok(None);
    }
    let device = keys.text("device_id")?;
    if let Some(device) = device.filter(|device| !general::is_device(device)) {
        let text = format!("\"{device}\" is no name of 1–128 printable characters without / + # *");
        return Err(keys.error("device_id", text));
    }
    let decoded = match keys.text("encoding")? {
        // Of UTF-16 the agent finds the line ends, and gives UTF-8.
        None | Some("auto" | "utf-8" | "utf-16le" | "utf-16be") => None,
        Some("windows-1252" | "latin1" | "iso-8859-1") => Some(Vec::new()),
        Some(other) => {
            let known = "auto, utf-8, utf-16le, utf-16be, windows-1252, latin1 or iso-8859-1";
            return Err(keys.error("encoding", format!("unknown encoding \"{other}\"; expected {known}")));
        }
    };
    let clock = Clock::from_keys(&keys)?;
    let format = make(&keys, channels, &clock)?;
    let device = device.map(str::to_owned);
    Ok(Some(Reader { format, device, placer: Placer::default(), clock, decoded }))
}

impl Reader {
    /// The order of the stream's dates in numbers, where it is known.
    pub fn date_order(&self) -> Option<DateOrder> {
        self.clock.orders().proven()
    }

    /// Whether a line may be a part of a document, or hold several records.
    pub fn reads_documents(&self) -> bool {
        self.format.reads_documents()
    }

    /// Reads a line into the draft.
    pub fn take(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
        channels: &ChannelList,
    ) -> std::result::Result<Taken, Refusal> {
        let line = clean(line)?;
        let line = match &mut self.decoded {
            Some(decoded) if !line.is_ascii() => {
                latin::to_utf8(line, decoded);
                &decoded[..]
            }
            _ => line,
        };
        draft.clear(channels);
        if line.trim_ascii().is_empty() {
            return Ok(Taken::NOTHING);
        }
        let read = self.format.read(line, context, draft);
        // What says nothing but that something was written may be the date above other lines.
        if !(read == Ok(Found::Record) && draft.says_something())
            && let Some(time_ms) = date_line(line, &mut self.clock, context.arrival_ms)
        {
            return Ok(Taken { date_ms: Some(time_ms), ..Taken::NOTHING });
        }
        let found = read?;
        self.taken(found, context, channels, draft)
    }

    /// Reads the next record of the line that was read last, whatever became of the one before; `None` at its end.
    pub fn more(
        &mut self,
        context: &Context<'_>,
        draft: &mut Draft,
        channels: &ChannelList,
    ) -> Option<std::result::Result<Taken, Refusal>> {
        draft.clear(channels);
        let found = self.format.more(context, draft)?;
        Some(found.and_then(|found| self.taken(found, context, channels, draft)))
    }
}

/// The time of a line that is nothing but a date, as the program `date` writes it, or epoch seconds.
fn date_line(line: &[u8], clock: &mut Clock, arrival_ms: i64) -> Option<i64> {
    let around = |byte: &u8| !matches!(byte, b'=' | b'#' | b'-' | b'*' | b'[' | b']' | b' ' | b'\t' | b':');
    let from = line.iter().position(around)?;
    let to = line.iter().rposition(around)? + 1;
    let text = &line[from..to];
    if !(DATE_LINE_BYTES).contains(&text.len()) {
        return None;
    }
    let stamp = if text.iter().all(u8::is_ascii_digit) {
        let number = Scanner::new(text).digits(10, 13)?;
        let time_ms = match text.len() {
            10 => number * 1000,
            13 => number,
            _ => return None,
        };
        clock.stamp_epoch(time_ms)
    } else {
        let mut scanner = Scanner::new(text);
        let civil = date::written(&mut scanner).filter(|_| scanner.rest.is_empty())?;
        clock.stamp(&civil, arrival_ms)
    };
    match stamp {
        Ok(Stamp::At(time_ms)) => Some(time_ms),
        _ => None,
    }
}

/// The line without what an interrupted write leaves before it and another system's line end after it.
fn clean(line: &[u8]) -> std::result::Result<&[u8], Refusal> {
    let start = line.iter().position(|byte| *byte != 0).unwrap_or(line.len());
    let line = &line[start..];
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if memchr::memchr(0, line).is_some() { Err(Refusal::Binary) } else { Ok(line) }
}
