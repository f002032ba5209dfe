//! Cutting a chunk into lines, and skipping lines that are too long across chunk borders.
//!
//! An incomplete last line is left to the caller, who hands it in again with what follows. Only a line
//! that is already too long is swallowed at once, so that the caller's rest stays bounded.

/// Longest line of most formats, without its line feed; longer ones are counted and skipped.
pub const MAX_LINE_BYTES: usize = 65_536;

/// What is remembered between chunks: whether the rest of a line that is too long is still to come.
#[derive(Debug, Clone, Copy)]
pub struct LineSplitter {
    skipping: bool,
    limit: usize,
}

impl Default for LineSplitter {
    fn default() -> Self {
        Self::new(MAX_LINE_BYTES)
    }
}

/// One step through a chunk.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A complete line and the offset just after its line feed.
    Whole(&'a [u8], usize),
    /// A line was too long; it is reported once.
    TooLong,
}

impl LineSplitter {
    /// Lines of at most so many bytes.
    pub fn new(limit: usize) -> Self {
        Self { skipping: false, limit }
    }

    /// The next line at `*offset`, which is moved behind it; `None` when only an incomplete line is left.
    pub fn next<'a>(&mut self, chunk: &'a [u8], offset: &mut usize) -> Option<Line<'a>> {
        loop {
            let rest = &chunk[*offset..];
            let Some(length) = memchr::memchr(b'\n', rest) else {
                return self.take_incomplete(rest.len(), offset);
            };
            *offset += length + 1;
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            if length > self.limit {
                return Some(Line::TooLong);
            }
            return Some(Line::Whole(&rest[..length], *offset));
        }
    }

    fn take_incomplete(&mut self, length: usize, offset: &mut usize) -> Option<Line<'static>> {
        if self.skipping {
            *offset += length;
            return None;
        }
        if length > self.limit {
            self.skipping = true;
            *offset += length;
            return Some(Line::TooLong);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `bytes` in pieces as a caller does; returns whole lines, too-long count and the rest's length.
    fn split(bytes: &[u8], piece: usize) -> (Vec<Vec<u8>>, usize, usize) {
        let (mut splitter, mut rest, mut lines, mut too_long) = (LineSplitter::default(), vec![], vec![], 0);
        for part in bytes.chunks(piece) {
            rest.extend_from_slice(part);
            let mut offset = 0;
            while let Some(line) = splitter.next(&rest, &mut offset) {
                match line {
                    Line::Whole(line, end) => {
                        assert_eq!(end, offset);
                        lines.push(line.to_vec());
                    }
                    Line::TooLong => too_long += 1,
                }
            }
            rest.drain(..offset);
        }
        (lines, too_long, rest.len())
    }

    #[test]
    fn pieces_of_any_size_give_the_same_lines() {
        let text = b"one\n\ntwo\r\nthree";
        for piece in 1..=text.len() {
            let (lines, too_long, rest) = split(text, piece);
            assert_eq!(lines, [&b"one"[..], b"", b"two\r"]);
            assert_eq!((too_long, rest), (0, 5));
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_counted_once_and_skipped_across_chunk_borders() {
        let mut text = vec![b'x'; MAX_LINE_BYTES];
        text.extend_from_slice(b"\nafter\n");
        assert_eq!(split(&text, 1000).0.len(), 2);
        text.insert(0, b'x');
        text.extend_from_slice(&vec![b'y'; 3 * MAX_LINE_BYTES]);
        for piece in [7001, 65_536, 65_537, 65_538, text.len()] {
            let (lines, too_long, rest) = split(&text, piece);
            assert_eq!((lines.len(), too_long, rest), (1, 2, 0), "{piece}");
            assert_eq!(lines[0], b"after");
        }
    }
}
