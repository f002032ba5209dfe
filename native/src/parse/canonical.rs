//! Canonical JSON lines: one object a line, fields in any order, unknown fields skipped.
//!
//! Plain lines are read in one pass without allocating ([`super::fast`]); what that leaves is read by
//! all the rules ([`super::general`]), at about ten times the cost.
use super::fast::FastParser;
use super::{Record, RecordView, Refusal, general};
use crate::channel::ChannelList;

/// Reads lines of one list of channels, one after another.
#[derive(Debug)]
pub struct LineReader {
    channels: ChannelList,
    fast: FastParser,
    values: Vec<f64>,
    /// The last line that was not plain.
    general: Option<Record>,
}

impl LineReader {
    /// A reader for these channels.
    pub fn new(channels: &ChannelList) -> Self {
        let fast = FastParser::new(channels);
        Self { channels: channels.clone(), fast, values: Vec::new(), general: None }
    }

    /// Reads one line without its line feed.
    pub fn read<'a>(&'a mut self, line: &'a [u8]) -> Result<RecordView<'a>, Refusal> {
        match self.fast.parse(line, &mut self.values) {
            Some(head) => Ok(RecordView { head, values: &self.values }),
            None => Ok(self.general.insert(general::parse(line, &self.channels)?).view()),
        }
    }
}

/// Reads a single line without its line feed.
pub fn parse(line: &[u8], channels: &ChannelList) -> Result<Record, Refusal> {
    LineReader::new(channels).read(line).map(|view| view.to_record())
}
