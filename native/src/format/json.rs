//! `json`: any JSON object a line, its parts named by paths such as `net.rtt` or `cells.0.rsrp`.
//!
//! A path also finds a key at the top that holds the dots itself. The text is read straight into the
//! record; no tree of values is built, and what no path leads to is skipped. Depth is at most 128.
//!
//! A line may hold an array of objects, and a document may go over several lines ([`super::document`]): then each
//! object of its array is a record. `records` is the path of that array where it is not the document itself.
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::document::{self, Assembler, Step};
use super::draft::{Draft, Raw, Stamp};
use super::fields::FieldMap;
use super::keys::Keys;
use super::time::Clock;
use super::{Context, Format, Found};
use crate::channel::ChannelList;
use crate::error::Result;
use crate::parse::Refusal;

/// A place in a line's object.
#[derive(Debug, Default)]
struct Node {
    /// Fields of the map that come from here.
    fields: Vec<usize>,
    below: Vec<(String, Node)>,
}

impl Node {
    fn child(&self, key: &str) -> Option<&Node> {
        self.below.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    fn child_or_new(&mut self, key: &str) -> &mut Node {
        let place = self.below.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
            self.below.push((key.to_owned(), Node::default()));
            self.below.len() - 1
        });
        &mut self.below[place].1
    }
}

/// The format.
#[derive(Debug)]
pub struct Json {
    root: Node,
    map: FieldMap,
    /// The line at hand as JSON, where it was none.
    plain: Vec<u8>,
    /// Where in a document the array of its records stands.
    records: Option<String>,
    is_message: bool,
    assembler: Assembler,
    document: Vec<u8>,
    /// What of the document is still to be read, the last first.
    elements: Vec<Range<usize>>,
    /// A line that another document begins with.
    anew: Option<Vec<u8>>,
}

/// From a definition.
pub fn make(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    let map = FieldMap::from_keys(keys, channels, clock)?;
    let mut root = Node::default();
    for (place, source) in map.sources().enumerate() {
        let node = source.split('.').fold(&mut root, |node, key| node.child_or_new(key));
        node.fields.push(place);
        if source.contains('.') {
            root.child_or_new(source).fields.push(place);
        }
    }
    let records = keys.text("records")?.map(str::to_owned);
    let (plain, document, elements) = (Vec::new(), Vec::new(), Vec::new());
    let assembler = Assembler::default();
    Ok(Box::new(Json {
        root,
        map,
        plain,
        records,
        is_message: false,
        assembler,
        document,
        elements,
        anew: None,
    }))
}

impl Format for Json {
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let begins = line.trim_ascii_start().first();
        if self.is_message {
            return self.read_record(line, context, draft);
        }
        let document = begins == Some(&b'[') || (self.records.is_some() && begins == Some(&b'{'));
        if document || self.assembler.is_busy() {
            return self.read_part(line, context, draft);
        }
        let read = self.read_record(line, context, draft);
        if read != Err(Refusal::InvalidJson) || begins != Some(&b'{') {
            return read;
        }
        // The first line of an object over several lines, or no JSON.
        if self.assembler.add(line) == Step::More {
            return Ok(Found::Nothing);
        }
        self.assembler = Assembler::default();
        read
    }

    fn more(
        &mut self,
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> Option<std::result::Result<Found, Refusal>> {
        if let Some(line) = self.anew.take() {
            return Some(self.read(&line, context, draft));
        }
        let element = self.elements.pop()?;
        let document = std::mem::take(&mut self.document);
        let read = self.read_record(&document[element], context, draft);
        self.document = if self.elements.is_empty() { Vec::new() } else { document };
        Some(read)
    }

    fn is_message(&mut self) {
        self.is_message = true;
    }

    fn reads_documents(&self) -> bool {
        true
    }

    fn finish(&mut self, draft: &mut Draft) -> std::result::Result<(), Refusal> {
        self.map.finish(draft)
    }
}

impl Json {
    /// Adds a line to the document at hand; of a whole one its first record is read.
    fn read_part(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        self.document = match self.assembler.add(line) {
            Step::More => match self.assembler.take_part() {
                Some(part) => part,
                None => return Ok(Found::Nothing),
            },
            Step::Broken => return Err(Refusal::InvalidJson),
            Step::TooLong => return Err(Refusal::DocumentTooLong),
            Step::Anew => {
                self.anew = Some(line.to_vec());
                return Err(Refusal::InvalidJson);
            }
            Step::Whole => self.assembler.take(),
        };
        let text = &self.document;
        let array = match &self.records {
            Some(path) if text[0] == b'{' => document::find(text, path),
            _ => Some(0),
        };
        let array = array.filter(|place| text[*place] == b'[');
        self.elements = match array {
            Some(place) => {
                let inside = document::elements(&text[place..]).into_iter();
                inside.map(|range| range.start + place..range.end + place).rev().collect()
            }
            // One record.
            None => std::iter::once(0..text.len()).collect(),
        };
        self.turn_round(context, draft);
        self.more(context, draft).unwrap_or(Ok(Found::Nothing))
    }

    /// Of an array whose first record is newer than its last one the last one comes first.
    fn turn_round(&mut self, context: &Context<'_>, draft: &Draft) {
        let [last, .., first] = &self.elements[..] else { return };
        let document = std::mem::take(&mut self.document);
        let stamps = [first.clone(), last.clone()].map(|element| {
            let mut probe = draft.clone();
            let _ = self.read_record(&document[element], context, &mut probe);
            self.map.forget_line();
            probe.stamp
        });
        self.document = document;
        if let [Stamp::At(first_ms), Stamp::At(last_ms)] = stamps
            && first_ms > last_ms
        {
            self.elements.reverse();
        }
    }

