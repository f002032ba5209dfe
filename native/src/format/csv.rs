//! `csv`: columns between delimiters, quoted where they hold one, one record a line (RFC 4180, but for
//! line feeds inside quotes: the lines are cut before).
//!
//! `columns` names the columns, or `header` says that a line in the stream does: the first line that
//! holds every column the map asks for, and any later one that is equal to it (a file begun anew).
//! Until then lines are refused: a reader that goes on in the middle of a file wants `columns`.
use super::draft::{Draft, Raw};
use super::fields::FieldMap;
use super::keys::Keys;
use super::time::Clock;
use super::{Context, Format, Found};
use crate::channel::ChannelList;
use crate::error::Result;
use crate::parse::Refusal;

/// Columns past so many are not looked at.
const MAX_COLUMNS: usize = 1024;

/// The format.
#[derive(Debug)]
pub struct Csv {
    map: FieldMap,
    sources: Vec<String>,
    delimiter: u8,
    quote: u8,
    header: bool,
    /// Column of each field of the map; empty until they are named.
    places: Vec<usize>,
    /// The header as its columns, to know it again.
    names: Vec<Vec<u8>>,
    columns: Vec<(usize, usize)>,
    text: Vec<u8>,
}

/// From a definition.
pub fn make(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    let map = FieldMap::from_keys(keys, channels, clock)?;
    let sources: Vec<String> = map.sources().map(str::to_owned).collect();
    let (columns, header) = (keys.texts("columns")?, keys.flag("header")?);
    if columns.is_some() == header {
        return Err(keys.error("columns", "give either columns or header: true"));
    }
    let (delimiter, quote) = (sign(keys, "delimiter", b',')?, sign(keys, "quote", b'"')?);
    if delimiter == quote {
        return Err(keys.error("quote", "must differ from the delimiter"));
    }
    let names: Vec<Vec<u8>> =
        columns.unwrap_or_default().iter().map(|name| name.as_bytes().to_vec()).collect();
    if names.len() > MAX_COLUMNS {
        return Err(keys.error("columns", format!("more than {MAX_COLUMNS}")));
    }
    let mut csv = Csv {
        map,
        sources,
        delimiter,
        quote,
        header,
        places: Vec::new(),
        names: Vec::new(),
        columns: Vec::new(),
        text: Vec::new(),
    };
    if !header && !csv.name_columns(&names) {
        let missing = csv.sources.iter().find(|source| !names.iter().any(|name| name == source.as_bytes()));
        return Err(
            keys.error("columns", format!("\"{}\" is not among them", missing.cloned().unwrap_or_default()))
        );
    }
    Ok(Box::new(csv))
}

fn sign(keys: &Keys<'_>, key: &'static str, default: u8) -> Result<u8> {
    match keys.text(key)? {
        None => Ok(default),
        Some("\\t" | "tab") => Ok(b'\t'),
        Some(text) if text.len() == 1 && !matches!(text.as_bytes()[0], b'\n' | b'\r' | 0) => {
            Ok(text.as_bytes()[0])
        }
        Some(text) => Err(keys.error(key, format!("\"{text}\" is not one ASCII sign"))),
    }
}

impl Format for Csv {
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        self.split(line)?;
        if self.is_header() {
            return Ok(Found::Nothing);
        }
        if self.places.is_empty() {
            return Err(Refusal::MissingHeader);
        }
        for field in 0..self.places.len() {
            let Some((from, to)) = self.columns.get(self.places[field]).copied() else {
                self.map.forget_line();
                return Err(Refusal::MissingColumns);
            };
            let raw = if from == to { Raw::Absent } else { Raw::Text(&self.text[from..to]) };
            if let Err(refusal) = self.map.set(field, raw, context.arrival_ms, draft) {
                self.map.forget_line();
                return Err(refusal);
            }
        }
        Ok(Found::Record)
    }

    fn finish(&mut self, draft: &mut Draft) -> std::result::Result<(), Refusal> {
        self.map.finish(draft)
    }
}

impl Csv {
    /// Cuts a line into columns, quotes taken off.
    fn split(&mut self, line: &[u8]) -> std::result::Result<(), Refusal> {
        self.columns.clear();
        self.text.clear();
        let mut rest = line;
        while self.columns.len() < MAX_COLUMNS {
            let from = self.text.len();
            if rest.first() == Some(&self.quote) {
                rest = self.quoted(&rest[1..])?;
            } else {
                let end = memchr::memchr(self.delimiter, rest).unwrap_or(rest.len());
                self.text.extend_from_slice(rest[..end].trim_ascii());
                rest = &rest[end..];
            }
            self.columns.push((from, self.text.len()));
            match rest.split_first() {
                None => break,
                Some((_, after)) => rest = after,
            }
        }
        Ok(())
    }

    /// Takes a quoted column's text; what follows its closing quote, a delimiter or nothing.
    fn quoted<'a>(&mut self, mut rest: &'a [u8]) -> std::result::Result<&'a [u8], Refusal> {
        loop {
            let end = memchr::memchr(self.quote, rest).ok_or(Refusal::BadQuotes)?;
            self.text.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.first() {
                Some(byte) if *byte == self.quote => {
                    self.text.push(self.quote);
                    rest = &rest[1..];
                }
                Some(byte) if *byte != self.delimiter => return Err(Refusal::BadQuotes),
                _ => return Ok(rest),
            }
        }
    }

    /// Whether the columns just cut are a header, which is then taken.
    fn is_header(&mut self) -> bool {
        let column = |place: &(usize, usize)| &self.text[place.0..place.1];
        if !self.names.is_empty() {
            let same = self.names.len() == self.columns.len();
            return same && self.names.iter().zip(&self.columns).all(|(name, place)| name == column(place));
        }
        let names: Vec<Vec<u8>> = self.columns.iter().map(|place| column(place).to_vec()).collect();
        self.header && self.name_columns(&names)
    }

    /// Finds every field's column; false when one is missing.
    fn name_columns(&mut self, names: &[Vec<u8>]) -> bool {
        let place = |source: &String| names.iter().position(|name| name == source.as_bytes());
        let places: Option<Vec<usize>> = self.sources.iter().map(place).collect();
        let found = places.is_some();
        if let Some(places) = places {
            (self.places, self.names) = (places, names.to_vec());
        }
        found
    }
}
