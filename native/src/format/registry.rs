//! The formats in use, by number, and the steps that are the same for all of them.
//!
//! Number 0 is the engine's own reader of canonical lines; a canonical format added under another
//! number is read by the same reader and only keeps its own place in a line that is too long.
use super::draft::{Draft, Stamp};
use super::keys::Keys;
use super::time::Clock;
use super::time::sync::Placer;
use super::{CANONICAL, Context, Format, Found, make, parse_definition};
use crate::channel::ChannelList;
use crate::error::{Error, Result};
use crate::parse::lines::LineSplitter;
use crate::parse::{RecordView, Refusal, general};

/// Most formats at once.
pub const MAX_FORMATS: usize = 4096;
/// Most records of one line; an event counted more often is cut to so many.
pub const MAX_REPEAT: u32 = 1000;

/// One format in use.
#[derive(Debug, Default)]
struct Slot {
    used: bool,
    splitter: LineSplitter,
    /// `None` reads canonical lines.
    reader: Option<Reader>,
}

#[derive(Debug)]
struct Reader {
    format: Box<dyn Format>,
    device: Option<String>,
    placer: Placer,
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
}

impl Taken {
    const NOTHING: Self = Self {
        records: 0,
        first_ms: None,
        last_ms: None,
        unsynchronised: false,
        rebooted: false,
        refused_cell: None,
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
        let reader = self.reader(definition)?;
        let slot = Slot { used: true, splitter: LineSplitter::default(), reader };
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

    fn reader(&self, definition: &str) -> Result<Option<Reader>> {
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
        let clock = Clock::from_keys(&keys)?;
        let format = make(&keys, &self.channels, &clock)?;
        Ok(Some(Reader { format, device: device.map(str::to_owned), placer: Placer::default() }))
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
        let Some(reader) = &mut self.slots[number as usize].reader else { return Ok(Taken::NOTHING) };
        let line = clean(line)?;
        let draft = &mut self.draft;
        draft.clear(&self.channels);
        if line.trim_ascii().is_empty() || reader.format.read(line, context, draft)? == Found::Nothing {
            return Ok(Taken::NOTHING);
        }
        if draft.device.is_empty() {
            let device = reader.device.as_deref().or(context.device).ok_or(Refusal::MissingDevice)?;
            draft.set_device(device.as_bytes())?;
        }
        reader.format.finish(draft)?;
        let last_ms = reader.placer.place(&draft.device, draft.stamp, context.arrival_ms);
        let records = draft.repeat.clamp(1, MAX_REPEAT);
        let first_ms = draft.first_ms.filter(|first_ms| Some(*first_ms) <= last_ms);
        let unsynchronised = matches!(draft.stamp, Stamp::Unsynchronised(_));
        let (rebooted, refused_cell) = (draft.rebooted, draft.refused);
        Ok(Taken { records, first_ms, last_ms, unsynchronised, rebooted, refused_cell })
    }

    /// The record of the line that was last read, at a time.
    pub fn record(&self, timestamp_ms: Option<i64>) -> RecordView<'_> {
        self.draft.view(timestamp_ms)
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
