//! `logfmt`: pairs of key and value, `rtt=0.2 host="gw 1" up`; a key alone is true.
//!
//! Quoted values know the escapes \" \\ \n \t. A key given twice counts as its last value. Words that
//! are no pair are skipped, as in a message before the pairs; a line without any pair is refused.
use super::draft::{Draft, Raw};
use super::fields::FieldMap;
use super::keys::Keys;
use super::time::Clock;
use super::{Context, Format, Found};
use crate::channel::ChannelList;
use crate::error::Result;
use crate::parse::Refusal;

/// The format.
#[derive(Debug)]
pub struct Logfmt {
    map: FieldMap,
    sources: Vec<Vec<u8>>,
    unescaped: Vec<u8>,
}

/// From a definition.
pub fn make(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    let map = FieldMap::from_keys(keys, channels, clock)?;
    let sources = map.sources().map(|source| source.as_bytes().to_vec()).collect();
    Ok(Box::new(Logfmt { map, sources, unescaped: Vec::new() }))
}

impl Format for Logfmt {
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let read = self.pairs(line, context.arrival_ms, draft);
        if read.is_err() {
            self.map.forget_line();
        }
        read
    }

    fn finish(&mut self, draft: &mut Draft) -> std::result::Result<(), Refusal> {
        self.map.finish(draft)
    }
}

impl Logfmt {
    fn pairs(
        &mut self,
        line: &[u8],
        arrival_ms: i64,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let (mut rest, mut found) = (line.trim_ascii(), false);
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| matches!(byte, b'=' | b' ' | b'\t')).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            let Some(value) = after.strip_prefix(b"=") else {
                self.set(key, Raw::Flag(true), arrival_ms, draft)?;
                rest = after.trim_ascii_start();
                continue;
            };
            found |= !key.is_empty();
            if let Some(quoted) = value.strip_prefix(b"\"") {
                let (length, escaped) = closing_quote(quoted).ok_or(Refusal::BadQuotes)?;
                rest = quoted[length + 1..].trim_ascii_start();
                let mut text = std::mem::take(&mut self.unescaped);
                unescape(&quoted[..length], escaped, &mut text);
                let set = self.set(key, Raw::Text(&text), arrival_ms, draft);
                self.unescaped = text;
                set?;
            } else {
                let end = value.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(value.len());
                rest = value[end..].trim_ascii_start();
                self.set(key, Raw::Text(&value[..end]), arrival_ms, draft)?;
            }
        }
        if found { Ok(Found::Record) } else { Err(Refusal::NoPairs) }
    }

    fn set(
        &mut self,
        key: &[u8],
        raw: Raw<'_>,
        arrival_ms: i64,
        draft: &mut Draft,
    ) -> std::result::Result<(), Refusal> {
        for place in 0..self.sources.len() {
            if self.sources[place] == key {
                self.map.set(place, raw, arrival_ms, draft)?;
            }
        }
        Ok(())
    }
}

/// Where the quote closes, and whether anything before it is escaped.
fn closing_quote(text: &[u8]) -> Option<(usize, bool)> {
    let mut place = 0;
    let mut escaped = false;
    loop {
        place += memchr::memchr2(b'"', b'\\', &text[place..])?;
        if text[place] == b'"' {
            return Some((place, escaped));
        }
        escaped = true;
        place += 2;
        if place > text.len() {
            return None;
        }
    }
}

fn unescape(text: &[u8], escaped: bool, out: &mut Vec<u8>) {
    out.clear();
    if !escaped {
        return out.extend_from_slice(text);
    }
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(other) => *other,
                None => b'\\',
            },
            other => *other,
        });
    }
}
