//! JSON documents: over several lines, or with their records in an array.
//!
//! Lines are put together until brackets are closed; of an array its elements are given as they come. Bounds: bytes and
//! depth of what is put together. A line that cannot
//! belong to it, because another object begins at its front or a string is left open, ends it as broken: a torn
//! line of JSON lines costs no more than itself.
use std::ops::Range;

use super::draft::Draft;
use crate::parse::Refusal;

/// Longest document, and longest line of a format that reads documents, bytes.
pub const MAX_DOCUMENT_BYTES: usize = 4 << 20;
const MAX_DEPTH: usize = 128;

/// What a line made of the document at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is whole: [`Assembler::take`] gives it.
    Whole,
    More,
    /// It is none.
    Broken,
    TooLong,
    /// What came before it was none; this line may begin another.
    Anew,
}

/// Puts lines together.
#[derive(Debug, Default)]
pub struct Assembler {
    text: Vec<u8>,
    depth: usize,
}

impl Assembler {
    /// Whether a document has begun.
    pub fn is_busy(&self) -> bool {
        !self.text.is_empty()
    }

    /// Adds a line.
    pub fn add(&mut self, line: &[u8]) -> Step {
        let begins = matches!(line.first(), Some(b'{' | b'['));
        if self.is_busy() && begins && (self.text[0] == b'{' || line[0] == b'[') {
            self.clear();
            return Step::Anew;
        }
        let line = line.trim_ascii_start();
        if !self.is_busy() && !matches!(line.first(), Some(b'{' | b'[')) {
            return Step::Broken;
        }
        let Some((depth, end)) = self.depth_after(line) else {
            self.clear();
            return Step::Broken;
        };
        let behind = line[end..].trim_ascii();
        let too_long = self.text.len() + line.len() >= MAX_DOCUMENT_BYTES || depth > MAX_DEPTH;
        if too_long || !matches!(behind, b"" | b",") {
            self.clear();
            return if too_long { Step::TooLong } else { Step::Broken };
        }
        self.depth = depth;
        self.text.extend_from_slice(&line[..end]);
        self.text.push(b'\n');
        if depth == 0 { Step::Whole } else { Step::More }
    }

    /// Adds a line; the document once it is whole. Of a torn one that this line ends it is noted that it was left out.
    pub fn document(&mut self, line: &[u8], draft: &mut Draft) -> Result<Option<Vec<u8>>, Refusal> {
        let first = self.add(line);
        let step = if first == Step::Anew { self.add(line) } else { first };
        match step {
            Step::Whole if first == Step::Anew => {
                draft.refuse(Refusal::InvalidJson);
                Ok(Some(self.take()))
            }
            Step::Whole => Ok(Some(self.take())),
            Step::More if first == Step::More => Ok(None),
            Step::TooLong => Err(Refusal::DocumentTooLong),
            Step::More | Step::Broken | Step::Anew => Err(Refusal::InvalidJson),
        }
    }

    /// The whole document; another one may begin.
    pub fn take(&mut self) -> Vec<u8> {
        self.depth = 0;
        std::mem::take(&mut self.text)
    }

    /// What an array over several lines holds so far, if its last element is whole; it goes on.
    pub fn take_part(&mut self) -> Option<Vec<u8>> {
        let whole = self.depth == 1 && self.text.len() > 2 && self.text[0] == b'[';
        whole.then(|| std::mem::replace(&mut self.text, b"[".to_vec()))
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    /// Depth behind a line, and where the document ends in it; `None` when no document goes on like that.
    fn depth_after(&self, line: &[u8]) -> Option<(usize, usize)> {
        let (mut depth, mut place) = (self.depth, 0);
        while let Some(byte) = line.get(place) {
            match byte {
                b'"' => {
                    let length = string_length(&line[place..])?;
                    place += length;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1)?,
                _ => {}
            }
            place += 1;
            if depth == 0 {
                return Some((0, place));
            }
            if depth > MAX_DEPTH {
                return Some((depth, line.len()));
            }
        }
        Some((depth, place))
    }
}

/// Bytes of the string at the front, its quotes included; `None` when it is not closed.
pub fn string_length(text: &[u8]) -> Option<usize> {
    let mut place = 1;
    loop {
        place += memchr::memchr2(b'"', b'\\', text.get(place..)?)?;
        if text[place] == b'"' {
            return Some(place + 1);
        }
        place += 2;
    }
}

/// Where the elements of the array at the front stand.
pub fn elements(text: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut place) = (Vec::new(), 1);
    while let Some(start) = skip_blanks(text, place).filter(|start| text[*start] != b']') {
        let Some(end) = value_end(text, start) else { break };
        found.push(start..end);
        place = end;
    }
    found
}

