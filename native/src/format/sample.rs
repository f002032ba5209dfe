//! A few refused lines a reason, cut short, for whoever asks why.
use crate::parse::Refusal;

/// Most lines a reason.
const MAX_LINES: usize = 3;
/// Most reasons; there are fewer.
const MAX_REASONS: usize = 64;
/// Longest piece of a line that is kept, bytes.
const MAX_BYTES: usize = 256;

/// A refused line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub reason: Refusal,
    /// Only a cell of it was; the rest counts.
    pub cell: bool,
    /// The format's number.
    pub format: u32,
    /// The line's front; what is no UTF-8 or a control character is replaced.
    pub line: String,
}

/// The lines since they were last taken.
#[derive(Debug, Default)]
pub struct Sample(Vec<Refused>);

impl Sample {
    /// Keeps a line if its reason has few; `cell`: it was refused for a cell only.
    pub fn add(&mut self, reason: Refusal, cell: bool, format: u32, line: &[u8]) {
        let same = self.0.iter().filter(|refused| refused.reason == reason && refused.cell == cell).count();
        if same >= MAX_LINES || self.0.len() >= MAX_LINES * MAX_REASONS {
            return;
        }
        let text = String::from_utf8_lossy(&line[..line.len().min(MAX_BYTES)]);
        let line = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        self.0.push(Refused { reason, cell, format, line });
    }

    /// All kept lines, which are forgotten.
    pub fn take(&mut self) -> Vec<Refused> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_lines_a_reason_are_kept_and_cut() {
        let mut sample = Sample::default();
        for _ in 0..100 {
            sample.add(Refusal::InvalidJson, false, 1, &[b'x'; 10_000]);
            sample.add(Refusal::Binary, true, 2, b"\0\xff\n");
        }
        let taken = sample.take();
        assert_eq!(taken.len(), 2 * MAX_LINES);
        assert_eq!(taken[0].line.len(), MAX_BYTES);
        assert_eq!(taken[1].line, "\u{fffd}\u{fffd}\u{fffd}");
        assert!(sample.take().is_empty());
    }
}