    /// Reads an object, also with what others write that is no JSON.
    fn read_record(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        match self.read_object(line, context, draft) {
            Err(Refusal::InvalidJson | Refusal::OutOfRange) if without_nan(line, &mut self.plain) => {
                let plain = std::mem::take(&mut self.plain);
                let read = self.read_object(&plain, context, draft);
                self.plain = plain;
                read
            }
            read => read,
        }
    }

    fn read_object(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let text = std::str::from_utf8(line).map_err(|_| Refusal::InvalidUtf8)?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let mut refusal = None;
        let arrival_ms = context.arrival_ms;
        let (map, refusal_of) = (&mut self.map, &mut refusal);
        let target = Target { map, draft, refusal: refusal_of, arrival_ms };
        let read = Seed { node: &self.root, target }.deserialize(&mut deserializer);
        let read = read.and_then(|()| deserializer.end());
        if let Some(refusal) = refusal {
            self.map.forget_line();
            return Err(refusal);
        }
        if let Err(error) = read {
            self.map.forget_line();
            return Err(crate::parse::general::reason(&error));
        }
        if !text.trim_start().starts_with('{') {
            return Err(Refusal::NotAnObject);
        }
        Ok(Found::Record)
    }
}

/// Puts the text into `plain` with `null` for what JSON does not know but Python and others write: `NaN`, `Infinity`,
/// and numbers beyond all bounds. False when there is nothing of the kind.
fn without_nan(text: &[u8], plain: &mut Vec<u8>) -> bool {
    plain.clear();
    let mut found = false;
    let mut rest = text;
    while let Some(first) = rest.first() {
        let length = match first {
            b'"' => document::string_length(rest).unwrap_or(rest.len()),
            byte if is_word(*byte) => rest.iter().take_while(|byte| is_word(**byte)).count(),
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        let number = || std::str::from_utf8(token).ok()?.parse::<f64>().ok();
        if is_word(*first) && number().is_some_and(|number| !number.is_finite()) {
            plain.extend_from_slice(b"null");
            found = true;
        } else {
            plain.extend_from_slice(token);
        }
        rest = after;
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// Where values go; the first refusal is kept and the rest of the line is read over.
struct Target<'a> {
    map: &'a mut FieldMap,
    draft: &'a mut Draft,
    refusal: &'a mut Option<Refusal>,
    arrival_ms: i64,
}

impl Target<'_> {
    fn again(&mut self) -> Target<'_> {
        let arrival_ms = self.arrival_ms;
        Target { map: self.map, draft: self.draft, refusal: self.refusal, arrival_ms }
    }

    fn set(&mut self, node: &Node, raw: Raw<'_>) {
        for place in &node.fields {
            if let Err(refusal) = self.map.set(*place, raw, self.arrival_ms, self.draft) {
                self.refusal.get_or_insert(refusal);
            }
        }
    }
}

/// Reads the value at a node.
struct Seed<'a> {
    node: &'a Node,
    target: Target<'a>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[allow(clippy::cast_precision_loss)] // Totals beyond 2⁵³ lose their last bits, and no more.
impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(mut self) -> std::result::Result<(), E> {
        self.target.set(self.node, Raw::Absent);
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> std::result::Result<(), E> {
        self.target.set(self.node, Raw::Flag(value));
        Ok(())
    }

    fn visit_i64<E>(mut self, value: i64) -> std::result::Result<(), E> {
        self.target.set(self.node, Raw::Number(value as f64));
        Ok(())
    }

    fn visit_u64<E>(mut self, value: u64) -> std::result::Result<(), E> {
        self.target.set(self.node, Raw::Number(value as f64));
        Ok(())
    }

    fn visit_f64<E>(mut self, value: f64) -> std::result::Result<(), E> {
        self.target.set(self.node, Raw::Number(value));
        Ok(())
    }

    fn visit_str<E>(mut self, value: &str) -> std::result::Result<(), E> {
        self.target.set(self.node, Raw::Text(value.as_bytes()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> std::result::Result<(), A::Error> {
        if self.node.fields.iter().any(|place| self.target.map.is_message(*place)) {
            let text = bytes_of(list)?;
            self.target.set(self.node, Raw::Text(&text));
            return Ok(());
        }
        self.target.set(self.node, Raw::Other);
        for index in 0_usize.. {
            let below = if self.node.below.is_empty() { None } else { self.node.child(&index.to_string()) };
            let more = match below {
                Some(node) => list.next_element_seed(Seed { node, target: self.target.again() })?.is_some(),
                None => list.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
        }
        Err(A::Error::custom("a list without end"))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> std::result::Result<(), A::Error> {
        self.target.set(self.node, Raw::Other);
        while let Some(below) = map.next_key_seed(Key(self.node))? {
            match below {
                Some(node) => map.next_value_seed(Seed { node, target: self.target.again() })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A message as journald writes one that is no UTF-8, a list of bytes; or the texts of a list.
fn bytes_of<'de, A: SeqAccess<'de>>(mut list: A) -> std::result::Result<Vec<u8>, A::Error> {
    let mut text = Vec::new();
    while let Some(value) = list.next_element::<serde_json::Value>()? {
        match value {
            serde_json::Value::Number(byte) => {
                text.extend(byte.as_u64().and_then(|byte| u8::try_from(byte).ok()));
            }
            serde_json::Value::String(line) => text.extend_from_slice(line.as_bytes()),
            _ => {}
        }
    }
    Ok(text)
}

/// Reads a key and finds the node below it.
struct Key<'a>(&'a Node);

impl<'de, 'a> DeserializeSeed<'de> for Key<'a> {
    type Value = Option<&'a Node>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Key<'a> {
    type Value = Option<&'a Node>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> std::result::Result<Self::Value, E> {
        Ok(self.0.child(key))
    }
}