/// Where the value stands that a path of keys leads to.
pub fn find(text: &[u8], path: &str) -> Option<usize> {
    path.split('.').try_fold(skip_blanks(text, 0)?, |object, wanted| {
        (text[object] == b'{').then_some(())?;
        let mut place = object + 1;
        loop {
            let key = skip_blanks(text, place).filter(|key| text[*key] == b'"')?;
            let end = key + string_length(&text[key..])?;
            let value = skip_blanks(text, end)?;
            if &text[key + 1..end - 1] == wanted.as_bytes() {
                return Some(value);
            }
            place = value_end(text, value)?;
        }
    })
}

/// The next byte that is neither blank nor between values.
fn skip_blanks(text: &[u8], from: usize) -> Option<usize> {
    let between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b':');
    let more = text.get(from..)?.iter().position(|byte| !between(byte))?;
    Some(from + more)
}

/// The end of the value that begins at a place.
fn value_end(text: &[u8], start: usize) -> Option<usize> {
    let (mut depth, mut place) = (0_usize, start);
    loop {
        match text.get(place)? {
            b'"' => place += string_length(&text[place..])?,
            b'{' | b'[' => {
                depth += 1;
                place += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                place += 1;
            }
            b',' | b':' if depth > 0 => place += 1,
            byte if depth > 0 && byte.is_ascii_whitespace() => place += 1,
            _ => {
                let ends = |byte: &u8| {
                    byte.is_ascii_whitespace()
                        || matches!(byte, b',' | b']' | b'}' | b':' | b'"' | b'{' | b'[')
                };
                let length = text[place..].iter().position(ends)?;
                place += length.max(1);
            }
        }
        if depth == 0 {
            return Some(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_at_the_top_and_by_a_path() {
        let text = br#"{"a":{"x":[1,"]",{"b":2}]},"b":"}"}"#;
        let place = find(text, "a.x").unwrap();
        let shown: Vec<_> =
            elements(&text[place..]).into_iter().map(|range| &text[place..][range]).collect();
        assert_eq!(shown, [&b"1"[..], b"\"]\"", b"{\"b\":2}"]);
        assert_eq!((find(text, "a.y"), find(text, "b.x"), find(b"[1]", "a")), (None, None, None));
        assert_eq!(elements(b"[ ]").len() + elements(b"[1,").len() + elements(b"[").len(), 1);
    }

    #[test]
    fn lines_are_put_together_and_a_torn_one_ends_what_came_before() {
        let mut assembler = Assembler::default();
        let mut steps =
            |lines: &[&str]| lines.iter().map(|line| assembler.add(line.as_bytes())).collect::<Vec<_>>();
        assert_eq!(steps(&["{", " \"a\": [", "  {\"b\": \"}\"}", " ]"]), [Step::More; 4]);
        assert_eq!(steps(&["}"]), [Step::Whole]);
        assert_eq!(assembler.take(), b"{\n\"a\": [\n{\"b\": \"}\"}\n]\n}\n");
        let mut steps =
            |lines: &[&str]| lines.iter().map(|line| assembler.add(line.as_bytes())).collect::<Vec<_>>();
        assert_eq!(
            steps(&["[", "{\"a\":1},", "[", "[{\"a\":", "1}]"]),
            [Step::More, Step::More, Step::Anew, Step::More, Step::Whole]
        );
        assembler.take();
        let mut steps =
            |lines: &[&str]| lines.iter().map(|line| assembler.add(line.as_bytes())).collect::<Vec<_>>();
        assert_eq!(
            steps(&["{\"a\":", "{\"a\":1}", "{\"a\":\"x", "}", "x"]),
            [Step::More, Step::Anew, Step::Broken, Step::Broken, Step::Broken]
        );
        assert_eq!(assembler.add(&[b'['; 200]), Step::TooLong);
        assert!(!assembler.is_busy());
    }
}
